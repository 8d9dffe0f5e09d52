"""What PBS has written into the logs of jobs that it has ended: where it forgets them, that is all that it says."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from pathlib import Path

from sciflow.model.state import State
from sciflow.model.statement import Statement
from sciflow_shim import files

_KILLED = re.compile(r"^=>> PBS: (job killed: (\w+).*)$", re.MULTILINE)
_STATES = {
    **dict.fromkeys(("walltime", "cput"), State.TIMEOUT),
    **dict.fromkeys(("mem", "vmem", "pmem", "pvmem"), State.OUT_OF_MEMORY),
}
_TAIL = 4_096  # bytes


def read_ends(run: Path, name: str, job: str, indices: Iterable[int]) -> dict[int, Statement]:
    """Index → how PBS has ended it, of those of a job of which it says so in their logs.

    Parameters
    ----------
    run
        The run directory.
    name
        The unique name of the submission, which begins with that of the array job.
    job
        Its job id.
    indices
        Those that are not in the queue any more.
    """
    array = name.rsplit(".", 2)[0]
    found = {}
    for index in indices:
        try:
            with (run / files.job_log(array, index, job)).open("rb") as log:
                log.seek(max(0, log.seek(0, os.SEEK_END) - _TAIL))
                text, end = log.read().decode(errors="replace"), os.fstat(log.fileno()).st_mtime
        except FileNotFoundError:  # it has printed nothing, or has not begun
            continue
        said = _KILLED.findall(text)
        if said:
            word, resource = said[-1]
            found[index] = Statement(_STATES.get(resource, State.FAILED), word.strip(), "", None, end)
    return found
