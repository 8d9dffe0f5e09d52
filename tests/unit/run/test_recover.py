"""The failures of a run in a queue are met: what is tried again is submitted, and the rest is told."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

from sciflow.errors import BusyError, RunError, SchedulerError, TransportError
from sciflow.model.policy import Policies, SchedulingPolicy
from sciflow.model.recovery import RecoveryPolicy
from sciflow.model.state import State
from sciflow.model.workflow import ExperimentalWorkflow
from sciflow.run.cancel import cancel
from sciflow.run.decide import Action
from sciflow.run.recover import terms_of
from sciflow.run.tend import until_taken
from sciflow.run.track import observe
from sciflow.schedulers.base import After, Submission
from sciflow.store.brakes import read_brakes
from sciflow.store.layout import RunDirectory
from sciflow.store.lock import hold
from sciflow_shim import files
from unit.memory_queue import MemoryQueue
from unit.queued_run import QueuedRun

LeaveRecord = Callable[..., Path]


@pytest.fixture
def one(
    chain: RunDirectory, queue: MemoryQueue, leave_record: LeaveRecord, monkeypatch: pytest.MonkeyPatch
) -> QueuedRun:
    """Return the run of four `a`, four `b` after them, and `c` after all: handed over, and `a` has ended, of which
    index 2 has failed; what waits for that has left the queue."""
    made = QueuedRun(chain, queue, leave_record, monkeypatch)
    made.submit()
    made.end("101", "0-1,3", State.COMPLETED)
    made.end("101", "2", State.FAILED, "ValueError: no")
    made.end("102", "2", State.UPSTREAM_FAILED)
    return made


# --- submitted again


def test_what_failed_is_submitted_again_with_what_waits_for_it(one: QueuedRun) -> None:
    """Each index by its number, after those that are tried again; what waits for all of these is told to."""
    done = one.recover()
    assert one.queue.told()[3:] == [("a.0", [2], []), ("b.0", [2], ["element:104"])]
    assert done.handed.jobs == {"104": ("a.0", 1), "105": ("b.0", 1)}
    assert one.queue.accepted["104"].attempts == {2: 2}
    assert one.queue.accepted["104"].script == one.run.script("a.0")
    assert one.queue.postponed == [("103", (After("102", "whole"), After("105", "whole")))]
    assert done.notes == []
    assert not done.is_idle
    known = one.status().indices
    assert [known["a.0"][2].state, known["b.0"][2].state] == [State.PENDING, State.PENDING]


def test_the_second_time_there_is_nothing_to_do(one: QueuedRun) -> None:
    """It waits in the queue; nothing is decided or submitted twice."""
    one.recover()
    journal = one.run.journal.read_text()
    done = one.recover()
    assert (done.decisions, done.handed.jobs) == ([], {})
    assert done.is_idle
    assert one.run.journal.read_text() == journal


def test_it_fails_again_in_the_same_way(one: QueuedRun) -> None:
    """It is given up, and that is told; the element that waits for it in vain as well."""
    one.recover()
    one.end("104", "2", State.FAILED, "ValueError: no")
    one.end("105", "2", State.UPSTREAM_FAILED)
    done = one.recover()
    assert [(place.place, place.why) for place in done.decisions] == [
        (("a.0", 2), "it failed twice with the same error"),
        (("b.0", 2), "something that it needs is not tried again"),
    ]
    assert done.is_idle
    assert len(one.queue.accepted) == 5


def test_decisions_are_carried_out_by_whoever_submits_next(one: QueuedRun) -> None:
    """The scheduler does not answer the first time: it stays decided, and counts once."""
    one.queue.refusals["a.0"] = TransportError("no answer")
    with pytest.raises(TransportError):
        one.recover()
    assert observe(one.run, one.plan).indices["a.0"][2].state is State.PENDING
    assert len(one.events("retry")) == 2
    one.queue.refusals.clear()
    one.submit()
    assert one.queue.told()[3:] == [("a.0", [2], []), ("b.0", [2], ["element:104"])]
    assert one.recover().decisions == []


def test_what_is_refused_was_not_decided(one: QueuedRun) -> None:
    """All is as it was before, also for what waits for it; the next time it is decided anew, and nothing is counted."""
    one.queue.refusals["a.0"] = SchedulerError("no")
    done = one.recover()
    told = {f"{place.place[0]}[{place.place[1]}]": (place.action, place.why) for place in done.decisions}
    assert told == {"a.0[2]": (Action.REFUSED, "no"), "b.0[2]": (Action.REFUSED, "what it needs was refused")}
    assert (done.is_idle, done.is_less_to_try, len(done.handed.refused)) == (True, False, 1)
    known = one.status()
    assert [known.indices[array][2].state for array in ("a.0", "b.0")] == [State.FAILED, State.UPSTREAM_FAILED]
    assert (known.submissions.retries, known.submissions.has_due, known.submissions.open) == ([], False, [])
    one.submit()
    assert len(one.queue.accepted) == 3
    one.queue.refusals.clear()
    done = one.recover()
    assert one.queue.told()[3:] == [("a.0", [2], []), ("b.0", [2], ["element:104"])]
    assert one.queue.accepted["104"].attempts == {2: 2}
    assert one.status().submissions.withdrawn == {}


def test_a_run_that_an_earlier_sciflow_left_behind_a_refusal_gets_out_of_it(one: QueuedRun) -> None:
    """Its journal says nothing of what did not come to pass: it is asked for once more, and then decided anew."""
    one.queue.refusals["a.0"] = SchedulerError("no")
    one.recover()
    lines = one.run.journal.read_text().splitlines()
    one.run.journal.write_text("".join(f"{line}\n" for line in lines if "withdrawn" not in line))
    assert one.status().indices["a.0"][2].reason == "the scheduler refused it: no"
    one.recover()
    assert one.status().indices["a.0"][2].state is State.FAILED
    one.queue.refusals.clear()
    assert one.recover().handed.jobs == {"104": ("a.0", 1), "105": ("b.0", 1)}


def test_what_was_cancelled_and_is_refused_is_cancelled_still(one: QueuedRun) -> None:
    """Nobody tries it again unasked."""
    cancel(one.run, one.plan, one.queue.connect, {"b.0": {0}})
    one.queue.end("102", State.CANCELLED, [0])
    one.queue.refusals["b.0"] = SchedulerError("no")
    one.recover(only="cancelled")
    assert one.status().indices["b.0"][0].state is State.CANCELLED
    assert ("b.0", 0) in one.status().submissions.cancelled


def test_growth_that_is_refused_does_not_keep_others_and_is_less_the_next_time(
    tmp_path: Path,
    stage_for_queue: Callable[..., RunDirectory],
    queue: MemoryQueue,
    leave_record: LeaveRecord,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Half-way to what was refused, again and again, until it is given up with the reason; factors are honoured."""
    workflow = ExperimentalWorkflow("grown", tmp_path)
    workflow.add_task("a", command="echo {{ x }}", resources={"memory_gb": 12, "max_runtime": "1 h"})
    workflow.add_task("b", command="echo {{ x }}", depends_on=["a"])
    workflow.add_parameter_space({"x": [1, 2]})
    one = QueuedRun(stage_for_queue(workflow), queue, leave_record, monkeypatch)
    one.submit()
    one.end("101", "0", State.OUT_OF_MEMORY)
    one.end("101", "1", State.FAILED, "ValueError: no")
    one.end("102", "0-1", State.UPSTREAM_FAILED)
    gib, asked, take = 1024**3, list[float](), queue.submit

    def submit(submission: Submission) -> str:
        if submission.array.resources.memory_bytes > 12 * gib:
            asked.append(submission.array.resources.memory_bytes / gib)
            raise SchedulerError("too much")
        return take(submission)

    monkeypatch.setattr(queue, "submit", submit)
    done = one.recover()
    assert list(done.handed.jobs.values()) == [("a.0", 1), ("b.0", 1)]
    assert queue.told()[2:] == [("a.0", [1], []), ("b.0", [1], ["element:103"])]
    assert done.is_less_to_try
    done = until_taken(one.recover, lambda _: pytest.fail("nothing is waited for"))
    assert asked == [18.0, 15.0, 13.5, 12.75]
    assert [(place.action, place.why[:31]) for place in done.decisions if place.place[0] == "a.0"] == [
        (Action.GIVEN_UP, "12.8 GB were refused: too much;")
    ]
    one.recover(scale=["memory=1.5"])
    assert asked[4:] == [18.0]
    one.recover(scale=["memory=1"])
    assert queue.told()[-2:] == [("a.0", [0], []), ("b.0", [0], ["element:105"])]


def test_a_submitter_that_is_killed_is_found_out(one: QueuedRun) -> None:
    """The job that reached the queue all the same is not submitted again."""
    one.queue.fatal.add("a.0")
    with pytest.raises(KeyboardInterrupt):
        one.recover()
    one.queue.fatal.clear()
    done = one.recover()
    assert done.handed.found == ["104"]
    assert one.queue.told()[3:] == [("a.0", [2], []), ("b.0", [2], ["element:104"])]


def test_whoever_is_at_the_run_is_not_disturbed(one: QueuedRun, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is decided while another holds it."""
    monkeypatch.setattr("sciflow.run.recover.hold", lambda path: hold(path, patience=0.0))
    with hold(one.run.lock), pytest.raises(BusyError, match="is being driven by"):
        one.recover()
    assert one.events("retry") == []


def test_what_was_not_submitted_yet_is_submitted_besides(one: QueuedRun) -> None:
    """As by `submit`, also where nothing has failed."""
    one.queue.cancelled.clear()
    lines = one.run.journal.read_text().splitlines()
    one.run.journal.write_text("".join(f"{line}\n" for line in lines if "c.0." not in line))
    done = one.recover(only="timeout")
    assert [array for array, _ in done.handed.jobs.values()] == ["c.0"]
    assert not done.is_idle


# --- what waits for the whole


def test_what_cannot_be_postponed_is_a_note(one: QueuedRun, monkeypatch: pytest.MonkeyPatch) -> None:
    """It will find out itself what it lacks, and is tried again then."""

    def refuse(*_: object) -> None:
        raise SchedulerError("Job is no longer pending execution")

    monkeypatch.setattr(one.queue, "postpone", refuse)
    done = one.recover()
    assert done.notes == ["c.0 does not wait for what is tried again: Job is no longer pending execution"]
    assert set(done.handed.jobs) == {"104", "105"}


def test_what_does_not_wait_any_more_is_not_postponed(one: QueuedRun) -> None:
    """It has ended in vain: it is submitted again, after all that it needs."""
    one.end("102", "0-1,3", State.COMPLETED)
    one.end("103", "0", State.UPSTREAM_FAILED)
    one.recover()
    assert one.queue.postponed == []
    assert one.queue.told()[-1] == ("c.0", [0], ["whole:105"])


# --- with more


def test_indices_that_need_different_amounts_have_scripts_of_their_own(
    tmp_path: Path,
    stage_for_queue: Callable[..., RunDirectory],
    queue: MemoryQueue,
    leave_record: LeaveRecord,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Those that need the same are one array job; a request that was used before is used again."""
    workflow = ExperimentalWorkflow("sized", tmp_path)
    workflow.add_task("a", command="echo {{ x }}", resources={"memory_gb": 1, "max_runtime": "1 h"})
    workflow.add_parameter_space({"x": [1, 2, 3, 4]})
    one = QueuedRun(stage_for_queue(workflow), queue, leave_record, monkeypatch)
    one.submit()
    one.end("101", "0,3", State.OUT_OF_MEMORY)
    one.end("101", "1", State.TIMEOUT)
    one.end("101", "2", State.NODE_FAIL)
    one.recover()
    assert [(job.array.name_on_node, sorted(job.attempts)) for job in queue.accepted.values()] == [
        ("a.0", [0, 1, 2, 3]),
        ("a.0@r1", [0, 3]),
        ("a.0@r2", [1]),
        ("a.0", [2]),
    ]
    gib = 1024**3
    assert one.variant("a.0@r1")["request"]["memory_bytes"] == 1.5 * gib
    assert one.variant("a.0@r1")["request"]["runtime_seconds"] == 3600
    assert one.variant("a.0@r2")["request"]["memory_bytes"] == gib
    assert one.variant("a.0@r2")["request"]["runtime_seconds"] == 5400
    assert "--mem=1536M" in one.run.script("a.0@r1").read_text()
    assert "--time=01:30:00" in one.run.script("a.0@r2").read_text()
    one.end("104", "2", State.OUT_OF_MEMORY)
    one.end("103", "1", State.OUT_OF_MEMORY)
    one.recover()
    assert [(job.array.name_on_node, sorted(job.attempts)) for job in list(queue.accepted.values())[4:]] == [
        ("a.0@r3", [1]),
        ("a.0@r1", [2]),
    ]
    assert one.variant("a.0@r3")["request"]["runtime_seconds"] == 5400
    assert one.variant("a.0@r3")["request"]["memory_bytes"] == 1.5 * gib


# --- made anew


def test_what_went_on_without_some_waits_until_it_is_made_anew(
    tmp_path: Path,
    stage_for_queue: Callable[..., RunDirectory],
    queue: MemoryQueue,
    leave_record: LeaveRecord,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Its old result is not taken for the new one, nor that of what was made from it."""
    workflow = ExperimentalWorkflow("skips", tmp_path)
    workflow.add_task("a", command="echo {{ x }}")
    workflow.add_task("d", lambda a: {"n": len(a)}, depends_on=["a"], over="all", missing="skip")
    workflow.add_task("e", lambda d: {"n": d["n"]}, depends_on=["d"])
    workflow.add_parameter_space({"x": [1, 2, 3, 4]})
    one = QueuedRun(stage_for_queue(workflow), queue, leave_record, monkeypatch)
    one.submit()
    one.end("101", "0-2", State.COMPLETED)
    one.end("101", "3", State.NODE_FAIL)
    real = leave_record

    def skipping(run: RunDirectory, array: str, *facts: object) -> Path:
        with monkeypatch.context() as patched:
            from sciflow_shim.outcome import Outcome

            begin = Outcome.__init__

            def noted(outcome: Outcome) -> None:
                begin(outcome)
                outcome.notes["skipped"] = "1 upstream: a.0[3]"

            patched.setattr(Outcome, "__init__", noted)
            return real(run, array, *facts)

    one.leave_record = skipping
    one.end("102", "0", State.COMPLETED)
    one.leave_record = real
    one.end("103", "0", State.COMPLETED)
    assert one.status().indices["d.0"][0].skipped
    one.recover()
    assert queue.told()[3:] == [("a.0", [3], []), ("d.0", [0], ["whole:104"]), ("e.0", [0], ["element:105"])]
    known = one.status().indices
    assert [known[array][0].state for array in ("d.0", "e.0")] == [State.PENDING, State.PENDING]
    assert not one.status().is_settled
    one.end("104", "3", State.COMPLETED)
    for job, array in (("105", "d.0"), ("106", "e.0")):
        queue.end(job)
        one.leave(job, array, 0, 2, State.COMPLETED, "", ago=-5)
    assert one.status().is_complete
    assert one.recover().decisions == []


# --- nodes


@pytest.fixture
def on_nodes(
    tmp_path: Path,
    stage_for_queue: Callable[..., RunDirectory],
    queue: MemoryQueue,
    leave_record: LeaveRecord,
    monkeypatch: pytest.MonkeyPatch,
) -> QueuedRun:
    """Return a run of thirty, of which the last six have failed on node `n9`; the others are completed elsewhere."""
    workflow = ExperimentalWorkflow("nodes", tmp_path)
    workflow.add_task("a", command="echo {{ x }}")
    workflow.add_parameter_space({"x": list(range(30))})
    one = QueuedRun(stage_for_queue(workflow), queue, leave_record, monkeypatch)
    one.submit()
    for index in range(30):
        with monkeypatch.context() as patched:
            patched.setenv("SLURM_JOB_NODELIST", "n9" if index >= 24 else f"n{index % 3}")
            one.end("101", str(index), State.COMPLETED if index < 24 else State.FAILED, f"bad GPU {index}")
    return one


def test_a_node_on_which_more_fails_than_chance_explains_is_avoided(on_nodes: QueuedRun) -> None:
    """For a day, by what is submitted from now on; who looks later sees why, and it ends by itself."""
    done = on_nodes.recover()
    assert [node.node for node in done.avoided] == ["n9"]
    assert on_nodes.queue.accepted["102"].avoided == ("n9",)
    [event] = on_nodes.events("exclude")
    assert event["why"].startswith("6 of 6 failed on it, 0 of 24 elsewhere")
    assert event["until"] == pytest.approx(time.time() + 24 * 3600, abs=60)
    assert on_nodes.recover().avoided == []
    assert len(on_nodes.events("exclude")) == 1


def test_no_node_is_avoided_where_that_is_not_wanted(on_nodes: QueuedRun) -> None:
    """`exclude_hours: 0`."""
    on_nodes.recovery = RecoveryPolicy(exclude_hours=0)
    assert on_nodes.recover().avoided == []
    assert on_nodes.queue.accepted["102"].avoided == ()


def test_no_node_is_avoided_where_the_scheduler_cannot(on_nodes: QueuedRun) -> None:
    """It would be said, and not done."""
    on_nodes.queue.avoids_nodes = False
    assert on_nodes.recover().avoided == []


def test_a_node_that_is_trusted_is_used_again(on_nodes: QueuedRun) -> None:
    """From now on, whatever happens there."""
    on_nodes.recover()
    on_nodes.end("102", "24-29", State.NODE_FAIL)
    assert on_nodes.recover(trusted=["n9"]).avoided == []
    assert on_nodes.events("include") == [{"event": "include", "node": "n9"}]
    assert on_nodes.queue.accepted["103"].avoided == ()


def test_a_node_that_is_not_avoided_cannot_be_trusted(on_nodes: QueuedRun) -> None:
    """Those that are avoided are named; nothing is decided or released."""
    with pytest.raises(RunError) as caught:
        on_nodes.recover(trusted=["n1"])
    assert (caught.value.message, caught.value.hint) == ("node `n1` is not avoided", "no node of this run is")
    on_nodes.recover()
    journal = on_nodes.run.journal.read_text()
    with pytest.raises(RunError) as caught:
        on_nodes.recover(trusted=["n9", "n1"], is_released=True)
    assert caught.value.hint == "avoided are `n9`"
    assert on_nodes.run.journal.read_text() == journal


def test_after_its_time_a_node_is_used_again(on_nodes: QueuedRun) -> None:
    """What was decided then is over."""
    on_nodes.recovery = RecoveryPolicy(exclude_hours=1e-9)
    assert [node.node for node in on_nodes.recover().avoided] == ["n9"]
    assert on_nodes.queue.accepted["102"].avoided == ()


# --- brakes


def test_an_array_job_that_is_held_back_is_released(one: QueuedRun) -> None:
    """Only where that is wanted, and it is told."""
    (one.run / files.BRAKES).mkdir()
    brake = one.run / files.brake("a.0")
    brake.write_text('{"format": 1, "array": "a.0", "time": 5.0, "ended": 10, "failed": 10, "error": "ValueError: no"}')
    held = one.recover()
    assert (held.released, held.is_idle) == ([], True)
    assert read_brakes(one.run)["a.0"][0].released is None
    done = one.recover(is_released=True)
    assert done.released == ["a.0"]
    assert not brake.exists()
    assert done.handed.jobs["104"] == ("a.0", 1)


# --- times


def test_what_was_to_begin_off_peak_begins_at_the_next_such_time(one: QueuedRun) -> None:
    """Not in the middle of the day, where its own time has passed; before that its script tells."""
    policy = SchedulingPolicy(policy="off_peak", preferred_hours="22:00-06:00", timezone="UTC")
    planned = datetime(2031, 5, 14, 22, tzinfo=timezone.utc)
    array = one.plan.arrays[0]
    object.__setattr__(array, "begin", planned)
    begin = terms_of(one.profile, one.recovery, Policies(policy)).begin
    assert begin(array, planned, planned.timestamp() - 3600) is None
    second = planned + timedelta(days=1)
    assert begin(array, second, planned.timestamp() - 3600) == second.timestamp()  # of a wave, the script does not tell
    noon = datetime(2031, 5, 15, 12, tzinfo=timezone.utc)
    assert begin(array, planned, noon.timestamp()) == datetime(2031, 5, 15, 22, tzinfo=timezone.utc).timestamp()
    night = datetime(2031, 5, 15, 23, tzinfo=timezone.utc)
    assert (begin(array, planned, night.timestamp()) or 0) <= night.timestamp()
    object.__setattr__(array, "begin", None)
    assert begin(array, None, noon.timestamp()) is None
