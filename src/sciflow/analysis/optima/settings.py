"""Settings: the combinations of all parameters that do not only repeat, each with the mean of its repeats."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from scipy import special

from sciflow.analysis.cells import plain
from sciflow.analysis.moments import moments, scale_of
from sciflow.analysis.observations import Coverage, Observations, Parameter
from sciflow.errors import ExpressionError, ResultError
from sciflow.model.expressions import Expression
from sciflow.model.nearest import nearest


@dataclass(frozen=True, eq=False)
class Measured:
    """One metric at each of the settings.

    Attributes
    ----------
    values, owner
        All finite values, and for each the row of its setting; where several settings share a value it stands once
        for each.
    count, mean, sd
        For each setting; the mean is NaN where there is no value, the standard deviation where there are not two.
    """

    values: np.ndarray
    owner: np.ndarray
    count: np.ndarray
    mean: np.ndarray
    sd: np.ndarray

    @property
    def pooled(self) -> tuple[float, int]:
        """The standard deviation within settings, all of them together, and its degrees of freedom."""
        several = self.count > 1
        freedom = int((self.count[several] - 1).sum())
        if not freedom:
            return float("nan"), 0
        scale = scale_of(self.sd[several])
        squares = float(((self.sd[several] / scale) ** 2 * (self.count[several] - 1)).sum())
        return float(np.sqrt(squares / freedom)) * scale, freedom

    def interval(self, confidence: float) -> tuple[np.ndarray, np.ndarray]:
        """The confidence interval of each mean by Student's t; NaN where nothing repeats.

        The spread within all settings stands for that of a setting which has a single value.
        """
        pooled, freedom = self.pooled
        single = self.count < 2
        sd = np.where(single, pooled, self.sd)
        degrees = np.where(single, max(freedom, 1), self.count - 1)
        with np.errstate(over="ignore"):  # what no float can hold is infinite
            width = special.stdtrit(degrees, (1 + confidence) / 2) * (sd / np.sqrt(np.maximum(self.count, 1)))
            return self.mean - width, self.mean + width

    @property
    def scaled(self) -> Measured:
        """The same in a unit in which very large values can be squared."""
        scale = scale_of(self.values)
        values, mean, sd = self.values / scale, self.mean / scale, self.sd / scale
        return Measured(values, self.owner, self.count, mean, sd)


@dataclass(frozen=True, eq=False)
class Settings:
    """What was measured at each setting.

    Attributes
    ----------
    frame
        One row per setting, in the order of the space: the values of its parameters.
    parameters
        Those that tell settings apart; derived ones that only follow from them are in `frame` too.
    repeats
        The parameters over which means are taken.
    metrics
        Name → what was measured.
    coverage
        How many settings have a finite value of every metric; those that a condition left out do not count.
    notes
        What is missing, in words.
    """

    frame: pd.DataFrame
    parameters: tuple[str, ...]
    repeats: tuple[str, ...]
    metrics: Mapping[str, Measured]
    coverage: Coverage
    notes: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.frame)

    @property
    def has_repeats(self) -> bool:
        """Whether any setting was measured more than once."""
        return any((one.count > 1).any() for one in self.metrics.values())

    def row(self, number: int) -> dict[str, object]:
        """The parameters of a setting."""
        return {name: plain(self.frame[name].iloc[number]) for name in self.frame}

    def of_rows(self, rows: np.ndarray) -> Settings:
        """Some of the settings: a truth value for each."""
        place = np.cumsum(rows) - 1
        metrics = {}
        for name, one in self.metrics.items():
            kept = rows[one.owner]
            metrics[name] = Measured(
                one.values[kept], place[one.owner[kept]], one.count[rows], one.mean[rows], one.sd[rows]
            )
        return replace(self, frame=self.frame.loc[rows].reset_index(drop=True), metrics=metrics)


def settings_of(
    observations: Observations,
    metrics: Sequence[str],
    where: str | None = None,
    minimum_coverage: float = 0.0,
) -> Settings:
    """What was measured of some metrics at each setting on which they depend.

    Parameters
    ----------
    observations
        Where to look.
    metrics
        Their names.
    where
        A condition over parameters and metrics, such as ``memory < 4 and size >= 32``; of a metric its mean over the
        repeats counts.
    minimum_coverage
        The share of the settings that has to be measured.

    Raises
    ------
    ResultError
        For names that are not there, metrics that are no numbers, a condition that cannot be evaluated or is never
        true, too little coverage, and where no setting has a finite value of every metric.
    """
    names = [observations.metric(name).name for name in metrics]
    condition = _Condition(observations, where) if where else None
    asked = list(dict.fromkeys([*names, *(condition.metrics if condition else ())]))
    depends = {one for name in asked for one in observations.metrics[name].parameters}
    depends |= set(condition.parameters if condition else ())
    told_apart, shown, repeats = roles_of(observations, depends)
    table = _Table(observations, told_apart, shown)
    measured = {name: table.measured(name) for name in asked}
    found = Settings(table.frame, tuple(told_apart), tuple(repeats), measured, Coverage(0, 0))
    for name in condition.parameters if condition else ():
        if name not in found.frame:
            raise ResultError(
                f"`where` names `{name}`, which varies with what means are taken over",
                hint=f"choose some of its values before, with select({name}=…)",
            )
    notes: list[str] = []
    if condition:
        true, unknown = condition.holds(found)
        if unknown:
            notes.append(f"{unknown} of {len(found)} are left out: what `{where}` asks of them is not known")
        if not true.any():
            raise ResultError(f"`{where}` holds nowhere, at none of {len(found)} combinations", hint="ask for less")
        found = found.of_rows(true)
    there = np.all([found.metrics[name].count > 0 for name in names], axis=0)
    coverage = Coverage(int(there.sum()), len(there))
    notes += _gaps(observations, names)
    told = ", ".join(f"`{name}`" for name in names)
    if not there.any():
        raise ResultError(
            f"no combination has a finite value of {told}: {'; '.join(notes) or 'none is there'}",
            hint="see `sciflow status` for what is missing and why",
        )
    coverage.check(minimum_coverage, told)
    found = found.of_rows(there)
    return replace(found, metrics={name: found.metrics[name] for name in names}, coverage=coverage, notes=tuple(notes))


def _gaps(observations: Observations, names: Sequence[str]) -> list[str]:
    gaps = [(name, observations.sample(name).described_gaps()) for name in names]
    return [f"of `{name}`, {told}" for name, told in gaps if told]


def roles_of(observations: Observations, depends: set[str]) -> tuple[list[str], list[str], list[str]]:
    """The parameters that tell settings apart, those and what follows from them, and those that repeat."""
    known = observations.parameters

    def repeats(one: Parameter) -> bool:
        # What follows from a seed alone repeats as the seed does.
        return one.is_repeat or (one.is_derived and all(name in known and known[name].is_repeat for name in one.behind))

    here = [one for name, one in known.items() if name in depends]
    repeated = {one.name for one in here if repeats(one)}
    follows = {one.name for one in here if one.is_derived and set(one.behind) <= depends}
    told_apart = [one.name for one in here if one.name not in repeated | follows]
    shown = [
        one.name
        for one in here
        if one.name in told_apart or (one.name in follows - repeated and set(one.behind) <= set(told_apart))
    ]
    return told_apart, shown, [one.name for one in here if one.name in repeated]


class _Table:
    """The settings of observations, and the values of metrics at them."""

    def __init__(self, observations: Observations, names: list[str], shown: list[str]) -> None:
        self._observations, self._names = observations, names
        first = pd.Series(_codes([observations.frame], names)[0]).drop_duplicates().index
        frame = observations.frame.loc[first, shown].reset_index(drop=True)
        exact = {name: _exactly(frame[name], observations.parameters[name].levels) for name in shown}
        self.frame = pd.DataFrame(exact, index=frame.index)

    def measured(self, metric: str) -> Measured:
        sample = self._observations.sample(metric)
        own = [name for name in self._names if name in sample.parameters]
        values = sample.values
        finite = np.isfinite(values)
        of_setting, of_value = _codes([self.frame, sample.frame.loc[finite]], own)
        values = values[finite]
        size = int(max(of_setting.max(initial=0), of_value.max(initial=0))) + 1
        count, mean, sd = moments(of_value, values, size)
        # Settings that differ in what the metric does not depend on share its values.
        order = np.argsort(of_value, kind="stable")
        starts = np.concatenate([[0], np.cumsum(count)])
        owner = np.repeat(np.arange(len(of_setting)), count[of_setting])
        within = np.arange(len(owner)) - np.repeat(np.cumsum(count[of_setting]) - count[of_setting], count[of_setting])
        taken = order[np.repeat(starts[of_setting], count[of_setting]) + within]
        return Measured(values[taken], owner, count[of_setting], mean[of_setting], sd[of_setting])


def _exactly(column: pd.Series, levels: Sequence[object]) -> pd.Series:
    """A column with whole numbers as such, which beside missing ones have become floats."""
    if column.dtype.kind != "f" or not any(isinstance(one, int) for one in levels):
        return column
    known = {one: one for one in levels}
    return pd.Series([known.get(plain(one), one) for one in column], dtype=object)


def _codes(frames: Sequence[pd.DataFrame], names: Sequence[str]) -> list[np.ndarray]:
    """For each row of tables a number that is the same for equal values of some columns."""
    lengths = [len(one) for one in frames]
    combined = np.zeros(sum(lengths), dtype=np.int64)
    for name in names:
        column = np.concatenate([np.asarray(one[name], dtype=object) for one in frames])
        codes, _ = pd.factorize(column, use_na_sentinel=False)
        combined = np.unique(combined * (int(codes.max(initial=0)) + 1) + codes, return_inverse=True)[1]
    return np.split(combined, np.cumsum(lengths)[:-1])


class _Condition:
    """A condition on settings: an expression over parameters and means of metrics."""

    def __init__(self, observations: Observations, text: str) -> None:
        self.text = text
        self._alias: dict[str, str] = {}
        for name in observations.metrics:
            if "." in name:  # an expression has no dots in names
                alias = re.sub(r"\W", "_", name)
                text = re.sub(rf"(?<![\w.]){re.escape(name)}(?![\w.])", alias, text)
                self._alias[alias] = name
        try:
            self._expression = Expression(text)
        except ExpressionError as error:
            raise ResultError(f"`where`: {error.message}", hint=error.hint) from error
        names = {self._alias.get(name, name) for name in self._expression.names}
        self.parameters = [name for name in observations.parameters if name in names]
        self.metrics = [name for name in observations.metrics if name in names and name not in self.parameters]
        for name in sorted(names - set(self.parameters) - set(self.metrics)):
            raise ResultError(
                f"`where` names `{name}`, which is neither a parameter nor a metric",
                hint=nearest(name, [*observations.parameters, *observations.metrics]),
            )

    def holds(self, settings: Settings) -> tuple[np.ndarray, int]:
        """Whether it holds at each setting, and at how many that is not known for a metric that is missing."""
        columns = {name: [plain(one) for one in settings.frame[name]] for name in self.parameters}
        columns |= {name: settings.metrics[name].mean.tolist() for name in self.metrics}
        known = np.all([settings.metrics[name].count > 0 for name in self.metrics], axis=0) if self.metrics else True
        known = np.broadcast_to(known, len(settings))
        back = {name: alias for alias, name in self._alias.items()}
        names = [back.get(name, name) for name in columns]
        true = np.zeros(len(settings), dtype=bool)
        for number, row in enumerate(zip(*columns.values(), strict=True)):
            if known[number]:
                true[number] = self._is_true(dict(zip(names, row, strict=True)))
        if not columns:
            true[:] = self._is_true({})
        return true, int((~known).sum())

    def _is_true(self, values: dict[str, object]) -> bool:
        try:
            return bool(self._expression.evaluate(values))
        except ExpressionError as error:
            raise ResultError(f"`where`: {error.message}", hint=error.hint) from error
