"""Heatmap: the mean of a metric over two parameters, as the colours of cells."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.collections import PolyCollection
from matplotlib.patheffects import withStroke
from matplotlib.transforms import Affine2D

from sciflow.analysis.observations import Observations, Sample
from sciflow.figures.axis import Axis, axis_of, binned, inches
from sciflow.figures.cells import cells
from sciflow.figures.facets import PANELS, Facet, check_depends, columns_of, facets, grid_size, outer_labels, pages_of
from sciflow.figures.facets import panels as panels_on
from sciflow.figures.labels import label_of, units, wrapped
from sciflow.figures.marks import COLOUR_BAR, MISSING, check_log, norm_of, with_room
from sciflow.figures.numbers import Numbers, Source
from sciflow.figures.remarks import averaged, bins_text, constant_text, gaps, logarithmic_text, steps_text
from sciflow.figures.style import ABSENT, ORDERED
from sciflow.model.visualization import Visualization

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.colors import Normalize
    from matplotlib.figure import Figure

MOST_CELLS = 60  # along one axis of numbers; more are put into bins
_HATCH = "/////"


@dataclass(frozen=True, eq=False)
class Cells:
    """The cells of one facet: arrays with a row for each level of y, a column for each of x.

    Attributes
    ----------
    mean
        NaN where there is no value.
    count, planned
        Of how many values, and of how many it would be.
    why
        What is the matter with the values that are missing; empty where none is.
    """

    label: str
    mean: np.ndarray
    count: np.ndarray
    planned: np.ndarray
    why: np.ndarray

    def part(self, rows: slice, columns: slice) -> Cells:
        """Some of its rows and columns."""
        taken = {name: getattr(self, name)[rows, columns] for name in ("mean", "count", "planned", "why")}
        return replace(self, **taken)

    @property
    def empty(self) -> np.ndarray:
        """Which cells were planned and have no value."""
        return (self.planned > 0) & (self.count == 0)

    @property
    def partial(self) -> np.ndarray:
        """Which cells are the mean of a part of their values."""
        return (self.count > 0) & (self.count < self.planned)


@dataclass(frozen=True, eq=False)
class HeatmapNumbers(Numbers):
    """What a heatmap shows: the cells of each facet, the two axes, and the metric's label and scale."""

    panels: tuple[Cells, ...]
    x: Axis
    y: Axis
    value_label: str
    value_scale: str

    @property
    def pages(self) -> int:
        """A page for so many panels and so many categories as are legible."""
        return pages_of(len(self.panels)) * self.x.pages * self.y.pages

    @property
    def size(self) -> tuple[float, float]:
        """Width and height, in widths of a column."""
        return with_room(grid_size(len(self.panels)), self.notes, [], self.x)

    @property
    def values(self) -> list[float]:
        """The means of all cells that have one, which make the limits of the colours on all pages."""
        return [float(one) for panel in self.panels for one in panel.mean[panel.count > 0]]

    def frame(self) -> pd.DataFrame:
        """A row for each cell that was planned."""
        rows = [
            (panel.label, self.x.levels[column], self.y.levels[row], *(one[row, column] for one in columns))
            for panel in self.panels
            for columns in [(panel.mean, panel.count, panel.planned, panel.why)]
            for row, column in np.argwhere(panel.planned > 0).tolist()
        ]
        return pd.DataFrame(rows, columns=["panel", "x", "y", "mean", "count", "planned", "why"])

    def on_page(self, page: int) -> HeatmapNumbers:
        """The part of it that one page shows."""
        rest, of_y = divmod(page, self.y.pages)
        shown, of_x = divmod(rest, self.x.pages)
        x, y = self.x.part(of_x), self.y.part(of_y)
        rows, columns = (
            slice(first, first + len(part.levels))
            for whole, part in ((self.y, y), (self.x, x))
            for first in [whole.levels.index(part.levels[0])]
        )
        here = self.panels[shown * PANELS : (shown + 1) * PANELS]
        return replace(self, panels=tuple(panel.part(rows, columns) for panel in here), x=x, y=y)


def numbers(source: Source, wanted: Visualization) -> HeatmapNumbers:
    """Compute the cells of a metric over two parameters."""
    observations = source.observations
    assert wanted.value is not None
    whole = observations.sample(wanted.value)
    _ = whole.measured  # says why there is nothing
    x_name, y_name = plane_of(whole, observations, wanted)
    sample, x = _side(whole, x_name, label_of(x_name, observations, wanted))
    sample, y = _side(sample, y_name, label_of(y_name, observations, wanted))
    panels = tuple(
        _cells(facet, x_name, y_name, x, y, wanted) for facet in facets(sample, wanted.facet_by, wanted.labels)
    )
    values = [float(one) for panel in panels for one in panel.mean[panel.count > 0]]
    value_scale = wanted.value_scale or "linear"
    check_log(whole.metric.name, values, value_scale)
    notes = [
        averaged(whole, [x_name, y_name, *wanted.facet_by]),
        *(bins_text(name, axis) for name, axis in ((x_name, x), (y_name, y))),
        *(steps_text(whole.parameters[name], axis) for name, axis in ((x_name, x), (y_name, y))),
        logarithmic_text((whole.metric.name, value_scale)).replace("axis", "colours"),
        constant_text(whole.metric.name, values),
        gaps(whole),
        _signs(panels, bool(x.edges or y.edges)),
    ]
    return HeatmapNumbers(
        title=wanted.title or "",
        notes=tuple(filter(None, notes)),
        panels=panels,
        x=x,
        y=y,
        value_label=label_of(whole.metric.name, observations, wanted),
        value_scale=value_scale,
    )


def plane_of(sample: Sample, observations: Observations, wanted: Visualization) -> tuple[str, str]:
    """The two parameters that make the plane.

    Raises
    ------
    ResultError
        Where the metric does not depend on one of them.
    """
    assert wanted.x_axis is not None
    assert wanted.y_axis is not None
    for name in (wanted.x_axis, wanted.y_axis):
        check_depends(sample, observations.parameter(name).name, "a line along the other axis shows it all")
    return wanted.x_axis, wanted.y_axis


def _side(sample: Sample, name: str, label: str) -> tuple[Sample, Axis]:
    """One axis, whose cells are equally wide; and the sample, put into bins where there would be too many cells."""
    parameter = sample.parameters[name]
    axis = axis_of(parameter, label, None)
    if axis.scale == "category":
        return sample, axis
    is_scattered = parameter.is_sampled and len(axis.levels) > 2
    if is_scattered or len(axis.levels) > MOST_CELLS:
        count = bins_of(len(sample.frame)) if is_scattered else MOST_CELLS
        sample, axis = binned(sample, axis, name, count)
    return sample, replace(axis, scale="category", thins=True)


def bins_of(rows: int) -> int:
    """Into how many bins along each axis scattered rows go, so that a cell has three of them in the mean."""
    return int(np.clip(round((rows / 3) ** 0.5), 2, 20))


def _cells(facet: Facet, x_name: str, y_name: str, x: Axis, y: Axis, wanted: Visualization) -> Cells:
    shape = (len(y.levels), len(x.levels))
    mean, why = np.full(shape, np.nan), np.full(shape, "", dtype=object)
    count, planned = np.zeros(shape, dtype=int), np.zeros(shape, dtype=int)
    columns, rows = ({level: number for number, level in enumerate(axis.levels)} for axis in (x, y))
    for key, cell in cells(facet.sample, [x_name, y_name], wanted).items():
        place = rows[key[1]], columns[key[0]]
        mean[place], why[place], count[place], planned[place] = cell.mean, cell.why, cell.count, cell.planned
    return Cells(facet.label, mean, count, planned, why)


def _signs(panels: Sequence[Cells], is_binned: bool) -> str:
    """What the signs in cells mean, of those that are there."""
    reasons = {why for panel in panels for why in panel.why[panel.empty].tolist()}
    nothing = "no point there" if is_binned else "not part of these results"
    told = [
        "hatched: no value" if reasons else "",
        "×: failed" if any(_sign(why) == "x" for why in reasons) else "",
        "∞: infinite" if "infinite" in reasons else "",
        "corner: mean of a part of the values" if any(panel.partial.any() for panel in panels) else "",
        f"white: {nothing}" if any((panel.planned == 0).any() for panel in panels) else "",
    ]
    return ", ".join(filter(None, told))


def _sign(why: str) -> str:
    if why == "infinite":
        return r"$\infty$"
    return "" if why in ("PENDING", "RUNNING", "UNKNOWN", "") else "x"


def draw(numbers: HeatmapNumbers, figure: Figure, page: int) -> None:
    """Draw one page."""
    here = numbers.on_page(page)
    shown = panels_on(figure, len(here.panels), [panel.label for panel in here.panels])
    norm = norm_of(numbers.values, numbers.value_scale)
    columns = columns_of(len(shown))
    rows = -(-len(shown) // columns)
    mesh = None
    for axes, panel in zip(shown, here.panels, strict=True):
        mesh = axes.pcolormesh(np.ma.masked_invalid(panel.mean), norm=norm, cmap=ORDERED, edgecolors="none")
        mesh.set_transform(Affine2D().translate(-0.5, -0.5) + axes.transData)
        here.x.apply(axes, "x", columns, beside=COLOUR_BAR)
        here.y.apply(axes, "y", columns, rows)
        axes.set(xlim=(-0.5, panel.mean.shape[1] - 0.5), ylim=(-0.5, panel.mean.shape[0] - 0.5))
        _mark(axes, panel, _cell_size(axes, columns, rows, panel.mean.shape))
    outer_labels(figure, shown, here.x.label, here.y.label)
    assert mesh is not None
    figure.colorbar(mesh, ax=shown, label=wrapped(numbers.value_label, inches(figure)[1] * 0.55))
    for axes, panel in zip(shown, here.panels, strict=True):
        _write(axes, panel, norm, _cell_size(axes, columns, rows, panel.mean.shape))


def _cell_size(axes: Axes, columns: int, rows: int, shape: tuple[int, ...]) -> tuple[float, float]:
    """About how large a cell is, in points: less than it will be, so that nothing in it reaches beyond it."""
    width, height = inches(axes.figure)
    return 72 * ((width - 0.9) / columns - 0.35) / shape[1], 72 * (0.62 * height / rows - 0.1) / shape[0]


def _mark(axes: Axes, panel: Cells, size: tuple[float, float]) -> None:
    """Hatch what has no value, and say in the cell why; mark the corner of what has a part only."""

    def corners(which: np.ndarray, shape: Sequence[tuple[float, float]]) -> list[list[tuple[float, float]]]:
        return [[(column + x, row + y) for x, y in shape] for row, column in np.argwhere(which).tolist()]

    square = [(-0.5, -0.5), (0.5, -0.5), (0.5, 0.5), (-0.5, 0.5)]
    if panel.empty.any():
        hatched = PolyCollection(
            corners(panel.empty, square), facecolor=ABSENT, edgecolor="#999999", hatch=_HATCH, linewidth=0.0
        )
        axes.add_collection(hatched, autolim=False)
    if panel.partial.any():
        triangle = [(0.5, 0.5), (0.2, 0.5), (0.5, 0.2)]
        axes.add_collection(
            PolyCollection(corners(panel.partial, triangle), facecolor="white", edgecolor=MISSING, linewidth=0.5),
            autolim=False,
        )
    for sign in ("x", r"$\infty$"):
        failed = [place for place in np.argwhere(panel.empty).tolist() if _sign(panel.why[tuple(place)]) == sign]
        if failed:
            y, x = zip(*failed, strict=True)
            large = min(*size, 12) * 0.6
            halo = [withStroke(linewidth=2.5, foreground=ABSENT)]
            axes.plot(x, y, "k", linestyle="", marker=sign, markersize=large, clip_on=False, path_effects=halo)


def cell_texts(values: Sequence[float]) -> list[str]:
    """Numbers of one figure: with equally many decimals, the largest with three digits; else with three digits each."""
    largest, smallest = max(map(abs, values), default=0.0), min(filter(None, map(abs, values)), default=1.0)
    if not 1e-3 <= largest < 1e5 or smallest < largest / 1000:
        return [f"{value:.3g}" for value in values]
    decimals = max(0, 2 - math.floor(math.log10(largest)))
    return [f"{value:.{decimals}f}" for value in values]


def _write(axes: Axes, panel: Cells, norm: Normalize, size: tuple[float, float]) -> None:
    """Write the numbers into the cells, where they have room."""
    places = [tuple(place) for place in np.argwhere(panel.count > 0).tolist()]
    texts = dict(zip(places, cell_texts([float(panel.mean[place]) for place in places]), strict=True))
    letters = float(mpl.rcParams["font.size"]) * 0.8
    if not texts or max(map(units, texts.values())) * letters * 0.64 > size[0] or letters * 1.3 > size[1]:
        return
    colours = mpl.colormaps[ORDERED]
    for (row, column), text in texts.items():
        red, green, blue, _ = colours(norm(panel.mean[row, column]))
        is_dark = 0.2126 * red**2.2 + 0.7152 * green**2.2 + 0.0722 * blue**2.2 < 0.2
        colour = "white" if is_dark else "black"
        axes.text(column, row, text, ha="center", va="center", fontsize=letters, color=colour)
