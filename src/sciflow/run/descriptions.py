"""What the columns of the results mean, and their units, as attributes of their datasets."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sciflow.store.results import ARRAYS, ATTEMPTS, COMBINATIONS, INSTANCES, METRICS, Tables

_SECONDS, _BYTES = "s", "byte"
# Not as `units`, by which xarray would make dates of it, that are cut to nanoseconds.
_EPOCH = {"counted": "seconds since 1970-01-01 00:00:00 UTC"}
_COLUMNS: dict[str, dict[str, str]] = {
    "task": {"long_name": "the task"},
    "array": {"long_name": "the array job"},
    "index": {"long_name": "the index in its array job"},
    "instance": {"long_name": "a short hash of the parameters that the task depends on"},
    "number": {"long_name": "which instance of its task it is"},
    "attempt": {"long_name": "which attempt, counted from 1; 0 was taken over from an earlier run"},
    "state": {"long_name": "what became of it"},
    "reason": {"long_name": "what its state is known by"},
    "record_is": {"long_name": "what there is of its record"},
    "start": {"long_name": "when it started", **_EPOCH},
    "end": {"long_name": "when it ended", **_EPOCH},
    "seconds": {"long_name": "from start to end", "units": _SECONDS},
    "environment": {"long_name": "the fingerprint of what was found of hardware and software"},
    "seal": {"long_name": "whether the record is whole: sealed, or without its last part: unsealed"},
    "record": {"long_name": "the record's path from the run directory"},
    "place": {"long_name": "the group of the record that is of this attempt"},
    "digest": {"long_name": "SHA-256 that the record's seal states"},
    "run": {"long_name": "the run in which it was made"},
    "skipped": {"long_name": "what it went on without"},
    "changed": {"long_name": "which files changed while it ran"},
}


def described(tables: Tables) -> Mapping[tuple[str, str], Mapping[str, Any]]:
    """(Table, column) → attributes of the column's dataset."""
    found: dict[tuple[str, str], dict[str, Any]] = {}
    for name in (INSTANCES, ATTEMPTS, ARRAYS):
        for column in tables.table(name):
            if facts := _facts(column):
                found[name, column] = facts
    found[ARRAYS, "record"] = {"long_name": "the row of its attempt in the table of attempts"}
    units: dict[str, str] = tables.facts["units"]
    for column in tables.parameters:
        found[COMBINATIONS, column] = {"role": "parameter"}
    for column, task in tables.facts["metric_tasks"].items():
        bare = column.removeprefix(f"{task}.")
        found[COMBINATIONS, column] = {"role": "metric", "task": task, **_unit(units.get(bare))}
    for name, table in tables.by_name.items():
        if name.startswith(f"{METRICS}/"):
            found.update({(name, column): _unit(units[column]) for column in table if column in units})
    return found


def _facts(column: str) -> dict[str, str]:
    known = _COLUMNS.get(column)
    if known is not None:
        return known
    if column.endswith("_bytes"):
        return {"units": _BYTES}
    return {"units": _SECONDS} if column.endswith("_seconds") else {}


def _unit(unit: str | None) -> dict[str, str]:
    return {"units": unit} if unit else {}
