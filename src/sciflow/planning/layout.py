"""Which request each instance of a task has, in which order they start, and how many share an array index."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from sciflow.model.profile import ClusterProfile
from sciflow.model.request import ResourceRequest
from sciflow.model.resources import Resources
from sciflow.model.workflow import ExperimentalWorkflow
from sciflow.planning.fit import fit
from sciflow.planning.projection import Ints, Projection


@dataclass(frozen=True)
class Layout:
    """How the instances of a task become array jobs.

    Attributes
    ----------
    codes
        Which of the requests each instance has.
    requests, packs
        What one instance asks for, and how many of them run one after another in an array index.
    order
        The instances in the order in which they start; None for that of the space.
    walltimes
        Seconds of an array index that is full, of each request; where nothing is said, those of all in it together.
    """

    codes: Ints
    requests: Sequence[Resources]
    packs: Sequence[int]
    order: Ints | None = None
    walltimes: Sequence[int] = ()

    def having(self, code: int) -> Ints:
        """The instances that have a request, in order."""
        if self.order is None:
            return np.flatnonzero(self.codes == code)
        return self.order[self.codes[self.order] == code]

    def request_of(self, code: int, together: int) -> Resources:
        """What an array index asks for in which so many instances run one after another."""
        request = self.requests[code]
        if self.walltimes and together == self.packs[code]:
            return request._replace(runtime_seconds=self.walltimes[code])
        return request._replace(runtime_seconds=request.runtime_seconds * together)


def as_asked(
    workflow: ExperimentalWorkflow, profile: ClusterProfile, task: str, projection: Projection, strict: bool
) -> tuple[Layout, list[str]]:
    """The layout of a task by what its workflow asks for, and what had to be reduced."""
    request = workflow.resources.get(task, ResourceRequest())
    names = tuple(name for name in workflow.space.names if name in request.names)
    groups = Projection(workflow.space, names)
    numbers: dict[Resources, int] = {}
    warnings: list[str] = []
    of_group = np.empty(len(groups), dtype=np.int64)
    for group in range(len(groups)):
        asked = request.resolve(groups.parameters(group), task)
        given, reduced = (asked, []) if profile.has_queue else fit(asked, profile.capacity, task, profile.name, strict)
        of_group[group] = numbers.setdefault(given, len(numbers))
        warnings += reduced
    pack = request.combinations_per_index or 1
    if pack > 1 and not profile.has_queue:
        pack = 1
        warnings.insert(
            0,
            f"task `{task}` is packed by {request.combinations_per_index}, but profile `{profile.name}` has no queue: "
            "it runs each on its own",
        )
    codes = of_group[groups.of_combination[projection.first]]
    return Layout(codes, tuple(numbers), (pack,) * len(numbers)), warnings
