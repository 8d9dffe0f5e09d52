"""The one table that combines what the record, the controller and accounting say of an array index, with a reason."""

from __future__ import annotations

from dataclasses import dataclass

from sciflow.model.state import State
from sciflow.model.statement import Statement
from sciflow.store.records import RecordState

PATIENCE = 15.0  # seconds: what all witnesses miss for so long will not come; accounting lags by five
_FURTHER = (State.TIMEOUT, State.PREEMPTED, State.NODE_FAIL, State.OUT_OF_MEMORY)
_TOLD = (State.CANCELLED, State.TIMEOUT)
_COMES_BACK = (State.NODE_FAIL, State.PREEMPTED)


@dataclass(frozen=True)
class Evidence:
    """All that is known of one submitted index.

    Attributes
    ----------
    record
        That of its last attempt under this submission, or by hand.
    controller, accounting
        What these witnesses last said.
    heard
        When the witness that counts last answered.
    is_blind
        Whether the controller did not answer the last time.
    was_asked
        Whether the controller has answered since it was submitted; accounting lags.
    missed_since
        Since when it has neither a final record nor a place in the queue; None if it has.
    is_cancelled
        Whether it was cancelled by `sciflow cancel`.
    is_alone
        Whether the scheduler's word is about it alone, and not about several that ran as one.
    upstream
        The index before it, if it is tied to one, with its state; empty if it has completed.
    is_tied
        Whether the scheduler lets it start only where another index has ended well.
    """

    record: RecordState | None = None
    controller: Statement | None = None
    accounting: Statement | None = None
    heard: float | None = None
    is_blind: bool = False
    was_asked: bool = True
    missed_since: float | None = None
    is_cancelled: bool = False
    is_alone: bool = True
    upstream: str = ""
    is_tied: bool = False


@dataclass(frozen=True)
class Verdict:
    """The state of an index, why, and whether it will stay so."""

    state: State
    reason: str
    error: str = ""
    is_settled: bool = True
    statement: Statement | None = None


def judge(evidence: Evidence, now: float) -> Verdict:
    """Give the state of an index.

    The record says best what the program did; the scheduler knows better who ended it. The controller counts before
    accounting, which lags, unless it does not answer.
    """
    said = _said(evidence)
    has_waited = evidence.missed_since is not None and now - evidence.missed_since >= PATIENCE
    if evidence.record is not None and evidence.record.state.is_final:
        return _of_record(evidence, evidence.record, said, has_waited)
    if said is None:
        return _unheard(evidence, has_waited)
    if said.state is State.PENDING:
        # One that has left a record has run before; "waits for its start time" would be a riddle then.
        again = "the scheduler has put it back into the queue; it " if evidence.record is not None else ""
        return Verdict(State.PENDING, again + said.reason, "", False, said)
    if said.state is State.RUNNING:
        return Verdict(said.state, f"it runs on {said.node}" if said.node else "it runs", "", False, said)
    return _ended(evidence, said, has_waited)


def _said(evidence: Evidence) -> Statement | None:
    controller, accounting = evidence.controller, evidence.accounting
    if accounting is None or not accounting.state.is_final:
        is_better = False
    else:  # where both have come to the same end, only accounting knows the exit code
        is_better = controller is None or evidence.is_blind or controller.state is accounting.state
    if is_better:
        return accounting
    if controller is not None or not evidence.is_blind:
        return controller  # what accounting calls running, and the controller does not know, is old
    return accounting


def tells_all(record: RecordState) -> bool:
    """Whether a final record needs no second witness.

    A program that is told to stop does not learn why, one that is killed does not learn by whom, and one that fails may
    have lost a process for its memory.
    """
    return record.state.is_final and not (record.state in (*_TOLD, State.FAILED) or record.was_killed)


def _of_record(evidence: Evidence, record: RecordState, said: Statement | None, has_waited: bool) -> Verdict:
    was_cancelled = record.state is State.CANCELLED and said is not None and said.state is State.CANCELLED
    # By whom, only accounting knows, which lags.
    is_told = said is not None and said.state.is_final and not (was_cancelled and evidence.accounting is None)
    is_known = tells_all(record) or has_waited or is_told
    told = said if was_cancelled else None
    by_record = Verdict(record.state, "its record says so", record.error, is_known, told)
    is_old = evidence.heard is not None and record.end > evidence.heard
    if record.state is State.COMPLETED or said is None or (is_old and not said.state.is_final):
        return by_record
    if said.state is State.PENDING:
        return Verdict(State.PENDING, "the scheduler has put it back into the queue", "", False, said)
    if said.state is State.RUNNING and said.start is not None and said.start > record.end:
        return Verdict(State.RUNNING, "the scheduler has started it again", "", False, said)
    causes = (State.OUT_OF_MEMORY,) if evidence.is_alone else ()
    if record.state in _TOLD or record.was_killed:
        causes = (*_FURTHER, State.CANCELLED)
    if record.state in (*_TOLD, State.FAILED) and said.state in causes and said.state is not record.state:
        return Verdict(said.state, f"the scheduler says {said.word}", record.error, statement=said)
    return by_record


def _unheard(evidence: Evidence, has_waited: bool) -> Verdict:
    if evidence.is_cancelled:
        return Verdict(State.CANCELLED, "it was cancelled before it started", is_settled=has_waited)
    if evidence.record is not None and not has_waited:
        return Verdict(State.RUNNING, f"its record says that it runs on {evidence.record.host}", is_settled=False)
    if not evidence.was_asked:
        return Verdict(State.PENDING, "it has been submitted; the scheduler has not answered since", is_settled=False)
    text = "neither records nor scheduler nor accounting know what became of it"
    return Verdict(State.UNKNOWN, text, text, has_waited)


def _ended(evidence: Evidence, said: Statement, has_waited: bool) -> Verdict:
    """The scheduler says that it has ended, and it has left no final record."""
    if said.state is State.COMPLETED:
        text = "the scheduler says COMPLETED, but it has left no record"
        return Verdict(State.UNKNOWN, text, text, has_waited, said)
    if said.state is State.UPSTREAM_FAILED:
        return Verdict(said.state, said.reason, evidence.upstream, True, said)
    if said.state is State.CANCELLED:
        if (evidence.upstream or _is_untied(evidence, said)) and not _is_by_somebody(evidence, said):
            text = "the scheduler removed it, since what it waits for has failed"
            return Verdict(State.UPSTREAM_FAILED, text, evidence.upstream, True, said)
        how = f"it was cancelled {said.reason}" if said.reason.startswith("by") else "it was cancelled"
        return Verdict(State.CANCELLED, how, "", has_waited, said)
    code = f" with exit code {said.exit}" if said.exit not in ("", "0:0") else ""
    text = f"the scheduler says {said.word}{code}, and it has left no final record"
    if said.state in _COMES_BACK and not has_waited:
        return Verdict(State.PENDING, f"{text}; it may come back into the queue", "", False, said)
    return Verdict(said.state, text, text, has_waited, said)


def _is_by_somebody(evidence: Evidence, said: Statement) -> bool:
    return bool(said.node) or evidence.is_cancelled or said.reason.startswith("by")


def _is_untied(evidence: Evidence, said: Statement) -> bool:
    """Whether the scheduler removed it although what it waits for is completed, by a record that was the last it did.

    Only accounting, which gives an exit code, would name who has cancelled it.
    """
    return evidence.is_tied and said.start is None and said.exit != ""
