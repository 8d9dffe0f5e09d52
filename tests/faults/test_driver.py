"""The driver is stopped, killed or robbed of its shim at counted moments; the next run goes on."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from sciflow.store.lock import is_held

COUNT = 40
WORKFLOW = f"""
name: counted
parameters: {{i: {{range: [0, {COUNT}]}}}}
tasks:
  - name: count
    command: sleep 0.02; echo {{{{ i }}}} >> "$COUNTED"
  - name: after
    python: after:after
    depends_on: [count]
"""
AFTER = """
import os

def after(i):
    with open(os.environ["COUNTED"] + ".after", "a") as file:
        file.write(f"{i}\\n")
    return {"double": 2 * i}
"""


class Experiment:
    """A sweep whose every instance leaves a line in a file, run by a driver of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.counted = folder / "counted.txt"
        (folder / "workflow.yaml").write_text(WORKFLOW)
        (folder / "after.py").write_text(AFTER)

    def start(self) -> subprocess.Popen[str]:
        """Start a driver."""
        return subprocess.Popen(
            [sys.executable, "-m", "sciflow", "run", "workflow.yaml", "--json"],
            cwd=self.folder,
            env={**os.environ, "COUNTED": str(self.counted)},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def finish(self) -> dict:
        """Run to the end; the answer as JSON."""
        driver = self.start()
        out, complaint = driver.communicate(timeout=120)
        assert driver.returncode == 0, complaint
        return json.loads(out)

    def ended(self) -> dict[tuple[str, int], int]:
        """The array indices whose end is in the journal, and how many lines each has left until now."""
        ended = []
        for journal in self.folder.glob("sciflow-runs/counted/*/journal.jsonl"):
            for line in journal.read_text().splitlines():
                event = json.loads(line)
                if event["event"] == "ended" and event["state"] == "COMPLETED":
                    ended.append((event["array"], event["index"]))
        lines = self.lines()
        return {place: lines[place] for place in ended}

    def locks(self) -> list[Path]:
        """The locks of all runs."""
        return list(self.folder.glob("sciflow-runs/counted/*/driver.lock"))

    def lines(self) -> Counter[tuple[str, int]]:
        """How often each array index has left its line."""
        files = {"count.0": self.counted, "after.0": self.counted.with_name("counted.txt.after")}
        return Counter(
            (array, int(line)) for array, path in files.items() if path.exists() for line in path.read_text().split()
        )


@pytest.fixture
def experiment(tmp_path: Path) -> Experiment:
    """A sweep in a folder of its own."""
    return Experiment(tmp_path)


def wait_until(happened: Callable[[], object], what: str) -> None:
    """Look often; the tests wait for what happens, never for time."""
    until = time.monotonic() + 60
    while not happened():
        assert time.monotonic() < until, f"never happened: {what}"
        time.sleep(0.005)


def assert_never_repeated(experiment: Experiment, done: dict[tuple[str, int], int]) -> None:
    """No index has left a line after its end was in the journal; one that was stopped before may have left several."""
    lines = experiment.lines()
    assert {place: lines[place] for place in done} == done


def assert_complete(experiment: Experiment, done_before: dict[tuple[str, int], int], stops: int) -> None:
    """Every index has run; none that was done ran again, and of the others no more than were in flight."""
    lines = experiment.lines()
    assert set(lines) == {(array, index) for array in ("count.0", "after.0") for index in range(COUNT)}
    assert_never_repeated(experiment, done_before)
    assert lines.total() - len(lines) <= stops * (os.cpu_count() or 1)


@pytest.mark.parametrize(
    "moment", [0, 7, 45, 79, *(pytest.param(one, marks=pytest.mark.slow) for one in (1, 20, 39, 60))]
)
def test_a_killed_driver_loses_what_was_in_flight_and_nothing_else(experiment: Experiment, moment: int) -> None:
    """After SIGKILL of the driver at any moment its programs go, and the next run completes without repeating."""
    driver = experiment.start()
    wait_until(experiment.locks, "the driver takes its run")
    wait_until(lambda: len(experiment.ended()) >= moment or driver.poll() is not None, f"{moment} indices end")
    driver.kill()
    driver.communicate()
    done = experiment.ended()

    wait_until(lambda: not any(is_held(lock) for lock in experiment.locks()), "all programs of the run are gone")
    answer = experiment.finish()

    assert answer["combinations"] == {"completed": COUNT, "total": COUNT}
    assert_complete(experiment, done, stops=1)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_stopped_driver_ends_in_order(experiment: Experiment, number: signal.Signals) -> None:
    """A signal to stop ends the run's programs, exits with 130, and the same command goes on."""
    driver = experiment.start()
    wait_until(lambda: len(experiment.ended()) >= 5, "five indices end")
    driver.send_signal(number)
    _, complaint = driver.communicate(timeout=60)
    done = experiment.ended()

    assert driver.returncode == 130
    assert "the same command goes on" in complaint
    assert not any(is_held(lock) for lock in experiment.locks())
    answer = experiment.finish()
    assert answer["continued"]
    assert_complete(experiment, done, stops=1)


def test_a_driver_that_is_killed_again_and_again_comes_to_the_end(experiment: Experiment) -> None:
    """Killed after every tenth end, the run still completes, and nothing runs again once its end is in the journal."""
    kills = 0
    done: dict[tuple[str, int], int] = {}
    for goal in range(10, 2 * COUNT, 10):
        driver = experiment.start()
        wait_until(lambda g=goal, d=driver: len(experiment.ended()) >= g or d.poll() is not None, f"{goal} indices end")
        driver.kill()
        driver.communicate()
        kills += 1
        wait_until(lambda: not any(is_held(lock) for lock in experiment.locks()), "all programs of the run are gone")
        assert_never_repeated(experiment, done)
        done = experiment.ended()
    experiment.finish()
    assert_complete(experiment, done, stops=kills)


def test_a_killed_shim_is_started_again(experiment: Experiment) -> None:
    """When the shim of an array job is killed, its indices in flight are NODE_FAIL, the others still run."""
    driver = experiment.start()
    wait_until(lambda: len(experiment.ended()) >= 5, "five indices end")
    for pid in shims(experiment.folder, "count.0"):
        os.kill(pid, signal.SIGKILL)
    out, complaint = driver.communicate(timeout=120)
    assert driver.returncode in (0, 3), complaint
    answer = json.loads(out)
    states = answer["tasks"]["count"]
    assert states["COMPLETED"] + states.get("NODE_FAIL", 0) == COUNT
    assert states.get("NODE_FAIL", 0) <= (os.cpu_count() or 1)
    assert experiment.finish()["combinations"]["completed"] == COUNT


def shims(folder: Path, array: str) -> list[int]:
    """The processes that serve an array job of a run in a folder."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                words = (entry / "cmdline").read_bytes().decode().split("\0")
            except (OSError, UnicodeDecodeError):
                continue
            if "sciflow_shim" in words and array in words and any(re.match(re.escape(str(folder)), w) for w in words):
                found.append(int(entry.name))
    return found
