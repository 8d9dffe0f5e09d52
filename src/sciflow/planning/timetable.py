"""When the array jobs of a plan begin."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timezone, tzinfo
from itertools import groupby

from sciflow.model.plan import ArrayJob, Wave
from sciflow.model.policy import Policies
from sciflow.model.profile import ClusterProfile
from sciflow.planning.calendar import zone_of
from sciflow.planning.placing import Placed, Placer
from sciflow.planning.wave_remarks import wave_notes, wave_warnings


@dataclass(frozen=True)
class Timetable:
    """Array jobs with their start times, and what is to be said of these."""

    arrays: tuple[ArrayJob, ...]
    warnings: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def timetable(
    arrays: Sequence[ArrayJob], policies: Policies, profile: ClusterProfile, now: datetime, canaries: int = 0
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
    """
    if not profile.keeps_start_times:
        return Timetable(tuple(arrays))
    placer = Placer(arrays, policies, profile, now, canaries)
    placed = [placer.place(array) for array in arrays]
    timed = tuple(_timed(one, now, zone_of(policies.of(one.array.task))) for one in placed)
    return Timetable(timed, tuple(wave_warnings(placed)), tuple(wave_notes(placed, policies, profile)))


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
