"""The table of what the record, the controller and accounting say together: a row for each case."""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

import pytest

from sciflow.model.state import State
from sciflow.model.statement import Statement
from sciflow.run.judge import PATIENCE, Evidence, Verdict, judge, tells_all
from sciflow.store.records import RecordState

NOW = 10_000.0
LONG, SHORT = NOW - PATIENCE, NOW - PATIENCE + 1  # since when it is missed
NOBODY = "neither records nor scheduler nor accounting know what became of it"


def record(state: State, error: str = "", signal: int = 0) -> RecordState:
    """Return how an attempt ended at 9000 s, by its record."""
    return RecordState(state, error, 5.0, job="7", end=9_000.0, host="n1", was_killed=bool(signal))


def said(state: State, reason: str = "", word: str = "", **facts: object) -> Statement:
    """Return what a witness says."""
    return Statement(state, word or state.value, reason, **facts)  # type: ignore[arg-type]


class Row(NamedTuple):
    """What is known, and what follows: state, whether it stays so, its reason, its error."""

    evidence: Evidence
    state: State
    is_settled: bool
    reason: str
    error: str = ""


COMPLETED, FAILED, PENDING, RUNNING = State.COMPLETED, State.FAILED, State.PENDING, State.RUNNING
CANCELLED, UNKNOWN, UPSTREAM = State.CANCELLED, State.UNKNOWN, State.UPSTREAM_FAILED
DONE, BROKEN, STOPPED, KILLED, BEGUN = (
    record(COMPLETED),
    record(FAILED, "ValueError: no"),
    record(CANCELLED, "it was told to stop", 15),
    record(FAILED, "was killed by signal 9 (SIGKILL)", 9),
    record(RUNNING),
)
WAITS = said(PENDING, "others with a higher priority come first")
RUNS = said(RUNNING, start=9_500.0, node="n1")
RAN = said(RUNNING, start=8_000.0, node="n1")
BY_RECORD, BACK = "its record says so", "the scheduler has put it back into the queue"
NO_RECORD = ", and it has left no final record"

TABLE: dict[str, Row] = {
    # --- a final record that needs no second witness
    "completed": Row(Evidence(DONE), COMPLETED, True, BY_RECORD),
    "failed": Row(Evidence(BROKEN), FAILED, False, BY_RECORD, "ValueError: no"),
    "failed, and the queue knows": Row(Evidence(BROKEN, said(FAILED)), FAILED, True, BY_RECORD, "ValueError: no"),
    "failed, and nobody knows more": Row(
        Evidence(BROKEN, missed_since=LONG), FAILED, True, BY_RECORD, "ValueError: no"
    ),
    "failed, since a child was killed for its memory": Row(
        Evidence(BROKEN, said(State.OUT_OF_MEMORY)),
        State.OUT_OF_MEMORY,
        True,
        "the scheduler says OUT_OF_MEMORY",
        BROKEN.error,
    ),
    "failed by itself, and its time was up": Row(
        Evidence(BROKEN, said(State.TIMEOUT)), FAILED, True, BY_RECORD, BROKEN.error
    ),
    "criteria not met, whatever the queue says": Row(
        Evidence(record(State.CRITERIA_NOT_MET), said(State.OUT_OF_MEMORY)), State.CRITERIA_NOT_MET, True, BY_RECORD
    ),
    "failed after the queue was last asked": Row(
        Evidence(BROKEN, WAITS, heard=8_999.0), FAILED, False, BY_RECORD, BROKEN.error
    ),
    "failed before the queue was last asked": Row(Evidence(BROKEN, WAITS, heard=9_001.0), PENDING, False, BACK),
    "started again before the queue was last asked": Row(
        Evidence(BROKEN, RUNS, heard=9_501.0), RUNNING, False, "the scheduler has started it again"
    ),
    "criteria not met": Row(Evidence(record(State.CRITERIA_NOT_MET)), State.CRITERIA_NOT_MET, True, BY_RECORD),
    "completed, still running by the queue": Row(Evidence(DONE, RAN), COMPLETED, True, BY_RECORD),
    "completed, started again by the queue": Row(Evidence(DONE, RUNS), COMPLETED, True, BY_RECORD),
    "completed, put back by the queue": Row(Evidence(DONE, WAITS), COMPLETED, True, BY_RECORD),
    "completed, then failed by the queue": Row(Evidence(DONE, said(FAILED)), COMPLETED, True, BY_RECORD),
    "completed, whoever cancelled it then": Row(Evidence(DONE, is_cancelled=True), COMPLETED, True, BY_RECORD),
    "failed, completed by the queue": Row(Evidence(BROKEN, said(COMPLETED)), FAILED, True, BY_RECORD, BROKEN.error),
    "failed, still running by the queue": Row(Evidence(BROKEN, RAN), FAILED, False, BY_RECORD, BROKEN.error),
    "failed, then put back": Row(Evidence(BROKEN, WAITS), PENDING, False, BACK),
    "failed, then started again": Row(Evidence(BROKEN, RUNS), RUNNING, False, "the scheduler has started it again"),
    "failed, running since nobody knows when": Row(
        Evidence(BROKEN, said(RUNNING)), FAILED, False, BY_RECORD, BROKEN.error
    ),
    # --- a record of what was told to stop, or killed: who did it, and why, others know
    "told to stop, nobody asked": Row(Evidence(STOPPED), CANCELLED, False, BY_RECORD, STOPPED.error),
    "told to stop, nobody knows more": Row(
        Evidence(STOPPED, missed_since=LONG), CANCELLED, True, BY_RECORD, STOPPED.error
    ),
    "told to stop, nobody knows more yet": Row(
        Evidence(STOPPED, missed_since=SHORT), CANCELLED, False, BY_RECORD, STOPPED.error
    ),
    "told to stop, by a person": Row(
        Evidence(STOPPED, accounting=said(CANCELLED, "by 1001")), CANCELLED, True, BY_RECORD, STOPPED.error
    ),
    **{
        f"told to stop: {state}": Row(
            Evidence(STOPPED, said(state)), state, True, f"the scheduler says {state}", STOPPED.error
        )
        for state in (State.TIMEOUT, State.PREEMPTED, State.NODE_FAIL, State.OUT_OF_MEMORY)
    },
    "told to stop, by somebody whom accounting will know": Row(
        Evidence(STOPPED, said(CANCELLED)), CANCELLED, False, BY_RECORD, STOPPED.error
    ),
    "told to stop, by somebody whom accounting knows": Row(
        Evidence(STOPPED, said(CANCELLED), said(CANCELLED, "by 1001")), CANCELLED, True, BY_RECORD, STOPPED.error
    ),
    "told to stop, put back": Row(Evidence(STOPPED, WAITS), PENDING, False, BACK),
    "killed, nobody asked": Row(Evidence(KILLED), FAILED, False, BY_RECORD, KILLED.error),
    "killed for its memory": Row(
        Evidence(KILLED, said(State.OUT_OF_MEMORY)),
        State.OUT_OF_MEMORY,
        True,
        "the scheduler says OUT_OF_MEMORY",
        KILLED.error,
    ),
    "killed by a person": Row(
        Evidence(KILLED, said(CANCELLED)), CANCELLED, True, "the scheduler says CANCELLED", KILLED.error
    ),
    "stopped by itself, and its time was up": Row(
        Evidence(record(State.TIMEOUT), said(State.TIMEOUT)), State.TIMEOUT, True, BY_RECORD
    ),
    "stopped by itself, nobody asked": Row(Evidence(record(State.TIMEOUT)), State.TIMEOUT, False, BY_RECORD),
    "stopped by itself, and preempted": Row(
        Evidence(record(State.TIMEOUT), said(State.PREEMPTED)), State.PREEMPTED, True, "the scheduler says PREEMPTED"
    ),
    "killed by itself": Row(Evidence(KILLED, said(FAILED)), FAILED, True, BY_RECORD, KILLED.error),
    # --- no final record: in the queue
    "waits": Row(Evidence(controller=WAITS), PENDING, False, WAITS.reason),
    "runs": Row(Evidence(controller=RUNS), RUNNING, False, "it runs on n1"),
    "runs somewhere": Row(Evidence(controller=said(RUNNING)), RUNNING, False, "it runs"),
    "runs, by its record, too": Row(Evidence(BEGUN, RUNS), RUNNING, False, "it runs on n1"),
    "back in the queue after a start": Row(Evidence(BEGUN, WAITS), PENDING, False, f"{BACK}; it {WAITS.reason}"),
    "waits, whatever accounting remembers": Row(Evidence(None, WAITS, said(FAILED)), PENDING, False, WAITS.reason),
    "runs, and accounting lags": Row(Evidence(None, RUNS, WAITS), RUNNING, False, "it runs on n1"),
    "cancelled, and still runs": Row(Evidence(None, RUNS, is_cancelled=True), RUNNING, False, "it runs on n1"),
    # --- no final record: nobody says anything
    "submitted, nobody asked": Row(
        Evidence(was_asked=False), PENDING, False, "it has been submitted; the scheduler has not answered since"
    ),
    "missed for a moment": Row(Evidence(missed_since=SHORT), UNKNOWN, False, NOBODY, NOBODY),
    "missed for long": Row(Evidence(missed_since=LONG), UNKNOWN, True, NOBODY, NOBODY),
    "never missed": Row(Evidence(), UNKNOWN, False, NOBODY, NOBODY),
    "its record runs, nobody asked": Row(Evidence(BEGUN), RUNNING, False, "its record says that it runs on n1"),
    "its record ran, missed for long": Row(Evidence(BEGUN, missed_since=LONG), UNKNOWN, True, NOBODY, NOBODY),
    "cancelled by us, and gone": Row(
        Evidence(is_cancelled=True, missed_since=LONG), CANCELLED, True, "it was cancelled before it started"
    ),
    "cancelled by us a moment ago": Row(
        Evidence(is_cancelled=True, missed_since=SHORT), CANCELLED, False, "it was cancelled before it started"
    ),
    # --- no final record: it has ended, says the scheduler
    "completed without a record": Row(
        Evidence(None, said(COMPLETED)),
        UNKNOWN,
        False,
        "the scheduler says COMPLETED, but it has left no record",
        "the scheduler says COMPLETED, but it has left no record",
    ),
    "completed without a record for long": Row(
        Evidence(None, said(COMPLETED), missed_since=LONG),
        UNKNOWN,
        True,
        "the scheduler says COMPLETED, but it has left no record",
        "the scheduler says COMPLETED, but it has left no record",
    ),
    "failed, the record may come": Row(
        Evidence(None, said(FAILED), missed_since=SHORT),
        FAILED,
        False,
        f"the scheduler says FAILED{NO_RECORD}",
        f"the scheduler says FAILED{NO_RECORD}",
    ),
    "failed, with the code of accounting": Row(
        Evidence(None, said(FAILED), said(FAILED, exit="9:0"), missed_since=LONG),
        FAILED,
        True,
        f"the scheduler says FAILED with exit code 9:0{NO_RECORD}",
        f"the scheduler says FAILED with exit code 9:0{NO_RECORD}",
    ),
    "failed, with no code": Row(
        Evidence(None, said(FAILED, exit="0:0"), missed_since=LONG),
        FAILED,
        True,
        f"the scheduler says FAILED{NO_RECORD}",
        f"the scheduler says FAILED{NO_RECORD}",
    ),
    "its node died": Row(
        Evidence(BEGUN, said(State.NODE_FAIL), missed_since=LONG),
        State.NODE_FAIL,
        True,
        f"the scheduler says NODE_FAIL{NO_RECORD}",
        f"the scheduler says NODE_FAIL{NO_RECORD}",
    ),
    **{
        f"{state}, it may come back": Row(
            Evidence(BEGUN, said(state), missed_since=SHORT),
            PENDING,
            False,
            f"the scheduler says {state}{NO_RECORD}; it may come back into the queue",
        )
        for state in (State.NODE_FAIL, State.PREEMPTED)
    },
    "out of time": Row(
        Evidence(BEGUN, said(State.TIMEOUT), missed_since=LONG),
        State.TIMEOUT,
        True,
        f"the scheduler says TIMEOUT{NO_RECORD}",
        f"the scheduler says TIMEOUT{NO_RECORD}",
    ),
    "a deadline that cannot be met": Row(
        Evidence(accounting=said(CANCELLED, word="DEADLINE", exit="1:0"), missed_since=LONG),
        CANCELLED,
        True,
        "it was cancelled",
    ),
    "cancelled by a person": Row(
        Evidence(accounting=said(CANCELLED, "by 1001", node="n1"), missed_since=LONG),
        CANCELLED,
        True,
        "it was cancelled by 1001",
    ),
    "cancelled while it waited, the controller says": Row(
        Evidence(controller=said(CANCELLED, "BeginTime"), missed_since=SHORT), CANCELLED, False, "it was cancelled"
    ),
    # --- what it waits for has failed
    "removed by the scheduler, the controller says": Row(
        Evidence(controller=said(UPSTREAM, "it can never start"), upstream="a.0[2] is FAILED"),
        UPSTREAM,
        True,
        "it can never start",
        "a.0[2] is FAILED",
    ),
    "removed by the scheduler, accounting says": Row(
        Evidence(accounting=said(CANCELLED), upstream="a.0[2] is FAILED"),
        UPSTREAM,
        True,
        "the scheduler removed it, since what it waits for has failed",
        "a.0[2] is FAILED",
    ),
    "removed by the scheduler, though what it waits for had completed": Row(
        Evidence(accounting=said(CANCELLED, exit="0:0"), is_tied=True),
        UPSTREAM,
        True,
        "the scheduler removed it, since what it waits for has failed",
    ),
    "cancelled by a person before it started, though it is tied": Row(
        Evidence(accounting=said(CANCELLED, "by 1001", exit="0:0"), is_tied=True),
        CANCELLED,
        False,
        "it was cancelled by 1001",
    ),
    "cancelled by a person, and upstream failed": Row(
        Evidence(accounting=said(CANCELLED, "by 1001"), upstream="a.0[2] is FAILED", missed_since=LONG),
        CANCELLED,
        True,
        "it was cancelled by 1001",
    ),
    "cancelled by us, and upstream failed": Row(
        Evidence(accounting=said(CANCELLED), upstream="a.0[2] is FAILED", is_cancelled=True, missed_since=LONG),
        CANCELLED,
        True,
        "it was cancelled",
    ),
    "cancelled while it ran, and upstream failed": Row(
        Evidence(accounting=said(CANCELLED, node="n1"), upstream="a.0[2] is FAILED", missed_since=LONG),
        CANCELLED,
        True,
        "it was cancelled",
    ),
    # --- which witness counts
    "accounting where the controller knows nothing": Row(
        Evidence(accounting=said(FAILED), missed_since=LONG),
        FAILED,
        True,
        f"the scheduler says FAILED{NO_RECORD}",
        f"the scheduler says FAILED{NO_RECORD}",
    ),
    "the controller before a final word of accounting": Row(
        Evidence(None, RUNS, said(State.NODE_FAIL)), RUNNING, False, "it runs on n1"
    ),
    "accounting before a controller that has gone silent": Row(
        Evidence(None, RUNS, said(State.TIMEOUT), is_blind=True, missed_since=LONG),
        State.TIMEOUT,
        True,
        f"the scheduler says TIMEOUT{NO_RECORD}",
        f"the scheduler says TIMEOUT{NO_RECORD}",
    ),
    "a silent controller's last word before accounting that runs": Row(
        Evidence(None, WAITS, RUNS, is_blind=True), PENDING, False, WAITS.reason
    ),
    "accounting that runs, and a silent controller": Row(
        Evidence(None, None, RUNS, is_blind=True), RUNNING, False, "it runs on n1"
    ),
    "accounting that runs is old where the controller knows nothing": Row(
        Evidence(None, None, RUNS, missed_since=SHORT), UNKNOWN, False, NOBODY, NOBODY
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", TABLE)
def test_what_all_witnesses_say_together(case: str) -> None:
    """Each row of the table: its state, whether it stays so, and why."""
    row = TABLE[case]
    verdict = judge(row.evidence, NOW)
    assert (verdict.state, verdict.is_settled, verdict.reason) == (row.state, row.is_settled, row.reason)
    assert verdict.error == row.error


@pytest.mark.parametrize("case", [name for name, row in TABLE.items() if row.evidence.missed_since == LONG])
def test_what_is_missed_for_long_is_settled(case: str) -> None:
    """Nobody waits for ever; a second before its time, only a record that tells all or a clear word settles."""
    evidence = replace(TABLE[case].evidence, missed_since=SHORT)
    assert judge(evidence, NOW + 1) == judge(TABLE[case].evidence, NOW)


def test_the_statement_that_counts_is_kept() -> None:
    """With it go the start and the node; a record that has its own word needs none."""
    assert judge(Evidence(None, RUNS, WAITS), NOW).statement is RUNS
    assert judge(Evidence(None, said(FAILED), accounting := said(FAILED, exit="9:0")), NOW).statement is accounting
    assert judge(Evidence(DONE, RAN), NOW) == Verdict(COMPLETED, BY_RECORD)


@pytest.mark.parametrize(
    ("one", "expected"),
    [(DONE, True), (BROKEN, False), (STOPPED, False), (KILLED, False), (BEGUN, False), (record(State.TIMEOUT), False)],
)
def test_a_record_tells_all_unless_somebody_else_ended_the_program(one: RecordState, expected: bool) -> None:
    """Who was told to stop does not know why; who was killed not by whom; who failed, what became of its children."""
    assert tells_all(one) is expected
