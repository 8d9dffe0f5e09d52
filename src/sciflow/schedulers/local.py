"""The local scheduler: array indices on this machine's cores, memory and GPUs, each as soon as it can start."""

from __future__ import annotations

import heapq
import json
import selectors
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from sciflow.errors import SchedulerError
from sciflow.model.plan import ArrayJob
from sciflow.model.profile import Limits
from sciflow.model.state import State
from sciflow.schedulers.array_server import ArrayServer
from sciflow.schedulers.base import Submission
from sciflow.schedulers.interrupts import Interrupts
from sciflow.schedulers.machine import Machine, Share
from sciflow.store.layout import RunDirectory, read_document
from sciflow_shim import files

PATIENCE = 5.0  # seconds for the shim to go, beyond those that it gives to programs
RESTARTS = 3
Place = tuple[str, int]
Event = dict[str, Any]


class _Job:
    """A submitted array job."""

    def __init__(self, submission: Submission, order: int) -> None:
        self.array: ArrayJob = submission.array
        self.script = submission.script
        self.attempts = dict(submission.attempts)
        self.order = order
        self.states = dict.fromkeys(self.attempts, State.PENDING)
        self.ready: list[tuple[float, int]] = []  # a heap: longest first, then in order
        self.waits: dict[int, int] = {}
        self.left = len(self.attempts)
        self.server: ArrayServer | None = None
        self.deaths = 0
        self.shares: dict[int, Share] = {}


class LocalScheduler:
    """Runs array jobs here.

    Parameters
    ----------
    run
        The run directory.
    machine
        What there is to hand out.
    expected
        (array, index) → seconds it is expected to take, where that is known: the longest start first.
    keep_open
        File descriptors that its programs hold as long as they live.
    """

    name = "local"

    def __init__(
        self,
        run: RunDirectory,
        machine: Machine | None = None,
        expected: Mapping[Place, float] | None = None,
        keep_open: Sequence[int] = (),
    ) -> None:
        self.run = run
        self.machine = machine or Machine.detect()
        self.expected = expected or {}
        self.keep_open = keep_open
        self._whole = Machine(list(self.machine.cores), self.machine.memory_bytes, list(self.machine.gpus))
        self.jobs: dict[str, _Job] = {}
        self._holder: dict[Place, _Job] = {}
        self.selector = selectors.DefaultSelector()
        self.patience = _grace_seconds() + PATIENCE
        self._twins: dict[str, list[str]] = {}  # array → jobs whose equal index waits for it
        self._waiting: dict[Place, list[Place]] = {}
        self._is_stopping = False

    def limits(self) -> Limits:
        """This machine takes arrays of any length."""
        return Limits()

    def submit(self, submission: Submission) -> str:
        """Take an array job, or some of it; it runs when `drive` is called. Its name on the node is its job id."""
        name = submission.array.name_on_node
        if name in self.jobs:
            raise SchedulerError(f"array `{name}` was submitted twice")
        if not self._whole.holds(submission.array.resources):
            raise SchedulerError(
                f"array `{name}` asks for {submission.array.resources.describe()} for each index, "
                f"which this machine does not have",
                hint="start a new run: a plan is made to fit the machine that it is made on",
            )
        job = self.jobs[name] = _Job(submission, len(self.jobs))
        self._holder.update({(job.array.name, index): job for index in job.attempts})
        self._find_waits(job)
        for index in job.attempts:
            if not job.waits.get(index):
                self._make_ready(job, index)
        return name

    def query(self, job_ids: Iterable[str]) -> dict[str, dict[int, State]]:
        """Job id → index → state."""
        return {name: dict(self.jobs[name].states) for name in job_ids if name in self.jobs}

    def cancel(self, job_id: str, indices: Iterable[int] | None = None) -> None:
        """Cancel some indices of a job, or all of it; what waits for them is held back."""
        if job_id not in self.jobs:
            raise SchedulerError(f"there is no job `{job_id}`")
        job = self.jobs[job_id]
        for index in list(job.attempts if indices is None else indices):
            if job.states.get(index) is State.RUNNING and job.server:
                job.server.cancel(index)
            elif job.states.get(index) is State.PENDING:
                self._settle(job, index, State.CANCELLED)

    def drive(self, hear: Callable[[Event], None]) -> None:
        """Run all that was submitted, to the end.

        Parameters
        ----------
        hear
            Called with each event: an index has started or ended.

        Raises
        ------
        SchedulerError
            Where the shim of an array job cannot be started at all.
        """
        try:
            with Interrupts(self.selector) as interrupts:
                self._drive(hear, interrupts)
        finally:
            self._stop_servers()

    def _drive(self, hear: Callable[[Event], None], interrupts: Interrupts) -> None:
        try:
            self._start_what_fits()
            while any(job.left for job in self.jobs.values()):
                for key, _ in self.selector.select():
                    for event in self._heard(key.data) if key.data is not None else ():
                        hear(event)
                interrupts.check()
                self._start_what_fits()
                self._close_finished()
            interrupts.check()
        except BaseException:
            # Ctrl-C among others: programs are stopped in order, and what they say of it still counts.
            self._is_stopping = True
            for event in self._stop():
                hear(event)
            raise

    def _find_waits(self, job: _Job) -> None:
        header = read_document(self.run.header(job.array.name))
        named = []
        for task, facts in header["upstream"].items():
            if not facts["array"]:
                named.append(task)
                continue
            self._twins.setdefault(facts["array"], []).append(job.array.name_on_node)
            for index in job.attempts:
                if self._is_to_come((facts["array"], index)):
                    job.waits[index] = job.waits.get(index, 0) + 1
        if not named:
            return
        with self.run.lines(job.array.name).open("rb") as file:
            for index, text in enumerate(file):
                if index in job.attempts:
                    self._wait_for_named(job, index, json.loads(text)["upstream"], named)

    def _wait_for_named(self, job: _Job, index: int, upstream: Mapping[str, Any], named: Sequence[str]) -> None:
        for task in named:
            for array, text in upstream[task]:
                for place in files.parse_ranges(text):
                    if self._is_to_come((array, place)):
                        self._waiting.setdefault((array, place), []).append((job.array.name_on_node, index))
                        job.waits[index] = job.waits.get(index, 0) + 1

    def _is_to_come(self, place: Place) -> bool:
        """Whether an index is run here and has not ended."""
        job = self._holder.get(place)
        return job is not None and not job.states[place[1]].is_final

    def _make_ready(self, job: _Job, index: int) -> None:
        heapq.heappush(job.ready, (-self.expected.get((job.array.name, index), 0.0), index))

    def _start_what_fits(self) -> None:
        if self._is_stopping:
            return
        while True:
            waiting = [job for job in self.jobs.values() if job.ready]
            # Longest first; then the later task, so that combinations are completed one after another.
            waiting.sort(key=lambda job: (job.ready[0][0], -job.order))
            if not any(self._start_one(job) for job in waiting):
                return

    def _start_one(self, job: _Job) -> bool:
        share = self.machine.take(job.array.resources)
        if share is None:
            return False
        _, index = heapq.heappop(job.ready)
        if job.states[index] is not State.PENDING:  # cancelled while it waited
            self.machine.give_back(share)
            return True
        if job.server is None:
            errors = self.run.log(job.array.name, 0, 0).with_name(f"{job.array.variant or 'shim'}.err")
            job.server = ArrayServer(job.script, errors, self.keep_open)
            self.selector.register(job.server.output, selectors.EVENT_READ, job)
        job.states[index] = State.RUNNING
        job.shares[index] = share
        job.server.start(index, job.attempts[index], share)
        return True

    def _heard(self, job: _Job) -> Iterator[Event]:
        assert job.server is not None
        for event in job.server.events():
            if event is None:
                yield from self._server_has_gone(job)
                return
            if event["event"] == "ended":
                self._has_ended(job, event["index"], State(event["state"]))
            yield {"array": job.array.name, **event}

    def _has_ended(self, job: _Job, index: int, state: State) -> None:
        self.machine.give_back(job.shares.pop(index))
        self._settle(job, index, state)

    def _settle(self, job: _Job, index: int, state: State) -> None:
        job.states[index] = state
        job.left -= 1
        later = [(twin, index) for twin in self._twins.get(job.array.name, ())]
        for array, place in later + self._waiting.pop((job.array.name, index), []):
            other = self.jobs[array]
            if other.waits.get(place):
                other.waits[place] -= 1
                if not other.waits[place]:
                    self._make_ready(other, place)

    def _server_has_gone(self, job: _Job) -> Iterator[Event]:
        server = job.server
        assert server is not None
        self.selector.unregister(server.output)
        lost = sorted(server.running)
        code = server.wait(0.0)
        job.server = None
        job.deaths += 1
        if not self._is_stopping and (not server.has_spoken or job.deaths > RESTARTS):
            for index in lost:
                self._has_ended(job, index, State.NODE_FAIL)
            raise SchedulerError(
                f"the shim of array `{job.array.name}` ended with code {code}: "
                f"{server.complaint() or 'it said nothing'}",
                hint=f"try it by hand: bash {job.script} 0",
            )
        for index in lost:
            error = f"the shim that ran it was killed (code {code})"
            self._has_ended(job, index, State.NODE_FAIL)
            facts = {"event": "ended", "index": index, "attempt": job.attempts[index]}
            yield {"array": job.array.name, **facts, "state": "NODE_FAIL", "error": error, "seconds": 0.0}

    def _close_finished(self) -> None:
        for job in self.jobs.values():
            if job.server is not None and not job.left:
                self.selector.unregister(job.server.output)
                job.server.close()
                job.server.wait(self.patience)
                job.server = None

    def _stop(self) -> Iterator[Event]:
        for job in self.jobs.values():
            if job.server is not None:
                job.server.close()
        while any(job.server is not None for job in self.jobs.values()):
            ready = self.selector.select(self.patience)
            for key, _ in ready:
                if key.data is not None:
                    yield from self._heard(key.data)
            if not ready:
                return

    def _stop_servers(self) -> None:
        for job in self.jobs.values():
            if job.server is not None:
                job.server.close()
                job.server.wait(self.patience)
                job.server = None
        self.selector.close()


def _grace_seconds() -> float:
    try:
        return files.grace_seconds()
    except ValueError as error:
        raise SchedulerError(str(error), hint="give seconds, or leave it out for ten") from None
