"""Works out the status of a run from its journal, its records, and what the scheduler last said of it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sciflow.model.plan import ArrayJob, Plan
from sciflow.model.state import State
from sciflow.model.statement import ACCOUNTING, CONTROLLER
from sciflow.run.judge import Evidence, Verdict, judge
from sciflow.run.status import IndexStatus, RunStatus, untouched
from sciflow.store.brakes import Brake, read_brakes
from sciflow.store.journal import Journal
from sciflow.store.layout import RecordFile, RunDirectory, read_document
from sciflow.store.lock import is_held
from sciflow.store.records import RecordState, read_states
from sciflow.store.statements import Observed, read_observed
from sciflow.store.submissions import Round, Submitted

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
        if event["event"] == "void":
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
    status.has_skipped, status.damage = record.has_skipped, ""
    return True


def _apply_submissions(run: RunDirectory, status: RunStatus, observed: Observed, now: float) -> None:
    """Judge every index that was handed to a scheduler; array jobs come after those that they wait for."""
    brakes = read_brakes(run)
    for array in status.plan.arrays:
        earlier = {one.job for one in status.submissions.of_array(array.name)}
        twins = [status.indices[one.array] for one in array.after if one.kind == "element"]
        for index, known in status.indices[array.name].items():
            element = array.element(index)
            retry = status.submissions.due(array.name, element)
            is_due = retry is not None and index in retry.indices
            if known.state is State.COMPLETED and not (is_due and known.has_skipped):
                continue
            is_cancelled = (array.name, index) in status.submissions.cancelled
            found = status.submissions.round_of(array.name, element, index)
            if is_due and not is_cancelled:
                known.state, known.is_settled, known.error = State.PENDING, False, ""
                known.reason = "it is to be tried again, and has not been submitted yet"
            elif found is None or not found.last_job:
                _not_submitted(known, found, is_cancelled)
            else:
                case = _Case(array, index, observed, earlier, is_cancelled, _unmet(array, index, twins))
                verdict, is_of_round = _judged(case, known.record, found, now)
                if not is_of_round:
                    verdict = _or_held(verdict, brakes.get(array.name, ()))
                _conclude(known, verdict, is_of_round)
    if not status.is_settled:  # else there is nothing that anybody could add
        status.notes += _silences(observed)


@dataclass(frozen=True)
class _Case:
    """One index, and what there is to judge it by besides its record.

    `jobs` are the jobs of its array job that the journal knows of, and `upstream` tells what it waits for in vain.
    """

    array: ArrayJob
    index: int
    observed: Observed
    jobs: set[str]
    is_cancelled: bool
    upstream: str


def _conclude(known: IndexStatus, verdict: Verdict, is_of_round: bool) -> None:
    known.state, known.reason, known.error = verdict.state, verdict.reason, verdict.error
    known.is_settled, known.said = verdict.is_settled, verdict.statement
    if not is_of_round:
        known.seconds, known.has_skipped = 0.0, False


def _judged(case: _Case, record: RecordState | None, found: Round, now: float) -> tuple[Verdict, bool]:
    """The verdict on an index, and whether its record is of the round of submissions that counts.

    Of a chain, the link counts that left the record; when that has ended for its time, the one after it.
    """
    links = [one for one in found.links if one.job]
    known = None if record is not None and _is_older(record, links[0]) else record
    first = next((i for i, one in enumerate(links) if known is not None and known.job == one.job), 0)
    if known is not None and known.job and known.job != links[first].job and known.job in case.jobs:
        known = None  # of an earlier round
    verdict = judge(_evidence(case, links[first], known), now)
    for number, link in enumerate(links[first + 1 :], first + 2):
        if verdict.state is not State.TIMEOUT:
            break
        following = judge(_evidence(case, link, None), now)
        if following.state in (State.UPSTREAM_FAILED, State.UNKNOWN):
            break  # it never started
        if following.state is State.PENDING:
            text = f"it goes on from its checkpoint, as link {number} of {case.array.links}: {following.reason}"
            following = replace(following, reason=text)
        verdict, known = following, None
    return verdict, known is not None


def _or_held(verdict: Verdict, brakes: Sequence[Brake]) -> Verdict:
    """What a brake did not let start has ended without a trace of its own."""
    said = verdict.statement
    if said is not None and verdict.state in (State.FAILED, State.UNKNOWN):
        for brake in brakes:
            if brake.was_on(said.end):
                return replace(verdict, state=State.CANCELLED, reason=brake.reason, error=brake.reason, is_settled=True)
    return verdict


def _is_older(record: RecordState, first: Submitted) -> bool:
    """Whether a record that names no job was left before anything of a round was submitted."""
    return not record.job and record.state.is_final and record.end < first.since


def _evidence(case: _Case, one: Submitted, record: RecordState | None) -> Evidence:
    observed, element = case.observed, case.array.element(case.index)
    controller = observed.witnesses.get(CONTROLLER)
    answered = [witness.time for witness in observed.witnesses.values() if witness.time is not None]
    return Evidence(
        record=record,
        controller=observed.said(CONTROLLER, one.job, element),
        accounting=observed.said(ACCOUNTING, one.job, element),
        heard=controller.time if controller and controller.time else max(answered, default=None),
        is_blind=controller is None or controller.silent_since is not None,
        was_asked=controller is not None and (controller.time or 0.0) >= one.since,
        missed_since=observed.missed.get(one.job, {}).get(element),
        is_cancelled=case.is_cancelled,
        is_alone=case.array.pack == 1,
        upstream=case.upstream,
        is_tied=any(after.kind == "element" for after in case.array.after),
    )


def _unmet(array: ArrayJob, index: int, twins: list[dict[int, IndexStatus]]) -> str:
    """What an index waits for index by index, and what will not complete."""
    names = [one.array for one in array.after if one.kind == "element"]
    found = [
        f"{name}[{index}] is {twin[index].state}"
        for name, twin in zip(names, twins, strict=True)
        if twin[index].is_over and twin[index].state is not State.COMPLETED
    ]
    return ", ".join(found)


def _not_submitted(known: IndexStatus, found: Round | None, is_cancelled: bool) -> None:
    one = found.links[0] if found is not None else None
    if known.state.is_final and not (one is not None and known.record is not None and known.record.end < one.since):
        return  # it was run by hand
    if is_cancelled:
        known.state, known.reason = State.CANCELLED, "it was cancelled before it was submitted"
    elif one is None:
        known.reason, known.is_settled = "it has not been submitted yet", False
    else:
        known.state, known.is_settled, known.error = State.PENDING, False, ""
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


def _interrupt(arrays: Iterable[dict[int, IndexStatus]]) -> None:
    for indices in arrays:
        for status in indices.values():
            if status.state is State.RUNNING:
                status.state, status.reason = State.PENDING, "it ran when its driver was killed; it will run again"
