"""The nodes of the cluster, and who runs on them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sciflow.schedulers.fake.directives import Asked
    from sciflow.schedulers.fake.jobs import Index


@dataclass(eq=False)
class Node:
    """One node: cores, bytes of memory and GPUs; and what of these is free.

    A job that asks for no memory is given none: the site has a small default, as most have.
    """

    name: str
    cores: int
    memory: int
    gpus: int = 0
    is_up: bool = True

    def __post_init__(self) -> None:
        self.free_cores, self.free_memory, self.free_gpus = self.cores, self.memory, self.gpus
        self.running: dict[tuple[str, int], Index] = {}

    def can_ever_hold(self, asked: Asked) -> bool:
        """Whether it could be given what is asked for, were it empty."""
        return asked.cores <= self.cores and asked.memory <= self.memory and asked.gpus <= self.gpus

    def has_room(self, asked: Asked) -> bool:
        """Whether it is up and what is asked for is free."""
        return (
            self.is_up
            and asked.cores <= self.free_cores
            and asked.memory <= self.free_memory
            and asked.gpus <= self.free_gpus
        )

    def take(self, index: Index) -> None:
        """Give an index what it asks for."""
        self._change(index.job.asked, -1)
        self.running[index.job.id, index.number] = index

    def free(self, index: Index) -> None:
        """Take back what an index had."""
        del self.running[index.job.id, index.number]
        self._change(index.job.asked, 1)

    def _change(self, asked: Asked, sign: int) -> None:
        self.free_cores += sign * asked.cores
        self.free_memory += sign * asked.memory
        self.free_gpus += sign * asked.gpus


def make_nodes(count: int, cores: int, memory_gb: float, gpus: int = 0) -> list[Node]:
    """Nodes that are all alike: n1, n2, …."""
    return [Node(f"n{number + 1}", cores, int(memory_gb * 1024**3), gpus) for number in range(count)]
