"""Repeats: several values of the same thing become one number and how sure it is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
import pandas as pd
from scipy import stats

from sciflow.analysis.observations import VALUE, Sample, is_absent
from sciflow.errors import ResultError
from sciflow.model.nearest import nearest

Interval = Literal["t", "bootstrap", "sd", "range", "none"]


def means(sample: Sample, by: Sequence[str], interval: Interval = "t", confidence: float = 0.95) -> pd.DataFrame:
    """One row for each group of equal values of some parameters: how many values it has, their mean, their spread.

    Parameters
    ----------
    sample
        The values.
    by
        Parameters of it; rows are in the order of their levels, the first varying slowest.
    interval
        What ``low`` and ``high`` are: a confidence interval of the mean by Student's t, the standard deviation on
        either side, the smallest and the largest value, or nothing.
    confidence
        For intervals that have one.

    Returns
    -------
    pandas.DataFrame
        The columns of `by`, then ``count``, ``mean``, ``sd`` (NaN of a single value), ``low``, ``high`` (NaN where
        there is no interval). A group without a finite value is left out.

    Raises
    ------
    ResultError
        For a parameter that the metric does not depend on, or where no value is a finite number.
    """
    for name in by:
        if name not in sample.parameters:
            raise ResultError(
                f"`{sample.metric.name}` does not depend on `{name}`", hint=nearest(name, sample.parameters)
            )
    frame = sample.measured
    groups: dict[tuple[object, ...], list[float]] = {}
    keys = zip(*(frame[name] for name in by), strict=True) if by else [()] * len(frame)
    for key, value in zip(keys, frame[VALUE], strict=True):
        groups.setdefault(tuple(None if is_absent(one) else one for one in key), []).append(value)
    place = [{level: number for number, level in enumerate(sample.parameters[name].levels)} for name in by]
    ordered = sorted(groups, key=lambda key: [one[value] for one, value in zip(place, key, strict=True)])
    rows = [(*key, *_described(np.array(groups[key]), interval, confidence)) for key in ordered]
    return pd.DataFrame(rows, columns=[*by, "count", "mean", "sd", "low", "high"])


def _described(values: np.ndarray, interval: Interval, confidence: float) -> tuple[int, float, float, float, float]:
    count, mean = len(values), float(values.mean())
    sd = float(values.std(ddof=1)) if count > 1 else float("nan")
    if interval == "range":
        return count, mean, sd, float(values.min()), float(values.max())
    if interval == "none":
        return count, mean, sd, float("nan"), float("nan")
    half = sd if interval == "sd" else _half_width(count, sd, confidence)
    return count, mean, sd, mean - half, mean + half


def _half_width(count: int, sd: float, confidence: float) -> float:
    return float(stats.t.ppf((1 + confidence) / 2, count - 1) * sd / np.sqrt(count)) if count > 1 else float("nan")
