"""Summaries: metrics in numbers, each with how many of how many values it has."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from sciflow.analysis.levels import codes_of, groups_of
from sciflow.analysis.moments import moments
from sciflow.analysis.observations import VALUE, Coverage, Observations, Parameter, Sample
from sciflow.analysis.repeats import Interval, means
from sciflow.errors import ResultError

_COLUMNS = ("of", "count", "mean", "sd", "low", "high", "min", "median", "max")
_QUANTILES = {"min": 0.0, "25%": 0.25, "median": 0.5, "75%": 0.75, "max": 1.0}


@dataclass(frozen=True, eq=False)
class Summary:
    """Metrics in numbers.

    Attributes
    ----------
    metric
        Whose summary this is; None where it is that of all.
    by
        The parameters whose values have a row each.
    numbers
        One row per group, or per metric; see `frame`.
    coverage
        How many values there are, of how many there could be: an infinite one is there, NaN is not. Of all metrics
        those of the one with the least.
    notes
        What a reader should know: gaps, and over what a mean is taken.
    """

    metric: str | None
    by: tuple[str, ...]
    numbers: pd.DataFrame
    coverage: Coverage
    notes: tuple[str, ...]

    def frame(self) -> pd.DataFrame:
        """One row per group, or per metric.

        It says ``count`` finite values ``of`` so many that there could be, and of them mean, standard deviation,
        interval (``low`` to ``high``), and quantiles. What there is not is NaN.
        """
        return self.numbers

    def shown(self) -> pd.DataFrame:
        """The same for a reader: without the columns of an interval where there is none at all."""
        empty = [
            name
            for name in ("low", "high")
            if name in self.numbers and not np.isfinite(self.numbers[name].to_numpy(float)).any()
        ]
        return self.numbers.drop(columns=empty)

    def __str__(self) -> str:
        text = self.shown().to_string(index=False, float_format=lambda one: f"{one:.6g}", na_rep="")
        return "\n".join([text, *[f"({note})" for note in self.notes]])

    def __repr__(self) -> str:
        return str(self)

    def _repr_html_(self) -> str:
        import html

        return self.shown().to_html(index=False) + "".join(f"<p>{html.escape(note)}</p>" for note in self.notes)


def summary(
    observations: Observations,
    metric: str,
    by: Sequence[str] | None = None,
    interval: Interval | None = None,
    confidence: float = 0.95,
    minimum_coverage: float = 0.0,
) -> Summary:
    """A metric per value of some parameters, or per combination of all that do more than repeat.

    Parameters
    ----------
    observations
        Of which.
    metric
        Which one.
    by
        Parameters; every combination of their values that there is has a row.
    interval, confidence
        What ``low`` and ``high`` are, as in `means`. By default ``t`` where the mean is over nothing but repeats and
        what was drawn, and nothing where it is over levels that were chosen: these are no random draws.
    minimum_coverage
        The share of the values that must be there.

    Raises
    ------
    ResultError
        For unknown names, a metric that is no number, and where less is there than is asked for.
    """
    sample = observations.sample(metric)
    sample.coverage.check(minimum_coverage, f"`{sample.metric.name}`")
    names = [one.name for one in sample.axes] if by is None else list(by)
    _check(sample, names)
    pooled = _pooled(sample, names)
    chosen = [one for one in pooled if not one.is_sampled]
    how = interval or ("none" if chosen else "t")
    found = means(sample, names, how, confidence, [_QUANTILES[name] for name in ("min", "median", "max")])
    found = found.set_axis([*names, "count", "mean", "sd", "low", "high", "min", "median", "max"], axis=1)
    codes = [sample.codes(name) for name in names]
    order, starts = groups_of(codes, len(sample.frame))
    totals = np.diff(np.append(starts, len(order)))
    keys = list(zip(*(code[order[starts]].tolist() for code in codes), strict=True)) if names else [()]
    there = [codes_of(found[name], sample.parameters[name].levels).tolist() for name in names]
    place = {key: row for row, key in enumerate(zip(*there, strict=True))} if names else {(): 0}
    rows = [place.get(key, -1) for key in keys]
    frame = pd.DataFrame({n: [sample.parameters[n].levels[key[i]] for key in keys] for i, n in enumerate(names)})
    frame["count"] = [int(found["count"].iloc[row]) if row >= 0 else 0 for row in rows]
    frame["of"] = totals
    for name in ("mean", "sd", "low", "high", "min", "median", "max"):
        values = np.append(found[name].to_numpy(dtype=float), np.nan)  # row -1: a group without any value
        frame[name] = values[rows]
    notes = [*observations.notes, _coverage_note(sample), _told(pooled, chosen, how, interval is None)]
    return Summary(sample.metric.name, tuple(names), frame, sample.coverage, tuple(filter(None, notes)))


def overview(observations: Observations, minimum_coverage: float = 0.0) -> Summary:
    """All metrics in numbers, a row for each.

    Parameters
    ----------
    observations
        Of which.
    minimum_coverage
        The share of the values that each metric must have.

    Raises
    ------
    ResultError
        Where there is no metric at all, or less is there than is asked for.
    """
    if not observations.metrics:
        raise ResultError(
            f"there is no metric in these results, of which {observations.coverage} combinations are completed",
            hint="tasks give metrics by what they return, or by `extract`",
        )
    rows, notes, coverages = [], [*observations.notes], []
    for metric in observations.metrics.values():
        sample = observations.sample(metric.name)
        sample.coverage.check(minimum_coverage, f"`{metric.name}`")
        coverages.append(sample.coverage)
        finite = sample.values[np.isfinite(sample.values)] if sample.is_numeric else np.empty(0)
        rows.append({"metric": metric.name, "task": metric.task, "unit": metric.unit or "", **_numbers(sample, finite)})
        if not sample.is_numeric:
            notes.append(f"{metric.name}: no numbers, {sample.frame[VALUE].nunique()} different values")
        notes.append(_coverage_note(sample))
    least = min(coverages, key=lambda one: one.share)
    return Summary(None, (), pd.DataFrame(rows), least, tuple(filter(None, notes)))


def _numbers(sample: Sample, finite: np.ndarray) -> dict[str, object]:
    counts: dict[str, object] = {"count": sample.coverage.present, "of": sample.coverage.total}
    if sample.is_numeric:
        counts["count"] = len(finite)  # what mean and quantiles are of; the rest is told in a note
    if not len(finite):
        return counts | dict.fromkeys(("mean", "sd", *_QUANTILES), np.nan)
    _, mean, sd = (float(one[0]) for one in moments(np.zeros(len(finite), dtype=int), finite, 1))
    quantiles = np.quantile(finite, list(_QUANTILES.values())).tolist()
    return counts | {"mean": mean, "sd": sd, **dict(zip(_QUANTILES, quantiles, strict=True))}


def _check(sample: Sample, names: Sequence[str]) -> None:
    for name in names:
        sample.parameter(name)
        if name in _COLUMNS:
            raise ResultError(
                f"there can be no summary by `{name}`: a column of it is called so, too",
                hint=f"give the parameter another name; {', '.join(f'`{one}`' for one in _COLUMNS)} are taken",
            )


def _coverage_note(sample: Sample) -> str:
    gaps = sample.described_gaps()
    return f"{sample.metric.name}: {gaps}" if gaps else ""


def _pooled(sample: Sample, shown: Sequence[str]) -> list[Parameter]:
    """Over which factors means are taken."""
    return [one for one in sample.factors if one.name not in shown and not sample.is_followed(one.name, shown)]


def _told(pooled: Sequence[Parameter], chosen: Sequence[Parameter], interval: Interval, is_default: bool) -> str:
    """What the numbers are of where means are over factors; levels that were chosen are no random draws."""
    if not pooled:
        return ""
    told = f"taken together: {', '.join(f'{one.name} ({len(one.levels)} values)' for one in pooled)}"
    names = " and ".join(one.name for one in chosen)
    if chosen and interval in ("t", "bootstrap"):
        return f"{told}; the interval treats the values over {names} as if they were drawn at random"
    text = f"{told}; the spread is that of all these, not of repeats alone"
    return f"{text}, and the mean has no interval: {names} did not vary by chance" if chosen and is_default else text
