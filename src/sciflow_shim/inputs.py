"""What a record says of the files and the earlier records that an attempt was given."""

from __future__ import annotations

import json
import os

from sciflow_shim.record_format import sha256

TYPE_CHECKING = False  # as type checkers know it; importing `typing` takes as long as a record
if TYPE_CHECKING:
    from collections.abc import Container
    from typing import Any

    from sciflow_shim.array import Array
    from sciflow_shim.record import Group

CHANGED = "has changed since the run was planned"
_BLOCK = 1 << 20


class FileChanged(RuntimeError):
    """A file on which the results of a task depend is no longer what it was when the run was planned."""

    def __init__(self, path: str, problem: str) -> None:
        way_out = "put it back as it was, or start `sciflow run` or `sciflow submit` again"
        super().__init__(f"`{os.path.basename(path)}` {problem}; {way_out} (`{path}`)")


def refuse_changed(array: Array) -> None:
    """Let nothing start that would give results of other files than those that the run was planned with.

    Raises
    ------
    FileChanged
        For a file that the command names, or the task declares as its input.
    """
    for path, problem in changed_files(array.task).items():
        raise FileChanged(path, problem)


def changed_files(task: dict[str, Any], read: bool = True) -> dict[str, str]:
    """The listed files of a task that are not what they were when the run was planned: path → what became of them.

    A file is read only where its size is still the same and its time is not, as when it was touched or copied.

    Parameters
    ----------
    task
        The task's file.
    read
        Whether files may be read; else one of another time counts as changed.
    """
    found = {}
    for one in (task.get("inputs") or {}).get("files", ()):
        path = os.path.join(task["directory"], one["path"])
        if problem := _problem(path, one, read):
            found[path] = problem
    return found


def _problem(path: str, told: dict[str, Any], read: bool) -> str:
    try:
        now = os.stat(path)
        same_size, same_time = now.st_size == told["size"], now.st_mtime_ns == told["mtime_ns"]
        is_same = same_size and (same_time or (read and _digest(path, now.st_size) == told["sha256"]))
    except OSError as error:
        return f"cannot be read any more: {error.strerror}"
    return "" if is_same else CHANGED


def _digest(path: str, size: int) -> str:
    digest = sha256(size)
    with open(path, "rb") as file:
        while block := file.read(_BLOCK):
            digest.update(block)
    return digest.hexdigest()


def inputs_group(array: Array, upstream: dict[str, list[list[Any]]], changed: Container[str]) -> Group:
    """Describe what was given.

    Parameters
    ----------
    array
        The array job.
    upstream
        Earlier task → its records, as `Upstream.used` gives them.
    changed
        The files that have changed.
    """
    from sciflow_shim.record import Group

    told: dict[str, Any] = array.task.get("inputs") or {"count": 0, "size": 0, "sha256": "", "files": []}
    group = Group({name: told[name] for name in ("count", "size", "sha256")})
    group.attributes["upstream"] = json.dumps(upstream, separators=(",", ":"))
    for number, one in enumerate(told["files"]):
        described = {name: one[name] for name in ("path", "size", "sha256")}
        described["is_unchanged"] = os.path.join(array.task["directory"], one["path"]) not in changed
        group.members[str(number)] = Group(described)
    return group
