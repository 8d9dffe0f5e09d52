"""New start times for what is submitted later than it was to begin, and for all that it would meet in its new hours."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timezone
from itertools import groupby

from sciflow.errors import PlanError
from sciflow.model.plan import ArrayJob, Dependency, Plan, Wave, handed_over
from sciflow.model.policy import Policies
from sciflow.model.profile import ClusterProfile
from sciflow.run.parts import missing
from sciflow.run.status import RunStatus

Begin = Callable[[ArrayJob, datetime | None, float], float | None]


@dataclass(frozen=True)
class Overdue:
    """Plans anew what of a run is left, where some of it has missed its time.

    Parameters
    ----------
    profile, policies, canaries
        Where it runs, when it is to, and how many of each array job go ahead.
    begin
        When something may begin by itself; see `Terms.begin`.
    """

    profile: ClusterProfile
    policies: Policies
    canaries: int
    begin: Begin

    def plan(self, status: RunStatus, now: float) -> Plan:
        """The plan with start times that can still be kept; as it is where none was missed.

        A wave that is a day late moves to the next window, and those that were planned for that one move on as well.
        """
        if not self.profile.keeps_start_times or not any(array.begin or array.waves for array in status.plan.arrays):
            return status.plan
        left = {array.name: _never_submitted(status, array) for array in status.plan.arrays}
        if not any(self._is_missed(array, left[array.name], now) for array in status.plan.arrays):
            return status.plan
        from sciflow.planning.timetable import timetable  # a status that finds nothing late does not load it

        stretches = list(_stretches(status.plan, left))
        arrays, moment = [one.array for one in stretches], datetime.fromtimestamp(now, timezone.utc)
        try:
            times = timetable(arrays, self.policies, self.profile, moment, self.canaries)
        except PlanError:
            return status.plan  # too late for a deadline: each begins as soon as it may by itself
        begins: dict[str, dict[int, datetime | None]] = {}
        for stretch, timed in zip(stretches, times.arrays, strict=True):
            found = begins.setdefault(stretch.of, {})
            found.update((element, timed.begin_of(place)) for place, element in enumerate(stretch.elements))
        return replace(
            status.plan,
            arrays=tuple(_moved(one, begins[one.name]) if one.name in begins else one for one in status.plan.arrays),
        )

    def _is_missed(self, array: ArrayJob, elements: list[int], now: float) -> bool:
        """Whether some of it would begin later than it was to."""
        for planned in {array.begin_of(element) for element in elements}:
            if planned is None or planned.timestamp() <= now:
                begin = self.begin(array.submitted_first, planned, now)
                if begin is not None and begin > now:
                    return True
        return False


@dataclass(frozen=True)
class _Stretch:
    """Elements of an array job that wait for the same others, as an array job of their own."""

    of: str
    elements: tuple[int, ...]
    array: ArrayJob


def _never_submitted(status: RunStatus, array: ArrayJob) -> list[int]:
    found = status.submissions
    return [
        element
        for element in missing(status, array)
        if found.round_of(array.name, element) is None and found.due(array.name, element) is None
    ]


def _stretches(plan: Plan, left: dict[str, list[int]]) -> Iterator[_Stretch]:
    """What is left of all array jobs, in running order; each element with those of the others for which it waits."""
    made: dict[str, list[_Stretch]] = {}
    known = {name: set(elements) for name, elements in left.items()}
    for array in handed_over(plan.arrays):
        twins = [one.array for one in array.after if one.kind == "element"]
        groups: dict[tuple[str, ...], list[int]] = {}
        for element in left[array.name]:
            groups.setdefault(tuple(name for name in twins if element in known[name]), []).append(element)
        mine = made.setdefault(array.name, [])
        for waits, elements in sorted(groups.items(), key=lambda item: len(item[0])):
            after: dict[Dependency, None] = {}
            for one in array.after:
                for before in made.get(one.array, ()) if one.kind == "whole" or one.array in waits else ():
                    is_twin = one.kind == "element" and before.elements == tuple(elements)
                    after[Dependency(before.array.name, "element" if is_twin else "whole")] = None
            after |= {Dependency(one.array.name, "whole"): None for one in mine}  # all of it has one throttle
            name, count = f"{array.name} {len(mine)}", len(elements) * array.pack
            mine.append(
                _Stretch(
                    array.name,
                    tuple(elements),
                    replace(array, name=name, count=count, after=tuple(after), begin=None, waves=()),
                )
            )
        yield from mine


def _moved(array: ArrayJob, begins: dict[int, datetime | None]) -> ArrayJob:
    """An array job with other start times; nothing begins before it was planned to.

    They stand in waves, even if there is one only: the script still has the old ones.
    """

    def begin(element: int) -> datetime | None:
        planned, later = array.begin_of(element), begins.get(element)
        return later if planned is None or (later is not None and later > planned) else planned

    waves = []
    for moment, together in groupby(range(array.elements), key=begin):
        elements = list(together)
        waves.append(Wave(elements[0], len(elements), moment))
    return replace(array, begin=begin(min(begins)), waves=tuple(waves))
