"""Facets: one panel for each combination of some parameters' levels, on as many pages as are legible."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from sciflow.analysis.observations import Sample, is_absent
from sciflow.errors import ResultError
from sciflow.figures.labels import described
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

    @property
    def label(self) -> str:
        """What stands above the panel."""
        return described(self.values)


def facets(sample: Sample, names: Sequence[str]) -> list[Facet]:
    """The parts of a sample, in the order of the parameters' levels; the whole, where no parameter is named.

    Raises
    ------
    ResultError
        For a parameter on which the metric does not depend.
    """
    for name in names:
        if name not in sample.parameters:
            raise ResultError(
                f"`{sample.metric.name}` does not depend on `{name}`: there is one panel only",
                hint=nearest(name, sample.parameters),
            )
    rows: dict[tuple[Any, ...], list[int]] = {}
    columns = [[None if is_absent(one) else one for one in sample.frame[name]] for name in names]
    for position, key in enumerate(zip(*columns, strict=True) if names else [()] * len(sample.frame)):
        rows.setdefault(key, []).append(position)
    places = [{level: number for number, level in enumerate(sample.parameters[name].levels)} for name in names]
    ordered = sorted(rows, key=lambda key: [place[one] for place, one in zip(places, key, strict=True)])
    return [
        Facet(
            dict(zip(names, key, strict=True)),
            replace(sample, frame=sample.frame.take(rows[key]).reset_index(drop=True)),
        )
        for key in ordered
    ]


def pages_of(panels: int) -> int:
    """On how many pages so many panels go."""
    return max(1, math.ceil(panels / PANELS))


def grid_size(panels: int) -> tuple[float, float]:
    """Width and height of a page with so many panels at most, in widths of a column."""
    here = min(panels, PANELS)
    columns = min(here, _COLUMNS)
    width = 1.0 if columns < 2 else 2.0
    return width, max(0.62, 0.72 * math.ceil(here / columns) * width / columns) if here > 1 else 0.75


def panels(figure: Figure, count: int) -> list[Axes]:
    """Axes for the panels of a page, which share their scales; with labels at the outer ones alone."""
    columns = min(count, _COLUMNS)
    grid = figure.subplots(math.ceil(count / columns), columns, sharex=True, sharey=True, squeeze=False)
    flat = list(np.ravel(grid))
    for unused in flat[count:]:
        unused.remove()
    for number in range(max(0, count - columns), count):
        flat[number].tick_params(labelbottom=True)  # also above a place that is empty
    return flat[:count]
