"""Trends: whether a metric rises or falls all the way with a number, other factors held fixed.

Within each combination of the other factors the means over repeats are ranked against the levels; the counts of rising
and falling pairs are added up over all of them (Mann, 1945; Kendall, 1975; of several groups: Hirsch, Slack and Smith,
1982). The slope is the median of the slopes of all such pairs (Sen, 1968).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats

from sciflow.analysis.observations import VALUE, Parameter, Sample, is_absent
from sciflow.analysis.statistics.finding import Finding, gaps
from sciflow.analysis.statistics.layout import move_together
from sciflow.analysis.statistics.multiple import holm
from sciflow.errors import ResultError

_MOST_FOR_SLOPES = 500  # points of a group of which all pairs are looked at
_COLUMNS = ["factor", "direction", "tau", "spearman", "slope", "groups", "rising", "falling", "p"]


@dataclass(frozen=True, eq=False, repr=False)
class Trends(Finding):
    """How a metric goes with each factor that is a number.

    Attributes
    ----------
    table
        One row per factor, the clearest trend first: ``factor``, ``direction`` (``rises``, ``falls``, or ``neither``
        where chance would do as well), ``tau`` (Kendall: from -1 to 1), ``spearman`` (the mean over groups), ``slope``,
        ``groups`` (combinations of other factors with two levels at least), ``rising`` and ``falling`` (in how many of
        them the metric does so all the way), ``p``, ``p_holm``.
    """

    table: pd.DataFrame

    def frame(self) -> pd.DataFrame:
        """One row per factor."""
        return self.table

    @property
    def title(self) -> str:
        """What this is."""
        return f"trends of {self.metric.name}"


def trends(sample: Sample, significance: float = 0.05) -> Trends:
    """Look for monotone trends along each factor that is a number.

    Parameters
    ----------
    sample
        The values.
    significance
        Below which p, corrected for the number of factors, a trend is told as one.

    Raises
    ------
    ResultError
        Where the metric is no number or has none, or no factor is a number.
    """
    frame, notes = sample.measured, gaps(sample)
    factors = [one for one in sample.factors if one.kind == "number"]
    if not factors:
        raise ResultError(
            f"no factor of `{sample.metric.name}` is a number, so nothing can rise or fall with it",
            hint="categories have effects: `effects`, `anova`",
        )
    rows = []
    for factor in factors:
        found = _trend(frame, factor, _held(frame, factor, sample.factors))
        if found is None:
            notes.append(f"`{factor.name}` never varies while other factors are fixed: its trend cannot be told")
            continue
        rows.append((factor.name, "", *found))
    if any(one.is_sampled for one in factors):
        notes.append("sampled parameters vary all at once: they are not held fixed for each other")
    table = pd.DataFrame(rows, columns=_COLUMNS)
    corrected = holm(table["p"].to_numpy(float))
    directions = [_direction(row[2:], p, significance) for row, p in zip(rows, corrected, strict=True)]
    table = table.assign(direction=directions, p_holm=corrected)
    order = np.argsort(-np.abs(table["tau"].to_numpy(float)), kind="stable")
    return Trends(sample.metric, sample.finite, table.iloc[order].reset_index(drop=True), notes=tuple(notes))


def _direction(found: tuple[float, ...], p: float, significance: float) -> str:
    tau = found[0]
    # A handful of points cannot be significant, but where all groups agree all the way there is no doubt of what is.
    groups, rising, falling = found[3:6]
    if groups == rising or (p < significance and tau > 0):
        return "rises"
    if groups == falling or (p < significance and tau < 0):
        return "falls"
    return "neither"


def _held(frame: pd.DataFrame, factor: Parameter, factors: list[Parameter]) -> list[str]:
    """The factors that are held fixed: all others that vary freely of it, and were not drawn with it."""
    own = pd.factorize(frame[factor.name])[0]
    held = []
    for other in factors:
        if other.name == factor.name or (factor.is_sampled and other.is_sampled):
            continue
        if not move_together(own, pd.factorize(frame[other.name], use_na_sentinel=False)[0]):
            held.append(other.name)
    return held


def _trend(frame: pd.DataFrame, factor: Parameter, held: list[str]) -> tuple[float, ...] | None:
    groups: dict[tuple[object, ...], dict[float, list[float]]] = {}
    keys = zip(*(frame[name] for name in held), strict=True) if held else [()] * len(frame)
    for key, level, value in zip(keys, frame[factor.name], frame[VALUE], strict=True):
        if not is_absent(level):
            of_group = groups.setdefault(tuple(None if is_absent(one) else one for one in key), {})
            of_group.setdefault(float(level), []).append(value)
    score = variance = pairs = 0.0
    rising = falling = 0
    rhos, slopes = [], []
    useful = [one for one in groups.values() if len(one) > 1]
    for levels in useful:
        x = np.array(sorted(levels))
        y = np.array([sum(levels[one]) / len(levels[one]) for one in x])
        s, spread = _mann_kendall(y)
        score, variance, pairs = score + s, variance + spread, pairs + len(x) * (len(x) - 1) / 2
        steps = np.diff(y)
        rising, falling = rising + bool((steps > 0).all()), falling + bool((steps < 0).all())
        rhos.append(_coefficient(stats.spearmanr(x, y)) if np.ptp(y) > 0 else 0.0)
        slopes.append(_slopes(x, y))
    if not useful:
        return None
    z = (score - np.sign(score)) / np.sqrt(variance) if variance > 0 else 0.0
    p = float(2 * stats.norm.sf(abs(z)))
    slope = float(np.median(np.concatenate(slopes)))
    return score / pairs, float(np.mean(rhos)), slope, len(useful), rising, falling, p


def _mann_kendall(y: np.ndarray) -> tuple[float, float]:
    """Rising pairs less falling ones, and the variance of that by chance, with ties."""
    n = len(y)
    ties = np.unique(y, return_counts=True)[1].astype(float)
    tied = float(np.sum(ties * (ties - 1) / 2))
    whole = n * (n - 1) / 2
    if tied == whole:
        return 0.0, 0.0
    tau = _coefficient(stats.kendalltau(np.arange(n), y))
    score = round(tau * np.sqrt(whole * (whole - tied)))
    variance = (n * (n - 1) * (2 * n + 5) - float(np.sum(ties * (ties - 1) * (2 * ties + 5)))) / 18
    return float(score), variance


def _coefficient(result: Any) -> float:
    return float(result.statistic)


def _slopes(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    if len(x) > _MOST_FOR_SLOPES:
        chosen = np.linspace(0, len(x) - 1, _MOST_FOR_SLOPES).astype(int)
        x, y = x[chosen], y[chosen]
    first, second = np.triu_indices(len(x), 1)
    return (y[second] - y[first]) / (x[second] - x[first])
