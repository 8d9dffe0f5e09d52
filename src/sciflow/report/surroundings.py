"""Where and with what a run was made: machines, versions, code."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sciflow.analysis.table import RunTable
from sciflow.model.units import format_memory
from sciflow.report.text import plain
from sciflow.store.layout import RunDirectory
from sciflow.store.results import ENVIRONMENTS
from sciflow_shim import files
from sciflow_shim.record_reader import read_record

MOST = 10  # environments
_DIFF = 20_000  # characters of uncommitted changes


@dataclass(frozen=True)
class Machine:
    """One environment in which attempts were made, by name → value, and its installed packages."""

    attempts: int
    hosts: str
    facts: Mapping[str, str]
    packages: Mapping[str, str]


@dataclass(frozen=True)
class Surroundings:
    """Where and with what a run was made.

    Attributes
    ----------
    machines
        The first of the environments.
    more_machines
        How many there are besides.
    made
        Name → value: by which sciflow, on which machine, in which folder.
    code
        Name → value: the commit, or digests.
    diff
        What was changed since the commit; empty for nothing.
    """

    machines: tuple[Machine, ...]
    more_machines: int
    made: Mapping[str, str]
    code: Mapping[str, str]
    diff: str


def surroundings_of(results: RunTable, manifest: Mapping[str, Any]) -> Surroundings:
    """Where and with what a run was made."""
    code = manifest.get("code") or {}
    rows = _rows(results)
    return Surroundings(
        tuple(_machine(results.run, row) for row in rows[:MOST]),
        max(0, len(rows) - MOST),
        _made(manifest),
        _code(code),
        _diff(results.run, code),
    )


def _rows(results: RunTable) -> list[dict[str, Any]]:
    table = results.tables.table(ENVIRONMENTS)
    if not table.count:
        return []
    names = list(table)
    rows = [dict(zip(names, row, strict=True)) for row in zip(*(table[name] for name in names), strict=True)]
    return sorted(rows, key=lambda row: -(row["attempts"] or 0))


def _machine(run: RunDirectory, row: Mapping[str, Any]) -> Machine:
    hosts = str(row.get("host_examples") or "")
    more = int(row.get("hosts") or 0) - (hosts.count(",") + 1 if hosts else 0)
    system = " ".join(str(row[name]) for name in ("system", "kernel", "machine") if row.get(name))
    logical, physical = row.get("logical_cores"), row.get("physical_cores")
    cores = f"{physical or logical} cores" + (f", {logical} threads" if logical and logical != physical else "")
    memory = row.get("memory_bytes")
    facts = {
        "processor": " · ".join(filter(None, (str(row.get("cpu_model") or ""), cores if logical or physical else ""))),
        "memory": format_memory(memory) if memory else "",
        "system": " · ".join(filter(None, (str(row.get("distribution") or ""), system))),
        "container": str(row.get("container") or ""),
        "Python": " · ".join(str(row[name]) for name in ("python", "executable") if row.get(name)),
    }
    packages = _packages(run, str(row.get("environment") or ""))
    return Machine(
        int(row.get("attempts") or 0),
        hosts + (f" and {more} more" if more > 0 else ""),
        {name: plain(text) for name, text in facts.items() if text},
        packages,
    )


def _packages(run: RunDirectory, name: str) -> dict[str, str]:
    try:
        root: Any = read_record(run / files.environment(name))
    except (FileNotFoundError, ValueError):  # its capture was cut off, or only the results are here
        return {}
    if "distributions" not in root:
        return {}
    found = root["distributions"].attributes
    return {one: str(found[one]) for one in sorted(found, key=str.lower)}


def _made(manifest: Mapping[str, Any]) -> dict[str, str]:
    profile = manifest.get("profile") or {}
    user, host = (str(manifest.get(name) or "") for name in ("user", "host"))
    cluster = " · ".join(filter(None, (str(profile.get("name") or ""), str(profile.get("description") or ""))))
    found = {
        "sciflow": str(manifest.get("sciflow") or ""),
        "planned with": f"Python {manifest['python']}" if manifest.get("python") else "",
        "planned by": "@".join(filter(None, (user, host))),
        "in": str(manifest.get("directory") or ""),
        "cluster profile": cluster,
        "scheduler": str(profile.get("scheduler") or ""),
    }
    return {name: plain(text) for name, text in found.items() if text}


def _code(code: Mapping[str, Any]) -> dict[str, str]:
    found = {name: str(code[name]) for name in ("commit", "branch", "remote") if code.get(name)}
    if "dirty" in code:
        found["uncommitted changes"] = "yes" if code["dirty"] else "none"
    for name in ("changed", "untracked"):
        if names := list(code.get(name) or ()):
            more = len(names) - 20 + int(code.get(f"more_{name}") or 0)
            found[f"{name} files"] = ", ".join(map(str, names[:20])) + (f" and {more} more" if more > 0 else "")
    if code.get("sha256"):
        found["SHA-256 of all files"] = str(code["sha256"])
    return {name: plain(text) for name, text in found.items()}


def _diff(run: RunDirectory, code: Mapping[str, Any]) -> str:
    name = code.get("diff")
    if not name:
        return ""
    try:
        with (run.path / files.CODE / str(name).rpartition("/")[2]).open(encoding="utf-8", errors="replace") as file:
            text = file.read(_DIFF + 1)
    except FileNotFoundError:
        return ""
    if len(text) > _DIFF:
        return f"{plain(text[:_DIFF], _DIFF)}\n… and more, in {name} of the run"
    return plain(text, _DIFF)
