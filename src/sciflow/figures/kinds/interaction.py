"""Interactions: how the effect of one factor on a metric depends on another; parallel lines are none."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from sciflow.analysis.statistics.effects import Interaction, effects, interactions, pairs_by_size
from sciflow.analysis.statistics.layout import Layout, layout_of
from sciflow.errors import ResultError
from sciflow.figures.clouds import shades
from sciflow.figures.effect_panels import (
    check_interval,
    draw_means,
    effect_panels,
    factor_side,
    has_numbers,
    interval_note,
    value_side,
)
from sciflow.figures.facets import PANELS, grid_size, pages_of
from sciflow.figures.labels import literal
from sciflow.figures.numbers import Numbers, Source
from sciflow.figures.side import Side
from sciflow.figures.style import MOST_SERIES, look
from sciflow.model.visualization import Visualization

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from sciflow.analysis.observations import Observations, Sample

_MOST_PAIRS = 2 * PANELS
_MOST_ORDERED = 10  # lines whose colours have an order, as numbers have
Pair = tuple[str, str]  # what is along x, and what is a line


@dataclass(frozen=True, eq=False)
class Panel:
    """A pair of factors: the side of the first, the label of the second, and the means."""

    x: Side
    series_label: str
    found: Interaction


@dataclass(frozen=True, eq=False)
class InteractionNumbers(Numbers):
    """What interactions show: a panel for each pair, that with the largest interaction first."""

    panels: tuple[Panel, ...]
    value: Side
    with_interval: bool

    @property
    def pages(self) -> int:
        """A page for so many pairs as are legible."""
        return pages_of(len(self.panels))

    @property
    def size(self) -> tuple[float, float]:
        """Width and height, in widths of a column."""
        return grid_size(len(self.panels))

    def frame(self) -> pd.DataFrame:
        """A row for each pair of levels of each pair of factors."""
        parts = []
        for panel in self.panels:
            part = panel.found.frame()
            names = pd.DataFrame({"x": panel.found.first, "series": panel.found.second}, index=part.index)
            parts.append(pd.concat([names, part], axis=1))
        return pd.concat(parts, ignore_index=True)


def numbers(source: Source, wanted: Visualization) -> InteractionNumbers:
    """Compute the means of pairs of factors: of those that are named, else of all."""
    observations = source.observations
    assert wanted.value is not None
    check_interval(wanted)
    sample = observations.sample(wanted.value)
    layout = layout_of(sample)
    names = [factor.name for factor in layout.factors]
    if len(names) < 2:
        raise ResultError(
            f"`{names[0]}` is the only factor of `{sample.metric.name}` that varies: there is no interaction",
            hint="`line` and `main_effects` show a single one",
        )
    chosen, notes = _pairs(sample, layout, observations, wanted)
    panels = []
    for found in interactions(sample, chosen, wanted.confidence):
        notes += found.notes
        label = factor_side(layout, found.second, observations, wanted.model_copy(update={"x_scale": None})).label
        panels.append(Panel(factor_side(layout, found.first, observations, wanted), label, found))
    means, low = (
        np.concatenate([np.asarray(one.found.frame()[n], dtype=float) for one in panels]) for n in ("mean", "low")
    )
    return InteractionNumbers(
        wanted.title or "",
        tuple(dict.fromkeys(filter(None, (interval_note(wanted, low), *notes)))),
        tuple(panels),
        value_side(sample.metric.name, observations, wanted, means),
        wanted.interval != "none",
    )


def _pairs(
    sample: Sample, layout: Layout, observations: Observations, wanted: Visualization
) -> tuple[list[Pair], list[str]]:
    """Which pairs are shown, and what is said of those that are not."""
    asked = [name for name in (wanted.x_axis, wanted.series) if name]
    for name in asked:
        observations.parameter(name)
    sizes = {factor.name: len(factor) for factor in layout.factors}
    most = {factor.name: _MOST_ORDERED if has_numbers(factor.levels) else MOST_SERIES for factor in layout.factors}
    known = [layout.factors[layout.position(name)].name for name in asked]
    if len(asked) == 2:
        if sizes[known[1]] > most[known[1]]:
            raise ResultError(
                f"`{asked[1]}` has {sizes[known[1]]} values, and {most[known[1]]} lines at most can be told apart",
                hint="a `heatmap` shows two parameters with many values",
            )
        return [(asked[0], asked[1])], []
    every = [pair for pair in pairs_by_size(effects(sample)) if not known or known[0] in pair]
    found, left_out = [], []
    for pair in every:
        ways = [(pair[0], pair[1]), (pair[1], pair[0])]
        if known:
            ways = [way for way in ways if way[0 if wanted.x_axis else 1] == known[0]]
        ways = [way for way in ways if sizes[way[1]] <= most[way[1]]]
        if ways:
            found.append(max(ways, key=lambda way: sizes[way[0]]))
        else:
            left_out.append(" × ".join(pair))
    if not found:
        raise ResultError(
            f"{', '.join(left_out)}: so many values are more lines than can be told apart",
            hint="a `heatmap` shows two parameters with many values",
        )
    notes = [f"left out, with too many values for lines: {', '.join(left_out)}"] if left_out else []
    if len(found) > _MOST_PAIRS:
        notes.append(f"the {_MOST_PAIRS} of {len(found)} pairs with the largest interactions")
    return found[:_MOST_PAIRS], notes


def draw(numbers: InteractionNumbers, figure: Figure, page: int) -> None:
    """Draw one page of the pairs."""
    here = numbers.panels[page * PANELS : (page + 1) * PANELS]
    drawn = effect_panels(figure, [""] * len(here), [panel.x for panel in here], numbers.value)
    for axes, panel in zip(drawn, here, strict=True):
        cells = panel.found.frame()
        if not numbers.with_interval:
            cells = cells.assign(low=np.nan, high=np.nan)
        labels = list(dict.fromkeys(cells["second_label"]))
        for number, label in enumerate(labels):
            rows = cells.loc[np.asarray(cells["second_label"] == label)]
            own = look(number)
            colour: Any = own.colour
            if len(labels) > MOST_SERIES:
                colour = shades()(number / (len(labels) - 1))
            draw_means(
                axes,
                panel.x,
                numbers.value,
                [None if pd.isna(level) else level for level in rows["first"]],
                rows,
                color=colour,
                marker=own.marker,
                linestyle=own.dashes,
                label=literal(label),
            )
        axes.legend(title=panel.series_label, loc="upper left", bbox_to_anchor=(1.0, 1.0), handlelength=2.5)
