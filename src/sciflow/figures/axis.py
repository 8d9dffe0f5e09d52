"""The axis of a parameter: where its levels lie, and what stands at them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal, cast

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullFormatter, NullLocator

from sciflow.analysis.observations import Parameter, Sample
from sciflow.errors import ResultError
from sciflow.figures.labels import shortened, text_of, units

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure, FigureBase, SubFigure

Scale = Literal["linear", "log", "category"]
MOST_CATEGORIES = 16  # along one axis; more go on further pages
_SPAN_OF_LOG = 100  # times the smallest level that the largest is, from which on an axis may be logarithmic by itself
_EVEN = 0.02  # how much steps may differ, in parts of themselves, and count as even
_TEXT_SIZE = 0.62  # of a letter that is as wide as most, in sizes of the font


@dataclass(frozen=True)
class Axis:
    """What stands at an axis.

    Attributes
    ----------
    label
        Of the whole axis.
    levels
        The levels in their order; of a parameter that was put into bins, the bins' middles.
    texts
        What stands at each level.
    scale
        ``category`` where levels are drawn side by side, equally far from each other.
    edges
        Where the parameter was put into bins, their edges, one more than levels.
    thins
        Whether some texts may be left out where categories are many, as what is between numbers is understood.
    most
        How many categories are on one page at most.
    """

    label: str
    levels: tuple[Any, ...]
    texts: tuple[str, ...]
    scale: Scale
    edges: tuple[float, ...] = ()
    thins: bool = False
    most: int = MOST_CATEGORIES

    @property
    def pages(self) -> int:
        """On how many pages the levels go, where each needs a place for its text."""
        is_paged = self.scale == "category" and not self.thins
        return max(1, -(-len(self.levels) // self.most)) if is_paged else 1

    def part(self, page: int) -> Axis:
        """The levels that go on one page, as equally many on each as can be."""
        if self.pages == 1:
            return self
        bounds = [round(number * len(self.levels) / self.pages) for number in (page, page + 1)]
        return replace(self, levels=self.levels[slice(*bounds)], texts=self.texts[slice(*bounds)])

    def place(self, level: Any) -> float:
        """Where a level lies."""
        return float(self.levels.index(level)) if self.scale == "category" else float(level)

    def apply(self, axes: Axes, along: Literal["x", "y"], columns: int, rows: int = 1, beside: float = 0.0) -> None:
        """Set scale and ticks of axes that stand in so many columns and rows, with so many inches beside them."""
        width, height = inches(axes.figure)
        room = 72 * (0.8 * (width - beside) / columns - 0.3 if along == "x" else 0.7 * height / rows)
        one = axes.xaxis if along == "x" else axes.yaxis
        if self.scale == "category":
            self._name(axes, along, room)
            return
        getattr(axes, f"set_{along}scale")(self.scale)
        if chosen := self._ticks(room, along):
            one.set_ticks([float(self.levels[number]) for number in chosen], [self.texts[n] for n in chosen])
            one.set_minor_locator(NullLocator())
        elif self.scale == "log":
            few_log_ticks(one)
        else:
            whole = all(isinstance(level, int) for level in self.levels)
            one.set_major_locator(MaxNLocator(max(2, int(room // 40)), integer=whole, min_n_ticks=1))

    def _ticks(self, room: float, along: str) -> list[int]:
        """The levels at which a text has room; none where few have."""
        if self.edges or len(self.levels) > 40 or not self.levels:
            return []
        places = np.log(self.levels) if self.scale == "log" else np.array(self.levels, dtype=float)
        spread = float(places[-1] - places[0])
        size = _tick_size()
        chosen: list[int] = []
        for number, place in enumerate(places):
            if chosen and spread:
                apart = (place - places[chosen[-1]]) / spread * room * 0.9
                needed = size * 1.3
                if along == "x":
                    widths = units(self.texts[number]) + units(self.texts[chosen[-1]])
                    needed = (widths / 2 + 1.2) * size * _TEXT_SIZE
                if apart < needed:
                    continue
            chosen.append(number)
        enough = len(chosen) == len(self.levels) or self.scale == "log"
        return chosen if enough else []

    def _name(self, axes: Axes, along: str, room: float) -> None:
        places, texts = self._named()
        size, slot = _tick_size(), room / max(1, len(self.levels))
        widest = max(map(units, texts), default=0) * size * _TEXT_SIZE
        is_upright = along == "x" and not self.thins and widest > slot * 0.92
        needed = size * 1.2 if along == "y" else widest + size
        step = max(1, int(np.ceil(needed / slot))) if self.thins else 1
        limits = (-0.5, len(self.levels) - 0.5) if self.thins else (-0.6, len(self.levels) - 0.4)
        if along == "x":
            axes.set_xticks(places[::step], texts[::step], rotation=90 if is_upright else 0)
            axes.set_xlim(*limits)
        else:
            axes.set_yticks(places[::step], texts[::step])
            axes.set_ylim(*limits)

    def _named(self) -> tuple[list[float], list[str]]:
        """Where texts may stand: at levels; at the edges of bins, where these touch."""
        if self.edges and self.thins:
            places = [number - 0.5 for number in range(len(self.edges))]
            return places, [text_of(float(f"{edge:.3g}")) for edge in self.edges]
        return [float(number) for number in range(len(self.levels))], [shortened(text, 22) for text in self.texts]


def inches(figure: FigureBase | None) -> tuple[float, float]:
    """Width and height of a figure, or of a part of one."""
    whole = cast("Figure | SubFigure", figure)
    return whole.bbox.width / whole.dpi, whole.bbox.height / whole.dpi


def _tick_size() -> float:
    return float(mpl.rcParams["font.size"]) * 0.9


def few_log_ticks(one: Any) -> None:
    """Ticks of a logarithmic axis: at powers of ten, and between them where it has none of these."""
    low, high = sorted(one.get_view_interval())
    if low > 0 and np.log10(high / low) < 1.5:
        one.set_major_locator(LogLocator(10, (1, 2, 5)))
        one.set_major_formatter(FuncFormatter(lambda value, _: f"{value:.4g}"))
    one.set_minor_formatter(NullFormatter())


def axis_of(parameter: Parameter, label: str, scale: str | None, *, as_categories: bool = False) -> Axis:
    """The axis of a parameter: logarithmic where that is asked for, or its levels span decades evenly.

    Raises
    ------
    ResultError
        For a logarithmic scale of what is no number, or not above zero.
    """
    levels = parameter.levels
    is_number = parameter.kind == "number" and None not in levels
    if scale == "log" and not is_number:
        raise ResultError(
            f"`{parameter.name}` has values that are no numbers, so that no logarithmic scale has a place for them",
            hint="leave the scale out",
        )
    if scale == "log" and min(levels) <= 0:
        raise ResultError(
            f"`{parameter.name}` is {min(levels):g} somewhere, which a logarithmic scale has no place for",
            hint="leave the scale out, or select the values above 0",
        )
    texts = tuple(text_of(level) for level in levels)
    if as_categories or not is_number:
        return Axis(label, levels, texts, "category")
    return Axis(label, levels, texts, _scale(levels, scale))


def _scale(levels: Sequence[Any], scale: str | None) -> Scale:
    spans = scale is None and len(levels) > 2 and min(levels) > 0 and max(levels) >= _SPAN_OF_LOG * min(levels)
    if scale == "log" or (spans and is_even(levels, "log") and not is_even(levels, "linear")):
        return "log"
    return "linear"


def is_even(levels: Sequence[Any], scale: str) -> bool:
    """Whether at least three levels have the same distance from one to the next, on a scale."""
    if len(levels) < 3 or (scale == "log" and min(levels) <= 0):
        return False
    places = np.array(levels, dtype=float)
    steps = np.diff(np.log(places) if scale == "log" else places)
    return bool(np.ptp(steps) <= _EVEN * abs(steps.mean()))


def binned(sample: Sample, axis: Axis, name: str, count: int) -> tuple[Sample, Axis]:
    """A sample whose values of a parameter are put into equally wide bins, about so many, and its axis.

    A row's value becomes the middle of its bin; bins without any row stay as levels.
    """
    values = sample.frame[name].astype(float).to_numpy()
    if axis.scale == "log":
        edges = np.geomspace(values.min(), values.max(), count + 1)
        middles = np.sqrt(edges[:-1] * edges[1:])
        edges[[0, -1]] = values.min(), values.max()  # whatever was lost to rounding
    else:
        low, high = float(values.min()), float(values.max())
        edges = np.array(MaxNLocator(count, steps=[1, 2, 2.5, 5, 10]).tick_values(low, high))
        edges = edges[max(0, int((edges <= low).sum()) - 1) : len(edges) - max(0, int((edges >= high).sum()) - 1)]
        middles = (edges[:-1] + edges[1:]) / 2
    number = np.clip(np.searchsorted(edges, values, side="right") - 1, 0, len(middles) - 1)
    levels = tuple(middles.tolist())
    frame = sample.frame.assign(**{name: pd.Series(middles[number], index=sample.frame.index)})
    parameter = replace(sample.parameters[name], levels=levels, kind="number")
    texts = tuple(f"{text_of(float(f'{low:.3g}'))}–{text_of(float(f'{high:.3g}'))}" for low, high in pairs(edges))
    made = replace(sample, frame=frame, parameters={**sample.parameters, name: parameter})
    return made, replace(axis, levels=levels, texts=texts, edges=tuple(edges.tolist()))


def pairs(edges: np.ndarray) -> list[tuple[float, float]]:
    """Each edge with the one after it."""
    return list(zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True))
