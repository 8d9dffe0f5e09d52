"""Main effects: the marginal mean of a metric at each level of each factor."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from sciflow.analysis.statistics.effects import Effects, effects
from sciflow.analysis.statistics.layout import layout_of
from sciflow.figures.effect_panels import (
    check_interval,
    draw_means,
    effect_panels,
    factor_side,
    interval_note,
    value_side,
)
from sciflow.figures.facets import PANELS, grid_size, pages_of
from sciflow.figures.numbers import Numbers, Source
from sciflow.figures.side import Side
from sciflow.figures.style import COLOURS
from sciflow.model.visualization import Visualization

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_GREY = "#808080"


@dataclass(frozen=True, eq=False)
class MainEffectsNumbers(Numbers):
    """What main effects show.

    Attributes
    ----------
    effects
        Marginal means and sizes, as the statistics have them.
    factors
        The side of each factor, the one with the largest effect first.
    value
        The side of the metric.
    """

    effects: Effects
    factors: tuple[Side, ...]
    value: Side
    with_interval: bool

    @property
    def pages(self) -> int:
        """A page for so many factors as are legible."""
        return pages_of(len(self.factors))

    @property
    def size(self) -> tuple[float, float]:
        """Width and height, in widths of a column."""
        return grid_size(len(self.factors))

    def frame(self) -> pd.DataFrame:
        """A row for each level of each factor."""
        return self.effects.frame()

    def share(self, factor: str) -> float:
        """The part of the variance that goes with a factor (eta squared); NaN where it cannot be told."""
        sizes = self.effects.sizes
        rows = np.asarray(sizes["term"] == factor)
        return float(np.asarray(sizes["eta2"], dtype=float)[rows][0]) if rows.any() else float("nan")


def numbers(source: Source, wanted: Visualization) -> MainEffectsNumbers:
    """Compute the effects of all factors on a metric."""
    observations = source.observations
    assert wanted.value is not None
    check_interval(wanted)
    sample = observations.sample(wanted.value)
    found = effects(sample, confidence=wanted.confidence)
    layout = layout_of(sample)
    means = found.frame()
    low = np.asarray(means["low"], dtype=float)
    return MainEffectsNumbers(
        wanted.title or "",
        tuple(filter(None, (interval_note(wanted, low), *found.notes))),
        found,
        tuple(factor_side(layout, name, observations, wanted) for name in found.factors),
        value_side(sample.metric.name, observations, wanted, np.asarray(means["mean"], dtype=float)),
        wanted.interval != "none",
    )


def draw(numbers: MainEffectsNumbers, figure: Figure, page: int) -> None:
    """Draw one page of the factors."""
    here = numbers.factors[page * PANELS : (page + 1) * PANELS]
    titles = [_told(numbers.share(side.name)) for side in here]
    for axes, side in zip(effect_panels(figure, titles, here, numbers.value), here, strict=True):
        rows = numbers.effects.of(side.name)
        if not numbers.with_interval:
            rows = rows.assign(low=np.nan, high=np.nan)
        axes.axhline(float(np.mean(np.asarray(rows["mean"], dtype=float))), color=_GREY, linewidth=0.7, linestyle="--")
        draw_means(axes, side, numbers.value, rows["level"].tolist(), rows, color=COLOURS[0], marker="o")


def _told(share: float) -> str:
    return f"η² = {share:.2f}" if np.isfinite(share) else ""
