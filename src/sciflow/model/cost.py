"""What work costs: what is requested of a cluster, times how long; and above how much somebody is asked."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, fields

from pydantic import Field

from sciflow.model.resources import GIB, Resources
from sciflow.model.validation import Value

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


class AskAbove(Value):
    """Above how much `submit` asks before it submits; what is not said is not limited."""

    core_hours: float | None = Field(default=None, ge=0)
    gpu_hours: float | None = Field(default=None, ge=0)
    memory_gb_hours: float | None = Field(default=None, ge=0)
    indices: int | None = Field(default=None, ge=0)

    @property
    def needs_runtimes(self) -> bool:
        """Whether it limits what is known only of tasks that ask for a runtime."""
        return any(getattr(self, name) is not None for name in WORDS if name != "indices")

    def exceeded(self, cost: Cost) -> Iterator[str]:
        """Say what is above it, such as ``up to 5,120 core-hours, more than the 1,000``."""
        for name, words in WORDS.items():
            asked, most = getattr(cost, name), getattr(self, name)
            if most is not None and asked > most:
                up_to = "" if name == "indices" else "up to "
                yield f"{up_to}{format_amount(asked)} {words}, more than the {format_amount(most)}"


def format_amount(amount: float) -> str:
    """Print hours for people: ``0.0833``, ``17.5``, ``11,560``."""
    return f"{amount:.4g}" if amount < 1000 else f"{amount:,.0f}"
