"""When the array jobs of a plan begin and end at the earliest: a bound by what waits for what, and by what there is.

What a queue does to that nobody knows; who wants to see how array jobs share the nodes plays the plan with
`sciflow.simulation`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from sciflow.model.cost import Cost
from sciflow.model.plan import ArrayJob, Plan
from sciflow.model.profile import Capacity, ClusterProfile
from sciflow.model.resources import GIB, Resources
from sciflow.planning.pace import Pace, standing

_HOUR = 3600.0
_Turns = dict[tuple[object, ...], NDArray[np.float64]]


@dataclass(frozen=True)
class Span:
    """From when to when; None for what is not known, since something before it asks for no runtime."""

    start: datetime | None
    end: datetime | None

    def to_document(self) -> dict[str, str | None]:
        """Both as JSON has them."""
        return {
            "start": self.start.isoformat(timespec="seconds") if self.start else None,
            "end": self.end.isoformat(timespec="seconds") if self.end else None,
        }


@dataclass(frozen=True)
class _Bounds:
    """Seconds from now: when the first element begins and ends, and when the last one ends."""

    start: float | None = None
    first_end: float | None = None
    end: float | None = None


class Earliest:
    """When array jobs begin and end at the earliest, if all take as long as they ask for.

    Nothing ends before what it waits for and then itself has run, as many elements side by side as the profile allows;
    nor before all that work, its own and that of all it waits for, could have been done on all cores, or GPUs, that the
    profile tells of.

    Parameters
    ----------
    plan, profile
        What runs, and where.
    now
        The moment of the submission.
    canaries
        How many elements of each array job run ahead of the others.
    """

    def __init__(self, plan: Plan, profile: ClusterProfile, now: datetime, canaries: int = 0) -> None:
        self.now = now
        self._pace, self._canaries = Pace.of(profile), canaries
        self._numbers = {array.name: number for number, array in enumerate(plan.arrays)}
        self._shares = _shares(plan, profile)
        is_free = (
            profile.has_queue
            and profile.limits.running_indices is None
            and not profile.manners.throttles
            and not canaries
        )
        turns: _Turns = {}  # alike, in the order of submission → the hours of all so far
        count = len(plan.arrays)
        self._needs = np.zeros((count, count), dtype=bool)  # array job → itself, and all that must end before it does
        self._bounds: list[_Bounds] = []
        self._origins: list[float] = []  # when the first of these begins
        for number, array in enumerate(plan.arrays):
            before = [self._numbers[one.array] for one in array.after]
            self._needs[number] = self._needs[before].any(axis=0)
            found = self._begun(array, before, at_once(array.submitted_first.resources, array, profile))
            if is_free and found.end is not None:
                found = replace(found, end=max(found.end, self._in_turn(number, array, found, turns)))
            self._needs[number, number] = True
            self._origins.append(min((self._origins[one] for one in before), default=found.start or 0.0))
            self._bounds.append(found)

    def of(self, names: Iterable[str]) -> Span:
        """From when to when some array jobs run, all together."""
        chosen = [self._numbers[name] for name in names]
        starts = [one for number in chosen if (one := self._bounds[number].start) is not None]
        ends = [one for number in chosen if (one := self._bounds[number].end) is not None]
        end = max(*ends, self._worked(chosen)) if ends and len(ends) == len(chosen) else None
        return Span(self._moment(min(starts, default=None)), self._moment(end))

    def _moment(self, seconds: float | None) -> datetime | None:
        return None if seconds is None else self.now + timedelta(seconds=seconds)

    def _worked(self, chosen: Sequence[int]) -> float:
        """When the work of array jobs, and of all that they wait for, is done at the earliest on all that there is."""
        if not chosen:
            return 0.0
        needed = self._needs[chosen].any(axis=0)
        hours = float((self._shares @ needed).max(initial=0.0))
        return min(self._origins[one] for one in chosen) + hours * _HOUR

    def _begun(self, array: ArrayJob, before: Sequence[int], side_by_side: int | None) -> _Bounds:
        """The bounds of an array job by those that it waits for."""
        start, end, whole = 0.0, 0.0, []
        for number, one in zip(before, array.after, strict=True):
            earlier = self._bounds[number]
            ready = earlier.first_end if one.kind == "element" else earlier.end
            if ready is None or earlier.end is None:
                return _Bounds()
            start, end = max(start, ready), max(end, earlier.end)
            whole += [number] if one.kind == "whole" else []
        start = max(start, self._worked(whole))
        seconds = float(array.resources.runtime_seconds * array.links)
        waves = [(wave.begin, wave.count) for wave in array.waves] or [(array.begin, array.elements)]
        begins = [max(start, (begin - self.now).total_seconds()) if begin else start for begin, _ in waves]
        start = min(begins)
        if not seconds:
            return _Bounds(start)
        end, left = end + seconds, 0
        for begin, (_, count) in zip(reversed(begins), reversed(waves), strict=True):
            left += count  # all that begins then or later
            end = max(end, self._ended(begin, left, seconds, side_by_side))
        if 0 < 2 * self._canaries < array.elements:  # they run alone, and the others after that
            ahead = self._ended(start, self._canaries, seconds, side_by_side)
            end = max(end, self._ended(ahead, array.elements - self._canaries, seconds, side_by_side))
        return _Bounds(start, start + seconds, end)

    def _in_turn(self, number: int, array: ArrayJob, found: _Bounds, turns: _Turns) -> float:
        """When there was room for an array job and all before it that are alike, where nothing but nodes is short."""
        if array.waves or any(one.kind == "element" for one in array.after):
            return 0.0
        hours = self._shares[:, number]
        alike = array.task, array.submitted_first.resources, array.links, repr(array.options), found.start
        turns[alike] = turns.get(alike, np.zeros_like(hours)) + hours
        return (found.start or 0.0) + float(turns[alike].max(initial=0.0)) * _HOUR

    def _ended(self, begin: float, count: int, seconds: float, side_by_side: int | None) -> float:
        """When so many elements have ended that begin at one time, as many of them at once as may."""
        if self._pace is None:
            return begin + seconds * -(-count // (side_by_side or count))
        now = self.now.timestamp()
        return self._pace.end(now + begin, count, seconds, side_by_side) - now


def at_once(resources: Resources, array: ArrayJob, profile: ClusterProfile) -> int | None:
    """How many elements of an array job run side by side at most; None where the profile sets no bound."""
    bounds = [profile.limits.running_indices] if profile.has_queue and profile.limits.running_indices else []
    place = capacity_of(array, profile)
    on_a_node = list(_on_a_node(resources, place))
    if place.nodes and on_a_node:
        bounds.append(max(1, place.nodes * min(on_a_node) // resources.nodes))
    if profile.has_queue:
        bounds += standing(profile.manners, resources, place)
    return min(bounds, default=None)


def capacity_of(array: ArrayJob, profile: ClusterProfile) -> Capacity:
    """What a node has where an array job goes, and how many there are, as far as the profile tells."""
    if not profile.has_queue:
        return profile.capacity.model_copy(update={"nodes": 1})
    named = (array.options.partition or profile.default_partition).split(",")
    place = next((profile.partitions[name] for name in named if name in profile.partitions), Capacity())
    given = {name: getattr(place, name) for name in Capacity.model_fields if getattr(place, name) is not None}
    return profile.capacity.model_copy(update=given)


def _on_a_node(resources: Resources, node: Capacity) -> Iterator[int]:
    processes = -(-max(1, resources.mpi_tasks) // resources.nodes)
    if node.cpu_cores:
        yield node.cpu_cores // (resources.cpu_cores * processes)
    if node.memory_gb and resources.memory_bytes:
        yield int(node.memory_gb * GIB) // resources.memory_per_node
    if node.gpus and resources.gpus:
        yield node.gpus // resources.gpus_per_node


def _shares(plan: Plan, profile: ClusterProfile) -> NDArray[np.float64]:
    """For each kind of thing that there is somewhere: how many hours each array job would use up all of it."""
    places = [capacity_of(array, profile) for array in plan.arrays]
    rows = []
    for place in dict.fromkeys(one for one in places if one.nodes):
        mine = [array.cost if place == there else Cost() for array, there in zip(plan.arrays, places, strict=True)]
        assert place.nodes is not None
        if place.cpu_cores:
            rows.append([one.core_hours / (place.nodes * place.cpu_cores) for one in mine])
        if place.gpus:
            rows.append([one.gpu_hours / (place.nodes * place.gpus) for one in mine])
    return np.array(rows, dtype=np.float64).reshape(len(rows), len(plan.arrays))
