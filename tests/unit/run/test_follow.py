"""Following a run in a queue: what is asked, how often, and what is made of the answers."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

import pytest

from sciflow.errors import RunError
from sciflow.model.plan import ArrayJob, Plan
from sciflow.model.resources import Resources
from sciflow.model.state import State
from sciflow.model.statement import ACCOUNTING, CONTROLLER, Statement
from sciflow.run.follow import FIRST, GLANCE, LONGEST, follow, track, wait, while_driven
from sciflow.run.judge import PATIENCE
from sciflow.run.status import IndexStatus, RunStatus, untouched
from sciflow.run.submit import submit
from sciflow.run.terms import Terms
from sciflow.run.track import observe, read_plan
from sciflow.store.journal import Journal
from sciflow.store.layout import RunDirectory
from sciflow.store.statements import read_observed
from unit.memory_queue import MemoryQueue

LeaveRecord = Callable[..., Path]
Leave = Callable[..., None]
NOW = 2_000_000_000.0


@dataclass
class Site:
    """A run that was submitted, the queue in which it is, and a clock that somebody moves."""

    run: RunDirectory
    queue: MemoryQueue
    now: float = NOW

    def track(self, later: float = 0.0) -> RunStatus:
        """Ask, some seconds after the last time."""
        self.now += later
        return track(self.run, read_plan(self.run), self.queue, lambda: self.now)

    def states(self, array: str, later: float = 0.0) -> list[State]:
        """Ask, and return the states of one array job's indices."""
        return [one.state for one in self.track(later).indices[array].values()]


@pytest.fixture
def site(chain: RunDirectory, queue: MemoryQueue) -> Site:
    """Return the run of `a`, `b` and `c`, submitted as the jobs 101, 102 and 103."""
    submit(chain, read_plan(chain), queue.connect, Terms())
    return Site(chain, queue)


# --- asking


def test_one_question_is_asked_about_all_jobs(site: Site) -> None:
    """With their names, and the indices of which something needs to be known."""
    status = site.track()
    [(jobs, wanted)] = site.queue.questions
    assert jobs == {
        "101": f"a.0.{site.run.run_id}.1",
        "102": f"b.0.{site.run.run_id}.2",
        "103": f"c.0.{site.run.run_id}.3",
    }
    assert wanted == {"101": {0, 1, 2, 3}, "102": {0, 1, 2, 3}, "103": {0}}
    assert status.counts() == {State.PENDING: 9}
    assert status.indices["a.0"][0].reason == "waits for free cores, memory or GPUs"


def test_what_is_settled_is_not_asked_about(site: Site, leave_record: LeaveRecord) -> None:
    """A record that tells all needs no second witness; in the end nobody is asked any more."""
    for index in range(4):
        leave_record(site.run, "a.0", index)
        leave_record(site.run, "b.0", index, state="CRITERIA_NOT_MET" if index == 2 else "COMPLETED")
    site.track()
    [(jobs, wanted)] = site.queue.questions
    assert (list(jobs), wanted) == (["103"], {"103": {0}})
    leave_record(site.run, "c.0", 0)
    assert site.track().is_settled
    assert len(site.queue.questions) == 1


def test_what_was_not_submitted_is_not_asked_about(chain: RunDirectory, queue: MemoryQueue) -> None:
    """There is nothing that a scheduler could say of it."""
    status = Site(chain, queue).track()
    assert queue.questions == []
    assert status.counts() == {State.PENDING: 9}


def test_what_was_heard_is_kept_for_those_who_ask_nobody(site: Site) -> None:
    """It stands in `observed.json`, with the time."""
    site.track()
    observed = read_observed(site.run.observed)
    assert observed.witnesses[CONTROLLER].time == NOW
    assert observed.said(CONTROLLER, "101", 3) == Statement(
        State.PENDING, "PENDING", "waits for free cores, memory or GPUs"
    )


def test_a_run_directory_that_cannot_be_written_can_be_asked_about(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """The answer counts all the same, and a note says what is wrong."""

    def refuse(path: Path, observed: object) -> None:
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr("sciflow.run.follow.write_observed", refuse)
    site.queue.end("101", State.FAILED)
    status = site.track(1e6)
    assert status.counts("a") == {State.FAILED: 4}
    assert status.notes == [f"`{site.run.observed}` cannot be written: Read-only file system"]


def test_a_question_without_an_answer_changes_nothing(site: Site) -> None:
    """What was known stays, and a note says since when there is no answer."""
    site.queue.states["101"][0] = Statement(State.RUNNING, "RUNNING", "", NOW, None, "n1")
    before = site.states("a.0")
    site.queue.errors = {CONTROLLER: "cannot be reached", ACCOUNTING: "cannot be reached, either"}
    site.queue.states["101"] = {}
    assert site.states("a.0", 600.0) == before == [State.RUNNING, *[State.PENDING] * 3]
    notes = site.track().notes
    assert len(notes) == 2
    assert notes[0].startswith("the controller has not answered since ")
    assert notes[0].endswith(": cannot be reached")
    site.queue.errors = {}
    assert site.track().notes == []


def test_accounting_that_is_off_is_no_silence(site: Site) -> None:
    """A site may do without it."""
    site.queue.errors = {ACCOUNTING: "it is off"}
    assert site.track().notes == []


# --- chains, and what was tried again


@pytest.fixture
def long(relax: RunDirectory, queue: MemoryQueue) -> Site:
    """Return the run of chains, submitted: the links as the jobs 101 to 103, what comes after them as 104 and 105."""
    submit(relax, read_plan(relax), queue.connect, Terms())
    return Site(relax, queue)


def test_links_are_asked_about_from_the_one_on_that_left_the_record(long: Site, leave: Leave) -> None:
    """Those before it have nothing more to tell, and nothing is asked of what is completed."""
    long.track()
    assert {job: sorted(long.queue.questions[-1][1][job]) for job in ("101", "102", "103")} == {
        job: [0, 1, 2, 3] for job in ("101", "102", "103")
    }
    leave(long.run, "relax.0", "101", {0: "COMPLETED", 1: "TIMEOUT", 2: "TIMEOUT"}, has_checkpoint=True)
    leave(long.run, "relax.0", "102", {2: "RUNNING"}, attempt=2)
    long.track()
    assert {job: sorted(long.queue.questions[-1][1][job]) for job in ("101", "102", "103")} == {
        "101": [1, 3],
        "102": [1, 2, 3],
        "103": [1, 2, 3],
    }


def test_a_chain_is_followed_from_link_to_link(long: Site, leave: Leave) -> None:
    """It waits, runs, waits for the next one, runs, and is completed; nothing more is asked then."""
    states: list[State] = []

    def look() -> None:
        states.append(long.track(1.0).indices["relax.0"][1].state)

    for attempt, job in enumerate(("101", "102"), 1):
        look()
        long.queue.states[job][1] = Statement(State.RUNNING, "RUNNING", "", long.now, None, "n1")
        look()
        leave(long.run, "relax.0", job, {1: "TIMEOUT"}, attempt, has_checkpoint=True)
        long.queue.end(job, State.COMPLETED, [1])  # its script has ended well, so that the next link can start
        look()
    leave(long.run, "relax.0", "103", {1: "COMPLETED"}, 3)
    look()
    assert states == [
        *(State.PENDING, State.RUNNING, State.PENDING),
        *(State.PENDING, State.RUNNING, State.PENDING),
        State.COMPLETED,
    ]
    long.track()
    assert 1 not in long.queue.questions[-1][1]["103"]


def test_what_was_tried_again_is_asked_about_by_its_new_job(site: Site, leave: Leave) -> None:
    """The job before that has nothing more to tell of it."""
    leave(site.run, "a.0", "101", {1: "FAILED"})
    facts = {"variant": "", "memory": 0, "seconds": 0, "cause": "lost", "error": "", "counts": True, "why": ""}
    Journal(site.run.journal).append([{"event": "retry", "array": "a.0", "indices": "1", **facts}])
    submit(site.run, read_plan(site.run), site.queue.connect, Terms())
    site.queue.end("101", State.FAILED, [1])
    known = site.track().indices["a.0"]
    assert known[1].state is State.PENDING
    _, wanted = site.queue.questions[-1]
    assert (wanted["101"], wanted["104"]) == ({0, 2, 3}, {1})


# --- what leaves the queue


def test_an_index_that_nobody_knows_of_is_unknown_in_the_end(site: Site) -> None:
    """Not at once, since accounting lags; after a while it is, and is not waited for any more, but asked about."""
    del site.queue.states["101"][2]
    first = site.track().indices["a.0"][2]
    assert (first.state, first.is_settled) == (State.UNKNOWN, False)
    assert read_observed(site.run.observed).missed == {"101": {2: NOW}}
    later = site.track(PATIENCE - 1).indices["a.0"][2]
    assert not later.is_settled
    last = site.track(1).indices["a.0"][2]
    assert (last.state, last.is_settled) == (State.UNKNOWN, True)
    site.queue.past["101"] = {2: Statement(State.CANCELLED, "CANCELLED", "by 1000")}
    assert site.track().indices["a.0"][2].state is State.CANCELLED
    assert 2 in site.queue.questions[-1][1]["101"]


def test_an_index_that_comes_back_is_missed_no_more(site: Site) -> None:
    """The time begins anew when it is missed again."""
    gone = site.queue.states["101"].pop(2)
    site.track()
    site.queue.states["101"][2] = gone
    assert site.track(10).indices["a.0"][2].state is State.PENDING
    assert read_observed(site.run.observed).missed == {}
    del site.queue.states["101"][2]
    assert not site.track(10).indices["a.0"][2].is_settled


def test_what_ended_without_a_record_waits_for_one(site: Site, leave_record: LeaveRecord) -> None:
    """A record may come late over a network file system; when it comes it counts."""
    site.queue.end("101", indices=[0, 1])
    status = site.track()
    assert [status.indices["a.0"][index].state for index in (0, 1)] == [State.UNKNOWN, State.UNKNOWN]
    assert not status.indices["a.0"][0].is_settled
    leave_record(site.run, "a.0", 0)
    status = site.track(PATIENCE)
    assert status.indices["a.0"][0].state is State.COMPLETED
    late = status.indices["a.0"][1]
    assert (late.state, late.is_settled) == (State.UNKNOWN, True)
    assert late.error == "the scheduler says COMPLETED, but it has left no record"


def test_nothing_is_missed_while_the_controller_is_silent(site: Site) -> None:
    """It may be in its queue all the time."""
    site.track()
    site.queue.states["101"] = {}
    site.queue.errors = {CONTROLLER: "cannot be reached"}
    site.track(100)
    assert read_observed(site.run.observed).missed == {}


def test_nothing_is_missed_while_accounting_is_silent(site: Site) -> None:
    """It may know of its end; what was missed before stays so."""
    site.queue.states["101"].pop(0)
    site.track()
    site.queue.states["101"].pop(1)
    site.queue.errors = {ACCOUNTING: "cannot be reached"}
    site.track(PATIENCE / 3)
    assert read_observed(site.run.observed).missed == {"101": {0: NOW}}
    site.queue.errors = {ACCOUNTING: "it is off"}
    site.track(PATIENCE / 3)
    assert set(read_observed(site.run.observed).missed["101"]) == {0, 1}


def test_what_was_told_to_stop_waits_for_the_word_of_who_did_it(site: Site, leave_record: LeaveRecord) -> None:
    """Its record says CANCELLED; whether by its time limit, the scheduler says a moment later."""
    leave_record(site.run, "a.0", 0, state="CANCELLED")
    assert not site.track().indices["a.0"][0].is_settled
    site.queue.end("101", State.TIMEOUT, [0])
    known = site.track(1).indices["a.0"][0]
    assert (known.state, known.is_settled) == (State.TIMEOUT, True)


def test_an_index_cancelled_by_hand_is_not_held_back_by_what_runs(site: Site) -> None:
    """`b[3]` was cancelled by a person while `a[3]` ran: nothing has failed."""
    site.queue.states["101"][3] = Statement(State.RUNNING, "RUNNING", "", NOW, None, "n1")
    site.queue.states["102"][3] = Statement(State.CANCELLED, "CANCELLED", "Dependency", None, NOW)
    known = site.track().indices["b.0"][3]
    assert known.state is State.CANCELLED


def test_an_index_whose_upstream_failed_is_held_back(site: Site, leave_record: LeaveRecord) -> None:
    """By the controller's word, or by accounting's, which does not say why; what stands upstream is told."""
    leave_record(site.run, "a.0", 1, state="FAILED", error="no")
    leave_record(site.run, "a.0", 2, state="FAILED", error="no")
    site.queue.end("101", State.FAILED, [1, 2])
    site.queue.states["102"][1] = Statement(State.UPSTREAM_FAILED, "CANCELLED", "it can never start", None, NOW)
    del site.queue.states["102"][2]
    site.queue.past["102"] = {2: Statement(State.CANCELLED, "CANCELLED", "", None, NOW, "", "0:0")}
    status = site.track()
    assert [status.indices["b.0"][index].state for index in (1, 2)] == [State.UPSTREAM_FAILED] * 2
    assert [status.indices["b.0"][index].error for index in (1, 2)] == ["a.0[1] is FAILED", "a.0[2] is FAILED"]


def test_a_record_that_is_younger_than_the_word_of_the_queue_counts(site: Site, leave_record: LeaveRecord) -> None:
    """It waited when the scheduler was last asked; then it ran and failed. Nobody has put it back."""
    site.now = 1_000_000_000.0  # years before the record
    site.track()
    leave_record(site.run, "a.0", 0, state="FAILED", error="no")
    assert observe(site.run).indices["a.0"][0].state is State.FAILED


def test_what_failed_waits_for_the_word_of_the_scheduler(site: Site, leave_record: LeaveRecord) -> None:
    """It may have lost a process for its memory, which only the scheduler knows."""
    leave_record(site.run, "a.0", 0, state="FAILED", error="ended with exit code 137")
    leave_record(site.run, "a.0", 1, state="FAILED", error="no")
    site.queue.end("101", State.OUT_OF_MEMORY, [0])
    site.queue.end("101", State.FAILED, [1])
    known = site.track().indices["a.0"]
    assert [(known[index].state, known[index].is_settled) for index in (0, 1)] == [
        (State.OUT_OF_MEMORY, True),
        (State.FAILED, True),
    ]


def test_a_failed_index_that_was_put_back_is_pending(site: Site, leave_record: LeaveRecord) -> None:
    """The scheduler says so after its record was written."""
    leave_record(site.run, "a.0", 1, state="CANCELLED", error="stopped by a signal")
    known = site.track().indices["a.0"][1]
    assert known.state is State.PENDING
    assert known.reason == "the scheduler has put it back into the queue"


def test_a_record_of_a_job_that_nobody_journalled_counts(
    site: Site, leave_record: LeaveRecord, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody has submitted the script by hand; a record of an earlier job of ours is no record of this one."""
    intent = {"event": "intent", "array": "a.0", "name": "again", "indices": "0-1"}
    done = {"event": "submitted", "array": "a.0", "name": "again", "job": "200"}
    Journal(site.run.journal).append([intent, done])
    for index, job in enumerate(("999", "101")):
        monkeypatch.setenv("SLURM_ARRAY_JOB_ID", job)
        leave_record(site.run, "a.0", index, state="CRITERIA_NOT_MET")
    known = observe(site.run).indices["a.0"]
    assert [known[index].state for index in (0, 1)] == [State.CRITERIA_NOT_MET, State.PENDING]


# --- time


@dataclass
class World:
    """A clock that moves only when somebody pauses, and a run that ends at some time; its records may tell before."""

    ends: float
    finishes: float = math.inf
    cost: float = 0.0
    now: float = 0.0
    asked: list[float] = field(default_factory=list)
    looked: list[float] = field(default_factory=list)
    pauses: list[float] = field(default_factory=list)

    def status(self, is_over: bool) -> RunStatus:
        """Make the status of one index."""
        plan = Plan("w", "p", 1, (ArrayJob("a.0", "a", 1, Resources()),), tasks=("a",))
        made = untouched(plan)
        made.indices["a.0"][0] = IndexStatus(State.COMPLETED if is_over else State.PENDING)
        if not is_over and self.now >= self.finishes:
            made.indices["a.0"][0] = IndexStatus(State.FAILED, is_settled=False)
        return made

    def ask(self) -> RunStatus:
        """Ask the scheduler, and note when."""
        self.asked.append(self.now)
        return self.status(self.now >= self.ends)

    def look(self) -> RunStatus:
        """Look at the records, which takes its time."""
        self.now += self.cost
        self.looked.append(self.now)
        return self.status(self.now >= self.ends)

    def pause(self, seconds: float) -> None:
        """Let time pass."""
        assert seconds > 0
        self.pauses.append(seconds)
        self.now += seconds

    def follow(self) -> Iterator[RunStatus]:
        """Follow the run."""
        return follow(self.look, self.ask, lambda: self.now, self.pause)


def test_questions_are_few_and_their_intervals_grow() -> None:
    """At most sixty in the first hour and in each later one; the first comes at once, the second soon."""
    world = World(ends=4 * 3600.0)
    assert [one.is_settled for one in world.follow()][-1]
    for hour in range(4):
        assert 25 <= sum(hour * 3600 <= moment < (hour + 1) * 3600 for moment in world.asked) <= 60
    gaps = [later - earlier for earlier, later in pairwise(world.asked)]
    assert world.asked[0] == 0
    assert FIRST <= gaps[0] <= FIRST + GLANCE
    assert all(later >= earlier - GLANCE for earlier, later in pairwise(gaps))
    assert LONGEST <= max(gaps) <= LONGEST + GLANCE


def test_when_all_have_left_their_records_the_last_words_are_asked_for_soon() -> None:
    """After hours of long intervals, who ended the last one is known within seconds."""
    world = World(ends=5000.0, finishes=4000.0)
    for status in world.follow():
        if world.now >= 4010.0:
            assert not status.is_settled
            break
    assert sum(moment >= 4000.0 for moment in world.asked) >= 2


def test_in_between_it_is_looked_cheaply() -> None:
    """An end that the records tell of is seen within a second, and nobody is asked for it."""
    world = World(ends=3000.5)
    for _ in world.follow():
        pass
    assert world.ends <= world.now <= world.ends + GLANCE
    assert world.asked[-1] < world.ends
    assert set(world.pauses) == {GLANCE}


def test_looking_takes_a_small_share_of_the_time() -> None:
    """Where there are very many records it is looked less often."""
    world = World(ends=3600.0, cost=3.0)
    for _ in world.follow():
        pass
    assert len(world.looked) * world.cost <= 0.05 * world.now + world.cost
    assert len(world.asked) <= 60


def test_a_run_that_is_over_is_asked_about_once() -> None:
    """Nobody pauses for it."""
    world = World(ends=0.0)
    assert len(list(world.follow())) == 1
    assert (world.asked, world.looked, world.pauses) == ([0.0], [], [])


def test_waiting_gives_the_last_status() -> None:
    """However long it takes, where nothing else is said."""
    world = World(ends=100.0)
    assert wait(world.follow(), clock=lambda: world.now).is_settled
    assert world.now >= 100.0


def test_waiting_ends_after_its_seconds() -> None:
    """The run goes on by itself."""
    world = World(ends=100.0)
    with pytest.raises(RunError) as caught:
        wait(world.follow(), 30.0, lambda: world.now)
    assert caught.value.message == "the run has not ended within 30 s"
    assert caught.value.hint == "it goes on by itself; wait again"
    assert 30.0 <= world.now <= 30.0 + GLANCE


def test_a_run_that_is_over_needs_no_time() -> None:
    """Not even where none is given."""
    world = World(ends=0.0)
    assert wait(world.follow(), 0.0, lambda: world.now).is_settled


# --- a run on this machine


def test_a_run_here_is_followed_as_long_as_somebody_drives_it() -> None:
    """What a driver that was killed has left is shown once, and not waited for."""
    world = World(ends=100.0)
    driven = iter([True, True, False])

    def look() -> RunStatus:
        status = world.status(False)
        status.is_driven = next(driven)
        return status

    seen = [status.is_driven for status in while_driven(look, lambda: world.now, world.pause)]
    assert seen == [True, True, False]
    assert world.pauses == [GLANCE]


def test_a_run_here_that_is_over_is_shown_once() -> None:
    """Nobody pauses for it."""
    world = World(ends=0.0)
    assert len(list(while_driven(world.ask, lambda: world.now, world.pause))) == 1
    assert world.pauses == []


def test_waiting_for_what_nobody_drives_is_an_error() -> None:
    """It does not go on by itself; the way out is told."""
    world = World(ends=100.0)
    with pytest.raises(RunError) as caught:
        wait(iter([world.status(False)]), clock=lambda: world.now)
    assert caught.value.message == "nobody drives the run, and it is not finished"
    assert caught.value.hint == "the same `sciflow run …` goes on with it"
