"""What must not be built upon: records that are not as they were written, and what was made without some upstream."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from sciflow.model.state import State
from sciflow.run.needs import Place, needed
from sciflow.run.status import IndexStatus, RunStatus
from sciflow.store.digests import file_digest
from sciflow.store.layout import RunDirectory, read_document
from sciflow.store.records import has_broken_seal
from sciflow_shim import files
from sciflow_shim.files import format_ranges


def with_broken_seals(status: RunStatus) -> list[Place]:
    """The completed indices whose records are not as they were written; this reads every byte of them."""
    paths = {one.path for one in status.everyone() if one.state is State.COMPLETED}
    broken = {path for path in paths if has_broken_seal(path)}
    return [
        (array, index)
        for array, indices in status.indices.items()
        for index, one in indices.items()
        if one.state is State.COMPLETED and one.path in broken
    ]


def built_on_skips(run: RunDirectory, status: RunStatus) -> set[Place]:
    """The indices that went on without some of their upstream, and all that were made from these."""
    return _with_what_follows(run, status, lambda one: bool(one.skipped))


def built_on_changes(run: RunDirectory, status: RunStatus) -> set[Place]:
    """Those that completed while a file changed that their results depend on, and all made of these."""
    return _with_what_follows(run, status, lambda one: one.state is State.COMPLETED and bool(one.changed))


def described_changes(status: RunStatus) -> list[str]:
    """What changed while indices ran that are completed, and which these are."""
    places: dict[str, dict[str, list[int]]] = {}
    for array, indices in status.indices.items():
        for index, one in indices.items():
            if one.state is State.COMPLETED and one.changed:
                places.setdefault(one.changed, {}).setdefault(array, []).append(index)
    lines = []
    for names, found in places.items():
        where = "; ".join(f"{array}[{format_ranges(indices)}]" for array, indices in found.items())
        text = f"`{names}` changed while {where} ran"
        lines.append(f"{text}: no later run takes that over, nor what was made of it; `--fresh` runs all anew")
    return lines


def _with_what_follows(run: RunDirectory, status: RunStatus, is_meant: Callable[[IndexStatus], bool]) -> set[Place]:
    found = {
        (array, index) for array, indices in status.indices.items() for index, one in indices.items() if is_meant(one)
    }
    if not found:
        return found
    for array in status.plan.arrays:  # those upstream come first
        for index, upstream in needed(run, array):
            if any(place in found for place in upstream):
                found.add((array.name, index))
    return found


def first_changed(run: RunDirectory, task: str) -> str:
    """A file that is not what a run was planned with, so that no instance of a task can start; empty for none."""
    document = read_document(run / files.task_file(task))
    modules: dict[str, str] = document.get("function", {}).get("modules", {})
    wanted = {Path(path): {"sha256": digest} for path, digest in modules.items()}
    listed: list[dict[str, Any]] = (document.get("inputs") or {}).get("files", [])
    wanted |= {Path(document["directory"]) / one["path"]: one for one in listed}
    return next((str(path) for path, told in wanted.items() if not _is_as_told(path, told)), "")


def _is_as_told(path: Path, told: dict[str, Any]) -> bool:
    try:
        now = path.stat()
        same_stamp = (now.st_size, now.st_mtime_ns) == (told.get("size"), told.get("mtime_ns"))
        return same_stamp or file_digest(path) == told["sha256"]
    except OSError:
        return False
