"""Pairs: a matrix of small scatters, of metrics against parameters and against each other."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from sciflow.analysis.observations import Observations
from sciflow.errors import ResultError
from sciflow.figures.clouds import Cloud, Series, draw_cloud, explain, spread
from sciflow.figures.hexagons import Hexagons, Lattice, draw_hexagons
from sciflow.figures.labels import label_of, wrapped
from sciflow.figures.matched import Matched, matched
from sciflow.figures.numbers import Numbers, Source
from sciflow.figures.side import Side, side_of, tick_levels, values_of
from sciflow.model.visualization import Visualization

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_MOST = 4  # rows and columns of a page
_TOO_MANY = 1500  # points of a small scatter


@dataclass(frozen=True, eq=False)
class Cell:
    """One small scatter: its points, or hexagons that count them; empty where the two have nothing in common."""

    x: int
    y: int
    cloud: Cloud | None = None
    hexagons: Hexagons | None = None


@dataclass(frozen=True, eq=False)
class PairsNumbers(Numbers):
    """What a matrix of pairs shows.

    Attributes
    ----------
    columns, rows
        What is at x, and at y: metrics alone.
    cells
        Row by row; the cell of a metric with itself shows how its values are distributed.
    """

    columns: tuple[Side, ...]
    rows: tuple[Side, ...]
    cells: tuple[Cell, ...]
    series: Series

    @property
    def pages(self) -> int:
        """A page for so many rows and columns, and for so many series, as are legible."""
        return len(_parts(len(self.columns))) * len(_parts(len(self.rows))) * self.series.pages

    @property
    def size(self) -> tuple[float, float]:
        """Width and height, in widths of a column."""
        width = 1.0 if len(self.columns) < 3 else 2.0
        across, down = len(_parts(len(self.columns))[0]), len(_parts(len(self.rows))[0])
        return width, max(0.6, 0.85 * width * down / across + 0.1)

    def part(self, page: int) -> tuple[range, range, int]:
        """The columns and the rows of a page, and the page of its series."""
        place, series = divmod(page, self.series.pages)
        across, down = _parts(len(self.columns)), _parts(len(self.rows))
        return across[place % len(across)], down[place // len(across)], series

    def frame(self) -> pd.DataFrame:
        """A row for each point of each cell, or for each hexagon with its count."""
        parts = []
        for cell in self.cells:
            if cell.cloud is None:
                continue
            x, y = self.columns[cell.x], self.rows[cell.y]
            shown: Any = cell.hexagons or cell.cloud
            count = cell.hexagons.count if cell.hexagons else np.ones(len(cell.cloud.x), dtype=int)
            at = shown.x if x.levels is None else [x.levels[int(place)] for place in shown.x]
            columns = {"x_name": x.name, "y_name": y.name, "x": at, "y": shown.y, "count": count}
            parts.append(pd.DataFrame(columns, columns=list(columns)).astype({"x": object}))
        return pd.concat(parts, ignore_index=True)


def _parts(count: int) -> list[range]:
    """What goes on each page, about equally many."""
    pages = -(-count // _MOST)
    ends = [round(number * count / pages) for number in range(pages + 1)]
    return [range(*ends[number : number + 2]) for number in range(pages)]


def numbers(source: Source, wanted: Visualization) -> PairsNumbers:
    """Compute all pairs: of the metrics that are named, else of all that have numbers."""
    observations = source.observations
    metrics, notes = _metrics(observations, wanted)
    if wanted.series:
        observations.parameter(wanted.series)
    used = {one.name for name in metrics for one in observations.sample(name).axes}
    levels = {name: len(one.levels) for name, one in observations.parameters.items() if name in used}
    parameters = [name for name, count in levels.items() if count > 1 and name != wanted.series]
    if not parameters and len(metrics) < 2:
        raise ResultError(
            f"`{metrics[0]}` is the only metric, and no parameter of it varies: there are no pairs",
            hint="a `box` shows how its values are distributed",
        )
    series = Series.of(
        observations.parameters[wanted.series] if wanted.series else None,
        label_of(wanted.series, observations, wanted) if wanted.series else "",
    )
    names = [*parameters, *metrics]
    columns = tuple(side_of(name, observations, wanted, None) for name in names)
    rows = tuple(side_of(name, observations, wanted, None) for name in metrics)
    cells = []
    for y, metric in enumerate(metrics):
        for x, name in enumerate(names):
            found = _match(observations, name, metric, wanted.series)
            if isinstance(found, ResultError):
                cells.append(Cell(x, y))
                notes += [found.message] if name in metrics else []
                continue
            notes += found.notes
            cells.append(_cell(found, columns[x], rows[y], Cell(x, y), series, wanted.series))
    if all(cell.cloud is None for cell in cells):
        raise ResultError(f"no pair has values in common: {'; '.join(dict.fromkeys(notes))}")
    return PairsNumbers(wanted.title or "", tuple(dict.fromkeys(notes)), columns, rows, tuple(cells), series)


def _metrics(observations: Observations, wanted: Visualization) -> tuple[list[str], list[str]]:
    """The metrics to show, and what is said of those that are left out."""
    if wanted.shown:
        names = list(dict.fromkeys(observations.metric(name).name for name in wanted.shown))
        for name in names:
            _ = observations.sample(name).measured  # says what is wrong with it
        return names, []
    samples = [observations.sample(name) for name in observations.metrics]
    names = [one.metric.name for one in samples if one.is_numeric and np.isfinite(one.values).any()]
    if not names:
        raise ResultError(
            "no metric has a finite number, so there are no pairs",
            hint="see `sciflow status` for what is missing and why",
        )
    left_out = [name for name in observations.metrics if name not in names]
    return names, [f"left out, without numbers: {', '.join(left_out)}"] if left_out else []


def _match(observations: Observations, name: str, metric: str, series: str | None) -> Matched | ResultError:
    """The values of a pair; the reason where it has none."""
    try:
        shown = [series] if series else []
        if name in observations.parameters:
            return matched(observations, [metric], [name, *shown])
        return matched(observations, list(dict.fromkeys([name, metric])), shown)
    except ResultError as error:
        return error


def _cell(found: Matched, x: Side, y: Side, cell: Cell, series: Series, name: str | None) -> Cell:
    level = np.zeros(len(found.rows.frame), dtype=int)
    if name:
        at = {one: place for place, one in enumerate(series.levels)}
        level = np.array([at[one] for one in found.levels(name)], dtype=int)
    cloud = Cloud(x.places(values_of(x.name, found)), found.values[y.name], level)
    if len(level) <= _TOO_MANY or name or x.levels is not None or x.name == y.name:
        return replace(cell, cloud=cloud)
    lattice = Lattice.over(cloud.x, cloud.y, ("linear", "linear"), across=18)
    return replace(cell, cloud=cloud, hexagons=lattice.counted(cloud.x, cloud.y))


def draw(numbers: PairsNumbers, figure: Figure, page: int) -> None:
    """Draw one page: some of the columns and of the rows."""
    columns, rows, part = numbers.part(page)
    grid = figure.subplots(len(rows), len(columns), sharex="col", squeeze=False)
    width, height = figure.get_size_inches()
    handles: dict[str, Any] = {}
    most = max((int(one.hexagons.count.max()) for one in numbers.cells if one.hexagons), default=0)
    marks = None
    by_place = {(cell.y, cell.x): cell for cell in numbers.cells}
    for (down, row), (across, column) in [(a, b) for a in enumerate(rows) for b in enumerate(columns)]:
        axes, cell = grid[down][across], by_place[row, column]
        x, y = numbers.columns[column], numbers.rows[row]
        x.dress(axes, "x", with_label=False)
        if cell.cloud is None:
            axes.text(0.5, 0.5, "–", transform=axes.transAxes, ha="center", va="center")
        elif x.name == y.name:
            axes.hist(cell.cloud.y, bins=_bins(cell.cloud.y), color="#808080")
        elif cell.hexagons:
            marks = draw_hexagons(axes, cell.hexagons, most)
        else:
            cloud = cell.cloud if x.levels is None else replace(cell.cloud, x=spread(cell.cloud.x))
            handles |= draw_cloud(axes, cloud, numbers.series, part, small=True)
        _ends(axes, x, y, cell, 0.75 * width / len(columns))
        if down == len(rows) - 1:
            axes.set_xlabel(wrapped(x.label, 0.8 * width / len(columns)))
        if across == 0:
            axes.set_ylabel(wrapped(y.label, 0.8 * height / len(rows)))
    figure.align_ylabels()
    if marks is not None:
        figure.colorbar(marks, ax=grid, label="points", aspect=30)
    explain(figure, list(np.ravel(grid)), handles, numbers.series)


def _bins(values: np.ndarray) -> int:
    """How many bins a histogram has: by the number of values, so that few do not look like many."""
    return 1 if np.ptp(values) == 0 else int(np.clip(np.sqrt(len(values)), 3, 30))


def _ends(axes: Axes, x: Side, y: Side, cell: Cell, inches: float) -> None:
    """Few ticks, since there is little room; counts instead of values where a metric meets itself."""
    from matplotlib.ticker import MaxNLocator

    is_count = x.name == y.name and cell.cloud is not None
    axes.yaxis.set_major_locator(MaxNLocator(3, integer=is_count))
    if x.levels is None and not (cell.cloud is not None and tick_levels(axes, cell.cloud.x, inches)):
        is_whole = cell.cloud is not None and bool((cell.cloud.x == np.round(cell.cloud.x)).all())
        axes.xaxis.set_major_locator(MaxNLocator(3, integer=is_whole))
    if is_count:
        axes.yaxis.tick_right()
        axes.spines["right"].set_visible(True)
        axes.spines["left"].set_visible(False)
        axes.yaxis.set_label_position("left")
        axes.tick_params(axis="y", labelcolor="#808080", color="#808080")
