"""Boxes and violins: how the values of a metric spread at each level of a parameter.

Few values are drawn as what they are: a box of four, or a violin of two, would show what was never measured.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.patches import Patch

from sciflow.analysis.observations import VALUE
from sciflow.figures.axis import Axis
from sciflow.figures.cells import NAN, cells, keys_of
from sciflow.figures.facets import PANELS, Facet, columns_of, facets, grid_size, outer_labels, pages_of
from sciflow.figures.facets import panels as panels_on
from sciflow.figures.kinds.bar import HATCHES, levels_on_a_page
from sciflow.figures.kinds.line import along, with_series
from sciflow.figures.labels import label_of
from sciflow.figures.marks import check_log, crosses, legend, missing_text, scale_values, with_room
from sciflow.figures.numbers import Numbers, Source
from sciflow.figures.remarks import bins_text, constant_text, gaps, logarithmic_text, spread_over, steps_text
from sciflow.figures.style import MOST_SERIES, look
from sciflow.model.visualization import Visualization

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

FEWEST = {"box": 5, "violin": 10}  # values of which there is a shape; fewer are points
MOST_OUTSIDE = 50  # points beyond the whiskers of one box; of more the furthest are drawn
_WIDTH = 0.8  # of all boxes of one level, where levels are 1 apart
_STEPS = 80  # at which the outline of a violin is computed
Shape = Literal["box", "violin", "points"]


@dataclass(frozen=True, eq=False)
class Spread:
    """The values at one level of x, of one series.

    Attributes
    ----------
    shape
        How they are drawn.
    values
        What is finite, from the smallest up.
    planned
        How many it would be.
    """

    x: Any
    series: Any
    shape: Shape
    values: np.ndarray
    planned: int
    why: str

    @property
    def quartiles(self) -> tuple[float, float, float]:
        """A quarter, half and three quarters of the values are not above these; NaN where there is none."""
        if not len(self.values):
            return NAN, NAN, NAN
        low, middle, high = np.percentile(self.values, [25, 50, 75]).tolist()
        return low, middle, high

    @property
    def whiskers(self) -> tuple[float, float]:
        """The furthest values that are not more than 1.5 times the box away from it."""
        low, _, high = self.quartiles
        reach = 1.5 * (high - low)
        inside = self.values[(self.values >= low - reach) & (self.values <= high + reach)]
        return (float(inside[0]), float(inside[-1])) if len(inside) else (NAN, NAN)

    @property
    def outside(self) -> np.ndarray:
        """The values beyond the whiskers."""
        low, high = self.whiskers
        return self.values[(self.values < low) | (self.values > high)]

    @property
    def summary(self) -> tuple[float, ...]:
        """Quartiles, whiskers, and how many values are beyond these."""
        return (*self.quartiles, *self.whiskers, len(self.outside))

    def outline(self) -> tuple[np.ndarray, np.ndarray]:
        """Values from the smallest to the largest, and how dense the measured ones are there (Gaussian kernels)."""
        from scipy.stats import gaussian_kde

        at = np.linspace(self.values[0], self.values[-1], _STEPS)
        return at, gaussian_kde(self.values)(at)


@dataclass(frozen=True, eq=False)
class Panel:
    """The spreads of one facet."""

    label: str
    spreads: tuple[Spread, ...]


@dataclass(frozen=True, eq=False)
class SpreadNumbers(Numbers):
    """What boxes or violins show: of each facet the spreads, and the axes."""

    panels: tuple[Panel, ...]
    x: Axis
    y_label: str
    y_scale: str
    series: tuple[tuple[Any, str], ...]
    series_label: str

    @property
    def pages_of_series(self) -> int:
        """On how many pages the series of one panel go."""
        return -(-len(self.series) // MOST_SERIES)

    @property
    def pages(self) -> int:
        """A page for so many panels, so many series, and so many levels, as can be told apart."""
        return pages_of(len(self.panels)) * self.pages_of_series * self.x.pages

    @property
    def size(self) -> tuple[float, float]:
        """Width and height, in widths of a column."""
        texts = [text for _, text in self.series[:MOST_SERIES]]
        return with_room(grid_size(len(self.panels)), self.notes, texts, self.x)

    def frame(self) -> pd.DataFrame:
        """A row for each box, violin or group of points."""
        names = dict(self.series)
        rows = [
            (panel.label, names[one.series], one.x, one.shape, len(one.values), one.planned, *one.summary)
            for panel in self.panels
            for one in panel.spreads
        ]
        columns = ["panel", "series", "x", "shape", "count", "planned", "q1", "median", "q3", "low", "high", "outside"]
        return pd.DataFrame(rows, columns=columns)

    def on_page(self, page: int) -> SpreadNumbers:
        """The part of it that one page shows."""
        rest, part_of_x = divmod(page, self.x.pages)
        shown, part = divmod(rest, self.pages_of_series)
        x, series = self.x.part(part_of_x), self.series[part * MOST_SERIES : (part + 1) * MOST_SERIES]
        levels = [level for level, _ in series]
        here = tuple(
            Panel(panel.label, tuple(one for one in panel.spreads if one.x in x.levels and one.series in levels))
            for panel in self.panels[shown * PANELS : (shown + 1) * PANELS]
        )
        return replace(self, panels=here, x=x, series=series)


def numbers(source: Source, wanted: Visualization) -> SpreadNumbers:
    """Compute how a metric's values spread at the levels of a parameter."""
    observations = source.observations
    assert wanted.value is not None
    assert wanted.x_axis is not None
    whole = observations.sample(wanted.value)
    measured = whole.measured[VALUE].tolist()
    sample, x = along(whole, observations, wanted, side_by_side=True)
    sample, series = with_series(sample, wanted)
    texts = dict(zip(series.levels, series.texts, strict=True))
    panels = tuple(_panel(facet, wanted) for facet in facets(sample, wanted.facet_by, wanted.labels))
    y_scale = wanted.value_scale or wanted.y_scale or "linear"
    check_log(whole.metric.name, measured, y_scale)
    notes = [
        spread_over(whole, [wanted.x_axis, *([wanted.series] if wanted.series else []), *wanted.facet_by]),
        _meaning(wanted.type, [one for panel in panels for one in panel.spreads]),
        bins_text(wanted.x_axis, x),
        bins_text(wanted.series or "", series),
        logarithmic_text((whole.metric.name, y_scale)),
        steps_text(whole.parameters[wanted.x_axis], x),
        constant_text(whole.metric.name, measured),
        gaps(whole),
        missing_text([[one.why] for panel in panels for one in panel.spreads if not len(one.values)]),
    ]
    return SpreadNumbers(
        title=wanted.title or "",
        notes=tuple(filter(None, notes)),
        panels=panels,
        x=replace(x, most=levels_on_a_page(len(texts))),
        y_label=label_of(whole.metric.name, observations, wanted),
        y_scale=y_scale,
        series=tuple(texts.items()),
        series_label=label_of(wanted.series, observations, wanted) if wanted.series else "",
    )


def _panel(facet: Facet, wanted: Visualization) -> Panel:
    assert wanted.x_axis is not None
    by = [wanted.x_axis, *([wanted.series] if wanted.series else [])]
    values: dict[tuple[Any, ...], list[float]] = {}
    for key, value in zip(keys_of(facet.sample, by), facet.sample.values.tolist(), strict=True):
        values.setdefault(key, []).append(value)
    spreads = []
    for key, cell in cells(facet.sample, by, wanted).items():
        here = np.sort([value for value in values[key] if np.isfinite(value)])
        series = key[1] if wanted.series else None
        spreads.append(Spread(key[0], series, _shape(wanted.type, here), here, cell.planned, cell.why))
    return Panel(facet.label, tuple(spreads))


def _shape(kind: str, values: np.ndarray) -> Shape:
    """How so many values are drawn; values that are all the same have no shape, either."""
    is_violin = kind == "violin"
    if len(values) >= FEWEST["violin"] and is_violin and np.ptp(values) > 1e-9 * np.abs(values).max():
        return "violin"
    return "box" if len(values) >= FEWEST["box"] and not is_violin else "points"


def _meaning(kind: str, spreads: list[Spread]) -> str:
    """What boxes and violins show, of those that are there; and of how many values they are."""
    counts = [len(one.values) for one in spreads if len(one.values)]
    low, high = min(counts), max(counts)
    shapes = {one.shape for one in spreads if len(one.values)}
    told = [
        "box: quartiles, whiskers: to 1.5 of its height" if "box" in shapes else "",
        "violin: density (Gaussian kernels), dot: median, bar: quartiles" if "violin" in shapes else "",
        f"points: fewer than {FEWEST[kind]} values" if "points" in shapes and low < FEWEST[kind] else "",
        f"{low} {'value' if high == 1 else 'values'} each" if low == high else f"{low} to {high} values each",
    ]
    return "; ".join(filter(None, told))


def draw(numbers: SpreadNumbers, figure: Figure, page: int) -> None:
    """Draw one page: some of the panels, some of the series, some of the levels."""
    here = numbers.on_page(page)
    shown = panels_on(figure, len(here.panels), [panel.label for panel in here.panels])
    order = [level for level, _ in here.series]
    width = _WIDTH / len(order)
    for axes, panel in zip(shown, here.panels, strict=True):
        for one in panel.spreads:
            number = order.index(one.series)
            _draw(axes, one, here.x.place(one.x) + width * (number + 0.5) - _WIDTH / 2, width * 0.8, number)
        here.x.apply(axes, "x", columns_of(len(shown)))
    scale_values(shown, numbers.y_scale)
    for axes, panel in zip(shown, here.panels, strict=True):
        empty = [one for one in panel.spreads if not len(one.values)]
        crosses(axes, [_place(one, here.x, order) for one in empty])
    outer_labels(figure, shown, numbers.x.label, numbers.y_label)
    if len(numbers.series) > 1:
        patches = [
            Patch(facecolor=look(n).colour, hatch=HATCHES[n], edgecolor="black", linewidth=0.8)
            for n in range(len(order))
        ]
        legend(figure, patches, [text for _, text in here.series], numbers.series_label)


def _place(one: Spread, x: Axis, order: list[Any]) -> float:
    """Where it stands: those of one level beside each other, around its tick."""
    return x.place(one.x) + _WIDTH * ((order.index(one.series) + 0.5) / len(order) - 0.5)


def _draw(axes: Axes, one: Spread, place: float, width: float, number: int) -> None:
    colour, marker, _ = look(number)
    hatch = HATCHES[number]
    if one.shape == "points":
        spread = _spread_out(len(one.values)) * width
        axes.plot(
            place + spread, one.values, marker, color=colour, markeredgecolor="black", markeredgewidth=0.4, alpha=0.8
        )
        return
    low, middle, high = one.quartiles
    if one.shape == "violin":
        at, density = one.outline()
        half = density / density.max() * width / 2
        axes.fill_betweenx(
            at, place - half, place + half, facecolor=colour, hatch=hatch, edgecolor="black", linewidth=0.6, alpha=0.7
        )
        axes.vlines(place, low, high, color="black", linewidth=2.5)
        axes.plot(place, middle, "o", color="white", markeredgecolor="black", markersize=4)
        return
    far = one.outside
    if len(far) > MOST_OUTSIDE:
        far = far[np.argsort(-np.abs(far - middle))[:MOST_OUTSIDE]]
    told = {"med": middle, "q1": low, "q3": high, "whislo": one.whiskers[0], "whishi": one.whiskers[1], "fliers": far}
    size = float(mpl.rcParams["lines.markersize"]) * 0.6
    axes.bxp(
        [told],
        positions=[place],
        widths=width,
        patch_artist=True,
        manage_ticks=False,
        boxprops={"facecolor": colour, "hatch": hatch, "linewidth": 0.8},
        medianprops={"color": "black", "linewidth": 1.8},
        flierprops={"marker": "o", "markersize": size, "markerfacecolor": "none", "markeredgewidth": 0.6},
    )


def _spread_out(count: int) -> np.ndarray:
    """Places side by side, so that equal values do not hide each other: the same each time."""
    return np.linspace(-0.3, 0.3, count) if count > 1 else np.zeros(count)
