"""Pareto: the front of two metrics as a staircase, of more as a matrix of pairs."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from sciflow.analysis.optima.pareto import CERTAIN, ON_FRONT, Front, pareto
from sciflow.errors import ResultError
from sciflow.figures.facets import PANELS, grid_size, pages_of
from sciflow.figures.numbers import Numbers, Source
from sciflow.figures.side import Side, side_of
from sciflow.figures.style import COLOURS
from sciflow.model.visualization import Visualization

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_GREY = "#9a9a9a"
_MANY = 1000  # points, above which they are small
_LARGEST_TRIANGLE = 4  # objectives, of which the pairs are legible as half of a matrix


@dataclass(frozen=True, eq=False)
class ParetoNumbers(Numbers):
    """What a Pareto figure shows.

    Attributes
    ----------
    front
        The settings, what of them is on the front, and how sure that is.
    sides
        Of each objective.
    """

    front: Front
    sides: tuple[Side, ...]

    @property
    def pairs(self) -> list[tuple[int, int]]:
        """Which objectives each panel shows: at x and at y."""
        return list(itertools.combinations(range(len(self.sides)), 2))

    @property
    def pages(self) -> int:
        """A page for so many pairs as are legible."""
        return pages_of(len(self.pairs))

    @property
    def size(self) -> tuple[float, float]:
        """Width and height, in widths of a column."""
        return grid_size(1 if len(self.pairs) == 1 else max(4, len(self.pairs)))

    def frame(self) -> pd.DataFrame:
        """A row for each setting: parameters, means with their intervals, and whether it is on the front."""
        return self.front.points

    def stairs(self) -> tuple[np.ndarray, np.ndarray]:
        """The corners of the staircase of two objectives, from the left to the right.

        It goes where no setting was found that is better in both.
        """
        first, second = self.front.objectives[:2]
        points = self.front.points
        members = points.loc[points[ON_FRONT]].sort_values([first.metric, second.metric])
        x, y = (members[one.metric].to_numpy(dtype=float) for one in (first, second))
        # Between two members only the one whose x is no worse counts: the left one where x is to be small.
        corner_x = x[:-1] if first.maximize else x[1:]
        corner_y = y[1:] if first.maximize else y[:-1]
        between = np.arange(1, len(x))
        return np.insert(x, between, corner_x), np.insert(y, between, corner_y)


def numbers(source: Source, wanted: Visualization) -> ParetoNumbers:
    """Compute the front of two metrics or more; those that are not to be small are to be large."""
    observations = source.observations
    names = [observations.metric(name).name for name in wanted.shown]
    small = [observations.metric(name).name for name in wanted.minimize]
    if len(names) > 2 and (wanted.x_scale or wanted.y_scale):
        raise ResultError(
            f"{len(names)} metrics are shown in pairs, so that `x_scale` and `y_scale` are of none of them",
            hint="leave them out, or show two metrics",
        )
    front = pareto(observations, [name for name in names if name not in small], small, confidence=wanted.confidence)
    scales = dict(zip(names, (wanted.x_scale, wanted.y_scale), strict=False))
    order = {one.metric: one for one in front.objectives}
    sides = []
    for name in names:
        side = side_of(name, observations, wanted, scales.get(name))
        side.places(front.points[name].to_numpy(dtype=float))  # says what has no place on it
        direction = "larger" if order[name].maximize else "smaller"
        sides.append(replace(side, label=f"{side.label}, {direction} is better"))
    front = replace(front, objectives=tuple(order[name] for name in names))
    return ParetoNumbers(wanted.title or "", (front.described(), *front.notes), front, tuple(sides))


def draw(numbers: ParetoNumbers, figure: Figure, page: int) -> None:
    """Draw one page of the pairs of objectives."""
    here = numbers.pairs[page * PANELS : (page + 1) * PANELS]
    count = len(numbers.sides)
    is_triangle = count <= _LARGEST_TRIANGLE
    columns = count - 1 if is_triangle else min(3, len(here))
    rows = columns if is_triangle else -(-len(here) // columns)
    handles: dict[str, Any] = {}
    for number, (first, second) in enumerate(here):
        row, column = (second - 1, first) if is_triangle else divmod(number, columns)
        axes = figure.add_subplot(rows, columns, row * columns + column + 1)
        handles |= _draw_pair(axes, numbers, first, second)
        numbers.sides[first].dress(axes, "x", with_label=not is_triangle or second == count - 1)
        numbers.sides[second].dress(axes, "y", with_label=not is_triangle or first == 0)
    figure.legend(handles.values(), handles.keys(), loc="outside upper left", ncols=2 if count == 2 else 4)


def _draw_pair(axes: Axes, numbers: ParetoNumbers, first: int, second: int) -> dict[str, Any]:
    front = numbers.front
    points = front.points
    is_member, is_certain = (points[name].to_numpy(dtype=bool) for name in (ON_FRONT, CERTAIN))
    x, y = (points[front.objectives[one].metric].to_numpy(dtype=float) for one in (first, second))
    perhaps = ~is_member & ~is_certain & front.is_repeated
    many = len(x) > _MANY
    handles = {}

    def mark(label: str, rows: np.ndarray, **look: Any) -> None:
        if rows.any():
            handles[label] = axes.scatter(x[rows], y[rows], rasterized=many, **look)

    dominated = ~is_member & ~perhaps
    mark("dominated", dominated, color=_GREY, s=5 if many else 12, linewidths=0, alpha=0.4 if many else 0.8)
    mark("perhaps on the front", perhaps, facecolor="white", edgecolor=COLOURS[5], marker="D", s=18, zorder=3)
    if len(numbers.sides) == 2:
        axes.plot(*numbers.stairs(), color=COLOURS[0], linewidth=1.0, zorder=2)
    if front.is_repeated:
        _draw_intervals(axes, numbers, first, second, is_member)
        sure = is_member & is_certain
        mark("on the front", sure, color=COLOURS[0], s=24, zorder=4)
        unsure = is_member & ~is_certain
        mark("on the front, not for certain", unsure, facecolor="white", edgecolor=COLOURS[0], s=24, zorder=4)
    else:
        mark("on the front", is_member, color=COLOURS[0], s=24, zorder=4)
    return handles


def _draw_intervals(axes: Axes, numbers: ParetoNumbers, first: int, second: int, rows: np.ndarray) -> None:
    """Draw how sure the means on the front are; where an end has no place on a logarithmic axis, up to the edge."""
    points = numbers.front.points
    sides = [numbers.sides[one] for one in (first, second)]
    at, ends = [], []
    for side in sides:
        names = (side.name, f"{side.name} low", f"{side.name} high")
        mean, low, high = (points[name].to_numpy(dtype=float)[rows] for name in names)
        end = np.nan_to_num(np.stack([mean - low, high - mean]))
        if side.scale == "log":
            end[0] = np.where(low > 0, end[0], mean - mean.min() / 2)
        at.append(mean)
        ends.append(end)
    look: dict[str, Any] = {"fmt": "none", "ecolor": COLOURS[0], "elinewidth": 0.7, "alpha": 0.6, "zorder": 2}
    axes.errorbar(at[0], at[1], xerr=ends[0], yerr=ends[1], **look)
