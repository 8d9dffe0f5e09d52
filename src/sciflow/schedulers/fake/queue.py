"""Who waits, for what, and who starts next: by tier and priority, and what delays nobody before it goes ahead."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING

from sciflow.schedulers.fake import dependencies, reasons
from sciflow.schedulers.fake.backfill import Backfill
from sciflow.schedulers.fake.dependencies import Wait
from sciflow.schedulers.fake.jobs import WAITS, Index, Job, shape_of
from sciflow.schedulers.fake.nodes import Node
from sciflow.schedulers.fake.preemption import Preemption

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

    Attributes
    ----------
    last, seen
        The last look at the queue, None before the first; and the place of the last job that was there then.
    """

    def __init__(
        self, cluster: VirtualCluster, start: Callable[[Index, Node], None], drop: Callable[[Index], None]
    ) -> None:
        self._cluster = cluster
        self._start, self._drop = start, drop
        self._waiting: dict[int, Job] = {}
        self._sorted: list[Job] = []
        self._sort_at = 0.0
        self._namesakes: dict[tuple[str, str], dict[int, Job]] = {}
        self._is_woken = False
        self.last: Backfill | None = None
        self.seen = -1
        self._said: dict[int, str] = {}
        self._said_at = 0.0

    def add(self, job: Job) -> None:
        """Let a job wait, for what it depends on and for its turn."""
        self._namesakes.setdefault((job.user, job.name), {})[job.order] = job
        self._enter(job)
        self.tie(job)

    def tie(self, job: Job) -> None:
        """Take in what a job waits for."""
        for other in job.upstream:
            other.downstream.pop(job.order, None)
        job.tied = {other: self._cluster.find(other) for other in dependencies.waits_for(job.dependency)}
        job.late = {other for other, known in job.tied.items() if known is not None and not known.open}
        for other in job.upstream:
            other.downstream[job.order] = job
            for delay in dependencies.delays(job, other):
                if not other.unstarted:
                    self._cluster.clock.at(other.last_start + delay, self.wake)
        job.eligible = None
        self.refresh(job)
        self._drop_hopeless(job, list(job.waiting))

    def refresh(self, job: Job) -> None:
        """Look anew at which of its indices wait for nothing of their own, and when it may begin."""
        now = self._cluster.clock()
        job.shape = shape_of(job.request)
        if job.request.begin > now:
            self._cluster.clock.at(job.request.begin, self.wake)
        job.ready = [number for number in job.waiting if self._is_ready(job, number, now)]
        heapq.heapify(job.ready)
        self._sort_at = now
        self.wake()

    def put_back(self, index: Index) -> None:
        """Let an index wait again."""
        job = index.job
        job.waiting[index.number] = None
        self._namesakes.setdefault((job.user, job.name), {})[job.order] = job
        self._enter(job)
        self._cluster.clock.at(index.eligible, lambda: self._offer(job, [index.number]))
        self.wake()

    def leave(self, index: Index) -> None:
        """Let an index wait no more."""
        job = index.job
        del job.waiting[index.number]
        if not job.waiting:
            self._waiting.pop(job.order, None)

    def started(self, index: Index) -> None:
        """Take in that an index has started, for those that wait for that."""
        for job in index.job.downstream.values():
            for delay in dependencies.delays(job, index.job):
                self._cluster.clock.after(delay, self.wake)

    def ended(self, index: Index) -> None:
        """Take in that an index has ended for good, for those that wait for it."""
        other = index.job
        if not other.open:
            self._namesakes.get((other.user, other.name), {}).pop(other.order, None)
        for job in list(other.downstream.values()):
            is_all = not other.open or not dependencies.is_each(job)
            numbers = list(job.waiting) if is_all and self._concerns(job, index) else [index.number]
            numbers = [one for one in numbers if one in job.waiting]
            if dependencies.is_each(job):
                self._offer(job, numbers)
            self._drop_hopeless(job, numbers)
        self.wake()

    def wake(self) -> None:
        """Let the queue be looked at as soon as all is done that happens now."""
        self._said.clear()
        if not self._is_woken:
            self._is_woken = True
            self._cluster.clock.after(0.0, self._look)

    def why(self, index: Index) -> str:
        """Why an index waits, in Slurm's word."""
        if index.word != WAITS:
            return index.reason
        own = reasons.why(self._cluster, index)
        look, job, now = self.last, index.job, self._cluster.clock()
        if own or look is None or job.order > self.seen:
            return own or "None"
        if self._said_at != now:
            self._said.clear()
            self._said_at = now
        if job.order not in self._said:
            self._said[job.order] = reasons.of_room(self._cluster, job, look)
        return self._said[job.order]

    def is_tied(self, job: Job) -> bool:
        """Whether a job waits for other jobs."""
        return self.stands(job) is not Wait.MET

    def stands(self, job: Job) -> Wait:
        """How it stands with what all indices of a job wait for."""
        names = self._namesakes.get((job.user, job.name), {})
        return dependencies.of_job(job, self._cluster.rules.customs, self._cluster.clock(), names.values())

    def startable(self) -> Iterator[Job]:
        """The jobs that wait for nothing but room, the first to start first."""
        now = self._cluster.clock()
        for job in self._in_order(now):
            if self._is_startable(job, now):
                yield job

    def _enter(self, job: Job) -> None:
        if job.order not in self._waiting:
            self._waiting[job.order] = job
            self._sorted.append(job)
            self._sort_at = self._cluster.clock()

    def _concerns(self, job: Job, index: Index) -> bool:
        """Whether the end of an index can decide on all of a job."""
        whole = (one for one in job.dependency.conditions if one.job == index.job.id)
        return not index.job.open or any(one.index == index.number for one in whole)

    def _is_ready(self, job: Job, number: int, now: float) -> bool:
        return (
            job.indices[number].eligible <= now
            and dependencies.of_index(job, number, self._cluster.rules.customs) is Wait.MET
        )

    def _offer(self, job: Job, numbers: Iterable[int]) -> None:
        """Let indices be started that wait for nothing of their own any more."""
        now = self._cluster.clock()
        for number in numbers:
            if number in job.waiting and self._is_ready(job, number, now):
                heapq.heappush(job.ready, number)
        self.wake()

    def _drop_hopeless(self, job: Job, numbers: Iterable[int]) -> None:
        """Remove what waits for something that can no longer happen, where it wants to be removed then."""
        if not job.request.is_removed_when_hopeless:
            return
        is_lost = self.stands(job) is Wait.NEVER
        for number in numbers:
            if number in job.waiting and (
                is_lost or dependencies.of_index(job, number, self._cluster.rules.customs) is Wait.NEVER
            ):
                self._drop(job.indices[number])

    def _in_order(self, now: float) -> list[Job]:
        """The jobs that wait, the most important first."""
        if now >= self._sort_at:
            cluster = self._cluster
            self._sorted = sorted(
                self._waiting.values(),
                key=lambda job: (-cluster.partition_of(job).tier, -cluster.users.points(job, now), job.order),
            )
            self._sort_at = now + cluster.rules.priorities.every
        return self._sorted

    def _is_startable(self, job: Job, now: float) -> bool:
        while job.ready and job.ready[0] not in job.waiting:
            heapq.heappop(job.ready)
        request = job.request
        if not job.ready or request.is_held or request.begin > now:
            return False
        if job.eligible is None:
            if self.stands(job) is not Wait.MET:
                return False
            job.eligible, self._sort_at = now, now
        return self._cluster.partition_of(job).is_up

    def _look(self) -> None:
        """Start what can start, in its order."""
        self._is_woken = False
        now = self._cluster.clock()
        self._said.clear()
        self.last = look = Backfill(self._cluster, now, self.last)
        self.seen = next(reversed(self._waiting), self.seen)
        preemption = Preemption(self._cluster, look)
        left = self._cluster.rules.looked_at
        for job in list(self._in_order(now)):
            if not left or (not preemption.is_possible and look.is_full):
                return
            if self._is_startable(job, now):
                left -= not self._start_some(job, look, preemption)

    def _start_some(self, job: Job, look: Backfill, preemption: Preemption) -> bool:
        """Start as many indices of a job as may be; whether no other one lacks room."""
        cluster = self._cluster
        while job.ready:
            number = job.ready[0]
            if number not in job.waiting:
                heapq.heappop(job.ready)
                continue
            if reasons.limit(cluster, job):
                return True
            node = look.node_for(job)
            if node is None:
                look.block(job)
                free = job.request.throttle - job.running if job.request.throttle else len(job.waiting)
                preemption.make_room(job, min(free, len(job.waiting)))
                return False
            heapq.heappop(job.ready)
            self._start(job.indices[number], node)
        return True
