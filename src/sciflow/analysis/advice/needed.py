"""What the instances of a task have needed of memory and time, and of which only the least is known.

An instance that was stopped at a limit tells no more than that it needs at least that much: it is *censored*, in the
word of statistics. Without it, what is said of a task would be said by survivors only.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sciflow.analysis.attempts import Tried, attempts_of
from sciflow.analysis.table import RunTable
from sciflow.model.state import State

Floats = NDArray[np.float64]
OWN = 16 * 1024**2  # bytes that sciflow itself holds beside the program
OWN_SECONDS = 1  # that starting it and writing its record take at most, beside what it runs
# What ended these says nothing of the program: it would have gone on.
_STOPPED = frozenset(
    (State.TIMEOUT, State.OUT_OF_MEMORY, State.NODE_FAIL, State.PREEMPTED, State.CANCELLED, State.RUNNING)
)
DONE = frozenset((State.COMPLETED, State.CRITERIA_NOT_MET))


@dataclass(frozen=True)
class Measured:
    """One quantity of the instances of a task of which something is known.

    Attributes
    ----------
    rows
        Which instances, by their place in the task.
    values
        How much each has needed.
    is_least
        Whether it needed at least that much, and nobody knows how much more.
    """

    rows: NDArray[np.int64]
    values: Floats
    is_least: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.values)

    @property
    def known(self) -> int:
        """Of how many it is known how much they needed."""
        return int((~self.is_least).sum())


@dataclass(frozen=True)
class Needs:
    """What is known of the instances of a task.

    Attributes
    ----------
    count
        How many instances the task has.
    states
        State → how many of them.
    parameters
        Parameter on which the task depends → its value in each instance.
    memory, seconds
        The most bytes at a time; how long each ran, from its first start to its end where it went on from checkpoints.
    tried
        All attempts.
    """

    task: str
    count: int
    states: dict[State, int]
    parameters: dict[str, list[Any]]
    memory: Measured
    seconds: Measured
    tried: Sequence[Tried] = field(repr=False)

    @property
    def completed(self) -> int:
        """How many instances are completed."""
        return self.states.get(State.COMPLETED, 0)


def needs_of(results: RunTable) -> dict[str, Needs]:
    """Task → what is known of its instances."""
    table, depends = results.tables.instances, results.tables.facts.get("task_parameters", {})
    places: dict[str, list[tuple[str, int]]] = {}
    states: dict[str, list[State]] = {}
    rows: dict[str, list[int]] = {}
    columns = [table[name] for name in ("task", "array", "index", "state")] if table.count else [[], [], [], []]
    for row, (task, array, index, state) in enumerate(zip(*columns, strict=True)):
        places.setdefault(task, []).append((array, index))
        states.setdefault(task, []).append(State(state))
        rows.setdefault(task, []).append(row)
    found = {}
    for task, tried in attempts_of(results).items():
        own = [(name, f"parameters.{name}") for name in depends.get(task, ())]
        parameters = {
            name: [table[column][row] for row in rows.get(task, ())] for name, column in own if column in table
        }
        found[task] = _needs(task, places.get(task, []), states.get(task, []), parameters, tried)
    return found


def _needs(
    task: str,
    places: list[tuple[str, int]],
    states: list[State],
    parameters: dict[str, list[Any]],
    tried: Sequence[Tried],
) -> Needs:
    row_of = {place: row for row, place in enumerate(places)}
    memory: list[tuple[int, float, bool]] = []
    seconds: list[tuple[int, float, bool]] = []
    for place, group in groupby(tried, key=lambda one: (one.array, one.index)):
        row, attempts = row_of[place], list(group)
        value, is_least = _memory(attempts)
        if value > 0:
            memory.append((row, value, is_least))
        value, is_least = _seconds(attempts)
        if value > 0:
            seconds.append((row, value, is_least))
    counts = {state: states.count(state) for state in dict.fromkeys(states)}
    return Needs(task, len(places), counts, parameters, _measured(memory), _measured(seconds), tried)


def _measured(found: list[tuple[int, float, bool]]) -> Measured:
    rows, values, least = zip(*found, strict=True) if found else ((), (), ())
    return Measured(np.array(rows, dtype=np.int64), np.array(values, dtype=float), np.array(least, dtype=bool))


def _memory(attempts: Sequence[Tried]) -> tuple[float, bool]:
    """The most memory that an instance needed, and whether that is only the least; 0 for nothing known."""
    done = [_held(one) for one in attempts if one.state in DONE and one.memory > 0]
    least = [
        max(_held(one), one.held.memory if one.state is State.OUT_OF_MEMORY else 0.0)
        for one in attempts
        if one.state in _STOPPED
    ]
    if done:
        # What once did not suffice was needed once; with `goes_on` several attempts share the work.
        return max(done[-1], *least, 0.0), False
    return max(least, default=0.0), True


def _held(one: Tried) -> float:
    """What counts against a limit: with what sciflow itself holds, where that is not measured with it."""
    return one.memory if one.is_of_job or not one.memory else one.memory + OWN


def _seconds(attempts: Sequence[Tried]) -> tuple[float, bool]:
    """How long an instance took, as `_memory`: with what it had done before it went on from a checkpoint."""
    longest, ran = 0.0, 0.0
    for one in attempts:
        ran = (ran if one.goes_on else 0.0) + one.seconds
        if one.state in DONE:
            return (ran, False) if ran > 0 else (0.0, True)
        if one.state in _STOPPED:
            more = max(0.0, one.given.seconds - one.seconds) if one.state is State.TIMEOUT else 0.0
            longest = max(longest, ran + more)
    return longest, True
