"""Observations: what was measured at which combination, with what is known of parameters and metrics.

All statistics and all figures start from these, wherever they come from: a run, a part of one, several together.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd

from sciflow.analysis.levels import codes_of, groups_of, is_absent, kind_of, levels_of
from sciflow.errors import ResultError
from sciflow.model.nearest import nearest
from sciflow.model.state import State

if TYPE_CHECKING:
    from sciflow.analysis.designed import Sampling

__all__ = [
    "STATE",
    "VALUE",
    "Coverage",
    "Metric",
    "Observations",
    "Parameter",
    "Sample",
    "is_absent",
    "kind_of",
    "levels_of",
]

STATE = "state"
VALUE = "value()"  # the column of a sample that has the metric's values; no parameter can have that name


@dataclass(frozen=True)
class Parameter:
    """A parameter of observations, and what part it plays.

    Attributes
    ----------
    name
        Its name.
    levels
        Its different values: numbers from the smallest up, others in the order of the space; None last, where a
        conditional parameter is not used.
    kind
        ``number`` where all levels but None are numbers, else ``category``.
    is_repeat
        Whether it only repeats the same thing, as seeds do: then it is no factor, but makes replicates.
    is_sampled
        Whether its values were drawn from a distribution.
    behind
        For a derived parameter, the axes that it follows from.
    """

    name: str
    levels: tuple[Any, ...]
    kind: Literal["number", "category"]
    is_repeat: bool = False
    is_sampled: bool = False
    behind: tuple[str, ...] = ()

    @property
    def is_derived(self) -> bool:
        """Whether it follows from axes, and is none itself."""
        return bool(self.behind)


@dataclass(frozen=True)
class Metric:
    """A metric: its column, the task that gives it, its unit, and the parameters that tell its values apart.

    Attributes
    ----------
    states
        Values of these parameters → the state of the task there, of instances of a task that gathers which are not
        completed: their combinations are, without them.
    """

    name: str
    task: str
    parameters: tuple[str, ...]
    unit: str | None = None
    states: Mapping[tuple[Any, ...], str] = field(default_factory=dict, compare=False, repr=False)


@dataclass(frozen=True)
class Coverage:
    """How many of how many there are."""

    present: int
    total: int

    @property
    def share(self) -> float:
        """The part that is present, from 0 to 1; 0 of nothing."""
        return self.present / self.total if self.total else 0.0

    @property
    def is_complete(self) -> bool:
        """Whether nothing is missing."""
        return self.present == self.total

    def __str__(self) -> str:
        return f"{self.present} of {self.total}"

    def check(self, minimum: float, what: str) -> None:
        """Refuse to go on where less than a share is present.

        Raises
        ------
        ResultError
            Saying how much there is.
        """
        if not 0 <= minimum <= 1:
            raise ResultError(f"`minimum_coverage` is {minimum!r}", hint="give a share from 0 to 1")
        if self.share < minimum:
            raise ResultError(
                f"{self} values of {what} are there, {self.share:.0%}, and at least {minimum:.0%} are asked for",
                hint="`sciflow retry` what failed, or ask for less",
            )


@dataclass(frozen=True, eq=False)
class Sample:
    """The values of one metric: one row per instance of its task, however many combinations share it.

    Attributes
    ----------
    metric
        What is measured.
    frame
        The columns of `parameters`, then `VALUE` (missing where it was not measured) and ``state``.
    parameters
        Name → parameter, of those on which the metric depends.
    """

    metric: Metric
    frame: pd.DataFrame
    parameters: Mapping[str, Parameter]

    @property
    def factors(self) -> list[Parameter]:
        """The parameters that may have an effect: axes with more than one level that are no repeats."""
        return [one for one in self.axes if len(one.levels) > 1]

    @property
    def axes(self) -> list[Parameter]:
        """The parameters that neither repeat nor follow from others that are here."""
        names = set(self.parameters)
        derived = {one.name for one in self.parameters.values() if one.is_derived and names.issuperset(one.behind)}
        return [one for one in self.parameters.values() if not one.is_repeat and one.name not in derived]

    @property
    def repeats(self) -> list[str]:
        """The parameters that make replicates."""
        return [one.name for one in self.parameters.values() if one.is_repeat]

    def parameter(self, name: str) -> Parameter:
        """A parameter on which the metric depends.

        Raises
        ------
        ResultError
            For any other name.
        """
        if name not in self.parameters:
            raise ResultError(f"`{self.metric.name}` does not depend on `{name}`", hint=nearest(name, self.parameters))
        return self.parameters[name]

    def is_followed(self, axis: str, by: Sequence[str]) -> bool:
        """Whether one of some parameters follows from this axis alone, and so tells its levels apart."""
        return any(self.parameters[name].behind == (axis,) for name in by if name in self.parameters)

    def codes(self, name: str) -> np.ndarray:
        """Which level of a parameter each row has: its position among `Parameter.levels`."""
        return codes_of(self.frame[name], self.parameters[name].levels)

    @property
    def is_numeric(self) -> bool:
        """Whether what was measured is numbers; truth values count as 0 and 1."""
        return self._stranger is None

    @property
    def _stranger(self) -> Any:
        """The first value that is no number; None where there is none."""
        column = self.frame[VALUE]
        if isinstance(column.dtype, np.dtype) and column.dtype.kind in "biuf":
            return None
        numbers = (int, float, np.number, np.bool_)
        return next((one for one in column if not isinstance(one, numbers) and not is_absent(one)), None)

    @property
    def values(self) -> np.ndarray:
        """The values as floats, in rows' order, NaN where there is none.

        Raises
        ------
        ResultError
            Where they are no numbers.
        """
        if (stranger := self._stranger) is not None:
            raise ResultError(
                f"`{self.metric.name}` is no number: {stranger!r}", hint="choose a metric whose values are numbers"
            )
        return self.frame[VALUE].astype(float).to_numpy()

    @property
    def coverage(self) -> Coverage:
        """How many instances have a value; an infinite one is a value, NaN is none."""
        return Coverage(int(np.count_nonzero(pd.notna(self.frame[VALUE]))), len(self.frame))

    @property
    def finite(self) -> Coverage:
        """How many instances have a finite number: those that statistics are of."""
        return Coverage(int(np.count_nonzero(np.isfinite(self.values))), len(self.frame))

    @property
    def measured(self) -> pd.DataFrame:
        """The rows that have a finite number, with `VALUE` as floats.

        Raises
        ------
        ResultError
            Where the values are no numbers, or none is finite.
        """
        values = self.values
        there = np.isfinite(values)
        if not there.any():
            raise ResultError(
                f"`{self.metric.name}` has no finite value: {self.described_gaps()}",
                hint="see `sciflow status` for what is missing and why",
            )
        frame = self.frame[there].reset_index(drop=True)
        return frame.assign(**{VALUE: values[there]})

    def described_gaps(self) -> str:
        """What of the values is missing or infinite, in words; empty where nothing is."""
        values = self.values if self.is_numeric else np.zeros(len(self.frame))
        parts = []
        missing = self.coverage.total - self.coverage.present
        if missing:
            states = Counter(self._states_of(pd.isna(self.frame[VALUE]).to_numpy()))
            told = ", ".join(f"{count} {state}" for state, count in states.most_common())
            parts.append(f"{missing} of {self.coverage.total} have no value ({told})")
        if infinite := int(np.isinf(values).sum()):
            parts.append(f"{infinite} of {self.coverage.total} {'is' if infinite == 1 else 'are'} infinite")
        return "; ".join(parts)

    def _states_of(self, rows: np.ndarray) -> list[str]:
        """The states of some instances: those of their combinations, unless the task only gathers them."""
        states = self.frame.loc[rows, STATE].tolist()
        if not self.metric.states:
            return states
        levels = [self.parameters[name].levels for name in self.metric.parameters]
        codes = [self.codes(name)[rows].tolist() for name in self.metric.parameters]
        keys = [tuple(own[code] for own, code in zip(levels, key, strict=True)) for key in zip(*codes, strict=True)]
        own = self.metric.states
        return [own.get(key, state) for key, state in zip(keys or [()] * len(states), states, strict=True)]


@dataclass(frozen=True, eq=False)
class Observations:
    """One row per combination: parameters, metrics, state.

    Attributes
    ----------
    frame
        The columns of `parameters`, then of `metrics`, then ``state``. A metric is missing where its combination is
        not completed.
    parameters, metrics
        Name → what is known of it, in the columns' order.
    workflow
        The workflow's name.
    runs
        Where they come from: ids of runs.
    design
        The method by which sampled parameters were drawn; None where none were.
    notes
        What a reader should know of how they were put together.
    sampling
        The design of sampled parameters, from which its points can be drawn again; None where none were.
    """

    frame: pd.DataFrame
    parameters: Mapping[str, Parameter]
    metrics: Mapping[str, Metric]
    workflow: str = ""
    runs: tuple[str, ...] = ()
    design: str | None = None
    notes: tuple[str, ...] = ()
    sampling: Sampling | None = None
    _samples: dict[str, Sample] = field(default_factory=dict, repr=False)

    def __len__(self) -> int:
        return len(self.frame)

    @property
    def coverage(self) -> Coverage:
        """How many of the combinations are completed."""
        return Coverage(int(np.count_nonzero(self.frame[STATE] == State.COMPLETED.value)), len(self.frame))

    def parameter(self, name: str) -> Parameter:
        """A parameter by its name.

        Raises
        ------
        ResultError
            Where there is none.
        """
        if name not in self.parameters:
            what = "is a metric, and no parameter" if name in self.metrics else "is no parameter"
            raise ResultError(f"`{name}` {what} of this run", hint=nearest(name, self.parameters))
        return self.parameters[name]

    def metric(self, name: str) -> Metric:
        """A metric by its name, which may be given with its task also where it is unique without.

        Raises
        ------
        ResultError
            Where there is none, or several tasks have it.
        """
        if name in self.metrics:
            return self.metrics[name]
        task, _, bare = str(name).rpartition(".")
        if bare in self.metrics and self.metrics[bare].task == task:
            return self.metrics[bare]
        raise ResultError(*self._unknown_metric(name))

    def _unknown_metric(self, name: str) -> tuple[str, str]:
        if name in self.parameters:
            return f"`{name}` is a parameter, and no metric", nearest(name, self.metrics)
        twins = [one for one in self.metrics if one.endswith(f".{name}")]
        if twins:
            told = " or ".join(f"`{one}`" for one in twins)
            return f"there is no metric `{name}` alone", f"several tasks have it: {told}"
        if not self.metrics and not self.coverage.present:
            return f"there is no metric `{name}`", "no combination is completed, so there is no metric at all yet"
        return f"there is no metric `{name}`", nearest(name, self.metrics)

    def sample(self, metric: str) -> Sample:
        """The values of a metric, each once, however many combinations share it.

        Raises
        ------
        ResultError
            As for `metric`.
        """
        known = self.metric(metric)
        if known.name not in self._samples:
            self._samples[known.name] = self._sampled(known)
        return self._samples[known.name]

    def _sampled(self, metric: Metric) -> Sample:
        names = list(metric.parameters)
        frame = self.frame.reindex(columns=[*names, metric.name, STATE]).set_axis([*names, VALUE, STATE], axis=1)
        if len(names) < len(self.parameters):
            # Of the combinations that share an instance, one that has its value speaks for it.
            codes = [codes_of(frame[name], self.parameters[name].levels) for name in names]
            with_value_first = np.argsort(pd.isna(frame[VALUE]), kind="stable")
            order, starts = groups_of([one[with_value_first] for one in codes], len(frame))
            frame = frame.take(np.sort(with_value_first[order[starts]])).reset_index(drop=True)
        return Sample(metric, frame, {name: self.parameters[name] for name in names})

    def with_repeats(self, names: Sequence[str]) -> Observations:
        """The same, with these parameters as the ones that only repeat, and no others.

        Raises
        ------
        ResultError
            For a name that is no parameter.
        """
        for name in names:
            self.parameter(name)
        changed = {name: replace(one, is_repeat=name in names) for name, one in self.parameters.items()}
        return replace(self, parameters=changed, _samples={})

    def of_rows(self, rows: np.ndarray) -> Observations:
        """The same of some rows: a truth value for each, or their positions. Levels are those that are left."""
        frame = self.frame.loc[rows].reset_index(drop=True) if rows.dtype == bool else self.frame.iloc[rows]
        return replace(self, **_remade(self, frame.reset_index(drop=True)))


def _remade(before: Observations, frame: pd.DataFrame) -> dict[str, Any]:
    parameters = {}
    for name, one in before.parameters.items():
        left = np.unique(codes_of(frame[name], one.levels))
        parameters[name] = replace(one, levels=tuple(one.levels[code] for code in left))
    return {"frame": frame, "parameters": parameters, "_samples": {}}
