"""Scatter: a metric against a parameter or against another metric, a mark for each measurement."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from sciflow.analysis.observations import VALUE
from sciflow.errors import ResultError
from sciflow.figures.clouds import Cloud, Series, draw_cloud, explain, spread
from sciflow.figures.facets import PANELS, facets, grid_size, pages_of, panels
from sciflow.figures.hexagons import TOO_MANY, Hexagons, Lattice, draw_hexagons
from sciflow.figures.labels import label_of
from sciflow.figures.matched import Matched, known_name, matched
from sciflow.figures.numbers import Numbers, Source
from sciflow.figures.remarks import logarithmic_text
from sciflow.figures.side import Side, side_of, values_of
from sciflow.model.visualization import Visualization

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True, eq=False)
class Panel:
    """The points of one facet; hexagons that count them, where they are too many."""

    label: str
    cloud: Cloud
    hexagons: Hexagons | None = None


@dataclass(frozen=True, eq=False)
class ScatterNumbers(Numbers):
    """What a scatter shows."""

    panels: tuple[Panel, ...]
    x: Side
    y: Side
    series: Series

    @property
    def pages(self) -> int:
        """A page for so many panels, and one for so many series, as can be told apart."""
        return pages_of(len(self.panels)) * self.series.pages

    @property
    def size(self) -> tuple[float, float]:
        """Width and height, in widths of a column."""
        return grid_size(len(self.panels))

    @property
    def most(self) -> int:
        """How many points the fullest hexagon has."""
        return max((int(one.hexagons.count.max()) for one in self.panels if one.hexagons), default=0)

    def frame(self) -> pd.DataFrame:
        """A row for each point, or for each hexagon with its count; categories as they are."""
        parts = []
        for panel in self.panels:
            if panel.hexagons:
                counted = panel.hexagons
                part = pd.DataFrame({"x": counted.x, "y": counted.y, "count": counted.count})
            else:
                levels = [self.series.levels[place] for place in panel.cloud.level]
                x: Any = panel.cloud.x
                if self.x.levels is not None:
                    x = [self.x.levels[int(place)] for place in x]
                part = pd.DataFrame({"series": levels, "x": x, "y": panel.cloud.y})
            part.insert(0, "panel", panel.label)
            parts.append(part)
        return pd.concat(parts, ignore_index=True)


def numbers(source: Source, wanted: Visualization) -> ScatterNumbers:
    """Compute the points of a metric against a parameter or another metric."""
    observations = source.observations
    assert wanted.value is not None
    assert wanted.x_axis is not None
    value, other = observations.metric(wanted.value).name, known_name(observations, wanted.x_axis)
    if value == other:
        raise ResultError(f"`{value}` is on both axes of the scatter", hint="name another `x_axis`")
    shown = [*([wanted.series] if wanted.series else []), *wanted.facet_by]
    for name in shown:
        observations.parameter(name)
    is_parameter = other in observations.parameters
    found = matched(
        observations, [value] if is_parameter else [other, value], [*([other] if is_parameter else []), *shown]
    )
    x = side_of(other, observations, wanted, wanted.x_scale)
    y = side_of(value, observations, wanted, wanted.value_scale or wanted.y_scale)
    count = len(found.rows.frame)
    series = Series.of(
        observations.parameters[wanted.series] if wanted.series else None,
        label_of(wanted.series, observations, wanted) if wanted.series else "",
    )
    if count > TOO_MANY:
        return _counted(wanted, found, x, y)
    made = tuple(
        Panel(label, _cloud(found, rows, x, y, series, wanted.series))
        for label, rows in _parts(found, wanted.facet_by, wanted)
    )
    notes = (*filter(None, [_logarithmic(x, y)]), *found.notes)
    return ScatterNumbers(wanted.title or "", notes, made, x, y, series)


def _logarithmic(x: Side, y: Side) -> str:
    return logarithmic_text(*((one.name, one.scale) for one in (x, y)))


def _parts(found: Matched, names: tuple[str, ...], wanted: Visualization) -> list[tuple[str, np.ndarray]]:
    """The label and the rows of each panel."""
    return [
        (one.label, one.sample.frame[VALUE].to_numpy().astype(int)) for one in facets(found.rows, names, wanted.labels)
    ]


def _cloud(found: Matched, rows: np.ndarray, x: Side, y: Side, series: Series, name: str | None) -> Cloud:
    places = x.places(values_of(x.name, found))[rows]
    level = np.zeros(len(rows), dtype=int)
    if name:
        at = {one: place for place, one in enumerate(series.levels)}
        level = np.array([at[one] for one in found.levels(name)], dtype=int)[rows]
    return Cloud(places, y.places(found.values[y.name])[rows], level)


def _counted(wanted: Visualization, found: Matched, x: Side, y: Side) -> ScatterNumbers:
    """Counts of points, where series are panels, since a hexagon has but one colour."""
    count = len(found.rows.frame)
    if x.levels is not None:
        raise ResultError(
            f"a scatter cannot show {count:,} points over the categories of `{x.name}`",
            hint="`violin` and `box` show how so many values are distributed",
        )
    names = (*((wanted.series,) if wanted.series and wanted.series not in wanted.facet_by else ()), *wanted.facet_by)
    series = Series()
    parts = [(label, _cloud(found, rows, x, y, series, None)) for label, rows in _parts(found, names, wanted)]
    every = [np.concatenate([getattr(cloud, side) for _, cloud in parts]) for side in ("x", "y")]
    lattice = Lattice.over(every[0], every[1], (x.scale, y.scale))
    made = tuple(Panel(label, cloud, lattice.counted(cloud.x, cloud.y)) for label, cloud in parts)
    note = f"{count:,} points, counted in hexagons"
    notes = (note, *filter(None, [_logarithmic(x, y)]), *found.notes)
    return ScatterNumbers(wanted.title or "", notes, made, x, y, series)


def draw(numbers: ScatterNumbers, figure: Figure, page: int) -> None:
    """Draw one page: some of the panels, some of the series."""
    shown, part = divmod(page, numbers.series.pages)
    here = numbers.panels[shown * PANELS : (shown + 1) * PANELS]
    handles: dict[str, Any] = {}
    drawn = panels(figure, len(here))
    marks = None
    for axes, panel in zip(drawn, here, strict=True):
        if panel.hexagons:
            marks = draw_hexagons(axes, panel.hexagons, numbers.most)
        else:
            cloud = panel.cloud
            if numbers.x.levels is not None:
                cloud = Cloud(spread(cloud.x), cloud.y, cloud.level)
            handles |= draw_cloud(axes, cloud, numbers.series, part)
        axes.set_title(panel.label)
        numbers.x.dress(axes, "x")
        numbers.y.dress(axes, "y", with_label=axes.get_subplotspec().is_first_col())  # pyright: ignore[reportOptionalMemberAccess]
        axes.label_outer()
    if marks is not None:
        figure.colorbar(marks, ax=drawn, label="points", aspect=30)
    explain(figure, drawn, handles, numbers.series)
