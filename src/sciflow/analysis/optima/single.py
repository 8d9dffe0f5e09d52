"""Single values: the best combination by a metric, and what a metric is at one setting; of repeats the mean."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from sciflow.analysis.cells import plain
from sciflow.analysis.choice import level_of
from sciflow.analysis.levels import codes_of
from sciflow.analysis.moments import moments
from sciflow.analysis.observations import STATE, VALUE, Observations, Sample
from sciflow.analysis.optima.best import best_of
from sciflow.analysis.optima.optimum import optimum
from sciflow.analysis.optima.settings import roles_of
from sciflow.errors import ResultError
from sciflow.model.state import State


def optimal_parameters(observations: Observations, metric: str, maximize: bool = True) -> dict[str, Any]:
    """The completed combination with the best value of a metric, without what only repeats; of equal ones the first.

    Where the metric was measured with repeats, it is the setting with the best mean over them.

    Raises
    ------
    ResultError
        For an unknown metric, and where no completed combination has a number for it.
    """
    known = observations.metric(metric)
    _, _, repeats = roles_of(observations, set(observations.parameters))
    if set(repeats) & set(known.parameters):
        return best_of(observations, metric, maximize).parameters
    place = optimum([plain(one) for one in observations.frame[known.name]], maximize)
    if place is None:
        raise ResultError(
            f"no completed combination has a number for `{metric}` ({observations.coverage} are completed)",
            hint="see `sciflow status` for what is missing and why",
        )
    row = observations.frame.iloc[place]
    return {name: _exact(observations, name, row[name]) for name in observations.parameters if name not in repeats}


def _exact(observations: Observations, name: str, value: Any) -> Any:
    """A value as the level that it is: whole numbers beside missing ones have become floats."""
    found, levels = plain(value), observations.parameters[name].levels
    return next(
        (level for level in levels if level == found and isinstance(level, bool) == isinstance(found, bool)), found
    )


class MetricValues:
    """The values of one metric, to be asked for by parameters.

    Parameters
    ----------
    observations
        Where they are.
    metric
        Which one.
    """

    def __init__(self, observations: Observations, metric: str) -> None:
        self._observations = observations
        self._sample: Sample = observations.sample(metric)
        self._needed, _, _ = roles_of(observations, set(self._sample.parameters))
        self._codes: dict[str, np.ndarray] = {}

    def at(self, parameters: Mapping[str, Any]) -> Any:
        """The value at some parameters; where they do not say what only repeats, the mean over the repeats.

        Raises
        ------
        ResultError
            Where they are no combination, or it has no value; and where repeats gave what is no number, and not the
            same.
        """
        given, sample = dict(parameters), self._sample
        for name in given:
            self._observations.parameter(name)
        missing = [name for name in self._needed if name not in given]
        if missing:
            told = " and ".join(f"`{name}`" for name in missing)
            raise ResultError(f"{given} does not say {told}, on which `{sample.metric.name}` depends")
        levels = {name: level_of(self._observations.parameters[name], value) for name, value in given.items()}
        if not self._where(levels).any():
            raise ResultError(f"{given} is no combination of these results", hint="see `to_dataframe()`")
        rows = np.ones(len(sample.frame), dtype=bool)
        for name in sample.parameters:
            if name in levels:
                rows &= sample.codes(name) == levels[name]
        values = [plain(one) for one in sample.frame.loc[rows, VALUE]]
        if set(sample.parameters) <= set(given) or len(values) == 1:
            return self._only(given, values[0], str(sample.frame.loc[rows, STATE].iloc[0]))
        there = [one for one in values if one is not None]
        if not there:
            raise ResultError(f"none of the {len(values)} repeats of {given} has a `{sample.metric.name}`")
        return self._together(given, there)

    def _where(self, levels: Mapping[str, int]) -> np.ndarray:
        rows = np.ones(len(self._observations), dtype=bool)
        for name, level in levels.items():
            if name not in self._codes:
                known = self._observations.parameters[name].levels
                self._codes[name] = codes_of(self._observations.frame[name], known)
            rows &= self._codes[name] == level
        return rows

    def _only(self, given: Mapping[str, Any], value: Any, state: str) -> Any:
        if value is None and state != State.COMPLETED.value:
            raise ResultError(f"{given} is {state}: it has no `{self._sample.metric.name}`")
        return value

    def _together(self, given: Mapping[str, Any], values: list[Any]) -> Any:
        name = self._sample.metric.name
        if not self._sample.is_numeric:
            if any(one != values[0] for one in values):
                raise ResultError(
                    f"the repeats of {given} have different values of `{name}`, which are no numbers",
                    hint=f"say which repeat: give {' and '.join(f'`{one}`' for one in self._sample.repeats)} too",
                )
            return values[0]
        finite = np.array([float(one) for one in values if np.isfinite(one)])
        if not len(finite):
            raise ResultError(f"no repeat of {given} has a finite `{name}`")
        return float(moments(np.zeros(len(finite), dtype=int), finite, 1)[1][0])
