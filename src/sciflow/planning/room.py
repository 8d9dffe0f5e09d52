"""How many array indices a site runs at once: what fits on the nodes of a partition, and what fits beside others."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sciflow.model.plan import ArrayJob
from sciflow.model.profile import ClusterProfile
from sciflow.model.resources import GIB, Resources
from sciflow.planning.earliest import capacity_of

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
        low, high = 0, self.most(request)
        while low < high:
            middle = (low + high + 1) // 2
            if self._holds([*others, (request, middle)]):
                low = middle
            else:
                high = middle - 1
        return low

    def _holds(self, together: Sequence[Many]) -> bool:
        """Whether each finds a node with room, however the others lie on the nodes."""
        return all(
            self._blocked(request, together) <= self.nodes - request.nodes for request, count in together if count
        )

    def _blocked(self, request: Resources, together: Sequence[Many]) -> int:
        """How many nodes the others can fill so far that one of a request has no room there, at most."""
        blocked = 0
        for number, (has, each) in enumerate(self._amounts(request)):
            if each > has:
                return self.nodes
            small, enough = 0, has - each + 1
            for other, count in together if each else ():
                amount = list(self._amounts(other))[number][1]
                nodes = other.nodes * (count - (other == request))  # but for itself
                if amount >= enough:
                    blocked += nodes
                else:
                    small += nodes * amount
            blocked += small // enough
        return blocked

    def _amounts(self, request: Resources) -> Iterator[tuple[int, int]]:
        """What a node has of everything, and what of it a request needs on each of its nodes; 0 where nobody knows."""
        yield self.cores, -(-request.all_cores // request.nodes)
        yield self.memory or 0, request.memory_per_node if self.memory is not None else 0
        yield self.gpus or 0, request.gpus_per_node if self.gpus is not None else 0


def pool_of(array: ArrayJob, profile: ClusterProfile) -> Pool | None:
    """The nodes on which an array job runs; None where the profile does not say how many there are, or of what size."""
    place = capacity_of(array, profile)
    if not place.nodes or not place.cpu_cores:
        return None
    name = array.options.partition or profile.default_partition
    memory = round(place.memory_gb * GIB) if place.memory_gb else None
    return Pool(name.split(",")[0], place.nodes, place.cpu_cores, memory, place.gpus)
