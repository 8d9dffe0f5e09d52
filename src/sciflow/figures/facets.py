"""Facets: one panel for each combination of some parameters' levels, on as many pages as are legible."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

import matplotlib as mpl
import numpy as np

from sciflow.analysis.observations import Sample
from sciflow.errors import ResultError
from sciflow.figures.axis import inches
from sciflow.figures.cells import keys_of
from sciflow.figures.labels import described, wrapped
from sciflow.model.nearest import nearest

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

PANELS = 9  # on a page at most; more would be too small to read
_COLUMNS = 3


class Facet(NamedTuple):
    """The part of a sample that one panel shows."""

    values: dict[str, Any]
    sample: Sample
    labels: Mapping[str, str] = {}

    @property
    def label(self) -> str:
        """What stands above the panel."""
        return described(self.values, self.labels)


def facets(sample: Sample, names: Sequence[str], labels: Mapping[str, str]) -> list[Facet]:
    """The parts of a sample, in the order of the parameters' levels; the whole, where no parameter is named.

    Parameters
    ----------
    sample
        What is parted.
    names
        By which parameters.
    labels
        Parameter → what stands for it.

    Raises
    ------
    ResultError
        For a parameter on which the metric does not depend.
    """
    for name in names:
        check_depends(sample, name, "there is one panel only")
    rows: dict[tuple[Any, ...], list[int]] = {}
    for position, key in enumerate(keys_of(sample, names)):
        rows.setdefault(key, []).append(position)
    places = [{level: number for number, level in enumerate(sample.parameters[name].levels)} for name in names]
    ordered = sorted(rows, key=lambda key: [place[one] for place, one in zip(places, key, strict=True)])
    return [
        Facet(
            dict(zip(names, key, strict=True)),
            replace(sample, frame=sample.frame.take(rows[key]).reset_index(drop=True)),
            labels,
        )
        for key in ordered
    ]


def check_depends(sample: Sample, name: str, so: str) -> None:
    """Refuse a parameter that is there, but does not tell the metric's values apart.

    Raises
    ------
    ResultError
        Saying what follows from that.
    """
    if name not in sample.parameters:
        raise ResultError(
            f"`{sample.metric.name}` does not depend on `{name}`: {so}", hint=nearest(name, sample.parameters)
        )


def pages_of(panels: int) -> int:
    """On how many pages so many panels go."""
    return max(1, math.ceil(panels / PANELS))


def columns_of(panels: int) -> int:
    """In how many columns so many panels of one page stand."""
    return 2 if panels == 4 else min(panels, _COLUMNS)


def grid_size(panels: int, height: float = 0.75) -> tuple[float, float]:
    """Width and height of a page with so many panels at most, in widths of a column; a panel alone has this height."""
    here = min(panels, PANELS)
    if here < 2:
        return 1.0, height
    columns = columns_of(here)
    return 2.0, max(0.8, 2.0 / columns * height * 0.96 * math.ceil(here / columns) + 0.14)


def panels(figure: Figure, count: int, labels: Sequence[str] = (), share: bool = True) -> list[Axes]:
    """Axes for the panels of a page, which share their scales; with labels at the outer ones alone."""
    columns = columns_of(count)
    rows = math.ceil(count / columns)
    grid = figure.subplots(rows, columns, sharex=share, sharey=share, squeeze=False)
    flat: list[Axes] = list(np.ravel(grid))
    for unused in flat[count:]:
        unused.remove()
    width = inches(figure)[0] / columns - 0.3
    for axes, label in zip(flat, labels, strict=False):
        axes.set_title(wrapped(label, width))
    return flat[:count]


def outer_labels(figure: Figure, axes: Sequence[Axes], x_label: str, y_label: str) -> None:
    """Write what stands at the axes: once for all panels, where there are several."""
    width, height = inches(figure)
    columns = columns_of(len(axes))
    rows = math.ceil(len(axes) / columns)
    size = float(mpl.rcParams["font.size"]) / 72
    for number, one in enumerate(axes):
        is_left, is_lowest = number % columns == 0, number + columns >= len(axes)
        one.tick_params(labelbottom=is_lowest, labelleft=is_left)
        if is_lowest:
            one.set_xlabel(wrapped(x_label, width / columns - 5 * size))
        if is_left:
            one.set_ylabel(wrapped(y_label, (height - 6 * size) / rows))
