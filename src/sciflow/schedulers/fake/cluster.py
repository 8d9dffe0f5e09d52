"""A cluster with a queue and a virtual clock."""

from __future__ import annotations

import itertools
import random
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Protocol

from sciflow.schedulers.fake.accounting import ALL_THE_REST, Accounting, Row
from sciflow.schedulers.fake.clock import VirtualClock
from sciflow.schedulers.fake.dependencies import HOPELESS
from sciflow.schedulers.fake.face import Face
from sciflow.schedulers.fake.faults import Faults
from sciflow.schedulers.fake.jobs import RUNS, WAITS, Index, Job
from sciflow.schedulers.fake.nodes import Node
from sciflow.schedulers.fake.queue import Queue
from sciflow.schedulers.fake.request import Dependency, Order, Request
from sciflow.schedulers.fake.rules import Rules, check

USER = 1001  # who submits and cancels
Listener = Callable[[str, Index], None]


class Body(Protocol):
    """What runs on the nodes."""

    def start(self, cluster: VirtualCluster, index: Index, /) -> None:
        """Start an index; when it has ended, `VirtualCluster.exited` is called."""
        ...

    def stop(self, cluster: VirtualCluster, index: Index, /) -> None:
        """Tell an index to end, as SIGTERM does."""
        ...

    def kill(self, cluster: VirtualCluster, index: Index, /) -> None:
        """End all of an index at once, as SIGKILL does; nobody hears of it by this."""
        ...

    def wait(self, cluster: VirtualCluster, /) -> bool:
        """Let what runs outside of virtual time go on; whether there is such."""
        ...


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
        self.accounting = Accounting(self.rules.lag, random.Random(seed))  # noqa: S311 - no secret is drawn
        self.queue = Queue(self, self._start, self._drop)
        self.jobs: dict[str, Job] = {}
        self.listeners: list[Listener] = []
        self.calls: Counter[str] = Counter()
        self._orders = itertools.count(101)

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
        """How many indices are queued or run."""
        return sum(job.open for job in self.jobs.values())

    def submit(self, order: Order) -> Job:
        """Take a job.

        Raises
        ------
        Refused
            Where the site does not take it.
        """
        self.faults.check_submission()
        check(self.rules, self.nodes.values(), order.request, self.queued())
        number = next(self._orders)
        job = Job(str(number), number, order, self.clock(), order.request, order.dependency)
        job.fill(order.request.indices if order.request.indices is not None else (0,))
        self.jobs[job.id] = job
        self.accounting.open(job, self.clock())
        self.queue.add(job)
        return job

    def depend(self, job: Job, dependency: Dependency) -> None:
        """Let a job wait for others, in place of those that it waits for."""
        job.dependency = dependency
        self.queue.tie(job)

    def alter(self, job: Job, request: Request) -> None:
        """Let a job ask for something else than before, as far as it has not started."""
        job.request = request
        self.clock.at(max(request.begin, self.clock()), self.queue.wake)

    def release(self, job: Job, is_held: bool = False) -> None:
        """Let a job go that is held, or hold one."""
        self.alter(job, replace(job.request, is_held=is_held))

    def cancel(self, job: Job, numbers: Iterable[int] | None = None, by: int = USER) -> None:
        """Cancel some indices of a job, or all that has not ended; who waits leaves no trace of its own."""
        for number in list(job.indices if numbers is None else numbers):
            index = job.indices.get(number)
            if index is not None and index.word == WAITS:
                index.word, index.by, index.end, index.has_vanished = "CANCELLED", by, self.clock(), True
                self.queue.leave(index)
                self._over(index)
            elif index is not None and index.word == RUNS:
                index.by = by
                self._end_by(index, "CANCELLED")
        if numbers is None and any(one.has_vanished for one in job.indices.values()):
            row = Row("CANCELLED", "None", 0, 0, by, None, self.clock(), "")
            self.accounting.note(job, ALL_THE_REST, row, self.clock())

    def preempt(self, index: Index) -> None:
        """Take the node from one that runs, for somebody more important."""
        if index.word == RUNS:
            self._end_by(index, "PREEMPTED")

    def time_out(self, index: Index) -> None:
        """End one that runs because its time is up."""
        if index.word == RUNS:
            self._end_by(index, "TIMEOUT")

    def kill_job(self, index: Index) -> None:
        """Let all processes of one that runs be killed by somebody."""
        if index.word == RUNS:
            self.body.kill(self, index)
            self.exited(index, 0, 9)

    def kill_node(self, name: str) -> None:
        """Let a node die: all that runs there is gone, which is noticed some time later."""
        node = self.nodes[name]
        node.is_up = False
        for index in list(node.running.values()):
            self.body.kill(self, index)
            start = index.run_of
            self.clock.after(self.rules.noticed, lambda one=index, run=start: self._miss(one, run))

    def revive_node(self, name: str) -> None:
        """Let a node be there again."""
        self.nodes[name].is_up = True
        self.queue.wake()

    def tell(self, what: str, index: Index) -> None:
        """Tell all who listen what happens to an index."""
        for listener in list(self.listeners):
            listener(what, index)

    def exited(self, index: Index, code: int, signal: int = 0, is_oom: bool = False) -> None:
        """Take in that all of an index has ended, and how."""
        if index.word != RUNS:
            return
        fate, index.fate = index.fate, ""
        if fate == "PREEMPTED":
            self._put_back(index, fate, "None")
        elif fate:
            self._end(index, fate, 0, 15 if fate == "CANCELLED" else 0, "TimeLimit" if fate == "TIMEOUT" else "None")
        elif is_oom:
            self._end(index, "OUT_OF_MEMORY", 0, 125, "OutOfMemory")
        elif signal:
            self._end(index, "FAILED", 0, signal, "JobLaunchFailure")  # sic: Slurm's own reason
        else:
            self._end(index, "FAILED" if code else "COMPLETED", code, 0, "NonZeroExitCode" if code else "None")

    def is_current(self, index: Index, run: tuple[int, int, int]) -> bool:
        """Whether a start of an index is the one that runs now."""
        return index.word == RUNS and index.run_of == run

    def run(self, until: Callable[[], bool] | None = None, seconds: float = float("inf")) -> None:
        """Let all happen that is to happen: until nothing more does, or so is said, or so many seconds have passed."""
        last = self.clock() + seconds
        while until is None or not until():
            if self.body.wait(self):
                continue
            upcoming = self.clock.next_event
            if upcoming is None or upcoming > last:
                if last < float("inf"):
                    self.clock.run_until(last)
                return
            self.clock.step()

    def _drop(self, index: Index) -> None:
        """Take in that an index can never start, and is removed."""
        index.word, index.reason, index.end = "CANCELLED", HOPELESS, self.clock()
        self.queue.leave(index)
        self._note(index)
        self._over(index)

    def _start(self, index: Index, node: Node) -> None:
        job = index.job
        self.queue.leave(index)
        node.take(index)
        job.running += 1
        index.word, index.reason, index.start, index.end, index.node = RUNS, "None", self.clock(), None, node
        self._note(index)
        run = index.run_of
        self.clock.after(self.seconds_of(job) + self.rules.late, lambda: self._is_late(index, run))
        self.tell("started", index)
        if node.is_up and self.is_current(index, run):
            self.body.start(self, index)

    def seconds_of(self, job: Job) -> float:
        """The walltime of a job: what it asks for, or the longest of its partition."""
        partition = self.rules.partition(job.request.partition)
        return job.request.seconds or (partition.longest if partition else float("inf"))

    def _is_late(self, index: Index, run: tuple[int, int, int]) -> None:
        if self.is_current(index, run):
            self.time_out(index)

    def _end_by(self, index: Index, fate: str) -> None:
        """Let the scheduler end what runs: it is told to end, and killed if it does not."""
        if index.fate:
            return
        index.fate = fate
        run = index.run_of
        self.body.stop(self, index)
        self.clock.after(self.rules.kill_wait, lambda: self._force(index, run))

    def _force(self, index: Index, run: tuple[int, int, int]) -> None:
        if self.is_current(index, run):
            self.kill_job(index)

    def _miss(self, index: Index, run: tuple[int, int, int]) -> None:
        if self.is_current(index, run):
            index.fate = ""
            self._put_back(index, "NODE_FAIL", "NodeDown")

    def _put_back(self, index: Index, word: str, reason: str) -> None:
        """End a start that is no fault of the job's, which goes back into the queue unless it does not want to."""
        if not index.job.request.is_requeued:
            self._end(index, word, 0, 0, reason)
            return
        self._leave_node(index)
        index.word, index.reason, index.end = word, reason, self.clock()
        self._note(index)
        index.word, index.reason, index.restarts = WAITS, "BeginTime", index.restarts + 1
        index.eligible = self.clock() + self.rules.put_back
        index.start, index.end, index.node = None, None, None
        self._note(index)
        self.queue.put_back(index)
        self.tell("put back", index)

    def _end(self, index: Index, word: str, code: int, signal: int, reason: str) -> None:
        self._leave_node(index)
        index.job.last = index
        index.word, index.code, index.signal, index.reason, index.end = word, code, signal, reason, self.clock()
        self._note(index)
        self._over(index)
        self.tell("ended", index)

    def _leave_node(self, index: Index) -> None:
        assert index.node is not None
        index.node.free(index)
        index.job.running -= 1

    def _over(self, index: Index) -> None:
        job = index.job
        job.open -= 1
        job.last_end = self.clock()
        self.queue.ended(index)

    def _note(self, index: Index) -> None:
        self.accounting.note(index.job, index.number, Row.of(index), self.clock())
