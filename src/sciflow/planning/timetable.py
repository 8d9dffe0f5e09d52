"""When the array jobs of a plan begin."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sciflow.model.plan import ArrayJob
from sciflow.model.policy import Policies
from sciflow.model.profile import ClusterProfile
from sciflow.planning.calendar import begin_time


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
    return Timetable(tuple(replace(array, begin=begin_time(policies.of(array.task), now)) for array in arrays))
