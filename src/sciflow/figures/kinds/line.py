"""Lines: the mean of a metric along a parameter, with a band that says how sure it is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import matplotlib as mpl
import numpy as np
import pandas as pd

from sciflow.analysis.observations import Observations, Sample
from sciflow.figures.axis import Axis, axis_of, binned
from sciflow.figures.cells import Cell, cells
from sciflow.figures.facets import PANELS, Facet, check_depends, columns_of, facets, grid_size, outer_labels, pages_of
from sciflow.figures.facets import panels as panels_on
from sciflow.figures.labels import label_of
from sciflow.figures.marks import check_log, crosses, legend, missing_text, ordered, scale_values, with_room
from sciflow.figures.numbers import Numbers, Source
from sciflow.figures.remarks import (
    averaged,
    averaged_factors,
    bins_text,
    constant_text,
    gaps,
    interval_meaning,
    logarithmic_text,
    steps_text,
)
from sciflow.figures.style import MOST_SERIES, Look, look
from sciflow.model.visualization import Visualization

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.cm import ScalarMappable
    from matplotlib.figure import Figure

MOST_LEVELS = 16  # of what was drawn at random, or stands side by side; more are put into bins
MOST_MARKERS = 40  # along a line
BINS = 12
ORDERED_SERIES = 40  # series of numbers that ordered colours tell apart; more are put into bins
BINS_OF_SERIES = 5
_MOST_TOLD = 4
_COLUMNS = ("mean", "low", "high", "count", "planned", "lacks")


@dataclass(frozen=True, eq=False)
class Line:
    """One line: at each level of x that was planned a mean, its interval, and of how many values.

    Attributes
    ----------
    level
        Of the parameter that makes series.
    lacks
        At which levels the mean is over fewer combinations of other parameters than were planned.
    why
        At each level, what is the matter where a value is missing.
    """

    label: str
    level: Any
    x: list[Any]
    mean: np.ndarray
    low: np.ndarray
    high: np.ndarray
    count: np.ndarray
    planned: np.ndarray
    lacks: np.ndarray
    why: list[str]

    @property
    def empty(self) -> list[Any]:
        """The levels of x at which no value is."""
        return [x for x, count in zip(self.x, self.count, strict=True) if not count]

    def on(self, axis: Axis) -> Line:
        """The part of it that lies at these levels."""
        kept = [number for number, level in enumerate(self.x) if level in axis.levels]
        if len(kept) == len(self.x):
            return self
        columns = {name: getattr(self, name)[kept] for name in _COLUMNS}
        return replace(self, x=[self.x[n] for n in kept], why=[self.why[n] for n in kept], **columns)


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
    panels
        Of each facet the lines.
    x
        The axis of the parameter along which they run.
    y_label, y_scale
        Of the metric.
    series_label
        What stands above the legend.
    is_ordered
        Whether the series are so many numbers that colours in order tell them apart.
    """

    panels: tuple[Panel, ...]
    x: Axis
    y_label: str
    y_scale: str
    series_label: str
    is_ordered: bool = False

    @property
    def pages(self) -> int:
        """A page for so many panels, so many series, and so many categories, as can be told apart."""
        return pages_of(len(self.panels)) * self.pages_of_series * self.x.pages

    @property
    def pages_of_series(self) -> int:
        """On how many pages the series of one panel go."""
        return 1 if self.is_ordered else -(-max(len(panel.lines) for panel in self.panels) // MOST_SERIES)

    @property
    def size(self) -> tuple[float, float]:
        """Width and height, in widths of a column."""
        texts = [line.label for line in self.panels[0].lines] if not self.is_ordered else []
        return with_room(grid_size(len(self.panels)), self.notes, texts[:MOST_SERIES], self.x)

    @property
    def levels(self) -> list[Any]:
        """The levels of the series, in their order."""
        return list(dict.fromkeys(line.level for panel in self.panels for line in panel.lines))

    def frame(self) -> pd.DataFrame:
        """A row for each point of each line."""
        rows = [
            (panel.label, line.label, *point)
            for panel in self.panels
            for line in panel.lines
            for point in zip(line.x, line.mean, line.low, line.high, line.count, line.planned, strict=True)
        ]
        return pd.DataFrame(rows, columns=["panel", "series", "x", "mean", "low", "high", "count", "planned"])

    def on_page(self, page: int) -> LineNumbers:
        """The part of it that one page shows."""
        rest, part_of_x = divmod(page, self.x.pages)
        shown, part = divmod(rest, self.pages_of_series)
        kept = self.levels if self.is_ordered else self.levels[part * MOST_SERIES : (part + 1) * MOST_SERIES]
        axis = self.x.part(part_of_x)
        here = tuple(
            Panel(panel.label, tuple(line.on(axis) for line in panel.lines if line.level in kept))
            for panel in self.panels[shown * PANELS : (shown + 1) * PANELS]
        )
        return replace(self, panels=here, x=axis)


def numbers(source: Source, wanted: Visualization) -> LineNumbers:
    """Compute the lines of a metric along a parameter."""
    return numbers_along(source, wanted, "band")


def numbers_along(source: Source, wanted: Visualization, interval: str, *, side_by_side: bool = False) -> LineNumbers:
    """Compute means of a metric along a parameter, whose levels stand side by side where that is asked for."""
    observations = source.observations
    assert wanted.value is not None
    assert wanted.x_axis is not None
    whole = observations.sample(wanted.value)
    _ = whole.measured  # says why there is nothing
    sample, x = along(whole, observations, wanted, side_by_side=side_by_side)
    sample, series = with_series(sample, wanted)
    texts = dict(zip(series.levels, series.texts, strict=True))
    wanted = _over_bins(whole, {wanted.x_axis: x, wanted.series or "": series}, wanted)
    assert wanted.x_axis is not None
    by = [wanted.x_axis, *([wanted.series] if wanted.series else []), *wanted.facet_by]
    factors = [one.name for one in averaged_factors(whole, by)]
    made = tuple(_panel(one, wanted, texts, factors) for one in facets(sample, wanted.facet_by, wanted.labels))
    drawn = [float(one) for panel in made for line in panel.lines for one in line.mean if np.isfinite(one)]
    y_scale = wanted.value_scale or wanted.y_scale or "linear"
    check_log(whole.metric.name, drawn, y_scale)
    is_shown = any(np.isfinite(line.low).any() for panel in made for line in panel.lines)
    notes = [
        averaged(whole, by),
        interval_meaning(whole, by, wanted, interval) if is_shown else "",
        *lacking_text(made, x, wanted.x_axis, factors),
        bins_text(wanted.x_axis, x),
        bins_text(wanted.series or "", series),
        logarithmic_text((wanted.x_axis, x.scale), (whole.metric.name, y_scale)),
        steps_text(whole.parameters[wanted.x_axis], x),
        constant_text(whole.metric.name, drawn),
        gaps(whole),
        missing_text([line.why for panel in made for line in panel.lines if not line.count.all()]),
    ]
    return LineNumbers(
        title=wanted.title or "",
        notes=tuple(filter(None, notes)),
        panels=made,
        x=x,
        y_label=label_of(whole.metric.name, observations, wanted),
        y_scale=y_scale,
        series_label=label_of(wanted.series, observations, wanted) if wanted.series else "",
        is_ordered=len(texts) > MOST_SERIES and sample.parameters[wanted.series or ""].kind == "number",
    )


def along(
    sample: Sample, observations: Observations, wanted: Visualization, *, side_by_side: bool = False
) -> tuple[Sample, Axis]:
    """The axis of x, and the sample: where there are too many levels, these are put into bins.

    Numbers that are drawn true to scale are only put into bins where they are drawn at random: all others lie on a
    line however many they are.

    Raises
    ------
    ResultError
        Where the metric does not depend on that parameter.
    """
    assert wanted.x_axis is not None
    name = observations.parameter(wanted.x_axis).name
    check_depends(sample, name, "it is the same all along this axis")
    parameter = sample.parameters[name]
    x = axis_of(parameter, label_of(name, observations, wanted), wanted.x_scale)
    if x.scale != "category" and len(x.levels) > MOST_LEVELS and (side_by_side or parameter.is_sampled):
        sample, x = binned(sample, x, name, BINS)
    return sample, replace(x, scale="category") if side_by_side else x


def _over_bins(sample: Sample, axes: Mapping[str, Axis], wanted: Visualization) -> Visualization:
    """What is wanted; where bins have values that somebody has set, their range is no error of a mean either."""
    is_set = [axis.edges and not sample.parameters[name].is_sampled for name, axis in axes.items() if name]
    if any(is_set) and wanted.asked_interval is None:
        return wanted.model_copy(update={"interval": "range"})
    return wanted


def with_series(sample: Sample, wanted: Visualization) -> tuple[Sample, Axis]:
    """The levels of the parameter that makes series, with what stands for each; too many numbers are put into bins."""
    if not wanted.series:
        return sample, Axis("", (None,), ("",), "category")
    check_depends(sample, wanted.series, "there is one series only")
    parameter = sample.parameters[wanted.series]
    axis = axis_of(parameter, "", None)
    most = MOST_SERIES if parameter.is_sampled else ORDERED_SERIES
    if axis.scale != "category" and len(axis.levels) > most:
        sample, axis = binned(sample, axis, wanted.series, BINS_OF_SERIES)
    return sample, axis


def lacking_text(panels: Sequence[Panel], x: Axis, name: str, factors: Sequence[str]) -> list[str]:
    """Which means are not to be compared with their neighbours, as these are over more; empty for none."""
    lines = [line for panel in panels for line in panel.lines]
    places = {at for line in lines for at, lacks in zip(line.x, line.lacks, strict=True) if lacks}
    told = [text for level, text in zip(x.levels, x.texts, strict=True) if level in places]
    if not told:
        return []
    more = f" and {len(told) - _MOST_TOLD} more" if len(told) > _MOST_TOLD else ""
    return [
        f"hollow: at {name} = {', '.join(told[:_MOST_TOLD])}{more} some values of {', '.join(factors)} are missing, "
        "so the mean is over other combinations than beside it"
    ]


def _panel(facet: Facet, wanted: Visualization, texts: Mapping[Any, str], factors: Sequence[str]) -> Panel:
    assert wanted.x_axis is not None
    by = [wanted.series, wanted.x_axis] if wanted.series else [wanted.x_axis]
    lines: dict[Any, dict[Any, Cell]] = {}
    for key, cell in cells(facet.sample, by, wanted, factors).items():
        lines.setdefault(key[0] if wanted.series else None, {})[key[-1]] = cell
    return Panel(facet.label, tuple(_line(texts[level], level, found) for level, found in lines.items()))


def _line(label: str, level: Any, found: Mapping[Any, Cell]) -> Line:
    numbers = (np.array([getattr(one, name) for one in found.values()]) for name in _COLUMNS)
    return Line(label, level, list(found), *numbers, why=[one.why for one in found.values()])


def draw(numbers: LineNumbers, figure: Figure, page: int) -> None:
    """Draw one page: some of the panels, some of the series."""
    here = numbers.on_page(page)
    shown = panels_on(figure, len(here.panels), [panel.label for panel in here.panels])
    levels = numbers.levels
    mapped = ordered(levels) if numbers.is_ordered else None
    handles: dict[str, Any] = {}
    for axes, panel in zip(shown, here.panels, strict=True):
        for line in panel.lines:
            number = levels.index(line.level)
            handles[line.label] = _draw_line(axes, line, here.x, look(number), mapped)
        here.x.apply(axes, "x", columns_of(len(shown)))
    scale_values(shown, numbers.y_scale)
    for axes, panel in zip(shown, here.panels, strict=True):
        crosses(
            axes, [here.x.place(x) for line in panel.lines for x, n in zip(line.x, line.count, strict=True) if not n]
        )
    outer_labels(figure, shown, numbers.x.label, numbers.y_label)
    if mapped:
        figure.colorbar(mapped, ax=shown, label=numbers.series_label)
    elif len(levels) > 1 and handles:
        legend(figure, list(handles.values()), list(handles), numbers.series_label)


def _draw_line(axes: Axes, line: Line, x: Axis, own: Look, mapped: ScalarMappable | None) -> Any:
    places = [x.place(one) for one in line.x]
    colour = own.colour if mapped is None else mapped.to_rgba(line.level)
    told: dict[str, Any] = {"marker": own.marker, "linestyle": own.dashes} if mapped is None else {"marker": "o"}
    if len(places) > MOST_MARKERS:
        told["marker"] = ""
    elif mapped is not None:
        told["markersize"] = 2
    (drawn,) = axes.plot(places, line.mean, color=colour, **told)
    _mark_alone(axes, places, line, colour, told["marker"])
    hollow(axes, np.array(places), line, colour, own.marker)
    if not np.isfinite(line.low).any() or mapped is not None:
        return drawn
    is_alone = _alone(line.mean)
    axes.fill_between(places, line.low, line.high, color=colour, alpha=0.2, linewidth=0)
    if is_alone.any():
        at = np.array(places)[is_alone]
        axes.vlines(at, line.low[is_alone], line.high[is_alone], color=colour, linewidth=0.8)
    return drawn


def hollow(axes: Axes, places: np.ndarray, line: Line, colour: Any, marker: str) -> None:
    """Mark the means that are of other combinations than their neighbours."""
    if line.lacks.any():
        size = float(mpl.rcParams["lines.markersize"]) * 1.3
        looks = {"markersize": size, "markerfacecolor": "white", "markeredgecolor": colour, "zorder": 4}
        axes.plot(places[line.lacks], line.mean[line.lacks], marker, **looks)


def _mark_alone(axes: Axes, places: Sequence[float], line: Line, colour: Any, marker: str) -> None:
    """Mark a point that no line reaches, where points have no marks."""
    is_alone = _alone(line.mean)
    if not marker and is_alone.any():
        axes.plot(np.array(places)[is_alone], line.mean[is_alone], ".", color=colour)


def _alone(mean: np.ndarray) -> np.ndarray:
    """Which values have no neighbour."""
    there = np.concatenate([[False], np.isfinite(mean), [False]])
    return there[1:-1] & ~there[:-2] & ~there[2:]
