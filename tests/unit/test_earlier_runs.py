"""The runs that are there: which one does the same work, and what is taken over."""

import shutil

import pytest

from sciflow.engine import Engine
from sciflow.errors import SciflowWarning
from sciflow.model.workflow import ExperimentalWorkflow
from sciflow.store.layout import runs_of


def test_the_same_work_is_not_done_twice(engine: Engine, squares: ExperimentalWorkflow) -> None:
    """A second call finds the run complete, and starts nothing."""
    first = engine.run(engine.compile(squares))
    assert (first.continued, first.reused) == (False, 0)
    journal = first.run.directory.journal.read_bytes()
    second = engine.run(engine.compile(squares))
    assert (second.continued, second.reused) == (True, 0)
    assert second.run.path == first.run.path
    assert first.run.directory.journal.read_bytes() == journal


def test_a_changed_workflow_takes_over_what_is_unchanged(engine: Engine, squares: ExperimentalWorkflow) -> None:
    """A task that is added runs; those that were there do not run again."""
    engine.execute_parameter_sweep(squares)
    squares.add_task("more", lambda square, x: {"z": square["y"] + x}, depends_on=["square"])
    done = engine.run(engine.compile(squares))
    assert (done.continued, done.reused) == (False, 5)
    assert done.run.collect().get_metric({"x": 3}, "z") == 12


def test_a_fresh_run_takes_nothing_over(engine: Engine, squares: ExperimentalWorkflow) -> None:
    """With `fresh`, everything runs again in a run of its own."""
    engine.execute_parameter_sweep(squares)
    fresh = Engine(runs=engine.runs, fresh=True)
    done = fresh.run(fresh.compile(squares))
    assert (done.continued, done.reused) == (False, 0)
    assert len(runs_of(engine.runs)) == 2


def test_a_run_that_was_removed_is_made_again(engine: Engine, squares: ExperimentalWorkflow) -> None:
    """The newest run that is there counts; with none, everything runs."""
    first = engine.execute_parameter_sweep(squares)
    shutil.rmtree(first.run.path)
    assert engine.execute_parameter_sweep(squares).completed == 4


def test_a_damaged_newest_run_stops_nobody(engine: Engine, squares: ExperimentalWorkflow) -> None:
    """A manifest that cannot be read is named in a warning, and a new run starts."""
    first = engine.run(engine.compile(squares)).run
    first.directory.manifest.write_text("{")
    with pytest.warns(SciflowWarning, match=str(first.directory.manifest)):
        done = engine.run(engine.compile(squares))
    assert (done.continued, done.status.is_complete) == (False, True)
