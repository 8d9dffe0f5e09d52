"""When the array jobs of a plan begin."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sciflow.model.plan import ArrayJob
from sciflow.model.policy import Policies, SchedulingPolicy
from sciflow.model.profile import ClusterProfile
from sciflow.planning.calendar_remarks import calendar_warnings, refuse, tariff_warnings
from sciflow.planning.deadlines import latest_starts
from sciflow.planning.start import Start, start_of
from sciflow.planning.zones import zone_notes


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

    Raises
    ------
    PlanError
        Where a deadline cannot be met, or a calendar or tariff leaves no time.
    """
    if not profile.keeps_start_times:
        return Timetable(tuple(arrays))
    latest = latest_starts(arrays, policies, now)
    starts = [_start(array, policies.of(array.task), now, latest.get(array.name)) for array in arrays]
    timed = tuple(replace(array, begin=start.begin) for array, start in zip(arrays, starts, strict=True))
    warnings = (*calendar_warnings(policies, now), *tariff_warnings(arrays, policies, now))
    return Timetable(timed, warnings, (*_notes(timed, starts), *zone_notes(timed, profile)))


def _start(array: ArrayJob, policy: SchedulingPolicy, now: datetime, latest: datetime | None) -> Start:
    start = start_of(policy, now, array.resources.runtime_seconds, array.resources, array.elements, latest)
    refuse(start, policy, array.task)
    return start


def _notes(arrays: Sequence[ArrayJob], starts: Sequence[Start]) -> Iterator[str]:
    """Say where something else than the wish of the policy decided, and of which tasks."""
    tasks: dict[str, dict[str, None]] = {}
    for array, start in zip(arrays, starts, strict=True):
        if start.why:
            tasks.setdefault(start.why, {})[array.task] = None
    for why, named in tasks.items():
        yield f"{', '.join(f'`{task}`' for task in named)}: {why}"
