"""Which array indices need the results of which others."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from sciflow.model.workflow import ExperimentalWorkflow
from sciflow.run.needs import needed
from sciflow.run.track import read_plan
from sciflow.store.layout import RunDirectory

StageForQueue = Callable[..., RunDirectory]


def needs(run: RunDirectory, array: str) -> dict[int, list[tuple[str, int]]]:
    """Return the places that each index of an array job needs."""
    return {index: list(places) for index, places in needed(run, read_plan(run).array(array))}


def test_what_needs_nothing_has_no_needs(chain: RunDirectory) -> None:
    """Each of its indices is told all the same."""
    assert needs(chain, "a.0") == {index: [] for index in range(4)}


def test_index_by_index_and_all_of_it(chain: RunDirectory) -> None:
    """As the tables of the run tell the node."""
    assert needs(chain, "b.0") == {index: [("a.0", index)] for index in range(4)}
    assert needs(chain, "c.0") == {0: [("b.0", index) for index in range(4)]}


def test_an_index_may_need_several_tasks_in_both_ways(tmp_path: Path, stage_for_queue: StageForQueue) -> None:
    """One index of one, and some of another, which the site cuts into several array jobs."""
    workflow = ExperimentalWorkflow("both", tmp_path)
    workflow.add_task("a", lambda x, s: {"y": x * s})
    workflow.add_task("mean", lambda a, x: {"m": 0}, depends_on=["a"], over=["s"])
    workflow.add_task("twin", lambda mean: {"t": 0}, depends_on=["mean"])
    workflow.add_task("end", lambda twin, mean, x: {"e": 0}, depends_on=["twin", "mean"])
    workflow.add_parameter_space({"x": [1, 2], "s": [1, 2, 3]})
    run = stage_for_queue(workflow, highest_index=3)
    assert [(array.name, array.count) for array in read_plan(run).arrays][:2] == [("a.0", 4), ("a.1", 2)]
    assert {index: sorted(places) for index, places in needs(run, "mean.0").items()} == {
        0: [("a.0", 0), ("a.0", 1), ("a.0", 2)],
        1: [("a.0", 3), ("a.1", 0), ("a.1", 1)],
    }
    assert needs(run, "end.0") == {index: [("twin.0", index), ("mean.0", index)] for index in range(2)}


def test_of_packed_tasks_each_index_is_told(tmp_path: Path, stage_for_queue: StageForQueue) -> None:
    """However many run as one."""
    workflow = ExperimentalWorkflow("packed", tmp_path)
    workflow.add_task("a", command="echo {{ x }}")
    workflow.add_task("b", command="echo {{ x }}", depends_on=["a"])
    workflow.add_parameter_space({"x": list(range(5))})
    workflow.set_resource_requirements({"a": {"combinations_per_index": 2}})
    run = stage_for_queue(workflow)
    assert needs(run, "b.0") == {index: [("a.0", index)] for index in range(5)}
