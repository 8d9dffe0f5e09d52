"""When the array jobs of a plan begin."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sciflow.model.plan import ArrayJob
from sciflow.model.policy import Policies
from sciflow.model.profile import ClusterProfile
from sciflow.planning.start import Start, start_of


@dataclass(frozen=True)
class Timetable:
    """Array jobs with their start times, and what is to be said of these."""

    arrays: tuple[ArrayJob, ...]
    warnings: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def timetable(arrays: Sequence[ArrayJob], policies: Policies, profile: ClusterProfile, now: datetime) -> Timetable:
    """Give array jobs their start times.

    Parameters
    ----------
    arrays
        In running order.
    policies, profile
        When the user wants them to run, and where they do.
    now
        The present moment.
    """
    if not profile.keeps_start_times:
        return Timetable(tuple(arrays))
    starts = [_start(array, policies, now) for array in arrays]
    timed = tuple(replace(array, begin=start.begin) for array, start in zip(arrays, starts, strict=True))
    return Timetable(timed, notes=tuple(_notes(timed, starts)))


def _start(array: ArrayJob, policies: Policies, now: datetime) -> Start:
    return start_of(policies.of(array.task), now, array.resources.runtime_seconds, array.resources, array.elements)


def _notes(arrays: Sequence[ArrayJob], starts: Sequence[Start]) -> Iterator[str]:
    """Say where something else than the wish of the policy decided, and of which tasks."""
    tasks: dict[str, dict[str, None]] = {}
    for array, start in zip(arrays, starts, strict=True):
        if start.why:
            tasks.setdefault(start.why, {})[array.task] = None
    for why, named in tasks.items():
        yield f"{', '.join(f'`{task}`' for task in named)}: {why}"
