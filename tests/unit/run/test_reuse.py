"""What earlier runs have finished is taken over: the same code, inputs and parameters, and nothing else."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sciflow.engine import Engine
from sciflow.model.state import State
from sciflow.model.workflow import ExperimentalWorkflow
from sciflow.run.reuse import expected_seconds, take_over, take_over_once
from sciflow.run.track import observe, read_plan
from sciflow.store.journal import Journal
from sciflow.store.layout import RunDirectory
from sciflow_shim.record import write_record
from sciflow_shim.record_reader import as_group, read_record

LeaveRecord = Callable[..., Path]
Stage = Callable[..., RunDirectory]


def squares_over(x: list[int], factor: int = 1) -> ExperimentalWorkflow:
    """Make `square`, a command whose code is its line, and `total` over all of it."""
    workflow = ExperimentalWorkflow("squares")
    workflow.add_task("square", command=f"echo {{{{ x }}}} {factor}", outputs=["out"])
    workflow.add_task("total", lambda square: None, depends_on=["square"], over="all")
    workflow.add_parameter_space({"x": x})
    return workflow


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    """Return a function that stages `squares_over` as the run of a given id."""

    def make(run_id: str, *arguments: Any) -> RunDirectory:
        engine = Engine(runs=tmp_path / "runs")
        compiled = engine.compile(squares_over(*arguments))
        return RunDirectory(engine.write_plan(compiled, tmp_path / "runs" / "squares" / run_id))

    return make


def complete(run: RunDirectory, leave_record: LeaveRecord, *indices: int) -> None:
    """Complete some indices of `square`."""
    for index in indices:
        leave_record(run, "square.0", index, y=index)


def completed(run: RunDirectory) -> list[int]:
    """The indices of `square` that are completed."""
    known = observe(run).indices["square.0"]
    return [index for index, one in known.items() if one.state is State.COMPLETED]


def test_finished_instances_are_linked(stage: Stage, leave_record: LeaveRecord) -> None:
    """Records of the same instances are there in the new run, under the new run's indices, as attempt 0."""
    old = stage("1", [1, 2, 3])
    complete(old, leave_record, 0, 2)
    new = stage("2", [0, 3, 2, 1])
    assert take_over(new, read_plan(new)) == 2
    assert completed(new) == [1, 3]
    assert new.record("square.0", 1, 0).samefile(old.record("square.0", 2, 1))
    known = observe(new).indices["square.0"][1]
    assert (known.reason, known.seconds) == ("taken over from run 1", 2.0)
    events = [json.loads(line) for line in new.journal.read_text().splitlines()]
    assert [(one["event"], one["from"], one["record"]) for one in events] == [
        ("reused", "1", ["square.0", 2, 1]),
        ("reused", "1", ["square.0", 0, 1]),
    ]


def test_other_code_is_other_work(stage: Stage, leave_record: LeaveRecord) -> None:
    """A changed command takes nothing over."""
    complete(stage("1", [1, 2]), leave_record, 0, 1)
    new = stage("2", [1, 2], 7)
    assert take_over(new, read_plan(new)) == 0
    assert not new.journal.exists()


def test_what_gathers_more_is_other_work(stage: Stage, leave_record: LeaveRecord) -> None:
    """A total over three is no total over two; over the same it is taken over."""
    old = stage("1", [1, 2])
    complete(old, leave_record, 0, 1)
    leave_record(old, "total.0", 0, sum=5)
    same, more = stage("2", [1, 2]), stage("3", [1, 2, 3])
    assert take_over(same, read_plan(same)) == 3
    assert take_over(more, read_plan(more)) == 2
    assert observe(more).indices["total.0"][0].state is State.PENDING


@pytest.mark.parametrize("state", ["FAILED", "CANCELLED", "UPSTREAM_FAILED", "CRITERIA_NOT_MET", "RUNNING"])
def test_only_what_is_completed_is_taken_over(stage: Stage, leave_record: LeaveRecord, state: str) -> None:
    """What failed is tried again."""
    leave_record(stage("1", [1]), "square.0", 0, 1, state, "no")
    new = stage("2", [1, 2])
    assert take_over(new, read_plan(new)) == 0


def test_the_newest_of_several_runs_counts(stage: Stage, leave_record: LeaveRecord) -> None:
    """Where several runs have finished the same, the newest one's is taken."""
    for run_id in ("1", "2", "3"):
        complete(stage(run_id, [1]), leave_record, 0)
    shutil.rmtree(stage("4", [5]).path)
    new = stage("5", [1])
    assert take_over(new, read_plan(new)) == 1
    assert observe(new).indices["square.0"][0].reason == "taken over from run 3"


def test_a_torn_record_is_not_taken_over(stage: Stage, leave_record: LeaveRecord) -> None:
    """A record is checked to its last byte before another run relies on it."""
    old = stage("1", [1, 2])
    complete(old, leave_record, 0, 1)
    path = old.record("square.0", 0, 1)
    data = bytearray(path.read_bytes())
    data[-20] ^= 1
    path.write_bytes(data)
    new = stage("2", [1, 2, 3])
    assert take_over(new, read_plan(new)) == 1
    assert completed(new) == [1]


def test_files_come_along(stage: Stage, leave_record: LeaveRecord, tmp_path: Path) -> None:
    """Files are copied, so that the old run can go; an instance without its files, or with others, runs again."""
    from sciflow_shim.array import Array
    from sciflow_shim.artifacts import describe_file
    from sciflow_shim.attempt import Attempt

    old = stage("1", [1, 2, 3, 4])
    for index in range(4):
        one = Attempt(Array(str(old.path), "square.0"), index, 1)
        work = Path(one.work)
        work.mkdir(parents=True)
        (work / "out").write_text(f"result {index}")
        one.state, one.end = "COMPLETED", one.start
        one.outcome.artifacts = [describe_file("out", str(work / "out"))]
        old.record("square.0", index, 1).parent.mkdir(parents=True, exist_ok=True)
        one.write()
        if index == 1:
            (work / "out").unlink()
        if index == 2:
            (work / "out").write_text("result x")
        if index == 3:
            (work / "out").write_text("another size")
    new = stage("2", [1, 2, 3, 4])
    assert take_over(new, read_plan(new)) == 1
    shutil.rmtree(old.path)
    [copied] = list((new / "work").rglob("out"))
    assert copied.read_text() == "result 0"
    assert completed(new) == [0]


def test_another_file_system_gets_a_copy(
    stage: Stage, leave_record: LeaveRecord, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where files cannot be linked they are copied."""
    old = stage("1", [1])
    complete(old, leave_record, 0)
    new = stage("2", [1])

    def refuse(source: Any, target: Any) -> None:
        raise OSError(18, "Invalid cross-device link")

    monkeypatch.setattr("os.link", refuse)
    assert take_over(new, read_plan(new)) == 1
    assert new.record("square.0", 0, 0).read_bytes() == old.record("square.0", 0, 1).read_bytes()
    assert not new.record("square.0", 0, 0).samefile(old.record("square.0", 0, 1))


@pytest.mark.parametrize("damage", ['{"format": 99}', "{", "[]"])
def test_a_run_that_cannot_be_read_is_passed_over(stage: Stage, leave_record: LeaveRecord, damage: str) -> None:
    """A damaged run, or one of a newer sciflow, gives nothing and stops nobody."""
    broken = stage("1", [1])
    complete(broken, leave_record, 0)
    broken.manifest.write_text(damage)
    good = stage("0", [1])
    complete(good, leave_record, 0)
    new = stage("2", [1])
    assert take_over(new, read_plan(new)) == 1
    assert observe(new).indices["square.0"][0].reason == "taken over from run 0"
    assert expected_seconds(new, read_plan(new)) == {("square.0", 0): 2.0}


@pytest.mark.parametrize("name", ["plan.json", "arrays/square.0.jsonl"])
def test_a_run_that_lacks_a_file_is_passed_over(stage: Stage, leave_record: LeaveRecord, name: str) -> None:
    """A run of which somebody removed a part stops nobody either."""
    old = stage("1", [1])
    complete(old, leave_record, 0)
    (old / name).unlink()
    new = stage("2", [1])
    assert take_over(new, read_plan(new)) == 0
    assert expected_seconds(new, read_plan(new)) == {}


def test_earlier_times_are_expected_again(stage: Stage, leave_record: LeaveRecord) -> None:
    """How long an instance took is known from earlier runs, whatever its code was then."""
    first = stage("1", [1, 2, 3])
    assert expected_seconds(first, read_plan(first)) == {}
    complete(first, leave_record, 0, 1)
    leave_record(first, "square.0", 2, 1, "FAILED")
    new = stage("2", [3, 2, 1], 9)
    assert expected_seconds(new, read_plan(new)) == {("square.0", 1): 2.0, ("square.0", 2): 2.0}


def test_a_takeover_that_was_killed_goes_on(
    stage: Stage, leave_record: LeaveRecord, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was linked stays and counts, the rest follows, and it is done once."""
    complete(stage("1", [1, 2, 3]), leave_record, 0, 1, 2)
    new = stage("2", [1, 2, 3])

    def killed(*_: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Journal, "append", killed)
        with pytest.raises(KeyboardInterrupt):
            take_over_once(new, read_plan(new), False)
    new.record("square.0", 1, 0).unlink()
    assert take_over_once(new, read_plan(new), False) == 3
    assert completed(new) == [0, 1, 2]
    assert take_over_once(new, read_plan(new), False) == 0
    assert observe(new).reused == 3


def test_a_fresh_run_never_takes_over(stage: Stage, leave_record: LeaveRecord) -> None:
    """Also when it goes on later."""
    complete(stage("1", [1]), leave_record, 0)
    new = stage("2", [1])
    assert take_over_once(new, read_plan(new), True) == 0
    assert take_over_once(new, read_plan(new), False) == 0
    assert completed(new) == []


def test_the_environment_comes_along(tmp_path: Path) -> None:
    """A record that was taken over still leads to what was captured of its environment."""
    engine = Engine(runs=tmp_path / "runs")

    def workflow(values: list[int]) -> ExperimentalWorkflow:
        made = ExperimentalWorkflow("squares", tmp_path)
        made.add_task("square", lambda x: {"y": x})
        made.add_parameter_space({"x": values})
        return made

    first = engine.run(engine.compile(workflow([1]))).run
    captured = list((first.path / "environments").glob("*.h5"))
    done = engine.run(engine.compile(workflow([1, 2])))
    assert done.reused == 1
    shutil.rmtree(first.path)
    record = read_record(done.run.directory.record("square.0", 0, 0))
    if captured:  # by a process on the side, which may be slower than the run
        assert record.follow("environment").members


def test_what_a_file_changed_under_is_not_taken_over(stage: Stage, leave_record: LeaveRecord) -> None:
    """Nor what was made of it; status says which those are, and only they run anew."""
    old = stage("1", [1, 2])
    leave_record(old, "square.0", 0)
    leave_record(old, "square.0", 1, notes={"changed": "square.py"})
    leave_record(old, "total.0", 0, sum=5)
    new = stage("2", [1, 2])
    assert take_over(new, read_plan(new)) == 1
    assert completed(new) == [0]
    [note] = observe(old).notes
    assert note.startswith("`square.py` changed while square.0[1] ran: no later run takes that over")


def test_a_record_that_says_so_itself_is_not_taken_over(tmp_path: Path) -> None:
    """One of an earlier sciflow has no note of it, only what it says of each file."""
    engine = Engine(runs=tmp_path / "runs")
    (tmp_path / "data.txt").write_text("1")
    workflow = ExperimentalWorkflow("touched", tmp_path)
    workflow.add_task("work", lambda x: {"y": x}, inputs=["data.txt"])
    workflow.add_parameter_space({"x": [1]})
    old = engine.run(engine.compile(workflow)).run.directory
    path = old.record("work.0", 0, 1)
    group = as_group(read_record(path))
    group.members["inputs"].members["0"].attributes["is_unchanged"] = False
    write_record(path, group)
    new = RunDirectory(engine.write_plan(engine.compile(workflow), tmp_path / "runs" / "touched" / "9"))
    assert take_over(new, read_plan(new)) == 0
