"""A scheduler with a queue that is nothing but memory: it runs nothing and forgets nothing."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from sciflow.errors import QueueFullError, SchedulerError, SciflowError
from sciflow.model.load import Load
from sciflow.model.profile import Limits
from sciflow.model.state import State
from sciflow.model.statement import ACCOUNTING, CONTROLLER, Statement, Testimony
from sciflow.schedulers.base import After, Errand, Submission

WAITS = Statement(State.PENDING, "PENDING", "waits for free cores, memory or GPUs")


@dataclass
class MemoryQueue:
    """Keeps what is submitted.

    Attributes
    ----------
    accepted
        Job id → submission.
    states
        Job id → index → what is said of it.
    errands
        Job id → small job.
    postponed
        What was to wait for other jobs: job id, and for which.
    cancelled
        What was to be cancelled: job id and indices, None for all.
    capacity
        How many indices it takes in all.
    longest
        How many indices one list can name.
    refusals
        What it raises instead of taking a submission, by array job, or by `tend` for small jobs.
    fatal
        Array jobs, or `tend` for small jobs, at which the submitter is killed before the answer reaches it.
    forgets
        Whether it finds no job by name.
    errors
        Witness → why it does not answer.
    throttled
        What was to run at once: job id and how many; `refusals` and `fatal` know it as `throttle`.
    looks
        How often it was asked how busy the cluster is, and whether about others; `refusals` knows it as `load`.
    busy
        How busy the cluster is.
    """

    name = "memory"
    avoids_nodes = True

    accepted: dict[str, Submission] = field(default_factory=dict)
    errands: dict[str, Errand] = field(default_factory=dict)
    states: dict[str, dict[int, Statement]] = field(default_factory=dict)
    past: dict[str, dict[int, Statement]] = field(default_factory=dict)
    cancelled: list[tuple[str, list[int] | None]] = field(default_factory=list)
    postponed: list[tuple[str, tuple[After, ...]]] = field(default_factory=list)
    questions: list[tuple[dict[str, str], dict[str, set[int]]]] = field(default_factory=list)
    searches: list[dict[str, float]] = field(default_factory=list)
    connections: list[tuple[int, ...]] = field(default_factory=list)
    capacity: int | None = None
    longest: int = 1_000_000
    refusals: dict[str, SciflowError] = field(default_factory=dict)
    fatal: set[str] = field(default_factory=set)
    forgets: bool = False
    errors: dict[str, str] = field(default_factory=dict)
    throttled: list[tuple[str, int]] = field(default_factory=list)
    looks: list[bool] = field(default_factory=list)
    busy: Load = field(default_factory=Load)
    _ids: Iterator[int] = field(default_factory=lambda: itertools.count(101))

    def connect(self, keep_open: Sequence[int] = ()) -> MemoryQueue:
        """Give itself, as `Run` does for a scheduler."""
        self.connections.append(tuple(keep_open))
        return self

    def submit(self, submission: Submission) -> str:
        """Take an array job, or refuse it."""
        array = submission.array.name
        if array in self.refusals:
            raise self.refusals[array]
        if self.capacity is not None and self.queued() + len(submission.attempts) > self.capacity:
            raise QueueFullError("QOSMaxSubmitJobPerUserLimit")
        job = str(next(self._ids))
        self.accepted[job] = submission
        self.states[job] = dict.fromkeys(submission.attempts, WAITS)
        if array in self.fatal:
            raise KeyboardInterrupt
        return job

    def send(self, errand: Errand) -> str:
        """Take a small job, or refuse it; its index 0 is all that there is of it."""
        if "tend" in self.refusals:
            raise self.refusals["tend"]
        job = str(next(self._ids))
        self.errands[job] = errand
        self.states[job] = {0: WAITS}
        if "tend" in self.fatal:
            raise KeyboardInterrupt
        return job

    def postpone(self, job: str, after: Sequence[After]) -> None:
        """Note for what a job is to wait, as long as it waits itself."""
        if any(one.state is not State.PENDING for one in self.states[job].values()):
            raise SchedulerError("Job is no longer pending execution")
        self.postponed.append((job, tuple(after)))

    def call(self, submission: Submission) -> str:
        """Say what would be submitted."""
        after = ",".join(f"{one.kind}:{one.job}" for one in submission.after)
        return f"{submission.name} {sorted(submission.attempts)} {after}".rstrip()

    def query(self, job_ids: Iterable[str]) -> Mapping[str, Mapping[int, State]]:
        """Say all states."""
        return {job: {i: one.state for i, one in self.states[job].items()} for job in job_ids if job in self.states}

    def cancel(self, job_id: str, indices: Iterable[int] | None = None) -> None:
        """Note what was to be cancelled."""
        self.cancelled.append((job_id, None if indices is None else list(indices)))

    def limits(self) -> Limits:
        """Limit nothing."""
        return Limits()

    def testify(self, jobs: Mapping[str, str], wanted: Mapping[str, set[int]]) -> Testimony:
        """Say what is in memory, as each witness that answers."""
        self.questions.append((dict(jobs), {job: set(indices) for job, indices in wanted.items()}))
        said = {CONTROLLER: self.states, ACCOUNTING: self.past}
        answers = {
            witness: {job: dict(known.get(job, {})) for job in jobs}
            for witness, known in said.items()
            if witness not in self.errors
        }
        return Testimony(answers, dict(self.errors))

    def find(self, names: Mapping[str, float]) -> dict[str, str]:
        """Find jobs by their names."""
        self.searches.append(dict(names))
        taken = {**self.accepted, **self.errands}
        known = {} if self.forgets else {one.name: job for job, one in taken.items()}
        return {name: known[name] for name in names if name in known}

    def parts(self, indices: Sequence[int]) -> Iterator[Sequence[int]]:
        """Cut indices into lists of at most `longest`."""
        for start in range(0, len(indices), self.longest):
            yield indices[start : start + self.longest]

    def queued(self) -> int:
        """Count what has not ended."""
        return sum(not one.state.is_final for known in self.states.values() for one in known.values())

    def throttle(self, job: str, at_once: int) -> bool:
        """Note how many of a job's indices are to run at once, or refuse it; one that is over does not care."""
        self.throttled.append((job, at_once))
        if "throttle" in self.refusals:
            raise self.refusals["throttle"]
        if "throttle" in self.fatal:
            raise KeyboardInterrupt
        return any(not one.state.is_final for one in self.states[job].values())

    def load(self, is_of_others: bool) -> Load:
        """Say how busy the cluster is, or nothing."""
        self.looks.append(is_of_others)
        if "load" in self.refusals:
            raise self.refusals["load"]
        return self.busy

    def end(self, job: str, state: State = State.COMPLETED, indices: Iterable[int] | None = None) -> None:
        """Let indices of a job come to an end."""
        for index in self.states[job] if indices is None else indices:
            self.states[job][index] = Statement(state, state.value, "", 100.0, 110.0, "n1")

    def told(self) -> list[tuple[str, list[int], list[str]]]:
        """Return array job, indices and what each submission waits for, in order."""
        return [
            (one.array.name, sorted(one.attempts), [f"{a.kind}:{a.job}" for a in one.after])
            for one in self.accepted.values()
        ]

    @property
    def names(self) -> list[str]:
        """The unique names, without the run's id."""
        return [re.sub(r"\.\d{8}-\d{6}-\w+\.", ".", one.name) for one in self.accepted.values()]
