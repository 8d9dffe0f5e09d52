"""The table of task instances: what each is, what became of it, and which row of the attempts is its last."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sciflow.model.plan import ArrayJob, Plan
from sciflow.model.state import State
from sciflow.run.catalog import Catalog
from sciflow.run.completeness import WAITING, Apart, kind_of
from sciflow.run.status import IndexStatus, RunStatus
from sciflow.store.columns import TEXT, Column, Table, TableBuilder
from sciflow.store.layout import RunDirectory
from sciflow.store.records import SEALED, TORN

NO_RECORD = "its record is torn or missing"
# Columns of the attempts that instances have of their own, or that are looked up there.
_LEFT_OUT = frozenset(
    (
        *("task", "array", "index", "attempt", "state", "instance", "error", "record"),
        *("place", "digest", "seal", "job", "job_id", "environment", "skipped", "changed"),
    )
)


@dataclass
class Instances:
    """The instances of all tasks, in the plan's order.

    Attributes
    ----------
    table
        One row for each.
    numbers, states, rows
        Task → of each of its instances in the table's order: its number, its state, and the row of the attempt that
        counts, -1 for none.
    kinds
        What there is of each record.
    apart
        Those without a whole one.
    """

    table: Table = field(default_factory=Table)
    numbers: dict[str, list[int]] = field(default_factory=dict)
    states: dict[str, list[str]] = field(default_factory=dict)
    rows: dict[str, list[int]] = field(default_factory=dict)
    kinds: list[str] = field(default_factory=list)
    apart: list[Apart] = field(default_factory=list)


def instances_of(run: RunDirectory, plan: Plan, status: RunStatus, catalog: Catalog, attempts: Table) -> Instances:
    """Join what is known of each index with the row of its last attempt."""
    found = Instances()
    builder = TableBuilder()
    row_of = _rows_by_place(attempts)
    seals = attempts["seal"] if attempts.count else []
    rows: list[int] = []
    for task in plan.tasks:
        numbers, states, counting = found.numbers[task], found.states[task], found.rows[task] = [], [], []
        for array in status.arrays(task):
            for index, line in lines_of(run, array):
                known = status.indices[array.name][index]
                row = row_of.get((array.name, index, known.attempt), -1)
                is_torn = row < 0 and _is_torn(catalog, _record_name(run, array, index, known))
                kind = kind_of(known, seals[row] if row >= 0 else None, is_torn)
                # Without a whole record nobody can say what came out.
                is_unknown = bool(known.damage) or (known.state.is_success and kind != SEALED)
                state = (State.UNKNOWN if is_unknown else known.state).value
                is_told = row >= 0 and (kind != WAITING or known.state is State.RUNNING)
                rows.append(row if is_told and not is_unknown else -1)
                error = NO_RECORD if is_unknown else "" if rows[-1] >= 0 else known.error
                builder.append(_own(array, index, line, state, kind, known, error))
                numbers.append(line["instance"])
                states.append(state)
                counting.append(row if known.state.is_success and not is_unknown else -1)
                found.kinds.append(kind)
                if kind not in (SEALED, WAITING):
                    path = _record_name(run, array, index, known) if kind == TORN else ""
                    text = known.error or known.reason
                    found.apart.append(Apart(kind, array.name, index, known.attempt, path, text))
    found.table = _with_attempts(builder.finish(), attempts, np.array(rows, dtype=np.int64))
    return found


def lines_of(run: RunDirectory, array: ArrayJob) -> Iterator[tuple[int, dict[str, Any]]]:
    """Index and line of an array job."""
    with run.lines(array.name).open("rb") as file:
        for index, text in enumerate(file):
            yield index, json.loads(text)


def _rows_by_place(attempts: Table) -> dict[tuple[str, int, int], int]:
    if not attempts.count:
        return {}
    places = zip(*(attempts.columns[name].values.tolist() for name in ("array", "index", "attempt")), strict=True)
    return {place: row for row, place in enumerate(places)}


def _record_name(run: RunDirectory, array: ArrayJob, index: int, known: IndexStatus) -> str:
    """The path from the run directory of the record that counts, or that should be there."""
    place = array.element(index) if known.attempt else index  # what was taken over has a file of its own
    return (known.path or str(run.record(array.name, place, known.attempt)))[len(str(run.path)) + 1 :]


def _is_torn(catalog: Catalog, name: str) -> bool:
    one = catalog.files.get(name)
    return one is not None and one.seal == TORN


def _own(
    array: ArrayJob, index: int, line: dict[str, Any], state: str, kind: str, known: IndexStatus, error: str
) -> dict[str, Any]:
    return {
        "task": array.task,
        "array": array.name,
        "index": index,
        "instance": line["id"],
        "number": line["instance"],
        **{f"parameters.{name}": _hashable(value) for name, value in line["parameters"].items()},
        "state": state,
        "attempt": known.attempt,
        "cpu_cores": array.resources.cpu_cores,
        "memory_bytes": array.resources.memory_bytes,
        "reason": known.reason,
        "record_is": kind,
        "error": error,
    }


def _hashable(value: Any) -> Any:
    return tuple(map(_hashable, value)) if isinstance(value, list) else value


def _with_attempts(own: Table, attempts: Table, rows: NDArray[np.int64]) -> Table:
    """The rows of instances, each with what its last attempt tells."""
    columns = dict(own.columns)
    error = columns.pop("error", None)
    for name, column in attempts.columns.items():
        if name not in _LEFT_OUT:
            columns[name] = column.take(rows)
    if error is not None:
        if attempts.count:
            told = attempts.columns["error"].take(rows)
            error = Column(TEXT, np.where(rows >= 0, told.values, error.values))
        columns["error"] = error
        if attempts.count:
            columns["record"] = attempts.columns["record"].take(rows)
    return Table(columns, own.count)
