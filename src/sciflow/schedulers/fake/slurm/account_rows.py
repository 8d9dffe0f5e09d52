"""The rows of `sacct`: of jobs, of what waits of them, and of the one step that a job script is."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING

from sciflow.schedulers.fake import dependencies
from sciflow.schedulers.fake.accounting import ALL_THE_REST, Row
from sciflow.schedulers.fake.jobs import RUNS, WAITS, Job
from sciflow.schedulers.fake.slurm.queue_rows import cancelled_together, is_bare

if TYPE_CHECKING:
    from sciflow.schedulers.fake.cluster import VirtualCluster

_NOT_ELIGIBLE = ("JobHeldUser", "Dependency", "DependencyNeverSatisfied", "BeginTime")


@dataclass(frozen=True)
class Entry:
    """One row: its job, the indices that it is of, what was written down, and whether it is of the job script's step.

    Attributes
    ----------
    is_eligible
        Whether it has ever waited for nothing but its turn: windows of time leave the others out.
    is_rest
        Whether it is of all that has no row of its own.
    """

    job: Job
    numbers: tuple[int, ...]
    row: Row
    is_step: bool = False
    is_eligible: bool = True
    is_rest: bool = False

    @property
    def has_run(self) -> bool:
        """Whether it has been started."""
        return bool(self.row.node)

    def batch(self) -> Entry:
        """The row of its job script."""
        return replace(self, is_step=True)

    def is_in(self, begin: float, end: float, by_state: bool = False) -> bool:
        """Whether something of it lies in a window of time: of what was never eligible nothing, but by its state."""
        if not self.is_eligible and not by_state:
            return False
        last = self.row.end if self.row.end is not None else float("inf")
        return self.job.submitted <= end and last >= begin


def entries_of(cluster: VirtualCluster, job: Job, with_all: bool = False) -> Iterator[Entry]:
    """What accounting can tell of a job now.

    Parameters
    ----------
    cluster
        The cluster.
    job
        The job.
    with_all
        Whether earlier starts of what was put back are told as well.
    """
    said = cluster.accounting.history(job, cluster.clock())
    rest = said.pop(ALL_THE_REST, [])
    waiting: list[int] = []
    for number in sorted(job.indices):
        rows = said.get(number)
        if not rows:
            if not job.indices[number].has_vanished:
                waiting.append(number)
            continue
        # What was put back after its end is known as that alone.
        ends = [one for one, later in pairwise(rows) if one.word not in (WAITS, RUNS) and later.word != "REQUEUED"]
        for row in [*(ends if with_all else []), rows[-1]]:
            yield Entry(job, (number,), row, is_eligible=row.node != "" or row.word == WAITS)
    if waiting:
        why = {cluster.queue.why(job.indices[number]) for number in waiting if job.indices[number].word == WAITS}
        is_eligible = not why or not why <= set(_NOT_ELIGIBLE)
        reason = min(why, default="None")
        row = Row(WAITS, reason, 0, 0, None, None, None, "")
        yield from _together(Entry(job, tuple(waiting), row, is_eligible=is_eligible, is_rest=True))
    if rest:
        numbers = tuple(sorted(one.number for one in cancelled_together(cluster, job)))
        rest_of_it = Entry(job, numbers, rest[-1], is_eligible=False, is_rest=True)
        yield from [replace(rest_of_it, numbers=())] if is_bare(job, numbers) else _together(rest_of_it)


def _together(entry: Entry) -> Iterator[Entry]:
    """One row, or one for each where these wait each for another."""
    if not dependencies.is_each(entry.job):
        yield entry
        return
    for number in entry.numbers:
        yield replace(entry, numbers=(number,), is_rest=False)
