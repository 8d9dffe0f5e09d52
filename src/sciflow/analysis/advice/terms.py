"""The terms of a law: how a parameter enters the logarithm of what an instance needs."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeGuard

FEWEST_FOR_A_SLOPE = 3  # different values
MOST_LEVELS = 12
FEWEST_A_LEVEL = 3  # instances for each level, on average
_FEWEST_FOR_A_CURVE = 5


@dataclass(frozen=True)
class Power:
    """A power of a parameter that is a positive number: ``size ** k``.

    Attributes
    ----------
    middle
        What is taken off its logarithm.
    low, high
        Between which values it was seen.
    is_curved
        Whether the exponent changes with the parameter: a second column has the square of the logarithm.
    """

    name: str
    middle: float
    low: float
    high: float
    is_curved: bool = False

    @property
    def columns(self) -> int:
        """How many coefficients it has."""
        return 2 if self.is_curved else 1

    def row(self, parameters: Mapping[str, Any]) -> list[float]:
        """Its columns for one instance; NaN where the parameter is no positive number."""
        value = parameters.get(self.name)
        log = math.log(value) - self.middle if is_number(value) and value > 0 else math.nan
        return [log, log * log] if self.is_curved else [log]

    def is_outside(self, parameters: Mapping[str, Any]) -> bool:
        """Whether nothing like it was measured."""
        value = parameters.get(self.name)
        return not is_number(value) or not self.low <= value <= self.high


@dataclass(frozen=True)
class Levels:
    """A parameter that has some values, each with an effect of its own: the first one has none.

    Attributes
    ----------
    values
        Those that were seen, in order.
    """

    name: str
    values: tuple[Any, ...]

    @property
    def columns(self) -> int:
        """How many coefficients it has."""
        return len(self.values) - 1

    def row(self, parameters: Mapping[str, Any]) -> list[float]:
        """Its columns for one instance; of a number that was not seen those of the next larger one."""
        value = parameters.get(self.name)
        place = next((i for i, one in enumerate(self.values) if _same(one, value)), None)
        if place is None and is_number(value) and all(map(is_number, self.values)):
            place = next((i for i, one in enumerate(self.values) if one >= value), None)
        if place is None:
            return [math.nan] * self.columns
        return [1.0 if i == place else 0.0 for i in range(1, len(self.values))]

    def is_outside(self, parameters: Mapping[str, Any]) -> bool:
        """Whether nothing like it was measured."""
        return not any(_same(one, parameters.get(self.name)) for one in self.values)


Term = Power | Levels


def is_number(value: Any) -> TypeGuard[float]:
    """Whether a value is a finite number, and no truth value."""
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def terms_for(name: str, values: Sequence[Any]) -> list[Term]:
    """The terms in which a parameter may enter, by the values that were measured."""
    distinct = _unique(values)
    found: list[Term] = []
    if len(distinct) < 2:
        return found
    are_numbers = all(map(is_number, distinct))
    if are_numbers:
        distinct.sort()
    if are_numbers and distinct[0] > 0 and len(distinct) >= FEWEST_FOR_A_SLOPE:
        middle = sum(math.log(value) for value in values) / len(values)
        found.append(Power(name, middle, distinct[0], distinct[-1]))
        if len(distinct) >= _FEWEST_FOR_A_CURVE:
            found.append(Power(name, middle, distinct[0], distinct[-1], is_curved=True))
    if len(distinct) <= MOST_LEVELS and len(values) >= FEWEST_A_LEVEL * len(distinct):
        found.append(Levels(name, tuple(distinct)))
    return found


def _unique(values: Sequence[Any]) -> list[Any]:
    kept: dict[Any, Any] = {}
    for value in values:
        kept.setdefault((isinstance(value, bool), value if _is_hashable(value) else repr(value)), value)
    return list(kept.values())


def _is_hashable(value: Any) -> bool:
    try:
        hash(value)
    except TypeError:
        return False
    return True


def _same(one: Any, other: Any) -> bool:
    return isinstance(one, bool) == isinstance(other, bool) and one == other
