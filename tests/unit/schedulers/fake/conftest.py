"""A virtual cluster on which nothing is run but what a test says."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from sciflow.schedulers.fake.clock import VirtualClock
from sciflow.schedulers.fake.cluster import VirtualCluster
from sciflow.schedulers.fake.jobs import Index
from sciflow.schedulers.fake.nodes import make_nodes
from sciflow.schedulers.fake.partitions import Partition
from sciflow.schedulers.fake.rules import Rules
from sciflow.schedulers.fake.scheduler import scheduler_of
from sciflow.schedulers.fake.slurm.face import SLURM
from sciflow.schedulers.fake.transport import VirtualTransport

MINUTE = 60.0


class Sleeping:
    """Each index runs for so long, and ends with such a code; those that are told to stop do so after two seconds."""

    def __init__(self) -> None:
        self.seconds, self.code = 10 * MINUTE, 0
        self.started: list[tuple[str, int, str]] = []
        self.codes: dict[tuple[str, int], int] = {}

    def start(self, cluster: VirtualCluster, index: Index) -> None:
        """Start an index."""
        assert index.node is not None
        self.started.append((index.job.name, index.number, index.node.name))
        code = self.codes.get((index.job.name, index.number), self.code)
        self._end_after(cluster, index, self.seconds, code)

    def stop(self, cluster: VirtualCluster, index: Index) -> None:
        """Let it end soon."""
        self._end_after(cluster, index, 2.0, 143)

    def kill(self, cluster: VirtualCluster, index: Index) -> None:
        """Nothing is left that could tell anything."""

    def wait(self, cluster: VirtualCluster) -> bool:
        """Nothing of it is real."""
        return False

    def _end_after(self, cluster: VirtualCluster, index: Index, seconds: float, code: int) -> None:
        run = index.run_of
        cluster.clock.after(seconds, lambda: cluster.is_current(index, run) and cluster.exited(index, code))


class Desk:
    """Somebody who submits job scripts to a virtual cluster of two nodes with two cores each."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.body = Sleeping()
        rules = Rules((Partition(longest=24 * 60 * MINUTE),), lag=5.0)
        self.cluster = VirtualCluster(make_nodes(2, 2, 4), self.body, SLURM, VirtualClock(1_000_000.0), rules)
        self.transport = VirtualTransport(self.cluster)
        self.scheduler = scheduler_of(self.cluster, folder)

    def submit(self, name: str, *options: str) -> str:
        """Submit a script of an array job; gives the job id, or the complaint."""
        script = self.folder / f"{name}.sh"
        lines = ["#!/bin/bash", *(f"#SBATCH {one}" for one in options), "echo"]
        script.write_text("\n".join(lines))
        answer = self.transport.run(["sbatch", "--parsable", f"--job-name={name}", script.name], self.folder)
        return answer.complaint if answer.code else answer.out.strip()

    def words(self, job: str) -> list[str]:
        """The words for the indices of a job, as the controller has them."""
        return [index.word for index in self.cluster.jobs[job].indices.values()]


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    """Return a desk."""
    return Desk(tmp_path)


def comes_to_an_end(pid: str, patience: float = 10.0) -> bool:
    """Whether a process ends, sooner or later; it may be nobody's child, whom nobody has taken in yet."""
    until = time.monotonic() + patience
    while time.monotonic() < until:
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        except OSError:
            return True
        if state == "Z":
            return True
        os.sched_yield()
    return False
