"""The table of environments: one row for each that an attempt was made in; all of it stays in its file."""

from __future__ import annotations

from typing import Any

from sciflow.store.columns import Table
from sciflow.store.layout import RunDirectory
from sciflow_shim import files
from sciflow_shim.record_reader import RecordGroup, read_record

_MOST_HOSTS = 5
# Column → where it stands in what was captured.
_FACTS = {
    "system": "os/system",
    "kernel": "os/kernel",
    "machine": "os/machine",
    "distribution": "os/name",
    "python": "python/version",
    "executable": "python/executable",
    "cpu_model": "cpu/model",
    "logical_cores": "cpu/logical_cores",
    "physical_cores": "cpu/physical_cores",
    "memory_bytes": "memory/total_bytes",
    "container": "container/kind",
}


def environments_of(run: RunDirectory, attempts: Table) -> Table:
    """One row per environment that the attempts name, with some of the hosts where it was."""
    hosts: dict[str, dict[str, int]] = {}
    if attempts.count:
        names = (attempts.columns[name].values.tolist() for name in ("environment", "host"))
        for name, host in zip(*names, strict=True):
            if name:
                seen = hosts.setdefault(name, {})
                seen[host] = seen.get(host, 0) + 1
    rows = [
        {
            "environment": name,
            "attempts": sum(seen.values()),
            "hosts": len(seen),
            "host_examples": ", ".join(list(seen)[:_MOST_HOSTS]),
            **_captured(run, name),
        }
        for name, seen in hosts.items()
    ]
    names = ("environment", "attempts", "hosts", "host_examples", *_FACTS)
    return Table.of({name: [row[name] for row in rows] for name in names})


def _captured(run: RunDirectory, name: str) -> dict[str, Any]:
    """What the environment's file says; nothing where it is not there, as when its capture was cut off."""
    try:
        root: Any = read_record(run / files.environment(name))
    except (FileNotFoundError, ValueError):
        return dict.fromkeys(_FACTS)
    return {column: _value(root, place) for column, place in _FACTS.items()}


def _value(root: RecordGroup, place: str) -> Any:
    group, _, name = place.partition("/")
    if group not in root:
        return None
    owner = root[group]
    return owner.attributes.get(name) if name in owner.attributes else owner[name].value if name in owner else None
