"""Levels: the different values of a parameter, in order, and which of them each row has."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Codes = NDArray[np.int64]


def levels_of(column: Iterable[Any], order: Sequence[Any] | None = None) -> tuple[Any, ...]:
    """The different values of a column: numbers from the smallest up, others in a given or their own order."""
    found = dict.fromkeys(None if is_absent(one) else _plain(one) for one in column)
    absent = (None,) if None in found else ()
    values = [one for one in found if one is not None]
    if order is not None:
        place = {one: number for number, one in enumerate(order)}
        return (*sorted(values, key=lambda one: place.get(one, len(place))), *absent)
    if kind_of(values) == "number":
        values.sort()
    return (*values, *absent)


def kind_of(levels: Sequence[Any]) -> Literal["number", "category"]:
    """Whether values are numbers, so that they have an order and distances; truth values are categories."""
    present = [one for one in levels if one is not None]
    numbers = all(isinstance(one, (int, float)) and not isinstance(one, bool) for one in present)
    return "number" if present and numbers else "category"


def told_apart(values: Sequence[Any]) -> Sequence[Any]:
    """The values of a column; truth values as texts where there are numbers besides, since 1 is True to Python."""
    kinds = set(map(type, values))
    if bool in kinds and not kinds.isdisjoint((int, float)):
        return [str(one) if isinstance(one, bool) else one for one in values]
    return values


def codes_of(column: Iterable[Any], levels: Sequence[Any]) -> Codes:
    """Which of the levels each row has: its position among them; -1 for a value that is none of them."""
    values = column if isinstance(column, (pd.Series, np.ndarray)) else np.array([*column, None], dtype=object)[:-1]
    plain = np.asarray(values) if _is_numeric(values) else np.asarray(values, dtype=object)
    found, different = pd.factorize(plain)
    place = {level: number for number, level in enumerate(levels)}
    positions = [place.get(_plain(one), -1) for one in different]
    # A row that holds nothing has -1, which is the last one here.
    return np.array([*positions, place.get(None, -1)], dtype=np.int64)[found]


def _is_numeric(values: pd.Series | np.ndarray) -> bool:
    return isinstance(values.dtype, np.dtype) and values.dtype.kind in "biuf"


def groups_of(columns: Sequence[Codes], count: int) -> tuple[Codes, Codes]:
    """Rows put together by their codes.

    Returns
    -------
    order
        All rows, group by group, the first column varying slowest; within a group as they came.
    starts
        Where in `order` each group begins.
    """
    if not columns or not count:
        return np.arange(count), np.arange(min(count, 1))
    order = np.lexsort(columns[::-1])
    is_new = np.zeros(count, dtype=bool)
    is_new[0] = True
    for column in columns:
        is_new[1:] |= np.diff(column[order]) != 0
    return order, np.flatnonzero(is_new)


def is_absent(value: Any) -> bool:
    """Whether a cell of a table holds nothing: None, NaN or pandas' NA."""
    return value is None or value is pd.NA or (isinstance(value, (float, np.floating)) and np.isnan(value))


def _plain(value: Any) -> Any:
    return value.item() if isinstance(value, np.generic) else value
