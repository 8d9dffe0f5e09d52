"""A virtual cluster on which jobs of any user take as long as they are said to, for tests of its queue."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from sciflow.schedulers.fake.clock import VirtualClock
from sciflow.schedulers.fake.cluster import VirtualCluster
from sciflow.schedulers.fake.jobs import Index, Job
from sciflow.schedulers.fake.nodes import Node, make_nodes
from sciflow.schedulers.fake.request import Condition, Dependency, Order, Request
from sciflow.schedulers.fake.rules import Rules
from sciflow.schedulers.fake.slurm.face import SLURM

MINUTE, HOUR = 60.0, 3_600.0
NOW = 1_000_000.0


class Yard:
    """Two nodes of two cores, and a body whose jobs run for as long as they ask for or as is said."""

    def __init__(self, rules: Rules | None = None, nodes: Sequence[Node] | None = None) -> None:
        self.lengths: dict[str, float] = {}
        self.cluster = VirtualCluster(nodes or make_nodes(2, 2, 4), self, SLURM, VirtualClock(NOW), rules)

    def start(self, cluster: VirtualCluster, index: Index) -> None:
        """Start an index."""
        run = index.run_of
        seconds = self.lengths.get(index.job.name, cluster.seconds_of(index.job))
        cluster.clock.after(seconds, lambda: cluster.is_current(index, run) and cluster.exited(index, 0))

    def stop(self, cluster: VirtualCluster, index: Index) -> None:
        """Let it end at once."""
        cluster.exited(index, 143)

    def kill(self, cluster: VirtualCluster, index: Index) -> None:
        """Nothing is left."""

    def wait(self, cluster: VirtualCluster) -> bool:
        """Nothing of it is real."""
        return False

    def submit(self, name: str, count: int = 1, after: str = "", user: str = "chen", **asked: Any) -> Job:
        """Submit an array job of so many indices, for an hour each unless it asks for something else."""
        request = Request(name, tuple(range(count)), **{"seconds": HOUR, **asked})
        kind, _, other = after.partition(":")
        conditions = (Condition(kind, other),) if after else ()  # pyright: ignore[reportArgumentType]
        return self.cluster.submit(Order(request, Path("x.sh"), Path("/"), Dependency(conditions), user=user))

    def run(self, seconds: float = float("inf")) -> None:
        """Let time pass."""
        self.cluster.run(seconds=seconds)

    def starts(self, job: Job) -> list[float | None]:
        """When the indices of a job have started, in seconds since the beginning."""
        return [None if one.began is None else one.began - NOW for one in job.indices.values()]

    def why(self, job: Job, number: int = 0) -> str:
        """Why an index waits."""
        return self.cluster.queue.why(job.indices[number])
