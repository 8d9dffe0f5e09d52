"""A cluster with one queue and a virtual clock: first in, first out, and whatever fits goes ahead."""

from __future__ import annotations

import itertools
import random
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Protocol

from sciflow.model.statement import REST
from sciflow.schedulers.base import After
from sciflow.schedulers.fake import dependencies
from sciflow.schedulers.fake.accounting import Accounting
from sciflow.schedulers.fake.clock import VirtualClock
from sciflow.schedulers.fake.dependencies import Wait
from sciflow.schedulers.fake.directives import Unrecognized, read_script
from sciflow.schedulers.fake.faults import Faults
from sciflow.schedulers.fake.jobs import RUNS, WAITS, Index, Job
from sciflow.schedulers.fake.nodes import Node
from sciflow.schedulers.fake.rules import Rules, refusal_of
from sciflow.schedulers.fake.words import accounting_statement, cancelled_statement, code_and_word
from sciflow.schedulers.slurm_words import NEVER
from sciflow.transport.base import Answer

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
    """Nodes, one partition, a controller and accounting.

    Parameters
    ----------
    nodes
        Its nodes; jobs go to the first that has room.
    body
        What runs on them.
    clock
        Virtual time.
    rules
        How the site is set up.
    errand
        What jobs do that are no array jobs; gives their exit code. It may sleep by the clock.
    seed
        Of what is left to chance: the lag of accounting.

    Attributes
    ----------
    faults
        What goes wrong.
    listeners
        Called with what happens to an index, and the index: ``started``, ``ended``, and what bodies tell.
    calls
        How often each call of the scheduler was made.
    """

    def __init__(
        self,
        nodes: Sequence[Node],
        body: Body,
        clock: VirtualClock | None = None,
        rules: Rules | None = None,
        errand: Callable[[Job], int] | None = None,
        seed: int = 0,
    ) -> None:
        self.nodes = {node.name: node for node in nodes}
        self.body = body
        self.clock = clock or VirtualClock()
        self.rules = rules or Rules()
        self.errand = errand
        self.faults = Faults(self.clock)
        self.accounting = Accounting(self.rules.lag, random.Random(seed))  # noqa: S311 - no secret is drawn
        self.jobs: dict[str, Job] = {}
        self.listeners: list[Listener] = []
        self.calls: Counter[str] = Counter()
        self._waiting: dict[str, Job] = {}
        self._dependents: dict[str, list[str]] = {}
        self._ids = itertools.count(101)
        self._is_woken = False

    def find(self, job: str) -> Job | None:
        """A job that the controller knows; it forgets those that ended some time ago."""
        known = self.jobs.get(job)
        if known is None or (not known.open and self.clock() - known.last_end >= self.rules.remembered):
            return None
        return known

    def queued(self) -> int:
        """How many indices are queued or run."""
        return sum(job.open for job in self.jobs.values())

    def sbatch(
        self,
        script: Path,
        directory: Path,
        name: str,
        numbers: Iterable[int] | None = None,
        after: Sequence[After] = (),
        is_any: bool = False,
        excluded: Iterable[str] = (),
        begin: float | None = None,
        at_once: int | None = None,
    ) -> Answer:
        """Take a job script, as `sbatch --parsable` with these options does, or refuse it."""
        self.calls["sbatch"] += 1
        refusal = self.faults.before_submission()
        if refusal is not None:
            return refusal
        try:
            asked = read_script(script)
        except Unrecognized as error:
            return Answer(255, "", str(error))
        chosen = sorted(numbers if numbers is not None else asked.indices or (0,))
        if complaint := refusal_of(self.rules, self.nodes.values(), asked, chosen, self.queued()):
            return Answer(1, "", complaint)
        job = Job(
            str(next(self._ids)),
            name,
            script,
            directory,
            asked,
            tuple(after),
            is_any,
            frozenset(excluded or asked.excluded),
            asked.begin if begin is None else begin,
            asked.indices is None,
            throttle=asked.throttle if at_once is None else at_once,
        )
        job.fill(chosen)
        self._take(job)
        return self.faults.after_submission(Answer(0, f"{job.id}\n", ""))

    def postpone(self, job: Job, after: Sequence[After]) -> None:
        """Let a job wait for others, in place of those that it waits for."""
        job.after = tuple(after)
        self._tie(job)

    def cancel(self, job_id: str, numbers: Iterable[int] | None = None) -> None:
        """Cancel some indices of a job, or all that has not ended; who waits leaves no trace of its own."""
        job = self.find(job_id)
        if job is None:
            return
        for number in list(job.indices if numbers is None else numbers):
            index = job.indices.get(number)
            if index is not None and index.word == WAITS:
                index.word, index.has_vanished = "CANCELLED", True
                self._left_queue(index)
            elif index is not None and index.word == RUNS:
                self._end_by(index, "CANCELLED")
        if numbers is None and any(one.has_vanished for one in job.indices.values()):
            self.accounting.note(job.id, REST, cancelled_statement(self.clock()), self.clock())

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
        self.wake()

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
            reason = "TimeLimit" if fate == "TIMEOUT" else "None"
            self._end(index, fate, "0:15" if fate == "CANCELLED" else "0:0", reason)
        else:
            self._end(index, *code_and_word(code, signal, is_oom))

    def is_current(self, index: Index, run: tuple[str, int, int]) -> bool:
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

    def wake(self) -> None:
        """Let the queue be looked at as soon as all is done that happens now."""
        if not self._is_woken:
            self._is_woken = True
            self.clock.after(0.0, self._look)

    def _take(self, job: Job) -> None:
        self.jobs[job.id] = self._waiting[job.id] = job
        self.accounting.open(job.id, job.name, self.clock())
        if job.begin > self.clock():
            self.clock.at(job.begin, self.wake)
        self._tie(job)

    def _tie(self, job: Job) -> None:
        for other in dependencies.waits_for(job):
            self._dependents.setdefault(other, []).append(job.id)
        self._drop_hopeless(job, list(job.waiting))
        self.wake()

    def _drop_hopeless(self, job: Job, numbers: Iterable[int]) -> None:
        """Remove what waits for something that has failed, as `--kill-on-invalid-dep=yes` does."""
        for number in numbers:
            if dependencies.of_index(job, number, self.find) is Wait.NEVER:
                index = job.indices[number]
                index.word, index.reason, index.end = "CANCELLED", NEVER, self.clock()
                self._note(index)
                self._left_queue(index)

    def _look(self) -> None:
        """Start what can start, in the order in which it came."""
        self._is_woken = False
        now = self.clock()
        for job in list(self._waiting.values()):
            if not any(node.is_up and node.free_cores for node in self.nodes.values()):
                return
            if job.begin > now or dependencies.of_job(job, self.find) is Wait.WAITS:
                continue
            for number in list(job.waiting):
                if job.throttle and job.running >= job.throttle:
                    break
                node = self._node_for(job)
                if node is None:
                    break
                index = job.indices[number]
                if index.eligible <= now and dependencies.of_index(job, number, self.find) is Wait.MET:
                    self._start(index, node)

    def _node_for(self, job: Job) -> Node | None:
        for node in self.nodes.values():
            if node.name not in job.excluded and node.has_room(job.asked):
                return node
        return None

    def _start(self, index: Index, node: Node) -> None:
        job = index.job
        del job.waiting[index.number]
        if not job.waiting:
            del self._waiting[job.id]
        node.take(index)
        job.running += 1
        index.word, index.reason, index.start, index.end, index.node = RUNS, "None", self.clock(), None, node
        self._note(index)
        run = index.run_of
        limit = job.asked.seconds or self.rules.longest
        self.clock.after(limit + self.rules.late, lambda: self._is_late(index, run))
        self.tell("started", index)
        if not (node.is_up and self.is_current(index, run)):
            return
        if job.is_errand:
            self.clock.after(0.0, lambda: self._do_errand(index, run))
        else:
            self.body.start(self, index)

    def _do_errand(self, index: Index, run: tuple[str, int, int]) -> None:
        code = self.errand(index.job) if self.errand is not None else 0
        if self.is_current(index, run):
            self.exited(index, code)

    def _is_late(self, index: Index, run: tuple[str, int, int]) -> None:
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

    def _force(self, index: Index, run: tuple[str, int, int]) -> None:
        if self.is_current(index, run):
            self.kill_job(index)

    def _miss(self, index: Index, run: tuple[str, int, int]) -> None:
        if self.is_current(index, run):
            index.fate = ""
            self._put_back(index, "NODE_FAIL", "NodeDown")

    def _put_back(self, index: Index, word: str, reason: str) -> None:
        """End a start that is no fault of the job's, which goes back into the queue unless it does not want to."""
        if not index.job.asked.is_requeued:
            self._end(index, word, "0:0", reason)
            return
        job = index.job
        self._leave_node(index)
        index.word, index.reason, index.end = word, reason, self.clock()
        self._note(index)
        index.word, index.reason, index.restarts = WAITS, "BeginTime", index.restarts + 1
        index.eligible = self.clock() + self.rules.put_back
        index.start, index.end, index.node = None, None, None
        job.waiting[index.number] = None
        self._waiting[job.id] = job
        self._note(index)
        self.tell("put back", index)
        self.clock.at(index.eligible, self.wake)
        self.wake()

    def _end(self, index: Index, word: str, code: str, reason: str) -> None:
        self._leave_node(index)
        index.word, index.exit, index.reason, index.end = word, code, reason, self.clock()
        self._note(index)
        self._over(index)
        self.tell("ended", index)

    def _leave_node(self, index: Index) -> None:
        assert index.node is not None
        index.node.free(index)
        index.job.running -= 1

    def _left_queue(self, index: Index) -> None:
        job = index.job
        del job.waiting[index.number]
        if not job.waiting:
            self._waiting.pop(job.id, None)
        self._over(index)

    def _over(self, index: Index) -> None:
        job = index.job
        job.open -= 1
        job.last_end = self.clock()
        for other in self._dependents.get(job.id, ()):
            if index.number in self.jobs[other].waiting:
                self._drop_hopeless(self.jobs[other], [index.number])
        self.wake()

    def _note(self, index: Index) -> None:
        self.accounting.note(index.job.id, index.number, accounting_statement(index), self.clock())
