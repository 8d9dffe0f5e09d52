"""Element-wise chains of tasks that are fused: which there are, what their jobs ask for, and what is refused."""

from __future__ import annotations

from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest

from sciflow.errors import PlanError
from sciflow.model.plan import Dependency, Plan, handed_over
from sciflow.model.profile import ClusterProfile
from sciflow.model.resources import GIB, Resources
from sciflow.model.workflow import ExperimentalWorkflow
from sciflow.planning.build import build_plan
from sciflow.planning.compiled import Compiled

SITE = ClusterProfile.model_validate(
    {
        "name": "site",
        "scheduler": "slurm",
        "partitions": {"short": {"max_runtime": "12 h", "default": True, "cpu_cores": 16}, "other": {}},
    }
)
HERE = ClusterProfile(name="here", scheduler="local", shared=False)
NOW = datetime(2031, 5, 14, 12, tzinfo=timezone.utc)


def workflow_of(folder: Path, *tasks: dict[str, Any], **space: Any) -> ExperimentalWorkflow:
    """Return a workflow whose tasks use `x`, if they say nothing else."""
    made = ExperimentalWorkflow("fused", folder)
    for task in tasks:
        made.add_task(**{"command": "echo {{ x }}", **task})
    made.add_parameter_space({"x": [1, 2, 3], **space})
    return made


def compiled(folder: Path, *tasks: dict[str, Any], profile: ClusterProfile = SITE, **space: Any) -> Compiled:
    """Return what such a workflow comes to."""
    return build_plan(workflow_of(folder, *tasks, **space), profile, now=NOW)


A = {"name": "a", "resources": {"cpu_cores": 4, "memory_gb": 1, "max_runtime": "1 h"}}
B = {"name": "b", "depends_on": ["a"], "fuse": True, "resources": {"memory_gb": 3, "gpus": 1, "max_runtime": "2 h"}}
C = {
    "name": "c",
    "depends_on": ["b"],
    "fuse": True,
    "resources": {"cpu_cores": 2, "memory_gb": 2, "max_runtime": "3 h"},
}


def test_a_chain_is_one_job(tmp_path: Path) -> None:
    """It asks for the largest of each request, and for all of their time; each keeps its own request."""
    plan = compiled(tmp_path, A, B, C).plan
    first, *riders = plan.arrays
    assert (first.rides, first.riders) == ("", ("b.0", "c.0"))
    assert [one.rides for one in riders] == ["a.0", "a.0"]
    assert first.together == Resources(4, 3 * GIB, 1, 6 * 3600)
    assert [one.resources.runtime_seconds for one in plan.arrays] == [3600, 7200, 10800]
    assert plan.cost.core_hours == 3 * 4 * 6
    assert [one.cost.core_hours for one in riders] == [0, 0]
    assert plan.describe().endswith("9 task instances in 1 array jobs")
    assert "`b` and then `c` run in the array indices of `a`, after it: one job for all" in plan.notes


def test_a_fused_plan_is_read_as_it_was_written(tmp_path: Path) -> None:
    """Also what is fused."""
    plan = compiled(tmp_path, A, B, C).plan
    assert Plan.from_document(plan.to_document()).arrays == plan.arrays


def test_what_waits_for_a_chain(tmp_path: Path) -> None:
    """For the last one index by index; for one before it until all are over, as a job's end is that of the last."""
    plan = compiled(
        tmp_path, A, B, {"name": "last", "depends_on": ["b"]}, {"name": "first", "depends_on": ["a", "b"]}
    ).plan
    assert plan.array("last.0").after == (Dependency("b.0", "element"),)
    assert plan.array("first.0").after == (Dependency("a.0", "whole"), Dependency("b.0", "element"))
    submitted = {one.name: one.after for one in handed_over(plan.arrays)}
    assert submitted == {
        "a.0": (),
        "last.0": (Dependency("a.0", "element"),),
        "first.0": (Dependency("a.0", "whole"), Dependency("a.0", "element")),
    }


def test_one_may_wait_for_more_than_one_of_its_chain(tmp_path: Path) -> None:
    """And for what the chain has waited for."""
    before = {"name": "before", "command": "true"}
    first = {**A, "depends_on": ["before"]}
    last = {**C, "depends_on": ["a", "b", "before"]}
    plan = compiled(tmp_path, before, first, B, last).plan
    assert plan.array("a.0").riders == ("b.0", "c.0")


def test_unsaid_amounts_stay_unsaid(tmp_path: Path) -> None:
    """A job of which one needs nobody knows how much asks for what the site gives then."""
    plan = compiled(tmp_path, A, {**B, "resources": {"cpu_cores": 2}}).plan
    assert plan.array("a.0").together == Resources(4, 0, 0, 0)


def test_requests_that_differ_with_the_same_parameter(tmp_path: Path) -> None:
    """There is a job for each of them."""
    first = {**A, "resources": {"memory_gb": "x", "max_runtime": "1 h"}}
    plan = compiled(tmp_path, first, {**B, "resources": {"memory_gb": "4 - x", "max_runtime": "1 h"}}).plan
    assert [one.riders for one in plan.arrays if one.task == "a"] == [("b.0",), ("b.1",), ("b.2",)]
    assert [one.together.memory_bytes // GIB for one in plan.arrays if one.together] == [3, 2, 3]


def test_requests_that_differ_with_other_parameters(tmp_path: Path) -> None:
    """There is a job for each pair of them, in all tasks of the chain, in the order in which they come first."""
    first = {**A, "command": "echo {{ x }} {{ y }}", "resources": {"memory_gb": "y"}}
    second = {**B, "resources": {"memory_gb": 2, "cpu_cores": "1 if x < 3 else 2"}}
    plan = compiled(tmp_path, first, second, C, y=[1, 3]).plan
    requests = [
        (one.count, one.together.cpu_cores, one.together.memory_bytes // GIB) for one in plan.arrays if one.together
    ]
    assert requests == [(2, 2, 2), (2, 2, 3), (1, 2, 2), (1, 2, 3)]
    assert [one.riders for one in plan.arrays if one.riders] == [(f"b.{n}", f"c.{n}") for n in range(4)]


def test_a_chain_begins_when_its_first_does(tmp_path: Path) -> None:
    """The start time is that of the whole job."""
    made = workflow_of(tmp_path, A, B)
    made.set_scheduling_policy("not_before", {"not_before": datetime(2031, 6, 1, 8, tzinfo=timezone.utc)})
    begins = {one.begin for one in build_plan(made, SITE, now=NOW).plan.arrays}
    assert begins == {datetime(2031, 6, 1, 8, tzinfo=timezone.utc)}


def test_where_there_is_no_queue_each_runs_on_its_own(tmp_path: Path) -> None:
    """A note says so, and nothing is refused."""
    plan = compiled(tmp_path, A, B, profile=HERE).plan
    assert not any(one.rides or one.riders for one in plan.arrays)
    text = "`b` says `fuse: true`, but profile `here` has no queue: each instance runs on its own"
    assert text in plan.notes


@pytest.mark.parametrize(
    ("tasks", "why"),
    [
        ([{**A, "fuse": True}], "task `a` says `fuse: true`, but it waits for no other task"),
        ([A, {**B, "command": "echo {{ x }} {{ y }}"}], "it does not wait index by index for `a`"),
        ([A, {**B, "command": "true", "over": ["x"]}], "it does not wait index by index for `a`"),
        ([A, {**A, "name": "z"}, {**B, "depends_on": ["a", "z"]}], "it waits index by index for `a` and `z`"),
        ([A, B, {**B, "name": "z"}], "task `z` says `fuse: true`, but `b` is fused with `a` already"),
        (
            [A, {"name": "z", "command": "true"}, {**B, "depends_on": ["a", "z"]}],
            "it also waits for `z`, for which `a` does not wait",
        ),
        ([A, {**B, "missing": "skip"}], "but also `missing: skip`"),
        (
            [{**A, "resources": {"combinations_per_index": 2}}, {**B, "resources": {"combinations_per_index": 2}}],
            "`a` packs 2 combinations into an array index",
        ),
        (
            [{**A, "resources": {"combinations_per_index": 2}}, B],
            "`a` packs 2 combinations into an array index, and what is packed cannot be fused",
        ),
        ([{**A, "checkpoints": True, "resources": {"max_runtime": "30 h"}}, B], "`a` takes longer than one job may"),
        ([A, {**B, "modules": ["gcc"]}], "it has `modules: gcc`, and `a` no `modules`"),
        ([A, {**B, "resources": {"partition": "other"}}], "it has `partition: other`, and `a` no `partition`"),
        ([A, {**B, "resources": {"nodes": 2}}], "it asks for 2 `nodes`, and `a` for 1"),
        ([A, {**B, "resources": {"mpi_tasks": 2}}], "it asks for 2 `mpi_tasks`, and `a` for no"),
        ([A, {**B, "schedule": {"policy": "not_before", "not_before": NOW}}], "its `schedule` is another"),
        (
            [A, {**B, "resources": {"max_runtime": "12 h"}}],
            "with `a` it asks for 13 h one after another, and the longest walltime is 12 h",
        ),
    ],
)
def test_what_cannot_be_fused_says_why(tasks: list[dict[str, Any]], why: str, tmp_path: Path) -> None:
    """Instead of being something else than was asked for."""
    with pytest.raises(PlanError) as caught:
        compiled(tmp_path, *tasks, y=[1, 2])
    assert why in caught.value.message
    assert caught.value.hint
