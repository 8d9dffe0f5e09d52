"""A workflow and a profile become a plan: all steps of compiling, in order."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timezone
from functools import cached_property
from typing import Any

from sciflow.errors import PlanError
from sciflow.model.advice import Advice
from sciflow.model.options import Options
from sciflow.model.plan import ArrayJob, Plan, handed_over
from sciflow.model.profile import ClusterProfile
from sciflow.model.request import ResourceRequest
from sciflow.model.site_options import joined
from sciflow.model.workflow import ExperimentalWorkflow
from sciflow.planning.arrays import Placement, dependency, same_index
from sciflow.planning.continuation import continued
from sciflow.planning.fit import check_site
from sciflow.planning.fusion import aligned, fused, with_times
from sciflow.planning.identity import Recipe, recipes
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
from sciflow.planning.timetable import timetable
from sciflow.planning.uses import TaskUse, find_uses
from sciflow.planning.wanted import Floats
from sciflow.planning.zones import settled
from sciflow_shim import files


@dataclass(frozen=True)
class Compiled:
    """A plan, and what it takes to write it down.

    Attributes
    ----------
    workflow, profile, plan
        What was compiled, for where, and what it came to.
    uses, projections, placements, relations, lines
        Its tasks, their instances, where these went, who needs whom, and how they are written down.
    asked
        The array jobs by what the workflow asks for alone; where something was learned, nobody has checked these.
    advice, expected
        What was learned, and how long instances should take: task → seconds of each.
    """

    workflow: ExperimentalWorkflow
    profile: ClusterProfile
    plan: Plan
    uses: dict[str, TaskUse]
    projections: dict[str, Projection]
    placements: dict[str, Placement]
    relations: dict[tuple[str, str], Relation]
    lines: Lines
    asked: tuple[ArrayJob, ...]
    advice: Advice | None = None
    expected: Mapping[str, Floats] = field(default_factory=dict)

    @property
    def recipes(self) -> dict[str, str]:
        """Task → digest of its code and inputs."""
        return {task: recipe.digest for task, recipe in self._recipes.items()}

    @property
    def recipe_parts(self) -> dict[str, dict[str, str]]:
        """Task → digests of what its recipe is made of."""
        return {task: recipe.parts for task, recipe in self._recipes.items()}

    @cached_property
    def _recipes(self) -> dict[str, Recipe]:
        return recipes(self.uses, self.workflow.directory, self.profile)

    def header(self, array: ArrayJob) -> dict[str, Any]:
        """What all indices of an array job have in common, as the node reads it; the run's id comes with the run."""
        members = self.members(array)
        upstream = {}
        for earlier in self.uses[array.task].reads:
            relation = self.relations[array.task, earlier]
            twin = same_index(members, relation, self.placements[earlier])
            upstream[earlier] = {"array": twin, "many": relation.many}
        packs = {one.name: one.pack for before in upstream for one in self.placements[before].arrays if one.pack > 1}
        return {
            "format": files.FORMAT,
            "array": array.name,
            "task": array.task,
            "count": array.count,
            "request": array.resources._asdict(),
            "upstream": upstream,
            **({"pack": array.pack} if array.pack > 1 else {}),
            **({"links": array.links} if array.links > 1 else {}),
            **({"brake": brake} if (brake := self.workflow.recovery.brake_of(array.count)) else {}),
            **({"packs": packs} if packs else {}),
        }

    def array_lines(self, array: ArrayJob) -> Iterator[str]:
        """The lines of an array job, one per index."""
        named = [task for task, facts in self.header(array)["upstream"].items() if not facts["array"]]
        return self.lines.of_array(array.task, self.members(array), named)

    def members(self, array: ArrayJob) -> Ints:
        """The instances of an array job, by index."""
        placement = self.placements[array.task]
        return placement.members[int(array.name.rpartition(".")[2])]

    def task_document(self, task: str) -> dict[str, Any]:
        """What a task runs, as the node reads it; where a function is kept comes with the run."""
        use = self.uses[task]
        binding = use.binding
        return {
            "format": files.FORMAT,
            "task": task,
            "kind": use.task.kind,
            "recipe": self.recipes[task],
            "arguments": [list(argument) for argument in binding.arguments] if binding else [],
            "keywords": bool(binding and binding.takes_keywords),
            "missing": use.task.missing,
            "outputs": list(use.task.outputs),
            "extract": {n: rule.model_dump(exclude_none=True) for n, rule in use.task.extract.items()},
            "results": {n: declared.model_dump(exclude_none=True) for n, declared in use.task.results.items()},
            "units": use.task.units,
            "success": use.task.success,
            "environment": use.task.environment,
            "metadata": use.task.metadata.model_dump(mode="json"),
            "directory": str(self.workflow.directory.resolve()),
        }


def build_plan(
    workflow: ExperimentalWorkflow,
    profile: ClusterProfile,
    strict: bool = False,
    now: datetime | None = None,
    advice: Advice | None = None,
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

    Raises
    ------
    WorkflowError
        Where the workflow is wrong.
    PlanError
        Where it cannot run there.
    """
    workflow.check()
    workflow = settled(workflow, profile)
    uses = find_uses(workflow)
    projections = _project(workflow, uses)
    relations = {
        (task, earlier): Relation(projections[task], projections[earlier])
        for task, use in uses.items()
        for earlier in use.reads
    }
    for name in workflow.space.derived_names:
        Projection(workflow.space, (name,))  # a rule that fails somewhere is found now, not when results are joined
    warnings = [*policy_warnings(workflow, profile), *unused_parameters(workflow, uses)]
    options = {
        task: joined(profile, workflow.resources.get(task, ResourceRequest()), use.task) for task, use in uses.items()
    }
    layouts: dict[str, Layout] = {}
    for task in uses:
        layouts[task], reduced = as_asked(workflow, profile, task, projections[task], strict)
        warnings = list(dict.fromkeys([*warnings, *reduced]))
    if profile.has_queue:
        layouts = aligned(layouts, uses, relations)
    made = Learned(layouts)
    if advice is not None:
        made = learned(workflow, profile, uses, projections, relations, layouts, options, advice)
        warnings += made.warnings
    placements = _placements(made.layouts, profile)
    arrays = []
    for array in _arrays(uses, placements, relations, options):
        if profile.has_queue:
            if uses[array.task].task.checkpoints:
                array = continued(array, array.options, profile)
            check_site(array.resources, array.options, array.task, profile, array.pack)
        arrays.append(array)
    now = now or datetime.now(timezone.utc)
    chains = fused(arrays, {task: use.task for task, use in uses.items()}, workflow.policies, profile)
    arrays = chains.arrays
    times = timetable(handed_over(arrays), workflow.policies, profile, now, workflow.recovery.canaries)
    warnings += times.warnings
    if strict and warnings and profile.has_queue:
        raise PlanError("\n".join(warnings), hint="mend that, or leave out `strict`")
    plan = Plan(
        workflow=workflow.name,
        profile=profile.name,
        combinations=len(workflow.space),
        arrays=with_times(arrays, times.arrays),
        warnings=tuple(warnings),
        notes=(
            *made.notes,
            *projection_notes(workflow, projections, uses),
            *packing_notes(arrays),
            *chain_notes(arrays),
            *chains.notes,
            *times.notes,
            *manners_notes(profile),
        ),
        tasks=tuple(uses),
    )
    lines = Lines(uses, projections, placements, relations)
    asked = plan.arrays if advice is None else tuple(_arrays(uses, _placements(layouts, profile), relations, options))
    return Compiled(
        workflow, profile, plan, uses, projections, placements, relations, lines, asked, advice, made.expected
    )


def _project(workflow: ExperimentalWorkflow, uses: dict[str, TaskUse]) -> dict[str, Projection]:
    by_names: dict[tuple[str, ...], Projection] = {}
    for use in uses.values():
        if use.names not in by_names:
            by_names[use.names] = Projection(workflow.space, use.names)
    return {task: by_names[use.names] for task, use in uses.items()}


def _placements(layouts: Mapping[str, Layout], profile: ClusterProfile) -> dict[str, Placement]:
    return {task: Placement(task, layout, profile.limits) for task, layout in layouts.items()}


def _arrays(
    uses: Mapping[str, TaskUse],
    placements: dict[str, Placement],
    relations: dict[tuple[str, str], Relation],
    options: Mapping[str, Options],
) -> Iterator[ArrayJob]:
    """All array jobs, with what they wait for."""
    for task, use in uses.items():
        for array, members in zip(placements[task].arrays, placements[task].members, strict=True):
            after = _after(members, array.pack, use, relations, placements)
            yield replace(array, after=after, options=options[task])


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
