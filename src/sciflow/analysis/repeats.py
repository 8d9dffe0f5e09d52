"""Repeats: several values of the same thing become one number and how sure it is."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Literal, get_args

import numpy as np
import pandas as pd
from scipy import special

from sciflow.analysis.bootstrap import bootstrap_bounds
from sciflow.analysis.levels import groups_of
from sciflow.analysis.moments import scale_of
from sciflow.analysis.observations import VALUE, Sample
from sciflow.errors import ResultError

Interval = Literal["t", "bootstrap", "sd", "range", "none"]
_COLUMNS = ("count", "mean", "sd", "low", "high")
Numbers = np.ndarray


def means(
    sample: Sample,
    by: Sequence[str],
    interval: Interval = "t",
    confidence: float = 0.95,
    quantiles: Sequence[float] = (),
) -> pd.DataFrame:
    """One row for each group of equal values of some parameters: how many values it has, their mean, their spread.

    Parameters
    ----------
    sample
        The values.
    by
        Parameters of it; rows are in the order of their levels, the first varying slowest.
    interval
        What ``low`` and ``high`` are: a confidence interval of the mean by Student's t or by bootstrap, the standard
        deviation on either side, the smallest and the largest value, or nothing.
    confidence
        For intervals that have one.
    quantiles
        Shares from 0 to 1, each of which becomes a column: 0.5 is ``50%``, the median.

    Returns
    -------
    pandas.DataFrame
        The columns of `by`, then ``count``, ``mean``, ``sd`` (NaN of a single value), ``low``, ``high`` (NaN where
        there is no interval), and those of `quantiles`. A group without a finite value is left out.

    Raises
    ------
    ResultError
        For a parameter that the metric does not depend on, or where no value is a finite number.
    """
    _check(sample, by, interval, confidence, quantiles)
    frame = sample.measured
    codes = [sample.codes(name)[np.isfinite(sample.values)] for name in by]
    order, starts = groups_of(codes, len(frame))
    values = np.asarray(frame[VALUE], dtype=float)[order]
    count, mean, sd = _moments(values, starts)
    low, high = _bounds(values, starts, (count, mean, sd), interval, confidence)
    columns: dict[str, object] = {}
    for name, own in zip(by, codes, strict=True):
        columns[name] = [sample.parameters[name].levels[code] for code in own[order[starts]].tolist()]
    columns |= dict(zip(_COLUMNS, (count, mean, sd, low, high), strict=True))
    if quantiles:
        parts = np.empty((len(quantiles), len(starts)))
        for groups, there in _by_size(values, starts, count):
            parts[:, groups] = np.quantile(there, quantiles, axis=1)
        columns |= {quantile_name(share): parts[place] for place, share in enumerate(quantiles)}
    return pd.DataFrame(columns)


def quantile_name(share: float) -> str:
    """The column of a quantile: ``50%`` for 0.5."""
    return f"{100 * share:.10g}%"


def _check(sample: Sample, by: Sequence[str], interval: str, confidence: float, quantiles: Sequence[float]) -> None:
    for name in by:
        sample.parameter(name)
        if name in _COLUMNS:
            raise ResultError(
                f"there can be no means by `{name}`: a column of theirs is called so, too",
                hint=f"give the parameter another name; {', '.join(f'`{one}`' for one in _COLUMNS)} are taken",
            )
    if interval not in get_args(Interval):
        raise ResultError(f"`interval` is {interval!r}", hint=f"known are {', '.join(get_args(Interval))}")
    if not 0 < confidence < 1:
        raise ResultError(f"`confidence` is {confidence!r}", hint="give a number between 0 and 1, such as 0.95")
    for share in quantiles:
        if not 0 <= share <= 1:
            raise ResultError(f"a quantile is {share!r}", hint="give shares from 0 to 1; 0.5 is the median")


def _moments(values: Numbers, starts: Numbers) -> tuple[Numbers, Numbers, Numbers]:
    """Count, mean and standard deviation of each group."""
    count = np.diff(np.append(starts, len(values)))
    least, most = np.minimum.reduceat(values, starts), np.maximum.reduceat(values, starts)
    # Sums of equal values are rounded; they are constant all the same.
    scale = scale_of(values)
    scaled = values / scale
    mean = np.where(least == most, least / scale, np.add.reduceat(scaled, starts) / count)
    squares = np.add.reduceat((scaled - np.repeat(mean, count)) ** 2, starts)
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
        sd = np.where(count > 1, np.sqrt(squares / (count - 1)), np.nan)
        return count, mean * scale, sd * scale


def _bounds(
    values: Numbers, starts: Numbers, moments: tuple[Numbers, Numbers, Numbers], interval: Interval, confidence: float
) -> tuple[Numbers, Numbers]:
    count, mean, sd = moments
    if interval == "none":
        return np.full(len(mean), np.nan), np.full(len(mean), np.nan)
    if interval == "range":
        return np.minimum.reduceat(values, starts), np.maximum.reduceat(values, starts)
    if interval == "bootstrap":
        return _bootstrapped(values, starts, count, confidence)
    half = sd
    if interval == "t":
        with np.errstate(invalid="ignore", over="ignore"):  # Student's t knows no single value
            half = special.stdtrit(np.maximum(count - 1, 1), (1 + confidence) / 2) * (sd / np.sqrt(count))
    with np.errstate(over="ignore"):  # what no float can hold is infinite
        return mean - half, mean + half


def _bootstrapped(values: Numbers, starts: Numbers, count: Numbers, confidence: float) -> tuple[Numbers, Numbers]:
    low, high = np.empty(len(starts)), np.empty(len(starts))
    for groups, there in _by_size(values, starts, count):
        low[groups], high[groups] = bootstrap_bounds(there, confidence)
    return low, high


def _by_size(values: Numbers, starts: Numbers, count: Numbers) -> Iterator[tuple[Numbers, Numbers]]:
    """Groups of the same size, each time with a row of values for each."""
    for size in np.unique(count).tolist():
        groups = np.flatnonzero(count == size)
        yield groups, values[starts[groups][:, None] + np.arange(size)]
