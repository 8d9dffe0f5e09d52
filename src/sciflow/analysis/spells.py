"""When and where each attempt of a run was at work, how long it had waited, and how it ended."""

from __future__ import annotations

import math
from dataclasses import dataclass

from sciflow.analysis.attempts import attempts_of
from sciflow.analysis.table import RunTable
from sciflow.model.state import State
from sciflow.run.track import read_plan
from sciflow.store.journal import Journal
from sciflow.store.submissions import Submissions


@dataclass(frozen=True)
class Spell:
    """One attempt, as it lies in time.

    Attributes
    ----------
    task, array, index, attempt
        Which it is.
    node
        Where it ran, by the scheduler's name for it, else by its own; empty where its record does not say.
    submitted
        When it was handed to the scheduler, in seconds since the epoch; NaN where nobody kept it in a queue.
    start, end
        When it ran; of one that runs still, or of which the end is not known, the end is that which is known.
    is_open
        Whether the end is not that of a record.
    state
        How it ended.
    cores, cpu_seconds
        The cores that it held, and the CPU time that it used; NaN where that was not measured.
    """

    task: str
    array: str
    index: int
    attempt: int
    node: str
    submitted: float
    start: float
    end: float
    is_open: bool
    state: State
    cores: int
    cpu_seconds: float


def spells_of(results: RunTable, task: str | None = None) -> list[Spell]:
    """The attempts of a run that have left a record, by their start; of one task, or of all."""
    table = results.tables.attempts
    if not table.count:
        return []
    known = {
        (one.array, one.index, one.attempt): (name, one)
        for name, tried in attempts_of(results).items()
        for one in tried
        if task in (None, name)
    }
    handed = _Handed(results)
    found = []
    columns = [table[name] if name in table else [None] * table.count for name in _COLUMNS]
    latest = max(time for name in ("start", "end") if name in table for time in table[name] if _is_time(time))
    for array, index, attempt, start, end, host, node in zip(*columns, strict=True):
        if (array, index, attempt) not in known or not _is_time(start):
            continue
        name, one = known.pop((array, index, attempt))
        is_open = not _is_time(end)
        if is_open:
            end = latest if one.state is State.RUNNING else start + one.seconds
        found.append(
            Spell(
                name,
                array,
                index,
                attempt,
                node or host or "",
                handed.before(array, index, start),
                start,
                max(start, end),
                is_open,
                one.state,
                one.held.cores,
                one.cpu_seconds or math.nan,
            )
        )
    return sorted(found, key=lambda one: (one.start, one.array, one.index, one.attempt))


_COLUMNS = ("array", "index", "attempt", "start", "end", "host", "node")


def _is_time(value: float | None) -> bool:
    return value is not None and math.isfinite(value)


class _Handed:
    """When elements of array jobs were handed to a scheduler."""

    def __init__(self, results: RunTable) -> None:
        submissions = Submissions()
        for event in Journal(results.run.journal).events():
            submissions.hear(event)
        self._plan = read_plan(results.run)
        self._times: dict[tuple[str, int], list[float]] = {}
        for one in submissions.by_name.values():
            for array in (one.array, *one.riders):
                for element in one.indices:
                    self._times.setdefault((array, element), []).append(one.since)

    def before(self, array: str, index: int, start: float) -> float:
        """When an index was handed over last before it started; NaN where it was not."""
        times = self._times.get((array, self._plan.array(array).element(index)), ())
        return max((time for time in times if time <= start), default=math.nan)
