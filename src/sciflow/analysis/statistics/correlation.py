"""Correlations of a metric with parameters and with other metrics.

Pearson's r tells straight lines, Spearman's rho and Kendall's tau-b anything that goes one way, and the correlation
ratio eta (Pearson, 1905) how far a category tells a number. p is of Spearman's rho, for categories of the test of
Kruskal and Wallis (1952); `p_holm` is corrected for the number of rows (Holm, 1979).
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats

from sciflow.analysis.observations import VALUE, Metric, Observations, is_absent
from sciflow.analysis.statistics.finding import Finding, gaps, sample_of
from sciflow.analysis.statistics.multiple import holm

_FEWEST = 3
_COLUMNS = ["with", "what", "count", "pearson", "spearman", "kendall", "correlation_ratio", "p"]


@dataclass(frozen=True, eq=False, repr=False)
class Correlations(Finding):
    """How a metric goes with parameters and with other metrics.

    Attributes
    ----------
    table
        One row each, the strongest first: ``with`` (a name), ``what`` (``parameter`` or ``metric``), ``count``,
        ``pearson``, ``spearman``, ``kendall`` (of numbers), ``correlation_ratio`` (of categories), ``p``, ``p_holm``.
    """

    table: pd.DataFrame

    def frame(self) -> pd.DataFrame:
        """One row for each parameter and metric."""
        return self.table

    @property
    def title(self) -> str:
        """What this is."""
        return f"correlations with {self.metric.name}"


def correlations(observations: Observations, metric: str, minimum_coverage: float = 0.0) -> Correlations:
    """Correlate a metric with all parameters on which it depends, and with all other metrics that are numbers.

    Parameters
    ----------
    observations
        Where they come from.
    metric
        The metric; each of its instances counts once.
    minimum_coverage
        The share of its values that must be there.

    Raises
    ------
    ResultError
        Where the metric is no number, or too little of it is there.
    """
    sample = sample_of(observations, metric, minimum_coverage)
    frame, notes = sample.measured, gaps(sample)
    values = frame[VALUE].to_numpy(float)
    rows = []
    for parameter in sample.parameters.values():
        if parameter.is_repeat or len(parameter.levels) < 2:
            continue
        column = [None if is_absent(one) else one for one in frame[parameter.name]]
        rows.append((parameter.name, "parameter", *_compared(column, parameter.kind == "number", values)))
    for name, first, second in _pairs_of_metrics(observations, sample.metric, notes):
        rows.append((name, "metric", *_compared(list(second), True, first)))
    table = pd.DataFrame(rows, columns=_COLUMNS)
    if np.ptp(values) == 0:
        notes.append(f"all values are {values[0]:.6g}: they go with nothing")
    strength = np.fmax(table["spearman"].abs().to_numpy(float), table["correlation_ratio"].to_numpy(float))
    table = table.assign(p_holm=holm(table["p"].to_numpy(float)))
    order = np.argsort(-np.nan_to_num(strength, nan=-1.0), kind="stable")
    return Correlations(sample.metric, sample.finite, table.iloc[order].reset_index(drop=True), notes=tuple(notes))


def correlation_ratio(codes: np.ndarray, values: np.ndarray) -> float:
    """eta: the root of the share of the variance that lies between categories; NaN where nothing varies."""
    counts = np.bincount(codes)
    deviations = values - values.mean()
    sums, total = np.bincount(codes, deviations), float(deviations @ deviations)
    there = counts > 0
    return float(np.sqrt(np.sum(sums[there] ** 2 / counts[there]) / total)) if total > 0 else float("nan")


def _compared(column: list[Any], is_number: bool, values: np.ndarray) -> tuple[int, float, float, float, float, float]:
    """Count, Pearson, Spearman, Kendall, correlation ratio and p."""
    none = float("nan")
    if is_number:
        there = np.array([one is not None and bool(np.isfinite(one)) for one in column])
        numbers, others = np.array([one for one, ok in zip(column, there, strict=True) if ok], float), values[there]
        if len(numbers) < _FEWEST or np.ptp(numbers) == 0 or np.ptp(others) == 0:
            return len(numbers), none, none, none, none, none
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", stats.ConstantInputWarning)
            warnings.simplefilter("ignore", stats.NearConstantInputWarning)
            pearson, spearman = stats.pearsonr(numbers, others), stats.spearmanr(numbers, others)
            kendall = stats.kendalltau(numbers, others)
        found = (_first(pearson), _first(spearman), _first(kendall))
        return len(numbers), *found, none, float(spearman.pvalue)  # pyright: ignore[reportAttributeAccessIssue]
    place = {one: number for number, one in enumerate(dict.fromkeys(column))}
    codes = np.array([place[one] for one in column])
    groups = [values[codes == number] for number in range(len(place))]
    p = none
    if len(groups) > 1 and len(values) > len(groups) and np.ptp(values) > 0:
        p = float(stats.kruskal(*groups).pvalue)
    return len(values), none, none, none, correlation_ratio(codes, values), p


def _first(result: Any) -> float:
    return float(result.statistic)


def _pairs_of_metrics(
    observations: Observations, metric: Metric, notes: list[str]
) -> Iterator[tuple[str, np.ndarray, np.ndarray]]:
    """Each other metric with the values of both, at each combination of what any of them depends on, once."""
    left_out = []
    for other in observations.metrics.values():
        if other.name == metric.name:
            continue
        if not observations.sample(other.name).is_numeric:
            left_out.append(other.name)
            continue
        names = [one for one in observations.parameters if one in {*metric.parameters, *other.parameters}]
        frame = observations.frame.dropna(subset=[metric.name, other.name])
        frame = frame.drop_duplicates(subset=names) if names else frame.head(1)
        both = frame.assign(**{one: frame[one].to_numpy(float) for one in (metric.name, other.name)})
        both = both.loc[np.isfinite(both[metric.name]) & np.isfinite(both[other.name])]
        shared = [one for one in names if one in _told_by(observations, metric) & _told_by(observations, other)]
        if len(shared) < len(names):
            # Values that one of them has once must not count as often as the other varies.
            pair = [metric.name, other.name]
            groups = both.groupby(shared, dropna=False, sort=False) if shared else both.groupby(lambda _: 0)
            both = groups[pair].mean()
            told = (
                f"by {' and '.join(shared)}, on which both depend" if shared else "by nothing: they share no parameter"
            )
            notes.append(f"{other.name}: means are compared {told}")
        yield other.name, both[metric.name].to_numpy(float), both[other.name].to_numpy(float)
    if left_out:
        notes.append(f"no numbers, so left out: {', '.join(left_out)}")


def _told_by(observations: Observations, metric: Metric) -> set[str]:
    """The parameters that an instance of a metric has one value of: its own, and what follows from these."""
    own = set(metric.parameters)
    return own | {name for name, one in observations.parameters.items() if one.behind and own.issuperset(one.behind)}
