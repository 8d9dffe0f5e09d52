"""Clouds of points: told apart by a parameter, or counted where they are too many."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import matplotlib as mpl
import numpy as np
from matplotlib.colors import ListedColormap

from sciflow.figures.labels import text_of
from sciflow.figures.style import MOST_SERIES, ORDERED, look

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from sciflow.analysis.observations import Parameter

_JITTER = 0.6  # of the width of a category
_PALEST = 0.88  # of the colours from 0 to 1
_GOLDEN = (5**0.5 - 1) / 2


@dataclass(frozen=True, eq=False)
class Series:
    """What tells points apart by colour: a parameter, or nothing.

    Attributes
    ----------
    label
        What stands above the legend.
    levels
        Its levels, each a colour and a marker; a single None where there is none.
    span
        Of a number with more levels than can be told apart: its smallest and largest, which a scale of colours shows.
    """

    label: str = ""
    levels: tuple[Any, ...] = (None,)
    span: tuple[float, float] | None = None

    @classmethod
    def of(cls, parameter: Parameter | None, label: str) -> Series:
        """How a parameter tells points apart."""
        if parameter is None:
            return cls()
        present = [one for one in parameter.levels if one is not None]
        if parameter.kind == "number" and len(parameter.levels) > MOST_SERIES:
            return cls(label, parameter.levels, (float(min(present)), float(max(present))))
        return cls(label, parameter.levels)

    @property
    def pages(self) -> int:
        """On how many pages its colours go."""
        return 1 if self.span else max(1, -(-len(self.levels) // MOST_SERIES))


@dataclass(frozen=True, eq=False)
class Cloud:
    """Points, and which level of the series each has: its number in `Series.levels`."""

    x: np.ndarray
    y: np.ndarray
    level: np.ndarray


def shades(is_reversed: bool = False) -> ListedColormap:
    """The colours of numbers, without those that are too pale for marks and lines on white."""
    ends = (_PALEST, 0.0) if is_reversed else (0.0, _PALEST)
    return ListedColormap(mpl.colormaps[ORDERED](np.linspace(*ends, 256)))


def spread(places: np.ndarray) -> np.ndarray:
    """Places of categories, moved aside a little so that equal points are seen; always the same for the same points."""
    moved = places.copy()
    for place in np.unique(places):
        rows = np.flatnonzero(places == place)
        if len(rows) > 1:
            aside = (np.arange(len(rows)) * _GOLDEN) % 1
            moved[rows] += min(_JITTER, 0.06 * len(rows)) * (aside - aside.mean())
    return moved


def draw_cloud(axes: Axes, cloud: Cloud, series: Series, page: int = 0, small: bool = False) -> dict[str, Any]:
    """Draw points; what is returned stands in the legend, or is the one mark that colours are of."""
    number = len(cloud.x)
    alpha = 0.85 if number <= 150 else 0.5 if number <= 1000 else 0.25
    size = (16 if number <= 150 else 9 if number <= 1000 else 5) * (0.6 if small else 1)
    if series.span:
        values = np.array([np.nan if one is None else float(one) for one in series.levels])[cloud.level]
        marks = axes.scatter(
            cloud.x,
            cloud.y,
            c=values,
            cmap=shades(),
            vmin=series.span[0],
            vmax=series.span[1],
            s=size,
            plotnonfinite=True,
            linewidths=0,
            rasterized=number > 1000,
        )
        return {"": marks}
    handles = {}
    for place, level in list(enumerate(series.levels))[page * MOST_SERIES : (page + 1) * MOST_SERIES]:
        here = cloud.level == place
        own = look(place % MOST_SERIES)
        if here.any():
            handles[text_of(level)] = axes.scatter(
                cloud.x[here],
                cloud.y[here],
                color=own.colour,
                marker=own.marker,
                s=size,
                alpha=alpha,
                linewidths=0,
                rasterized=number > 1000,
            )
    return handles


def explain(figure: Figure, axes: Any, handles: dict[str, Any], series: Series) -> None:
    """Say what the colours mean: by a legend, or by a scale beside all of the panels."""
    if series.span and handles:
        figure.colorbar(handles[""], ax=axes, label=series.label, aspect=30)
    elif series.label and handles:
        order = [text_of(level) for level in series.levels]
        names = sorted(handles, key=order.index)
        legend = figure.legend([handles[name] for name in names], names, title=series.label, loc="outside right upper")
        for handle in legend.legend_handles:
            if handle is not None:
                handle.set_alpha(1)
