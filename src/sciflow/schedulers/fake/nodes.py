"""The nodes of the cluster, and who runs on them."""

from __future__ import annotations

from bisect import bisect_left, insort
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from sciflow.schedulers.fake.jobs import Index
    from sciflow.schedulers.fake.partitions import Partition
    from sciflow.schedulers.fake.request import Request

INF = float("inf")


class Held(NamedTuple):
    """What an index was given, and until when: by its walltime, which it can overrun by a little."""

    end: float
    cores: int
    memory: int
    gpus: int


@dataclass(eq=False)
class Node:
    """One node: cores, bytes of memory, GPUs and features; and what of these is free.

    A job that asks for no memory is given none: the site has a small default, as most have.

    Attributes
    ----------
    is_up
        Whether it is there at all.
    drained
        Why no more jobs start on it; empty where they do.
    """

    name: str
    cores: int
    memory: int
    gpus: int = 0
    features: tuple[str, ...] = ()
    is_up: bool = True
    drained: str = ""

    def __post_init__(self) -> None:
        self.free_cores, self.free_memory, self.free_gpus = self.cores, self.memory, self.gpus
        self.running: dict[tuple[int, int], Index] = {}
        self.ends: list[Held] = []
        self._held: dict[tuple[int, int], Held] = {}

    @property
    def takes_jobs(self) -> bool:
        """Whether jobs may start on it."""
        return self.is_up and not self.drained

    def is_of(self, partition: Partition) -> bool:
        """Whether it belongs to a partition."""
        return not partition.nodes or self.name in partition.nodes

    def can_ever_hold(self, request: Request) -> bool:
        """Whether it could be given what is asked for, were it empty."""
        return request.cores <= self.cores and request.memory <= self.memory and request.gpus <= self.gpus

    def has_room(self, request: Request) -> bool:
        """Whether it takes jobs and what is asked for is free."""
        return (
            request.cores <= self.free_cores
            and request.memory <= self.free_memory
            and request.gpus <= self.free_gpus
            and self.is_up
            and not self.drained
        )

    def take(self, index: Index, end: float = INF) -> None:
        """Give an index what it asks for, until a time at the latest."""
        request, key = index.job.request, (index.job.order, index.number)
        held = Held(end, request.cores, request.memory, request.gpus)
        self.running[key] = index
        self._held[key] = held
        insort(self.ends, held)
        self._change(held, -1)

    def free(self, index: Index) -> None:
        """Take back what an index had."""
        key = index.job.order, index.number
        del self.running[key]
        held = self._held.pop(key)
        del self.ends[bisect_left(self.ends, held)]
        self._change(held, 1)

    def held_by(self, index: Index) -> Held:
        """What an index that runs here was given: what its job asks for may have been changed since."""
        return self._held[index.job.order, index.number]

    def _change(self, held: Held, sign: int) -> None:
        self.free_cores += sign * held.cores
        self.free_memory += sign * held.memory
        self.free_gpus += sign * held.gpus


def make_nodes(count: int, cores: int, memory_gb: float, gpus: int = 0) -> list[Node]:
    """Nodes that are all alike: n1, n2, …."""
    return [Node(f"n{number + 1}", cores, int(memory_gb * 1024**3), gpus) for number in range(count)]
