"""The best settings by a metric, and which others cannot be told from the best."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, get_args

import numpy as np
import pandas as pd

from sciflow.analysis.cells import plain
from sciflow.analysis.observations import Coverage, Metric, Observations
from sciflow.analysis.optima.comparison import Comparison, Test, compared_with_best
from sciflow.analysis.optima.settings import Settings, settings_of
from sciflow.analysis.statistics.finding import as_text
from sciflow.errors import ResultError

VALUE_COLUMNS = ("value", "count", "sd", "low", "high", "p_value")
_MOST_TOLD = 3
_SHOWN = 10  # rows as text


@dataclass(frozen=True, eq=False)
class Best:
    """The settings in order, the best first.

    A setting is a combination without the parameters that only repeat; its value is the mean over its repeats.

    Attributes
    ----------
    metric, maximize
        By what, and whether the largest is the best.
    settings
        What was measured of it, in the order of the space.
    order
        Rows of `settings`, the best first, equal ones in their order.
    comparison
        With the best; None without repeats, when it cannot be known what differs by chance alone.
    confidence
        Of intervals, and of the comparison.
    """

    metric: Metric
    maximize: bool
    settings: Settings
    order: np.ndarray
    comparison: Comparison | None
    confidence: float

    def __len__(self) -> int:
        return len(self.order)

    @property
    def parameters(self) -> dict[str, Any]:
        """The best setting."""
        return self.settings.row(int(self.order[0]))

    @property
    def value(self) -> float:
        """Its mean."""
        return float(self._measured.mean[self.order[0]])

    @property
    def interval(self) -> tuple[float, float] | None:
        """The confidence interval of its mean by Student's t; None without repeats."""
        low, high = (float(one[self.order[0]]) for one in self._interval)
        return None if np.isnan(low) else (low, high)

    @property
    def repeats(self) -> tuple[str, ...]:
        """The parameters that the mean is taken over."""
        return self.settings.repeats

    @property
    def coverage(self) -> Coverage:
        """How many settings have a value."""
        return self.settings.coverage

    @cached_property
    def _interval(self) -> tuple[np.ndarray, np.ndarray]:
        return self._measured.interval(self.confidence)

    @property
    def _measured(self) -> Any:
        return self.settings.metrics[self.metric.name]

    def rows(self, count: int | None = None) -> list[dict[str, Any]]:
        """The first of them: parameters, and numbers, of which `value` is the mean; what is not known is NaN."""
        chosen = self.order[:count]
        numbers = self._numbers()
        return [
            {"parameters": self.settings.row(int(one)), **{name: numbers[name][one].item() for name in VALUE_COLUMNS}}
            for one in chosen
        ]

    def frame(self) -> pd.DataFrame:
        """All settings, the best first: their parameters, and the mean by the metric's name.

        Then ``NAME count`` of repeats, ``NAME sd``, ``NAME low``, ``NAME high``, and ``NAME p_value`` of the comparison
        with the best: small where a setting is worse beyond doubt.
        """
        name = self.metric.name
        numbers = {name if key == "value" else f"{name} {key}": one for key, one in self._numbers().items()}
        frame = self.settings.frame.assign(**numbers)
        return frame.iloc[self.order].reset_index(drop=True)

    def _numbers(self) -> dict[str, np.ndarray]:
        low, high = self._interval
        none = np.full(len(self.order), np.nan)
        p_values = self.comparison.p_values if self.comparison else none
        measured = self._measured
        columns = (measured.mean, measured.count, measured.sd, low, high, p_values)
        return dict(zip(VALUE_COLUMNS, columns, strict=True))

    def not_told_apart(self) -> pd.DataFrame | None:
        """The other settings that cannot be told from the best, as in `frame`; None without repeats."""
        if self.comparison is None:
            return None
        frame = self.frame().iloc[1:]
        return frame.loc[np.asarray(frame[f"{self.metric.name} p_value"]) >= 1 - self.confidence].reset_index(drop=True)

    def __str__(self) -> str:
        unit = f" {self.metric.unit}" if self.metric.unit else ""
        word = "largest" if self.maximize else "smallest"
        where = setting_text(self.parameters) or "no parameter"
        lines = [
            f"the {word} {self.metric.name} is {self.value:.6g}{unit} at {where}",
            as_text(self.frame().head(_SHOWN)),
        ]
        if len(self) > _SHOWN:
            lines.append(f"(the first {_SHOWN} of {len(self)})")
        return "\n".join([*lines, *(f"note: {one}" for one in self.described())])

    def __repr__(self) -> str:
        return str(self)

    def described(self) -> list[str]:
        """What is to be known of it beside its value, a line each."""
        return [*self._told_apart(), *self._told_repeats(), *self.settings.notes]

    def _told_apart(self) -> list[str]:
        others = self.not_told_apart()
        if others is None or self.comparison is None:
            return ["without repeats it cannot be known whether the others are worse by more than chance"]
        if len(self) == 1:
            return []
        how = f"({self.comparison.test}, {self.confidence:.0%})"
        if not len(others):
            all_others = f"all {len(self) - 1} others are" if len(self) > 2 else "the only other is"
            return [f"{all_others} worse beyond doubt {how}"]
        names = list(self.settings.frame)
        shown = [setting_text({name: others[name].iloc[row] for name in names}) for row in range(len(others))]
        more = f"; and {len(shown) - _MOST_TOLD} more" if len(shown) > _MOST_TOLD else ""
        told = "; ".join(shown[:_MOST_TOLD]) + more
        some = f"{len(others)} of {len(self) - 1} others" if len(self) > 2 else "the only other"
        return [f"{some} cannot be told from it {how}: {told}"]

    def _told_repeats(self) -> list[str]:
        count = self._measured.count
        most, own = int(count.max()), int(count[self.order[0]])
        if self.comparison is None:
            return []
        lines = []
        if own < most:
            lines.append(f"the best has {own} of {most} repeats")
        single = int(np.count_nonzero(count == 1))
        if single:
            those = (
                "one setting was measured once: its interval takes"
                if single == 1
                else (f"{single} settings were measured once: their intervals take")
            )
            lines.append(f"{those} the spread of the others' repeats for its own")
        if self._measured.pooled[0] == 0:
            lines.append(f"the repeats do not differ at all: does {' and '.join(self.repeats)} matter?")
        return lines


def best_of(
    observations: Observations,
    metric: str,
    maximize: bool = True,
    *,
    where: str | None = None,
    minimum_coverage: float = 0.0,
    confidence: float = 0.95,
    test: Test = "auto",
) -> Best:
    """The best settings by a metric: by the mean over repeats, never by the luckiest of them.

    Parameters
    ----------
    observations
        Where to look.
    metric
        By what.
    maximize
        Whether the largest is the best.
    where
        A condition over parameters and metrics; see `settings_of`.
    minimum_coverage
        The share of the settings that has to be measured.
    confidence
        Of intervals, and of the comparison with the best.
    test
        Of the comparison; see `compared_with_best`.

    Raises
    ------
    ResultError
        As for `settings_of`.
    """
    if not 0 < confidence < 1:
        raise ResultError(f"`confidence` is {confidence!r}", hint="give a share between 0 and 1")
    if test not in get_args(Test):
        raise ResultError(f"`test` is {test!r}", hint=f"known are {', '.join(get_args(Test))}")
    known = observations.metric(metric)
    settings = settings_of(observations, [known.name], where, minimum_coverage)
    measured = settings.metrics[known.name]
    order = np.argsort(-measured.mean if maximize else measured.mean, kind="stable")
    comparison = compared_with_best(measured, int(order[0]), maximize, test)
    return Best(known, maximize, settings, order, comparison, confidence)


def setting_text(values: Mapping[str, Any]) -> str:
    """A setting in words: ``size = 32, method = fast``."""
    cells = {name: plain(value) for name, value in values.items()}
    return ", ".join(
        f"{name} = {one:g}" if isinstance(one, float) else f"{name} = {one}" for name, one in cells.items()
    )


def unmarked_repeats(observations: Observations, names: Sequence[str]) -> list[str]:
    """Which of some parameters are called as repeats are, but are none."""
    called = {"seed", "random_seed", "rng_seed", "repeat", "repetition", "replicate", "replica", "trial", "realization"}
    return [name for name in names if name.lower() in called and not observations.parameters[name].is_repeat]
