"""Bars: the mean of a metric at each level of a parameter, with whiskers that say how sure it is."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import matplotlib as mpl
import numpy as np

from sciflow.figures.axis import MOST_CATEGORIES, Axis
from sciflow.figures.facets import columns_of, outer_labels
from sciflow.figures.facets import panels as panels_on
from sciflow.figures.kinds.line import Line, LineNumbers, hollow, numbers_along
from sciflow.figures.marks import crosses, legend, scale_values
from sciflow.figures.numbers import Source
from sciflow.figures.style import MOST_SERIES, look
from sciflow.model.visualization import Visualization

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MOST_PLACES = 48  # bars or boxes on one page
_WIDTH = 0.8  # of all bars of one level, where levels are 1 apart
# What tells bars apart where there are no colours; the first has none.
HATCHES = ("", "////", "....", "\\\\\\\\", "xxxx", "----", "++++")


def numbers(source: Source, wanted: Visualization) -> LineNumbers:
    """Compute the means of a metric at the levels of a parameter, which stand side by side."""
    made = numbers_along(source, wanted, "whiskers", side_by_side=True)
    if made.y_scale == "log":
        said = "points and no bars: a logarithmic scale has no 0 at which a bar could begin"
        made = replace(made, notes=(*made.notes, said))
    return replace(made, is_ordered=False, x=replace(made.x, most=levels_on_a_page(len(made.levels))))


def levels_on_a_page(series: int) -> int:
    """How many levels of so many series are on one page, so that each has a place that is wide enough."""
    return max(4, min(MOST_CATEGORIES, MOST_PLACES // min(series, MOST_SERIES)))


def draw(numbers: LineNumbers, figure: Figure, page: int) -> None:
    """Draw one page: some of the panels, some of the series, some of the levels."""
    here = numbers.on_page(page)
    shown = panels_on(figure, len(here.panels), [panel.label for panel in here.panels])
    levels, present = numbers.levels, here.levels
    handles: dict[str, Any] = {}
    for axes, panel in zip(shown, here.panels, strict=True):
        for line in panel.lines:
            places = _places(line, here.x, present.index(line.level), len(present))
            number = levels.index(line.level) % MOST_SERIES
            if numbers.y_scale == "log":
                handles[line.label] = _draw_points(axes, line, places, number)
            else:
                handles[line.label] = _draw_bars(axes, line, places, number, _WIDTH / len(present))
        here.x.apply(axes, "x", columns_of(len(shown)))
    scale_values(shown, numbers.y_scale)
    for axes, panel in zip(shown, here.panels, strict=True):
        for line in panel.lines:
            places = _places(line, here.x, present.index(line.level), len(present))
            crosses(axes, places[line.count == 0].tolist())
    outer_labels(figure, shown, numbers.x.label, numbers.y_label)
    if len(levels) > 1 and handles:
        legend(figure, list(handles.values()), list(handles), numbers.series_label)


def _places(line: Line, x: Axis, number: int, of: int) -> np.ndarray:
    """Where the bars of one series stand: those of one level beside each other, around its tick."""
    return np.array([x.place(one) for one in line.x]) + _WIDTH * ((number + 0.5) / of - 0.5)


def _draw_bars(axes: Axes, line: Line, places: np.ndarray, number: int, width: float) -> Any:
    there = line.count > 0
    bars = axes.bar(
        places[there],
        line.mean[there],
        width=width * 0.92,
        color=look(number).colour,
        hatch=HATCHES[number],
        edgecolor="white" if HATCHES[number] else look(number).colour,
        linewidth=0,
    )
    _whiskers(axes, line, places, "black")
    hollow(axes, places, line, "black", "o")
    if (line.mean[there] < 0).any():
        axes.axhline(0, color="black", linewidth=0.8)
    return bars


def _draw_points(axes: Axes, line: Line, places: np.ndarray, number: int) -> Any:
    own = look(number)
    _whiskers(axes, line, places, own.colour)
    (drawn,) = axes.plot(places, line.mean, own.marker, color=own.colour)
    hollow(axes, places, line, own.colour, own.marker)
    return drawn


def _whiskers(axes: Axes, line: Line, places: np.ndarray, colour: str) -> None:
    there = np.isfinite(line.low) & np.isfinite(line.high)
    if there.any():
        sides = [line.mean[there] - line.low[there], line.high[there] - line.mean[there]]
        size = float(mpl.rcParams["lines.markersize"])
        axes.errorbar(
            places[there], line.mean[there], sides, fmt="none", ecolor=colour, elinewidth=0.9, capsize=size * 0.6
        )
