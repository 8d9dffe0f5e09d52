"""Which job tends a run next: one small job after another, until nothing more will happen, and some by the clock."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from sciflow.errors import SchedulerError
from sciflow.model.manners import Manners
from sciflow.model.state import State
from sciflow.model.statement import ACCOUNTING, CONTROLLER, Statement
from sciflow.run.autonomy import end_tending
from sciflow.run.errands import LATER, PAUSE, Chained, chain, waking_time
from sciflow.run.tend import tend
from sciflow.run.track import observe
from sciflow.store.journal import Journal
from sciflow.store.layout import RunDirectory
from unit.memory_queue import MemoryQueue
from unit.queued_run import QueuedRun

LeaveRecord = Callable[..., Path]
NOW = 1000.0


def follow(one: QueuedRun) -> Chained | None:
    """See to it that somebody tends the run."""
    return chain(one.run, one.plan, one.queue.connect, lambda: NOW)


def finish(one: QueuedRun) -> None:
    """Let all of it end well."""
    for job, indices in (("101", "0-3"), ("102", "0-3"), ("103", "0")):
        one.end(job, indices, State.COMPLETED)
    one.status()


def test_one_small_job_waits_for_the_first_that_ends(one: QueuedRun) -> None:
    """Of all that is not over; its intent and its id are in the journal, as of any other."""
    assert follow(one) == Chained("104", is_new=True)
    errand = one.queue.errands["104"]
    assert errand.script == one.run.script("tend")
    assert errand.after == ("101", "102", "103")
    assert errand.begin == NOW
    assert errand.name == f"tend.{one.run.run_id}.4"
    assert one.events("intent", "submitted")[-2:] == [
        {"event": "intent", "array": "tend", "name": errand.name, "indices": "0"},
        {"event": "submitted", "array": "tend", "name": errand.name, "job": "104"},
    ]


def test_there_is_one_at_a_time(one: QueuedRun) -> None:
    """Whoever comes second finds that of the first, as long as it has not begun."""
    follow(one)
    assert follow(one) == Chained("104", is_new=False)
    assert list(one.queue.errands) == ["104"]


def test_the_job_that_runs_has_a_successor(one: QueuedRun) -> None:
    """It waits for what is not over then, and a while longer each time."""
    follow(one)
    one.queue.states["104"][0] = Statement(State.RUNNING, "RUNNING", "", 5.0, None, "n1")
    one.end("101", "0-3", State.COMPLETED)
    one.status()
    assert follow(one) == Chained("105", is_new=True)
    assert one.queue.errands["105"].after == ("102", "103")
    assert one.queue.errands["105"].begin == NOW + PAUSE
    one.queue.end("104")
    one.queue.end("105")
    assert follow(one) == Chained("106", is_new=True)
    assert one.queue.errands["106"].begin == NOW + 2 * PAUSE


def test_the_pause_has_an_end(one: QueuedRun) -> None:
    """After hundreds of jobs it is ten minutes."""
    names = [
        f'{{"event": "intent", "array": "tend", "name": "tend.{i}", "indices": "0", "time": 1}}' for i in range(999)
    ]
    ids = [
        f'{{"event": "submitted", "array": "tend", "name": "tend.{i}", "job": "{i + 1000}", "time": 1}}'
        for i in range(999)
    ]
    with one.run.journal.open("a") as file:
        file.write("\n".join([*names, *ids]) + "\n")
    follow(one)
    assert one.queue.errands["104"].begin == NOW + LATER


def test_what_cannot_be_told_is_not_taken_for_gone(one: QueuedRun) -> None:
    """The scheduler does not answer: no second job, and whoever asked is told."""
    follow(one)
    one.queue.errors[CONTROLLER] = "timed out"
    with pytest.raises(SchedulerError, match=r"whether job 104 still waits, .* cannot be told: timed out"):
        follow(one)
    assert list(one.queue.errands) == ["104"]


def test_nothing_follows_where_nothing_more_will_happen(one: QueuedRun) -> None:
    """All has ended."""
    finish(one)
    assert follow(one) is None
    assert one.queue.errands == {}


def test_an_end_that_is_not_settled_is_still_to_come(one: QueuedRun) -> None:
    """Accounting is silent, and its word may change what is done about a failure: somebody looks again later."""
    for job, indices in (("101", "0-3"), ("102", "0-3")):
        one.end(job, indices, State.COMPLETED)
    one.queue.errors[ACCOUNTING] = "timed out"
    one.end("103", "0", State.FAILED, "ValueError: no")
    one.queue.states["103"].clear()
    status = one.status()
    assert status.is_finished
    assert not status.is_settled
    assert follow(one) == Chained("104", is_new=True)
    assert (one.queue.errands["104"].after, one.queue.errands["104"].begin) == ((), NOW + LATER)


def test_one_that_was_cut_off_at_the_end_of_all_has_a_successor_at_once(one: QueuedRun) -> None:
    """While it runs it may still come to its end; one that says that it has has none."""
    follow(one)
    finish(one)
    one.queue.states["104"][0] = Statement(State.RUNNING, "RUNNING", "", 5.0, None, "n1")
    assert follow(one) == Chained("104", is_new=False)
    one.queue.end("104", State.FAILED)
    assert follow(one) == Chained("105", is_new=True)
    assert (one.queue.errands["105"].after, one.queue.errands["105"].begin) == ((), NOW)


def test_one_that_has_come_to_its_end_has_no_successor(one: QueuedRun, monkeypatch: pytest.MonkeyPatch) -> None:
    """It notes that itself, by its job's number."""
    follow(one)
    finish(one)
    monkeypatch.setenv("SLURM_JOB_ID", "104")
    tend(one.run, one.status, one.recover, lambda: None, lambda: follow(one))
    monkeypatch.delenv("SLURM_JOB_ID")
    one.queue.end("104")
    assert follow(one) is None
    assert list(one.queue.errands) == ["104"]


def test_what_is_not_in_the_queue_yet_is_looked_at_later(one: QueuedRun) -> None:
    """There is no job whose end could be waited for."""
    text = one.run.journal.read_text()
    one.run.journal.write_text("".join(line for line in text.splitlines(True) if '"array"' not in line))
    assert follow(one) == Chained("104", is_new=True)
    assert (one.queue.errands["104"].after, one.queue.errands["104"].begin) == ((), NOW + LATER)


def test_a_small_job_whose_submitter_was_killed_is_found_again(one: QueuedRun) -> None:
    """By its name, as all others."""
    one.queue.fatal.add("tend")
    with pytest.raises(KeyboardInterrupt):
        follow(one)
    one.queue.fatal.clear()
    assert follow(one) == Chained("104", is_new=False)


def test_a_small_job_that_was_refused_is_sent_under_the_same_name(one: QueuedRun) -> None:
    """When the scheduler takes it."""
    one.queue.refusals["tend"] = SchedulerError("no")
    with pytest.raises(SchedulerError):
        follow(one)
    one.queue.refusals.clear()
    follow(one)
    assert [errand.name for errand in one.queue.errands.values()] == [f"tend.{one.run.run_id}.4"]


def test_nobody_follows_where_nobody_wants_it(
    chain: RunDirectory, queue: MemoryQueue, leave_record: LeaveRecord, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The run goes on, and is not to be tended by itself."""
    made = QueuedRun(chain, queue, leave_record, monkeypatch)
    made.submit()
    assert follow(made) is None


def wake(one: QueuedRun, now: float, at: float | None) -> Chained | None:
    """See to it that somebody tends the run, also at a time."""
    return chain(one.run, one.plan, one.queue.connect, lambda: now, lambda _now: at)


def test_where_a_time_changes_something_a_second_job_waits_for_that(one: QueuedRun) -> None:
    """For nothing else; the first is as it was, and is the one that is told of."""
    assert wake(one, NOW, 5000.7) == Chained("105", is_new=True)
    timed, other = one.queue.errands["104"], one.queue.errands["105"]
    assert (timed.after, timed.begin) == ((), 5000.0)
    assert other.after == ("101", "102", "103")
    assert one.events("intent")[3] == {
        "event": "intent",
        "array": "tend",
        "name": timed.name,
        "indices": "0",
        "is_timed": True,
        "begin": 5000.0,
    }
    assert not observe(one.run).notes


def test_there_is_one_for_each_time(one: QueuedRun) -> None:
    """One that comes earlier is enough: it sees to the next. One that is due or has been is not."""
    wake(one, NOW, 5000.0)
    wake(one, NOW + 1, 5000.0)
    wake(one, NOW + 1, 7000.0)
    assert list(one.queue.errands) == ["104", "105"]
    wake(one, 5000.0, 7000.0)
    assert one.queue.errands["106"].begin == 7000.0
    wake(one, 5001.0, 6000.0)
    assert one.queue.errands["107"].begin == 6000.0


def test_the_job_that_wakes_has_a_successor_also_where_its_clock_is_slow(
    one: QueuedRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On its node it may be a second before the time for which it was sent."""
    wake(one, NOW, 5000.0)
    monkeypatch.setenv("SLURM_JOB_ID", "104")
    wake(one, 4999.0, 5000.0)
    assert one.queue.errands["106"].begin == 5000.0


def test_nobody_wakes_for_a_run_that_is_over(one: QueuedRun) -> None:
    """The job that waits for a time is called off, and no other follows."""
    wake(one, NOW, 5000.0)
    finish(one)
    one.queue.end("105")
    Journal(one.run.journal).append([{"event": "tended", "job": "105"}])
    assert wake(one, NOW + 1, 5000.0) is None
    assert one.queue.cancelled == [("104", None)]
    one.queue.cancelled.clear()
    assert wake(one, 5001.0, 7000.0) is None
    assert one.queue.cancelled == []


def test_who_ends_the_tending_ends_both(one: QueuedRun) -> None:
    """That which waits for other jobs, and that which waits for a time."""
    wake(one, NOW, 5000.0)
    end_tending(one.run, one.queue.connect)
    assert sorted(one.queue.cancelled) == [("104", None), ("105", None)]


def test_killed_while_it_was_sent_it_is_found_again(one: QueuedRun) -> None:
    """By its name: nobody is sent twice."""
    one.queue.fatal = {"tend"}
    with pytest.raises(KeyboardInterrupt):
        wake(one, NOW, 5000.0)
    one.queue.fatal = set()
    wake(one, NOW, 5000.0)
    assert [errand.begin for errand in one.queue.errands.values()] == [5000.0, NOW]


@pytest.mark.parametrize(
    ("manners", "at"),
    [
        (Manners(), None),
        (Manners(core_hours=5), None),
        (Manners(share=0.5), 3600.0),
        (Manners(running_by_day=5), 8 * 3600.0),
        (Manners(running_by_day=5, running_when_others_wait=2), 3600.0),
    ],
)
def test_when_somebody_has_to_look(manners: Manners, at: float | None) -> None:
    """At the next change of the clock, or an hour later where others count."""
    assert waking_time(manners, "UTC", 0.0) == at
