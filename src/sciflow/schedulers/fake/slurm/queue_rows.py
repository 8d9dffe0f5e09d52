"""The rows of `squeue`: one for each index that has started, and one for all of a job that wait for the same."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

from sciflow.schedulers.fake import dependencies
from sciflow.schedulers.fake.accounting import ALL_THE_REST
from sciflow.schedulers.fake.jobs import WAITS, Index, Job

if TYPE_CHECKING:
    from sciflow.schedulers.fake.cluster import VirtualCluster


class Row(NamedTuple):
    """One row: its job, the first of its indices, the numbers of all of them, and why they are in their state.

    `is_split` is whether it stands for one index, and not for as many as wait together, of which one may be left.
    """

    job: Job
    first: Index
    numbers: tuple[int, ...]
    reason: str
    is_split: bool = False

    @property
    def word(self) -> str:
        """The state."""
        return self.first.word

    @property
    def node(self) -> str:
        """Where it runs; empty for nowhere."""
        return self.first.node.name if self.first.node else ""


def rows_of(cluster: VirtualCluster, job: Job, is_each: bool = False) -> Iterator[Row]:
    """The rows of a job, as far as the controller knows it.

    Parameters
    ----------
    cluster
        The cluster.
    job
        The job.
    is_each
        Whether each index has a row of its own.
    """
    now, remembered = cluster.clock(), cluster.rules.remembered
    waiting: dict[tuple[str, int], list[Index]] = {}
    for index in job.indices.values():
        if index.word == WAITS:
            waiting.setdefault((cluster.queue.why(index), index.restarts), []).append(index)
        elif not index.has_vanished and (index.end is None or now - index.end < remembered):
            yield Row(job, index, (index.number,), index.reason, is_split=True)
    together = cancelled_together(cluster, job)
    if together and now - (together[0].end or 0.0) < remembered:
        waiting[together[0].reason, -1] = together
    for (reason, restarts), indices in waiting.items():
        # Those that were put back, or wait each for another, are records of their own.
        is_split = is_each or restarts > 0 or dependencies.is_each(job)
        groups = [[one] for one in indices] if is_split else [indices]
        for group in groups:
            yield Row(job, group[0], tuple(sorted(one.number for one in group)), reason, is_split)


def cancelled_together(cluster: VirtualCluster, job: Job) -> list[Index]:
    """Those of a job that were cancelled together before they started, of which one trace is left.

    One that is cancelled alone leaves none, but for the last of a job.
    """
    account = cluster.accounting.accounts.get(job.order)
    noted = account.rows.get(ALL_THE_REST) if account else None
    if not noted:
        return []
    return [one for one in job.indices.values() if one.has_vanished and one.end == noted[-1][1].end]


def is_bare(job: Job, numbers: tuple[int, ...]) -> bool:
    """Whether such a trace is of a job of which all indices were cancelled one by one: then it names none of them."""
    return len(numbers) == 1 and len(job.indices) > 1 and all(one.has_vanished for one in job.indices.values())
