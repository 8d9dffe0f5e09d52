"""Which task instances a crate tells one by one: all of a small run; of a large one samples, and what failed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from sciflow.model.state import State
from sciflow.package.packaged_run import PackagedRun
from sciflow.run.needs import Place, needed
from sciflow.store.columns import Table
from sciflow.store.results import METRICS

MOST = 50  # instances of a task that are all told; of failures, so many in the whole run
MOST_OF_ALL = 100  # instances of the whole run that are told because their task has few
MOST_NEEDS = 10  # records that an instance read, which are told
_PARAMETER = "parameters."


@dataclass(frozen=True)
class Instance:
    """One task instance that was tried, as its last attempt left it.

    Attributes
    ----------
    facts
        What else the table of instances says of it, but for what is not known.
    needs
        Array and index of the first instances whose records it read.
    """

    task: str
    array: str
    index: int
    attempt: int
    state: State
    parameters: Mapping[str, Any]
    metrics: Mapping[str, Any]
    facts: Mapping[str, Any]
    needs: Sequence[Place] = ()

    @property
    def is_success(self) -> bool:
        """Whether its results may be used."""
        return self.state.is_success


@dataclass
class Told:
    """What a crate tells of one task.

    Attributes
    ----------
    instances
        Those that it tells one by one.
    states
        State → how many instances have it.
    parameters
        Those of its first instance, whether that was tried or not.
    """

    instances: list[Instance] = field(default_factory=list)
    states: dict[str, int] = field(default_factory=dict)
    parameters: dict[str, Any] = field(default_factory=dict)


def told_instances(packaged: PackagedRun) -> dict[str, Told]:
    """Task → what is told of it, in running order.

    Only what ended is told: what waits or runs is no action that anybody has done.
    """
    table = packaged.results.tables.instances
    rows = _rows_by_task(packaged, table)
    found = {task: Told() for task in rows}
    chosen: dict[str, list[int]] = {}
    few = _few({task: len(own) for task, own in rows.items()})
    failures = 0
    for task, own in rows.items():
        ended = [row for row in own if _has_ended(table, row)]
        failed = [row for row in ended if State(table["state"][row]).is_failure]
        done = [row for row in ended if State(table["state"][row]).is_success]
        samples = ended if task in few else [*done[:1], *done[-1:]]
        told_failures = failed[: max(0, MOST - failures)]
        failures += len(told_failures)
        chosen[task] = sorted({*samples, *told_failures})
        for row in own:
            state = table["state"][row]
            found[task].states[state] = found[task].states.get(state, 0) + 1
        if own:
            found[task].parameters = _parameters(packaged, table, own[0])
    metrics = _metrics_of(
        packaged, {(table["array"][row], table["index"][row]) for own in chosen.values() for row in own}
    )
    needs = _needs_of(packaged, {(table["array"][row], table["index"][row]) for own in chosen.values() for row in own})
    for task, own in chosen.items():
        found[task].instances = [_instance(packaged, table, row, metrics, needs) for row in own]
    return found


def _few(counts: Mapping[str, int]) -> set[str]:
    """The tasks of which all instances are told: the smallest first, so long as all of them are not many."""
    found, total = set(), 0
    for task, count in sorted(counts.items(), key=lambda item: item[1]):
        total += count
        if count <= MOST and total <= MOST_OF_ALL:
            found.add(task)
    return found


def _rows_by_task(packaged: PackagedRun, table: Table) -> dict[str, list[int]]:
    found: dict[str, list[int]] = {task: [] for task in packaged.plan.tasks}
    for row, task in enumerate(table["task"] if table.count else ()):
        found[task].append(row)
    return found


def _has_ended(table: Table, row: int) -> bool:
    """Whether it was tried, and nothing more happens to it by itself."""
    started = table["start"][row] if "start" in table else None
    return State(table["state"][row]).is_final and (started is not None or table["attempt"][row] > 0)


def _parameters(packaged: PackagedRun, table: Table, row: int) -> dict[str, Any]:
    own: Sequence[str] = packaged.results.tables.facts["task_parameters"][table["task"][row]]
    return {name: table[_PARAMETER + name][row] for name in own if _PARAMETER + name in table}


def _metrics_of(packaged: PackagedRun, places: set[Place]) -> dict[tuple[str, int, int], dict[str, Any]]:
    """(Array, index, attempt) → metrics, of some places."""
    tables = packaged.results.tables
    attempts = tables.attempts
    seen: dict[str, int] = {}
    found: dict[tuple[str, int, int], dict[str, Any]] = {}
    columns = (attempts[name] for name in ("task", "array", "index", "attempt")) if attempts.count else ()
    for task, array, index, attempt in zip(*columns, strict=True):
        row = seen[task] = seen.get(task, -1) + 1
        if (array, index) in places:
            table = tables.table(f"{METRICS}/{task}")
            found[array, index, attempt] = {name: table[name][row] for name in table if table[name][row] is not None}
    return found


def _needs_of(packaged: PackagedRun, places: set[Place]) -> dict[Place, list[Place]]:
    """Place → the first of the places whose records it read."""
    arrays = {array for array, _ in places}
    return {
        (array.name, index): list(islice(read, MOST_NEEDS))
        for array in packaged.plan.arrays
        if array.name in arrays
        for index, read in needed(packaged.run, array)
        if (array.name, index) in places
    }


def _instance(
    packaged: PackagedRun,
    table: Table,
    row: int,
    metrics: Mapping[tuple[str, int, int], Mapping[str, Any]],
    needs: Mapping[Place, Sequence[Place]],
) -> Instance:
    array, index, attempt = (table[name][row] for name in ("array", "index", "attempt"))
    state = State(table["state"][row])
    facts = {name: table[name][row] for name in table if not name.startswith(_PARAMETER)}
    return Instance(
        table["task"][row],
        array,
        index,
        attempt,
        state,
        _parameters(packaged, table, row),
        metrics.get((array, index, attempt), {}) if state.is_success else {},
        {name: value for name, value in facts.items() if value is not None and value != ""},
        needs.get((array, index), ()),
    )
