"""Records become one table: a row per combination, and one per task instance."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sciflow.model.parameters import ParameterSpace
from sciflow.model.plan import ArrayJob, Plan
from sciflow.model.state import State
from sciflow.planning.projection import Projection
from sciflow.run.status import RunStatus
from sciflow.run.track import observe, read_plan
from sciflow.store.layout import RunDirectory, read_document
from sciflow.store.records import RecordSummary, read_summaries
from sciflow.store.results import Tables, write_tables
from sciflow.store.space import read_space

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
_USAGE = ("peak_rss_bytes", "mean_rss_bytes", "user_cpu_seconds", "system_cpu_seconds", "read_bytes", "write_bytes")


@dataclass
class _TaskTable:
    """The instances of one task, by number."""

    states: list[str]
    metrics: list[dict[str, Any]]
    names: list[str] = field(default_factory=list)


def collect(run: RunDirectory, status: RunStatus | None = None) -> Tables:
    """Read all records, join them, and write `results.h5`, where that is allowed; also while indices still run.

    Raises
    ------
    RunError
        Where the run directory is damaged or of a newer format.
    """
    manifest = read_document(run.manifest)
    plan = read_plan(run)
    status = status or observe(run, plan)
    space = read_space(run, manifest)
    rows: list[dict[str, Any]] = []
    tables: dict[str, _TaskTable] = {}
    counts = {"expected": 0, "sealed": 0, "missing": 0, "torn": 0}
    for task in plan.tasks:
        tables[task] = _read_task(run, plan, status, task, rows, counts)
    combinations, metrics = _join(space, manifest, tables)
    collected = Tables(
        combinations=combinations,
        instances=_columns(rows),
        parameters=list(space.names),
        metrics=list(metrics),
        facts={
            "run": run.run_id,
            "workflow": plan.workflow,
            "completeness": counts,
            "metric_tasks": metrics,
            "task_parameters": {task: manifest["tasks"][task]["parameters"] for task in plan.tasks},
            "units": {name: unit for facts in manifest["tasks"].values() for name, unit in facts["units"].items()},
        },
    )
    write_tables(run.results, collected)
    return collected


def _read_task(
    run: RunDirectory,
    plan: Plan,
    status: RunStatus,
    task: str,
    rows: list[dict[str, Any]],
    counts: dict[str, int],
) -> _TaskTable:
    count = plan.instances[task]
    table = _TaskTable(["PENDING"] * count, [{} for _ in range(count)])
    names: dict[str, None] = {}
    opened: tuple[str, dict[int, RecordSummary]] = ("", {})  # neighbours may lie in one record
    for array in status.arrays(task):
        for index, line in _lines(run, array):
            known = status.indices[array.name][index]
            counts["expected"] += 1
            record = None
            if known.damage:
                counts[known.damage] += 1
            elif known.state.is_final and known.path and Path(known.path).exists():
                if known.path != opened[0] or array.pack == 1:
                    opened = (known.path, read_summaries(known.path, index) or {})
                record = opened[1].get(index)
                counts["sealed" if record else "torn"] += 1
            elif known.state.is_final:
                counts["missing"] += 1
            state = known.state
            if known.damage or (record is None and state.is_success):
                # Without a whole record nobody can say what came out.
                state, known.error = State.UNKNOWN, "its record is torn or missing"
            rows.append(_row(array, index, line, state, known, record))
            table.states[line["instance"]] = state.value
            if record is not None and state.is_success:
                table.metrics[line["instance"]] = record.metrics
                names.update(dict.fromkeys(record.metrics))
    table.names = list(names)
    return table


def _lines(run: RunDirectory, array: ArrayJob) -> Iterator[tuple[int, dict[str, Any]]]:
    with run.lines(array.name).open("rb") as file:
        for index, text in enumerate(file):
            yield index, json.loads(text)


def _row(
    array: ArrayJob, index: int, line: dict[str, Any], state: State, known: Any, record: RecordSummary | None
) -> dict[str, Any]:
    facts = record.facts if record else {}
    usage = record.resources if record else {}
    return {
        "task": array.task,
        "array": array.name,
        "index": index,
        "instance": line["id"],
        "parameters": line["parameters"],
        "state": state.value,
        "attempt": known.attempt,
        "start": facts.get("start"),
        "end": facts.get("end"),
        "seconds": float(facts["end"] - facts["start"]) if facts else None,
        "host": facts.get("host", ""),
        "exit_code": facts.get("exit_code"),
        "signal": facts.get("signal"),
        "error_type": facts.get("error_type", ""),
        "error": facts.get("error", "") if record else known.error,
        "traceback": facts.get("traceback", ""),
        "cpu_cores": array.resources.cpu_cores,
        "memory_bytes": array.resources.memory_bytes,
        **{name: usage.get(name) for name in _USAGE},
        "run": facts.get("run", ""),
        "reason": known.reason,
    }


def _join(
    space: ParameterSpace, manifest: dict[str, Any], tables: dict[str, _TaskTable]
) -> tuple[dict[str, list[Any]], dict[str, str]]:
    """The table of combinations, and of each column of metrics its task."""
    everyone: dict[str, list[Any]] = {name: [] for name in space.names}
    for combination in space:
        for name, value in combination.items():
            everyone[name].append(value)
    gathering = _gathering(manifest)
    worst = [_RANK["COMPLETED"]] * len(space)
    columns: dict[str, list[Any]] = {}
    task_of: dict[str, str] = {}
    for task, table in tables.items():
        instance_of = Projection(space, tuple(manifest["tasks"][task]["parameters"])).of_combination.tolist()
        ranks = [_RANK[state] for state in table.states]
        if task not in gathering:
            worst = [min(known, ranks[instance]) for known, instance in zip(worst, instance_of, strict=True)]
        for name in table.names:
            values = [metrics.get(name) for metrics in table.metrics]
            column = _column_name(name, task, tables, {*space.names, "state", *columns})
            columns[column] = [values[instance] for instance in instance_of]
            task_of[column] = task
    states = [_WORST_FIRST[rank].value for rank in worst]
    return {**everyone, **columns, "state": states}, task_of


def _gathering(manifest: dict[str, Any]) -> set[str]:
    """Tasks that gather, and those after them: they belong to many combinations, and fail none of these."""
    gathering: set[str] = set()
    for task, facts in manifest["tasks"].items():
        if facts["over"] or gathering & set(facts["depends_on"]):
            gathering.add(task)
    return gathering


def _column_name(name: str, task: str, tables: dict[str, _TaskTable], taken: set[str]) -> str:
    """A metric's bare name where only one task has it, else with its task, as often as it takes to be the only one."""
    column = f"{task}.{name}" if sum(name in table.names for table in tables.values()) > 1 else name
    while column in taken:
        column = f"{task}.{column}"
    return column


def _columns(rows: list[dict[str, Any]]) -> dict[str, list[Any]]:
    return {name: [row[name] for row in rows] for name in rows[0]} if rows else {}
