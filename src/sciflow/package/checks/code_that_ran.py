"""Whether the code and the inputs in a package are those that the run had, by the run's own digests."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import Any

from sciflow.package import layout
from sciflow.package.checks.promises import document_of
from sciflow.package.checks.verification import Problem
from sciflow.store.digests import file_digest
from sciflow_shim import files
from sciflow_shim.redaction import REDACTED


def check_code(payload: Path, facts: Mapping[str, Any]) -> tuple[int, list[Problem], list[str]]:
    """Compare the project's files with the digests that the run has of them.

    Whoever changes a file and makes the bag anew is found by that.

    Returns
    -------
    tuple
        How many were compared, those that are other ones, and what cannot be compared.
    """
    count, problems, notes = 0, [], []
    redacted = facts.get("redacted", {})
    outside = _outside(payload)
    for path, digest in sorted(dict(_noted(payload / layout.RUN)).items()):
        places = [f"{layout.PROJECT}/{path}"] if not path.startswith("/") else _moved(path, outside)
        places = [place for place in places if (payload / place).is_file()]
        count += bool(places)
        cleaned = [place for place in places if place in redacted and _has_mark(payload / place)]
        if cleaned and all(file_digest(payload / place) != digest for place in cleaned):
            told = f"`{cleaned[0]}` had {redacted[cleaned[0]]} secrets, which were taken out: it cannot be compared"
            notes.append(f"{told} with what ran")
        elif places and all(file_digest(payload / place) != digest for place in places):
            why = f"`{path}` is not the file that the run had"
            problems.append(Problem("other code", f"{layout.PAYLOAD}/{places[0]}", why))
    return count, problems, notes


def _has_mark(path: Path) -> bool:
    """Whether something was taken out of a file, whatever is said of it."""
    return REDACTED.encode() in path.read_bytes()


def _noted(run: Path) -> Iterator[tuple[str, str]]:
    """Path and SHA-256 of all inputs and modules that the run has noted; of those of the project, from its folder."""
    manifest = document_of(run / files.MANIFEST)
    home = str(manifest.get("directory") or "/")
    code = _part(manifest, "code")
    noted = [_part(manifest, "inputs"), _part(code, "modules"), _part(code, "files")]
    for task in _part(manifest, "tasks"):
        if "/" not in task:
            noted.append(_part(_part(document_of(run / files.task_file(task)), "function"), "modules"))
    for digests in noted:
        for name, digest in digests.items():
            path = PurePosixPath(name)
            if path.is_absolute() and path.is_relative_to(home):
                path = path.relative_to(home)
            if ".." not in path.parts:
                yield str(path), str(digest)


def _outside(payload: Path) -> list[str]:
    """The files that were elsewhere than in the workflow's folder, by their places in the payload."""
    found = (path for path in (payload / layout.OUTSIDE).rglob("*") if path.is_file())
    return sorted(path.relative_to(payload).as_posix() for path in found)


def _moved(path: str, outside: list[str]) -> list[str]:
    """Where a file from elsewhere may lie: `/opt/lib/a.py` as `project/outside/1-lib/a.py`."""
    found = []
    for place in outside:
        folder, _, inner = place[len(layout.OUTSIDE) + 1 :].partition("/")
        if path.endswith(f"/{folder.partition('-')[2]}/{inner}"):
            found.append(place)
    return found


def _part(document: Mapping[str, Any], name: str) -> dict[str, Any]:
    value = document.get(name)
    return value if isinstance(value, dict) else {}
