"""Above which cost somebody is asked before anything is submitted."""

from __future__ import annotations

from collections.abc import Iterator

from pydantic import Field

from sciflow.model.cost import WORDS, Cost, format_amount
from sciflow.model.validation import Value


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
