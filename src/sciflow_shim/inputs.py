"""What a record says of the files and the earlier records that an attempt was given."""

from __future__ import annotations

import json
import os

TYPE_CHECKING = False  # as type checkers know it; importing `typing` takes as long as a record
if TYPE_CHECKING:
    from typing import Any

    from sciflow_shim.array import Array
    from sciflow_shim.record import Group


def inputs_group(array: Array, upstream: dict[str, list[list[Any]]]) -> Group:
    """Describe what was given.

    Nothing is read again: files are looked at by size and time only, so that a file that was changed since it was
    read is told at the price of one `stat`.

    Parameters
    ----------
    array
        The array job.
    upstream
        Earlier task → its records, as `Upstream.used` gives them.
    """
    from sciflow_shim.record import Group

    told: dict[str, Any] = array.task.get("inputs") or {"count": 0, "size": 0, "sha256": "", "files": []}
    group = Group({name: told[name] for name in ("count", "size", "sha256")})
    group.attributes["upstream"] = json.dumps(upstream, separators=(",", ":"))
    for number, one in enumerate(told["files"]):
        described = {name: one[name] for name in ("path", "size", "sha256")}
        described["is_unchanged"] = _is_unchanged(os.path.join(array.task["directory"], one["path"]), one)
        group.members[str(number)] = Group(described)
    return group


def _is_unchanged(path: str, told: dict[str, Any]) -> bool:
    try:
        found = os.stat(path)
    except OSError:
        return False
    return (found.st_size, found.st_mtime_ns) == (told["size"], told["mtime_ns"])
