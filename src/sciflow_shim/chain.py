"""A task that takes longer than a site lets a job run: several jobs, each from the checkpoint of the one before."""

from __future__ import annotations

import sys

from sciflow_shim import checkpoints, files

TYPE_CHECKING = False  # as type checkers know it; importing `typing` takes its time
if TYPE_CHECKING:
    from sciflow_shim.array import Array

_STOPPED = ("RUNNING", "TIMEOUT", "CANCELLED", "NODE_FAIL", "PREEMPTED")  # RUNNING says who was killed


def code_without_start(array: Array, index: int) -> int | None:
    """The exit code of an index that has nothing to go on with; None where its last attempt was stopped."""
    found = array.shelf.find(array.name, index)
    if found is None:  # it was folded or removed, and what waits for this index looks for itself
        sys.stderr.write(f"{array.name}[{index}] has no record to go on from\n")
        return 0
    if found.state == "COMPLETED":
        return 0
    if found.state in _STOPPED:
        return None
    sys.stderr.write(f"{array.name}[{index}] does not go on: attempt {found.attempt} ended as {found.state}\n")
    return 1


def leaves_checkpoint(array: Array, index: int) -> bool:
    """Whether there is a checkpoint from which the next job can go on."""
    work = files.work(array.header["task"], array.line(index)["id"])
    return bool(checkpoints.look(array.path(work)))
