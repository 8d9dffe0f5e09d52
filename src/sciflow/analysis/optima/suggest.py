"""What to try next: combinations from which a fitted surrogate expects most."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy import spatial

from sciflow.analysis.cells import plain
from sciflow.analysis.observations import Observations
from sciflow.analysis.optima.improvement import log_improvement
from sciflow.analysis.optima.ranges import Encoding, Partners, Range, ranges_of
from sciflow.analysis.optima.settings import Settings, settings_of
from sciflow.analysis.optima.surrogate import Surrogate, check_installed
from sciflow.analysis.statistics.finding import as_text
from sciflow.errors import ResultError, WorkflowError
from sciflow.model.parameters import ParameterSpace

_MOST_MEASURED = 600  # settings that a surrogate is fitted to; the time goes with the third power
_CANDIDATES = 1024
_NEAR, _WIDTHS = 256, (0.15, 0.05, 0.015)
_APART = 0.02  # of the range, between those that are suggested together
_SAME = 1e-3  # of the range: nearer to what was measured nothing new is learned
_GOOD_SKILL = 0.5


@dataclass(frozen=True, eq=False)
class Suggestions:
    """What to try next, the most promising first.

    Attributes
    ----------
    metric, maximize
        What is to be improved.
    settings
        The suggested values, without what only repeats.
    combinations
        The same as whole combinations of all axes: one for each setting and repeat.
    expected, sd
        What the surrogate expects of each, and how unsure it is of that.
    skill
        How much of the metric's variance the surrogate foretells where it was not fitted; see `Surrogate.skill`.
    best
        The best that was measured: of repeats the mean.
    notes
        What a reader should know.
    """

    metric: str
    maximize: bool
    settings: tuple[Mapping[str, Any], ...]
    combinations: tuple[Mapping[str, Any], ...]
    expected: tuple[float, ...]
    sd: tuple[float, ...]
    skill: float
    best: float
    notes: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.settings)

    def frame(self) -> pd.DataFrame:
        """One row per setting: its parameters, ``NAME expected`` and ``NAME sd``."""
        frame = pd.DataFrame([dict(one) for one in self.settings])
        return frame.assign(**{f"{self.metric} expected": self.expected, f"{self.metric} sd": self.sd})

    def __str__(self) -> str:
        word = "larger" if self.maximize else "smaller"
        title = f"to try next for a {word} {self.metric} than {self.best:.6g}"
        return "\n".join([title, as_text(self.frame()), *(f"note: {one}" for one in self.notes)])

    def __repr__(self) -> str:
        return str(self)


def suggest(
    observations: Observations,
    space: ParameterSpace,
    metric: str,
    maximize: bool = True,
    *,
    count: int = 8,
    seed: int = 0,
    anyway: bool = False,
) -> Suggestions:
    """The next combinations to try, by expected improvement over the best.

    Numbers lie between those that are known, or within the distribution; whole numbers stay whole; other values are
    among the known ones. Constraints and conditions of the space hold. Each suggestion is made as if the ones before
    it had given what is expected of them, so that they do not crowd.

    Parameters
    ----------
    observations
        What was measured.
    space
        The parameter space of the workflow.
    metric, maximize
        What is to be improved, and whether it should be large.
    count
        How many settings.
    seed
        For candidates; the same seed suggests the same.
    anyway
        Also suggest where the surrogate is no better than the mean.

    Raises
    ------
    ResultError
        For names that are not there, a metric that is no number or never changes, too little that was measured, a
        surrogate that is no better than the mean, and where nothing new is left to try.
    """
    if count < 1:
        raise ResultError(f"`count` is {count}", hint="ask for one suggestion at least")
    check_installed()
    from threadpoolctl import threadpool_limits  # scikit-learn brings it

    with threadpool_limits(1):  # matrices are small: threads would mostly wait for each other
        return _suggested(observations, space, metric, maximize, count, seed, anyway)


def _suggested(
    observations: Observations,
    space: ParameterSpace,
    metric: str,
    maximize: bool,
    count: int,
    seed: int,
    anyway: bool,
) -> Suggestions:
    known = observations.metric(metric).name
    settings = settings_of(observations, [known])
    _check(settings, known, space)
    ranges = ranges_of(observations, space, settings.parameters)
    surrogate, notes = _surrogate(settings, known, ranges, _optional(space), maximize, seed)
    skill = surrogate.model.skill()
    notes += _judged(skill, known, anyway)
    mean = settings.metrics[known].mean
    rest = _rest(observations, space, settings, int(np.argmax(mean) if maximize else np.argmin(mean)))
    partners = Partners(observations, space, settings.parameters)
    search = _Search(observations, space, settings, ranges, surrogate, rest, partners, np.random.default_rng(seed))
    chosen = search.batch(count)
    if not chosen:
        raise ResultError(
            "there is nothing new to try within the known values and constraints",
            hint="extend an axis, or list more values",
        )
    if len(chosen) < count:
        notes.append(f"only {len(chosen)} of {count} are new and allowed")
    expected, sd = surrogate.model.predict(surrogate.encoding.rows(chosen))
    sign = -1.0 if maximize else 1.0
    least = float((sign * mean).min())
    if not (expected < least).any():
        notes.append("none of these is expected to be better than the best that was measured")
    return Suggestions(
        known,
        maximize,
        tuple({name: one[name] for name in settings.parameters} for one in chosen),
        tuple(_combinations(observations, space, rest, partners, chosen)),
        tuple((sign * expected).tolist()),
        tuple(sd.tolist()),
        skill,
        float(mean.max() if maximize else mean.min()),
        (*notes, *settings.notes),
    )


def _check(settings: Settings, metric: str, space: ParameterSpace) -> None:
    for name in settings.parameters:
        if name not in space.axis_names:
            raise ResultError(
                f"`{metric}` depends on `{name}`, which is derived, and not on what it follows from",
                hint="let the task use the axes themselves",
            )
    if not settings.parameters:
        raise ResultError(f"`{metric}` depends on no parameter that could be changed")
    mean = settings.metrics[metric].mean
    if len(mean) < max(5, len(settings.parameters) + 2):
        raise ResultError(
            f"{len(mean)} combinations with a value of `{metric}` are too few to learn from",
            hint=f"measure {max(5, len(settings.parameters) + 2)} at least, spread over the space",
        )
    if float(np.ptp(mean)) == 0:
        raise ResultError(f"`{metric}` is {mean[0]:g} everywhere: nothing tells where it would be better")


@dataclass(frozen=True)
class _Fitted:
    """A surrogate of costs, which are to be small, and how settings become its rows."""

    model: Surrogate
    encoding: Encoding


def _surrogate(
    settings: Settings, metric: str, ranges: Sequence[Range], optional: Sequence[str], maximize: bool, seed: int
) -> tuple[_Fitted, list[str]]:
    measured, notes = settings.metrics[metric], []
    costs = measured.mean * (-1.0 if maximize else 1.0)
    rows = np.arange(len(costs))
    if len(costs) > _MOST_MEASURED:
        best = np.argsort(costs, kind="stable")[: _MOST_MEASURED // 2]
        rest = np.setdiff1d(rows, best)
        others = np.random.default_rng(seed).choice(rest, _MOST_MEASURED - len(best), replace=False)
        rows = np.sort(np.concatenate([best, others]))
        notes.append(f"the surrogate is fitted to {_MOST_MEASURED} of {len(costs)} combinations: the best, and others")
    encoding = Encoding(ranges, optional)
    encoded = encoding.rows([_setting(settings, int(row)) for row in rows])
    pooled, freedom = measured.pooled
    noise = pooled**2 / measured.count[rows] if freedom else None
    return _Fitted(Surrogate(encoded, costs[rows], noise, seed), encoding), notes


def _setting(settings: Settings, row: int) -> dict[str, Any]:
    return {name: plain(settings.frame[name].iloc[row]) for name in settings.parameters}


def _optional(space: ParameterSpace) -> list[str]:
    axes = space.to_document()["axes"]
    return [name for name, form in axes.items() if isinstance(form, Mapping) and "when" in form]


def _judged(skill: float, metric: str, anyway: bool) -> list[str]:
    told = f"the surrogate foretells {max(skill, 0.0):.0%} of the variance of `{metric}` where it was not fitted"
    if skill <= 0 and not anyway:
        raise ResultError(
            f"{told}: it is no better than the mean, and what it suggests would be chance",
            hint="measure more combinations, or repeats; `--anyway` (anyway=True) suggests all the same",
        )
    return [f"{told}: do not trust it far"] if skill < _GOOD_SKILL else [told]


class _Search:
    """The search for settings that are new, allowed and promising."""

    def __init__(
        self,
        observations: Observations,
        space: ParameterSpace,
        settings: Settings,
        ranges: Sequence[Range],
        surrogate: _Fitted,
        rest: Mapping[str, Any],
        partners: Partners,
        generator: np.random.Generator,
    ) -> None:
        self._space, self._ranges, self._surrogate, self._rest = space, ranges, surrogate, rest
        self._partners = partners
        self._known = spatial.KDTree(surrogate.model.rows)
        self._names, self._generator = settings.parameters, generator
        columns = [[plain(one) for one in observations.frame[name]] for name in self._names]
        self._taken = set(zip(*columns, strict=True))  # also what failed: it was tried

    def batch(self, count: int) -> list[dict[str, Any]]:
        """The most promising settings, one after another, each as if the ones before had been measured."""
        model, chosen = self._surrogate.model, []
        for _ in range(count):
            found = self._most_promising(model)
            if found is None:
                break
            chosen.append(found)
            self._taken.add(self._key(found))
            model = model.believing(self._surrogate.encoding.rows([found])[0])
        return chosen

    def _most_promising(self, model: Surrogate) -> dict[str, Any] | None:
        units = self._generator.random((_CANDIDATES, len(self._ranges)))
        crowd = model.rows[len(self._surrogate.model.rows) :]
        candidates = self._allowed(units, crowd)
        for width in _WIDTHS:  # the best so far, and what lies ever closer around it
            if not candidates:
                return None
            ranked = np.argsort(-self._improvement(model, candidates), kind="stable")
            best = [candidates[int(row)] for row in ranked[:8]]
            centres = np.array([[_place(one, setting) for one in self._ranges] for setting in best])
            candidates = [*best, *self._allowed(self._around(centres, width), crowd)]
        return candidates[int(np.argmax(self._improvement(model, candidates)))]

    def _around(self, centres: np.ndarray, width: float) -> np.ndarray:
        chosen = centres[self._generator.integers(len(centres), size=_NEAR)]
        moved = np.clip(chosen + self._generator.normal(scale=width, size=chosen.shape), 0.0, 1.0)
        # What has no distances mostly stays; what was not used has no place.
        stays = np.array([not one.is_continuous for one in self._ranges]) & (self._generator.random(chosen.shape) < 0.8)
        return np.where(np.isnan(chosen), self._generator.random(chosen.shape), np.where(stays, chosen, moved))

    def _allowed(self, units: np.ndarray, crowd: np.ndarray) -> list[dict[str, Any]]:
        """The settings at these places that are new, apart from a crowd, and that the rules of the space leave.

        Rounding makes nothing new: what lies beside a measured setting is as good as measured.
        """
        found: dict[tuple[Any, ...], dict[str, Any]] = {}
        for unit in units.tolist():
            values = {}
            for one, place in zip(self._ranges, unit, strict=True):
                values.update(zip(one.names, one.at(place), strict=True))
            try:
                whole = self._space.completed({**self._rest, **values, **self._partners.of(values)})
            except WorkflowError:
                continue  # a rule that cannot be worked out there leaves nothing to run there
            if whole is None:
                continue
            setting = {name: whole[name] for name in self._names}
            if (key := self._key(setting)) not in self._taken:
                found[key] = setting
        settings = list(found.values())
        if not settings:
            return settings
        rows = self._surrogate.encoding.rows(settings)
        apart = self._known.query(rows, p=np.inf)[0] >= _SAME
        if len(crowd):
            apart &= spatial.KDTree(crowd).query(rows, p=np.inf)[0] >= _APART
        return [one for one, is_apart in zip(settings, apart, strict=True) if is_apart]

    def _key(self, setting: Mapping[str, Any]) -> tuple[Any, ...]:
        return tuple(setting[name] for name in self._names)

    def _improvement(self, model: Surrogate, candidates: Sequence[Mapping[str, Any]]) -> np.ndarray:
        """The logarithm of how much below the least expected cost of what is known each candidate is to be expected."""
        mean, sd = model.predict(self._surrogate.encoding.rows(candidates))
        least = float(model.predict(model.rows)[0].min())
        return np.log(sd) + log_improvement((least - mean) / sd)


def _place(one: Range, setting: Mapping[str, Any]) -> float:
    return float("nan") if any(setting[name] is None for name in one.names) else one.place(setting)


def _rest(observations: Observations, space: ParameterSpace, settings: Settings, best: int) -> dict[str, Any]:
    """Values of the axes on which the metric does not depend: those that the best setting has."""
    frame = observations.frame
    at_best = np.ones(len(frame), dtype=bool)
    for name, value in _setting(settings, best).items():
        at_best &= np.array([plain(one) == value for one in frame[name]], dtype=bool)
    first = frame.loc[at_best].iloc[0]
    return {name: plain(first[name]) for name in space.axis_names if name not in settings.parameters}


def _combinations(
    observations: Observations,
    space: ParameterSpace,
    rest: Mapping[str, Any],
    partners: Partners,
    chosen: Sequence[Mapping[str, Any]],
) -> list[dict[str, Any]]:
    """Settings as combinations of all axes: with every repeat, and with the best setting's values of what is left."""
    frame = observations.frame
    repeats = [name for name in space.axis_names if observations.parameters[name].is_repeat]
    columns = [[plain(one) for one in frame[name]] for name in repeats]
    seeds = list(dict.fromkeys(zip(*columns, strict=True))) or [()]
    rows = []
    for setting in chosen:
        for seed in seeds:
            values = {**rest, **setting, **partners.of(setting), **dict(zip(repeats, seed, strict=True))}
            whole = space.completed(values) or values
            rows.append({name: whole[name] for name in space.axis_names})
    return rows
