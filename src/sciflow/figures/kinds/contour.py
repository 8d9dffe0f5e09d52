"""Contours: a metric over two numbers, as bands between lines of equal values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.cm import ScalarMappable
from matplotlib.patheffects import withStroke
from matplotlib.ticker import MaxNLocator
from matplotlib.tri import Triangulation
from scipy.spatial import Delaunay, QhullError

from sciflow.analysis.observations import Observations, Sample
from sciflow.errors import ResultError
from sciflow.figures.axis import Axis, axis_of, binned, inches
from sciflow.figures.cells import Cell, cells
from sciflow.figures.facets import PANELS, Facet, columns_of, facets, grid_size, outer_labels, pages_of
from sciflow.figures.facets import panels as panels_on
from sciflow.figures.kinds.heatmap import plane_of
from sciflow.figures.labels import label_of, wrapped
from sciflow.figures.marks import COLOUR_BAR, check_log, norm_of
from sciflow.figures.numbers import Numbers, Source
from sciflow.figures.remarks import averaged, bins_text, constant_text, gaps, logarithmic_text
from sciflow.figures.style import ABSENT, ORDERED
from sciflow.model.visualization import Visualization

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

BANDS = 8
MOST_POINTS = 4000  # of a panel that are joined to triangles; more are put into bins
BINS = 40
MOST_DOTS = 400  # of a panel that are shown; more would hide the bands
_BACKGROUND = {"facecolor": ABSENT, "edgecolor": "#aaaaaa", "hatch": "////", "linewidth": 0.0}


@dataclass(frozen=True, eq=False)
class Surface:
    """The points of one facet: where they are, and the mean there; NaN where it is missing.

    Attributes
    ----------
    triangles
        Of points that are no grid: which three make each, between those that have a value.
    """

    label: str
    x: np.ndarray
    y: np.ndarray
    mean: np.ndarray
    count: np.ndarray
    triangles: np.ndarray | None = None


@dataclass(frozen=True, eq=False)
class ContourNumbers(Numbers):
    """What contours show: the points of each facet, the bands' limits, and the axes."""

    panels: tuple[Surface, ...]
    levels: tuple[float, ...]
    x: Axis
    y: Axis
    value_label: str
    value_scale: str

    @property
    def pages(self) -> int:
        """A page for so many panels as are legible."""
        return pages_of(len(self.panels))

    @property
    def size(self) -> tuple[float, float]:
        """Width and height, in widths of a column."""
        return grid_size(len(self.panels))

    def frame(self) -> pd.DataFrame:
        """A row for each point."""
        return pd.concat(
            [
                pd.DataFrame({"panel": one.label, "x": one.x, "y": one.y, "mean": one.mean, "count": one.count})
                for one in self.panels
            ],
            ignore_index=True,
        )


def numbers(source: Source, wanted: Visualization) -> ContourNumbers:
    """Compute the bands of a metric over two parameters."""
    observations = source.observations
    assert wanted.value is not None
    whole = observations.sample(wanted.value)
    _ = whole.measured  # says why there is nothing
    x_name, y_name = plane_of(whole, observations, wanted)
    x = _side(whole, x_name, observations, wanted, wanted.x_scale)
    y = _side(whole, y_name, observations, wanted, wanted.y_scale)
    sample, binned_axes = _thinned(whole, {x_name: x, y_name: y})
    is_grid = len(x.levels) * len(y.levels) <= len(sample.frame) or bool(binned_axes)
    panels = tuple(
        _surface(facet, cells(facet.sample, [x_name, y_name], wanted), (x, y), is_grid and not binned_axes)
        for facet in facets(sample, wanted.facet_by, wanted.labels)
    )
    values = [float(one) for panel in panels for one in panel.mean[np.isfinite(panel.mean)]]
    value_scale = wanted.value_scale or "linear"
    check_log(whole.metric.name, values, value_scale)
    notes = [
        averaged(whole, [x_name, y_name, *wanted.facet_by]),
        *(bins_text(name, axis) for name, axis in binned_axes.items()),
        logarithmic_text((x_name, x.scale), (y_name, y.scale), (whole.metric.name, value_scale)),
        constant_text(whole.metric.name, values),
        gaps(whole),
        _signs(panels, bool(whole.described_gaps())),
    ]
    return ContourNumbers(
        title=wanted.title or "",
        notes=tuple(filter(None, notes)),
        panels=panels,
        levels=_levels(values, value_scale),
        x=x,
        y=y,
        value_label=label_of(whole.metric.name, observations, wanted),
        value_scale=value_scale,
    )


def _signs(panels: tuple[Surface, ...], is_missing: bool) -> str:
    """What dots, crosses and hatches mean."""
    has_dots = any(len(panel.x) <= MOST_DOTS for panel in panels)
    told = [
        "dots: measured, between them interpolated" if has_dots else "between the points interpolated",
        "×: no value" if is_missing else "",
        "hatched: not between points with values" if is_missing or panels[0].triangles is not None else "",
    ]
    return ", ".join(filter(None, told))


def _side(sample: Sample, name: str, observations: Observations, wanted: Visualization, scale: str | None) -> Axis:
    parameter = sample.parameters[name]
    axis = axis_of(parameter, label_of(name, observations, wanted), scale)
    if axis.scale == "category":
        example = next(level for level in parameter.levels if not isinstance(level, (int, float)) or level is True)
        raise ResultError(
            f"a contour needs numbers at its axes, and `{name}` is {example!r} somewhere",
            hint="take a heatmap, which has a place for names",
        )
    if len(axis.levels) < 2:
        raise ResultError(
            f"a contour needs at least two values of `{name}`, which is {axis.texts[0]} everywhere",
            hint="take a line along the other axis",
        )
    return axis


def _thinned(sample: Sample, axes: Mapping[str, Axis]) -> tuple[Sample, dict[str, Axis]]:
    """The sample, whose points are put into bins where there are too many to be joined to triangles."""
    places = {tuple(row) for row in sample.frame[list(axes)].itertuples(index=False, name=None)}
    levels = [len(axis.levels) for axis in axes.values()]
    if len(places) <= MOST_POINTS or levels[0] * levels[1] <= len(sample.frame):
        return sample, {}
    found = {}
    for name, axis in axes.items():
        sample, found[name] = binned(sample, axis, name, BINS)
    return sample, found


def _surface(facet: Facet, found: Mapping[tuple[Any, ...], Cell], axes: tuple[Axis, Axis], is_grid: bool) -> Surface:
    x, y = (np.array([key[place] for key in found], dtype=float) for place in (0, 1))
    mean = np.array([cell.mean for cell in found.values()])
    count = np.array([cell.count for cell in found.values()])
    return Surface(facet.label, x, y, mean, count, None if is_grid else _triangles(facet, x, y, mean, axes))


def _triangles(facet: Facet, x: np.ndarray, y: np.ndarray, mean: np.ndarray, axes: tuple[Axis, Axis]) -> np.ndarray:
    """Which points are joined, of those that have a value: by their distances as they are drawn."""
    there = np.flatnonzero(np.isfinite(mean))
    if not len(there):
        return np.empty((0, 3), dtype=int)
    drawn = [np.log(one) if axis.scale == "log" else one for one, axis in zip((x, y), axes, strict=True)]
    scaled = [(one[there] - one.min()) / (np.ptp(one) or 1.0) for one in drawn]
    try:
        return there[Delaunay(np.column_stack(scaled)).simplices]
    except (QhullError, ValueError) as error:
        where = f" where {facet.label}" if facet.label else ""
        raise ResultError(
            f"a contour needs at least three points that are not on one line, and has {len(there)}{where}",
            hint="take a scatter or a heatmap",
        ) from error


def _levels(values: list[float], scale: str) -> tuple[float, ...]:
    """The values between which bands are, the same in all panels."""
    norm = norm_of(values, scale)
    assert norm.vmin is not None
    assert norm.vmax is not None
    if scale == "log":
        return tuple(np.geomspace(norm.vmin, norm.vmax, BANDS + 1).tolist())
    return tuple(float(level) for level in MaxNLocator(BANDS).tick_values(norm.vmin, norm.vmax))


def draw(numbers: ContourNumbers, figure: Figure, page: int) -> None:
    """Draw one page."""
    here = numbers.panels[page * PANELS : (page + 1) * PANELS]
    shown = panels_on(figure, len(here), [panel.label for panel in here])
    columns = columns_of(len(shown))
    levels = np.array(numbers.levels)
    norm = norm_of([float(levels[0]), float(levels[-1])], numbers.value_scale)
    for axes, panel in zip(shown, here, strict=True):
        axes.patch.set(**_BACKGROUND)
        _fill(axes, panel, levels, norm)
        numbers.x.apply(axes, "x", columns, beside=COLOUR_BAR)
        numbers.y.apply(axes, "y", columns, -(-len(shown) // columns))
        for along, axis in (("x", numbers.x), ("y", numbers.y)):
            getattr(axes, f"set_{along}lim")(float(axis.levels[0]), float(axis.levels[-1]))
    outer_labels(figure, shown, numbers.x.label, numbers.y.label)
    bar = figure.colorbar(
        ScalarMappable(norm, ORDERED), ax=shown, label=wrapped(numbers.value_label, inches(figure)[1] * 0.55)
    )
    if numbers.value_scale == "log":
        bar.set_ticks(levels[::2].tolist(), labels=[f"{level:.2g}" for level in levels[::2]])
        bar.minorticks_off()


def _fill(axes: Axes, panel: Surface, levels: np.ndarray, norm: Any) -> None:
    told: dict[str, Any] = {"levels": levels, "norm": norm}
    thin: dict[str, Any] = {"levels": levels, "colors": "black", "linewidths": 0.4}
    several = np.ptp(panel.mean[np.isfinite(panel.mean)]) > 0 if np.isfinite(panel.mean).any() else False
    if panel.triangles is None:
        x, y, mean = _matrix(panel)
        axes.contourf(x, y, mean, cmap=ORDERED, **told)
        if several:
            axes.contour(x, y, mean, **thin)
    elif len(panel.triangles):
        joined = Triangulation(panel.x, panel.y, panel.triangles)
        values = np.where(np.isfinite(panel.mean), panel.mean, 0.0)  # no triangle has these
        axes.tricontourf(joined, values, cmap=ORDERED, **told)
        if several:
            axes.tricontour(joined, values, **thin)
    there = np.isfinite(panel.mean)
    size = float(mpl.rcParams["lines.markersize"])
    if len(panel.x) <= MOST_DOTS:
        axes.plot(panel.x[there], panel.y[there], ".", color="black", markersize=size * 0.5, clip_on=False)
    missing = ~there
    if missing.any():
        halo = [withStroke(linewidth=2.5, foreground=ABSENT)]
        axes.plot(panel.x[missing], panel.y[missing], "kx", markersize=size, clip_on=False, path_effects=halo)


def _matrix(panel: Surface) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The levels of both axes, and the means: a row for each level of y, masked where there is none."""
    x, columns = np.unique(panel.x, return_inverse=True)
    y, rows = np.unique(panel.y, return_inverse=True)
    mean = np.full((len(y), len(x)), np.nan)
    mean[rows, columns] = panel.mean
    return x, y, np.ma.masked_invalid(mean)
