"""What a plan came to that was played: when it was done, what waited for what, and how well the nodes were used."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any

import numpy as np

from sciflow.model.plan import ArrayJob
from sciflow.planning.spans import Span
from sciflow.simulation.play import Course, Played, Times

_HOUR = 3600.0
FREE_NODES, QUEUE, START_TIME, CANARIES, THROTTLE = (
    "free nodes",
    "room in the queue",
    "its start time",
    "those that run ahead",
    "its own limit",
)


@dataclass(frozen=True)
class Part:
    """What became of an array job, or of all those of a task.

    Attributes
    ----------
    name, task, indices
        Its name, its task, and how many indices the scheduler sees.
    start, end
        The first start and the last end, in seconds since the epoch.
    at_once
        The most that ran at once.
    waits
        What its indices waited for → how many seconds on average, the longest first; of a chain, its first link.
    """

    name: str
    task: str
    indices: int
    start: float
    end: float
    at_once: int
    waits: Mapping[str, float]


@dataclass(frozen=True)
class Outcome:
    """What a plan came to; times in seconds since the epoch.

    Attributes
    ----------
    arrays, tasks
        What became of each array job, and of each task.
    now, start, end
        When it was submitted, its first start, and its last end.
    soonest
        No schedule on these nodes ends before: what is longest one after another, or all of it without any gap.
    core_hours, available
        Core-hours that ran, and those that there were from the first start to the end.
    gpu_hours, gpus_available
        The same of GPUs.
    at_once, cores_at_once
        The most indices and cores that ran at once.
    starts
        How many times the scheduler started something.
    off_peak
        Which part of the core-hours ran in the hours that the schedule prefers; None where it prefers none.
    """

    arrays: tuple[Part, ...]
    tasks: tuple[Part, ...]
    now: float
    start: float
    end: float
    soonest: float
    core_hours: float
    available: float
    gpu_hours: float
    gpus_available: float
    at_once: int
    cores_at_once: int
    starts: int
    off_peak: float | None = None

    @property
    def seconds(self) -> float:
        """How long it takes from now."""
        return self.end - self.now

    @property
    def used(self) -> float:
        """Which part of the cores was used from the first start to the end."""
        return self.core_hours / self.available if self.available else 0.0

    @property
    def packing(self) -> float:
        """How near it comes to the best that there could be, from the first start: 1 is perfect."""
        took = self.end - self.start
        return (self.soonest - self.start) / took if took else 1.0

    def to_document(self) -> dict[str, Any]:
        """The outcome as JSON has it."""
        document = asdict(self)
        return {**document, "seconds": self.seconds, "used": self.used, "packing": self.packing}


def outcome_of(played: Played, windows: tuple[Span, ...] | None = None) -> Outcome:
    """What a plan came to.

    Parameters
    ----------
    played
        How it went.
    windows
        The hours that its schedule prefers; None where it prefers none.
    """
    figures = _Figures(played)
    cores = sum(kind.count * kind.cores for kind in played.kinds)
    start, end = float(figures.start.min()), float(figures.end.max())
    gpus = sum(kind.count * kind.gpus for kind in played.kinds)
    took = figures.end - figures.start
    busy = float((took * figures.cores).sum())
    off_peak = None
    if windows is not None:
        inside = sum(float((figures.within(one) * figures.cores).sum()) for one in windows)
        off_peak = inside / busy if busy else 1.0
    return Outcome(
        arrays=tuple(_part(array.name, [array], played) for array in played.plan.arrays),
        tasks=tuple(
            _part(task, [array for array in played.plan.arrays if array.task == task], played)
            for task in played.plan.tasks
        ),
        now=played.now,
        start=start,
        end=end,
        soonest=max(_longest_chain(played), start + _without_gaps(played, figures)),
        core_hours=busy / _HOUR,
        available=cores * (end - start) / _HOUR,
        gpu_hours=float((took * figures.gpus).sum()) / _HOUR,
        gpus_available=gpus * (end - start) / _HOUR,
        at_once=most_at_once(figures.start, figures.end),
        cores_at_once=most_at_once(figures.start, figures.end, figures.cores),
        starts=len(figures.start),
        off_peak=off_peak,
    )


class _Figures:
    """All that ran, of all array jobs."""

    def __init__(self, played: Played) -> None:
        courses = [(array, course) for array in played.plan.arrays for course in played.courses[array.name]]
        self.start = np.concatenate([course.start for _, course in courses])
        self.end = np.concatenate([course.end for _, course in courses])
        lengths = [len(course.start) for _, course in courses]
        self._each = [(array.resources, length) for (array, _), length in zip(courses, lengths, strict=True)]

    @cached_property
    def cores(self) -> Times:
        return self._of("all_cores")

    @cached_property
    def memory(self) -> Times:
        return self._of("memory_bytes")

    @cached_property
    def gpus(self) -> Times:
        return self._of("gpus")

    def within(self, window: Span) -> Times:
        """Seconds of each that lie within a window."""
        first, last = (moment.timestamp() for moment in window)
        return np.clip(np.minimum(self.end, last) - np.maximum(self.start, first), 0.0, None)

    def _of(self, name: str) -> Times:
        return np.repeat([float(getattr(one, name)) for one, _ in self._each], [length for _, length in self._each])


def most_at_once(start: Times, end: Times, weight: Times | None = None) -> int:
    """The most that runs at once, of all that takes any time; one that starts as another ends may take its place."""
    weight = np.ones(len(start)) if weight is None else weight
    takes_time = end > start
    is_timed = bool(takes_time.any())
    if is_timed:
        start, end, weight = start[takes_time], end[takes_time], weight[takes_time]
    is_start = np.repeat(np.array([is_timed, False]), len(start))  # what ends does so first, if it takes any time
    steps = np.concatenate([weight, -weight])
    return int(np.cumsum(steps[np.lexsort((is_start, np.concatenate([start, end])))]).max())


def _without_gaps(played: Played, figures: _Figures) -> float:
    """Seconds that all of it takes at least, if no core, byte or GPU is ever free."""
    kinds, took = played.kinds, figures.end - figures.start
    wanted = [(figures.cores, sum(kind.count * kind.cores for kind in kinds))]
    if all(kind.memory for kind in kinds):
        wanted.append((figures.memory, sum(kind.count * kind.memory for kind in kinds)))
    wanted.append((figures.gpus, sum(kind.count * kind.gpus for kind in kinds)))
    return max(float((took * amount).sum()) / there for amount, there in wanted if there)


def _longest_chain(played: Played) -> float:
    """When the last index would end if there were nodes enough, and all were submitted at once."""
    ends: dict[str, Times] = {}
    for array in played.plan.arrays:
        courses = played.courses[array.name]
        end = np.full(array.elements, played.now)
        begins = [array.begin_of(element) for element in range(array.elements)]
        end = np.maximum(end, [begin.timestamp() if begin else played.now for begin in begins])
        for one in array.after:
            end = np.maximum(end, ends[one.array] if one.kind == "element" else ends[one.array].max())
        for course in courses:
            end = end + (course.end - course.start)
        ends[array.name] = end
    return max(float(end.max()) for end in ends.values())


def _part(name: str, arrays: Sequence[ArrayJob], played: Played) -> Part:
    courses = [course for array in arrays for course in played.courses[array.name]]
    start, end = (np.concatenate([getattr(one, name) for one in courses]) for name in ("start", "end"))
    indices = sum(array.elements for array in arrays)
    waits: dict[str, float] = {}
    for array in arrays:
        for what, seconds in _waits(array, played):
            waits[what] = waits.get(what, 0.0) + seconds * array.elements / indices
    longest_first = sorted((what for what in waits if waits[what] > 0), key=lambda what: -waits[what])
    return Part(
        name=name,
        task=arrays[0].task,
        indices=indices,
        start=float(start.min()),
        end=float(end.max()),
        at_once=most_at_once(start, end),
        waits={what: waits[what] for what in longest_first},
    )


def _waits(array: ArrayJob, played: Played) -> Iterator[tuple[str, float]]:
    """What the indices of an array job waited for one thing after the other, and how many seconds on average."""
    course = played.courses[array.name][0]
    ready = np.maximum(course.submitted, course.begin)
    yield QUEUE, float((course.submitted - played.now).mean())
    yield START_TIME, float((ready - course.submitted).mean())
    for name, gate in sorted(_gates(array, played, course).items(), key=lambda one: float(one[1].mean())):
        later = np.maximum(ready, gate)
        yield name, float((later - ready).mean())
        ready = later
    limit = played.terms.limits.running_indices
    is_full = limit is not None and most_at_once(course.start, course.end) == limit
    yield THROTTLE if is_full else FREE_NODES, float((course.start - ready).mean())


def _gates(array: ArrayJob, played: Played, course: Course) -> dict[str, Times]:
    """What must have ended before, and when it had, for each index; of a task with several array jobs, all of them."""
    found: dict[str, Times] = {}
    tasks = Counter(one.task for one in played.plan.arrays)
    for one in array.after:
        task, end = played.plan.array(one.array).task, played.courses[one.array][-1].end
        name = one.array if tasks[task] == 1 else task
        gate = end if one.kind == "element" else np.full(array.elements, end.max())
        found[name] = np.maximum(found[name], gate) if name in found else gate
    if course.is_ahead.any():
        found[CANARIES] = np.where(course.is_ahead, 0.0, course.end[course.is_ahead].max())
    return found
