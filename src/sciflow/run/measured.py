"""What was measured of instances, and of those that are near to one in the space of parameters."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from sciflow.model.plan import Plan
from sciflow.model.state import State
from sciflow.run.instances import lines_of
from sciflow.run.status import RunStatus
from sciflow.store.layout import RunDirectory
from sciflow.store.records import members_of, open_record

Quantity = Literal["memory", "seconds"]
MEMORY: Quantity = "memory"
SECONDS: Quantity = "seconds"
_TRIED = 4  # records that are opened at most for each that is wanted; some say nothing


@dataclass(frozen=True)
class Measurement:
    """What the record of one attempt says that it has used; 0 for what it does not say.

    Attributes
    ----------
    memory
        The most bytes at a time: of its processes, or of all of its job where the kernel counts that.
    limit
        The bytes that it could have.
    seconds
        How long it ran, as far as its record goes.
    """

    memory: int = 0
    limit: int = 0
    seconds: float = 0.0


class Measured:
    """What the records of a run say of memory and time; few are read, each once.

    Parameters
    ----------
    run, plan, status
        The run, what it does, and what is known of it.
    """

    def __init__(self, run: RunDirectory, plan: Plan, status: RunStatus) -> None:
        self._run = run
        self._plan = plan
        self._status = status
        self._spaces: dict[str, _Space] = {}
        self._records: dict[str, dict[int, Measurement]] = {}

    def own(self, array: str, index: int) -> Measurement:
        """What the last record of an index says; nothing where there is none that can be read."""
        known = self._status.indices[array][index]
        job = self._plan.array(array)
        element = job.element(index) if known.attempt else index  # what was taken over has a file of its own
        path = known.path or str(self._run.record(array, element, known.attempt))
        if path not in self._records:
            self._records[path] = _read(path, element)
        return self._records[path].get(index, Measurement())

    def neighbours(self, array: str, index: int, quantity: Quantity, count: int = 8) -> list[float]:
        """What the nearest completed instances of the same task have used, the nearest first.

        Along an axis of numbers two instances are as far apart as their places in its order, from 0 to 1; along any
        other they are at the same place, or 1 apart.
        """
        task = self._plan.array(array).task
        if task not in self._spaces:
            self._spaces[task] = _Space(self._run, self._status, task)
        found: list[float] = []
        for place in self._spaces[task].nearest((array, index), count * _TRIED):
            used = self._used(*place, quantity)
            if used > 0:
                found.append(used)
            if len(found) == count:
                break
        return found

    def _used(self, array: str, index: int, quantity: Quantity) -> float:
        if quantity == SECONDS:  # the status knows that, and no record need be read
            return self._status.indices[array][index].seconds
        return self.own(array, index).memory


class _Space:
    """Where the instances of a task are in the space of parameters, and which of them are completed."""

    def __init__(self, run: RunDirectory, status: RunStatus, task: str) -> None:
        places: list[tuple[str, int]] = []
        points: list[dict[str, Any]] = []
        for array in status.arrays(task):
            for index, line in lines_of(run, array):
                places.append((array.name, index))
                points.append(line["parameters"])
        self._rows = {place: row for row, place in enumerate(places)}
        names = list(points[0]) if points else []
        columns = [_coordinates([point.get(name) for point in points]) for name in names]
        self._numbers = _stacked([values for values, is_number in columns if is_number], len(points))
        self._others = _stacked([values for values, is_number in columns if not is_number], len(points))
        completed = [status.indices[array][index].state is State.COMPLETED for array, index in places]
        self._completed = np.flatnonzero(np.array(completed, dtype=bool))
        self._places = places

    def nearest(self, place: tuple[str, int], count: int) -> list[tuple[str, int]]:
        """The completed instances that are nearest to one, without itself; of equals the first in the plan."""
        row = self._rows[place]
        rows = self._completed[self._completed != row]
        distances = np.abs(self._numbers[rows] - self._numbers[row]).sum(axis=1)
        distances += (self._others[rows] != self._others[row]).sum(axis=1)
        if len(rows) > count:
            furthest = np.partition(distances, count - 1)[count - 1]
            near = distances <= furthest
            rows, distances = rows[near], distances[near]
        order = np.argsort(distances, kind="stable")[:count]
        return [self._places[i] for i in rows[order]]


def _coordinates(values: list[Any]) -> tuple[NDArray[np.float64], bool]:
    """Where values are along their axis, and whether it is one of numbers."""
    if all(isinstance(one, int | float) and not isinstance(one, bool) and not math.isnan(one) for one in values):
        _, ranks = np.unique(np.array(values, dtype=np.float64), return_inverse=True)
        return ranks / max(1, ranks.max(initial=0)), True
    codes: dict[str, int] = {}
    return np.array([codes.setdefault(repr(one), len(codes)) for one in values], dtype=np.float64), False


def _stacked(columns: list[NDArray[np.float64]], count: int) -> NDArray[np.float64]:
    return np.stack(columns, axis=1) if columns else np.zeros((count, 0))


def _read(path: str, element: int) -> dict[int, Measurement]:
    """Index → what was measured, of all that a record tells of; nothing of one that is torn or not there."""
    try:
        root = open_record(path)
        job = root["resources"].attributes
        found = {}
        for index, facts, group in members_of(root, element):
            used = group["resources"].attributes
            seconds = facts["end"] - facts["start"]
            found[index] = Measurement(
                max(used.get("peak_rss_bytes", 0), job.get("cgroup_peak_bytes", 0)),
                job.get("memory_limit_bytes", 0),
                used.get("wall_seconds", 0.0) if math.isnan(seconds) else max(0.0, seconds),
            )
    except (ValueError, KeyError, OSError):
        return {}
    return found
