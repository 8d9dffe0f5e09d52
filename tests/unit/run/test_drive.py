"""Driving a run from what is done already to its end."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sciflow.engine import Engine
from sciflow.errors import RunError
from sciflow.model.profile import Capacity, ClusterProfile
from sciflow.model.state import State
from sciflow.run.drive import drive
from sciflow.run.status import RunStatus
from sciflow.run.track import observe, read_plan
from sciflow.store.journal import Journal
from sciflow.store.layout import RunDirectory
from sciflow.store.lock import hold, is_held

LOCAL = ClusterProfile(name="local", scheduler="local", shared=False, capacity=Capacity(cpu_cores=1))


def test_a_run_is_driven_to_its_end(staged: RunDirectory) -> None:
    """Every index runs, what happened is journalled in order, and nobody holds the run afterwards."""
    status = drive(staged, read_plan(staged), LOCAL)
    assert status.is_complete
    assert not status.is_driven
    assert not is_held(staged.lock)
    events = [(one["event"], one["array"], one["index"]) for one in Journal(staged.journal).events()]
    assert len(events) == 10
    for index in range(4):
        assert events.index(("started", "square.0", index)) < events.index(("ended", "square.0", index))
    assert events[-2:] == [("started", "total.0", 0), ("ended", "total.0", 0)]


def test_what_is_completed_does_not_run_again(staged: RunDirectory, leave_record: Callable[..., Path]) -> None:
    """Only what is left is started, each as its next attempt; what was done counts in what follows."""
    leave_record(staged, "square.0", 0, 1, "COMPLETED", y=1000)
    leave_record(staged, "square.0", 1, 1, "FAILED", "no")
    leave_record(staged, "square.0", 2, 1, "FAILED", "no")
    leave_record(staged, "square.0", 2, 2, "CANCELLED", "stopped")
    heard: list[dict[str, Any]] = []
    status = drive(staged, read_plan(staged), LOCAL, lambda _status: heard.append)
    started = {(one["array"], one["index"], one["attempt"]) for one in heard if one["event"] == "started"}
    assert started == {("square.0", 1, 2), ("square.0", 2, 3), ("square.0", 3, 1), ("total.0", 0, 1)}
    assert status.is_complete
    from sciflow.run.collect import collect

    assert collect(staged).combinations["sum"] == [1000 + 4 + 9 + 16] * 4


def test_a_complete_run_has_nothing_to_do(staged: RunDirectory) -> None:
    """Driving it again starts nothing and journals nothing."""
    drive(staged, read_plan(staged), LOCAL)
    before = staged.journal.read_bytes()
    status = drive(staged, read_plan(staged), LOCAL, lambda _status: lambda event: pytest.fail(str(event)))
    assert status.is_complete
    assert staged.journal.read_bytes() == before


def test_whoever_watches_sees_where_it_starts(staged: RunDirectory, leave_record: Callable[..., Path]) -> None:
    """The watcher gets the status before anything is started, with the run marked as driven."""
    leave_record(staged, "square.0", 3)
    seen: list[RunStatus] = []

    def watch(status: RunStatus) -> Callable[[Any], None]:
        seen.append(status)
        return lambda _event: None

    drive(staged, read_plan(staged), LOCAL, watch)
    assert seen[0].counts("square") == {State.PENDING: 3, State.COMPLETED: 1}
    assert seen[0].is_driven


def test_a_run_is_driven_by_one(staged: RunDirectory) -> None:
    """While somebody drives it, a second one is turned away and starts nothing."""
    with hold(staged.lock), pytest.raises(RunError, match="is being driven by"):
        drive_at_once(staged)
    assert not staged.journal.exists()


def drive_at_once(run: RunDirectory) -> None:
    """Drive as another process would, which sees that the holder lives."""
    import subprocess
    import sys

    program = (
        "import sys; from sciflow.run.drive import drive; from sciflow.run.track import read_plan;"
        "from sciflow.store.layout import RunDirectory; from sciflow.model.profile import ClusterProfile;"
        "run = RunDirectory(sys.argv[1]);"
        "drive(run, read_plan(run), ClusterProfile(name='local', scheduler='local'))"
    )
    answer = subprocess.run([sys.executable, "-c", program, str(run.path)], capture_output=True, text=True, check=False)
    assert answer.returncode == 1
    raise RunError(answer.stderr.strip().splitlines()[-2])


def test_what_happened_is_kept_when_the_driver_is_stopped(staged: RunDirectory) -> None:
    """Ctrl-C in the middle: events that were heard are in the journal, and another driver goes on."""
    heard: list[dict[str, Any]] = []

    def hear(event: dict[str, Any]) -> None:
        heard.append(event)
        if len(heard) == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        drive(staged, read_plan(staged), LOCAL, lambda _status: hear)
    journalled = [(one["event"], one["index"]) for one in Journal(staged.journal).events()]
    assert journalled == [(one["event"], one["index"]) for one in heard]
    assert not observe(staged).is_finished
    assert drive(staged, read_plan(staged), LOCAL).is_complete


def test_a_failure_is_no_error_of_the_driver(tmp_path: Path) -> None:
    """An index that fails is a state; the driver goes on and says so."""
    from sciflow.model.workflow import ExperimentalWorkflow

    workflow = ExperimentalWorkflow("failing", tmp_path)
    workflow.add_task("task", command="echo going; exit {{ x }}")
    workflow.add_parameter_space({"x": [0, 1, 2]})
    engine = Engine(runs=tmp_path / "runs")
    run = RunDirectory(engine.write_plan(engine.compile(workflow), tmp_path / "runs" / "failing" / "1"))
    status = drive(run, read_plan(run), LOCAL)
    assert status.counts() == {State.COMPLETED: 1, State.FAILED: 2}
    assert "exit code 2" in status.indices["task.0"][2].error
