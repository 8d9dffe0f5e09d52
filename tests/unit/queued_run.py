"""A run in a queue that is nothing but memory, of which a test says how its indices have ended."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sciflow.model.policy import Policies
from sciflow.model.recovery import RecoveryPolicy
from sciflow.model.state import State
from sciflow.run.follow import track
from sciflow.run.recover import Recovered, recover, terms_of
from sciflow.run.status import RunStatus
from sciflow.run.submit import submit
from sciflow.run.track import read_plan
from sciflow.run.variants import renderer_of
from sciflow.run.wish import make_wish
from sciflow.store.journal import Journal
from sciflow.store.layout import RunDirectory, read_document
from sciflow.store.manifest import read_profile
from sciflow_shim.files import parse_ranges
from unit.memory_queue import MemoryQueue

AGO = 100.0  # seconds before now at which jobs have run


class QueuedRun:
    """A run, its queue, and what is done about its failures.

    Parameters
    ----------
    run, queue
        The run directory, and who keeps its jobs.
    leave_record, monkeypatch
        Write a record, as of a job of long ago.
    """

    def __init__(
        self,
        run: RunDirectory,
        queue: MemoryQueue,
        leave_record: Callable[..., Path],
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        self.run, self.queue, self.plan = run, queue, read_plan(run)
        self.profile = read_profile(run)
        self.recovery, self.policies = RecoveryPolicy(), Policies()
        self.leave_record, self._monkeypatch = leave_record, monkeypatch

    def submit(self) -> None:
        """Hand all of it over."""
        terms = terms_of(self.profile, self.recovery, self.policies)
        submit(self.run, self.plan, self.queue.connect, terms)

    def end(self, job: str, indices: str, state: State = State.COMPLETED, error: str = "") -> None:
        """Let elements of a job end, with records where their programs can have told their own end."""
        submission = self.queue.accepted[job]
        for element in parse_ranges(indices):
            if state in (State.COMPLETED, State.FAILED, State.UPSTREAM_FAILED):
                self.leave(job, submission.array.name, element, submission.attempts[element], state, error)
            self.queue.end(job, State.FAILED if state is State.UPSTREAM_FAILED else state, [element])

    def leave(self, job: str, array: str, index: int, attempt: int, state: State, error: str, ago: float = AGO) -> None:
        """Leave a record, as a job did so many seconds ago."""
        past = time.time() - ago
        with self._monkeypatch.context() as patched:
            patched.setenv("SLURM_ARRAY_JOB_ID", job)
            patched.setattr("time.time", lambda: past)
            self.leave_record(self.run, array, index, attempt, state.value, error)

    def status(self) -> RunStatus:
        """Ask the queue, which has said the same a minute ago: what it knows will not change."""
        track(self.run, self.plan, self.queue, lambda: time.time() - 60)
        return track(self.run, self.plan, self.queue)

    def recover(self, **wish: Any) -> Recovered:
        """Meet its failures."""
        self.status()
        terms = terms_of(self.profile, self.recovery, self.policies)
        render = renderer_of(self.run)
        return recover(
            self.run, self.plan, self.queue.connect, self.profile, self.recovery, terms, render, make_wish(**wish)
        )

    def events(self, *kinds: str) -> list[dict[str, Any]]:
        """Return the events of some kinds, without their times."""
        found = [event for event in Journal(self.run.journal).events() if event["event"] in kinds]
        return [{name: value for name, value in event.items() if name != "time"} for event in found]

    def variant(self, name: str) -> dict[str, Any]:
        """Return what the nodes are told of a variant: its request, and what else."""
        return read_document(self.run.header(name))
