"""Values that belong together: metrics of one task or of several, matched at the parameters that they share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from sciflow.analysis.levels import codes_of
from sciflow.analysis.observations import STATE, VALUE, Observations, Sample, is_absent
from sciflow.errors import ResultError
from sciflow.figures.remarks import gaps
from sciflow.model.nearest import nearest

_MEAN = "the mean"  # a column beside those of parameters, which have no spaces


@dataclass(frozen=True, eq=False)
class Matched:
    """Rows in which every metric is a finite number.

    Attributes
    ----------
    rows
        The parameters of the rows; ``value`` is the row's number, so that parts of it find theirs in `values`.
    values
        Metric → its value in each row.
    notes
        What was averaged, what is the same in several rows, and what is missing.
    """

    rows: Sample
    values: dict[str, np.ndarray]
    notes: tuple[str, ...]

    def levels(self, parameter: str) -> list[Any]:
        """The level of a parameter in each row."""
        return [None if is_absent(one) else one for one in self.rows.frame[parameter]]


def known_name(observations: Observations, name: str) -> str:
    """A parameter's or a metric's name, as the observations have it.

    Raises
    ------
    ResultError
        Where there is neither.
    """
    if name in observations.parameters:
        return name
    known = [*observations.parameters, *observations.metrics]
    if name in observations.metrics or "." in name or any(one.endswith(f".{name}") for one in known):
        return observations.metric(name).name
    raise ResultError(f"`{name}` is neither a parameter nor a metric of this run", hint=nearest(name, known))


def matched(
    observations: Observations, metrics: Sequence[str], parameters: Sequence[str] = (), by: Sequence[str] | None = None
) -> Matched:
    """Match metrics at the parameters that all of them depend on, and at others that are shown.

    A metric that depends on more, as one per seed beside one that gathers over seeds, is averaged first. One that
    depends on less stands at each value of the rest. So no value meets one that was measured at other parameters.

    Parameters
    ----------
    observations
        Where they come from.
    metrics
        Which, at least one.
    parameters
        What else is shown; each metric must depend on one of them, or on what all share.
    by
        The parameters that tell rows apart, instead of those that are shared and shown.

    Raises
    ------
    ResultError
        For a parameter on which none depends, a metric that shares none with the others, one that is no number, and
        where there is no row.
    """
    samples = [observations.sample(one) for one in metrics]
    shared = [one for one in samples[0].parameters if all(one in sample.parameters for sample in samples)]
    wanted = set(by) if by is not None else {*shared, *parameters}
    keys = [name for name in observations.parameters if name in wanted]
    _check(samples, keys, parameters)
    if all(set(keys) == set(sample.parameters) == set(observations.parameters) for sample in samples):
        # Every combination is an instance of its own, so that rows are those of the observations.
        rows, numbers = np.arange(len(observations)), np.stack([sample.values for sample in samples], axis=1)
    else:
        codes = _codes(observations, observations.frame, keys)
        table = pd.DataFrame(codes, columns=keys, index=range(len(observations))).drop_duplicates()
        rows = table.index.to_numpy()
        numbers = np.stack([_means(observations, sample, table, keys) for sample in samples], axis=1)
    is_whole = np.isfinite(numbers).all(axis=1)
    if not is_whole.any():
        for sample in samples:
            _ = sample.measured  # says what is missing of it
        raise ResultError(
            f"there is no combination for which all of {_named(samples)} have a finite value",
            hint="see `sciflow status` for what is missing and why",
        )
    frame = observations.frame.reindex(columns=keys).take(rows[is_whole]).reset_index(drop=True)
    frame[VALUE], frame[STATE] = np.arange(len(frame), dtype=float), "COMPLETED"
    sample = Sample(samples[0].metric, frame, {name: observations.parameters[name] for name in keys})
    values = {sample.metric.name: numbers[is_whole, number] for number, sample in enumerate(samples)}
    return Matched(sample, values, tuple(_notes(samples, keys)))


def _check(samples: list[Sample], keys: list[str], shown: Sequence[str]) -> None:
    for name in shown:
        if not any(name in sample.parameters for sample in samples):
            one = f"`{samples[0].metric.name}` does not" if len(samples) == 1 else f"none of {_named(samples)} does"
            known = dict.fromkeys(other for sample in samples for other in sample.parameters)
            raise ResultError(f"{one} depend on `{name}`", hint=nearest(name, known))
    for sample in sorted(samples, key=lambda one: len(one.parameters)):
        if len(samples) > 1 and not any(key in sample.parameters for key in keys):
            others = [one for one in samples if one is not sample]
            raise ResultError(
                f"`{sample.metric.name}` shares no parameter with {_named(others)}: their values cannot be matched",
                hint=f"it depends on {', '.join(sample.parameters) or 'none, as it gathers over all'}",
            )


def _named(samples: Sequence[Sample]) -> str:
    return ", ".join(f"`{one.metric.name}`" for one in samples)


def _codes(observations: Observations, frame: pd.DataFrame, keys: Sequence[str]) -> dict[str, np.ndarray]:
    """Which level of its parameter each cell is: so 1, 1.0 and a missing value compare as they should."""
    return {key: codes_of(frame[key], observations.parameters[key].levels) for key in keys}


def _means(observations: Observations, sample: Sample, table: pd.DataFrame, keys: list[str]) -> np.ndarray:
    """The mean of a sample's finite values at each row of a table of levels."""
    values = sample.values
    finite = np.where(np.isfinite(values), values, np.nan)
    own = [key for key in keys if key in sample.parameters]
    if not own:
        there = finite[np.isfinite(finite)]
        return np.full(len(table), there.mean() if len(there) else np.nan)
    frame = pd.DataFrame({**_codes(observations, sample.frame, own), _MEAN: finite})
    means: Any = frame.groupby(own, sort=False, as_index=False).mean()
    return table.reindex(columns=own).merge(means, on=own, how="left")[_MEAN].to_numpy()


def _notes(samples: Sequence[Sample], keys: Sequence[str]) -> list[str]:
    notes: dict[str, list[str]] = {}
    for sample in samples:
        derived = {one.name for one in sample.parameters.values() if one.is_derived}
        hidden = [
            f"{name} ({len(one.levels)} values)"
            for name, one in sample.parameters.items()
            if name not in keys and name not in derived and len(one.levels) > 1
        ]
        if hidden:
            notes.setdefault(f"mean over {', '.join(hidden)}", []).append(sample.metric.name)
        apart = [key for key in keys if key not in sample.parameters]
        if apart:
            notes.setdefault(f"the same at each {', '.join(apart)}", []).append(sample.metric.name)
    told = [f"{', '.join(names)}: {note}" for note, names in notes.items()]
    return [*told, *filter(None, (gaps(sample) for sample in samples))]
