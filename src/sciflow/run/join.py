"""The table of combinations: each with the metrics of its instances, and the worst of the states of its own."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np

from sciflow.model.parameters import ParameterSpace
from sciflow.model.state import State
from sciflow.planning.projection import Projection
from sciflow.run.catalog import Rows
from sciflow.run.instances import Instances
from sciflow.store.columns import Column, Table

_WORST_FIRST = (
    State.FAILED,
    State.OUT_OF_MEMORY,
    State.TIMEOUT,
    State.NODE_FAIL,
    State.CRITERIA_NOT_MET,
    State.PREEMPTED,
    State.CANCELLED,
    State.UPSTREAM_FAILED,
    State.UNKNOWN,
    State.RUNNING,
    State.PENDING,
    State.COMPLETED,
)
_RANK = {state.value: rank for rank, state in enumerate(_WORST_FIRST)}
_NAMES = np.array([state.value for state in _WORST_FIRST], dtype=object)


def join(
    space: ParameterSpace, manifest: dict[str, Any], instances: Instances, rows: Rows
) -> tuple[Table, dict[str, str]]:
    """The table of combinations, and of each column of metrics its task."""
    columns = _parameters(space)
    own = _metrics(instances, rows)
    gathering = gathering_tasks(manifest)
    worst = np.full(len(space), _RANK["COMPLETED"], dtype=np.int64)
    metrics: dict[str, Column] = {}
    task_of: dict[str, str] = {}
    for task, states in instances.states.items():
        of_combination = Projection(space, tuple(manifest["tasks"][task]["parameters"])).of_combination
        place = np.empty(len(states), dtype=np.int64)  # number of an instance → where it stands
        place[instances.numbers[task]] = np.arange(len(states))
        chosen = place[of_combination]
        if task not in gathering:
            worst = np.minimum(worst, np.array([_RANK[state] for state in states], dtype=np.int64)[chosen])
        for name, column in own[task].columns.items():
            title = _column_name(name, task, own, {*space.names, "state", *metrics})
            metrics[title] = column.take(chosen)
            task_of[title] = task
    state = Column.of(_NAMES[worst].tolist())
    return Table({**columns, **metrics, "state": state}, len(space)), task_of


def incomplete_gathering(manifest: dict[str, Any], instances: Instances) -> dict[str, dict[str, int]]:
    """Task that gathers → state → how many of its instances have it, of those tasks that are not completed.

    What combinations do not tell: they keep their state and their numbers whatever became of it.
    """
    gathering = gathering_tasks(manifest)
    counts = {task: dict(Counter(states)) for task, states in instances.states.items() if task in gathering}
    return {task: one for task, one in counts.items() if set(one) != {"COMPLETED"}}


def _parameters(space: ParameterSpace) -> dict[str, Column]:
    values: dict[str, list[Any]] = {name: [] for name in space.names}
    for combination in space:
        for name, value in combination.items():
            values[name].append(value)
    return {name: Column.of(values.pop(name), is_exact=True) for name in space.names}


def _metrics(instances: Instances, rows: Rows) -> dict[str, Table]:
    """Task → the metrics of its instances in their table's order; only of those that completed."""
    found = {}
    tasks = rows.attempts.columns["task"].values if rows.attempts.count else np.empty(0, dtype=object)
    for task, counting in instances.rows.items():
        place = np.cumsum(tasks == task) - 1
        chosen = np.array(counting, dtype=np.int64)
        chosen = np.where(chosen >= 0, place[chosen], -1) if len(place) else np.full(len(chosen), -1)
        taken = rows.metrics[task].take(chosen)
        found[task] = Table({name: one for name, one in taken.columns.items() if not one.is_empty}, taken.count)
    return found


def gathering_tasks(manifest: dict[str, Any]) -> set[str]:
    """Tasks that gather, and those after them: they belong to many combinations, and fail none of these."""
    gathering: set[str] = set()
    for task, facts in manifest["tasks"].items():
        if facts["over"] or gathering & set(facts["depends_on"]):
            gathering.add(task)
    return gathering


def _column_name(name: str, task: str, tables: dict[str, Table], taken: set[str]) -> str:
    """A metric's bare name where only one task has it, else with its task, as often as it takes to be the only one."""
    column = f"{task}.{name}" if sum(name in table for table in tables.values()) > 1 else name
    while column in taken:
        column = f"{task}.{column}"
    return column
