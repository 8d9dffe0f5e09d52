"""When array jobs begin, in the rows of a table: one line for each wave, and few where there are many."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sciflow.model.plan import ArrayJob, Wave

_MOST = 6  # waves of an array job that have lines of their own; of more, the first ones and the last


def begins(array: ArrayJob) -> str:
    """When an array job begins, in a few words."""
    return f"{len(array.waves)} waves, {shown(array.begin)}" if array.waves else shown(array.begin)


def shown(begin: datetime | None) -> str:
    """A start time for people."""
    return begin.isoformat(sep=" ", timespec="minutes") if begin else "at once"


def wave_rows(array: ArrayJob) -> Iterator[tuple[str, str, str]]:
    """Which elements each wave of an array job has, how many these are, and when they begin; nothing without waves."""
    waves = array.waves
    few = waves if len(waves) <= _MOST else waves[: _MOST - 2]
    yield from (_row([wave], shown(wave.begin)) for wave in few)
    if left := waves[len(few) : -1]:
        yield _row(left, f"in {len(left)} more waves")
        yield _row(waves[-1:], shown(waves[-1].begin))


def _row(waves: Sequence[Wave], begins: str) -> tuple[str, str, str]:
    first, last = waves[0].first, waves[-1].first + waves[-1].count - 1
    return f"{first}-{last}" if last > first else f"{first}", f"{last - first + 1}", begins
