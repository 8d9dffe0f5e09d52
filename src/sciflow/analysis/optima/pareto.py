"""The Pareto front: the combinations that cannot become better in one metric without becoming worse in another."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from sciflow.analysis.observations import Coverage, Observations
from sciflow.analysis.optima.dominance import undominated
from sciflow.analysis.optima.settings import Settings, settings_of
from sciflow.analysis.statistics.finding import as_text
from sciflow.errors import ResultError

ON_FRONT, CERTAIN = "on_front", "certain"
_BLOCK = 1 << 22


@dataclass(frozen=True)
class Objective:
    """A metric, and whether its largest or its smallest value is the best."""

    metric: str
    maximize: bool = True
    unit: str | None = None

    def __str__(self) -> str:
        return f"the {'largest' if self.maximize else 'smallest'} `{self.metric}`"


@dataclass(frozen=True, eq=False)
class Front:
    """The Pareto front among settings, which are combinations without what only repeats.

    Attributes
    ----------
    objectives
        What is the best of each metric.
    parameters
        The parameters that the settings have values of.
    points
        One row per setting that has all metrics, in the order of the space: the parameters; of each metric its mean
        by its name, ``NAME low`` and ``NAME high`` (NaN without repeats); ``on_front``, whether no other's means
        dominate it; ``certain``, whether that holds wherever in their intervals the means may be (never without
        repeats).
    confidence
        That of the intervals.
    is_repeated
        Whether anything was measured more than once, so that more is known than means.
    coverage
        How many settings have a value of every metric.
    notes
        What is missing, in words.
    """

    objectives: tuple[Objective, ...]
    parameters: tuple[str, ...]
    points: pd.DataFrame
    confidence: float
    is_repeated: bool
    coverage: Coverage
    notes: tuple[str, ...] = ()

    def __len__(self) -> int:
        return int(np.count_nonzero(self._column(ON_FRONT)))

    @property
    def perhaps(self) -> int:
        """How many settings are not on the front by their means, but cannot be told from it."""
        if not self.is_repeated:
            return 0
        return int(np.count_nonzero(~(self._column(ON_FRONT) | self._column(CERTAIN))))

    def frame(self) -> pd.DataFrame:
        """The members of the front, the best of the first objective first."""
        members = self.points.loc[self.points[ON_FRONT]]
        names = [one.metric for one in self.objectives]
        ascending = [not one.maximize for one in self.objectives]
        return members.sort_values(names, ascending=ascending, kind="stable").reset_index(drop=True)

    def _column(self, name: str) -> np.ndarray:
        return np.asarray(self.points[name], dtype=bool)

    def described(self) -> str:
        """What is on the front, and how sure that is, in a sentence or two."""
        wanted = " and ".join(map(str, self.objectives))
        total = len(self.points)
        text = f"{len(self)} of {total} combinations {'is' if len(self) == 1 else 'are'} on the front of {wanted}"
        if not self.is_repeated:
            return f"{text}; without repeats it cannot be known how sure that is"
        certain = np.count_nonzero(self._column(ON_FRONT) & self._column(CERTAIN))
        sure = f"{certain} of them for certain ({self.confidence:.0%} intervals)"
        if self.perhaps:
            return f"{text}, {sure}; {self.perhaps} other{'s' * (self.perhaps > 1)} cannot be told from it"
        return f"{text}, {sure}" + ("; the others are off it for certain" if total > len(self) else "")

    def __str__(self) -> str:
        lines = [self.described(), as_text(self.frame().drop(columns=ON_FRONT))]
        return "\n".join([*lines, *(f"note: {one}" for one in self.notes)])

    def __repr__(self) -> str:
        return str(self)


def pareto(
    observations: Observations,
    maximize: Sequence[str] = (),
    minimize: Sequence[str] = (),
    *,
    where: str | None = None,
    minimum_coverage: float = 0.0,
    confidence: float = 0.95,
) -> Front:
    """The front of several metrics, of which some are to be large and some small.

    Repeats count by their means. Equal points are all on the front, or none is.

    Parameters
    ----------
    observations
        Where to look.
    maximize, minimize
        Metrics, in the order in which they matter to the reader.
    where
        A condition over parameters and metrics; see `settings_of`.
    minimum_coverage
        The share of the settings that has to have all metrics.
    confidence
        For the intervals of the means.

    Raises
    ------
    ResultError
        For fewer than two metrics, one given twice, and as for `settings_of`.
    """
    if not 0 < confidence < 1:
        raise ResultError(f"`confidence` is {confidence!r}", hint="give a share between 0 and 1")
    objectives = _objectives(observations, maximize, minimize)
    names = [one.metric for one in objectives]
    settings = settings_of(observations, names, where, minimum_coverage)
    signs = np.array([-1.0 if one.maximize else 1.0 for one in objectives])
    costs = np.column_stack([settings.metrics[name].mean for name in names]) * signs
    frame, is_repeated = settings.frame.copy(), settings.has_repeats
    on_front = undominated(costs)
    ends = [settings.metrics[name].interval(confidence) for name in names]
    for name, (low, high) in zip(names, ends, strict=True):
        frame[name] = settings.metrics[name].mean
        frame[f"{name} low"], frame[f"{name} high"] = low, high
    frame[ON_FRONT] = on_front
    frame[CERTAIN] = _certain(settings, objectives, ends, on_front) if is_repeated else False
    return Front(
        objectives,
        tuple(settings.frame),
        frame,
        confidence,
        is_repeated,
        settings.coverage,
        settings.notes,
    )


def _objectives(observations: Observations, maximize: Sequence[str], minimize: Sequence[str]) -> tuple[Objective, ...]:
    if isinstance(maximize, str) or isinstance(minimize, str):
        maximize = [maximize] if isinstance(maximize, str) else maximize
        minimize = [minimize] if isinstance(minimize, str) else minimize
    known = [(observations.metric(name), True) for name in maximize]
    known += [(observations.metric(name), False) for name in minimize]
    names = [metric.name for metric, _ in known]
    for name in names:
        if names.count(name) > 1:
            raise ResultError(f"`{name}` is an objective twice", hint="a metric is to be large or small, and once")
    if len(names) < 2:
        raise ResultError(
            f"a Pareto front is of two metrics at least, not of {len(names)}",
            hint="name another to maximize or minimize, or ask for the best by one",
        )
    return tuple(Objective(metric.name, largest, metric.unit) for metric, largest in known)


def _certain(
    settings: Settings,
    objectives: Sequence[Objective],
    ends: Sequence[tuple[np.ndarray, np.ndarray]],
    on_front: np.ndarray,
) -> np.ndarray:
    """Whether a setting is on the front, or is not, wherever in their intervals all means may be."""
    means = [settings.metrics[one.metric].mean for one in objectives]
    lucky, unlucky = [], []
    for one, mean, (low, high) in zip(objectives, means, ends, strict=True):
        # A metric without repeats, beside one that has some, is taken as it is.
        low, high = np.where(np.isnan(low), mean, low), np.where(np.isnan(high), mean, high)
        lucky.append(-high if one.maximize else low)
        unlucky.append(-low if one.maximize else high)
    best, worst = np.column_stack(lucky), np.column_stack(unlucky)
    certain = np.zeros(len(on_front), dtype=bool)
    members = np.flatnonzero(on_front)
    certain[members] = ~_any_dominates(best, worst[members], members)
    others = np.flatnonzero(~on_front)
    # It is enough to ask those whose worst is not dominated: what others dominate, these do.
    strong = np.flatnonzero(undominated(worst))
    certain[others] = _any_dominates(worst[strong], best[others], None)
    return certain


def _any_dominates(by: np.ndarray, rows: np.ndarray, own: np.ndarray | None) -> np.ndarray:
    """Whether one of `by`, but for the row's own, dominates each row."""
    found = np.zeros(len(rows), dtype=bool)
    step = max(1, _BLOCK // max(1, len(by)))
    for start in range(0, len(rows), step):
        block = rows[start : start + step]
        covered = np.ones((len(block), len(by)), dtype=bool)
        better = np.zeros_like(covered)
        for left, right in zip(by.T, block.T, strict=True):
            covered &= left[None, :] <= right[:, None]
            better |= left[None, :] < right[:, None]
        covered &= better
        if own is not None:
            covered[np.arange(len(block)), own[start : start + step]] = False
        found[start : start + step] = covered.any(axis=1)
    return found
