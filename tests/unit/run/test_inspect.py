"""One index of a run: finding it, its log, and running it by hand."""

from collections.abc import Callable
from pathlib import Path

import pytest

from sciflow.engine import Engine
from sciflow.errors import RunError
from sciflow.model.state import State
from sciflow.model.workflow import ExperimentalWorkflow
from sciflow.run.inspect import execute, locate, read_log
from sciflow.run.track import observe
from sciflow.store.journal import Journal
from sciflow.store.layout import RunDirectory
from sciflow.store.lock import is_held


@pytest.fixture
def noisy(tmp_path: Path) -> RunDirectory:
    """Return a staged run of two array jobs of one task, whose commands print; for x = 3 they fail."""
    workflow = ExperimentalWorkflow("noisy", tmp_path)
    command = "echo this is {{ x }}; printf 'caf\\xc3\\xa9 \\xff\\n' >&2; test {{ x }} -ne 3"
    workflow.add_task("task", command=command, resources={"memory_gb": "0.1 if x < 2 else 0.2"})
    workflow.add_task("silent", lambda x: None)
    workflow.add_parameter_space({"x": [3, 0, 2, 1]})
    engine = Engine(runs=tmp_path / "runs")
    return RunDirectory(engine.write_plan(engine.compile(workflow), tmp_path / "runs" / "noisy" / "1"))


def test_a_place_is_an_instance_or_an_index(noisy: RunDirectory) -> None:
    """`task[i]` counts the instances of a task over all its arrays; `task.k[i]` those of one array."""
    assert [locate(noisy, f"task[{i}]") for i in range(4)] == [
        ("task.0", 0),
        ("task.1", 0),
        ("task.0", 1),
        ("task.1", 1),
    ]
    assert locate(noisy, "task.1[1]") == ("task.1", 1)


@pytest.mark.parametrize(
    ("place", "told"),
    [
        ("task", "names no index"),
        ("task[-1]", "names no index"),
        ("task[0", "names no index"),
        ("tusk[0]", "has no task `tusk`.*did you mean `task`"),
        ("task[4]", r"has the instances 0-3, not 4"),
        ("task.2[0]", r"has no `task\.2\[0\]`.*task\.0\[0-1\], task\.1\[0-1\]"),
        ("task.0[2]", r"has no `task\.0\[2\]`"),
    ],
)
def test_a_place_that_is_not_there_is_told(noisy: RunDirectory, place: str, told: str) -> None:
    """The error says what there is instead."""
    with pytest.raises(RunError, match=f"(?s){told}"):
        locate(noisy, place)


def test_an_index_runs_by_hand(noisy: RunDirectory) -> None:
    """Each time it is a new attempt, with a record and a log of its own, and nobody holds the run afterwards."""
    assert execute(noisy, "task.0", 1) is State.COMPLETED
    assert execute(noisy, "task.0", 0) is State.FAILED
    assert execute(noisy, "task.0", 0) is State.FAILED
    assert [observe(noisy).indices["task.0"][index].attempt for index in (0, 1)] == [2, 1]
    log = read_log(noisy, "task.0", 0, None)
    assert log.text == "this is 3\ncafé \N{REPLACEMENT CHARACTER}\n"
    assert (log.attempt, log.state) == (2, State.FAILED)
    assert "exit code 1" in log.error
    assert read_log(noisy, "task.0", 0, 1).attempt == 1
    assert not is_held(noisy.lock)


def test_a_log_that_is_empty_is_empty(noisy: RunDirectory) -> None:
    """A program that prints nothing leaves no file, which is no error."""
    execute(noisy, "silent.0", 0)
    log = read_log(noisy, "silent.0", 0, None)
    assert log.is_empty
    assert log.to_document() == {
        "array": "silent.0",
        "index": 0,
        "attempt": 1,
        "state": "COMPLETED",
        "error": "",
        "log": "",
        "job_log": "",
    }


def test_an_attempt_that_never_was_has_no_log(noisy: RunDirectory) -> None:
    """Neither before the first attempt nor after the last is there anything to read."""
    with pytest.raises(RunError, match=r"silent\.0\[0\] is PENDING and was started 0 times so far"):
        read_log(noisy, "silent.0", 0, None)
    execute(noisy, "silent.0", 0)
    with pytest.raises(RunError, match="was started 1 times"):
        read_log(noisy, "silent.0", 0, 2)


def test_what_was_taken_over_was_not_started_here(noisy: RunDirectory, leave_record: Callable[..., Path]) -> None:
    """An instance of an earlier run has nothing to show in this one, and that is no error."""
    leave_record(noisy, "silent.0", 0, 0)
    Journal(noisy.journal).append([{"event": "reused", "array": "silent.0", "index": 0, "from": "0"}])
    assert read_log(noisy, "silent.0", 0, None).is_empty
