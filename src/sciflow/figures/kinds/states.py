"""State map: what became of each combination, over the space of parameters."""

from __future__ import annotations

import itertools
import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd

from sciflow.analysis.observations import STATE, Observations, Parameter, is_absent
from sciflow.figures.facets import PANELS, grid_size, outer_labels, pages_of, panels
from sciflow.figures.labels import described, label_of, shortened, text_of
from sciflow.figures.marks import legend
from sciflow.figures.numbers import Numbers, Source
from sciflow.figures.state_looks import DARK, EDGE, LOOKS, in_order, patch
from sciflow.model.state import State
from sciflow.model.visualization import Visualization

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MOST_CELLS = 40  # along an axis; more levels are binned
_BINS = 20
_TICKS = 12
_LETTERS = 14  # cells along an axis, of which each has room for a letter
_MOST_FACETS = 9
_LONGEST = 32  # letters at a tick


@dataclass(frozen=True)
class Axis:
    """Along one side: the parameter, what each cell holds, and what stands at it; nothing, where there is none."""

    name: str
    label: str
    cells: tuple[str, ...]
    ticks: tuple[str, ...]


class Cell(NamedTuple):
    """How many combinations of a cell are in a state: panel, and places along the axes."""

    panel: int
    x: int
    y: int
    state: State
    combinations: int


@dataclass(frozen=True, eq=False)
class StateNumbers(Numbers):
    """What a state map shows.

    Attributes
    ----------
    cells
        One for each state that there is in a cell.
    panels
        What stands above each.
    """

    cells: tuple[Cell, ...]
    panels: tuple[str, ...]
    x: Axis
    y: Axis

    @property
    def pages(self) -> int:
        """A page for so many panels."""
        return pages_of(len(self.panels))

    @property
    def size(self) -> tuple[float, float]:
        """Width and height, in widths of a column; lower, where there is one parameter alone."""
        width, height = grid_size(len(self.panels))
        return (width, 0.4) if len(self.y.cells) == 1 and len(self.panels) == 1 else (width, height)

    def frame(self) -> pd.DataFrame:
        """A row for each state in a cell."""
        rows = [
            (self.panels[one.panel], self.x.cells[one.x], self.y.cells[one.y], one.state.value, one.combinations)
            for one in self.cells
        ]
        return pd.DataFrame(rows, columns=["panel", "x", "y", "state", "combinations"])


def numbers(source: Source, wanted: Visualization) -> StateNumbers:
    """Count the states in each cell of the space."""
    observations = source.observations
    for name in wanted.parameters:
        observations.parameter(name)
    x, y, facet = _chosen(observations, wanted)
    along, upward = (
        _axis(one, observations, label_of(one.name, observations, wanted) if one else "") for one in (x, y)
    )
    place = _places(observations, facet, wanted)
    known = [State(one) for one in observations.frame[STATE]]
    counts = Counter(zip(place[0], along[1], upward[1], known, strict=True))
    cells = tuple(Cell(*key, count) for key, count in sorted(counts.items()))
    shown = {one.name for one in (x, y, *facet) if one is not None}
    hidden = [one for one in _candidates(observations) if one.name not in shown]
    states = Counter(known)
    told = ", ".join(f"{count} {state}" for state, count in sorted(states.items(), key=lambda one: (-one[1], one[0])))
    over = ", ".join(f"{one.name} ({len(one.levels)} values)" for one in hidden)
    count = f"{len(observations)} combination{'' if len(observations) == 1 else 's'}"
    notes = [f"{count}: {told}", f"a cell has all values of {over}" if over else ""]
    notes += [
        f"{len(one.levels)} values of {axis[0].name} are put into {len(axis[0].cells)} ranges"
        for one, axis in ((x, along), (y, upward))
        if one is not None and len(axis[0].cells) < len(one.levels)
    ]
    return StateNumbers(wanted.title or "", tuple(filter(None, notes)), cells, place[1], along[0], upward[0])


def _candidates(observations: Observations) -> list[Parameter]:
    """The parameters that tell combinations apart: those with several levels that follow from no others."""
    return [one for one in observations.parameters.values() if len(one.levels) > 1 and not one.is_derived]


def _chosen(
    observations: Observations, wanted: Visualization
) -> tuple[Parameter | None, Parameter | None, list[Parameter]]:
    """The parameters along the axes, and those with a panel for each value: with which what is missing goes most."""
    taken = {*wanted.facet_by, wanted.x_axis, wanted.y_axis}
    is_missing = (observations.frame[STATE] != State.COMPLETED.value).to_numpy()
    free = [one for one in _candidates(observations) if one.name not in taken]
    free.sort(key=lambda one: (one.is_repeat, -_share(observations, one, is_missing)))
    first, second = (observations.parameter(one) if one else None for one in (wanted.x_axis, wanted.y_axis))
    if first is None and second is None and len(free) > 1:
        pair = free[:2]
        first = max(pair, key=lambda one: len(one.levels))
        second = pair[0] if first is pair[1] else pair[1]
    else:
        rest = iter(free)
        first = first or next(rest, None)
        second = second or next(rest, None)
    facets = [observations.parameter(one) for one in wanted.facet_by]
    rest = [one for one in free if one not in (first, second)]
    factors = [one for one in rest if not one.is_repeat]
    if not facets and len(factors) == 1 and len(factors[0].levels) <= _MOST_FACETS:
        facets = factors
    return first, second, facets


def _share(observations: Observations, parameter: Parameter, is_missing: np.ndarray) -> float:
    """How much of what is missing goes with a parameter: the variance of its share between cells."""
    codes = np.array(_axis(parameter, observations, parameter.name)[1])
    counts = np.bincount(codes)
    shares = np.bincount(codes, weights=is_missing) / np.maximum(counts, 1)
    return round(float(np.sum(counts * (shares - is_missing.mean()) ** 2)) / len(codes), 12)


def _plain(observations: Observations, parameter: Parameter) -> list[Any]:
    return [None if is_absent(one) else one for one in observations.frame[parameter.name]]


def _axis(parameter: Parameter | None, observations: Observations, label: str) -> tuple[Axis, list[int]]:
    """An axis, and in which of its cells each combination is."""
    if parameter is None:
        return Axis("", "", ("",), ("",)), [0] * len(observations)
    values = _plain(observations, parameter)
    levels = parameter.levels
    if len(levels) <= (_BINS if parameter.is_sampled and parameter.kind == "number" else MOST_CELLS):
        place = {level: number for number, level in enumerate(levels)}
        texts = tuple(map(text_of, levels))
        ticks = tuple(shortened(text, _LONGEST) for text in texts)
        return Axis(parameter.name, label, texts, ticks), [place[one] for one in values]
    return _binned(parameter, label, values)


def _binned(parameter: Parameter, label: str, values: Sequence[Any]) -> tuple[Axis, list[int]]:
    """Many levels in cells: numbers in ranges of the same width, others as many at a time."""
    present = [one for one in parameter.levels if one is not None]
    if parameter.kind == "number" and all(math.isfinite(one) for one in present):
        edges = np.linspace(min(present), max(present), _BINS + 1)
        cell = {one: min(_BINS - 1, int(np.searchsorted(edges, one, side="right")) - 1) for one in present}
        ranges = [(float(low), float(high)) for low, high in itertools.pairwise(edges)]
        names = [f"{text_of(low)} – {text_of(high)}" for low, high in ranges]
        ticks = [f"{(low + high) / 2:.3g}" for low, high in ranges]
    else:
        each = math.ceil(len(present) / _BINS)
        parts = [present[start : start + each] for start in range(0, len(present), each)]
        cell = {one: number for number, part in enumerate(parts) for one in part}
        names = [f"{text_of(part[0])} … {text_of(part[-1])}" for part in parts]
        ticks = [shortened(name, _LONGEST) for name in names]
    if None in parameter.levels:
        cell[None] = len(names)
        names, ticks = [*names, text_of(None)], [*ticks, text_of(None)]
    return Axis(parameter.name, label, tuple(names), tuple(ticks)), [cell[one] for one in values]


def _places(
    observations: Observations, facets: Sequence[Parameter], wanted: Visualization
) -> tuple[list[int], tuple[str, ...]]:
    """In which panel each combination is, and what stands above the panels."""
    if not facets:
        return [0] * len(observations), ("",)
    order = [{level: number for number, level in enumerate(one.levels)} for one in facets]
    keys = list(zip(*(_plain(observations, one) for one in facets), strict=True))
    ordered = sorted(set(keys), key=lambda key: [place[one] for place, one in zip(order, key, strict=True)])
    place = {key: number for number, key in enumerate(ordered)}
    labels = tuple(
        described(dict(zip((one.name for one in facets), key, strict=True)), wanted.labels) for key in ordered
    )
    return [place[key] for key in keys], labels


def draw(numbers: StateNumbers, figure: Figure, page: int) -> None:
    """Draw one page of panels."""
    here = range(page * PANELS, min(len(numbers.panels), (page + 1) * PANELS))
    drawn = panels(figure, len(here), [numbers.panels[one] for one in here])
    for axes, number in zip(drawn, here, strict=True):
        _draw_panel(axes, numbers, [one for one in numbers.cells if one.panel == number], len(here))
    outer_labels(figure, drawn, numbers.x.label, numbers.y.label)
    found = {one.state for one in numbers.cells}
    handles = [patch(one) for one in in_order(found)]
    legend(figure, handles, [str(one.get_label()) for one in handles], "", handleheight=1.3)


def _draw_panel(axes: Axes, numbers: StateNumbers, cells: Sequence[Cell], beside: int) -> None:
    from matplotlib.collections import PolyCollection

    parts: dict[State, list[list[tuple[float, float]]]] = {}
    size = max(len(numbers.x.cells), len(numbers.y.cells))
    has_letters = size * math.sqrt(beside) <= _LETTERS
    for (x, y), found in itertools.groupby(cells, key=lambda one: (one.x, one.y)):
        counts = {one.state: one.combinations for one in found}
        total, left = sum(counts.values()), float(x) - 0.5
        for state in in_order(set(counts)):
            right = left + counts[state] / total
            parts.setdefault(state, []).append([(left, y - 0.5), (right, y - 0.5), (right, y + 0.5), (left, y + 0.5)])
            letter = LOOKS[state].letter
            if letter and has_letters and counts[state] / total > 0.3:
                text = letter if counts[state] == total else f"{counts[state]}{letter}"
                colour = "white" if state in DARK else "black"
                box = {"boxstyle": "square,pad=0.1", "facecolor": LOOKS[state].colour, "edgecolor": "none"}
                axes.text((left + right) / 2, y, text, ha="center", va="center", color=colour, bbox=box)
            left = right
    for state, shapes in parts.items():
        look = LOOKS[state]
        width = 0.4 if size <= MOST_CELLS else 0.0
        axes.add_collection(
            PolyCollection(shapes, facecolor=look.colour, edgecolor=EDGE, hatch=look.hatch, linewidth=width)
        )
    axes.set(xlim=(-0.5, len(numbers.x.cells) - 0.5), ylim=(-0.5, len(numbers.y.cells) - 0.5))
    _ticks(axes, numbers, beside)


def _ticks(axes: Axes, numbers: StateNumbers, beside: int) -> None:
    most = _TICKS if beside < 2 else _TICKS // 2
    for axis, ticks, is_x in ((numbers.x, axes.set_xticks, True), (numbers.y, axes.set_yticks, False)):
        step = math.ceil(len(axis.cells) / most)
        places = range(0, len(axis.cells), step)
        labels = [axis.ticks[one] for one in places]
        if labels == [""]:
            ticks([])
            continue
        is_long = is_x and sum(map(len, labels)) > 60 // (1 if beside < 2 else 2)
        ticks(list(places), labels, **({"rotation": 45, "ha": "right", "rotation_mode": "anchor"} if is_long else {}))
