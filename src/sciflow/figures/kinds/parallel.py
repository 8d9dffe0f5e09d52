"""Parallel coordinates: an upright axis for each parameter and metric, and a line for each combination."""

from __future__ import annotations

import textwrap
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from sciflow.analysis.observations import Observations
from sciflow.errors import ResultError
from sciflow.figures.clouds import shades, spread
from sciflow.figures.labels import literal, shortened, text_of
from sciflow.figures.matched import Matched, matched
from sciflow.figures.numbers import Numbers, Source
from sciflow.figures.side import Side, side_of, values_of
from sciflow.model.visualization import Visualization

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MOST_LINES = 150  # of which each can have its colour
_BEST = 0.1  # the share that is coloured where there are more, but no more than `MOST_LINES`
_MOST_GREY = 3000  # lines; of more some are drawn, evenly by their number
_MOST_AXES = 8  # on a page
_MOST_TICKS = 8


@dataclass(frozen=True, eq=False)
class ParallelNumbers(Numbers):
    """What parallel coordinates show.

    Attributes
    ----------
    sides
        The axes, from the left to the right; the last one gives the colours.
    values
        Of each axis, in the order of `sides`, what each line has there.
    coloured
        Which lines have a colour; the others are grey.
    """

    sides: tuple[Side, ...]
    values: tuple[Any, ...]
    coloured: np.ndarray

    @property
    def pages(self) -> int:
        """A page for so many axes as are legible; the one that gives the colours is on each."""
        return max(1, -(-(len(self.sides) - 1) // (_MOST_AXES - 1)))

    @property
    def size(self) -> tuple[float, float]:
        """Width and height, in widths of a column."""
        return (1.0, 0.75) if len(self.sides) <= 4 else (2.0, 0.9)

    def frame(self) -> pd.DataFrame:
        """A row for each line: what it has on each axis, and whether it has a colour."""
        columns = {side.name: list(values) for side, values in zip(self.sides, self.values, strict=True)}
        return pd.DataFrame({**columns, "coloured": self.coloured})


def numbers(source: Source, wanted: Visualization) -> ParallelNumbers:
    """Compute the lines of all combinations; repeats count by their means."""
    observations = source.observations
    metrics = list(dict.fromkeys(observations.metric(name).name for name in wanted.shown))
    best = metrics[0]
    samples = [observations.sample(name) for name in metrics]
    axes = {one.name for sample in samples for one in sample.axes}
    varied = [name for name, one in observations.parameters.items() if name in axes and len(one.levels) > 1]
    if not axes:
        raise ResultError(
            f"{', '.join(f'`{name}`' for name in metrics)} on no axis: no parameter but repeats tells the values apart"
        )
    shown = varied or [name for name in observations.parameters if name in axes]
    found = matched(observations, metrics, by=shown)
    names = [*shown, *metrics[1:], best]
    sides = tuple(side_of(name, observations, wanted, None) for name in names)
    for side in sides:
        side.places(values_of(side.name, found))  # says what has no place
    is_small = _is_small(observations, wanted, best)
    coloured, note = _coloured(found.values[best], best, is_small)
    return ParallelNumbers(
        wanted.title or "",
        tuple(filter(None, (note, *found.notes))),
        sides,
        tuple(_plain(name, found) for name in names),
        coloured,
    )


def _plain(name: str, found: Matched) -> Any:
    values = values_of(name, found)
    return values.tolist() if isinstance(values, np.ndarray) else list(values)


def _is_small(observations: Observations, wanted: Visualization, best: str) -> bool:
    """Whether small values are the best ones."""
    small, large = ([observations.metric(name).name for name in side] for side in (wanted.minimize, wanted.maximize))
    for name in (*small, *large):
        if name != best:
            raise ResultError(
                f"`{name}` is to be {'small' if name in small else 'large'}, but the colours are those of `{best}`",
                hint=f"name `{name}` first among the values",
            )
    return bool(small)


def _coloured(values: np.ndarray, name: str, is_small: bool) -> tuple[np.ndarray, str]:
    """The lines that have a colour: all, or where these are too many the best; and what is to be said of that."""
    if len(values) <= MOST_LINES:
        return np.ones(len(values), dtype=bool), ""
    count = min(MOST_LINES, int(np.ceil(_BEST * len(values))))
    order = np.argsort(values if is_small else -values, kind="stable")
    coloured = np.zeros(len(values), dtype=bool)
    coloured[order[:count]] = True
    which = "smallest" if is_small else "largest"
    note = f"coloured: the {count} of {len(values):,} with the {which} {name}"
    every = -(-(len(values) - count) // _MOST_GREY)
    return coloured, f"{note}; grey: one in {every} of the others" if every > 1 else note


def draw(numbers: ParallelNumbers, figure: Figure, page: int) -> None:
    """Draw one page: some of the axes, and the one that gives the colours."""
    from matplotlib.collections import LineCollection
    from matplotlib.colors import Normalize

    last = len(numbers.sides) - 1
    here = [*range(last)[page * (_MOST_AXES - 1) : (page + 1) * (_MOST_AXES - 1)], last]
    axes = figure.add_subplot()
    heights = np.stack([_heights(numbers.sides[one], numbers.values[one]) for one in here], axis=1)
    places = np.broadcast_to(np.arange(len(here), dtype=float), heights.shape)
    lines = np.stack([places, heights], axis=-1)
    best = np.asarray(numbers.values[last], dtype=float)
    grey = np.flatnonzero(~numbers.coloured)
    grey = grey[:: -(-len(grey) // _MOST_GREY) or 1]
    if len(grey):
        alpha = float(np.clip(60 / len(grey), 0.03, 0.4))
        axes.add_collection(
            LineCollection(list(lines[grey]), colors="#808080", alpha=alpha, linewidths=0.6, rasterized=True)
        )
    order = np.flatnonzero(numbers.coloured)
    norm = Normalize(best[order].min(), best[order].max())
    coloured = LineCollection(list(lines[order]), cmap=shades(), norm=norm, linewidths=1.0, alpha=0.8)
    coloured.set_array(best[order])
    axes.add_collection(coloured)
    for place, one in enumerate(here):
        _draw_axis(axes, place, numbers.sides[one], numbers.values[one])
    labels = [_below(numbers.sides[one], len(here)) for one in here]
    axes.set(xlim=(-0.35, len(here) - 0.85), ylim=(-0.04, 1.04), xticks=range(len(here)), xticklabels=labels, yticks=[])
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    figure.colorbar(coloured, ax=axes, label=numbers.sides[last].label, aspect=30, pad=0.02)


def _below(side: Side, count: int) -> str:
    """What stands below an axis, on several lines where it would meet the next one."""
    return textwrap.fill(side.label, 12 if count <= 4 else 15)


def _span(values: Any) -> tuple[float, float]:
    numbers = np.asarray(values, dtype=float)
    return float(numbers.min()), float(numbers.max())


def _heights(side: Side, values: Any) -> np.ndarray:
    """Where lines cross an axis, from 0 to 1; in the middle where all have the same."""
    if side.levels is not None:
        return (spread(side.places(values)) + 0.5) / len(side.levels)
    low, high = _span(values)
    return (np.asarray(values, dtype=float) - low) / (high - low) if high > low else np.full(len(values), 0.5)


def _draw_axis(axes: Axes, place: int, side: Side, values: Any) -> None:
    axes.axvline(place, color="black", linewidth=0.8, zorder=3)
    for height, text in _ticks(side, values):
        axes.plot([place - 0.02, place], [height, height], color="black", linewidth=0.8, zorder=3)
        axes.text(
            place - 0.035,
            height,
            literal(text),
            ha="right",
            va="center",
            fontsize="small",
            zorder=4,
            bbox={"facecolor": "white", "edgecolor": "none", "alpha": 0.75, "pad": 0.6},
        )


def _ticks(side: Side, values: Any) -> list[tuple[float, str]]:
    from matplotlib.ticker import MaxNLocator

    if side.levels is not None:
        step = -(-len(side.levels) // 12)
        chosen = list(enumerate(side.levels))[::step]
        return [((place + 0.5) / len(side.levels), shortened(text_of(level), 12)) for place, level in chosen]
    low, high = _span(values)
    if low == high:
        return [(0.5, text_of(low))]
    levels = sorted(set(values))
    if len(levels) > _MOST_TICKS or min(np.diff(levels)) < 0.05 * (high - low):
        levels = [tick for tick in MaxNLocator(5).tick_values(low, high) if low <= tick <= high]
    return [((level - low) / (high - low), text_of(float(level))) for level in levels]
