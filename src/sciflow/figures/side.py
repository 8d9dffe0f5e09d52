"""One side of a drawing: how values of a parameter or of a metric become places along it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import matplotlib as mpl
import numpy as np

from sciflow.errors import ResultError
from sciflow.figures.labels import label_of, shortened, text_of, units

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from sciflow.analysis.observations import Observations
    from sciflow.figures.matched import Matched
    from sciflow.model.visualization import Visualization

_MOST_LEVELS = 8  # of numbers that have a tick each
_MOST_TICKS = 12  # of categories; where there are more, every second or third is named


@dataclass(frozen=True, eq=False)
class Side:
    """A side, to which values of a parameter or of a metric belong.

    Attributes
    ----------
    name, label
        Of what; what stands at it.
    levels
        The categories, at the places 0, 1, …; None where it has numbers.
    scale
        ``linear`` or ``log``.
    """

    name: str
    label: str
    levels: tuple[Any, ...] | None = None
    scale: str = "linear"

    def places(self, values: Sequence[Any] | np.ndarray) -> np.ndarray:
        """Where values are: categories at whole numbers.

        Raises
        ------
        ResultError
            For numbers that a logarithmic axis does not have, or that are too far from each other for any axis.
        """
        if self.levels is not None:
            at = {level: number for number, level in enumerate(self.levels)}
            return np.array([at[one] for one in values], dtype=float)
        found = np.asarray(values, dtype=float)
        if len(found) and not math.isfinite(float(found.max()) - float(found.min())):
            raise ResultError(
                f"`{self.name}` goes from {found.min():g} to {found.max():g}, which is more than an axis can span",
                hint="select a part of the results",
            )
        if self.scale == "log" and (found <= 0).any():
            raise ResultError(
                f"`{self.name}` is {found.min():g} somewhere, which a logarithmic axis does not have",
                hint="leave its scale out, or select what is above 0",
            )
        return found

    def dress(self, axes: Axes, side: Literal["x", "y"], with_label: bool = True) -> None:
        """Give the axis of a drawing its scale, ticks and label."""
        own = axes.xaxis if side == "x" else axes.yaxis
        if with_label:
            own.set_label_text(self.label)
        if self.levels is None:
            (axes.set_xscale if side == "x" else axes.set_yscale)(self.scale)
            return
        (axes.set_xlim if side == "x" else axes.set_ylim)(-0.6, len(self.levels) - 0.4)
        step = -(-len(self.levels) // _MOST_TICKS)
        shown = range(0, len(self.levels), step)
        texts = [shortened(text_of(self.levels[place]), 16) for place in shown]
        own.set_ticks(list(shown), labels=texts)
        if side == "x" and sum(map(units, texts)) > 30:
            for text in own.get_ticklabels():
                text.set(rotation=40, horizontalalignment="right", rotation_mode="anchor")


def tick_levels(axes: Axes, places: np.ndarray, inches: float) -> bool:
    """Let the ticks along x stand at the values themselves, where these are few and have room; whether they do."""
    levels = np.unique(places)
    if not 1 < len(levels) <= _MOST_LEVELS or axes.get_xscale() != "linear":
        return False
    texts = [f"{level:.6g}" for level in levels.tolist()]
    needed = (max(map(units, texts)) + 1) * float(mpl.rcParams["font.size"]) * 0.55 / 72
    least = needed / (0.9 * inches) * float(np.ptp(levels))
    kept = [0]
    for number in range(1, len(levels)):
        if levels[number] - levels[kept[-1]] >= least:
            kept.append(number)
    axes.set_xticks(levels[kept], [texts[number] for number in kept])
    return True


def side_of(
    name: str, observations: Observations, wanted: Visualization, scale: Literal["linear", "log"] | None
) -> Side:
    """The side for a parameter or a metric.

    Raises
    ------
    ResultError
        For categories on a logarithmic scale.
    """
    label = label_of(name, observations, wanted)
    if name in observations.parameters:
        parameter = observations.parameters[name]
        if parameter.kind == "category" or None in parameter.levels:
            if scale == "log":
                raise ResultError(f"`{name}` has no numbers, which a logarithmic axis needs: {parameter.levels!r}")
            return Side(name, label, parameter.levels)
    return Side(name, label, None, scale or "linear")


def values_of(name: str, found: Matched) -> Sequence[Any] | np.ndarray:
    """What matched rows have of a parameter or a metric."""
    return found.values[name] if name in found.values else found.levels(name)
