"""Ranges: where new values of each axis may lie, and how they become numbers between 0 and 1."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from sciflow.analysis.cells import plain
from sciflow.analysis.observations import Observations, kind_of
from sciflow.analysis.optima.flatness import is_geometric
from sciflow.model.parameters import ParameterSpace

_DIGITS = 4  # of suggested numbers: no experiment needs more to begin with


@dataclass(frozen=True)
class Range:
    """Where the values of one axis may lie, or those of axes that move together.

    Attributes
    ----------
    names
        The axes.
    rows
        All choices, each with a value for each axis; empty where it is a range of numbers.
    low, high
        Of a range.
    is_log, is_whole
        Whether a range is even on a logarithmic scale, and of whole numbers.
    is_zipped
        Whether the axes move together, with others that may not be among them.
    """

    names: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...] = ()
    low: float = 0.0
    high: float = 1.0
    is_log: bool = False
    is_whole: bool = False
    is_zipped: bool = False

    @property
    def is_continuous(self) -> bool:
        """Whether it is a range of numbers."""
        return not self.rows

    def at(self, unit: float) -> tuple[Any, ...]:
        """The values at a place between 0 and 1."""
        if self.rows:
            return self.rows[min(len(self.rows) - 1, int(unit * len(self.rows)))]
        if self.is_log:
            value = math.exp(math.log(self.low) + unit * (math.log(self.high) - math.log(self.low)))
        else:
            value = self.low + unit * (self.high - self.low)
        if self.is_whole:
            return (int(min(self.high, max(self.low, round(value)))),)
        return (min(self.high, max(self.low, self._tidy(value))),)

    def _tidy(self, value: float) -> float:
        """With so many digits as tell it from its neighbours in the range."""
        width = value if self.is_log else self.high - self.low
        digits = _DIGITS - math.floor(math.log10(abs(width))) - 1 if width else 0
        return float(round(value, digits))

    def place(self, values: Mapping[str, Any]) -> float:
        """Where a value lies between 0 and 1."""
        if self.rows:
            return (self.rows.index(tuple(values[name] for name in self.names)) + 0.5) / len(self.rows)
        value = float(values[self.names[0]])
        if self.is_log:
            return (math.log(value) - math.log(self.low)) / (math.log(self.high) - math.log(self.low))
        return (value - self.low) / (self.high - self.low)


def ranges_of(observations: Observations, space: ParameterSpace, names: Sequence[str]) -> list[Range]:
    """Where new values of some axes may lie: numbers between those that are known, others among them."""
    document = space.to_document()
    axes, groups = document["axes"], [tuple(group) for group in document.get("zip_groups", ())]
    found: list[Range] = []
    done: set[str] = set()
    for name in names:
        if name in done:
            continue
        whole = next((one for one in groups if name in one), (name,))
        group = tuple(one for one in whole if one in names)
        done.update(group)
        if len(whole) > 1:
            columns = [observations.frame[one] for one in group]
            rows = tuple(dict.fromkeys(zip(*map(_plain_column, columns), strict=True)))
            found.append(Range(group, rows, is_zipped=True))
        else:
            found.append(_range(name, axes[name], observations.parameters[name].levels))
    return found


class Partners:
    """What moves together with axes on which a metric depends, and is none of them.

    Parameters
    ----------
    observations, space
        Where rows of axes that move together are.
    names
        The axes on which the metric depends.
    """

    def __init__(self, observations: Observations, space: ParameterSpace, names: Sequence[str]) -> None:
        self._rows: list[tuple[tuple[str, ...], dict[tuple[Any, ...], dict[str, Any]]]] = []
        for group in space.to_document().get("zip_groups", ()):
            own = tuple(one for one in group if one in names)
            others = [one for one in group if one not in names]
            if not own or not others:
                continue
            columns = {one: _plain_column(observations.frame[one]) for one in group}
            first: dict[tuple[Any, ...], dict[str, Any]] = {}
            for row in zip(*columns.values(), strict=True):
                values = dict(zip(columns, row, strict=True))
                first.setdefault(tuple(values[one] for one in own), {one: values[one] for one in others})
            self._rows.append((own, first))

    def of(self, setting: Mapping[str, Any]) -> dict[str, Any]:
        """Their values in the first row that has those of a setting."""
        found: dict[str, Any] = {}
        for own, first in self._rows:
            found.update(first.get(tuple(setting[one] for one in own), {}))
        return found


def _range(name: str, written: Any, levels: Sequence[Any]) -> Range:
    """The range of one axis, by how it is written and what values it has had."""
    form = dict(written) if isinstance(written, Mapping) else {"values": written}
    form.pop("when", None)
    kind, details = next(iter(form.items()))
    present = [one for one in levels if one is not None]
    if kind in ("uniform", "loguniform", "integers"):
        present = [*present, *details]
    if kind == "choice" or kind_of(present) == "category" or min(present) == max(present):
        return Range((name,), tuple((one,) for one in dict.fromkeys(present)))
    is_whole = all(isinstance(one, int) for one in present)
    is_log = kind == "loguniform" or (kind == "values" and is_geometric([one for one in details if one is not None]))
    return Range((name,), (), min(present), max(present), is_log and min(present) > 0, is_whole)


def _plain_column(column: Iterable[Any]) -> list[Any]:
    return [plain(one) for one in column]


class Encoding:
    """Settings as rows of numbers, for a surrogate: ranges from 0 to 1, choices of words one column for each.

    Parameters
    ----------
    ranges
        Of all parameters.
    optional
        Those that are not always used.
    """

    def __init__(self, ranges: Sequence[Range], optional: Iterable[str] = ()) -> None:
        self._optional = frozenset(optional)
        self._levels: dict[str, list[Any]] = {}
        self._scaled: dict[str, Range] = {}
        for one in ranges:
            for place, name in enumerate(one.names):
                values = [row[place] for row in one.rows]
                numbers = [value for value in values if value is not None]
                if one.is_continuous:
                    self._scaled[name] = one
                elif one.is_zipped and kind_of(numbers) == "number" and min(numbers) < max(numbers):
                    is_log = is_geometric(sorted(set(numbers)))
                    self._scaled[name] = Range((name,), (), min(numbers), max(numbers), is_log)
                else:
                    self._levels[name] = list(dict.fromkeys(values))

    def rows(self, settings: Sequence[Mapping[str, Any]]) -> np.ndarray:
        """One row of numbers for each setting; an axis that is not used is in the middle, and marked in a column."""
        columns: list[list[float]] = []
        for name, scaled in self._scaled.items():
            columns.append([0.5 if one[name] is None else scaled.place(one) for one in settings])
            if name in self._optional:
                columns.append([0.0 if one[name] is None else 1.0 for one in settings])
        for name, levels in self._levels.items():
            columns += [[float(one[name] == level) for one in settings] for level in levels]
        return np.array(columns, dtype=float).T.reshape(len(settings), -1)
