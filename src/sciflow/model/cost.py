"""What work costs: what is requested of a cluster, times how long."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields

from sciflow.model.resources import GIB, Resources

WORDS = {
    "core_hours": "core-hours",
    "gpu_hours": "GPU-hours",
    "memory_gb_hours": "GB·h of memory",
    "indices": "array indices",
}


@dataclass(frozen=True)
class Cost:
    """What array jobs cost at most: if all that they ask for is used as long as they may run.

    Attributes
    ----------
    core_hours, gpu_hours, memory_gb_hours
        Amounts of what is requested, times the requested hours; without what asks for no runtime.
    indices
        How many array indices the scheduler gets.
    """

    core_hours: float = 0.0
    gpu_hours: float = 0.0
    memory_gb_hours: float = 0.0
    indices: int = 0

    def __add__(self, other: Cost) -> Cost:
        return Cost(*(getattr(self, one.name) + getattr(other, one.name) for one in fields(Cost)))

    def to_document(self) -> dict[str, float]:
        """The amounts by their names, without the indices, which plans count otherwise."""
        return {name: getattr(self, name) for name in WORDS if name != "indices"}


def cost_of(resources: Resources, jobs: int) -> Cost:
    """What so many elements of array jobs cost that ask for the same; a link of a chain is one more."""
    hours = jobs * resources.runtime_seconds / 3600
    gpus = resources.gpus_per_node * resources.nodes
    return Cost(resources.core_hours * jobs, gpus * hours, resources.memory_bytes / GIB * hours, jobs)


def total(costs: Iterable[Cost]) -> Cost:
    """The sum of several."""
    return sum(costs, Cost())


def format_amount(amount: float) -> str:
    """Print hours for people: ``0.0833``, ``17.5``, ``11,560``."""
    return f"{amount:.4g}" if amount < 1000 else f"{amount:,.0f}"
