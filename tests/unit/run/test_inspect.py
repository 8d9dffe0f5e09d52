"""One index of a run: finding it, its log, and running it by hand."""

from collections.abc import Callable
from pathlib import Path

import pytest

from sciflow.engine import Engine
from sciflow.errors import RunError
from sciflow.model.state import State
from sciflow.model.workflow import ExperimentalWorkflow
from sciflow.run.inspect import execute, locate, locate_all, read_log
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


# --- several indices at once


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("task", {"task.0": {0, 1}, "task.1": {0, 1}}),
        ("task.1", {"task.1": {0, 1}}),
        ("task[0,2-3]", {"task.0": {0, 1}, "task.1": {1}}),
        ("task[1]", {"task.1": {0}}),
        ("task.0[1]", {"task.0": {1}}),
        ("task.1[0-1]", {"task.1": {0, 1}}),
    ],
)
def test_places_are_instances_or_indices(noisy: RunDirectory, text: str, expected: dict[str, set[int]]) -> None:
    """A task, its instances over all its array jobs, or an array job and its indices."""
    assert locate_all(noisy, text) == expected


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "names no task or indices"),
        ("task[]", "names no task or indices"),
        ("task[1,]", "names no task or indices"),
        ("task[a]", "names no task or indices"),
        ("task[1", "write it like `train_model` or"),
        ("tusk", "has no task `tusk`.*did you mean `task`"),
        ("task.2", r"has no array job `task\.2`"),
        ("task[3-5]", r"`task\[3-5\]` names 3 indices, of which run `1` has 1"),
        ("task.0[0-9]", r"names 10 indices, of which run `1` has 2"),
        ("task[9]", "names 1 index, of which run `1` has 0"),
    ],
)
def test_places_that_are_not_there_are_told(noisy: RunDirectory, text: str, told: str) -> None:
    """Rather than doing something with those that are."""
    with pytest.raises(RunError, match=f"(?s){told}"):
        locate_all(noisy, text)


# --- what the job script printed around the program


@pytest.fixture
def submitted(noisy: RunDirectory) -> RunDirectory:
    """Return the run, of which the first array job was submitted as job 7."""
    intent = {"event": "intent", "array": "task.0", "name": "task.0.1.1", "indices": "0-1"}
    Journal(noisy.journal).append([intent, {"event": "submitted", "array": "task.0", "name": "task.0.1.1", "job": "7"}])
    return noisy


def test_what_a_job_script_printed_is_part_of_the_log(submitted: RunDirectory) -> None:
    """Also where the program never started: that is what tells why."""
    path = submitted.job_log("task.0", 1, "7")
    path.parent.mkdir(parents=True)
    path.write_bytes(b"module: command not found \xff\n")
    log = read_log(submitted, "task.0", 1, None)
    assert log.text == ""
    assert log.job_text == "module: command not found \N{REPLACEMENT CHARACTER}\n"
    assert not log.is_empty
    assert log.to_document()["job_log"] == log.job_text


def test_a_job_that_printed_nothing_has_not_started(submitted: RunDirectory) -> None:
    """The reason says where it is."""
    with pytest.raises(
        RunError, match=r"task\.0\[1\] is PENDING and was started 0 times so far: it has been submitted"
    ):
        read_log(submitted, "task.0", 1, None)


def test_the_log_of_a_program_that_runs_is_read(submitted: RunDirectory) -> None:
    """It has left no record yet; the last attempt that has printed something counts."""
    for attempt in (1, 2):
        path = submitted.log("task.0", 1, attempt)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"attempt {attempt}\n")
    log = read_log(submitted, "task.0", 1, None)
    assert (log.attempt, log.text, log.job_text) == (2, "attempt 2\n", "")
    assert read_log(submitted, "task.0", 1, 1).text == "attempt 1\n"
