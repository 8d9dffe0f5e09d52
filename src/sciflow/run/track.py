"""Works out the status of a run from its journal, its records, and what the scheduler last said of it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from sciflow.model.cause import Cause
from sciflow.model.plan import ArrayJob, Plan
from sciflow.model.state import State
from sciflow.model.statement import ACCOUNTING, CONTROLLER
from sciflow.run.judge import Verdict
from sciflow.run.soundness import described_changes
from sciflow.run.status import IndexStatus, RunStatus, untouched
from sciflow.run.verdicts import Case, judged, or_held
from sciflow.store.brakes import read_brakes
from sciflow.store.journal import Journal
from sciflow.store.layout import RecordFile, RunDirectory, read_document
from sciflow.store.lock import is_held
from sciflow.store.records import RecordState, read_states
from sciflow.store.rounds import Round
from sciflow.store.statements import Observed, read_observed
from sciflow.store.submissions import AUTONOMOUS
from sciflow.store.submitted import Submitted
from sciflow_shim.files import HELD_BACK

IS_TORN = "its record is torn"
Reader = Callable[[str, int], dict[int, RecordState] | None]


def read_plan(run: RunDirectory) -> Plan:
    """The run's plan."""
    return Plan.from_document(read_document(run.plan))


def observe(
    run: RunDirectory,
    plan: Plan | None = None,
    observed: Observed | None = None,
    now: float | None = None,
    read: Reader = read_states,
) -> RunStatus:
    """Work out the state of every index from journal and records, and what the scheduler last said.

    The journal is quick to read and tells of what left no record; a record that the journal does not know of, from a
    driver that was killed or an index that was run by hand, counts as well. Of two attempts the later one counts.
    Nothing is completed without a record that can be read.

    Parameters
    ----------
    run, plan, observed, now
        What to observe, what is to be done there, what the scheduler last said, and when.
    read
        Path and index → what a record tells; who has read it before may give that.
    """
    plan = plan or read_plan(run)
    status = untouched(plan)
    known, status.is_driven = status.indices, is_held(run.lock)
    void: dict[tuple[str, int, int], str] = {}
    for event in Journal(run.journal).events():
        if event["event"] == AUTONOMOUS:
            status.is_autonomous = event["is_on"]
        elif event["event"] == "void":
            void[event["array"], event["index"], event["attempt"]] = event["reason"]
        elif status.submissions.hear(event):
            _note_time(status, event)
        else:
            _apply(status, event)
    for array in plan.arrays:
        _apply_records(run, array, status, void, read)
    if status.is_complete:
        _look_at_skips(known.values())
    if not status.is_driven:
        _interrupt(known.values())
    if status.is_queued:
        observed = observed or read_observed(run.observed)
        _apply_submissions(run, status, observed, time.time() if now is None else now)
    else:
        _apply_decisions(status)
    status.notes += described_changes(status)
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
        if known.state is not State.CANCELLED or known.error.startswith(HELD_BACK):  # else its driver was stopped
            status.submissions.carry_out(event["array"], event["index"])
    elif event["event"] == "reused" and not known.attempt:
        known.state, known.attempt, known.reason = State.COMPLETED, 0, f"taken over from run {event['from']}"
        known.seconds = event.get("seconds", 0.0)
        status.reused += 1


def _apply_records(
    run: RunDirectory,
    array: ArrayJob,
    run_status: RunStatus,
    void: dict[tuple[str, int, int], str],
    read: Reader,
) -> None:
    known = run_status.indices[array.name]
    confirmed: set[int] = set()
    torn: list[RecordFile] = []
    # Of an attempt that goes on, or was killed, the record says less than that of an earlier one's end: it comes after.
    for found in sorted(run.records(array.name), key=lambda one: one.attempt):
        told = array.of_element(found.index) if array.pack > 1 and found.attempt else (found.index,)
        if array.pack == 1 and found.index in known and found.attempt == known[found.index].attempt:
            known[found.index].path = found.path
        if not any(index in known and _may_tell(known[index], found.attempt) for index in told):
            continue
        records = read(found.path, found.index)
        if records is None and array.pack > 1:
            torn.append(found)  # whatever it told of may be told by another one
            continue
        for index in told if records is None else records:
            if index in known and _may_tell(known[index], found.attempt):
                place = RecordFile(array.name, index, found.attempt, found.path)
                reason = void.get((array.name, index, found.attempt), "")
                record = None if reason or records is None else records[index]
                if _apply_record(run_status, known[index], place, record, reason):
                    confirmed.add(index)
    for found in torn:
        for index in array.of_element(found.index) if found.attempt else (found.index,):
            if index not in confirmed and _may_tell(known[index], found.attempt):
                place = RecordFile(array.name, index, found.attempt, found.path)
                if _apply_record(run_status, known[index], place, None, ""):
                    confirmed.add(index)
    for index, status in known.items():
        if status.state is State.COMPLETED and index not in confirmed:
            _discount(status, status.attempt, "its record is missing", "missing")


def _may_tell(status: IndexStatus, attempt: int) -> bool:
    """Whether the record of an attempt may change what is known."""
    if attempt != status.attempt:
        return attempt > status.attempt
    # A lost shim may have written its record before; no other end that the journal tells of needs a second look.
    return not status.state.is_final or status.state in (State.COMPLETED, State.NODE_FAIL)


def _apply_record(
    run_status: RunStatus, status: IndexStatus, found: RecordFile, record: RecordState | None, reason: str
) -> bool:
    """Take in the record of an attempt, None for one that does not count; whether that settles what is completed."""
    is_same = found.attempt == status.attempt
    status.record, status.path = record, found.path
    if record is None:
        if is_same and status.state not in (State.PENDING, State.COMPLETED):
            return False
        reason = reason or IS_TORN
        _discount(status, found.attempt, reason, "torn" if reason == IS_TORN else "")
        return True
    if not record.state.is_final:
        return False
    if run_status.is_queued:  # nobody was there to write down when it ended
        run_status.last_event = max(run_status.last_event or 0.0, record.end)
    if not (is_same and status.state is record.state):
        status.reason, status.seconds = "its record says so", record.seconds
    status.state, status.attempt, status.error = record.state, found.attempt, record.error
    status.skipped, status.changed, status.damage = record.skipped, record.changed, ""
    return True


def _apply_decisions(status: RunStatus) -> None:
    """On this machine what is to be tried again is run by whoever drives the run next."""
    for array in status.plan.arrays:
        for index, known in status.indices[array.name].items():
            retry = status.submissions.due(array.name, index)
            if retry is None or known.state is State.RUNNING or _has_ended_since(known, retry.time):
                continue
            known.state, known.error, known.reason = State.PENDING, "", "it is to be tried again"


def _has_ended_since(known: IndexStatus, time: float) -> bool:
    """Whether a record tells of an end after that time; who was stopped with its driver has not come to its end."""
    record = known.record
    return record is not None and record.state.is_final and record.end > time and record.state is not State.CANCELLED


def _made_anew(status: RunStatus) -> dict[tuple[str, int], float]:
    """(array, index) → when it was decided to run it again although it may be completed, with its upstream."""
    return {
        (retry.array, index): retry.time
        for retry in status.submissions.retries
        if retry.cause == Cause.UPSTREAM_FAILED.value
        for index in retry.indices
    }


def _apply_submissions(run: RunDirectory, status: RunStatus, observed: Observed, now: float) -> None:
    """Judge every index that was handed to a scheduler; array jobs come after those that they wait for."""
    brakes, anew = read_brakes(run), _made_anew(status)
    for array in status.plan.arrays:
        earlier = {one.job for one in status.submissions.holding(array.name)}
        twins = {one.array: status.indices[one.array] for one in array.after if one.kind == "element"}
        for index, known in status.indices[array.name].items():
            element = array.element(index)
            retry = status.submissions.due(array.name, element)
            is_due = retry is not None and index in retry.indices
            is_cancelled = (array.name, index) in status.submissions.cancelled
            is_old = known.record is not None and known.record.end < anew.get((array.name, index), 0.0)
            if known.state is State.COMPLETED and (is_cancelled or not is_old):
                continue
            found = status.submissions.round_of(array.name, element, index)
            if is_due and not is_cancelled:
                known.state, known.is_settled, known.error = State.PENDING, False, ""
                known.reason = "it is to be tried again, and has not been submitted yet"
            elif is_due:
                known.state, known.is_settled, known.error = State.CANCELLED, True, ""
                known.reason = "it was cancelled before it was tried again"
            elif found is None or not found.last_job:
                _not_submitted(known, found, is_cancelled, earlier)
            else:
                before = {name: twin[index] for name, twin in twins.items()}
                case = Case(array, index, observed, earlier, is_cancelled, before)
                verdict, is_of_round = judged(case, known.record, found, now)
                if not is_of_round:
                    verdict = or_held(verdict, brakes.get(array.name, ()))
                _conclude(known, verdict, is_of_round)
    if not status.is_settled:  # else there is nothing that anybody could add
        status.notes += [*_silences(observed), *_avoided(status, now), *_untended(status, observed)]


def _conclude(known: IndexStatus, verdict: Verdict, is_of_round: bool) -> None:
    known.state, known.reason, known.error = verdict.state, verdict.reason, verdict.error
    known.is_settled, known.said = verdict.is_settled, verdict.statement
    if not is_of_round:
        known.seconds, known.skipped, known.changed = 0.0, 0, ""


def _not_submitted(known: IndexStatus, found: Round | None, is_cancelled: bool, jobs: set[str]) -> None:
    one = found.links[0] if found is not None else None
    if known.state.is_final and not (
        one is not None and known.record is not None and _is_before(known.record, one, jobs)
    ):
        return  # it was run by hand
    if is_cancelled:
        known.state, known.reason = State.CANCELLED, "it was cancelled before it was submitted"
    elif one is None:
        known.reason, known.is_settled = "it has not been submitted yet", False
    else:
        known.state, known.is_settled, known.error = State.PENDING, False, ""
        known.reason = f"the scheduler refused it: {one.error}" if one.error else "its submission was cut off"


def _is_before(record: RecordState, one: Submitted, jobs: set[str]) -> bool:
    """Whether a record was left before a submission: in another job of its array job, or by hand."""
    return record.job in jobs if record.job else record.end < one.since


def _silences(observed: Observed) -> Iterator[str]:
    for name, witness in observed.witnesses.items():
        if witness.silent_since is not None and not (name == ACCOUNTING and witness.error == "it is off"):
            since = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(witness.silent_since))
            yield f"the {name} has not answered since {since}: {witness.error}"


def _avoided(status: RunStatus, now: float) -> Iterator[str]:
    for node, until in status.submissions.avoided.items():
        if until > now:
            when = time.strftime("%Y-%m-%d %H:%M", time.localtime(until))
            yield f"node {node} is avoided until {when}; `sciflow retry --include {node}` uses it again"


def _untended(status: RunStatus, observed: Observed) -> Iterator[str]:
    errands = status.submissions.errands() if status.is_autonomous else []
    if errands and not status.is_finished:
        said = observed.said(CONTROLLER, errands[-1].job, 0)
        if said is not None and said.state.is_final:
            text = f"job {errands[-1].job}, which was to look after it, has ended ({said.word})"
            yield f"{text}: the same `sciflow submit … --autonomous` lets another one follow"


def _discount(status: IndexStatus, attempt: int, reason: str, damage: str) -> None:
    status.state, status.attempt, status.reason, status.damage = State.PENDING, attempt, reason, damage
    status.error, status.seconds, status.skipped, status.changed = "", 0.0, 0, ""


def _look_at_skips(arrays: Iterable[dict[int, IndexStatus]]) -> None:
    """Where everything is completed, what skipped some of its upstream was made before that."""
    for indices in arrays:
        for status in indices.values():
            if status.skipped:
                status.state, status.reason = State.PENDING, "what it skipped is there now"


def _interrupt(arrays: Iterable[dict[int, IndexStatus]]) -> None:
    for indices in arrays:
        for status in indices.values():
            if status.state is State.RUNNING:
                status.state, status.reason = State.PENDING, "it ran when its driver was killed; it will run again"
