"""Convergence: the series that tasks log, such as a loss at each step, and what repeats make of them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from sciflow.analysis.choice import selected
from sciflow.analysis.observations import Sample, is_absent
from sciflow.analysis.repeats import Interval
from sciflow.errors import ResultError
from sciflow.figures.clouds import Series as Colours
from sciflow.figures.clouds import shades
from sciflow.figures.curves import MOST_MEAN, Curve, curve
from sciflow.figures.facets import PANELS, facets, grid_size, outer_labels, pages_of, panels
from sciflow.figures.labels import label_of, metric_label, text_of
from sciflow.figures.logged import Logged, logged, of_rows
from sciflow.figures.numbers import Numbers, Source
from sciflow.figures.remarks import averaged, averaged_factors, gaps, interval_meaning, interval_of
from sciflow.figures.side import Side
from sciflow.figures.style import MOST_SERIES, look
from sciflow.model.visualization import Visualization

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


@dataclass(frozen=True, eq=False)
class Panel:
    """The curves of one facet."""

    label: str
    curves: tuple[Curve, ...]


@dataclass(frozen=True, eq=False)
class ConvergenceNumbers(Numbers):
    """What a convergence shows."""

    panels: tuple[Panel, ...]
    x: Side
    y: Side
    series: Colours

    @property
    def pages(self) -> int:
        """A page for so many panels, and one for so many series, as can be told apart."""
        return pages_of(len(self.panels)) * self.series.pages

    @property
    def size(self) -> tuple[float, float]:
        """Width and height, in widths of a column."""
        return grid_size(len(self.panels))

    @property
    def curves(self) -> list[Curve]:
        """The curves of all panels."""
        return [one for panel in self.panels for one in panel.curves]

    def frame(self) -> pd.DataFrame:
        """A row for each step of each curve."""
        parts = []
        for panel in self.panels:
            for one in panel.curves:
                columns = {"step": one.steps, "middle": one.middle, "low": one.low, "high": one.high}
                part = pd.DataFrame({**columns, "count": one.count})
                part.insert(0, "series", one.label)
                part.insert(0, "panel", panel.label)
                parts.append(part)
        return pd.concat(parts, ignore_index=True)


def numbers(source: Source, wanted: Visualization) -> ConvergenceNumbers:
    """Compute the curves of a series that instances of a task have logged."""
    assert wanted.value is not None
    table, known = source.whole("convergence"), source.observations
    by = [*([wanted.series] if wanted.series else []), *wanted.facet_by]
    for name in by:
        known.parameter(name)
    rows, found = logged(table, known, wanted.value, wanted.task)
    if wanted.select:
        rows = selected(rows, wanted.select)
    sample = rows.sample(wanted.value)
    if wanted.series and wanted.series not in sample.parameters:
        raise ResultError(f"`{wanted.value}` does not depend on `{wanted.series}`: there is one series only")
    if not of_rows(found, sample):
        raise ResultError(
            f"no instance has a series `{wanted.value}` with a step: {gaps(sample)}",
            hint="see `sciflow status` for what is missing and why",
        )
    interval = interval_of(sample, by, wanted)
    made = tuple(
        Panel(one.label, _curves(one.sample, found, wanted, interval))
        for one in facets(sample, wanted.facet_by, wanted.labels)
        if of_rows(found, one.sample)
    )
    made = tuple(panel for panel in made if panel.curves)
    if not made:
        raise ResultError(f"no series `{wanted.value}` has a finite value")
    colours = Colours.of(
        sample.parameters[wanted.series] if wanted.series else None,
        label_of(wanted.series, rows, wanted) if wanted.series else "",
    )
    steps = wanted.labels.get("step", "step")
    x = Side("step", steps, None, wanted.x_scale or "linear")
    label = wanted.labels.get(wanted.value) or metric_label(sample.metric)
    y = Side(wanted.value, label, None, wanted.value_scale or wanted.y_scale or "linear")
    shown = ConvergenceNumbers(wanted.title or "", (), made, x, y, colours)
    for one in shown.curves:
        x.places(one.steps)
        y.places(one.middle[np.isfinite(one.middle)])
    return replace(shown, notes=tuple(filter(None, _notes(shown, sample, found, wanted))))


def _curves(sample: Sample, found: Logged, wanted: Visualization, interval: Interval) -> tuple[Curve, ...]:
    levels: tuple[Any, ...] = (None,)
    column: list[Any] = [None] * len(sample.frame)
    if wanted.series:
        levels = sample.parameters[wanted.series].levels
        column = [None if is_absent(one) else one for one in sample.frame[wanted.series]]
    curves = []
    for number, level in enumerate(levels):
        here = np.array([one == level for one in column], dtype=bool)
        series = of_rows(found, replace(sample, frame=sample.frame.loc[here]))
        series = [one for one in series if np.isfinite(one.values).any()]
        if series:
            label = text_of(level) if wanted.series else ""
            curves.append(curve(label, number, series, interval, wanted.confidence))
    return tuple(curves)


def _notes(shown: ConvergenceNumbers, sample: Sample, found: Logged, wanted: Visualization) -> list[str]:
    curves = shown.curves
    by = [*([wanted.series] if wanted.series else []), *wanted.facet_by]
    several = [one for one in curves if one.total > 1]
    told = averaged(sample, by) if several else ""
    notes = [told.replace("mean over", "median over") if all(one.outer_low is not None for one in several) else told]
    if not shown.series.span:
        if any(one.outer_low is not None for one in curves):
            notes.append(f"more than {MOST_MEAN} series: median, the middle half and the middle 90% of them")
        if any(one.outer_low is None and np.isfinite(one.low).any() for one in curves):
            is_range = wanted.asked_interval is None and averaged_factors(sample, by)
            notes.append(
                "band: from the smallest to the largest series"
                if is_range
                else interval_meaning(sample, by, wanted, "band")
            )
    short = [one for one in curves if one.count.min() < one.total]
    if short:
        notes.append("where a line is pale, not all of its series have a value, and it is of those that have")
    if any(one.is_interpolated for one in curves):
        notes.append("steps differ between series: between its own steps a series is taken to go straight")
    told = sample.described_gaps()
    return [*notes, *found.notes, f"{wanted.value}: {told.replace('no value', 'no series')}" if told else ""]


def draw(numbers: ConvergenceNumbers, figure: Figure, page: int) -> None:
    """Draw one page: some of the panels, some of the series."""
    shown, part = divmod(page, numbers.series.pages)
    here = numbers.panels[shown * PANELS : (shown + 1) * PANELS]
    drawn = panels(figure, len(here), [panel.label for panel in here])
    handles: dict[str, Any] = {}
    for axes, panel in zip(drawn, here, strict=True):
        for one in panel.curves:
            if numbers.series.span:
                _draw_shade(axes, one, numbers.series)
            elif part * MOST_SERIES <= one.level < (part + 1) * MOST_SERIES:
                handles[one.label] = _draw_curve(axes, one, numbers.y.scale)
        axes.set(xscale=numbers.x.scale, yscale=numbers.y.scale)
    outer_labels(figure, drawn, numbers.x.label, numbers.y.label)
    if numbers.series.span:
        _explain_shades(figure, drawn, numbers.series)
    elif numbers.series.label:
        figure.legend(handles.values(), handles.keys(), title=numbers.series.label, loc="outside right upper")


def _draw_curve(axes: Axes, one: Curve, scale: str) -> Any:
    own = look(one.level % MOST_SERIES)
    for member in one.members:
        axes.plot(member.steps, member.values, color=own.colour, linewidth=0.5, alpha=0.35, zorder=1)
    for low, high, alpha in ((one.outer_low, one.outer_high, 0.12), (one.low, one.high, 0.22)):
        if low is not None and high is not None and np.isfinite(low).any():
            if scale == "log":
                low = np.where(low > 0, low, np.nanmin(one.middle) / 2)  # an end below 0 has no place
            axes.fill_between(one.steps, low, high, color=own.colour, alpha=alpha, linewidth=0)
    marker = own.marker if len(one.steps) == 1 else None
    axes.plot(one.steps, one.middle, color=own.colour, linewidth=0.9, alpha=0.45, linestyle=own.dashes)
    whole = np.where(one.count == one.total, one.middle, np.nan)
    (line,) = axes.plot(one.steps, whole, color=own.colour, linewidth=1.5, linestyle=own.dashes, marker=marker)
    return line


def _draw_shade(axes: Axes, one: Curve, series: Colours) -> None:
    """Draw one of many lines, whose colour is the value of a parameter."""
    level = series.levels[one.level]
    colour: Any = "#808080"  # of None, which has no place on the scale
    if level is not None and series.span:
        low, high = series.span
        colour = shades()((float(level) - low) / (high - low))
    axes.plot(one.steps, one.middle, color=colour, linewidth=0.8, alpha=0.8)


def _explain_shades(figure: Figure, drawn: list[Axes], series: Colours) -> None:
    from matplotlib.cm import ScalarMappable
    from matplotlib.colors import Normalize

    assert series.span is not None
    figure.colorbar(ScalarMappable(Normalize(*series.span), shades()), ax=drawn, label=series.label, aspect=30)
