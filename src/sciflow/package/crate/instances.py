"""Which task instances a crate tells one by one: all of a small run; of a large one samples, and what failed."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from sciflow.model.state import State
from sciflow.package.packaged_run import PackagedRun
from sciflow.package.ways import ways_asked
from sciflow.run.needs import Place, needed
from sciflow.store.columns import Table
from sciflow.store.results import METRICS

MOST = 50  # instances of a task that are all told; of failures, so many in the whole run
MOST_OF_ALL = 100  # instances of the whole run that are told because their task has few
MOST_NEEDS = 10  # records that an instance read, which are told
Attempt = tuple[str, int, int]  # array, index, attempt
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

    Of a task with many instances these are the first, the last, those with the best values of the metrics that the
    workflow shows, and failures. Only what ended is told: what waits or runs is no action that anybody has done.
    """
    table = packaged.results.tables.instances
    rows = _rows_by_task(packaged, table)
    chosen = _chosen(packaged, table, rows)
    places = {(table["array"][row], table["index"][row]) for own in chosen.values() for row in own}
    metrics, needs = _metrics_of(packaged, places), _needs_of(packaged, places)
    found = {}
    for task, own in rows.items():
        states = Counter(table["state"][row] for row in own)
        instances = [_instance(packaged, table, row, metrics, needs) for row in chosen[task]]
        found[task] = Told(instances, dict(states), _parameters(packaged, table, own[0]) if own else {})
    return found


def _chosen(packaged: PackagedRun, table: Table, rows: Mapping[str, Sequence[int]]) -> dict[str, list[int]]:
    """Task → the rows of the instances that are told."""
    few = _few({task: len(own) for task, own in rows.items()})
    best = _best_rows(packaged, table)
    found: dict[str, list[int]] = {}
    left = MOST
    for task, own in rows.items():
        ended = [row for row in own if _has_ended(table, row)]
        done = [row for row in ended if State(table["state"][row]).is_success]
        failed = [row for row in ended if State(table["state"][row]).is_failure]
        samples = ended if task in few else [*done[:1], *done[-1:], *best.get(task, ())]
        found[task] = sorted({*samples, *failed[:left]})
        left -= len(failed[:left])
    return found


def _best_rows(packaged: PackagedRun, table: Table) -> dict[str, set[int]]:
    """Task → the rows with the best values of the metrics that the workflow shows; of equal ones the first."""
    tasks: Mapping[str, str] = packaged.results.tables.facts["metric_tasks"]
    ways = {metric: ways for metric, ways in ways_asked(packaged.manifest).items() if metric in tasks}
    found: dict[str, set[int]] = {}
    if not ways:
        return found
    places = zip(table["array"], table["index"], table["attempt"], table["state"], strict=True)
    rows = {one[:3]: row for row, one in enumerate(places) if State(one[3]).is_success}
    for metric, largest in ways.items():
        task = tasks[metric]
        column = packaged.results.tables.table(f"{METRICS}/{task}").get(metric.removeprefix(f"{task}."), ())
        values = [
            (column[row], rows[place])
            for owner, place, row in _attempts(packaged)
            if owner == task and place in rows and column and _is_finite(column[row])
        ]
        for is_largest in largest if values else ():
            sign = -1 if is_largest else 1
            found.setdefault(task, set()).add(min(values, key=lambda one: (sign * one[0], one[1]))[1])
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


def _attempts(packaged: PackagedRun) -> Iterator[tuple[str, Attempt, int]]:
    """The task of each attempt, which one it is, and its row in the table of that task's metrics."""
    table = packaged.results.tables.attempts
    rows: dict[str, int] = {}
    columns = (table[name] for name in ("task", "array", "index", "attempt")) if table.count else ()
    for task, array, index, attempt in zip(*columns, strict=True):
        rows[task] = rows.get(task, -1) + 1
        yield task, (array, index, attempt), rows[task]


def _metrics_of(packaged: PackagedRun, places: set[Place]) -> dict[Attempt, dict[str, Any]]:
    """Attempt → metrics, of some places."""
    found: dict[Attempt, dict[str, Any]] = {}
    for task, attempt, row in _attempts(packaged):
        if attempt[:2] in places:
            table = packaged.results.tables.table(f"{METRICS}/{task}")
            found[attempt] = {name: table[name][row] for name in table if table[name][row] is not None}
    return found


def _is_finite(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


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
    metrics: Mapping[Attempt, Mapping[str, Any]],
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
