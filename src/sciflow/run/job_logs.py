"""The ends of what job scripts have printed, and of what the scheduler says there."""

from __future__ import annotations

import os

from sciflow.store import sealed
from sciflow.store.layout import RunDirectory

TAIL = 4096  # bytes; the last words are there


class JobLogs:
    """What the jobs of a run have printed around their programs; each is read once.

    Parameters
    ----------
    run
        The run.
    """

    def __init__(self, run: RunDirectory) -> None:
        self._run = run
        self._known: dict[str, str] = {}

    def tail(self, array: str, element: int, job: str) -> str:
        """The end of it; empty where there is nothing."""
        path = str(self._run.job_log(array, element, job))
        if path not in self._known:
            self._known[path] = _tail(path)
        return self._known[path]


def _tail(path: str) -> str:
    try:
        descriptor = os.open(path, os.O_RDONLY)
    except FileNotFoundError:
        data = (sealed.read_log(path) or b"")[-TAIL:]
    else:
        try:
            size = os.fstat(descriptor).st_size
            data = os.pread(descriptor, TAIL, max(0, size - TAIL))
        finally:
            os.close(descriptor)
    return data.decode(errors="replace")
