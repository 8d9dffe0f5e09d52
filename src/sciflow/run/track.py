"""What is known of each array index: the one table that combines what records and journal say."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from sciflow.model.plan import ArrayJob, Plan
from sciflow.model.state import State
from sciflow.store.journal import Journal
from sciflow.store.layout import RunDirectory, read_document
from sciflow.store.lock import is_held
from sciflow.store.records import has_broken_seal, read_state
from sciflow_shim import files

Place = tuple[str, int]  # array, index
IS_TORN = "its record is torn"


@dataclass
class IndexStatus:
    """What is known of one array index, and why.

    Attributes
    ----------
    has_skipped
        Whether it completed without some of its upstream.
    damage
        What is wrong with the record of its last attempt: `torn` or `missing`.
    """

    state: State = State.PENDING
    attempt: int = 0
    error: str = ""
    seconds: float = 0.0
    reason: str = ""
    has_skipped: bool = False
    damage: str = ""


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
    Nothing is completed without a record that can be read.
    """
    plan = plan or read_plan(run)
    known: dict[str, dict[int, IndexStatus]] = {
        array.name: {index: IndexStatus() for index in range(array.count)} for array in plan.arrays
    }
    status = RunStatus(plan, known, is_driven=is_held(run.lock))
    void: dict[tuple[str, int, int], str] = {}
    for event in Journal(run.journal).events():
        if event["event"] == "void":
            void[event["array"], event["index"], event["attempt"]] = event["reason"]
        else:
            _apply(status, event)
    for array in plan.arrays:
        _apply_records(run, array, known[array.name], void)
    if status.is_complete:
        _look_at_skips(known.values())
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
    elif event["event"] == "reused" and not known.attempt:
        known.state, known.attempt, known.reason = State.COMPLETED, 0, f"taken over from run {event['from']}"
        known.seconds = event.get("seconds", 0.0)
        status.reused += 1


def _apply_records(
    run: RunDirectory, array: ArrayJob, known: dict[int, IndexStatus], void: dict[tuple[str, int, int], str]
) -> None:
    confirmed: set[int] = set()
    for found in run.records(array.name):
        status = known.get(found.index)
        if status is None or found.attempt < status.attempt:
            continue
        is_same = found.attempt == status.attempt
        # A lost shim may have written its record before; no other end that the journal tells of needs a second look.
        if is_same and status.state.is_final and status.state not in (State.COMPLETED, State.NODE_FAIL):
            continue
        reason = void.get((array.name, found.index, found.attempt), "")
        record = None if reason else read_state(found.path)
        if record is None:
            if not is_same or status.state in (State.PENDING, State.COMPLETED):
                reason = reason or IS_TORN
                _discount(status, found.attempt, reason, "torn" if reason == IS_TORN else "")
                confirmed.add(found.index)
        elif record.state.is_final:
            confirmed.add(found.index)
            if not (is_same and status.state is record.state):
                status.reason, status.seconds = "its record says so", record.seconds
            status.state, status.attempt, status.error = record.state, found.attempt, record.error
            status.has_skipped, status.damage = record.has_skipped, ""
    for index, status in known.items():
        if status.state is State.COMPLETED and index not in confirmed:
            _discount(status, status.attempt, "its record is missing", "missing")


def _discount(status: IndexStatus, attempt: int, reason: str, damage: str) -> None:
    status.state, status.attempt, status.reason, status.damage = State.PENDING, attempt, reason, damage
    status.error, status.seconds, status.has_skipped = "", 0.0, False


def _look_at_skips(arrays: Iterable[dict[int, IndexStatus]]) -> None:
    """Where everything is completed, what skipped some of its upstream was made before that."""
    for indices in arrays:
        for status in indices.values():
            if status.has_skipped:
                status.state, status.reason = State.PENDING, "what it skipped is there now"


def with_broken_seals(run: RunDirectory, status: RunStatus) -> list[Place]:
    """The completed indices whose records are not as they were written; this reads every byte of them."""
    return [
        (array, index)
        for array, indices in status.indices.items()
        for index, one in indices.items()
        if one.state is State.COMPLETED and has_broken_seal(str(run.record(array, index, one.attempt)))
    ]


def built_on_skips(run: RunDirectory, status: RunStatus) -> set[Place]:
    """The indices that went on without some of their upstream, and all that were made from these."""
    found = {
        (array, index) for array, indices in status.indices.items() for index, one in indices.items() if one.has_skipped
    }
    if not found:
        return found
    for array in status.plan.arrays:  # those upstream come first
        for index, upstream in _upstream(run, array):
            if any(place in found for place in upstream):
                found.add((array.name, index))
    return found


def _upstream(run: RunDirectory, array: ArrayJob) -> Iterator[tuple[int, Iterator[Place]]]:
    """Each index of an array job, with the places that it needs."""
    tasks = read_document(run.header(array.name))["upstream"]
    twins = [facts["array"] for facts in tasks.values() if facts["array"]]
    named = [task for task, facts in tasks.items() if not facts["array"]]
    with run.lines(array.name).open("rb") as lines:
        for index, text in enumerate(lines):
            yield index, _places(index, twins, [json.loads(text)["upstream"][task] for task in named] if named else [])


def _places(index: int, twins: list[str], named: list[list[list[str]]]) -> Iterator[Place]:
    yield from ((twin, index) for twin in twins)
    for upstream in named:
        for array, text in upstream:
            yield from ((array, place) for place in files.parse_ranges(text))


def _interrupt(arrays: Iterable[dict[int, IndexStatus]]) -> None:
    for indices in arrays:
        for status in indices.values():
            if status.state is State.RUNNING:
                status.state, status.reason = State.PENDING, "it ran when its driver was killed; it will run again"
