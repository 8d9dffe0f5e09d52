"""When array jobs begin, in the rows of a table: one line for each wave, and few where there are many."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, tzinfo
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sciflow.model.plan import ArrayJob, Plan, Wave

_MOST = 6  # waves of an array job that have lines of their own; of more, the first ones and the last


def begins(array: ArrayJob, has_rows: bool = False) -> str:
    """When an array job begins, in a few words; of one whose waves have rows of their own these tell the rest."""
    if not array.waves:
        return shown(array.begin)
    several = f"{len(array.waves)} wave{'s' * (len(array.waves) > 1)}"
    times = f"canaries, then {several}" if _is_led(array) else f"in {several}"
    return times + ("" if has_rows else f", from {shown(array.begin)} on")


def shown(begin: datetime | None) -> str:
    """A start time for people."""
    return begin.isoformat(sep=" ", timespec="minutes") if begin else "at once"


def zone_of_start_times(plan: Plan) -> tzinfo | None:
    """The zone in which a plan's start times are meant; None where it has none."""
    begun = (begin for array in plan.arrays for begin in (array.begin, *(wave.begin for wave in array.waves)))
    return next((begin.tzinfo for begin in begun if begin), None)


def wave_rows(array: ArrayJob, several: int = 1) -> Iterator[tuple[str, str, str]]:
    """Which elements each wave of one or several array jobs has, how many these are, and when they begin."""
    waves = array.waves
    few = waves if len(waves) <= _MOST else waves[: _MOST - 2]
    if _is_led(array):
        yield "canaries", "", shown(array.begin)
    yield from (_row([wave], shown(wave.begin), several) for wave in few)
    if left := waves[len(few) : -1]:
        yield _row(left, f"in {len(left)} more waves", several)
        yield _row(waves[-1:], shown(waves[-1].begin), several)


def _is_led(array: ArrayJob) -> bool:
    """Whether canaries begin at another time than the first wave."""
    return bool(array.waves) and array.begin != array.waves[0].begin


def _row(waves: Sequence[Wave], begins: str, several: int) -> tuple[str, str, str]:
    first, last = waves[0].first, waves[-1].first + waves[-1].count - 1
    indices = f"{first}-{last}" if last > first else f"{first}"
    return f"{several} × {indices}" if several > 1 else indices, f"{several * (last - first + 1)}", begins
