"""A plan, and what it takes to write it down: headers and lines of array jobs, documents of tasks, recipes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from sciflow.model.advice import Advice
from sciflow.model.plan import ArrayJob, Plan
from sciflow.model.profile import ClusterProfile
from sciflow.model.workflow import ExperimentalWorkflow
from sciflow.planning.arrays import Placement, same_index
from sciflow.planning.identity import Recipe, recipes
from sciflow.planning.lines import Lines
from sciflow.planning.projection import Ints, Projection, Relation
from sciflow.planning.uses import TaskUse
from sciflow.planning.wanted import Floats
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
        The array jobs by what the workflow asks for alone, neither fused nor cut into links; where something was
        learned, nobody has checked these.
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
