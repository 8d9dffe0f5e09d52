"""One quantity of a task: by which law it goes, and what to ask for with which chance."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sciflow.analysis.advice.chance import Spread
from sciflow.analysis.advice.choose import best_law
from sciflow.analysis.advice.law import Law
from sciflow.analysis.advice.needed import Measured, Needs
from sciflow.planning.estimate import GROWTH, SPARE

_MIB = 1024**2
_MINUTE = 60


class Same:
    """The same for all instances, as no parameter tells them apart.

    Parameters
    ----------
    measured
        What was measured.
    """

    names: tuple[str, ...] = ()

    def __init__(self, measured: Measured) -> None:
        self.spread = Spread(measured.values, measured.is_least)
        self.left_out = measured.values
        self._values = measured.values[~measured.is_least]
        # Nobody knows how much the largest would have needed.
        self.is_open = bool(measured.is_least[measured.values.argmax()])

    def most(self, _: Mapping[str, Any], chance: float) -> float:
        """What suffices with a chance; where so few values cannot show that, somewhat more than the largest."""
        enough = self.spread.enough(chance)
        return enough.amount if enough.is_shown else enough.amount * (GROWTH if self.is_open else SPARE)

    def middle(self, _: Mapping[str, Any]) -> float:
        """What half of all such instances need more than."""
        return self.spread.enough(0.5).amount

    def is_outside(self, _: Mapping[str, Any]) -> bool:
        """Whether nothing like it was measured: nothing is known that would matter."""
        return False

    def fitting(self, chance: float) -> float:
        """The share of what was measured that would have fitted, each by what the others say."""
        count = len(self._values)
        if count < 2:
            return math.nan
        place = math.ceil(chance * count - 1e-9)
        if place < count:
            limit = sorted(self._values)[place - 1]
            return float((self._values <= limit).mean())
        first, second = sorted(self._values)[-1], sorted(self._values)[-2]
        return 1.0 if first <= second * SPARE else (count - 1) / count


@dataclass(frozen=True)
class Sized:
    """A quantity of the instances of a task.

    Attributes
    ----------
    law
        What it depends on.
    measured
        What is known of it.
    whole
        Rounds an amount up to what can be asked for.
    stretch
        By which factor more is needed the next time than was measured, with fewer cores.
    """

    law: Law | Same
    measured: Measured
    whole: Callable[[float], int]
    stretch: float = 1.0

    def ask(self, parameters: Mapping[str, Any], chance: float) -> int:
        """What one instance should ask for."""
        return self.whole(self.exact(parameters, chance))

    def exact(self, parameters: Mapping[str, Any], chance: float) -> float:
        """What suffices for one instance, not rounded: what several share is rounded once."""
        return self.law.most(parameters, chance) * self.stretch

    def shares(self, asks: Callable[[int], int]) -> Iterator[tuple[int, float, bool]]:
        """For each instance that was measured, which share of what it would ask for it needs, and if that at least.

        What it needs is what it would need if the law had been found without it.
        """
        measured = self.measured
        for row, value, least in zip(measured.rows, self.law.left_out, measured.is_least, strict=True):
            yield int(row), float(value) * self.stretch / max(1, asks(int(row))), bool(least)

    def middle(self, parameters: Mapping[str, Any]) -> float:
        """What half of all such instances will need more than."""
        return self.law.middle(parameters) * self.stretch

    def shown(self, chance: float) -> float:
        """The chance that can be shown, of one that is wanted: of *n* that are known, no more than n / (n + 1)."""
        return min(chance, self.law.spread.most)


def size_memory(needs: Needs, chance: float) -> Sized | None:
    """What is known of the memory of a task; None for nothing."""
    return _sized(needs, needs.memory, chance, whole_memory)


def size_seconds(needs: Needs, chance: float) -> Sized | None:
    """What is known of how long the instances of a task run; None for nothing."""
    return _sized(needs, needs.seconds, chance, whole_seconds)


def _sized(needs: Needs, measured: Measured, chance: float, whole: Callable[[float], int]) -> Sized | None:
    if not measured.known:
        return None
    columns = {name: [values[row] for row in measured.rows] for name, values in needs.parameters.items()}
    law = best_law(columns, measured.values, measured.is_least)
    if law is not None and not _holds(law, measured.known, chance):
        law = None
    return Sized(law or Same(measured), measured, whole)


def _holds(law: Law, known: int, chance: float) -> bool:
    """Whether so many would have fitted as it says, but for what may be chance."""
    return law.fitting(chance) >= chance - 2 * math.sqrt(chance * (1 - chance) / known) - 1 / known


def whole_memory(size: float) -> int:
    """Bytes to ask for: whole MiB."""
    return math.ceil(size / _MIB * (1 - 1e-12)) * _MIB


def whole_seconds(seconds: float) -> int:
    """Seconds of walltime to ask for: whole minutes."""
    return math.ceil(seconds / _MINUTE * (1 - 1e-12)) * _MINUTE
