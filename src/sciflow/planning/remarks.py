"""What a plan says beyond its array jobs: warnings, and notes on what was saved, packed or cut into pieces."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sciflow.model.plan import ArrayJob, handed_over
from sciflow.model.profile import ClusterProfile
from sciflow.model.units import format_duration
from sciflow.model.workflow import ExperimentalWorkflow
from sciflow.planning.earliest import capacity_of
from sciflow.planning.projection import Projection
from sciflow.planning.uses import TaskUse


def policy_warnings(workflow: ExperimentalWorkflow, profile: ClusterProfile) -> list[str]:
    """Say where start times are not kept."""
    if profile.keeps_start_times:
        return []
    policies = workflow.policies
    said = dict.fromkeys(policy.describe() for policy in (policies.general, *policies.tasks.values()))
    why = "is not shared" if not profile.shared else "runs here, without a queue"
    return [
        f"profile `{profile.name}` {why}: the policy {one} is noted, and the run starts at once"
        for one in said
        if one != "immediate"
    ]


def packing_notes(arrays: list[ArrayJob]) -> Iterator[str]:
    """Say what runs several combinations in an array index."""
    packs = {array.task: max(one.pack for one in arrays if one.task == array.task) for array in arrays}
    for task, pack in packs.items():
        mine = [array for array in arrays if array.task == task]
        if pack > 1:
            all_in = f"{sum(one.count for one in mine)} in {sum(one.elements for one in mine)}"
            yield f"task `{task}` runs {pack} combinations one after another in an array index: {all_in}"


def chain_notes(arrays: list[ArrayJob]) -> Iterator[str]:
    """Say what goes on from its checkpoints, since the site allows less time than it takes."""
    longest: dict[str, ArrayJob] = {}
    for array in sorted(arrays, key=lambda one: one.links):
        if array.links > 1:
            longest[array.task] = array
    for task, array in longest.items():
        allowed = format_duration(array.resources.runtime_seconds)
        yield (
            f"task `{task}` takes longer than the {allowed} that the site allows: it gets up to {array.links} jobs, "
            f"each of which goes on from the checkpoints of the one before"
        )


def unused_parameters(workflow: ExperimentalWorkflow, uses: dict[str, TaskUse]) -> list[str]:
    """Say which parameters nothing depends on."""
    space = workflow.space
    used = {name for use in uses.values() for name in use.names}
    # What only decides which combinations there are, or what others are derived from, is of use as well.
    used |= {one for name in used for one in space.value_depends(name)}
    return [
        f"no task uses the parameter `{name}`: its values change nothing but the number of combinations"
        for name in space.names
        if name not in used
    ]


def projection_notes(
    workflow: ExperimentalWorkflow, projections: dict[str, Projection], uses: dict[str, TaskUse]
) -> Iterator[str]:
    """Say which tasks run less often than there are combinations."""
    yield from workflow.space.notes
    combinations = len(workflow.space)
    for task, projection in projections.items():
        if len(projection) < combinations:
            names = ", ".join(f"`{name}`" for name in uses[task].names) or "no parameter"
            times = "once" if len(projection) == 1 else f"{len(projection)} times"
            yield f"task `{task}` depends on {names}: it runs {times}, not {combinations} times"


def manners_notes(profile: ClusterProfile, arrays: Sequence[ArrayJob] = ()) -> Iterator[str]:
    """Say how much of the cluster the run takes at once, where that is bounded; and where one index takes more."""
    if not profile.has_queue or not (said := profile.manners.describe()):
        return
    yield f"manners of profile `{profile.name}`: {said}"
    manners = profile.manners
    told: dict[str, str] = {}
    for array in handed_over(arrays):
        each, place = array.resources, capacity_of(array, profile)
        if manners.core_hours is not None and each.core_hours > manners.core_hours:
            told[f"{manners.core_hours:g} core-hours at once, and one index asks for {each.core_hours:g}"] = array.task
        cores = (place.nodes or 0) * (place.cpu_cores or 0)
        if manners.share is not None and 0 < cores * manners.share * (1 + 1e-9) < each.all_cores:
            allowed = f"{manners.share * 100:g} % of {cores:,} cores"
            told[f"{allowed}, and one index has {each.all_cores:,}"] = array.task
    for why, task in told.items():
        yield f"task `{task}` takes more than manners allow, since one index runs at least: {why}"
