"""Who tends a run does once what a person would do, and waits for what is in between."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from sciflow.errors import BusyError, SchedulerError
from sciflow.model.state import State
from sciflow.model.statement import Statement
from sciflow.run.autonomy import begin_tending
from sciflow.run.chronicle import CHRONICLE
from sciflow.run.errands import Chained, chain
from sciflow.run.recover import Recovered
from sciflow.run.status import RunStatus
from sciflow.run.tend import AFTER_REFUSAL, GLANCE, STEADY, patiently, steady, tend, until_taken
from sciflow.store.layout import RunDirectory
from unit.memory_queue import MemoryQueue
from unit.queued_run import QueuedRun

LeaveRecord = Callable[..., Path]
NOW = 1000.0


def follow(one: QueuedRun) -> Chained | None:
    """See to it that somebody tends the run."""
    return chain(one.run, one.plan, one.queue.connect, lambda: NOW)


def test_tending_does_what_a_person_would_do_in_order(one: QueuedRun) -> None:
    """When nothing is in between: retry, see to who is next, collect; and write down what was done."""
    done: list[str] = []

    def ask() -> RunStatus:
        done.append("ask")
        return one.status()

    def recover() -> Recovered:
        done.append("recover")
        return one.recover()

    def following() -> Chained | None:
        done.append("follow")
        return follow(one)

    one.end("101", "0-1,3", State.COMPLETED)
    one.end("101", "2", State.FAILED, "ValueError: no")
    one.end("102", "2", State.UPSTREAM_FAILED)
    tended = tend(one.run, ask, recover, lambda: done.append("collect"), following)
    assert done == ["ask", "recover", "follow", "collect", "ask"]
    assert len(tended.recovered.decisions) == 2
    assert tended.chained == Chained("106", is_new=True)
    assert tended.status.counts() == {State.COMPLETED: 3, State.PENDING: 6}
    text = (one.run / CHRONICLE).read_text()
    assert "1 × `a.0[2]` application error (ValueError: no): again" in text


def test_a_person_is_told_at_once_who_is_at_the_run(one: QueuedRun) -> None:
    """Only the job that nobody watches waits until the other one has done."""

    def busy() -> Recovered:
        raise BusyError("the run is being driven by process 7")

    with pytest.raises(BusyError):
        tend(one.run, one.status, busy, lambda: None, None)


def test_the_job_that_nobody_watches_waits_for_its_turn() -> None:
    """And gives up in the end."""
    pauses: list[float] = []
    answers = [BusyError("a"), BusyError("b"), "done"]

    def act() -> str:
        answer = answers.pop(0)
        if isinstance(answer, BusyError):
            raise answer
        return answer

    assert patiently(act, pause=pauses.append) == "done"
    assert pauses == [GLANCE, GLANCE]
    answers = [BusyError("a")]
    with pytest.raises(BusyError):
        patiently(act, seconds=0.0, pause=pauses.append)


def test_what_is_in_between_is_waited_for(one: QueuedRun) -> None:
    """What has left the queue without a record may yet leave one; accounting lags."""
    one.end("101", "0-1,3", State.COMPLETED)
    one.queue.states["101"][2] = Statement(State.FAILED, "FAILED", "", 100.0, 110.0, "n1")
    pauses: list[float] = []
    looks: list[RunStatus] = []

    def look() -> RunStatus:
        looks.append(one.status() if len(looks) == 3 else _unsettled(one))
        return looks[-1]

    status = steady(look, lambda: sum(pauses), pauses.append)
    assert status is looks[-1]
    assert pauses == [GLANCE] * 3


def test_what_stays_in_between_is_waited_for_only_so_long(one: QueuedRun) -> None:
    """Two minutes; and nothing is waited for that is in the queue."""
    one.end("101", "0-1,3", State.COMPLETED)
    one.queue.states["101"][2] = Statement(State.FAILED, "FAILED", "", 100.0, 110.0, "n1")
    pauses: list[float] = []
    steady(lambda: _unsettled(one), lambda: sum(pauses), pauses.append)
    assert sum(pauses) == STEADY
    one.queue.states["101"][2] = Statement(State.RUNNING, "RUNNING", "", 100.0, None, "n1")
    pauses.clear()
    steady(one.status, lambda: sum(pauses), pauses.append)
    assert pauses == []


def test_what_is_to_be_submitted_is_not_waited_for(one: QueuedRun) -> None:
    """Whoever decided was killed before the submission: whoever tends it does that at once."""
    one.end("101", "0-1,3", State.COMPLETED)
    one.end("101", "2", State.FAILED, "ValueError: no")
    one.end("102", "2", State.UPSTREAM_FAILED)
    one.queue.fatal.add("a.0")
    with pytest.raises(KeyboardInterrupt):
        one.recover()
    one.queue.fatal.clear()
    pauses: list[float] = []
    steady(one.status, lambda: sum(pauses), pauses.append)
    assert pauses == []


def test_what_is_refused_for_good_is_asked_for_three_times_and_is_no_reason_to_go_on(
    chain: RunDirectory, queue: MemoryQueue, leave_record: LeaveRecord, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Some of what a scheduler refuses it takes a little later; what has not even begun is then left to a person."""
    made = QueuedRun(chain, queue, leave_record, monkeypatch)
    begin_tending(chain, made.profile, "/opt/python")
    queue.refusals["a.0"] = SchedulerError("no")
    pauses: list[float] = []
    done = until_taken(made.recover, pauses.append)
    assert pauses == list(AFTER_REFUSAL)
    assert [array for array, _, _ in done.handed.refused] == ["a.0"]
    assert len(made.events("refused")) == 3
    assert follow(made) is None


def _unsettled(one: QueuedRun) -> RunStatus:
    """Return the status as if its scheduler had just said that index 2 of `a` has failed."""
    status = one.status()
    status.indices["a.0"][2].is_settled = False
    return status
