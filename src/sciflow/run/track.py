"""What is known of each array index: the one table that combines what records and journal say."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from sciflow.model.plan import ArrayJob, Plan
from sciflow.model.state import State
from sciflow.model.statement import ACCOUNTING, CONTROLLER, Statement
from sciflow.run.judge import Evidence, judge
from sciflow.store.journal import Journal
from sciflow.store.layout import RunDirectory, read_document
from sciflow.store.lock import is_held
from sciflow.store.records import RecordState, has_broken_seal, read_state
from sciflow.store.statements import Observed, read_observed
from sciflow.store.submissions import Submissions, Submitted
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
    is_settled
        Whether the state will stay so by all that witnesses tell; only of submitted indices this can be otherwise.
    record
        The record of its last attempt, where it can be read.
    said
        What the scheduler says of it, where that counts.
    """

    state: State = State.PENDING
    attempt: int = 0
    error: str = ""
    seconds: float = 0.0
    reason: str = ""
    has_skipped: bool = False
    damage: str = ""
    is_settled: bool = True
    record: RecordState | None = None
    said: Statement | None = None

    @property
    def is_over(self) -> bool:
        """Whether nothing more will happen to it by itself; one that all have forgotten stays unknown."""
        return self.state.is_final or (self.state is State.UNKNOWN and self.is_settled)


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
    submissions: Submissions = field(default_factory=Submissions)

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
    def is_queued(self) -> bool:
        """Whether array jobs of the run were handed to a scheduler with a queue."""
        return bool(self.submissions.by_name)

    @property
    def has_failures(self) -> bool:
        """Whether something ended without success."""
        return any(state.is_failure or state is State.UNKNOWN for state in self.counts())

    @property
    def is_finished(self) -> bool:
        """Whether nothing more will happen by itself."""
        return all(one.is_over for one in self.everyone())

    @property
    def is_settled(self) -> bool:
        """Whether nothing more will happen or become known."""
        return all(one.is_over and one.is_settled for one in self.everyone())

    def everyone(self) -> Iterator[IndexStatus]:
        """The status of every index."""
        return (one for indices in self.indices.values() for one in indices.values())


def untouched(plan: Plan) -> RunStatus:
    """The status of a plan of which nothing has been done."""
    return RunStatus(plan, {array.name: {i: IndexStatus() for i in range(array.count)} for array in plan.arrays})


def read_plan(run: RunDirectory) -> Plan:
    """The run's plan."""
    return Plan.from_document(read_document(run.plan))


def observe(
    run: RunDirectory, plan: Plan | None = None, observed: Observed | None = None, now: float | None = None
) -> RunStatus:
    """Work out the state of every index from journal and records, and what the scheduler last said.

    The journal is quick to read and tells of what left no record; a record that the journal does not know of, from a
    driver that was killed or an index that was run by hand, counts as well. Of two attempts the later one counts.
    Nothing is completed without a record that can be read.
    """
    plan = plan or read_plan(run)
    status = untouched(plan)
    known, status.is_driven = status.indices, is_held(run.lock)
    void: dict[tuple[str, int, int], str] = {}
    for event in Journal(run.journal).events():
        if event["event"] == "void":
            void[event["array"], event["index"], event["attempt"]] = event["reason"]
        elif status.submissions.hear(event):
            _note_time(status, event)
        else:
            _apply(status, event)
    for array in plan.arrays:
        _apply_records(run, array, status, void)
    if status.is_complete:
        _look_at_skips(known.values())
    if not status.is_driven:
        _interrupt(known.values())
    if status.is_queued:
        _apply_submissions(status, observed or read_observed(run.observed), time.time() if now is None else now)
    return status


def _note_time(status: RunStatus, event: dict[str, Any]) -> None:
    status.first_event = status.first_event or event.get("time")
    status.last_event = event.get("time", status.last_event)


def _apply(status: RunStatus, event: dict[str, Any]) -> None:
    _note_time(status, event)
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
    run: RunDirectory, array: ArrayJob, run_status: RunStatus, void: dict[tuple[str, int, int], str]
) -> None:
    known = run_status.indices[array.name]
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
        status.record = record
        if record is None:
            if not is_same or status.state in (State.PENDING, State.COMPLETED):
                reason = reason or IS_TORN
                _discount(status, found.attempt, reason, "torn" if reason == IS_TORN else "")
                confirmed.add(found.index)
        elif record.state.is_final:
            confirmed.add(found.index)
            if run_status.is_queued:  # nobody was there to write down when it ended
                run_status.last_event = max(run_status.last_event or 0.0, record.end)
            if not (is_same and status.state is record.state):
                status.reason, status.seconds = "its record says so", record.seconds
            status.state, status.attempt, status.error = record.state, found.attempt, record.error
            status.has_skipped, status.damage = record.has_skipped, ""
    for index, status in known.items():
        if status.state is State.COMPLETED and index not in confirmed:
            _discount(status, status.attempt, "its record is missing", "missing")


def _apply_submissions(status: RunStatus, observed: Observed, now: float) -> None:
    """Judge every index that was handed to a scheduler; array jobs come after those that they wait for."""
    for array in status.plan.arrays:
        submitted = status.submissions.latest(array.name)
        earlier = {one.job for one in status.submissions.of_array(array.name)}
        twins = [status.indices[one.array] for one in array.after if one.kind == "element"]
        for index, known in status.indices[array.name].items():
            if known.state is State.COMPLETED:
                continue
            one = submitted.get(index)
            is_cancelled = (array.name, index) in status.submissions.cancelled
            if one is None or not one.job:
                _not_submitted(known, one, is_cancelled)
                continue
            record = known.record if known.record and known.record.job in ("", one.job) else None
            if known.record is not None and record is None and known.record.job not in earlier:
                record = known.record  # of a job that the journal does not know of
            evidence = _evidence(one, index, observed, record, is_cancelled)
            verdict = judge(replace(evidence, upstream=_unmet(array, index, twins)), now)
            known.state, known.reason, known.error = verdict.state, verdict.reason, verdict.error
            known.is_settled, known.said = verdict.is_settled, verdict.statement
            if record is None:
                known.seconds, known.has_skipped = 0.0, False
    if not status.is_settled:  # else there is nothing that anybody could add
        status.notes += _silences(observed)


def _evidence(
    one: Submitted, index: int, observed: Observed, record: RecordState | None, is_cancelled: bool
) -> Evidence:
    controller = observed.witnesses.get(CONTROLLER)
    answered = [witness.time for witness in observed.witnesses.values() if witness.time is not None]
    return Evidence(
        record=record,
        controller=observed.said(CONTROLLER, one.job, index),
        accounting=observed.said(ACCOUNTING, one.job, index),
        is_blind=controller is None or controller.silent_since is not None,
        was_asked=any(moment >= one.since for moment in answered),
        missed_since=observed.missed.get(one.job, {}).get(index),
        is_cancelled=is_cancelled,
    )


def _unmet(array: ArrayJob, index: int, twins: list[dict[int, IndexStatus]]) -> str:
    """What an index waits for index by index, and has not completed."""
    names = [one.array for one in array.after if one.kind == "element"]
    found = [
        f"{name}[{index}] is {twin[index].state}"
        for name, twin in zip(names, twins, strict=True)
        if twin[index].state is not State.COMPLETED
    ]
    return ", ".join(found)


def _not_submitted(known: IndexStatus, one: Submitted | None, is_cancelled: bool) -> None:
    if known.state.is_final:
        return  # it was run by hand
    if is_cancelled:
        known.state, known.reason = State.CANCELLED, "it was cancelled before it was submitted"
    elif one is None:
        known.reason, known.is_settled = "it has not been submitted yet", False
    else:
        known.is_settled = False
        known.reason = f"the scheduler refused it: {one.error}" if one.error else "its submission was cut off"


def _silences(observed: Observed) -> Iterator[str]:
    for name, witness in observed.witnesses.items():
        if witness.silent_since is not None and not (name == ACCOUNTING and witness.error == "it is off"):
            since = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(witness.silent_since))
            yield f"the {name} has not answered since {since}: {witness.error}"


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
