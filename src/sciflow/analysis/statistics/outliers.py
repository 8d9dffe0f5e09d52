"""Outliers: values far from those that they should be like. They are told, and never left out.

The distance is the modified z-score of Iglewicz and Hoaglin (1993): 0.6745 · (x - median) / MAD, of which 3.5 is much.
Where more than half of the values are equal, so that the MAD is 0, the mean absolute deviation takes its place.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from sciflow.analysis.observations import VALUE, Sample, is_absent
from sciflow.analysis.statistics.finding import Finding, as_text, gaps
from sciflow.analysis.table import RunTable
from sciflow.errors import ResultError

AMONG_REPEATS, OF_ALL = "among repeats", "of all"
_FEWEST = 5  # of which the MAD says something
_ENOUGH = 10  # of which it says enough by itself
_PLACE = ["attempt", "array", "index", "node"]


@dataclass(frozen=True, eq=False, repr=False)
class Outliers(Finding):
    """Values far from others.

    Attributes
    ----------
    table
        One row each, the farthest first: ``where`` (``among repeats`` of its combination, or ``of all``),
        ``combination`` (the parameters), ``value``, ``median`` (of those it was compared with), ``z``; of a whole run
        ``attempt``, ``array``, ``index`` and ``node`` as well, as far as they are known.
    threshold
        Above which size of z a value is told.
    """

    table: pd.DataFrame
    threshold: float

    def frame(self) -> pd.DataFrame:
        """One row per value that is far from others."""
        return self.table

    @property
    def title(self) -> str:
        """What this is."""
        return f"outliers of {self.metric.name}: |z| above {self.threshold:g}"

    def body(self) -> str:
        """The table, with combinations in words."""
        told = [", ".join(f"{name}={value}" for name, value in one.items()) for one in self.table["combination"]]
        return as_text(self.table.assign(combination=told))


def outliers(sample: Sample, threshold: float = 3.5, table: RunTable | None = None) -> Outliers:
    """Find values that are far from their repeats, and from all others.

    Parameters
    ----------
    sample
        The values.
    threshold
        The modified z-score above which one is told.
    table
        The run that they come from, to say which attempt each is of.

    Raises
    ------
    ResultError
        Where the metric is no number or has none, or the threshold is not above 0.
    """
    if not threshold > 0:
        raise ResultError(f"`threshold` is {threshold!r}", hint="give a number above 0; 3.5 is usual")
    frame, notes = sample.measured, gaps(sample)
    values = frame[VALUE].to_numpy(float)
    found: list[tuple[str, int, float, float]] = []
    sizes: list[int] = []
    if sample.repeats:
        groups = list(_groups(frame, [one for one in sample.parameters if one not in sample.repeats]))
        sizes = [len(rows) for rows in groups]
        enough = [rows for rows in groups if len(rows) >= _FEWEST]
        least = _pooled([values[rows] for rows in enough])
        for rows in enough:
            found += _far(AMONG_REPEATS, rows, values, threshold, least if len(rows) < _ENOUGH else 0.0)
    if sizes and min(sizes) < _FEWEST:
        few = sum(one < _FEWEST for one in sizes)
        notes.append(f"{few} of {len(sizes)} combinations have fewer than {_FEWEST} repeats: too few to compare")
    if len(values) >= _FEWEST:
        found += _far(OF_ALL, np.arange(len(values)), values, threshold)
    else:
        notes.append(f"{len(values)} values are too few to say which is far from the others")
    if sample.factors and any(one[0] == OF_ALL for one in found):
        notes.append("what is far from all may well be what its parameters do: compare with its repeats")
    found.sort(key=lambda one: -abs(one[3]))
    told = _told(sample, frame, found, table)
    return Outliers(sample.metric, sample.finite, told, threshold, notes=tuple(notes))


def _pooled(groups: list[np.ndarray]) -> float:
    """The median absolute deviation from the median of the own group, of several groups together; 0 of a single one."""
    if len(groups) < 2:
        return 0.0
    # The value in the middle of an odd number is no distance from itself.
    distances = [np.sort(np.abs(one - np.median(one)))[len(one) % 2 :] for one in groups]
    return float(np.median(np.concatenate(distances)))


def modified_z(values: np.ndarray, least: float = 0.0) -> np.ndarray:
    """The modified z-score of each value; 0 where all are the same.

    Parameters
    ----------
    values
        Which.
    least
        What the median absolute deviation is taken to be at least: that of a few values may be tiny by chance.
    """
    distances = values - np.median(values)
    mad = max(float(np.median(np.abs(distances))), least)
    if mad > 0:
        return 0.6745 * distances / mad
    mean = float(np.mean(np.abs(distances)))
    # The factor that makes the mean absolute deviation of normal values their standard deviation.
    return distances / (1.253314 * mean) if mean > 0 else np.zeros(len(values))


def _far(
    where: str, rows: np.ndarray, values: np.ndarray, threshold: float, least: float = 0.0
) -> list[tuple[str, int, float, float]]:
    scores, median = modified_z(values[rows], least), float(np.median(values[rows]))
    far = np.flatnonzero(np.abs(scores) > threshold)
    return [(where, int(rows[number]), median, float(scores[number])) for number in far]


def _groups(frame: pd.DataFrame, names: list[str]) -> Iterator[np.ndarray]:
    groups: dict[tuple[Any, ...], list[int]] = {}
    keys = zip(*(frame[name] for name in names), strict=True) if names else [()] * len(frame)
    for row, key in enumerate(keys):
        groups.setdefault(tuple(None if is_absent(one) else one for one in key), []).append(row)
    yield from map(np.array, groups.values())


def _told(
    sample: Sample, frame: pd.DataFrame, found: list[tuple[str, int, float, float]], table: RunTable | None
) -> pd.DataFrame:
    names = list(sample.parameters)
    columns = {name: frame[name].tolist() for name in [*names, VALUE]}
    instances = _instances(table, sample, found) if table is not None and found else {}
    rows = []
    for where, row, median, score in found:
        own = {name: columns[name][row] for name in names}
        place = instances.get(_key(own), {}) if instances else {}
        value = columns[VALUE][row]
        rows.append({"where": where, "combination": own, "value": value, "median": median, "z": score, **place})
    known = [one for one in _PLACE if any(one in row for row in rows)]
    return pd.DataFrame(rows, columns=["where", "combination", "value", "median", "z", *known])


def _instances(
    table: RunTable, sample: Sample, found: list[tuple[str, int, float, float]]
) -> dict[tuple[Any, ...], Mapping[str, Any]]:
    """Parameters → the attempt that gave the value, and where it ran."""
    frame = table.instances()
    if "parameters" not in frame or not found:
        return {}
    mine = frame.loc[[one == sample.metric.task for one in frame["task"]]]
    places = [one for one in _PLACE if one in mine]
    rows = mine.reindex(columns=["parameters", *places]).to_dict("records")
    return {
        _key({name: row["parameters"].get(name) for name in sample.parameters}): {one: row[one] for one in places}
        for row in rows
    }


def _key(parameters: Mapping[str, Any]) -> tuple[Any, ...]:
    return tuple(None if is_absent(one) else one for one in parameters.values())
