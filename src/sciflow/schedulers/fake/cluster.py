"""A cluster with a queue and a virtual clock."""

from __future__ import annotations

import itertools
import random
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

from sciflow.schedulers.fake.accounting import ALL_THE_REST, Accounting, Row
from sciflow.schedulers.fake.body import Body
from sciflow.schedulers.fake.clock import VirtualClock
from sciflow.schedulers.fake.dependencies import HOPELESS, is_behind, waits_for
from sciflow.schedulers.fake.face import Face
from sciflow.schedulers.fake.faults import Faults
from sciflow.schedulers.fake.jobs import RUNS, WAITS, Index, Job
from sciflow.schedulers.fake.nodes import Node
from sciflow.schedulers.fake.partitions import Partition
from sciflow.schedulers.fake.priorities import Users
from sciflow.schedulers.fake.queue import Queue
from sciflow.schedulers.fake.request import Dependency, Order, Refused, Request
from sciflow.schedulers.fake.reservations import Reservation, Reservations
from sciflow.schedulers.fake.rules import Rules, check
from sciflow.schedulers.fake.runs import Runs

USER = 1001  # who submits and cancels
Listener = Callable[[str, Index], None]


class VirtualCluster:
    """Nodes, partitions, a controller and accounting.

    Parameters
    ----------
    nodes
        Its nodes; jobs go to the first that has room.
    body
        What runs on them.
    face
        The scheduler that it looks like.
    clock
        Virtual time.
    rules
        How the site is set up.
    seed
        Of what is left to chance: the lag of accounting.

    Attributes
    ----------
    faults
        What goes wrong.
    listeners
        Called with what happens to an index, and the index: ``started``, ``ended``, and what bodies tell.
    calls
        How often each command was called.
    """

    def __init__(
        self,
        nodes: Sequence[Node],
        body: Body,
        face: Face,
        clock: VirtualClock | None = None,
        rules: Rules | None = None,
        seed: int = 0,
    ) -> None:
        self.nodes = {node.name: node for node in nodes}
        self.body = body
        self.face = face
        self.clock = clock or VirtualClock()
        self.rules = rules or Rules()
        self.faults = Faults(self.clock)
        self.accounting = Accounting(self.rules.lag, random.Random(seed), self.rules.kept)  # noqa: S311 - no secret
        self.users = Users(self.rules.priorities)
        self.reservations = Reservations()
        self.runs = Runs(self)
        self.queue = Queue(self, self.runs.start, self._drop)
        self.jobs: dict[str, Job] = {}
        self.listeners: list[Listener] = []
        self.calls: Counter[str] = Counter()
        self._orders = itertools.count(1)
        self._last_id = self.rules.first_id - 1

    def find(self, job: str) -> Job | None:
        """A job that the controller knows; it forgets those that ended some time ago."""
        known = self.jobs.get(job)
        if known is None or (not known.open and self.clock() - known.last_end >= self.rules.remembered):
            return None
        return known

    def known(self) -> list[Job]:
        """All jobs that the controller knows, in the order in which they were submitted."""
        return [job for job in self.jobs.values() if self.find(job.id) is job]

    def queued(self) -> int:
        """How many indices are queued or run, of all users."""
        return sum(user.queued for user in self.users.by_name.values())

    def partition_of(self, job: Job) -> Partition:
        """The partition of a job."""
        partition = self.rules.partition(job.request.partition)
        if partition is None:
            raise ValueError(f"job {job.id} is in partition `{job.request.partition}`, which is no longer there")
        return partition

    def submit(self, order: Order) -> Job:
        """Take a job.

        Raises
        ------
        Refused
            Where the site does not take it.
        """
        self.faults.check_submission()
        user = self.users.by_name[order.user]
        check(self.rules, self.nodes.values(), order.request, user.queued)
        self._check_reservation(order)
        job = Job(self._next_id(), next(self._orders), order, self.clock(), order.request, order.dependency)
        job.fill(order.request.indices if order.request.indices is not None else (0,))
        user.queued += job.open
        self.jobs.pop(job.id, None)  # the newest of an id comes last
        self.jobs[job.id] = job
        self.accounting.open(job, self.clock())
        self.queue.add(job)
        return job

    def depend(self, job: Job, dependency: Dependency) -> None:
        """Let a job wait for others, in place of those that it waits for.

        Raises
        ------
        Refused
            Where one of them waits for this job.
        """
        others = [self.find(one) for one in waits_for(dependency)]
        if any(is_behind(one, job) for one in others if one is not None):
            raise Refused("dependency", job.id)
        job.dependency = dependency
        self.queue.tie(job)

    def alter(self, job: Job, request: Request) -> None:
        """Let a job ask for something else than before, as far as it has not started."""
        job.request = request
        self.queue.refresh(job)

    def release(self, job: Job, is_held: bool = False) -> None:
        """Let a job go that is held, or hold one."""
        self.alter(job, replace(job.request, is_held=is_held))

    def cancel(self, job: Job, numbers: Iterable[int] | None = None, by: int = USER) -> None:
        """Cancel some indices of a job, or all that has not ended; who waits leaves no trace of its own.

        Only one that was put back has a row of its own, and a job of which nothing ever started has one for all of it.
        """
        for number in list(job.indices if numbers is None else numbers):
            index = job.indices.get(number)
            if index is not None and index.word == WAITS:
                index.reason = self.queue.why(index)
                index.word, index.by, index.end = "CANCELLED", by, self.clock()
                index.has_vanished = not index.restarts
                self.queue.leave(index)
                if index.restarts:
                    self.runs.note(index)
                self.runs.over(index)
            elif index is not None and index.word == RUNS:
                index.by = by
                self.runs.end_by(index, "CANCELLED")
        vanished = [one.has_vanished for one in job.indices.values()] if numbers is None or not job.open else []
        if any(vanished) and (numbers is None or all(vanished)):
            row = Row("CANCELLED", "None", 0, 0, by, None, self.clock(), "")
            self.accounting.note(job, ALL_THE_REST, row, self.clock())

    def requeue(self, index: Index) -> bool:
        """Put an index back into the queue because somebody wants that, also one that has ended; whether it was.

        What has ended is known as `REQUEUED` then, as long as the controller still knows it; what never started waits
        or is cancelled for good.
        """
        job = index.job
        if index.start is None or self.find(job.id) is not job:
            return False
        if index.word == RUNS:
            self.runs.end_by(index, "REQUEUED")
            return True
        job.open += 1
        job.failed -= index.word != "COMPLETED"
        self.users.by_name[job.user].queued += 1
        index.word, index.end = "REQUEUED", self.clock()
        self.runs.note(index)
        self.runs.wait_again(index)
        return True

    def preempt(self, index: Index) -> None:
        """Take the node from one that runs, for somebody more important."""
        self.runs.end_by(index, "PREEMPTED")

    def time_out(self, index: Index) -> None:
        """End one that runs because its time is up."""
        self.runs.end_by(index, "TIMEOUT")

    def kill_job(self, index: Index, is_oom: bool = False) -> None:
        """Let all processes of one that runs be killed by somebody, or by the kernel for its memory."""
        if index.word == RUNS:
            self.body.kill(self, index)
            self.exited(index, 0, 9, is_oom)

    def kill_node(self, name: str) -> None:
        """Let a node die: all that runs there is gone, which is noticed some time later."""
        node = self.nodes[name]
        node.is_up = False
        for index in list(node.running.values()):
            self.body.kill(self, index)
            start = index.run_of
            self.clock.after(self.rules.noticed, lambda one=index, run=start: self.runs.miss(one, run))

    def revive_node(self, name: str) -> None:
        """Let a node be there again."""
        self.nodes[name].is_up = True
        self.queue.wake()

    def drain_node(self, name: str, reason: str = "drained") -> None:
        """Let nothing more start on a node; without a reason, let it take jobs again."""
        self.nodes[name].drained = reason
        self.queue.wake()

    def reserve(self, reservation: Reservation) -> None:
        """Keep nodes for some users, or for nobody, for a while."""
        self.reservations.by_name[reservation.name] = reservation
        for time in (reservation.start, reservation.end):
            self.clock.at(time, self.queue.wake)
        self.clock.at(reservation.end, lambda: self._forget(reservation))

    def set_partition(self, partition: Partition) -> None:
        """Let a partition be set up otherwise."""
        others = tuple(partition if one.name == partition.name else one for one in self.rules.partitions)
        self.rules = replace(self.rules, partitions=others)
        self.queue.wake()

    def tell(self, what: str, index: Index) -> None:
        """Tell all who listen what happens to an index."""
        for listener in list(self.listeners):
            listener(what, index)

    def exited(self, index: Index, code: int, signal: int = 0, is_oom: bool = False) -> None:
        """Take in that all of an index has ended, and how."""
        if index.word == RUNS:
            self.runs.exited(index, code, signal, is_oom)

    def is_current(self, index: Index, run: tuple[int, int, int]) -> bool:
        """Whether a start of an index is the one that runs now."""
        return index.word == RUNS and index.run_of == run

    def seconds_of(self, job: Job) -> float:
        """The walltime of a job: what it asks for, or the longest of its partition."""
        return job.request.seconds or self.partition_of(job).longest

    def run(self, until: Callable[[], bool] | None = None, seconds: float = float("inf")) -> None:
        """Let all happen that is to happen: until nothing more does, or so is said, or so many seconds have passed.

        What comes by chance, and from other users, comes for ever: nobody waits for it.
        """
        last = self.clock() + seconds
        while until is None or not until():
            if self.body.wait(self):
                continue
            upcoming = self.clock.next_event
            is_idle = self.clock.is_quiet and until is None and last == float("inf")
            if upcoming is None or upcoming > last or is_idle:
                if last < float("inf"):
                    self.clock.run_until(last)
                return
            self.clock.step()

    def _drop(self, index: Index) -> None:
        """Take in that an index can never start, and is removed."""
        index.word, index.reason, index.end = "CANCELLED", HOPELESS, self.clock()
        self.queue.leave(index)
        self.runs.note(index)
        self.runs.over(index)

    def _next_id(self) -> str:
        """The next id that no job has which the controller knows: after the last one it begins again with the first."""
        for _ in range(self.rules.first_id, self.rules.last_id + 1):
            self._last_id = self._last_id + 1 if self._last_id < self.rules.last_id else self.rules.first_id
            if self.find(str(self._last_id)) is None:
                return str(self._last_id)
        raise Refused("ids")

    def _check_reservation(self, order: Order) -> None:
        name = order.request.reservation
        reservation = self.reservations.get(name)
        if name and (reservation is None or order.user not in reservation.users):
            raise Refused("reservation", name)

    def _forget(self, reservation: Reservation) -> None:
        if self.reservations.get(reservation.name) is reservation:
            del self.reservations.by_name[reservation.name]
            self.queue.wake()
