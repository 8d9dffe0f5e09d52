"""Marks that figures share: of what is missing, of series, and what explains them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import matplotlib as mpl
import numpy as np
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Colormap, ListedColormap, LogNorm, Normalize
from matplotlib.transforms import blended_transform_factory

from sciflow.errors import ResultError
from sciflow.figures.axis import Axis, few_log_ticks, inches
from sciflow.figures.labels import shortened, units
from sciflow.figures.style import ORDERED

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MISSING = "#666666"
COLOUR_BAR = 0.75  # inches that it takes beside the panels, with its numbers and its label


def check_log(name: str, values: Sequence[float], scale: str) -> None:
    """Refuse a logarithmic scale where it has no place for some values.

    Raises
    ------
    ResultError
        Saying how many.
    """
    below = sum(value <= 0 for value in values)
    if scale == "log" and below:
        raise ResultError(
            f"{below} of {len(values)} values of `{name}` are not above 0, which a logarithmic scale has no place for",
            hint="leave `value_scale` out, or select the values above 0",
        )


def missing_text(empty: Iterable[Sequence[str]]) -> str:
    """What the crosses mean, of lines with such reasons; empty where there are none."""
    return "× at the axis: no value there" if any(map(any, empty)) else ""


def crosses(axes: Axes, places: Sequence[float]) -> None:
    """Mark at the lower edge where a value is missing, whatever the scale."""
    if len(places):
        edge = blended_transform_factory(axes.transData, axes.transAxes)
        size = float(mpl.rcParams["lines.markersize"]) * 1.1
        axes.plot(
            places, [0.0] * len(places), "x", color=MISSING, transform=edge, clip_on=False, markersize=size, zorder=5
        )


def scale_values(panels: Sequence[Axes], scale: str) -> None:
    """Set the scale of the values of panels, which they share, once all is drawn."""
    for axes in panels:
        axes.set_yscale(scale)
    for axes in panels if scale == "log" else ():
        few_log_ticks(axes.yaxis)


def legend(figure: Figure, handles: Sequence[Any], texts: Sequence[str], title: str, **options: Any) -> None:
    """A legend above all panels, where it never covers data, in as many columns as the page has room for."""
    width = inches(figure)[0] * 72 / (float(mpl.rcParams["legend.fontsize"]) * 0.62)
    short = [shortened(text, int(width) - 8) for text in texts]
    columns = _legend_columns(short, width)
    figure.legend(handles, short, title=title or None, loc="outside upper center", ncols=columns, **options)


def _legend_columns(texts: Sequence[str], letters: float) -> int:
    most = max(1, min(len(texts), int(letters // (max(map(units, texts)) + 7))))
    return -(-len(texts) // -(-len(texts) // most))  # as many in each row


def with_room(size: tuple[float, float], notes: Sequence[str], series: Sequence[str], x: Axis) -> tuple[float, float]:
    """A page's size in widths of a column, with room for what stands above and below its panels."""
    width, height = size
    letters = 52 * width  # that a page is about wide
    lines = sum(-(-len(note) // int(letters * 1.3)) for note in notes)
    rows = -(-len(series) // _legend_columns(series, letters)) + 1 if len(series) > 1 else 0
    upright = [units(text) for text in x.part(0).texts]
    is_upright = x.scale == "category" and not x.thins and max(upright) > letters * 0.8 / len(upright)
    return width, height + 0.03 * max(0, lines - 1) + 0.05 * rows + (0.018 * min(22, max(upright)) if is_upright else 0)


def ordered_colours() -> Colormap:
    """The colours of ordered series: without the palest, which lines cannot be seen in."""
    colours = mpl.colormaps[ORDERED](np.linspace(0, 0.9, 256))
    return ListedColormap(colours)


def ordered(values: Sequence[float]) -> ScalarMappable:
    """What maps the levels of a series to ordered colours: by their logarithms where these are more evenly spaced."""
    low, high = min(values), max(values)
    is_log = low > 0 and high / low > 100
    norm = LogNorm(low, high) if is_log else Normalize(low, high)
    return ScalarMappable(norm, ordered_colours())


def norm_of(values: Sequence[float], scale: str) -> Normalize:
    """What maps values to colours: where they are all the same, with that value in the middle."""
    low, high = (min(values), max(values)) if len(values) else (0.0, 1.0)
    if high - low <= 1e-12 * max(abs(low), abs(high)):
        low, high = (low / 1.1, low * 1.1) if scale == "log" else (low - 0.5 * abs(low or 1), low + 0.5 * abs(low or 1))
    return LogNorm(low, high) if scale == "log" else Normalize(low, high)
