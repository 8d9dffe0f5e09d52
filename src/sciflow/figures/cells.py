"""Cells: what there is of a metric at each combination of some parameters' levels, and what is missing there."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from sciflow.analysis.observations import STATE, Sample, is_absent
from sciflow.analysis.repeats import means
from sciflow.model.state import State
from sciflow.model.visualization import Visualization

NAN = float("nan")


@dataclass(frozen=True)
class Cell:
    """One combination of levels: the mean of its values, their interval, and why others are missing.

    Attributes
    ----------
    planned
        How many values there would be if all were measured.
    count
        How many are finite.
    why
        What is most often the matter with the others: a state, ``infinite`` or ``no number``; empty for nothing.
    lacks
        Whether the mean is over fewer combinations of other parameters than were planned, so that it compares something
        else than its neighbours.
    """

    planned: int
    count: int
    why: str
    mean: float = NAN
    low: float = NAN
    high: float = NAN
    lacks: bool = False

    @property
    def is_empty(self) -> bool:
        """Whether it was planned, and has no value."""
        return self.count == 0

    @property
    def is_partial(self) -> bool:
        """Whether some of its values are missing."""
        return 0 < self.count < self.planned


def cells(
    sample: Sample, by: Sequence[str], wanted: Visualization, factors: Sequence[str] = ()
) -> dict[tuple[Any, ...], Cell]:
    """The cells that were planned, in the order of the parameters' levels.

    Parameters
    ----------
    sample
        The values.
    by
        What tells cells apart.
    wanted
        Which interval they have. Where nobody has said it, and there are `factors`, it goes from the smallest to the
        largest of the means that the combinations of these have.
    factors
        The parameters with set values over which means are taken.
    """
    values, states = sample.values, sample.frame[STATE].tolist()
    keys = keys_of(sample, by)
    planned: Counter[tuple[Any, ...]] = Counter(keys)
    missing: dict[tuple[Any, ...], Counter[str]] = {}
    for row in np.flatnonzero(~np.isfinite(values)):
        missing.setdefault(keys[row], Counter())[_reason(values[row], states[row])] += 1
    found: dict[tuple[Any, ...], tuple[int, float, float, float, bool]] = {}
    if np.isfinite(values).any():
        frame = means(sample, by, wanted.asked_interval or "t", wanted.confidence).assign(lacks=False)
        if factors:
            ranges = _ranges(sample, by, factors)
            frame["lacks"] = ranges["there"] < ranges["planned"]
            if wanted.asked_interval is None:
                frame[["low", "high"]] = ranges[["low", "high"]]
        numbers = zip(*(frame[name].tolist() for name in ("count", "mean", "low", "high", "lacks")), strict=True)
        found = dict(zip(_rows(frame, by), numbers, strict=True))
    order = _order(sample, by)
    return {
        key: Cell(planned[key], count, _most(missing.get(key)), mean, low, high, lacks)
        for key in sorted(planned, key=order)
        for count, mean, low, high, lacks in [found.get(key, (0, NAN, NAN, NAN, False))]
    }


def _ranges(sample: Sample, by: Sequence[str], factors: Sequence[str]) -> pd.DataFrame:
    """The ends of the means of the factors' combinations, and how many of these there are, a row as `means` has it."""
    columns = [sample.codes(name) for name in (*by, *factors)]
    codes = pd.DataFrame(dict(enumerate(columns)))
    values = pd.Series(np.where(np.isfinite(sample.values), sample.values, np.nan))
    each: Any = values.groupby([codes[number] for number in codes]).mean()
    found: Any = each.groupby(level=list(range(len(by)))).agg(low="min", high="max", there="count", planned="size")
    found = found.loc[found["there"] > 0].reset_index(drop=True)
    found.loc[found["there"] < 2, ["low", "high"]] = NAN
    return found


def keys_of(sample: Sample, by: Sequence[str]) -> list[tuple[Any, ...]]:
    """For each row, the levels that it has; None where it has none."""
    return _rows(sample.frame, by)


def _rows(frame: Any, by: Sequence[str]) -> list[tuple[Any, ...]]:
    columns = [[None if is_absent(one) else one for one in frame[name].tolist()] for name in by]
    return list(zip(*columns, strict=True)) if by else [()] * len(frame)


def _order(sample: Sample, by: Sequence[str]) -> Any:
    place = [{level: number for number, level in enumerate(sample.parameters[name].levels)} for name in by]
    return lambda key: [one[level] for one, level in zip(place, key, strict=True)]


def _reason(value: float, state: str) -> str:
    if np.isinf(value):
        return "infinite"
    return state if state != State.COMPLETED.value else "no number"


def _most(reasons: Counter[str] | None) -> str:
    return reasons.most_common(1)[0][0] if reasons else ""
