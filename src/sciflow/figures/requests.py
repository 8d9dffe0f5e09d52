"""Requests: memory and walltime that were asked for, against what was used of them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from sciflow.analysis.attempts import Tried, attempts_of
from sciflow.errors import ResultError
from sciflow.figures.labels import literal
from sciflow.figures.numbers import Numbers, Source
from sciflow.figures.state_looks import LOOKS
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


@dataclass(frozen=True, eq=False)
class RequestNumbers(Numbers):
    """What is shown.

    Attributes
    ----------
    marks
        ``what`` (memory or walltime), ``task``, ``asked``, ``used`` (bytes or seconds), ``is_over`` (it ended since it
        needed more), ``count`` of attempts.
    tasks
        In running order.
    """

    marks: pd.DataFrame
    tasks: tuple[str, ...]

    @property
    def pages(self) -> int:
        """A page for so many tasks as can be told apart."""
        return math.ceil(len(self.tasks) / MOST_SERIES)

    @property
    def shown(self) -> list[str]:
        """Memory and walltime, as far as they were asked for and measured."""
        return [one for one in (MEMORY, WALLTIME) if (self.marks["what"] == one).any()]

    @property
    def size(self) -> tuple[float, float]:
        """Width and height, in widths of a column."""
        return (2.0, 0.95) if len(self.shown) == 2 else (1.0, 0.95)

    def frame(self) -> pd.DataFrame:
        """A row for each mark."""
        return self.marks


def numbers(source: Source, wanted: Visualization) -> RequestNumbers:
    """Put what attempts were given beside what they used."""
    found = attempts_of(source.whole("requests"))
    if wanted.task is not None and wanted.task not in found:
        raise ResultError(f"`{wanted.task}` is no task of this run", hint=nearest(wanted.task, found))
    chosen = {name: tried for name, tried in found.items() if tried and wanted.task in (None, name)}
    parts = [part for task, tried in chosen.items() for part in _of_task(task, tried)]
    if not parts:
        raise ResultError(
            "nothing was asked for and measured besides",
            hint="give tasks `memory_gb` and `max_runtime` in `resources`; nothing is measured before an attempt runs",
        )
    marks = pd.concat(parts, ignore_index=True)
    over = marks[marks["is_over"]].groupby("what")["count"].sum()
    notes = [
        f"{over[what]} attempts needed more {what} than they had (×)" for what in (MEMORY, WALLTIME) if what in over
    ]
    total = {what: int(rows["count"].sum()) for what, rows in marks.groupby("what")}
    measured = ", ".join(f"{what} of {count}" for what, count in total.items())
    everyone = sum(len(tried) for tried in chosen.values())
    notes.append(f"{everyone} attempts; asked for and measured: {measured}")
    return RequestNumbers(wanted.title or "", tuple(notes), marks, tuple(dict.fromkeys(marks["task"])))


def _of_task(task: str, tried: Sequence[Tried]) -> list[pd.DataFrame]:
    pairs = {
        MEMORY: [(one.held.memory, one.memory, one.state is _WHAT[MEMORY]) for one in tried],
        WALLTIME: [(one.given.seconds, one.seconds, one.state is _WHAT[WALLTIME]) for one in tried],
    }
    parts = []
    for what, values in pairs.items():
        kept = [one for one in values if one[0] > 0 and one[1] > 0]
        if kept:
            frame = pd.DataFrame(kept, columns=["asked", "used", "is_over"]).astype({"asked": float, "used": float})
            parts.append(_marks(frame).assign(what=what, task=task))
    names = ["what", "task", "asked", "used", "is_over", "count"]
    return [part.reindex(columns=names) for part in parts]


def _marks(frame: pd.DataFrame) -> pd.DataFrame:
    """A mark for each attempt, or of many for those that used nearly the same."""
    if len(frame) <= _MOST_MARKS:
        return frame.assign(count=1)
    level = np.round(np.log10(frame["used"]) * _PER_DECADE)
    groups = frame.assign(level=level).groupby(["asked", "level", "is_over"], sort=True)["used"]
    return groups.agg(used="mean", count="size").reset_index().drop(columns="level")


def draw(numbers: RequestNumbers, figure: Figure, page: int) -> None:
    """Draw a panel for memory and one for walltime, with a mark for each attempt."""
    tasks = numbers.tasks[page * MOST_SERIES : (page + 1) * MOST_SERIES]
    drawn = figure.subplots(1, len(numbers.shown), squeeze=False)[0]
    handles: dict[str, Any] = {}
    for axes, what in zip(drawn, numbers.shown, strict=True):
        rows = numbers.marks[numbers.marks["what"] == what]
        _draw_frame(axes, what, rows)
        for number, task in enumerate(tasks):
            own = rows[rows["task"] == task]
            if len(own):
                handles[literal(task)] = _draw_task(axes, own, number)
        over = rows[rows["is_over"] & rows["task"].isin(tasks)]
        if len(over):
            name = _WHAT[what].value.lower().replace("_", " ")
            colour = LOOKS[_WHAT[what]].colour
            axes.scatter(over["asked"], over["used"], marker="x", s=40, color="black", linewidth=2.6, zorder=4)
            handles[name] = axes.scatter(
                over["asked"], over["used"], marker="x", s=36, color=colour, linewidth=1.4, zorder=5
            )
    figure.legend(handles.values(), handles.keys(), loc="outside upper center", ncols=min(4, len(handles)))


def _draw_task(axes: Axes, rows: pd.DataFrame, number: int) -> Any:
    own = look(number)
    sizes = 14 * np.minimum(1 + np.log10(rows["count"].to_numpy(dtype=float)), 5) ** 1.5
    return axes.scatter(
        rows["asked"], rows["used"], s=sizes, color=own.colour, marker=own.marker, alpha=0.6,
        edgecolor="black", linewidth=0.3, zorder=3,
    )  # fmt: skip


def _draw_frame(axes: Axes, what: str, rows: pd.DataFrame) -> None:
    """Two logarithmic axes, and the diagonals on which all, half and a tenth of what was asked for is used."""
    low = min(rows["used"].min(), rows["asked"].min()) / 1.6
    high = max(rows["used"].max(), rows["asked"].max()) * 1.6
    span = [rows["asked"].min() / 2.5, rows["asked"].max() * 2.5]
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
