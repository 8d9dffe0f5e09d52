"""Failures on this machine: tried again by cause, with what depends on them, until all is as it is without faults."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sciflow.execution import open_run
from sciflow.model.state import State
from sciflow.run.decide import Action
from sciflow.run.wish import Wish, make_wish
from sciflow.store.journal import Journal
from sciflow.store.layout import read_document

Sciflow = Callable[..., "subprocess.CompletedProcess[str]"]

# Index 1 fails once, 2 always, 3 has too little memory, and 4 too little time the first time.
STEPS = """
import time
from pathlib import Path

IS_WELL = Path("well").exists()


def first(context):
    mark = Path(context.working_directory) / "been"
    is_first = not mark.exists() and not IS_WELL
    mark.touch()
    return is_first


def check(x, context):
    if x == 1 and first(context):
        raise ValueError("this happens once")
    if x == 2 and not Path("mended").exists() and not IS_WELL:
        raise KeyError("always")
    return {"y": 10 * x}


def load(check, x, context):
    if x == 3:
        block = bytearray(250_000_000)
        block[::4096] = b"1" * len(block[::4096])
        if first(context):
            time.sleep(60)
    return {"z": check["y"] + 1}


def everything(load):
    return {"all": sum(one["z"] for one in load)}


def what_is_there(load):
    return {"some": sum(one["z"] for one in load), "count": len(load)}
"""
LINGER = "test {{ x }} -ne 4 -o -e been -o -e {{ workflow_dir }}/well || { touch been; sleep 60; }; echo n={{ x }}"


@pytest.fixture
def faulty(tmp_path: Path) -> Path:
    """Return the folder of a workflow in which something of every kind fails."""
    folder = tmp_path / "faulty"
    folder.mkdir()
    (folder / "steps.py").write_text(
        STEPS.replace('"well"', f"{str(folder / 'well')!r}").replace('"mended"', f"{str(folder / 'mended')!r}")
    )
    tasks: list[dict[str, Any]] = [
        {"name": "check", "python": "steps:check"},
        {"name": "load", "python": "steps:load", "depends_on": ["check"], "resources": {"memory_gb": 0.2}},
        {"name": "everything", "python": "steps:everything", "depends_on": ["load"], "over": "all"},
        {"name": "some", "python": "steps:what_is_there", "depends_on": ["load"], "over": "all", "missing": "skip"},
        {
            "name": "linger",
            "command": LINGER,
            "resources": {"max_runtime": "3 s"},
            "extract": {"n": {"stdout": r"n=(\d+)", "type": "int"}},
        },
    ]
    document = {"name": "faulty", "parameters": {"x": [0, 1, 2, 3, 4]}, "tasks": tasks}
    (folder / "workflow.yaml").write_text(json.dumps(document))
    return folder


def states(folder: Path) -> dict[str, str]:
    """Return task → the first letters of the states of its indices."""
    status = open_run(runs=folder / "sciflow-runs").status()
    return {
        task: " ".join(one.state.value[:3] for one in status.indices[f"{task}.0"].values())
        for task in status.plan.tasks
    }


def attempts(folder: Path, task: str) -> list[int]:
    """Return how often each index of a task was started."""
    return [one.attempt for one in open_run(runs=folder / "sciflow-runs").status().indices[f"{task}.0"].values()]


def values(folder: Path) -> list[dict[str, Any]]:
    """Return the metrics of all combinations."""
    table = open_run(runs=folder / "sciflow-runs").to_dataframe()
    return json.loads(table[["x", "y", "z", "all", "some", "count", "n"]].to_json(orient="records"))


def retries(folder: Path) -> dict[str, dict[str, Any]]:
    """Return array job and indices → what was decided, of what was tried again last."""
    events = Journal(open_run(runs=folder / "sciflow-runs").directory.journal).events()
    return {f"{event['array']}[{event['indices']}]": event for event in events if event["event"] == "retry"}


def test_what_failed_is_tried_again_until_all_is_as_without_faults(faulty: Path, sciflow: Sciflow) -> None:
    """Once for what fails once, with more memory and more time where these were used up; then nothing but what fails
    always is left, which is not tried a third time unless that is forced."""
    assert sciflow("run", "workflow.yaml", cwd=faulty).returncode == 3
    assert states(faulty) == {
        "check": "COM FAI FAI COM COM",
        "linger": "COM COM COM COM TIM",
        "load": "COM UPS UPS OUT COM",
        "everything": "UPS",
        "some": "COM",
    }
    shown = sciflow("retry", "-n", cwd=faulty)
    assert shown.returncode == 0
    assert states(faulty)["check"] == "COM FAI FAI COM COM"
    lines = shown.stdout.splitlines()
    assert lines[1].split() == ["task", "count", "cause", "error", "what", "is", "done", "why", "indices"]
    assert any("ValueError in steps.py:" in line and line.endswith("check.0[1]") for line in lines)
    assert any("with more time" in line and "3.0 s → " in line for line in lines)
    assert lines[-1] == f"next: sciflow retry {open_run(runs=faulty / 'sciflow-runs').run_id}"

    answer = sciflow("retry", cwd=faulty)
    assert answer.returncode == 3, answer.stderr
    assert states(faulty) == {
        "check": "COM COM FAI COM COM",
        "linger": "COM COM COM COM COM",
        "load": "COM COM UPS COM COM",
        "everything": "UPS",
        "some": "COM",
    }
    assert attempts(faulty, "check") == [1, 2, 2, 1, 1]
    assert attempts(faulty, "load") == [1, 2, 2, 2, 1]
    assert attempts(faulty, "some") == [2]
    done = retries(faulty)
    assert (done["load.0[3]"]["variant"], done["load.0[1-2]"]["variant"]) == ("r1", "")
    assert done["load.0[3]"]["memory"] >= 1.2 * 250_000_000
    run = open_run(runs=faulty / "sciflow-runs").directory
    assert read_document(run.header("load.0@r1"))["request"]["memory_bytes"] == done["load.0[3]"]["memory"]
    assert read_document(run.header("linger.0@r1"))["request"]["runtime_seconds"] == done["linger.0[4]"]["seconds"] > 3

    idle = sciflow("retry", cwd=faulty)
    assert idle.returncode == 3
    assert "it failed twice with the same error" in idle.stdout
    assert idle.stdout.splitlines()[-2:] == [
        "nothing is tried again",
        f"next: sciflow retry {run.run_id} --force   # all the same",
    ]
    assert attempts(faulty, "check") == [1, 2, 2, 1, 1]
    assert attempts(faulty, "some") == [2]

    (faulty / "mended").touch()
    forced = sciflow("retry", "--force", "--json", cwd=faulty)
    assert forced.returncode == 0, forced.stderr
    document = json.loads(forced.stdout)
    assert {one["task"]: one["action"] for one in document["decisions"]} == {
        "check": "again",
        "load": "with its upstream",
        "everything": "with its upstream",
        "some": "with its upstream",
    }
    assert set(" ".join(states(faulty).values()).split()) == {"COM"}
    assert sciflow("retry", cwd=faulty).stdout.splitlines()[0] == f"run {run.run_id}: nothing has failed"

    repaired = values(faulty)
    (faulty / "well").touch()
    assert sciflow("run", "workflow.yaml", "--fresh", cwd=faulty).returncode == 0
    assert values(faulty) == repaired


def test_only_some_causes_with_a_factor(faulty: Path, sciflow: Sciflow) -> None:
    """Nothing else is touched, and what was wrong is said before anything is done."""
    sciflow("run", "workflow.yaml", cwd=faulty)
    answer = sciflow("retry", "--only", "timeout", "--scale", "runtime=4", cwd=faulty)
    assert answer.returncode == 3
    assert states(faulty)["linger"] == "COM COM COM COM COM"
    assert states(faulty)["check"] == "COM FAI FAI COM COM"
    assert retries(faulty)["linger.0[4]"]["seconds"] == 12
    assert attempts(faulty, "some") == [1]


def test_only_some_indices(faulty: Path, sciflow: Sciflow) -> None:
    """And what depends on them."""
    sciflow("run", "workflow.yaml", cwd=faulty)
    assert sciflow("retry", "--indices", "check[1]", cwd=faulty).returncode == 3
    assert states(faulty) == {
        "check": "COM COM FAI COM COM",
        "linger": "COM COM COM COM TIM",
        "load": "COM COM UPS OUT COM",
        "everything": "UPS",
        "some": "COM",
    }
    assert attempts(faulty, "load") == [1, 2, 1, 1, 1]
    assert attempts(faulty, "some") == [2]


# --- brakes


@pytest.fixture
def braked(tmp_path: Path) -> Path:
    """Return the folder of a workflow of forty indices that all fail, until there is a file."""
    folder = tmp_path / "braked"
    folder.mkdir()
    command = "test -e {{ workflow_dir }}/mended || { echo no licence for {{ x }} >&2; exit 3; }"
    document = {
        "name": "braked",
        "parameters": {"x": {"range": [40]}},
        "tasks": [{"name": "fail", "command": command, "resources": {"cpu_cores": 1}}],
        "recovery": {"brake": 5},
    }
    (folder / "workflow.yaml").write_text(json.dumps(document))
    return folder


def counts(folder: Path) -> dict[State, int]:
    """Return state → how many of the newest run."""
    return open_run(runs=folder / "sciflow-runs").status().counts()


def test_a_brake_is_told_and_released(braked: Path, sciflow: Sciflow) -> None:
    """What is held back stays so until somebody releases it; then all of it is run."""
    assert sciflow("run", "workflow.yaml", cwd=braked).returncode == 3
    held = counts(braked)
    assert held[State.CANCELLED] >= 30
    answer = sciflow("retry", cwd=braked)
    assert answer.returncode == 3
    assert "held back: 5 of the first 5 failed: " in answer.stdout
    assert "`--release` lets its array job go on" in answer.stdout
    assert counts(braked) == held
    (braked / "mended").touch()
    answer = sciflow("retry", "--release", cwd=braked)
    assert answer.returncode == 0, answer.stdout
    assert "fail.0 goes on" in answer.stdout.splitlines()
    assert counts(braked) == {State.COMPLETED: 40}


def test_the_same_run_releases_a_brake_as_well(braked: Path, sciflow: Sciflow) -> None:
    """Who types it has seen why, and has done something about it."""
    sciflow("run", "workflow.yaml", cwd=braked)
    (braked / "mended").touch()
    assert sciflow("run", "workflow.yaml", cwd=braked).returncode == 0
    assert counts(braked) == {State.COMPLETED: 40}


# --- at the same moment, and stopped


@pytest.fixture
def waiting(tmp_path: Path) -> Path:
    """Return the folder of a workflow of three that fail once, then say that they run, and wait to be told to end."""
    folder = tmp_path / "waiting"
    folder.mkdir()
    for name in ("started", "go"):
        os.mkfifo(folder / name)
    wait = f"echo {{{{ x }}}} > {folder}/started; read -r line < {folder}/go"
    command = f"test -e been && {{ {wait}; exit; }}; touch been; exit 7"
    document = {
        "name": "waiting",
        "parameters": {"x": [0, 1, 2]},
        "tasks": [
            {"name": "wait", "command": command, "resources": {"cpu_cores": os.cpu_count()}},
            {"name": "after", "command": "true", "depends_on": ["wait"]},
        ],
    }
    (folder / "workflow.yaml").write_text(json.dumps(document))
    return folder


def retrying(folder: Path) -> subprocess.Popen[str]:
    """Start `sciflow retry`, and return when the first program says that it runs again."""
    command = [str(Path(sys.executable).with_name("sciflow")), "retry"]
    started = subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    (folder / "started").read_text()
    return started


def let_go(folder: Path) -> list[int]:
    """Let all that waits end; gives what is to be closed afterwards."""
    descriptors = [os.open(folder / name, os.O_RDWR) for name in ("go", "started")]
    os.write(descriptors[0], b"go\n" * 10)
    return descriptors


def test_the_second_retry_is_told_who_is_at_it(waiting: Path, sciflow: Sciflow) -> None:
    """Nothing is decided twice."""
    sciflow("run", "workflow.yaml", cwd=waiting)
    first = retrying(waiting)
    second = sciflow("retry", cwd=waiting)
    assert (second.returncode, second.stdout) == (1, "")
    assert f"is being driven by process {first.pid} on " in second.stderr
    assert "hint: wait for it, or stop it with Ctrl-C where it runs" in second.stderr
    status = open_run(runs=waiting / "sciflow-runs").status().indices["wait.0"].values()
    assert {one.state for one in status} <= {State.RUNNING, State.PENDING}
    descriptors = let_go(waiting)
    out, err = first.communicate(timeout=120)
    for descriptor in descriptors:
        os.close(descriptor)
    assert first.returncode == 0, err
    assert "3 of 3 combinations completed" in out
    assert attempts(waiting, "wait") == [2, 2, 2]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
@pytest.mark.parametrize("again", ["retry", "run"])
def test_a_retry_that_was_stopped_goes_on(waiting: Path, sciflow: Sciflow, number: int, again: str) -> None:
    """What it had decided stays so: nothing of it has failed a second time."""
    sciflow("run", "workflow.yaml", cwd=waiting)
    first = retrying(waiting)
    first.send_signal(number)
    first.communicate(timeout=60)
    assert counts(waiting) == {State.PENDING: 3, State.UPSTREAM_FAILED: 3} or counts(waiting) == {State.PENDING: 6}
    assert sciflow("status", cwd=waiting).returncode == 4
    descriptors = let_go(waiting)
    answer = sciflow(again, *(["workflow.yaml"] if again == "run" else []), cwd=waiting)
    for descriptor in descriptors:
        os.close(descriptor)
    assert answer.returncode == 0, answer.stdout + answer.stderr
    assert counts(waiting) == {State.COMPLETED: 6}
    if again == "retry":
        assert "nothing has failed" in answer.stdout
        assert "besides, 6 ran that had not come to their end before" in answer.stdout.splitlines()


# --- from Python


def test_a_run_tries_again_from_python(faulty: Path, sciflow: Sciflow) -> None:
    """What is decided is shown first and then done; tending does it within the same bounds, and writes it down."""
    sciflow("run", "workflow.yaml", cwd=faulty)
    run = open_run(runs=faulty / "sciflow-runs")
    shown = run.decide()
    assert {one.action for one in shown} == {
        Action.AGAIN,
        Action.MORE_MEMORY,
        Action.MORE_TIME,
        Action.WITH_UPSTREAM,
    }
    assert run.decide(Wish()) == shown
    assert not any(one.action.is_retry for one in run.decide(make_wish("cancelled")))
    done = run.tend()
    assert done.recovered.decisions == shown
    assert done.chained is None
    assert done.status.counts() == {State.COMPLETED: 14, State.FAILED: 1, State.UPSTREAM_FAILED: 2}
    text = (run.path / "recovery.md").read_text()
    assert "1 × `load.0[3]` out of memory (used N GB of the N GB it asked for): with more memory: " in text
