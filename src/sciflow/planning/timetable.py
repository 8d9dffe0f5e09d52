"""When the array jobs of a plan begin."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timezone, tzinfo
from itertools import groupby

from sciflow.errors import DeadlineError
from sciflow.model.plan import ArrayJob, Plan, Wave
from sciflow.model.policy import Policies
from sciflow.model.profile import ClusterProfile
from sciflow.planning.calendar import deadline, zone_of
from sciflow.planning.calendar_remarks import calendar_warnings, tariff_warnings
from sciflow.planning.deadlines import full_minute
from sciflow.planning.earliest import Earliest
from sciflow.planning.placing import Placed, Placer
from sciflow.planning.wave_remarks import wave_notes, wave_warnings
from sciflow.planning.zones import zone_notes


@dataclass(frozen=True)
class Timetable:
    """Array jobs with their start times, and what is to be said of these."""

    arrays: tuple[ArrayJob, ...]
    warnings: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def timetable(
    arrays: Sequence[ArrayJob],
    policies: Policies,
    profile: ClusterProfile,
    now: datetime,
    canaries: int = 0,
    is_late: bool = False,
) -> Timetable:
    """Give array jobs their start times, and cut those into waves that are longer than a window of preferred hours.

    Parameters
    ----------
    arrays
        In running order.
    policies, profile
        When the user wants them to run, and where they do.
    now
        The present moment.
    canaries
        How many elements of each array job run ahead of the others.
    is_late
        Whether a deadline that cannot be met is no error: what has begun goes on.

    Raises
    ------
    DeadlineError
        Where a deadline cannot be met.
    PlanError
        Where a calendar or tariff leaves no time.
    """
    if not profile.keeps_start_times:
        return Timetable(tuple(arrays))
    now = now.astimezone(timezone.utc)
    placer = Placer(arrays, policies, profile, now, canaries, is_late)
    placed = [placer.place(array) for array in arrays]
    timed = tuple(_timed(one, now, zone_of(policies.of(one.array.task))) for one in placed)
    if not is_late:
        _check_deadlines(timed, placed, policies, profile, now)
    warnings = (*calendar_warnings(policies, now), *tariff_warnings(arrays, policies, now), *wave_warnings(placed))
    return Timetable(timed, warnings, (*wave_notes(placed, policies, profile), *zone_notes(timed, profile)))


def _check_deadlines(
    arrays: Sequence[ArrayJob], placed: Sequence[Placed], policies: Policies, profile: ClusterProfile, now: datetime
) -> None:
    """Refuse deadlines that so few array indices at once cannot meet, even if none waits for preferred hours."""
    bound = {one.array.name for one in placed if one.is_bound}
    at_once = tuple(replace(one, begin=None, waves=()) if one.name in bound else one for one in arrays)
    earliest = Earliest(Plan("", profile.name, 0, at_once), profile, now)
    spans = {array.name: earliest.of([array.name]).end for array in arrays}
    ends = {array.name: end for array in arrays if (end := deadline(policies.of(array.task))) and spans[array.name]}
    for end in sorted(set(ends.values())):
        # What shares nodes with what is due as early or earlier is not done before all that work could be.
        due = [array for array in arrays if array.name in ends and ends[array.name] <= end]
        late = [array for array in due if (possible := spans[array.name]) and possible > end] or due
        possible = earliest.of(array.name for array in late).end
        if possible is not None and possible > end:
            tasks = list(dict.fromkeys(f"`{array.task}`" for array in late))
            whose = f"task {tasks[0]} cannot meet its" if len(tasks) == 1 else f"{', '.join(tasks)} cannot meet their"
            raise DeadlineError(
                f"{whose} deadline {_shown(end, end.tzinfo)}: as few array indices as run at once, the earliest "
                f"possible end is {_shown(full_minute(possible), end.tzinfo)}",
                hint="ask for less walltime, let more run at once, or set a deadline after that",
            )


def _shown(moment: datetime, zone: tzinfo | None) -> str:
    return moment.astimezone(zone).isoformat(sep=" ", timespec="minutes")


def _timed(placed: Placed, now: datetime, zone: tzinfo | None) -> ArrayJob:
    """An array job with its start times, in a time zone."""

    def moment(seconds: float) -> datetime | None:
        if seconds <= now.timestamp():
            return None
        return datetime.fromtimestamp(int(seconds), timezone.utc).astimezone(zone)

    waves = []
    for begin, together in groupby(placed.pieces, key=lambda piece: piece.begin):
        pieces = list(together)
        waves.append(Wave(pieces[0].first, sum(piece.count for piece in pieces), moment(begin)))
    begin = waves[0].begin if placed.ahead is None else moment(placed.ahead.begin)
    is_one = len(waves) == 1 and waves[0].begin == begin
    return replace(placed.array, begin=begin, waves=() if is_one else tuple(waves))
