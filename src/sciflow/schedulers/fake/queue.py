"""Who waits, for what, and who starts next: first in, first out, and whatever fits goes ahead."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from sciflow.schedulers.fake import dependencies
from sciflow.schedulers.fake.dependencies import HOPELESS, Wait
from sciflow.schedulers.fake.jobs import WAITS, Index, Job
from sciflow.schedulers.fake.nodes import Node

if TYPE_CHECKING:
    from sciflow.schedulers.fake.cluster import VirtualCluster


class Queue:
    """The jobs that wait.

    Parameters
    ----------
    cluster
        Whose queue it is.
    start
        Starts an index on a node.
    drop
        Takes in that an index can never start, and is removed.
    """

    def __init__(
        self, cluster: VirtualCluster, start: Callable[[Index, Node], None], drop: Callable[[Index], None]
    ) -> None:
        self._cluster = cluster
        self._start, self._drop = start, drop
        self._waiting: dict[int, Job] = {}
        self._dependents: dict[int, list[Job]] = {}
        self._is_woken = False

    def add(self, job: Job) -> None:
        """Let a job wait, for what it depends on and for its turn."""
        self._waiting[job.order] = job
        if job.request.begin > self._cluster.clock():
            self._cluster.clock.at(job.request.begin, self.wake)
        self.tie(job)

    def tie(self, job: Job) -> None:
        """Take in what a job waits for."""
        job.tied = {other: self._cluster.find(other) for other in dependencies.waits_for(job)}
        job.late = {other for other, known in job.tied.items() if known is not None and not known.open}
        for known in job.tied.values():
            if known is not None:
                self._dependents.setdefault(known.order, []).append(job)
        self._drop_hopeless(job, list(job.waiting))
        self.wake()

    def put_back(self, index: Index) -> None:
        """Let an index wait again."""
        index.job.waiting[index.number] = None
        self._waiting[index.job.order] = index.job
        self._cluster.clock.at(index.eligible, self.wake)
        self.wake()

    def leave(self, index: Index) -> None:
        """Let an index wait no more."""
        job = index.job
        del job.waiting[index.number]
        if not job.waiting:
            self._waiting.pop(job.order, None)

    def ended(self, index: Index) -> None:
        """Take in that an index has ended for good, for those that wait for it."""
        for job in self._dependents.get(index.job.order, ()):
            numbers = [index.number] if dependencies.is_each(job) and index.job.open else list(job.waiting)
            self._drop_hopeless(job, [one for one in numbers if one in job.waiting])
        self.wake()

    def wake(self) -> None:
        """Let the queue be looked at as soon as all is done that happens now."""
        if not self._is_woken:
            self._is_woken = True
            self._cluster.clock.after(0.0, self._look)

    def why(self, index: Index) -> str:
        """Why an index waits, in Slurm's word."""
        job, cluster = index.job, self._cluster
        if index.word != WAITS:
            return index.reason
        if job.request.is_held:
            return "JobHeldUser"
        waits = (self._of_job(job), dependencies.of_index(job, index.number, cluster.rules.customs))
        if Wait.NEVER in waits:
            return HOPELESS
        if Wait.WAITS in waits:
            return "Dependency"
        if max(job.request.begin, index.eligible) > cluster.clock():
            return "BeginTime"
        if job.request.throttle and job.running >= job.request.throttle:
            return "JobArrayTaskLimit"
        return "Resources"

    def is_tied(self, job: Job) -> bool:
        """Whether a job waits for other jobs."""
        return self._of_job(job) is not Wait.MET

    def _of_job(self, job: Job) -> Wait:
        cluster = self._cluster
        return dependencies.of_job(job, cluster.rules.customs, cluster.clock(), self._waiting.values())

    def _drop_hopeless(self, job: Job, numbers: Iterable[int]) -> None:
        """Remove what waits for something that can no longer happen, where it wants to be removed then."""
        if not job.request.is_removed_when_hopeless:
            return
        is_lost = self._of_job(job) is Wait.NEVER
        for number in numbers:
            if is_lost or dependencies.of_index(job, number, self._cluster.rules.customs) is Wait.NEVER:
                self._drop(job.indices[number])

    def _look(self) -> None:
        """Start what can start, in the order in which it came."""
        self._is_woken = False
        cluster = self._cluster
        now = cluster.clock()
        for job in list(self._waiting.values()):
            if not any(node.is_up and node.free_cores for node in cluster.nodes.values()):
                return
            if job.request.is_held or job.request.begin > now or self._of_job(job) is not Wait.MET:
                continue
            for number in list(job.waiting):
                if job.request.throttle and job.running >= job.request.throttle:
                    break
                node = self._node_for(job)
                if node is None:
                    break
                index = job.indices[number]
                if index.eligible <= now and dependencies.of_index(job, number, cluster.rules.customs) is Wait.MET:
                    self._start(index, node)

    def _node_for(self, job: Job) -> Node | None:
        request = job.request
        partition = self._cluster.rules.partition(request.partition)
        for node in self._cluster.nodes.values():
            is_meant = partition is not None and partition.is_up and node.is_of(partition)
            has_features = set(request.features) <= set(node.features)
            if is_meant and has_features and node.name not in request.excluded and node.has_room(request):
                return node
        return None
