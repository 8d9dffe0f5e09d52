"""What a record says of checkpoints: what an attempt has found, who had left it, and what it leaves itself."""

from __future__ import annotations

import os

from sciflow_shim import files

TYPE_CHECKING = False  # as type checkers know it; importing `typing` takes its time
if TYPE_CHECKING:
    from typing import Any

    from sciflow_shim.array import Array

_MOST = 10_000  # files that are looked at


def look(work: str) -> dict[str, Any]:
    """How many files the checkpoint folder of a working directory holds, their bytes, and when the last was written.

    Nothing where there is none, or where it is empty.
    """
    count, size, newest = 0, 0, 0.0
    for folder, _, names in os.walk(os.path.join(work, files.CHECKPOINT)):
        for name in names[: _MOST - count]:
            try:
                facts = os.stat(os.path.join(folder, name))
            except FileNotFoundError:  # the program renames or removes it
                continue
            count, size, newest = count + 1, size + facts.st_size, max(newest, facts.st_mtime)
    return {"files": count, "bytes": size, "time": newest} if count else {}


def found(array: Array, index: int, attempt: int, work: str) -> dict[str, Any]:
    """What an attempt finds when it starts: as `look`, with the earlier attempt that wrote it last.

    That is the last one which had started by then; 0 where none of this run had.
    """
    facts = look(work)
    if not facts:
        return {}
    writer = 0
    for earlier in range(attempt - 1, 0, -1):
        record = array.shelf.find(array.name, index, array.pack, [earlier])
        start = record.facts.get("start") if record else None
        if start is not None and start <= facts["time"]:
            writer = earlier
            break
    return {"attempt": writer, **facts}
