"""The table of all attempts: what a crate does not tell one by one."""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Iterator
from typing import Any

from sciflow.package import layout
from sciflow.package.contents import Contents
from sciflow.package.crate.graph import moment
from sciflow.package.packaged_run import PackagedRun
from sciflow.store.columns import Table

# Column → what it says; those in the middle stand in the collected tables under the same names.
COLUMNS = {
    "task": "the task",
    "array": "the array job",
    "index": "the index in its array job",
    "attempt": "which attempt it was, counted from 1; 0 where it was taken over from an earlier run, or none was made",
    "instance": "a short hash of the parameters on which the task depends",
    "state": "how it ended, or how it stood",
    "start": "when it started, in UTC",
    "end": "when it ended, in UTC",
    "host": "where it ran",
    "exit_code": "the exit code of its program",
    "signal": "the signal that ended its program; 0 for none",
    "error_type": "of which kind the error was",
    "error": "the error, in one line",
    "wall_seconds": "for how long its program ran, in seconds",
    "user_cpu_seconds": "CPU time in its program, in seconds",
    "system_cpu_seconds": "CPU time in the kernel for it, in seconds",
    "peak_rss_bytes": "the most memory that its processes held at a time, in bytes",
    "read_bytes": "bytes read from disk",
    "write_bytes": "bytes written to disk",
    "peak_gpu_memory_bytes": "the most memory that it held on GPUs at a time, in bytes",
    "environment": "the fingerprint of the hardware and software that it ran with",
    "record": "its record, in the run directory",
}
DESCRIPTION = f"{layout.ATTEMPTS}-metadata.json"  # the name by which CSV on the Web finds it
_TIMES = ("start", "end")
_WHOLE = ("index", "attempt", "exit_code", "signal")


def gather_attempts(packaged: PackagedRun, contents: Contents) -> None:
    """Take in the table of all attempts, and of the instances that were never tried."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows(_rows(packaged))
    about = "every attempt, and every instance that was not tried: state, times, error, and what it used"
    contents.add(layout.ATTEMPTS, text.getvalue().encode(), about)
    contents.add(
        DESCRIPTION, json.dumps(_schema(), indent=1).encode(), "what its columns hold, as CSV on the Web has it"
    )


def _schema() -> dict[str, Any]:
    columns = [
        {"name": name, "titles": name, "datatype": _type(name), "dc:description": about}
        for name, about in COLUMNS.items()
    ]
    return {
        "@context": "http://www.w3.org/ns/csvw",
        "url": layout.ATTEMPTS.rpartition("/")[2],
        "tableSchema": {"columns": columns, "primaryKey": ["array", "index", "attempt"]},
    }


def _type(name: str) -> str:
    if name in _TIMES:
        return "dateTimeStamp"
    if name.endswith("_seconds"):
        return "double"
    return "integer" if name in _WHOLE or name.endswith("_bytes") else "string"


def _rows(packaged: PackagedRun) -> Iterator[list[Any]]:
    tables = packaged.results.tables
    order = {array.name: place for place, array in enumerate(packaged.plan.arrays)}
    rows: dict[tuple[int, int, int], list[Any]] = {}
    tried: set[tuple[str, int]] = set()
    for row in _each(tables.attempts):
        place = (row["array"], row["index"])
        tried.add(place)
        rows[order.get(place[0], len(order)), place[1], row["attempt"]] = _told(row)
    for row in _each(tables.instances):
        if (row["array"], row["index"]) not in tried:
            rows[order.get(row["array"], len(order)), row["index"], row["attempt"] or 0] = _told(row)
    yield from (rows[key] for key in sorted(rows))


def _each(table: Table) -> Iterator[dict[str, Any]]:
    names = [name for name in table if name in COLUMNS]
    for values in zip(*(table[name] for name in names), strict=True):
        yield dict(zip(names, values, strict=True))


def _told(row: dict[str, Any]) -> list[Any]:
    return [_cell(name, row.get(name)) for name in COLUMNS]


def _cell(name: str, value: Any) -> Any:
    if value is None or (isinstance(value, float) and not math.isfinite(value)):
        return ""
    if name in _TIMES:
        return moment(value)
    return " ".join(value.split()) if isinstance(value, str) else value
