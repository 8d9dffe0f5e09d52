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
from sciflow.run.recover import terms_of
from sciflow.run.track import observe
from sciflow.schedulers.base import After
from sciflow.store.brakes import read_brakes
from sciflow.store.layout import RunDirectory
from sciflow.store.lock import hold
from sciflow_shim import files
from unit.memory_queue import MemoryQueue
from unit.queued_run import QueuedRun

LeaveRecord = Callable[..., Path]


# --- submitted again


def test_what_failed_is_submitted_again_with_what_waits_for_it(failed_chain: QueuedRun) -> None:
    """Each index by its number, after those that are tried again; what waits for all of these is told to."""
    done = failed_chain.recover()
    assert failed_chain.queue.told()[3:] == [("a.0", [2], []), ("b.0", [2], ["element:104"])]
    assert done.handed.jobs == {"104": ("a.0", 1), "105": ("b.0", 1)}
    assert failed_chain.queue.accepted["104"].attempts == {2: 2}
    assert failed_chain.queue.accepted["104"].script == failed_chain.run.script("a.0")
    assert failed_chain.queue.postponed == [("103", (After("102", "whole"), After("105", "whole")))]
    assert done.notes == []
    assert not done.is_idle
    known = failed_chain.status().indices
    assert [known["a.0"][2].state, known["b.0"][2].state] == [State.PENDING, State.PENDING]


def test_the_second_time_there_is_nothing_to_do(failed_chain: QueuedRun) -> None:
    """It waits in the queue; nothing is decided or submitted twice."""
    failed_chain.recover()
    journal = failed_chain.run.journal.read_text()
    done = failed_chain.recover()
    assert (done.decisions, done.handed.jobs) == ([], {})
    assert done.is_idle
    assert failed_chain.run.journal.read_text() == journal


def test_it_fails_again_in_the_same_way(failed_chain: QueuedRun) -> None:
    """It is given up, and that is told; the element that waits for it in vain as well."""
    failed_chain.recover()
    failed_chain.end("104", "2", State.FAILED, "ValueError: no")
    failed_chain.end("105", "2", State.UPSTREAM_FAILED)
    done = failed_chain.recover()
    assert [(place.place, place.why) for place in done.decisions] == [
        (("a.0", 2), "it failed twice with the same error"),
        (("b.0", 2), "something that it needs is not tried again"),
    ]
    assert done.is_idle
    assert len(failed_chain.queue.accepted) == 5


def test_decisions_are_carried_out_by_whoever_submits_next(failed_chain: QueuedRun) -> None:
    """The scheduler does not answer the first time: it stays decided, and counts once."""
    failed_chain.queue.refusals["a.0"] = TransportError("no answer")
    with pytest.raises(TransportError):
        failed_chain.recover()
    assert observe(failed_chain.run, failed_chain.plan).indices["a.0"][2].state is State.PENDING
    assert len(failed_chain.events("retry")) == 2
    failed_chain.queue.refusals.clear()
    failed_chain.submit()
    assert failed_chain.queue.told()[3:] == [("a.0", [2], []), ("b.0", [2], ["element:104"])]
    assert failed_chain.recover().decisions == []


def test_a_submitter_that_is_killed_is_found_out(failed_chain: QueuedRun) -> None:
    """The job that reached the queue all the same is not submitted again."""
    failed_chain.queue.fatal.add("a.0")
    with pytest.raises(KeyboardInterrupt):
        failed_chain.recover()
    failed_chain.queue.fatal.clear()
    done = failed_chain.recover()
    assert done.handed.found == ["104"]
    assert failed_chain.queue.told()[3:] == [("a.0", [2], []), ("b.0", [2], ["element:104"])]


def test_whoever_is_at_the_run_is_not_disturbed(failed_chain: QueuedRun, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is decided while another holds it."""
    monkeypatch.setattr("sciflow.run.recover.hold", lambda path: hold(path, patience=0.0))
    with hold(failed_chain.run.lock), pytest.raises(BusyError, match="is being driven by"):
        failed_chain.recover()
    assert failed_chain.events("retry") == []


def test_what_was_not_submitted_yet_is_submitted_besides(failed_chain: QueuedRun) -> None:
    """As by `submit`, also where nothing has failed."""
    failed_chain.queue.cancelled.clear()
    lines = failed_chain.run.journal.read_text().splitlines()
    failed_chain.run.journal.write_text("".join(f"{line}\n" for line in lines if "c.0." not in line))
    done = failed_chain.recover(only="timeout")
    assert [array for array, _ in done.handed.jobs.values()] == ["c.0"]
    assert not done.is_idle


# --- what waits for the whole


def test_what_cannot_be_postponed_is_a_note(failed_chain: QueuedRun, monkeypatch: pytest.MonkeyPatch) -> None:
    """It will find out itself what it lacks, and is tried again then."""

    def refuse(*_: object) -> None:
        raise SchedulerError("Job is no longer pending execution")

    monkeypatch.setattr(failed_chain.queue, "postpone", refuse)
    done = failed_chain.recover()
    assert done.notes == ["c.0 does not wait for what is tried again: Job is no longer pending execution"]
    assert set(done.handed.jobs) == {"104", "105"}


def test_what_does_not_wait_any_more_is_not_postponed(failed_chain: QueuedRun) -> None:
    """It has ended in vain: it is submitted again, after all that it needs."""
    failed_chain.end("102", "0-1,3", State.COMPLETED)
    failed_chain.end("103", "0", State.UPSTREAM_FAILED)
    failed_chain.recover()
    assert failed_chain.queue.postponed == []
    assert failed_chain.queue.told()[-1] == ("c.0", [0], ["whole:105"])


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


def test_an_array_job_that_is_held_back_is_released(failed_chain: QueuedRun) -> None:
    """Only where that is wanted, and it is told."""
    (failed_chain.run / files.BRAKES).mkdir()
    brake = failed_chain.run / files.brake("a.0")
    brake.write_text('{"format": 1, "array": "a.0", "time": 5.0, "ended": 10, "failed": 10, "error": "ValueError: no"}')
    held = failed_chain.recover()
    assert (held.released, held.is_idle) == ([], True)
    assert read_brakes(failed_chain.run)["a.0"][0].released is None
    done = failed_chain.recover(is_released=True)
    assert done.released == ["a.0"]
    assert not brake.exists()
    assert done.handed.jobs["104"] == ("a.0", 1)


# --- times


def test_what_was_to_begin_off_peak_begins_at_the_next_such_time(failed_chain: QueuedRun) -> None:
    """Not in the middle of the day, where its own time has passed; before that its script tells."""
    policy = SchedulingPolicy(policy="off_peak", preferred_hours="22:00-06:00", timezone="UTC")
    planned = datetime(2031, 5, 14, 22, tzinfo=timezone.utc)
    array = failed_chain.plan.arrays[0]
    object.__setattr__(array, "begin", planned)
    begin = terms_of(failed_chain.profile, failed_chain.recovery, Policies(policy)).begin
    assert begin(array, planned, planned.timestamp() - 3600) is None
    second = planned + timedelta(days=1)
    assert begin(array, second, planned.timestamp() - 3600) == second.timestamp()  # of a wave, the script does not tell
    noon = datetime(2031, 5, 15, 12, tzinfo=timezone.utc)
    assert begin(array, planned, noon.timestamp()) == datetime(2031, 5, 15, 22, tzinfo=timezone.utc).timestamp()
    assert begin(array, second, noon.timestamp() + 86400) == planned.timestamp() + 2 * 86400  # tried again later
    night = datetime(2031, 5, 15, 23, tzinfo=timezone.utc)
    assert (begin(array, planned, night.timestamp()) or 0) <= night.timestamp()
    early = planned.timestamp() - 20 * 3600
    assert begin(array, None, early) == early  # its script would have it wait until later
    object.__setattr__(array, "begin", None)
    assert begin(array, None, night.timestamp()) is None
    assert begin(array, None, noon.timestamp()) == datetime(2031, 5, 15, 22, tzinfo=timezone.utc).timestamp()


def test_what_could_begin_at_once_begins_in_no_blackout_later(failed_chain: QueuedRun) -> None:
    """A second try comes at another time than the plan."""
    policy = SchedulingPolicy(blackouts=("2031-05-15",), timezone="UTC")
    array = failed_chain.plan.arrays[0]
    begin = terms_of(failed_chain.profile, failed_chain.recovery, Policies(policy)).begin
    before, within = (datetime(2031, 5, day, 12, tzinfo=timezone.utc) for day in (13, 15))
    assert begin(array, None, before.timestamp()) is None
    assert begin(array, None, within.timestamp()) == datetime(2031, 5, 16, tzinfo=timezone.utc).timestamp()
