"""What a plan makes of what was done before, and that a run then really does so."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sciflow.engine import Engine
from sciflow.errors import RunError
from sciflow.execution import Run
from sciflow.model.state import State
from sciflow.model.workflow import ExperimentalWorkflow
from sciflow.run.changes import Changes, Fate
from sciflow.run.reuse import take_over_once
from sciflow.run.track import observe, read_plan
from sciflow.store.layout import RunDirectory

LeaveRecord = Callable[..., Path]
Counts = dict[str, dict[str, int]]
ALL_DONE: Counts = {"square": {"done": 3}, "half": {"done": 3}, "total": {"done": 1}}


def halved(square: Any) -> dict[str, int]:
    """Give a half."""
    return {"h": 2}


def halved_otherwise(square: Any) -> dict[str, int]:
    """Give another half."""
    return {"h": 3}


def squares(folder: Path, **more: Any) -> ExperimentalWorkflow:
    """Make `square`, a command with an input file, `half` of each, and `total` over all; some of it in another way."""
    workflow = ExperimentalWorkflow("squares", folder)
    command = more.get("command", "cat data.txt; echo {{ x }}")
    workflow.add_task("square", command=command, inputs=["data.txt"], resources=more.get("resources", {}))
    workflow.add_task("half", more.get("function", halved), depends_on=["square"], parameters=more.get("parameters"))
    workflow.add_task("total", lambda half: None, depends_on=["half"], over="all")
    if "added" in more:
        workflow.add_task("added", command="echo {{ x }}", depends_on=["half"])
    workflow.add_parameter_space({"x": more.get("x", [1, 2, 3]), **more.get("axes", {})})
    return workflow


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return the workflow's folder."""
    (tmp_path / "data.txt").write_text("1")
    return tmp_path


@pytest.fixture
def engine(folder: Path) -> Engine:
    """Return an engine."""
    return Engine(runs=folder / "runs")


@pytest.fixture
def before(folder: Path, engine: Engine, leave_record: LeaveRecord) -> RunDirectory:
    """Return a run that is complete."""
    return made(engine, squares(folder), "1", leave_record)


def made(engine: Engine, workflow: ExperimentalWorkflow, run_id: str, leave_record: LeaveRecord) -> RunDirectory:
    """Make a run that has completed everything."""
    compiled = engine.compile(workflow)
    run = RunDirectory(engine.write_plan(compiled, engine.runs / workflow.name / run_id))
    for array in compiled.plan.arrays:
        for index in range(array.count):
            leave_record(run, array.name, index, y=index)
    return run


def counts(changes: Changes) -> Counts:
    """Task → fate → how many, of those that there are."""
    return {one.task: {fate.value: one.count(fate) for fate in Fate if one.count(fate)} for one in changes.tasks}


def why(changes: Changes) -> dict[str, dict[str, int]]:
    """Task → why it is run again → how many."""
    return {one.task: dict(one.why) for one in changes.tasks if one.why}


def really(engine: Engine, workflow: ExperimentalWorkflow) -> dict[str, int]:
    """How many instances of each task a new run takes over, of those that are planned."""
    compiled = engine.compile(workflow)
    run = RunDirectory(engine.write_plan(compiled, engine.runs / workflow.name / "9"))
    taken = take_over_once(run, compiled.plan, is_fresh=False)
    status = observe(run, read_plan(run))
    done = {task: status.counts(task).get(State.COMPLETED, 0) for task in compiled.plan.tasks}
    assert sum(done.values()) == taken
    return done


AFTER_SQUARE = {"half": {"`square`, which it reads": 3}, "total": {"`half`, which it reads": 1}}
GATHERS = {"total": {"it gathers other instances": 1}}
CASES: dict[str, tuple[dict[str, Any], Counts, dict[str, dict[str, int]]]] = {
    "a new value": (
        {"x": [0, 1, 2, 3]},
        {"square": {"done": 3, "new": 1}, "half": {"done": 3, "new": 1}, "total": {"again": 1}},
        GATHERS,
    ),
    "a value less": (
        {"x": [1, 3]},
        {"square": {"done": 2, "gone": 1}, "half": {"done": 2, "gone": 1}, "total": {"again": 1}},
        GATHERS,
    ),
    "another function": (
        {"function": halved_otherwise},
        {"square": {"done": 3}, "half": {"again": 3}, "total": {"again": 1}},
        {"half": {"the code of its function": 3}, "total": {"`half`, which it reads": 1}},
    ),
    "another command": (
        {"command": "cat data.txt; echo {{ x }} # now"},
        {"square": {"again": 3}, "half": {"again": 3}, "total": {"again": 1}},
        {"square": {"its command": 3}, **AFTER_SQUARE},
    ),
    "one task more": ({"added": True}, {**ALL_DONE, "added": {"new": 3}}, {}),
    "another request": ({"resources": {"memory_gb": 0.1, "max_runtime": "1 min"}}, ALL_DONE, {}),
    "another parameter": (
        {"axes": {"y": [5, 6]}, "parameters": ["y"]},
        {"square": {"done": 3}, "half": {"again": 6}, "total": {"again": 1}},
        {"half": {"it depends on `y` now": 6}, **GATHERS},
    ),
}


@pytest.mark.parametrize("case", CASES)
@pytest.mark.usefixtures("before")
def test_what_is_shown_is_what_is_done(folder: Path, engine: Engine, case: str) -> None:
    """Each change is told by task and by reason, and a new run takes over exactly what was told."""
    more, expected, reasons = CASES[case]
    workflow = squares(folder, **more)
    changes = engine.changes(engine.compile(workflow))
    assert counts(changes) == expected
    assert why(changes) == reasons
    assert really(engine, workflow) == {task: found.get("done", 0) for task, found in expected.items()}
    assert len(changes.done) == changes.count(Fate.DONE)


@pytest.mark.usefixtures("before")
def test_a_file_that_has_changed_is_named(folder: Path, engine: Engine) -> None:
    """And with it all that was made from it."""
    (folder / "data.txt").write_text("2")
    changes = engine.changes(engine.compile(squares(folder)))
    assert counts(changes) == {"square": {"again": 3}, "half": {"again": 3}, "total": {"again": 1}}
    assert why(changes) == {"square": {"the file `data.txt`": 3}, **AFTER_SQUARE}
    assert changes.describe() == "7 again"
    assert set(really(engine, squares(folder)).values()) == {0}


def test_the_same_work_goes_on(folder: Path, engine: Engine, before: RunDirectory) -> None:
    """Then nothing of it is new."""
    changes = engine.changes(engine.compile(squares(folder)))
    assert (counts(changes), changes.describe()) == (ALL_DONE, "7 done before")
    assert changes.continued is not None
    assert changes.continued.run_id == changes.against.run_id == before.run_id
    document = json.loads(json.dumps(changes.to_document(with_ranges=True)))
    assert (document["continues"], document["done"], document["gone"]) == ("1", 7, 0)
    assert document["tasks"][0]["ranges"] == {"done": "0-2"}


def test_what_is_sealed_is_known_as_well(folder: Path, engine: Engine, before: RunDirectory) -> None:
    """Its records are read where they were folded."""
    Run(before).seal()
    changes = engine.changes(engine.compile(squares(folder, x=[1, 2, 3, 4])))
    assert counts(changes) == CASES["a new value"][1]
    assert really(engine, squares(folder, x=[1, 2, 3, 4])) == {"square": 3, "half": 3, "total": 0}


@pytest.mark.parametrize("is_same", [True, False])
def test_what_failed_is_told_from_what_never_ended(
    folder: Path, engine: Engine, leave_record: LeaveRecord, is_same: bool
) -> None:
    """In the same run, and in a new one with a value more."""
    compiled = engine.compile(squares(folder))
    run = RunDirectory(engine.write_plan(compiled, engine.runs / "squares" / "1"))
    leave_record(run, "square.0", 0, y=1)
    leave_record(run, "square.0", 1, state="FAILED", error="boom")
    workflow = squares(folder, x=[1, 2, 3] if is_same else [1, 2, 3, 4])
    changes = engine.changes(engine.compile(workflow))
    square = {"done": 1, "again": 1, "unfinished": 1}
    assert counts(changes)["square"] == (square if is_same else {**square, "new": 1})
    assert why(changes)["square"] == {"it has ended as FAILED": 1}
    assert counts(changes)["half"] == ({"unfinished": 3} if is_same else {"unfinished": 3, "new": 1})
    assert really(engine, workflow)["square"] == 1


def test_what_cannot_be_relied_on_is_made_again(folder: Path, engine: Engine, before: RunDirectory) -> None:
    """A record that is torn counts as one that is not there."""
    path = before.record("square.0", 1, 1)
    path.write_bytes(path.read_bytes()[:-7])
    workflow = squares(folder, x=[1, 2, 3, 4])
    changes = engine.changes(engine.compile(workflow))
    assert counts(changes)["square"]["done"] == really(engine, workflow)["square"] == 2


def test_an_older_run_gives_what_a_newer_one_lacks(
    folder: Path, engine: Engine, before: RunDirectory, leave_record: LeaveRecord
) -> None:
    """What counts as new or gone follows from the run that is compared with; what is done, from all of them."""
    other = squares(folder, command="echo {{ x }} otherwise", x=[1, 2])
    made(engine, other, "2", leave_record)
    compiled = engine.compile(squares(folder, x=[1, 2, 3, 4]))
    assert counts(engine.changes(compiled))["square"] == {"done": 3, "new": 1}
    assert counts(engine.changes(compiled, before.path))["square"] == {"done": 3, "new": 1}
    changed = engine.compile(squares(folder, command="echo {{ x }} once more", x=[1, 3]))
    assert counts(engine.changes(changed))["square"] == {"again": 1, "new": 1, "gone": 1}
    assert counts(engine.changes(changed, before.path))["square"] == {"again": 2, "gone": 1}


def test_a_run_of_an_earlier_sciflow_says_less(folder: Path, engine: Engine, before: RunDirectory) -> None:
    """Its manifest has no parts of recipes: files and what comes before are named all the same."""
    document = json.loads(before.manifest.read_text())
    for facts in document["tasks"].values():
        del facts["recipe_parts"]
    before.manifest.write_text(json.dumps(document))
    changes = engine.changes(engine.compile(squares(folder, command="echo {{ x }}; cat data.txt")))
    assert why(changes) == {"square": {"its code, or how it is set up": 3}, **AFTER_SQUARE}
    (folder / "data.txt").write_text("2")
    assert why(engine.changes(engine.compile(squares(folder))))["square"] == {"the file `data.txt`": 3}


@pytest.mark.usefixtures("before")
def test_what_is_fresh_takes_nothing_over(folder: Path) -> None:
    """All of it is run, and nothing goes on."""
    engine = Engine(runs=folder / "runs", fresh=True)
    assert engine.changes_so_far(engine.compile(squares(folder))) is None


def test_there_must_be_a_run_of_the_same_workflow(folder: Path, engine: Engine, before: RunDirectory) -> None:
    """Another one's cannot be compared with, and without any there is nothing to compare with."""
    workflow = ExperimentalWorkflow("cubes", folder)
    workflow.add_task("cube", command="echo")
    compiled = engine.compile(workflow)
    with pytest.raises(RunError, match="there is no run of `cubes`"):
        engine.changes(compiled)
    with pytest.raises(RunError, match="run `1` is of workflow `squares`, not of `cubes`"):
        engine.changes(compiled, before.path)
    assert engine.changes_so_far(compiled) is None
