"""Lines: the mean of a metric along a parameter, with a band that says how sure it is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from sciflow.analysis.repeats import means
from sciflow.figures.facets import PANELS, Facet, facets, grid_size, pages_of, panels
from sciflow.figures.labels import label_of, text_of
from sciflow.figures.numbers import Numbers, Source
from sciflow.figures.remarks import averaged, gaps, interval_text
from sciflow.figures.style import MOST_SERIES, look
from sciflow.model.visualization import Visualization

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


@dataclass(frozen=True, eq=False)
class Line:
    """One line: at each level of x a mean, its interval, and of how many values."""

    label: str
    x: list[Any]
    mean: np.ndarray
    low: np.ndarray
    high: np.ndarray
    count: np.ndarray


@dataclass(frozen=True, eq=False)
class Panel:
    """The lines of one facet."""

    label: str
    lines: tuple[Line, ...]


@dataclass(frozen=True, eq=False)
class LineNumbers(Numbers):
    """What lines show.

    Attributes
    ----------
    x_label, y_label, series_label
        What stands at the axes, and above the legend.
    x_levels
        The levels of x: where it has categories, in the order of the axis.
    """

    panels: tuple[Panel, ...]
    x_label: str
    y_label: str
    series_label: str
    x_levels: tuple[Any, ...]
    is_category: bool
    x_scale: str
    y_scale: str

    @property
    def pages(self) -> int:
        """A page for so many panels, and one for so many series, as can be told apart."""
        return pages_of(len(self.panels)) * self.pages_of_series

    @property
    def pages_of_series(self) -> int:
        """On how many pages the series of one panel go."""
        return -(-max(len(panel.lines) for panel in self.panels) // MOST_SERIES)

    @property
    def size(self) -> tuple[float, float]:
        """Width and height, in widths of a column."""
        return grid_size(len(self.panels))

    def frame(self) -> pd.DataFrame:
        """A row for each point of each line."""
        rows = [
            (panel.label, line.label, *point)
            for panel in self.panels
            for line in panel.lines
            for point in zip(line.x, line.mean, line.low, line.high, line.count, strict=True)
        ]
        return pd.DataFrame(rows, columns=["panel", "series", "x", "mean", "low", "high", "count"])


def numbers(source: Source, wanted: Visualization) -> LineNumbers:
    """Compute the lines of a metric along a parameter."""
    observations = source.observations
    assert wanted.value is not None
    assert wanted.x_axis is not None
    sample = observations.sample(wanted.value)
    x = observations.parameter(wanted.x_axis)
    by = [x.name, *([wanted.series] if wanted.series else []), *wanted.facet_by]
    made = tuple(_panel(one, x.name, wanted) for one in facets(sample, wanted.facet_by) if _has_numbers(one))
    if not made:
        _ = sample.measured  # says why there is nothing
    return LineNumbers(
        title=wanted.title or "",
        notes=tuple(filter(None, [averaged(sample, by), interval_text(sample, by, wanted), gaps(sample)])),
        panels=made,
        x_label=label_of(x.name, observations, wanted),
        y_label=label_of(sample.metric.name, observations, wanted),
        series_label=label_of(wanted.series, observations, wanted) if wanted.series else "",
        x_levels=sample.parameters[x.name].levels if x.name in sample.parameters else x.levels,
        is_category=x.kind == "category" or None in x.levels,
        x_scale=wanted.x_scale or "linear",
        y_scale=wanted.value_scale or wanted.y_scale or "linear",
    )


def _has_numbers(facet: Facet) -> bool:
    return bool(np.isfinite(facet.sample.values).any())


def _panel(facet: Facet, x: str, wanted: Visualization) -> Panel:
    by = [wanted.series, x] if wanted.series else [x]
    frame = means(facet.sample, by, wanted.interval, wanted.confidence)
    levels = facet.sample.parameters[wanted.series].levels if wanted.series else (None,)
    lines = []
    for level in levels:
        rows = frame if not wanted.series else frame[[same(one, level) for one in frame[wanted.series]]]
        if len(rows):
            columns = (np.asarray(rows[name]) for name in ("mean", "low", "high", "count"))
            lines.append(Line(text_of(level) if wanted.series else "", rows[x].tolist(), *columns))
    return Panel(facet.label, tuple(lines))


def same(one: Any, other: Any) -> bool:
    """Whether two levels are the same; None as pandas has it, too."""
    return one == other or (other is None and bool(pd.isna(one)))


def draw(numbers: LineNumbers, figure: Figure, page: int) -> None:
    """Draw one page: some of the panels, some of the series."""
    shown, part = divmod(page, numbers.pages_of_series)
    here = numbers.panels[shown * PANELS : (shown + 1) * PANELS]
    handles: dict[str, Any] = {}
    for axes, panel in zip(panels(figure, len(here)), here, strict=True):
        for number, line in enumerate(panel.lines[part * MOST_SERIES : (part + 1) * MOST_SERIES]):
            handles[line.label] = _draw_line(axes, line, number, numbers)
        axes.set_title(panel.label)
        if axes.get_subplotspec() and axes.get_subplotspec().is_first_col():  # pyright: ignore[reportOptionalMemberAccess]
            axes.set_ylabel(numbers.y_label)
        axes.set_xlabel(numbers.x_label)
        axes.label_outer()
        axes.set(xscale="linear" if numbers.is_category else numbers.x_scale, yscale=numbers.y_scale)
        if numbers.is_category:
            axes.set_xticks(range(len(numbers.x_levels)), [text_of(level) for level in numbers.x_levels])
    if len(handles) > 1:
        figure.legend(handles.values(), handles.keys(), title=numbers.series_label, loc="outside right upper")


def _draw_line(axes: Axes, line: Line, number: int, numbers: LineNumbers) -> Any:
    own = look(number)
    place = {level: position for position, level in enumerate(numbers.x_levels)}
    x = [place[one] for one in line.x] if numbers.is_category else line.x
    (drawn,) = axes.plot(x, line.mean, color=own.colour, marker=own.marker, linestyle=own.dashes)
    if np.isfinite(line.low).any():
        axes.fill_between(x, line.low, line.high, color=own.colour, alpha=0.2, linewidth=0)
    return drawn
