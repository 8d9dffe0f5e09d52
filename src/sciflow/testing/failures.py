"""How jobs end that a test lets fail."""

from __future__ import annotations

import fnmatch
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

from sciflow.schedulers.fake.cluster import VirtualCluster
from sciflow.schedulers.fake.jobs import Index

How = Literal["killed", "error", "out of memory", "time limit", "node", "preempted"]


@dataclass
class Strike:
    """How some starts of some indices end."""

    job: str
    index: int | None
    how: How
    after: float
    times: int

    def meets(self, index: Index) -> bool:
        """Whether it is meant for an index that has started."""
        is_meant = self.index in (None, index.number) and fnmatch.fnmatchcase(index.job.name, self.job)
        return self.times > 0 and is_meant


def _fail(cluster: VirtualCluster, index: Index) -> None:
    cluster.body.kill(cluster, index)
    cluster.exited(index, 1)


def _run_out_of_memory(cluster: VirtualCluster, index: Index) -> None:
    cluster.body.kill(cluster, index)
    cluster.exited(index, 0, 9, is_oom=True)


def _lose_node(cluster: VirtualCluster, index: Index) -> None:
    assert index.node is not None
    cluster.kill_node(index.node.name)


WAYS: Mapping[How, Callable[[VirtualCluster, Index], None]] = {
    "killed": lambda cluster, index: cluster.kill_job(index),
    "error": _fail,
    "out of memory": _run_out_of_memory,
    "time limit": lambda cluster, index: cluster.time_out(index),
    "node": _lose_node,
    "preempted": lambda cluster, index: cluster.preempt(index),
}
