"""What runs, until it has ended: by itself, by its scheduler, with its node, or to be put back into the queue."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sciflow.schedulers.fake.accounting import Row
from sciflow.schedulers.fake.jobs import RUNS, WAITS, Index
from sciflow.schedulers.fake.nodes import Node

if TYPE_CHECKING:
    from sciflow.schedulers.fake.cluster import VirtualCluster

Start = tuple[int, int, int]


class Runs:
    """The starts of indices, and their ends.

    Parameters
    ----------
    cluster
        Where they run.
    """

    def __init__(self, cluster: VirtualCluster) -> None:
        self._cluster = cluster

    def start(self, index: Index, node: Node) -> None:
        """Start an index on a node."""
        cluster, job = self._cluster, index.job
        now = cluster.clock()
        limit = cluster.seconds_of(job)
        cluster.queue.leave(index)
        node.take(index, now + limit)
        job.running += 1
        user = cluster.users.by_name[job.user]
        user.running, user.cores = user.running + 1, user.cores + job.request.cores
        index.word, index.reason, index.start, index.end, index.node = RUNS, "None", now, None, node
        if index.began is None:
            self.begin(index)
        self.note(index)
        run = index.run_of
        index.timer = cluster.clock.after(limit + cluster.rules.late, lambda: self._is_late(index, run))
        cluster.tell("started", index)
        if node.is_up and cluster.is_current(index, run):
            cluster.body.start(cluster, index)

    def begin(self, index: Index) -> None:
        """Take in that an index has started for the first time, or never will."""
        index.began = self._cluster.clock()
        index.job.unstarted -= 1
        index.job.last_start = index.began
        self._cluster.queue.started(index)

    def end_by(self, index: Index, fate: str) -> None:
        """Let the scheduler end what runs: it is told to end, and killed if it does not."""
        if index.word != RUNS or index.fate:
            return
        cluster, run = self._cluster, index.run_of
        index.fate = fate
        cluster.body.stop(cluster, index)
        cluster.clock.after(cluster.rules.kill_wait, lambda: self._force(index, run))

    def exited(self, index: Index, code: int, signal: int, is_oom: bool) -> None:
        """Take in that all of an index has ended, and how."""
        fate, index.fate = index.fate, ""
        if fate == "PREEMPTED":
            self._preempted(index)
        elif fate == "REQUEUED":
            self.put_back(index, fate, "None")
        elif fate:
            self.end(index, fate, 0, 15 if fate == "CANCELLED" else 0, "TimeLimit" if fate == "TIMEOUT" else "None")
        elif is_oom:
            self.end(index, "OUT_OF_MEMORY", 0, 125, "OutOfMemory")
        elif signal:
            self.end(index, "FAILED", 0, signal, "JobLaunchFailure")  # sic: Slurm's own reason
        else:
            self.end(index, "FAILED" if code else "COMPLETED", code, 0, "NonZeroExitCode" if code else "None")

    def miss(self, index: Index, run: Start) -> None:
        """Take in that the node of an index has died: what was to end has, and the rest goes back into the queue."""
        if not self._cluster.is_current(index, run):
            return
        if index.fate:
            self.exited(index, 0, 9, False)
        elif index.job.request.is_requeued:
            self.put_back(index, "NODE_FAIL", "NodeDown")
        else:
            self.end(index, "NODE_FAIL", 0, 0, "NodeDown")

    def put_back(self, index: Index, word: str, reason: str) -> None:
        """End a start after which the index goes back into the queue."""
        cluster = self._cluster
        self._leave_node(index)
        index.word, index.reason, index.end = word, reason, cluster.clock()
        self.note(index)
        self.wait_again(index)

    def wait_again(self, index: Index) -> None:
        """Let an index wait as one that was put back."""
        cluster = self._cluster
        index.word, index.reason, index.restarts = WAITS, "BeginTime", index.restarts + 1
        index.eligible = cluster.clock() + cluster.rules.put_back
        index.start, index.end, index.node, index.by = None, None, None, None
        index.code, index.signal = 0, 0
        self.note(index)
        cluster.queue.put_back(index)
        cluster.tell("put back", index)

    def end(self, index: Index, word: str, code: int, signal: int, reason: str) -> None:
        """End an index for good."""
        self._leave_node(index)
        index.job.last = index
        index.word, index.code, index.signal, index.reason = word, code, signal, reason
        index.end = self._cluster.clock()
        self.note(index)
        self.over(index)
        self._cluster.tell("ended", index)

    def over(self, index: Index) -> None:
        """Count an index among those that have ended."""
        cluster, job = self._cluster, index.job
        if index.began is None:
            self.begin(index)
        job.open -= 1
        job.failed += index.word != "COMPLETED"
        job.last_end = cluster.clock()
        cluster.users.by_name[job.user].queued -= 1
        cluster.queue.ended(index)

    def note(self, index: Index) -> None:
        """Let accounting write down how it stands with an index."""
        self._cluster.accounting.note(index.job, index.number, Row.of(index), self._cluster.clock())

    def _preempted(self, index: Index) -> None:
        is_lost = self._cluster.partition_of(index.job).preempted == "cancel"
        if is_lost or not index.job.request.is_requeued:
            self.end(index, "PREEMPTED", 0, 0, "None")
        else:
            self.put_back(index, "PREEMPTED", "None")

    def _is_late(self, index: Index, run: Start) -> None:
        if self._cluster.is_current(index, run):
            self.end_by(index, "TIMEOUT")

    def _force(self, index: Index, run: Start) -> None:
        if self._cluster.is_current(index, run):
            self._cluster.kill_job(index)

    def _leave_node(self, index: Index) -> None:
        assert index.node is not None
        assert index.start is not None
        cluster, job = self._cluster, index.job
        now, cores = cluster.clock(), index.node.held_by(index).cores
        index.node.free(index)
        job.running -= 1
        user = cluster.users.by_name[job.user]
        user.running, user.cores = user.running - 1, user.cores - cores
        cluster.users.add(job.user, cores * (now - index.start), now)
        if index.timer is not None:
            index.timer.call_off()
            index.timer = None
