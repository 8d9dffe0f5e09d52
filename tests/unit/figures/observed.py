"""Observations of runs that never were: what figures and statistics are tried on, without a run."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from sciflow.analysis.observations import STATE, Metric, Observations, Parameter, is_absent, kind_of, levels_of

Columns = Mapping[str, Sequence[Any]]
Formula = Callable[..., Any]


def grid(**levels: Sequence[Any]) -> dict[str, list[Any]]:
    """Columns with a row for each combination of the levels; the last parameter varies fastest."""
    rows = list(itertools.product(*levels.values()))
    return {name: [row[place] for row in rows] for place, name in enumerate(levels)}


def sampled(count: int, seed: int = 1, **ranges: tuple[float, float]) -> dict[str, list[float]]:
    """Columns with values that are drawn evenly from ranges."""
    drawn = np.random.default_rng(seed)
    return {name: drawn.uniform(low, high, count).tolist() for name, (low, high) in ranges.items()}


def observed(
    columns: Columns,
    metrics: Mapping[str, Sequence[Any] | Formula],
    *,
    states: Mapping[int, str] | None = None,
    repeats: Sequence[str] = (),
    sampled: Sequence[str] = (),
    behind: Mapping[str, Sequence[str]] | None = None,
    depends: Mapping[str, Sequence[str]] | None = None,
    units: Mapping[str, str] | None = None,
    design: str | None = None,
) -> Observations:
    """Observations of these columns.

    Parameters
    ----------
    columns
        Parameter → its value in each row.
    metrics
        Metric → its value in each row, or a function that makes it of the row's parameters, given by name.
    states
        Row → its state, of those that are not completed; these have no metrics.
    repeats, sampled
        Which parameters only repeat, and which were drawn.
    behind
        Derived parameter → the axes that it follows from.
    depends
        Metric → the parameters that tell its values apart; all where none are given.
    units
        Metric → its unit.
    design
        How the sampled parameters were drawn.
    """
    rows = [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
    frame = pd.DataFrame({name: _column(values) for name, values in columns.items()})
    missing = states or {}
    for name, made in metrics.items():
        values = [made(**row) for row in rows] if callable(made) else list(made)
        frame[name] = _column([None if place in missing else value for place, value in enumerate(values)])
    frame[STATE] = [missing.get(place, "COMPLETED") for place in range(len(rows))]
    parameters = {}
    for name, values in columns.items():
        levels = levels_of(values)
        made_of = tuple((behind or {}).get(name, ()))
        parameters[name] = Parameter(name, levels, kind_of(levels), name in repeats, name in sampled, made_of)
    known = {
        name: Metric(name, "solve", tuple((depends or {}).get(name, columns)), (units or {}).get(name))
        for name in metrics
    }
    return Observations(frame, parameters, known, "solving", ("20250101-000000-aa",), design)


def _column(values: Sequence[Any]) -> pd.Series:
    """As a run's table has it: numbers as such, with NaN for what is missing; all else as objects."""
    present = [one for one in values if not is_absent(one)]
    if all(isinstance(one, (int, float)) and not isinstance(one, bool) for one in present):
        whole = len(present) == len(values) and all(isinstance(one, int) for one in present)
        numbers = [np.nan if is_absent(one) else one for one in values]
        return pd.Series(numbers, dtype=int if whole else float)
    return pd.Series(list(values), dtype=object)


def energy(size: Any, field: Any, **_: Any) -> float:
    """A metric that grows with the size and has its least at a field of 0.6."""
    return 0.1 * float(size) + (float(field) - 0.6) ** 2


def time(size: Any, **_: Any) -> float:
    """A metric that grows with the square of the size, and depends on nothing else."""
    return 0.5 * float(size) ** 2


UNITS = {"energy": "J", "time": "s"}
_METRICS: Mapping[str, Formula] = {"energy": energy, "time": time}
_SIZES = {"small": 8, "medium": 16, "large": 32}


def _jitter(seed: int, field: float) -> float:
    return 0.05 * ((3 * seed + round(10 * field)) % 5 - 2)


def on_a_grid() -> Observations:
    """4 sizes by 5 fields, all measured."""
    return observed(grid(size=[8, 16, 32, 64], field=[0.0, 0.25, 0.5, 0.75, 1.0]), _METRICS, units=UNITS)


def on_drawn_points() -> Observations:
    """40 points drawn from two ranges."""
    columns = sampled(40, size=(4.0, 64.0), field=(0.0, 1.0))
    return observed(columns, _METRICS, sampled=list(columns), units=UNITS, design="random")


def with_repeats() -> Observations:
    """4 sizes by 3 fields, each with 5 seeds that scatter."""
    columns = grid(size=[8, 16, 32, 64], field=[0.0, 0.5, 1.0], seed=[1, 2, 3, 4, 5])
    metrics: dict[str, Formula] = {
        "energy": lambda size, field, seed: energy(size, field) + _jitter(seed, field),
        "time": lambda size, field, seed: time(size) * (1 + _jitter(seed, field)),
    }
    return observed(columns, metrics, repeats=["seed"], units=UNITS)


def with_failures() -> Observations:
    """The grid, of which one size failed at large fields, one point was stopped, and one is not yet computed."""
    columns = grid(size=[8, 16, 32, 64], field=[0.0, 0.25, 0.5, 0.75, 1.0])
    states = {18: "FAILED", 19: "FAILED", 7: "TIMEOUT", 12: "PENDING"}
    return observed(columns, _METRICS, states=states, units=UNITS)


def of_one_point() -> Observations:
    """A single combination."""
    return observed(grid(size=[8], field=[0.5]), _METRICS, units=UNITS)


def with_categories() -> Observations:
    """Sizes and fields that have names."""
    columns = grid(size=list(_SIZES), field=["off", "on"])
    metrics: dict[str, Formula] = {
        "energy": lambda size, field: energy(_SIZES[size], 0.0 if field == "off" else 1.0),
        "time": lambda size, **_: time(_SIZES[size]),
    }
    return observed(columns, metrics, units=UNITS)


# What each kind of figure is tried on; all have the parameters `size` and `field`, the metrics `energy` and `time`.
DATA: Mapping[str, Callable[[], Observations]] = {
    "grid": on_a_grid,
    "sampled": on_drawn_points,
    "repeats": with_repeats,
    "failures": with_failures,
    "one point": of_one_point,
    "categorical": with_categories,
}
