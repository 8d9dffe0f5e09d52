"""Panels of effects: each has a factor of its own along x, and all share the metric's scale."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from sciflow.analysis.statistics.layout import Layout
from sciflow.errors import ResultError
from sciflow.figures.facets import columns_of
from sciflow.figures.labels import label_of, text_of, wrapped
from sciflow.figures.side import Side
from sciflow.model.visualization import Visualization

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from sciflow.analysis.observations import Observations


def check_interval(wanted: Visualization) -> None:
    """Refuse an interval that marginal means do not have.

    Raises
    ------
    ResultError
        For any but Student's t and none.
    """
    if wanted.interval not in (None, "t", "none"):
        raise ResultError(
            f"a {wanted.type} shows marginal means, which have no interval `{wanted.interval}`",
            hint="leave `interval` out, or say `none`; a `line` has all intervals",
        )


def interval_note(wanted: Visualization, low: np.ndarray) -> str:
    """What the whiskers are; empty where there are none."""
    if wanted.interval == "none" or not np.isfinite(low).any():
        return ""
    return f"whiskers: {wanted.confidence:.0%} confidence interval of the marginal mean (Student's t)"


def factor_side(layout: Layout, name: str, observations: Observations, wanted: Visualization) -> Side:
    """The side of a factor: numbers where its levels are, else categories by their labels."""
    factor = layout.factors[layout.position(name)]
    names = factor.name.split(" & ")
    label = " & ".join(label_of(one, observations, wanted) for one in names)
    if has_numbers(factor.levels):
        scale = (wanted.x_scale if wanted.type == "interaction" else None) or "linear"
        side = Side(factor.name, label, None, scale)
        side.places(factor.levels)  # says what has no place on it
        return side
    return Side(factor.name, label, factor.levels)


def has_numbers(levels: Sequence[Any]) -> bool:
    """Whether all levels are numbers."""
    return all(isinstance(one, (int, float)) and not isinstance(one, bool) for one in levels)


def value_side(name: str, observations: Observations, wanted: Visualization, means: np.ndarray) -> Side:
    """The side of the metric, which must have a place for all means."""
    side = Side(name, label_of(name, observations, wanted), None, wanted.value_scale or wanted.y_scale or "linear")
    side.places(means[np.isfinite(means)])
    return side


def effect_panels(figure: Figure, titles: Sequence[str], x: Sequence[Side], y: Side) -> list[Axes]:
    """Axes for factors; at the left ones stands the metric."""
    columns = columns_of(len(titles))
    rows = math.ceil(len(titles) / columns)
    grid: Any = figure.subplots(rows, columns, sharey=True, squeeze=False)
    flat: list[Axes] = list(np.ravel(grid))
    for unused in flat[len(titles) :]:
        unused.remove()
    width, height = figure.get_size_inches()
    drawn = flat[: len(titles)]
    for number, (axes, title, side) in enumerate(zip(drawn, titles, x, strict=True)):
        axes.set_title(wrapped(title, width / columns - 0.3))
        side.dress(axes, "x", with_label=False)
        axes.set_xlabel(wrapped(side.label, width / columns - 0.5))
        y.dress(axes, "y", with_label=False)
        if number % columns == 0:
            axes.set_ylabel(wrapped(y.label, 0.75 * height / rows))
    return drawn


def draw_means(axes: Axes, x: Side, y: Side, levels: Sequence[Any], means: Any, **look: Any) -> Any:
    """Draw means at levels of a factor, with whiskers where there are any: ``mean``, ``low``, ``high``."""
    mean, low, high = (np.asarray(means[name], dtype=float) for name in ("mean", "low", "high"))
    if y.scale == "log":
        low = np.where(low > 0, low, np.nanmin(mean) / 2)  # an end below 0 has no place
    ends = np.nan_to_num(np.stack([mean - low, high - mean]))
    places = x.places(levels)
    if x.levels is None and x.scale == "linear" and _has_room(places):
        axes.set_xticks(places, [text_of(level) for level in levels])
    return axes.errorbar(places, mean, yerr=ends, elinewidth=0.8, capsize=2.0, **look)


def _has_room(places: np.ndarray) -> bool:
    """Whether each place can have its own tick."""
    return 1 < len(places) <= 6 and bool(np.diff(np.sort(places)).min() > 0.12 * np.ptp(places))
