"""Requests: memory and walltime that were asked for, against what was used of them."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import pandas as pd

from sciflow.analysis.attempts import Tried, attempts_of
from sciflow.errors import ResultError
from sciflow.figures.labels import literal
from sciflow.figures.numbers import Numbers, Source
from sciflow.figures.state_looks import LOOKS, words
from sciflow.figures.style import MOST_SERIES, look
from sciflow.model.nearest import nearest
from sciflow.model.resources import GIB
from sciflow.model.state import State
from sciflow.model.visualization import Visualization

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MEMORY, WALLTIME = "memory", "walltime"
_WHAT = {MEMORY: State.OUT_OF_MEMORY, WALLTIME: State.TIMEOUT}
_MIB, _KIB = 1024**2, 1024
_SIZES = [
    (number * unit, f"{number} {name}")
    for unit, name in ((_KIB, "KB"), (_MIB, "MB"), (GIB, "GB"), (GIB * 1024, "TB"))
    for number in (1, 4, 16, 64, 256)
]
_TIMES = [(0.001, "1 ms"), (0.01, "10 ms"), (0.1, "0.1 s"), (1, "1 s"), (10, "10 s"), (60, "1 min"), (600, "10 min")]
_TIMES += [(3600, "1 h"), (36000, "10 h"), (86400 * 4, "4 d"), (86400 * 30, "30 d")]
_MOST_MARKS = 500  # of a task; of more, those that are nearly alike are one mark
_PER_DECADE = 12


class Mark(NamedTuple):
    """One attempt, or several that are nearly alike: what they had and used, in bytes or seconds.

    `is_over` says that they ended since they needed more.
    """

    what: str
    task: str
    asked: float
    used: float
    is_over: bool
    attempts: int = 1


@dataclass(frozen=True, eq=False)
class RequestNumbers(Numbers):
    """What is shown.

    Attributes
    ----------
    marks
        What attempts had and used.
    tasks
        In running order.
    """

    marks: tuple[Mark, ...]
    tasks: tuple[str, ...]

    @property
    def pages(self) -> int:
        """A page for so many tasks as can be told apart."""
        return math.ceil(len(self.tasks) / MOST_SERIES)

    @property
    def shown(self) -> list[str]:
        """Memory and walltime, as far as they were asked for and measured."""
        there = {one.what for one in self.marks}
        return [one for one in _WHAT if one in there]

    @property
    def size(self) -> tuple[float, float]:
        """Width and height, in widths of a column."""
        return (2.0, 0.95) if len(self.shown) == 2 else (1.0, 0.95)

    def frame(self) -> pd.DataFrame:
        """A row for each mark."""
        return pd.DataFrame(self.marks, columns=list(Mark._fields))


def numbers(source: Source, wanted: Visualization) -> RequestNumbers:
    """Put what attempts were given beside what they used."""
    found = attempts_of(source.whole("requests"))
    if wanted.task is not None and wanted.task not in found:
        raise ResultError(f"`{wanted.task}` is no task of this run", hint=nearest(wanted.task, found))
    chosen = {name: tried for name, tried in found.items() if tried and wanted.task in (None, name)}
    marks = tuple(mark for task, tried in chosen.items() for what in _WHAT for mark in _of_task(what, task, tried))
    if not marks:
        raise ResultError(
            "nothing was asked for and measured besides",
            hint="give tasks `memory_gb` and `max_runtime` in `resources`; nothing is measured before an attempt runs",
        )
    over, total = Counter[str](), Counter[str]()
    for one in marks:
        total[one.what] += one.attempts
        over[one.what] += one.attempts if one.is_over else 0
    notes = [
        f"{over[what]} attempt{'' if over[what] == 1 else 's'} needed more {what} than "
        f"{'it' if over[what] == 1 else 'they'} had (×)"
        for what in _WHAT
        if over[what]
    ]
    measured = ", ".join(f"{what} of {total[what]}" for what in _WHAT if total[what])
    everyone = sum(len(tried) for tried in chosen.values())
    notes.append(f"{everyone} attempts; asked for and measured: {measured}")
    return RequestNumbers(wanted.title or "", tuple(notes), marks, tuple(dict.fromkeys(one.task for one in marks)))


def _of_task(what: str, task: str, tried: Sequence[Tried]) -> list[Mark]:
    """A mark for each attempt, or of many for those that used nearly the same."""
    marks = []
    for one in tried:
        asked, used = (one.held.memory, one.memory) if what == MEMORY else (one.given.seconds, one.seconds)
        if asked > 0 and used > 0:
            marks.append(Mark(what, task, float(asked), float(used), one.state is _WHAT[what]))
    if len(marks) <= _MOST_MARKS:
        return marks
    groups: dict[tuple[float, int, bool], list[float]] = {}
    for one in marks:
        level = round(math.log10(one.used) * _PER_DECADE)
        groups.setdefault((one.asked, level, one.is_over), []).append(one.used)
    return [
        Mark(what, task, asked, sum(used) / len(used), is_over, len(used))
        for (asked, _, is_over), used in sorted(groups.items())
    ]


def draw(numbers: RequestNumbers, figure: Figure, page: int) -> None:
    """Draw a panel for memory and one for walltime, with a mark for each attempt."""
    tasks = numbers.tasks[page * MOST_SERIES : (page + 1) * MOST_SERIES]
    drawn = figure.subplots(1, len(numbers.shown), squeeze=False)[0]
    handles: dict[str, Any] = {}
    for axes, what in zip(drawn, numbers.shown, strict=True):
        marks = [one for one in numbers.marks if one.what == what]
        _draw_frame(axes, what, marks)
        for number, task in enumerate(tasks):
            if own := [one for one in marks if one.task == task]:
                handles[literal(task)] = _draw_task(axes, own, number)
        if over := [one for one in marks if one.is_over and one.task in tasks]:
            place = ([one.asked for one in over], [one.used for one in over])
            axes.scatter(*place, marker="x", s=40, color="black", linewidth=2.6, zorder=4)
            handles[words(_WHAT[what])] = axes.scatter(
                *place, marker="x", s=36, color=LOOKS[_WHAT[what]].colour, linewidth=1.4, zorder=5
            )
    figure.legend(handles.values(), handles.keys(), loc="outside upper center", ncols=min(4, len(handles)))


def _draw_task(axes: Axes, marks: Sequence[Mark], number: int) -> Any:
    own = look(number)
    sizes = [14 * min(1 + math.log10(one.attempts), 5) ** 1.5 for one in marks]
    return axes.scatter(
        [one.asked for one in marks], [one.used for one in marks], s=sizes, color=own.colour, marker=own.marker,
        alpha=0.6, edgecolor="black", linewidth=0.3, zorder=3,
    )  # fmt: skip


def _draw_frame(axes: Axes, what: str, marks: Sequence[Mark]) -> None:
    """Two logarithmic axes, and the diagonals on which all, half and a tenth of what was asked for is used."""
    least, most = min(one.asked for one in marks), max(one.asked for one in marks)
    low = min(least, *(one.used for one in marks)) / 1.6
    high = max(most, *(one.used for one in marks)) * 1.6
    span = (least / 2.5, most * 2.5)
    axes.set(xscale="log", yscale="log", xlim=span, ylim=(low, high))
    for share, style, told in ((1.0, "-", "all"), (0.5, "--", "half"), (0.1, ":", "a tenth")):
        axes.plot(span, [share * one for one in span], color="#888888", linestyle=style, linewidth=0.8, zorder=1)
        if low < share * span[1] and share * span[0] < high:
            right = min(span[1], high / share)
            axes.annotate(
                told, (right, share * right), xytext=(-2, -2), textcoords="offset points",
                ha="right", va="top", fontsize="x-small", color="#666666",
            )  # fmt: skip
    for axis, limits in ((axes.xaxis, span), (axes.yaxis, (low, high))):
        ticks = _ticks(_SIZES if what == MEMORY else _TIMES, *limits)
        axis.set_minor_locator(_no_ticks())
        axis.set_ticks([place for place, _ in ticks], [name for _, name in ticks])
    axes.set(xlabel=f"{what} asked for", ylabel=f"{what} used")


def _no_ticks() -> Any:
    from matplotlib.ticker import NullLocator

    return NullLocator()


def _ticks(known: Sequence[tuple[float, str]], low: float, high: float) -> list[tuple[float, str]]:
    """Round values between limits; where there are many, each second or third."""
    inside = [(place, name) for place, name in known if low <= place <= high]
    return inside[:: math.ceil(len(inside) / 7)] if inside else []
