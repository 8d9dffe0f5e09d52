"""What is known of each array index: the one table that combines what records and journal say."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from sciflow.model.plan import ArrayJob, Plan
from sciflow.model.state import State
from sciflow.store.journal import Journal
from sciflow.store.layout import RunDirectory, read_document
from sciflow.store.lock import is_held
from sciflow.store.records import read_state


@dataclass
class IndexStatus:
    """What is known of one array index, and why."""

    state: State = State.PENDING
    attempt: int = 0
    error: str = ""
    seconds: float = 0.0
    reason: str = ""


@dataclass
class RunStatus:
    """What is known of a run.

    Attributes
    ----------
    indices
        Array → index → status; every index of the plan is there.
    is_driven
        Whether a process drives the run now.
    """

    plan: Plan
    indices: dict[str, dict[int, IndexStatus]]
    is_driven: bool = False
    reused: int = 0
    first_event: float | None = None
    last_event: float | None = None
    notes: list[str] = field(default_factory=list)

    def counts(self, task: str | None = None) -> dict[State, int]:
        """State → how many task instances have it; of one task, or of all."""
        counts: dict[State, int] = {}
        for array in self.arrays(task):
            for status in self.indices[array.name].values():
                counts[status.state] = counts.get(status.state, 0) + 1
        return counts

    def arrays(self, task: str | None = None) -> Iterable[ArrayJob]:
        """The array jobs of one task, or all."""
        return [array for array in self.plan.arrays if task in (None, array.task)]

    @property
    def is_complete(self) -> bool:
        """Whether every instance is completed."""
        return set(self.counts()) <= {State.COMPLETED}

    @property
    def has_failures(self) -> bool:
        """Whether something ended without success."""
        return any(state.is_failure for state in self.counts())

    @property
    def is_finished(self) -> bool:
        """Whether nothing more will happen by itself."""
        return all(state.is_final for state in self.counts())


def read_plan(run: RunDirectory) -> Plan:
    """The run's plan."""
    return Plan.from_document(read_document(run.plan))


def observe(run: RunDirectory, plan: Plan | None = None) -> RunStatus:
    """Work out the state of every index from journal and records.

    The journal is quick to read and tells of what left no record; a record that the journal does not know of, from a
    driver that was killed or an index that was run by hand, counts as well. Of two attempts the later one counts.
    """
    plan = plan or read_plan(run)
    known: dict[str, dict[int, IndexStatus]] = {
        array.name: {index: IndexStatus() for index in range(array.count)} for array in plan.arrays
    }
    status = RunStatus(plan, known, is_driven=is_held(run.lock))
    for event in Journal(run.journal).events():
        _apply(status, event)
    for array in plan.arrays:
        _apply_records(run, array, known[array.name])
    if not status.is_driven:
        _interrupt(known.values())
    return status


def _apply(status: RunStatus, event: dict[str, Any]) -> None:
    status.first_event = status.first_event or event.get("time")
    status.last_event = event.get("time", status.last_event)
    known = status.indices.get(event.get("array", ""), {}).get(event.get("index", -1))
    if known is None:
        return
    attempt = event.get("attempt", 0)
    if event["event"] == "started" and attempt >= known.attempt:
        known.state, known.attempt, known.error, known.reason = State.RUNNING, attempt, "", "the driver started it"
    elif event["event"] == "ended" and attempt >= known.attempt:
        known.state, known.attempt = State(event["state"]), attempt
        known.error, known.seconds = event.get("error", ""), event.get("seconds", 0.0)
        known.reason = "the shim said so"
    elif event["event"] == "reused":
        known.state, known.attempt, known.reason = State.COMPLETED, 0, f"taken over from run {event['from']}"
        known.seconds = event.get("seconds", 0.0)
        status.reused += 1


def _apply_records(run: RunDirectory, array: ArrayJob, known: dict[int, IndexStatus]) -> None:
    for found in run.records(array.name):
        status = known.get(found.index)
        if status is None or found.attempt < status.attempt:
            continue
        if found.attempt == status.attempt and status.state.is_final:
            continue
        record = read_state(found.path)
        if record is None:
            status.reason = "its record is torn"
        elif record.state.is_final:
            status.state, status.attempt, status.error = record.state, found.attempt, record.error
            status.seconds, status.reason = record.seconds, "its record says so"


def _interrupt(arrays: Iterable[dict[int, IndexStatus]]) -> None:
    for indices in arrays:
        for status in indices.values():
            if status.state is State.RUNNING:
                status.state, status.reason = State.PENDING, "it ran when its driver was killed; it will run again"
