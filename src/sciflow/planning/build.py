"""A workflow and a profile become a plan: all steps of compiling, in order."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timezone
from typing import Any

from sciflow.errors import PlanError
from sciflow.model.advice import Advice
from sciflow.model.options import Options
from sciflow.model.plan import ArrayJob, Plan, handed_over
from sciflow.model.profile import ClusterProfile
from sciflow.model.request import ResourceRequest
from sciflow.model.site_options import joined
from sciflow.model.workflow import ExperimentalWorkflow
from sciflow.planning.arrays import Placement, dependency
from sciflow.planning.compiled import Compiled
from sciflow.planning.continuation import continued
from sciflow.planning.fit import check_site
from sciflow.planning.fusion import Fused, aligned, fused, with_times
from sciflow.planning.layout import Layout, as_asked
from sciflow.planning.learned import Learned, learned
from sciflow.planning.lines import Lines
from sciflow.planning.projection import Ints, Projection, Relation
from sciflow.planning.remarks import (
    chain_notes,
    manners_notes,
    packing_notes,
    policy_warnings,
    projection_notes,
    unused_parameters,
)
from sciflow.planning.timetable import Timetable, timetable
from sciflow.planning.uses import TaskUse, find_uses
from sciflow.planning.zones import settled


@dataclass(frozen=True)
class _Work:
    """What is to be done where: tasks in running order, their instances, who needs whom, and their site's options."""

    workflow: ExperimentalWorkflow
    profile: ClusterProfile
    uses: dict[str, TaskUse]
    projections: dict[str, Projection]
    relations: dict[tuple[str, str], Relation]
    options: dict[str, Options]


def build_plan(
    workflow: ExperimentalWorkflow,
    profile: ClusterProfile,
    strict: bool = False,
    now: datetime | None = None,
    advice: Advice | None = None,
    is_late: bool = False,
) -> Compiled:
    """Compile a workflow for a profile.

    Parameters
    ----------
    workflow
        What to do.
    profile
        How the site wants it done.
    strict
        Refuse what warnings are about: here what the profile cannot give, and is reduced; where there is a queue all.
    now
        The moment from which start times are counted; by default the present.
    advice
        What was learned from an earlier run; it counts before what the workflow asks for.
    is_late
        Whether a deadline that cannot be met is no error: what has begun goes on.

    Raises
    ------
    WorkflowError
        Where the workflow is wrong.
    PlanError
        Where it cannot run there.
    """
    workflow.check()
    work = _work(settled(workflow, profile), profile)
    layouts, warnings = _laid_out(work, strict)
    made = Learned(layouts) if advice is None else _learned(work, layouts, advice)
    placements = _placements(made.layouts, profile)
    laid_out = list(_arrays(work, placements))
    arrays = list(_for_the_site(work, laid_out))
    policies, canaries = work.workflow.policies, work.workflow.recovery.canaries
    chains = fused(arrays, {task: use.task for task, use in work.uses.items()}, policies, profile)
    moment = now or datetime.now(timezone.utc)
    times = timetable(handed_over(chains.arrays), policies, profile, moment, canaries, is_late)
    warnings += (*made.warnings, *times.warnings)
    if strict and warnings and profile.has_queue:
        raise PlanError("\n".join(warnings), hint="mend that, or leave out `strict`")
    plan = _plan(work, made, chains, times, warnings)
    return Compiled(
        work.workflow,
        profile,
        plan,
        work.uses,
        work.projections,
        placements,
        work.relations,
        Lines(work.uses, work.projections, placements, work.relations),
        tuple(laid_out if advice is None else _arrays(work, _placements(layouts, profile))),
        advice,
        made.expected,
    )


def _work(workflow: ExperimentalWorkflow, profile: ClusterProfile) -> _Work:
    """Find out what the tasks use, and so how many instances they have, and which of these need which."""
    uses = find_uses(workflow)
    projections = _project(workflow, uses)
    relations = {
        (task, earlier): Relation(projections[task], projections[earlier])
        for task, use in uses.items()
        for earlier in use.reads
    }
    for name in workflow.space.derived_names:
        Projection(workflow.space, (name,))  # a rule that fails somewhere is found now, not when results are joined
    options = {
        task: joined(profile, workflow.resources.get(task, ResourceRequest()), use.task) for task, use in uses.items()
    }
    return _Work(workflow, profile, uses, projections, relations, options)


def _project(workflow: ExperimentalWorkflow, uses: dict[str, TaskUse]) -> dict[str, Projection]:
    by_names: dict[tuple[str, ...], Projection] = {}
    for use in uses.values():
        if use.names not in by_names:
            by_names[use.names] = Projection(workflow.space, use.names)
    return {task: by_names[use.names] for task, use in uses.items()}


def _laid_out(work: _Work, strict: bool) -> tuple[dict[str, Layout], list[str]]:
    """Task → its layout by what the workflow asks for; and what is to be said of that."""
    warnings = [*policy_warnings(work.workflow, work.profile), *unused_parameters(work.workflow, work.uses)]
    layouts: dict[str, Layout] = {}
    for task, projection in work.projections.items():
        layouts[task], reduced = as_asked(work.workflow, work.profile, task, projection, strict)
        warnings = list(dict.fromkeys([*warnings, *reduced]))
    if work.profile.has_queue:
        layouts = aligned(layouts, work.uses, work.relations)
    return layouts, warnings


def _learned(work: _Work, layouts: Mapping[str, Layout], advice: Advice) -> Learned:
    return learned(
        work.workflow, work.profile, work.uses, work.projections, work.relations, layouts, work.options, advice
    )


def _placements(layouts: Mapping[str, Layout], profile: ClusterProfile) -> dict[str, Placement]:
    return {task: Placement(task, layout, profile.limits) for task, layout in layouts.items()}


def _for_the_site(work: _Work, arrays: Iterable[ArrayJob]) -> Iterator[ArrayJob]:
    """All array jobs as the site takes them.

    Raises
    ------
    PlanError
        Where it does not.
    """
    for array in arrays:
        one = array
        if work.profile.has_queue:
            if work.uses[array.task].task.checkpoints:
                one = continued(array, array.options, work.profile)
            check_site(one.resources, one.options, one.task, work.profile, one.pack)
        yield one


def _arrays(work: _Work, placements: dict[str, Placement]) -> Iterator[ArrayJob]:
    """All array jobs, with what they wait for."""
    for task, use in work.uses.items():
        for array, members in zip(placements[task].arrays, placements[task].members, strict=True):
            after = _after(members, array.pack, use, work.relations, placements)
            yield replace(array, after=after, options=work.options[task])


def _after(
    members: Ints,
    pack: int,
    use: TaskUse,
    relations: dict[tuple[str, str], Relation],
    placements: dict[str, Placement],
) -> tuple[Any, ...]:
    found = []
    for earlier in use.task.depends_on:
        found += dependency(members, relations[use.task.name, earlier], placements[earlier], pack)
    return tuple(found)


def _plan(work: _Work, made: Learned, chains: Fused, times: Timetable, warnings: Sequence[str]) -> Plan:
    """What comes of it all, with what is to be said of it."""
    return Plan(
        workflow=work.workflow.name,
        profile=work.profile.name,
        combinations=len(work.workflow.space),
        arrays=with_times(chains.arrays, times.arrays),
        warnings=tuple(warnings),
        notes=(
            *made.notes,
            *projection_notes(work.workflow, work.projections, work.uses),
            *packing_notes(chains.arrays),
            *chain_notes(chains.arrays),
            *chains.notes,
            *times.notes,
            *manners_notes(work.profile, chains.arrays),
        ),
        tasks=tuple(work.uses),
    )
