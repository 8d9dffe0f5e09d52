"""Above which cost somebody is asked before anything is submitted."""

from __future__ import annotations

from collections.abc import Iterator

from pydantic import Field

from sciflow.model.cost import WORDS, Cost, format_amount
from sciflow.model.validation import Value


class AskAbove(Value):
    """Above how much `submit` asks before it submits; what is not said is not limited."""

    core_hours: float | None = Field(default=None, ge=0, allow_inf_nan=False)
    gpu_hours: float | None = Field(default=None, ge=0, allow_inf_nan=False)
    memory_gb_hours: float | None = Field(default=None, ge=0, allow_inf_nan=False)
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
                above, cap = _apart(asked, most)
                yield f"{up_to}{above} {words}, more than the {cap}"


def _apart(asked: float, most: float) -> tuple[str, str]:
    """Two amounts, with as many digits as it takes to tell them apart."""
    above, cap, digits = format_amount(asked), format_amount(most), 4
    while above == cap:  # numbers that differ do so with 17 digits at the latest
        digits += 1
        above, cap = f"{asked:,.{digits}g}", f"{most:,.{digits}g}"
    return above, cap
