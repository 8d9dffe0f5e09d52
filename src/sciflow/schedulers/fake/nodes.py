"""The nodes of the cluster, and who runs on them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sciflow.schedulers.fake.jobs import Index
    from sciflow.schedulers.fake.partitions import Partition
    from sciflow.schedulers.fake.request import Request


@dataclass(eq=False)
class Node:
    """One node: cores, bytes of memory, GPUs and features; and what of these is free.

    A job that asks for no memory is given none: the site has a small default, as most have.
    """

    name: str
    cores: int
    memory: int
    gpus: int = 0
    features: tuple[str, ...] = ()
    is_up: bool = True

    def __post_init__(self) -> None:
        self.free_cores, self.free_memory, self.free_gpus = self.cores, self.memory, self.gpus
        self.running: dict[tuple[int, int], Index] = {}

    def is_of(self, partition: Partition) -> bool:
        """Whether it belongs to a partition."""
        return not partition.nodes or self.name in partition.nodes

    def can_ever_hold(self, request: Request) -> bool:
        """Whether it could be given what is asked for, were it empty."""
        return request.cores <= self.cores and request.memory <= self.memory and request.gpus <= self.gpus

    def has_room(self, request: Request) -> bool:
        """Whether it is up and what is asked for is free."""
        return (
            self.is_up
            and request.cores <= self.free_cores
            and request.memory <= self.free_memory
            and request.gpus <= self.free_gpus
        )

    def take(self, index: Index) -> None:
        """Give an index what it asks for."""
        self._change(index.job.request, -1)
        self.running[index.job.order, index.number] = index

    def free(self, index: Index) -> None:
        """Take back what an index had."""
        del self.running[index.job.order, index.number]
        self._change(index.job.request, 1)

    def _change(self, request: Request, sign: int) -> None:
        self.free_cores += sign * request.cores
        self.free_memory += sign * request.memory
        self.free_gpus += sign * request.gpus


def make_nodes(count: int, cores: int, memory_gb: float, gpus: int = 0) -> list[Node]:
    """Nodes that are all alike: n1, n2, …."""
    return [Node(f"n{number + 1}", cores, int(memory_gb * 1024**3), gpus) for number in range(count)]
