"""Curves of several series: their mean and how sure it is, or where they are too many, how they are distributed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from sciflow.analysis.observations import STATE, VALUE, Metric, Parameter, Sample
from sciflow.analysis.repeats import Interval, means
from sciflow.figures.logged import Series, chosen

MOST_MEMBERS = 12  # series of which each has its own thin line
MOST_MEAN = 30  # series that have a mean; more have quantiles
_QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)
_STEP = "step"


@dataclass(frozen=True, eq=False)
class Curve:
    """One group of series.

    Attributes
    ----------
    label
        What stands in the legend.
    level
        Of the parameter that tells groups apart: its position among the levels.
    steps, middle
        The mean at each step; the median where there are many series; the series itself where it is alone.
    low, high
        The interval of the mean, or the middle half of the series; NaN where there is none.
    outer_low, outer_high
        The middle 90 % of many series; None of few.
    count
        How many series have a value there.
    members
        The series, where they are so few that each is drawn.
    """

    label: str
    level: int
    steps: np.ndarray
    middle: np.ndarray
    low: np.ndarray
    high: np.ndarray
    count: np.ndarray
    total: int
    outer_low: np.ndarray | None = None
    outer_high: np.ndarray | None = None
    members: tuple[Series, ...] = ()
    is_interpolated: bool = False


def curve(label: str, level: int, series: Sequence[Series], interval: Interval, confidence: float) -> Curve:
    """The curve of some series, at all of their steps.

    Between its steps a series is taken to go straight, and beyond its first and its last it has no value.
    """
    steps = np.unique(np.concatenate([one.steps for one in series]))
    steps = steps[chosen(len(steps))]
    table = np.stack([_at(one, steps) for one in series])
    count = np.isfinite(table).sum(axis=0)
    there = count > 0
    steps, table, count = steps[there], table[:, there], count[there]
    interpolated = any(not np.isin(steps[(steps >= s[0]) & (steps <= s[-1])], s).all() for s, _ in series)
    nothing = np.full(len(steps), np.nan)
    if len(series) == 1:
        return Curve(label, level, steps, table[0], nothing, nothing, count, 1)
    if len(series) > MOST_MEAN:
        outer_low, low, middle, high, outer_high = np.nanquantile(table, _QUANTILES, axis=0)
        return Curve(
            label, level, steps, middle, low, high, count, len(series), outer_low, outer_high, (), interpolated
        )
    found = means(_stacked(table), [_STEP], interval, confidence)
    middle, low, high = (found[name].to_numpy(dtype=float) for name in ("mean", "low", "high"))
    members = tuple(series) if len(series) <= MOST_MEMBERS else ()
    return Curve(
        label, level, steps, middle, low, high, count, len(series), members=members, is_interpolated=interpolated
    )


def _at(one: Series, steps: np.ndarray) -> np.ndarray:
    found = np.interp(steps, one.steps, one.values)
    found[(steps < one.steps[0]) | (steps > one.steps[-1])] = np.nan
    return found


def _stacked(table: np.ndarray) -> Sample:
    """The values of all series, by the number of their step."""
    count = table.shape[1]
    frame = pd.DataFrame({_STEP: np.tile(np.arange(count), len(table)), VALUE: table.ravel(), STATE: "COMPLETED"})
    return Sample(Metric(VALUE, "", (_STEP,)), frame, {_STEP: Parameter(_STEP, tuple(range(count)), "number")})
