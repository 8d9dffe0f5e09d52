"""Which figures show what was measured, where nobody has said which."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pandas as pd

from sciflow.analysis.observations import VALUE, Observations, Parameter, Sample
from sciflow.analysis.table import RunTable
from sciflow.figures.gallery import Wish
from sciflow.figures.logged import ENDING
from sciflow.figures.numbers import Source
from sciflow.figures.style import MOST_SERIES
from sciflow.model.visualization import Visualization
from sciflow.store.results import ARRAYS

MOST = 8  # figures; who wants more says which
_MOST_METRICS = 3  # that have a figure of their own
_MOST_OF_PAIRS = 5  # metrics that are shown against each other
_MOST_FACETS = 9
_FEW = 2  # levels that make no line
_MANY = 4  # levels on both axes that make a map
_REPEATS_OF_A_BOX = 5
_POINTS_OF_PAIRS = 8
_SPAN_OF_LOG = 100.0


def automatic(source: Source, metrics: Sequence[str] | None = None) -> list[Wish]:
    """The figures that show most of what was measured, at most `MOST`; the same for the same observations.

    Parameters
    ----------
    source
        What was measured.
    metrics
        Those that are to be shown; by default all.

    Raises
    ------
    ResultError
        For an unknown metric, or one that is asked for and has no numbers.
    """
    observations = source.observations
    if metrics is not None:
        for name in metrics:
            _ = observations.sample(name).measured
    samples = [observations.sample(one) for one in (observations.metrics if metrics is None else metrics)]
    shown = sorted(filter(_is_shown, samples), key=_is_constant)  # what differs comes first
    wishes = [wish for one in shown[:_MOST_METRICS] for wish in _of_metric(one, is_alone=len(shown) == 1)]
    wishes += [wish for one in shown[:1] for wish in _of_many_factors(one)]
    wishes += _of_pairs(observations, shown)
    if metrics is None:
        wishes = [*wishes[: MOST - 4], *_of_run(source)] if source.table is not None else [*wishes, *_states(source)]
    return wishes[:MOST]


def name_of(wanted: Visualization) -> str:
    """What a figure is called that nobody has named; it can be the name of a file."""
    values = "-and-".join(wanted.shown[:2])
    by = [one for one in (wanted.x_axis, wanted.y_axis, wanted.series, *wanted.facet_by) if one]
    parts = [wanted.type, values, *(["by", "-".join(by)] if by else []), *([wanted.task] if wanted.task else [])]
    return re.sub(r"[^\w.-]+", "_", "-".join(filter(None, parts)))[:100]


def _wish(reason: str, **options: Any) -> Wish:
    wanted = Visualization.model_validate(options)
    return Wish(name_of(wanted), wanted, reason)


def _is_shown(sample: Sample) -> bool:
    return sample.is_numeric and bool(np.isfinite(sample.values).any())


def _is_constant(sample: Sample) -> bool:
    values = sample.measured[VALUE]
    return bool((values == values.iloc[0]).all())


def _of_metric(sample: Sample, is_alone: bool) -> Iterator[Wish]:
    """How one metric depends on the parameters: on all, or on those with the largest effect."""
    factors = by_effect(sample)
    if not factors:
        repeats = [sample.parameters[name] for name in sample.repeats if len(sample.parameters[name].levels) > 1]
        for one in repeats[:1]:
            yield _wish("it differs by repeats alone", type="bar", value=sample.metric.name, x_axis=one.name)
    elif any(one.is_sampled for one in factors):
        yield from _of_samples(sample, factors)
    elif len(factors) == 1:
        yield _of_one(sample, factors[0])
    else:
        yield from _of_grid(sample, factors, is_alone)


def _of_one(sample: Sample, factor: Parameter) -> Wish:
    told, more = f"`{factor.name}` is the only parameter with several values", _value_scale(sample)
    options: dict[str, Any] = {"value": sample.metric.name, "x_axis": factor.name, **more}
    if factor.kind == "number" and len(factor.levels) > _FEW and None not in factor.levels:
        return _wish(f"{told}, all numbers", type="line", **options, **_x_scale(factor))
    count = math.prod(len(sample.parameters[name].levels) for name in sample.repeats)
    if count >= _REPEATS_OF_A_BOX:
        return _wish(f"{told}, and there are {count} repeats of each", type="box", **options)
    return _wish(told, type="bar", **options)


def _of_samples(sample: Sample, factors: Sequence[Parameter]) -> Iterator[Wish]:
    metric, told = sample.metric.name, "values were sampled"
    strongest = factors[0]
    if strongest.kind == "number":
        options: dict[str, Any] = {"value": metric, "x_axis": strongest.name, **_value_scale(sample)}
        why = f"{told}; `{strongest.name}` goes with it most" if len(factors) > 1 else told
        yield _wish(why, type="scatter", **options, **_x_scale(strongest))
    else:
        yield _wish(told, type="box", value=metric, x_axis=strongest.name)
    if len(factors) > 1:
        yield _wish(f"{told} of {len(factors)} parameters", type="parallel", value=metric)


def _of_grid(sample: Sample, factors: Sequence[Parameter], is_alone: bool) -> Iterator[Wish]:
    """A line along one parameter for each value of another, or a map of two."""
    metric, (first, second) = sample.metric.name, factors[:2]
    told = (
        "two parameters have several values"
        if len(factors) == 2
        else f"of {len(factors)} parameters, `{first.name}` and `{second.name}` have the largest effects"
    )
    x, series = _axes_of_line(first, second)
    scale = _value_scale(sample)
    facet = [one.name for one in factors[2:] if len(factors) == 3 and len(one.levels) <= _MOST_FACETS]
    is_line = x.kind == "number" and len(x.levels) > _FEW and None not in x.levels
    if len(series.levels) <= MOST_SERIES:
        kind, along = ("line", _x_scale(x)) if is_line else ("bar", {})
        options: dict[str, Any] = {"value": metric, "x_axis": x.name, "series": series.name, "facet_by": facet}
        yield _wish(told, type=kind, **options, **along, **scale)
    if len(series.levels) > MOST_SERIES or (is_alone and min(len(x.levels), len(series.levels)) >= _MANY):
        options = {"value": metric, "x_axis": x.name, "y_axis": series.name, "facet_by": facet}
        yield _wish(f"{told}, each of them many", type="heatmap", **options, **scale)


def _axes_of_line(first: Parameter, second: Parameter) -> tuple[Parameter, Parameter]:
    """Which is along the axis: the one that is numbers, or has more values."""
    return max(((first, second), (second, first)), key=lambda pair: (pair[0].kind == "number", len(pair[0].levels)))


def _of_many_factors(sample: Sample) -> Iterator[Wish]:
    if len(sample.factors) > 2:
        told = f"{len(sample.factors)} parameters have several values"
        yield _wish(told, type="main_effects", value=sample.metric.name)


def _of_pairs(observations: Observations, shown: Sequence[Sample]) -> Iterator[Wish]:
    varied = [one.metric.name for one in shown if not _is_constant(one)][:_MOST_OF_PAIRS]
    if len(varied) > 1 and observations.coverage.present >= _POINTS_OF_PAIRS:
        yield _wish(f"{len(varied)} metrics may go together", type="pairs", values=varied)


def _states(source: Source) -> Iterator[Wish]:
    coverage = source.observations.coverage
    if not coverage.is_complete and any(len(one.levels) > 1 for one in source.observations.parameters.values()):
        missing = coverage.total - coverage.present
        yield _wish(f"{missing} of {coverage.total} combinations are not completed", type="states")


def _series(table: RunTable) -> Iterator[Wish]:
    """The first series that a task has logged."""
    tables = table.tables
    if not (tables.is_kept or ARRAYS in tables.by_name):
        return
    arrays = tables.table(ARRAYS)
    for task, name in zip(arrays.get("task", []), arrays.get("name", []), strict=True):
        if name.endswith(ENDING):
            told = f"`{task}` logs it step by step"
            yield _wish(told, type="convergence", value=name.removesuffix(ENDING), task=task)
            return


def _of_run(source: Source) -> Iterator[Wish]:
    assert source.table is not None
    yield from _series(source.table)
    yield from _states(source)
    if source.table.tables.attempts.count > 1:
        yield _wish("how it went over time", type="timeline")
        yield _wish("what was asked for and what was used", type="requests")


def by_effect(sample: Sample) -> list[Parameter]:
    """The parameters that may have an effect, the largest first; of equal ones that which comes first."""
    frame = sample.measured
    values = frame[VALUE].to_numpy(dtype=float)
    shares = {one.name: _share(one, frame[one.name], values) for one in sample.factors}
    return sorted(sample.factors, key=lambda one: -round(shares[one.name], 9))


def _share(factor: Parameter, column: Any, values: np.ndarray) -> float:
    """The share of the variance that goes with a parameter: squared rank correlation, or that between its levels."""
    total = float(np.var(values))
    if total <= 0 or not math.isfinite(total) or len(values) < 3:
        return 0.0
    if factor.is_sampled and factor.kind == "number":
        ranks = np.array([pd.Series(one).rank().to_numpy() for one in (column.to_numpy(dtype=float), values)])
        return float(np.corrcoef(ranks)[0, 1] ** 2) if np.ptp(ranks[0]) else 0.0
    codes, found = pd.factorize(column, use_na_sentinel=False)
    counts = np.bincount(codes, minlength=len(found))
    means = np.bincount(codes, weights=values, minlength=len(found)) / counts
    return float(np.sum(counts * (means - values.mean()) ** 2) / (len(values) * total))


def _x_scale(parameter: Parameter) -> dict[str, str]:
    """A logarithmic axis for what spans decades, in steps of factors."""
    levels = np.array([one for one in parameter.levels if one is not None], dtype=float)
    if len(levels) < 3 or not np.isfinite(levels).all() or levels.min() <= 0:
        return {}
    if levels.max() / levels.min() < _SPAN_OF_LOG:
        return {}
    steps, factors = np.diff(levels), np.diff(np.log(levels))
    is_even = np.std(factors) / factors.mean() < np.std(steps) / steps.mean()
    return {"x_scale": "log"} if is_even else {}


def _value_scale(sample: Sample) -> dict[str, str]:
    values = sample.measured[VALUE].to_numpy(dtype=float)
    if values.min() > 0 and values.max() / values.min() >= _SPAN_OF_LOG * 10:
        return {"value_scale": "log"}
    return {}
