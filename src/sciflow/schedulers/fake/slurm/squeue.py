"""`squeue`: what the controller knows."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, NamedTuple

from sciflow.model.statement import CONTROLLER
from sciflow.schedulers.fake.face import Call
from sciflow.schedulers.fake.jobs import WAITS, Index, Job
from sciflow.schedulers.fake.slurm.lists import write_list
from sciflow.transport.base import Answer

if TYPE_CHECKING:
    from sciflow.schedulers.fake.cluster import VirtualCluster

SILENT = "Unable to contact slurm controller (connect failure)"


class Line(NamedTuple):
    """One line of `squeue`: an index that has started, or all of a job that wait for the same reason."""

    job: Job
    first: Index
    numbers: str
    reason: str


def squeue(cluster: VirtualCluster, call: Call) -> Answer:
    """List what is queued, runs, and has ended not long ago."""
    if cluster.faults.is_silent(CONTROLLER):
        return Answer(1, "", f"slurm_load_jobs error: {SILENT}\n")
    arguments = list(call.argv[1:])
    names = set(arguments[arguments.index("-n") + 1].split(",")) if "-n" in arguments else None
    shown = arguments[arguments.index("-o") + 1] if "-o" in arguments else "%i|%T"
    is_all = "-t" in arguments
    lines = []
    for job in cluster.known():
        if names is None or job.name in names:
            lines += [_write(shown, cluster, line) for line in _lines(cluster, job, is_all)]
    return Answer(0, "".join(f"{line}\n" for line in lines), "")


def _lines(cluster: VirtualCluster, job: Job, is_all: bool) -> Iterator[Line]:
    now, remembered = cluster.clock(), cluster.rules.remembered
    waiting: dict[str, list[Index]] = {}
    for index in job.indices.values():
        if index.word == WAITS:
            waiting.setdefault(cluster.queue.why(index), []).append(index)
        elif not index.has_vanished and (index.end is None or (is_all and now - index.end < remembered)):
            yield Line(job, index, str(index.number) if job.is_array else "N/A", index.reason)
    for reason, indices in waiting.items():
        throttle = f"%{job.request.throttle}" if job.request.throttle else ""
        numbers = write_list(sorted(one.number for one in indices)) + throttle if job.is_array else "N/A"
        yield Line(job, indices[0], numbers, reason)


_LETTERS: dict[str, Callable[[VirtualCluster, Line], str]] = {
    "F": lambda _, line: line.job.id,
    "K": lambda _, line: line.numbers,
    "j": lambda _, line: line.job.name,
    "T": lambda _, line: line.first.word,
    "S": lambda _, line: str(int(line.first.start)) if line.first.start is not None else "N/A",
    "e": lambda _, line: str(int(line.first.end)) if line.first.end is not None else "N/A",
    "N": lambda _, line: line.first.node.name if line.first.node else "",
    "r": lambda _, line: line.reason,
}


def _write(shown: str, cluster: VirtualCluster, line: Line) -> str:
    first, *rest = shown.split("%")
    return first + "".join(_LETTERS[one[0]](cluster, line) + one[1:] for one in rest)
