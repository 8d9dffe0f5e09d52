"""How many array indices a site runs at once: what fits on the nodes of a partition, and what fits beside others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sciflow.model.plan import ArrayJob
from sciflow.model.profile import ClusterProfile
from sciflow.model.resources import GIB, Resources
from sciflow.planning.earliest import capacity_of
from sciflow.planning.pace import standing

UNLIMITED = 1 << 40
Many = tuple[Resources, int]  # a request, and how many of it run at once


@dataclass(frozen=True)
class Pool:
    """The nodes of a partition, all alike.

    Attributes
    ----------
    name
        The partition; empty where none is known.
    nodes
        How many there are.
    cores, memory, gpus
        What each of them has; None where that is not known.
    """

    name: str
    nodes: int
    cores: int
    memory: int | None = None
    gpus: int | None = None

    def most(self, request: Resources) -> int:
        """How many of a request surely run at once, where nothing else does."""
        on_node = min(has // each for has, each in self._amounts(request) if each)
        if not on_node:
            return 1  # nobody knows where it would run, but it does so one by one at least
        # What waits finds too few nodes with room: all others are full.
        return max(1, -(-(self.nodes - request.nodes + 1) * on_node // request.nodes))

    def beside(self, others: Sequence[Many], request: Resources) -> int:
        """How many of a request surely run at once beside others, so that neither ever waits for room."""
        if all(other == request for other, _ in others):
            return max(0, self.most(request) - sum(count for _, count in others))
        most = min(self.most(request), self._left(others, request))
        if most < 1:
            return 0
        wanted = dict(others)
        wanted.setdefault(request, 0)
        return min(self._beside(one, wanted, request, most) for one in wanted)

    def _left(self, others: Sequence[Many], request: Resources) -> int:
        """How many of a request there would be room for if the others lay close together."""
        used = [0, 0, 0]
        for other, count in others:
            for number, (_, each) in enumerate(self._amounts(other)):
                used[number] += count * other.nodes * each
        amounts = zip(self._amounts(request), used, strict=True)
        return min((self.nodes * has - taken) // (each * request.nodes) for (has, each), taken in amounts if each)

    def _beside(self, one: Resources, wanted: Mapping[Resources, int], request: Resources, most: int) -> int:
        """How many more of a request there may be so that none of another one waits for room, however all of them lie.

        One that waits finds too few nodes with room. On each of the others there is one that takes so much of it, or
        several small ones do together.
        """
        if request != one and not wanted[one]:
            return most
        blocked, by_each, small = 0, 0, []
        for number, (has, each) in enumerate(self._amounts(one)):
            if each > has:
                return 0
            if not each:
                continue
            enough, together = has - each + 1, 0
            for other, count in wanted.items():
                amount, nodes = (
                    self._amounts(other)[number][1],
                    other.nodes * (count - (other == one)),
                )  # but for itself
                blocked, together = (
                    (blocked + nodes, together) if amount >= enough else (blocked, together + nodes * amount)
                )
            amount = self._amounts(request)[number][1]
            by_each += request.nodes if amount >= enough else 0
            small.append((together, request.nodes * amount if amount < enough else 0, enough))
        low, high = 0, most
        while low < high:
            middle = (low + high + 1) // 2
            sums = sum((together + middle * amount) // enough for together, amount, enough in small)
            is_held = blocked + middle * by_each + sums <= self.nodes - one.nodes
            low, high = (middle, high) if is_held else (low, middle - 1)
        return low

    def _amounts(self, request: Resources) -> tuple[tuple[int, int], ...]:
        """What a node has of everything, and what of it a request needs on each of its nodes; 0 where nobody knows."""
        return (
            (self.cores, -(-request.all_cores // request.nodes)),
            (self.memory or 0, request.memory_per_node if self.memory is not None else 0),
            (self.gpus or 0, request.gpus_per_node if self.gpus is not None else 0),
        )


def pool_of(array: ArrayJob, profile: ClusterProfile) -> Pool | None:
    """The nodes on which an array job runs; None where the profile does not say how many there are, or of what size."""
    place = capacity_of(array, profile)
    if not place.nodes or not place.cpu_cores:
        return None
    name = array.options.partition or profile.default_partition
    memory = round(place.memory_gb * GIB) if place.memory_gb else None
    return Pool(name.split(",")[0], place.nodes, place.cpu_cores, memory, place.gpus)


def throttle_of(array: ArrayJob, profile: ClusterProfile) -> int | None:
    """How many of an array job run at once by the site's limit, and by its manners at night; None for any number."""
    manners = profile.manners
    bounds = [one for one in (profile.limits.running_indices, manners.running_by_night) if one is not None]
    bounds += standing(manners, array.resources, capacity_of(array, profile))
    return min(bounds) if bounds else None
