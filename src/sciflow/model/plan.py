"""The plan: array jobs, their indices, dependencies, start times and requests."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cached_property
from typing import Any, Literal

from sciflow.model.cost import Cost, cost_of, total
from sciflow.model.options import Options
from sciflow.model.resources import Resources
from sciflow_shim import files


@dataclass(frozen=True)
class Dependency:
    """An array job that must end first.

    ``element``: index 17 waits for index 17 of the other; ``whole``: every index waits for all of the other, and then
    checks the records of exactly the instances that it needs.
    """

    array: str
    kind: Literal["element", "whole"]


@dataclass(frozen=True)
class Wave:
    """Some neighbours among the elements of an array job, which begin together.

    Attributes
    ----------
    first, count
        Its first element, and how many there are.
    begin
        When they may begin; None for at once.
    """

    first: int
    count: int
    begin: datetime | None

    def to_document(self) -> dict[str, Any]:
        """The wave as it stands in ``plan.json``."""
        return {"first": self.first, "count": self.count, "begin": self.begin.isoformat() if self.begin else None}

    @classmethod
    def from_document(cls, document: dict[str, Any]) -> Wave:
        """Read a wave back."""
        begin = document["begin"]
        return cls(document["first"], document["count"], datetime.fromisoformat(begin) if begin else None)


@dataclass(frozen=True)
class ArrayJob:
    """One submission: the indices 0 … count-1 of one task under one request.

    With `pack`, so many neighbours run one after another as one array index of the scheduler, here called an element;
    `resources` are what one element gets. With `links`, it is submitted so many times, each going on from the
    checkpoints of the one before. With `waves`, its elements begin at several times, all of them in order; `begin`
    is when the canaries may, or the first wave where there are none.
    `variant` names what is tried again under another request; it is empty in a plan.

    Array jobs that are fused run in the same jobs the first time, index by index. The first of them names the others as
    its `riders`, with the request of all of them `together`; each of these says in whose indices it `rides`. What is
    tried again runs on its own, under its own request.
    """

    name: str
    task: str
    count: int
    resources: Resources
    after: tuple[Dependency, ...] = ()
    begin: datetime | None = None
    options: Options = field(default_factory=Options)
    pack: int = 1
    links: int = 1
    waves: tuple[Wave, ...] = ()
    variant: str = ""
    rides: str = ""
    riders: tuple[str, ...] = ()
    together: Resources | None = None

    @property
    def name_on_node(self) -> str:
        """What the job script calls it when it starts the shim."""
        return files.variant_name(self.name, self.variant)

    @property
    def elements(self) -> int:
        """How many array indices the scheduler sees."""
        return -(-self.count // self.pack)

    @property
    def cost(self) -> Cost:
        """What it costs at most; what rides in the indices of another one counts with that."""
        return Cost() if self.rides else cost_of(self.submitted_first.resources, self.elements * self.links)

    @property
    def submitted_first(self) -> ArrayJob:
        """What the scheduler gets of it first: with all that runs in the same indices."""
        return replace(self, resources=self.together, variant=files.FUSED) if self.together is not None else self

    @property
    def carries(self) -> tuple[str, ...]:
        """The array jobs whose same index its script runs afterwards, under this variant."""
        return self.riders if self.variant == files.FUSED else ()

    def begin_of(self, element: int) -> datetime | None:
        """When an element may begin, as it was planned."""
        return self.waves[bisect_right(self._firsts, element) - 1].begin if self.waves else self.begin

    @cached_property
    def _firsts(self) -> list[int]:
        return [wave.first for wave in self.waves]

    def element(self, index: int) -> int:
        """The scheduler's array index in which an index runs."""
        return index // self.pack

    def of_element(self, element: int) -> range:
        """The indices that run in one of the scheduler's."""
        return range(element * self.pack, min((element + 1) * self.pack, self.count))

    def to_document(self) -> dict[str, Any]:
        """The array job as it stands in ``plan.json``."""
        return {
            "name": self.name,
            "task": self.task,
            "count": self.count,
            "resources": self.resources._asdict(),
            "after": [{"array": one.array, "kind": one.kind} for one in self.after],
            "begin": self.begin.isoformat() if self.begin else None,
            "options": self.options.to_document(),
            **({"pack": self.pack} if self.pack > 1 else {}),
            **({"links": self.links} if self.links > 1 else {}),
            **({"waves": [wave.to_document() for wave in self.waves]} if self.waves else {}),
            **({"rides": self.rides} if self.rides else {}),
            **({"riders": list(self.riders)} if self.riders else {}),
            **({"together": self.together._asdict()} if self.together is not None else {}),
        }

    @classmethod
    def from_document(cls, document: dict[str, Any]) -> ArrayJob:
        """Read an array job back."""
        return cls(
            name=document["name"],
            task=document["task"],
            count=document["count"],
            resources=Resources(**document["resources"]),
            after=tuple(Dependency(one["array"], one["kind"]) for one in document["after"]),
            begin=datetime.fromisoformat(document["begin"]) if document["begin"] else None,
            options=Options.from_document(document.get("options", {})),
            pack=document.get("pack", 1),
            links=document.get("links", 1),
            waves=tuple(Wave.from_document(one) for one in document.get("waves", ())),
            rides=document.get("rides", ""),
            riders=tuple(document.get("riders", ())),
            together=Resources(**document["together"]) if "together" in document else None,
        )


def handed_over(arrays: Iterable[ArrayJob]) -> tuple[ArrayJob, ...]:
    """The array jobs as a scheduler gets them first: what rides in the indices of another one is a part of that."""
    known = tuple(arrays)
    rides = {one.name: one.rides for one in known if one.rides}
    if not rides:
        return known
    found = []
    for one in known:
        if not one.rides:
            after = dict.fromkeys(replace(before, array=rides.get(before.array, before.array)) for before in one.after)
            found.append(replace(one.submitted_first, after=tuple(after)))
    return tuple(found)


@dataclass(frozen=True)
class Plan:
    """All that a submission will do."""

    workflow: str
    profile: str
    combinations: int
    arrays: tuple[ArrayJob, ...]
    warnings: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    tasks: tuple[str, ...] = field(default=())

    def handed_over(self) -> Plan:
        """The plan as a scheduler gets it first: without what rides in the indices of others."""
        arrays = handed_over(self.arrays)
        tasks = {one.task for one in arrays}
        return replace(self, arrays=arrays, tasks=tuple(one for one in self.tasks if one in tasks))

    def array(self, name: str) -> ArrayJob:
        """The array job of a name."""
        return self._by_name[name]

    @cached_property
    def _by_name(self) -> dict[str, ArrayJob]:
        return {array.name: array for array in self.arrays}

    @property
    def instances(self) -> dict[str, int]:
        """Task → how many instances it has, in running order."""
        counts = dict.fromkeys(self.tasks, 0)
        for array in self.arrays:
            counts[array.task] += array.count
        return counts

    @property
    def cost(self) -> Cost:
        """What all that is submitted costs at most."""
        return total(array.cost for array in self.arrays)

    def describe(self) -> str:
        """What it is of, in one line."""
        return (
            f"workflow {self.workflow} on profile {self.profile}: {self.combinations} combinations, "
            f"{sum(self.instances.values())} task instances in {len(handed_over(self.arrays))} array jobs"
        )

    def to_document(self) -> dict[str, Any]:
        """The plan as it stands in ``plan.json``."""
        return {
            "workflow": self.workflow,
            "profile": self.profile,
            "combinations": self.combinations,
            "tasks": list(self.tasks),
            "arrays": [{**array.to_document(), **array.cost.to_document()} for array in self.arrays],
            **self.cost.to_document(),
            "warnings": list(self.warnings),
            "notes": list(self.notes),
        }

    @classmethod
    def from_document(cls, document: dict[str, Any]) -> Plan:
        """Read a plan back."""
        return cls(
            workflow=document["workflow"],
            profile=document["profile"],
            combinations=document["combinations"],
            arrays=tuple(ArrayJob.from_document(one) for one in document["arrays"]),
            warnings=tuple(document["warnings"]),
            notes=tuple(document["notes"]),
            tasks=tuple(document["tasks"]),
        )
