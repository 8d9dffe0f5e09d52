"""A workflow and a profile become a plan."""

from __future__ import annotations

from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest

from sciflow.errors import PlanError, WorkflowError
from sciflow.model.options import Options
from sciflow.model.plan import Dependency
from sciflow.model.profile import ClusterProfile
from sciflow.model.resources import GIB, Resources
from sciflow.model.workflow import ExperimentalWorkflow
from sciflow.planning.build import build_plan


def site(**said: Any) -> ClusterProfile:
    """Make a profile that is shared unless it says otherwise."""
    return ClusterProfile.model_validate({"name": "site", "scheduler": "local", **said})


def test_a_plan_has_an_array_for_each_task_and_request(ising: ExperimentalWorkflow) -> None:
    """One compilation, eighteen simulations under two requests, nine averages."""
    plan = build_plan(ising, site()).plan
    assert plan.instances == {"compile": 1, "simulate": 18, "average": 9}
    assert [(array.name, array.count) for array in plan.arrays] == [
        ("compile.0", 1),
        ("simulate.0", 12),
        ("simulate.1", 6),
        ("average.0", 9),
    ]
    assert plan.arrays[1].resources == Resources(2, GIB, 0, 1800)
    assert plan.arrays[2].resources == Resources(2, 4 * GIB, 0, 1800)
    assert plan.arrays[1].after == (Dependency("compile.0", "whole"),)
    assert plan.arrays[3].after == (Dependency("simulate.0", "whole"), Dependency("simulate.1", "whole"))
    assert plan.cost.core_hours == 18
    assert plan.combinations == 18


def test_the_plan_says_what_projection_saved(ising: ExperimentalWorkflow) -> None:
    """Tasks that do not run once for each combination are noted."""
    assert build_plan(ising, site()).plan.notes == (
        "task `compile` depends on no parameter: it runs once, not 18 times",
        "task `average` depends on `temperature`, `size`: it runs 9 times, not 18 times",
    )


def test_limits_cut_arrays(ising: ExperimentalWorkflow) -> None:
    """Indices start at 0 in each, and every instance is in one."""
    compiled = build_plan(ising, site(limits={"highest_index": 4}))
    assert [array.count for array in compiled.plan.arrays] == [1, 5, 5, 2, 5, 1, 5, 4]
    found = [one for array in compiled.plan.arrays[1:6] for one in compiled.members(array).tolist()]
    assert sorted(found) == list(range(18))


def test_what_a_profile_cannot_give_is_reduced_once(ising: ExperimentalWorkflow) -> None:
    """One warning for each thing, or an error where it is wanted strictly."""
    small = site(capacity={"cpu_cores": 1, "memory_gb": 1})
    plan = build_plan(ising, small).plan
    assert plan.warnings == (
        "task `simulate` asks for 2 cores, but profile `site` has 1 core: it gets 1 core",
        "task `simulate` asks for 4 GB, but profile `site` has 1 GB: it gets 1 GB",
    )
    assert [array.count for array in plan.arrays] == [1, 18, 9]
    with pytest.raises(PlanError, match="task `simulate` asks for 2 cores"):
        build_plan(ising, small, strict=True)


@pytest.mark.parametrize(
    ("shared", "scheduler", "why"),
    [
        (False, "local", "is not shared"),
        (False, "slurm", "is not shared"),
        (True, "local", "runs here, without a queue"),
        (True, "slurm", ""),
    ],
)
def test_a_policy_is_put_off_where_nothing_is_shared(
    ising: ExperimentalWorkflow, shared: bool, scheduler: str, why: str
) -> None:
    """Without others or a queue the run starts at once, and the plan says so; else every array has a start time."""
    ising.set_scheduling_policy("off_peak", {"preferred_hours": "22:00-08:00", "timezone": "UTC"})
    noon = datetime(2031, 5, 14, 12, tzinfo=timezone.utc)
    plan = build_plan(ising, site(shared=shared, scheduler=scheduler), now=noon).plan
    expected = f"profile `site` {why}: the policy off-peak (22:00-08:00) is noted, and the run starts at once"
    assert plan.warnings == ((expected,) if why else ())
    begin = None if why else datetime(2031, 5, 14, 22, tzinfo=timezone.utc)
    assert {array.begin for array in plan.arrays} == {begin}


# The chain of `ising` asks for 0, 30 and 0 minutes.
@pytest.mark.parametrize(
    ("deadline", "missed"),
    [
        ("2031-05-14T13:00", ""),
        ("2031-05-14T12:30", ""),
        ("2031-05-14T12:29", "is in 29 min"),
        ("2031-05-14T14:29+02:00", "is in 29 min"),
        ("2031-05-14T11:59", "has passed"),
    ],
)
@pytest.mark.parametrize("strict", [True, False])
def test_a_deadline_that_cannot_be_met_is_refused(
    ising: ExperimentalWorkflow, deadline: str, missed: str, strict: bool
) -> None:
    """By the walltimes asked for, one after another, with the earliest possible end."""
    ising.set_scheduling_policy("deadline", {"deadline": deadline, "timezone": "UTC"})
    noon = datetime(2031, 5, 14, 12, tzinfo=timezone.utc)
    if not missed:
        plan = build_plan(ising, site(scheduler="slurm"), strict, noon).plan
        assert (plan.warnings, {array.begin for array in plan.arrays}) == ((), {None})
        return
    with pytest.raises(PlanError, match=f"30 min one after another, but the deadline .* {missed}") as caught:
        build_plan(ising, site(scheduler="slurm"), strict, noon)
    assert caught.value.message.endswith("the earliest possible end is 2031-05-14 12:30+00:00")


def test_what_does_not_keep_start_times_has_no_deadlines(ising: ExperimentalWorkflow) -> None:
    """The policy is noted, and the run starts at once."""
    ising.set_scheduling_policy("deadline", {"deadline": "2001-01-01T00:00", "timezone": "UTC"})
    [warning] = build_plan(ising, site()).plan.warnings
    assert warning.endswith("the policy deadline 2001-01-01 00:00:00 is noted, and the run starts at once")


def test_options_of_profile_request_and_task_reach_the_array_jobs(tmp_path: Path) -> None:
    """The task's words count before the site's; modules are loaded in order."""
    workflow = ExperimentalWorkflow("w", tmp_path)
    workflow.add_task("a", command="true", modules=["python"], setup=["ulimit -n 4096"], resources={"partition": "gpu"})
    workflow.add_task("b", command="true", depends_on=["a"])
    profile = site(scheduler="slurm", partition="short", account="project", modules=["gcc"])
    first, second = build_plan(workflow, profile).plan.arrays
    assert first.options == Options(
        partition="gpu", account="project", modules=("gcc", "python"), setup=("ulimit -n 4096",)
    )
    assert second.options == Options(partition="short", account="project", modules=("gcc",))


def test_a_site_with_a_queue_reduces_nothing(ising: ExperimentalWorkflow) -> None:
    """What cannot run there is refused, strictly or not."""
    small = site(scheduler="slurm", partitions={"main": {"cpu_cores": 1, "default": True}})
    for strict in (False, True):
        with pytest.raises(PlanError, match="task `simulate` asks for 2 cores, but partition `main` allows 1 core"):
            build_plan(ising, small, strict)


def test_an_empty_space_is_an_error(tmp_path: Path) -> None:
    """A constraint that removes everything is named when the workflow is compiled."""
    workflow = ExperimentalWorkflow("w", tmp_path)
    workflow.add_parameter_space({"x": [1, 2, 3]}, constraints=["x > 5"])
    workflow.add_task("a", lambda x: x)
    with pytest.raises(WorkflowError, match="x > 5"):
        build_plan(workflow, site())


def test_a_circle_is_an_error_before_anything_else(tmp_path: Path) -> None:
    """The whole is checked first."""
    workflow = ExperimentalWorkflow("w", tmp_path)
    workflow.add_task("a", lambda nothing: 0, depends_on=["b"])
    workflow.add_task("b", lambda nothing: 0, depends_on=["a"])
    with pytest.raises(WorkflowError, match="in a circle"):
        build_plan(workflow, site())


def test_a_parameter_that_nobody_uses_is_a_warning(tmp_path: Path) -> None:
    """A name that a function misspells would otherwise show values that changed nothing."""
    made = ExperimentalWorkflow("w", tmp_path)
    made.add_task("f", lambda x, learning_rate=0.1: {"y": x})
    made.add_parameter_space({"x": [1, 2], "lr": [0.5, 0.9]})
    warnings = build_plan(made, site()).plan.warnings
    assert warnings == ("no task uses the parameter `lr`: its values change nothing but the number of combinations",)


def test_a_derived_parameter_that_fails_is_found_when_planning(tmp_path: Path) -> None:
    """Also where no task uses it."""
    made = ExperimentalWorkflow("w", tmp_path)
    made.add_task("f", lambda x: {"y": x})
    made.add_parameter_space({"x": [1, 0]}, derived={"inverse": "1 / x"})
    with pytest.raises(WorkflowError, match="1 / x"):
        build_plan(made, site())


SHORT = site(scheduler="slurm", partitions={"short": {"max_runtime": "12 h", "default": True}})


def test_a_task_that_is_too_long_goes_on_from_its_checkpoints(relax: ExperimentalWorkflow) -> None:
    """The node reads how many links there are; what comes after it is as always, and hours are counted at most."""
    compiled = build_plan(relax, SHORT)
    long, later = compiled.plan.arrays
    assert (long.links, long.resources.runtime_seconds) == (3, 12 * 3600)
    assert (later.links, later.after) == (1, (Dependency("relax.0", "element"),))
    header = compiled.header(long)
    assert (header["links"], header["request"]["runtime_seconds"]) == (3, 12 * 3600)
    assert "links" not in compiled.header(later)
    assert compiled.plan.cost.core_hours == 40 * 3 * 2 * 12 + 40
    assert len([note for note in compiled.plan.notes if "from the checkpoints of the one before" in note]) == 1


def test_here_nothing_is_too_long(relax: ExperimentalWorkflow) -> None:
    """Without a queue there is no walltime."""
    assert build_plan(relax, site()).plan.arrays[0].links == 1


def test_a_task_that_is_too_long_without_checkpoints_is_refused(relax: ExperimentalWorkflow) -> None:
    """The way out is told: another partition where there is one, and checkpoints otherwise."""
    relax.tasks["relax"] = relax.tasks["relax"].model_copy(update={"checkpoints": False})
    with pytest.raises(PlanError) as caught:
        build_plan(relax, SHORT)
    assert caught.value.message == "task `relax` asks for 1 d 6 h, but partition `short` allows 12 h"
    assert caught.value.hint == (
        "ask for less, or keep checkpoints and say `checkpoints: true`: it goes on from them then"
    )
    with pytest.raises(PlanError) as caught:
        build_plan(relax, site(scheduler="slurm", partitions={**SHORT.partitions, "long": {"max_runtime": "7 d"}}))
    assert caught.value.hint == "these partitions can: `long`"


def test_a_task_that_is_too_long_and_packed_is_refused(relax: ExperimentalWorkflow) -> None:
    """Also where it keeps checkpoints."""
    relax.set_resource_requirements({"relax": {"combinations_per_index": 2}})
    with pytest.raises(PlanError, match="what is packed cannot be continued"):
        build_plan(relax, SHORT)


def test_other_limits_hold_for_a_chain_as_well(relax: ExperimentalWorkflow) -> None:
    """Only time is something that it can be given bit by bit."""
    small = site(scheduler="slurm", partitions={"short": {"max_runtime": "12 h", "cpu_cores": 1, "default": True}})
    with pytest.raises(PlanError, match="asks for 2 cores, but partition `short` allows 1 core") as caught:
        build_plan(relax, small)
    assert caught.value.hint == "ask for less, or choose another profile or partition"
