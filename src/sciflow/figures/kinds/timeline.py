"""Timeline: which array index was at work on which node when, and how it ended."""

from __future__ import annotations

import heapq
import math
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd

from sciflow.analysis.spells import Spell, spells_of
from sciflow.errors import ResultError
from sciflow.figures.labels import literal
from sciflow.figures.numbers import Numbers, Source
from sciflow.figures.state_looks import DARK, EDGE, LOOKS, in_order, patch, words
from sciflow.figures.time_axis import Zone, places, tell_time, zone_of
from sciflow.model.nearest import nearest
from sciflow.model.state import State
from sciflow.model.visualization import Visualization
from sciflow.run.track import read_plan

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_MOST_BARS = 400  # that are told apart; of more, each node has a curve of how many are at work
_MOST_LANES = 48
_NODES = 24  # on a page
_APART = 0.001  # seconds: what begins so soon before another ends does not run beside it
_AT_WORK = "#8fc1e3"
_MARK: dict[str, Any] = {"marker": "v", "markersize": 3.5, "markeredgecolor": EDGE, "markeredgewidth": 0.3}
_STEPS = 400  # points of a curve
_LABEL = 0.025  # of the width: a bar that long has room for its index
_LETTER = 0.006  # of the width: what a letter in a bar takes


@dataclass(frozen=True)
class Bar:
    """One attempt: on which of the lanes of its node it lies."""

    lane: int
    spell: Spell


@dataclass(frozen=True)
class Row:
    """A node: its attempts, and how many of them ran at a time at most."""

    node: str
    bars: tuple[Bar, ...]
    lanes: int


class Queue(NamedTuple):
    """How many ran and waited from each time on; where there was no queue, none is said to have waited."""

    times: list[float]
    running: list[int]
    waiting: list[int] | None


@dataclass(frozen=True, eq=False)
class TimelineNumbers(Numbers):
    """What a timeline shows.

    Attributes
    ----------
    rows
        Nodes, with their attempts.
    queue
        How many ran and waited.
    """

    rows: tuple[Row, ...]
    queue: Queue
    zone: Zone

    @property
    def is_detailed(self) -> bool:
        """Whether each attempt has a bar of its own."""
        return sum(len(row.bars) for row in self.rows) <= _MOST_BARS and self.lanes <= _MOST_LANES

    @property
    def lanes(self) -> int:
        """The lanes of all nodes."""
        return sum(row.lanes for row in self.rows)

    @property
    def pages(self) -> int:
        """A page for so many nodes."""
        return 1 if self.is_detailed else math.ceil(len(self.rows) / _NODES)

    @property
    def size(self) -> tuple[float, float]:
        """Width and height, in widths of a column; the more lanes, the higher."""
        high = 0.045 * self.lanes if self.is_detailed else 0.065 * min(_NODES, len(self.rows))
        return 2.0, 0.65 + max(0.2, high)

    def frame(self) -> pd.DataFrame:
        """A row for each attempt."""
        names = ("task", "array", "index", "attempt", "submitted", "start", "end", "is_open")
        rows = [
            {"node": row.node, "lane": bar.lane, **{name: getattr(bar.spell, name) for name in names}}
            | {"state": bar.spell.state.value}
            for row in self.rows
            for bar in row.bars
        ]
        return pd.DataFrame(rows)


def numbers(source: Source, wanted: Visualization) -> TimelineNumbers:
    """Lay the attempts of a run onto the lanes of their nodes."""
    table = source.whole("timeline")
    spells = known_spells(source, wanted)
    by_node: dict[str, list[Spell]] = {}
    for one in spells:
        by_node.setdefault(one.node or "unknown node", []).append(one)
    rows = tuple(_row(node, by_node[node]) for node in sorted(by_node, key=_natural))
    made = TimelineNumbers(wanted.title or "", tuple(_notes(spells)), rows, _queue(spells), zone_of(table))
    if made.is_detailed:
        return made
    return replace(made, notes=(*made.notes, "each node: how many are at work, in brackets the most of them"))


def known_spells(source: Source, wanted: Visualization) -> list[Spell]:
    """The attempts of a run, or of one of its tasks.

    Raises
    ------
    ResultError
        For a task that there is not, and where no attempt has left a record.
    """
    table = source.whole(wanted.type)
    tasks = list(read_plan(table.run).tasks)
    if wanted.task is not None and wanted.task not in tasks:
        raise ResultError(f"`{wanted.task}` is no task of this run", hint=nearest(wanted.task, tasks))
    spells = spells_of(table, wanted.task)
    if not spells:
        raise ResultError("no attempt has left a record yet", hint="see `sciflow status` for how far the run is")
    return spells


def _natural(name: str) -> list[Any]:
    """A key that sorts `node10` after `node9`."""
    return [(0, int(part), "") if part.isdigit() else (1, 0, part) for part in re.split(r"(\d+)", name)]


def _row(node: str, spells: Sequence[Spell]) -> Row:
    """Each attempt onto the first lane that is free when it starts."""
    busy: list[tuple[float, int]] = []
    free: list[int] = []
    bars, lanes = [], 0
    for one in spells:
        while busy and busy[0][0] <= one.start + _APART:
            heapq.heappush(free, heapq.heappop(busy)[1])
        if free:
            lane = heapq.heappop(free)
        else:
            lane, lanes = lanes, lanes + 1
        heapq.heappush(busy, (max(one.end, one.start + 2 * _APART), lane))
        bars.append(Bar(lane, one))
    return Row(node, tuple(bars), lanes)


def _queue(spells: Sequence[Spell]) -> Queue:
    """How many ran and waited, at each time at which that changed."""
    changes: dict[float, list[int]] = {}
    is_queued = any(not math.isnan(one.submitted) for one in spells)
    for one in spells:
        changes.setdefault(one.start, [0, 0])[0] += 1
        changes.setdefault(one.end, [0, 0])[0] -= 1
        if not math.isnan(one.submitted):
            changes.setdefault(one.submitted, [0, 0])[1] += 1
            changes.setdefault(one.start, [0, 0])[1] -= 1
    times = sorted(changes)
    running, waiting = np.cumsum([changes[time] for time in times], axis=0).T.tolist()
    return Queue(times, running, waiting if is_queued else None)


def _notes(spells: Sequence[Spell]) -> list[str]:
    ends = Counter(one.state.value for one in spells)
    again = sum(one.attempt > 1 for one in spells)
    tries = f"; {again} not the first of their indices" if again else ""
    nodes = len({one.node for one in spells})
    told = ", ".join(f"{count} {state}" for state, count in ends.most_common())
    notes = [f"{len(spells)} attempts on {nodes} node{'' if nodes == 1 else 's'}: {told}{tries}"]
    if is_open := sum(one.is_open and one.state is not State.RUNNING for one in spells):
        notes.append(f"the end of {is_open} attempts is not known: they are drawn as far as their records go")
    waits = [one.start - one.submitted for one in spells if not math.isnan(one.submitted)]
    if waits:
        notes.append(
            "time from submission to start, also while earlier tasks ran: "
            f"half more than {_duration(float(np.median(waits)))}, at most {_duration(max(waits))}"
        )
    return notes


def _duration(seconds: float) -> str:
    for unit, length in (("d", 86400.0), ("h", 3600.0), ("min", 60.0)):
        if seconds >= length:
            return f"{seconds / length:.1f} {unit}"
    return f"{seconds:.1f} s"


def draw(numbers: TimelineNumbers, figure: Figure, page: int) -> None:
    """Draw the nodes of one page, and below them how many ran and waited."""
    from matplotlib.patches import Patch

    rows = numbers.rows if numbers.is_detailed else numbers.rows[page * _NODES : (page + 1) * _NODES]
    tall = max(0.2, numbers.size[1] - 0.55)
    above, below = figure.subplots(2, 1, sharex=True, height_ratios=[tall, 0.25])
    if numbers.is_detailed:
        _draw_bars(above, rows, numbers)
    else:
        _draw_curves(above, rows, numbers)
    _draw_queue(below, numbers)
    tell_time(below, numbers.zone)
    found = {bar.spell.state for row in numbers.rows for bar in row.bars}
    if not numbers.is_detailed:
        handles = [Patch(facecolor=_AT_WORK, label="at work"), *_failures(found)]
    else:
        handles = [patch(one) for one in in_order(found)]
    if numbers.is_detailed and any(bar.spell.attempt > 1 for row in rows for bar in row.bars):
        handles.append(Patch(facecolor="white", edgecolor="black", linewidth=1.6, label="tried again"))
    figure.legend(handles=handles, loc="outside upper center", ncols=min(6, len(handles)), handleheight=1.3)


def _failures(states: set[State]) -> list[Any]:
    """What stands for attempts without success in a legend, where each node has a curve."""
    from matplotlib.lines import Line2D

    return [
        Line2D([], [], linestyle="", markerfacecolor=LOOKS[one].colour, label=words(one), **_MARK)
        for one in in_order(states)
        if one.is_failure
    ]


def _draw_bars(axes: Axes, rows: Sequence[Row], numbers: TimelineNumbers) -> None:
    """A bar for each attempt, with its index where there is room."""
    first, last = _span(numbers)
    base, ticks = 0, []
    for row in rows:
        for bar in row.bars:
            one, look = bar.spell, LOOKS[bar.spell.state]
            left, width = places(one.start), max(places(one.end - one.start), places((last - first) / 500))
            again = (
                {"edgecolor": "black", "linewidth": 1.6} if one.attempt > 1 else {"edgecolor": EDGE, "linewidth": 0.4}
            )
            height = base + bar.lane
            axes.barh(height, width, left=left, height=0.8, color=look.colour, hatch=look.hatch, **again)
            if one.end - one.start > _LABEL * (last - first):
                colour = "white" if one.state in DARK else "black"
                box = {"boxstyle": "square,pad=0.05", "facecolor": look.colour, "edgecolor": "none"}
                text = f"{one.index}" if one.attempt == 1 else f"{one.index}·{one.attempt}"
                if (len(one.task) + len(text) + 1) * _LETTER < (one.end - one.start) / (last - first):
                    text = f"{literal(one.task)} {text}"
                kind: dict[str, Any] = {"bbox": box} if look.hatch else {}
                axes.text(
                    float(left + width / 2), height, text, ha="center", va="center", color=colour, fontsize=6, **kind
                )
        ticks.append((base + (row.lanes - 1) / 2, literal(row.node)))
        base += row.lanes
        axes.axhline(base - 0.5, color="#bbbbbb", linewidth=0.5, zorder=0)
    _node_ticks(axes, ticks, base)


def _draw_curves(axes: Axes, rows: Sequence[Row], numbers: TimelineNumbers) -> None:
    """How many ran on each node, and when some ended without success."""
    first, last = _span(numbers)
    edges = np.linspace(first, last, _STEPS + 1)
    most = max(row.lanes for row in numbers.rows)
    for place, row in enumerate(rows):
        spells = [bar.spell for bar in row.bars]
        running = mean_at_work(spells, [1.0] * len(spells), edges) / most * 0.85
        axes.stairs(place + 0.45 - running, places(edges), baseline=place + 0.45, fill=True, color=_AT_WORK)
        for state in in_order({one.state for one in spells if one.state.is_failure}):
            ends = places([one.end for one in spells if one.state is state])
            axes.plot(ends, np.full(len(ends), place + 0.1), linestyle="", markerfacecolor=LOOKS[state].colour, **_MARK)
    _node_ticks(axes, [(place, f"{literal(row.node)} ({row.lanes})") for place, row in enumerate(rows)], len(rows))


def _node_ticks(axes: Axes, ticks: Sequence[tuple[float, str]], high: int) -> None:
    axes.set_yticks([place for place, _ in ticks], [name for _, name in ticks])
    axes.set_ylim(high - 0.5, -0.5)
    axes.tick_params(axis="y", length=0)


def _span(numbers: TimelineNumbers) -> tuple[float, float]:
    spells = [bar.spell for row in numbers.rows for bar in row.bars]
    first, last = min(one.start for one in spells), max(one.end for one in spells)
    return first, last if last > first else first + 1.0


def mean_at_work(spells: Sequence[Spell], weights: Sequence[float], edges: np.ndarray) -> np.ndarray:
    """The mean between times of what adds up while attempts run."""
    times = np.array([[one.start for one in spells], [one.end for one in spells]])
    changes = np.array([weights, [-one for one in weights]])
    order = np.argsort(times, axis=None, kind="stable")
    when, level = times.ravel()[order], np.cumsum(changes.ravel()[order])
    done = np.concatenate([[0.0], np.cumsum(level[:-1] * np.diff(when))])
    return np.diff(np.interp(edges, when, done)) / np.diff(edges)


def _draw_queue(axes: Axes, numbers: TimelineNumbers) -> None:
    from matplotlib.ticker import MaxNLocator

    times = places(numbers.queue.times)
    axes.step(times, numbers.queue.running, where="post", color="#0072B2", label="running")
    if numbers.queue.waiting is not None:
        axes.step(times, numbers.queue.waiting, where="post", color="#D55E00", linestyle="--", label="waiting")
    axes.set_ylabel("indices")
    axes.set_ylim(bottom=0)
    axes.yaxis.set_major_locator(MaxNLocator(nbins=3, integer=True))
    axes.legend(loc="lower right", bbox_to_anchor=(1.0, 1.0), borderaxespad=0.1, fontsize="small", ncols=2)
