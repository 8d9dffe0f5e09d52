"""How an array index's attempts are numbered, and what is known of one that does not come to its end."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from sciflow_shim import files
from sciflow_shim.attempt import claim_attempt
from sciflow_shim.record_reader import read_record, verify_seal
from sciflow_shim.running import interim_interval

if TYPE_CHECKING:
    from shim.conftest import Prepare, PreparedRun


def start(run: PreparedRun) -> subprocess.Popen[bytes]:
    """Start index 0, and return when its program has printed something."""
    process = subprocess.Popen(run.command("work.0", "0"), env=run.environment, stderr=subprocess.DEVNULL)
    while not run.log():
        assert process.poll() is None
    return process


def record_path(run: PreparedRun, attempt: int = 1) -> Path:
    """Return the path of an attempt's record."""
    return run.path / files.record("work.0", 0, attempt)


def unsealed(run: PreparedRun) -> dict[str, Any]:
    """Return the attributes of the first attempt's record, which was not sealed."""
    while not record_path(run).exists():
        pass
    assert verify_seal(record_path(run)) == "unsealed"
    return dict(read_record(record_path(run)).attributes)


def test_what_is_killed_at_once_has_left_a_record(prepare: Prepare) -> None:
    """It says where it ran, and since when; it is no result."""
    run = prepare("import time\ndef work():\n    print('begun', flush=True)\n    time.sleep(100)")
    process = start(run)
    facts = unsealed(run)
    process.kill()
    process.wait()
    assert (facts["state"], facts["attempt"], facts["host"]) == ("RUNNING", 1, os.uname().nodename)
    assert facts["end"] != facts["end"]  # not a number: it is not known
    assert not list(record_path(run).parent.glob("*.partial"))


def test_no_number_is_given_twice(tmp_path: Path) -> None:
    """A straggler and the one that takes its place may start at once, and none may have left a record yet."""
    (tmp_path / "records").mkdir()
    numbers: list[int] = []
    barrier = threading.Barrier(8)

    def claim() -> None:
        barrier.wait()
        numbers.extend(claim_attempt(str(tmp_path), "a.0", 3) for _ in range(5))

    threads = [threading.Thread(target=claim) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(numbers) == list(range(1, 41))


def test_the_log_of_a_killed_attempt_stays(prepare: Prepare) -> None:
    """The next one has a number, a log and a record of its own."""
    run = prepare("def work(): return 1")
    log = run.path / files.log("work.0", 0, 1)
    log.parent.mkdir(parents=True)
    log.write_text("the last words\n")
    assert run.execute().returncode == 0
    assert run.facts(attempt=2)["state"] == "COMPLETED"
    assert log.read_text() == "the last words\n"


@pytest.mark.parametrize("is_command", [False, True])
def test_a_warning_from_outside_reaches_the_program(prepare: Prepare, is_command: bool) -> None:
    """The signal that a scheduler sends ahead of the limit is passed on to those who listen."""
    if is_command:
        command = "trap 'echo saved; exit 9' USR1; echo begun; while true; do sleep 0.02; done"
        run = prepare("", {"name": "work", "command": command})
    else:
        run = prepare(
            "import time\ndef work(context):\n    print('begun', flush=True)\n"
            "    while not context.should_stop():\n        time.sleep(0.02)\n    print('saved')"
        )
    process = start(run)
    process.send_signal(signal.SIGUSR1)
    process.send_signal(signal.SIGUSR1)
    assert process.wait(30) == 124
    assert run.log() == "begun\nsaved\n"
    assert run.facts()["state"] == "TIMEOUT"


def test_a_warning_does_not_end_who_does_not_listen(prepare: Prepare) -> None:
    """It would be killed by a signal that it does not know."""
    run = prepare("", {"name": "work", "command": "echo begun; while ! test -e go; do sleep 0.02; done; echo end"})
    process = start(run)
    process.send_signal(signal.SIGUSR1)
    (run.path / files.work("work", run.array().line(0)["id"]) / "go").touch()
    assert process.wait(30) == 0
    assert run.log() == "begun\nend\n"


def test_a_job_that_was_told_before_it_began_goes_on(prepare: Prepare) -> None:
    """What a script ignores, its program inherits: the shim listens all the same."""
    run = prepare(
        "import time\ndef work(context):\n    print('begun', flush=True)\n"
        "    while not context.should_stop():\n        time.sleep(0.02)"
    )
    ignoring = ["bash", "-c", "trap '' USR1; exec \"$@\"", "bash", *run.command("work.0", "0")]
    process = subprocess.Popen(ignoring, env=run.environment, stderr=subprocess.DEVNULL)
    while not run.log():
        assert process.poll() is None
    process.send_signal(signal.SIGUSR1)
    assert process.wait(30) == 124


def test_interim_records_come_at_growing_intervals_that_have_an_end() -> None:
    """A second is little for who has run for an hour; a job of three weeks must not lose a day."""
    ages = [interim_interval(0)]
    while ages[-1] < 21 * 86_400:
        ages.append(ages[-1] + interim_interval(ages[-1]))
    assert ages[:5] == [5, 10, 20, 40, 80]
    assert max(b - a for a, b in pairwise(ages)) == 600
    assert len(ages) < 3100
