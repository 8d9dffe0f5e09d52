"""Every array job goes to a queue exactly once, whenever the submitter is killed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sciflow.errors import QueueFullError, RunError, SchedulerError, TransportError, UnreadableAnswerError
from sciflow.model.profile import Limits
from sciflow.model.state import State
from sciflow.model.statement import Statement
from sciflow.model.workflow import ExperimentalWorkflow
from sciflow.run.submit import Handed, blocked_arrays, calls, submit
from sciflow.run.terms import Terms
from sciflow.run.track import observe, read_plan
from sciflow.store.journal import Journal
from sciflow.store.layout import RunDirectory
from sciflow.store.lock import hold, is_held
from unit.memory_queue import MemoryQueue

LeaveRecord = Callable[..., Path]
ALL = [0, 1, 2, 3]


def hand_over(run: RunDirectory, queue: MemoryQueue, **limits: Any) -> Handed:
    """Submit a run."""
    return submit(run, read_plan(run), queue.connect, Terms(Limits(**limits)))


def events(run: RunDirectory, *kinds: str) -> list[dict[str, Any]]:
    """Return the events of some kinds, without their times."""
    found = [event for event in Journal(run.journal).events() if event["event"] in kinds]
    return [{name: value for name, value in event.items() if name != "time"} for event in found]


def queue_state(state: State) -> Statement:
    """Return what is said of somebody's index."""
    return Statement(state, state.value)


# --- all at once


def test_all_array_jobs_are_submitted_in_order_each_after_those_it_needs(
    chain: RunDirectory, queue: MemoryQueue
) -> None:
    """Index by index, or after all; each by its script, as the first attempt; and what was done is told."""
    handed = hand_over(chain, queue)
    assert queue.told() == [
        ("a.0", ALL, []),
        ("b.0", ALL, ["element:101"]),
        ("c.0", [0], ["whole:102"]),
    ]
    assert handed.jobs == {"101": ("a.0", 4), "102": ("b.0", 4), "103": ("c.0", 1)}
    assert (handed.found, handed.waiting) == ([], [])
    one = queue.accepted["102"]
    assert one.script == chain.script("b.0")
    assert set(one.attempts.values()) == {1}
    assert all((chain / f"logs/{array}").is_dir() for array in ("a.0", "b.0", "c.0"))


def test_names_are_unique_and_tell_the_run(chain: RunDirectory, queue: MemoryQueue) -> None:
    """By them jobs are found again."""
    hand_over(chain, queue)
    assert [one.name for one in queue.accepted.values()] == [
        f"a.0.{chain.run_id}.1",
        f"b.0.{chain.run_id}.2",
        f"c.0.{chain.run_id}.3",
    ]


def test_the_intent_is_journalled_before_the_job_id(chain: RunDirectory, queue: MemoryQueue) -> None:
    """Each with the unique name, in turn."""
    hand_over(chain, queue)
    found = events(chain, "intent", "submitted", "refused")
    assert [event["event"] for event in found] == ["intent", "submitted"] * 3
    assert found[0] == {"event": "intent", "array": "a.0", "name": f"a.0.{chain.run_id}.1", "indices": "0-3"}
    assert found[1] == {"event": "submitted", "array": "a.0", "name": f"a.0.{chain.run_id}.1", "job": "101"}


def test_a_second_submission_submits_nothing(chain: RunDirectory, queue: MemoryQueue) -> None:
    """All is handed over, and nobody needs to be asked for it."""
    hand_over(chain, queue)
    again = hand_over(chain, queue, submitted_indices=100)
    assert (again.jobs, again.found, again.waiting) == ({}, [], [])
    assert len(queue.accepted) == 3
    assert queue.searches == []


def test_commands_hold_the_lock_of_the_run(chain: RunDirectory, queue: MemoryQueue) -> None:
    """Who drives or submits a run does so alone; afterwards nobody holds it."""
    hand_over(chain, queue)
    [descriptors] = queue.connections
    assert len(descriptors) == 1
    assert not is_held(chain.lock)


def test_two_do_not_submit_the_same_run(
    chain: RunDirectory, queue: MemoryQueue, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While another holds it, nothing is submitted."""
    monkeypatch.setattr("sciflow.run.submit.hold", lambda path: hold(path, patience=0.0))
    with hold(chain.lock), pytest.raises(RunError, match="is being driven by"):
        hand_over(chain, queue)
    assert queue.accepted == {}


def test_a_run_directory_that_cannot_be_written_submits_nothing(chain: RunDirectory, queue: MemoryQueue) -> None:
    """An intent that is not on the disk is none."""
    chain.journal.mkdir()
    with pytest.raises((RunError, OSError)):
        hand_over(chain, queue)
    assert queue.accepted == {}


def test_no_room_on_the_disk_submits_nothing(
    chain: RunDirectory, queue: MemoryQueue, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The message names the folder, and says so."""

    def full(journal: Journal, event: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Journal, "commit", full)
    with pytest.raises(RunError) as caught:
        hand_over(chain, queue)
    assert caught.value.message == f"`{chain.path}` cannot be written: No space left on device"
    assert caught.value.hint == "nothing more was submitted"
    assert queue.accepted == {}


# --- what is there already


def test_what_is_completed_is_not_submitted(chain: RunDirectory, queue: MemoryQueue, leave_record: LeaveRecord) -> None:
    """Indices that wait for something, and those that need not, are submitted apart."""
    for index in (0, 2):
        leave_record(chain, "a.0", index)
    leave_record(chain, "b.0", 2)
    hand_over(chain, queue)
    assert queue.told() == [
        ("a.0", [1, 3], []),
        ("b.0", [0], []),
        ("b.0", [1, 3], ["element:101"]),
        ("c.0", [0], ["whole:102", "whole:103"]),
    ]


def test_an_attempt_counts_on(chain: RunDirectory, queue: MemoryQueue, leave_record: LeaveRecord) -> None:
    """What failed by hand before is submitted as the next attempt."""
    leave_record(chain, "a.0", 1, 2, "FAILED")
    hand_over(chain, queue)
    assert queue.accepted["101"].attempts == {0: 1, 1: 3, 2: 1, 3: 1}


def test_when_all_is_completed_nothing_is_asked(
    chain: RunDirectory, queue: MemoryQueue, leave_record: LeaveRecord
) -> None:
    """Not even how much is queued."""
    for array in read_plan(chain).arrays:
        for index in range(array.count):
            leave_record(chain, array.name, index)
    queue.queued = lambda: pytest.fail("it was asked")
    handed = hand_over(chain, queue, submitted_indices=1)
    assert (handed.jobs, handed.waiting) == ({}, [])


def test_lists_that_are_too_long_are_cut_by_the_scheduler(
    chain: RunDirectory, queue: MemoryQueue, leave_record: LeaveRecord
) -> None:
    """A whole array needs no list; what is left of one may need several, and what comes after waits for each."""
    queue.longest = 1
    leave_record(chain, "a.0", 1)
    hand_over(chain, queue)
    assert queue.told() == [
        ("a.0", [0], []),
        ("a.0", [2], []),
        ("a.0", [3], []),
        ("b.0", [0], ["element:101"]),
        ("b.0", [1], []),
        ("b.0", [2], ["element:102"]),
        ("b.0", [3], ["element:103"]),
        ("c.0", [0], ["whole:104", "whole:105", "whole:106", "whole:107"]),
    ]


# --- a site that takes little at a time


def test_what_does_not_fit_waits_and_so_does_what_comes_after_it(chain: RunDirectory, queue: MemoryQueue) -> None:
    """With room for six, `a` goes, and two of `b`; `c` cannot wait for what is not there."""
    handed = hand_over(chain, queue, submitted_indices=6)
    assert queue.told() == [("a.0", ALL, []), ("b.0", [0, 1], ["element:101"])]
    assert handed.waiting == ["b.0", "c.0"]
    # nothing has ended: nothing more goes
    assert hand_over(chain, queue, submitted_indices=6).jobs == {}


def test_what_waits_is_fed_when_there_is_room(
    chain: RunDirectory, queue: MemoryQueue, leave_record: LeaveRecord
) -> None:
    """Bit by bit, until all was submitted once; the last waits for all parts that have not completed."""
    hand_over(chain, queue, submitted_indices=6)
    for index in range(4):
        leave_record(chain, "a.0", index)
    queue.end("101")
    handed = hand_over(chain, queue, submitted_indices=6)
    assert queue.told()[2:] == [("b.0", [2, 3], []), ("c.0", [0], ["whole:102", "whole:103"])]
    assert handed.waiting == []


def test_a_trickle_is_not_worth_a_submission(chain: RunDirectory, queue: MemoryQueue) -> None:
    """Less than a tenth of what the site allows waits for more room; what fits whole always goes."""
    queue.states["1"] = dict.fromkeys(range(37), queue_state(State.PENDING))
    handed = hand_over(chain, queue, submitted_indices=40)
    assert queue.told() == []
    assert handed.waiting == ["a.0", "b.0", "c.0"]
    queue.states["1"] = dict.fromkeys(range(36), queue_state(State.PENDING))
    assert hand_over(chain, queue, submitted_indices=40).jobs == {"101": ("a.0", 4)}


def test_of_an_array_job_that_does_not_fit_no_later_part_is_tried(
    chain: RunDirectory, queue: MemoryQueue, leave_record: LeaveRecord
) -> None:
    """Its indices go in order; it waits once."""
    queue.longest = 1
    queue.states["1"] = {0: queue_state(State.RUNNING), 1: queue_state(State.RUNNING)}
    leave_record(chain, "a.0", 1)
    handed = hand_over(chain, queue, submitted_indices=2)
    assert (handed.jobs, handed.waiting) == ({}, ["a.0", "b.0", "c.0"])


def test_more_than_may_be_is_queued_by_others(chain: RunDirectory, queue: MemoryQueue) -> None:
    """There is no room then, and not less than none."""
    queue.states["1"] = dict.fromkeys(range(50), queue_state(State.RUNNING))
    assert hand_over(chain, queue, submitted_indices=40).waiting == ["a.0", "b.0", "c.0"]


def test_a_limit_that_nobody_knew_of_is_met_later(chain: RunDirectory, queue: MemoryQueue) -> None:
    """What was submitted stays; the rest waits, as if the limit had been known, and the refusal is journalled."""
    queue.capacity = 5
    handed = hand_over(chain, queue)
    assert handed.jobs == {"101": ("a.0", 4)}
    assert handed.waiting == ["b.0", "c.0"]
    [refused] = events(chain, "refused")
    assert refused["error"] == "QOSMaxSubmitJobPerUserLimit"
    known = observe(chain).indices["b.0"][0]
    assert known.reason == "the scheduler refused it: QOSMaxSubmitJobPerUserLimit"
    assert not known.is_settled


def test_a_limit_that_even_the_first_passes_is_an_error(chain: RunDirectory, queue: MemoryQueue) -> None:
    """Nothing of the run is in the queue: nothing would make room."""
    queue.capacity = 3
    with pytest.raises(QueueFullError):
        hand_over(chain, queue)
    assert queue.accepted == {}


# --- refusals


def test_what_waits_for_what_is_refused_is_left_and_the_next_call_goes_on(
    chain: RunDirectory, queue: MemoryQueue
) -> None:
    """What was submitted before stays; the same name is used again, since nothing has it."""
    queue.refusals["b.0"] = SchedulerError("no such partition")
    handed = hand_over(chain, queue)
    assert (handed.jobs, handed.waiting) == ({"101": ("a.0", 4)}, [])
    assert [(array, elements) for array, elements, _ in handed.refused] == [("b.0", tuple(ALL))]
    with pytest.raises(SchedulerError, match="no such partition"):
        handed.check()
    assert [one["event"] for one in events(chain, "intent", "submitted", "refused")] == [
        "intent",
        "submitted",
        "intent",
        "refused",
    ]
    assert observe(chain).indices["b.0"][1].reason == "the scheduler refused it: no such partition"
    queue.refusals.clear()
    handed = hand_over(chain, queue)
    assert list(handed.jobs.values()) == [("b.0", 4), ("c.0", 1)]
    assert [one.name.rpartition(".")[2] for one in queue.accepted.values()] == ["1", "2", "3"]
    assert observe(chain).indices["b.0"][1].reason != "the scheduler refused it: no such partition"


def test_what_does_not_wait_for_what_is_refused_is_submitted(
    tmp_path: Path, stage_for_queue: Callable[..., RunDirectory], queue: MemoryQueue
) -> None:
    """Of two tasks side by side one is refused."""
    workflow = ExperimentalWorkflow("beside", tmp_path)
    workflow.add_task("a", command="echo {{ x }}")
    workflow.add_task("b", command="echo {{ x }}")
    workflow.add_task("c", command="echo {{ x }}", depends_on=["a"])
    workflow.add_parameter_space({"x": [1, 2]})
    run = stage_for_queue(workflow)
    queue.refusals["a.0"] = SchedulerError("no")
    handed = hand_over(run, queue)
    assert (list(handed.jobs.values()), handed.waiting) == ([("b.0", 2)], [])
    assert blocked_arrays(observe(run)) == {"a.0", "c.0"}
    queue.refusals.clear()
    assert list(hand_over(run, queue).jobs.values()) == [("a.0", 2), ("c.0", 2)]


def test_an_answer_that_nobody_understands_stops_all(chain: RunDirectory, queue: MemoryQueue) -> None:
    """The job may be there: nothing else is submitted, and the next call looks for it."""
    queue.refusals["a.0"] = UnreadableAnswerError("`sbatch` answered 'hello'")
    with pytest.raises(UnreadableAnswerError):
        hand_over(chain, queue)
    assert blocked_arrays(observe(chain)) == set()
    queue.refusals.clear()
    hand_over(chain, queue)
    assert [list(names) for names in queue.searches] == [[f"a.0.{chain.run_id}.1"]]


def test_a_scheduler_that_cannot_be_reached_is_no_refusal(chain: RunDirectory, queue: MemoryQueue) -> None:
    """It may have taken the job all the same: the intent stays open, and the job is looked for before the next try."""
    queue.refusals["a.0"] = TransportError("`sbatch` did not answer within 60 s")
    with pytest.raises(TransportError):
        hand_over(chain, queue)
    assert events(chain, "refused") == []
    assert observe(chain).indices["a.0"][0].reason == "its submission was cut off"
    queue.refusals.clear()
    hand_over(chain, queue)
    assert [list(names) for names in queue.searches] == [[f"a.0.{chain.run_id}.1"]]
    assert len(queue.accepted) == 3


# --- showing


def test_the_calls_of_a_dry_run_are_those_of_the_submission(chain: RunDirectory, queue: MemoryQueue) -> None:
    """With the names of array jobs for the ids to come; nothing is submitted, and nothing is written."""
    before = sorted(chain.path.rglob("*"))
    assert calls(chain, observe(chain), queue, Terms(), 0.0) == [
        f"a.0.{chain.run_id}.1 [0, 1, 2, 3]",
        f"b.0.{chain.run_id}.2 [0, 1, 2, 3] element:a.0",
        f"c.0.{chain.run_id}.3 [0] whole:b.0",
    ]
    assert queue.accepted == {}
    assert sorted(chain.path.rglob("*")) == before


def test_the_calls_of_a_run_that_goes_on(chain: RunDirectory, queue: MemoryQueue, leave_record: LeaveRecord) -> None:
    """Only what is left, after jobs that are there."""
    queue.refusals["b.0"] = SchedulerError("no")
    hand_over(chain, queue)
    leave_record(chain, "a.0", 0)
    shown = calls(chain, observe(chain), queue, Terms(), 0.0)
    assert [line.split(" ", 1)[1] for line in shown] == [
        "[0]",
        "[1, 2, 3] element:101",
        "[0] whole:b.0",
    ]


def test_several_array_jobs_of_a_task(
    tmp_path: Path, stage_for_queue: Callable[..., RunDirectory], queue: MemoryQueue
) -> None:
    """Where a site takes three indices in one, all of the parts before are waited for."""
    workflow = ExperimentalWorkflow("parts", tmp_path)
    workflow.add_task("a", command="echo {{ x }}")
    workflow.add_task("c", lambda a: {"n": len(a)}, depends_on=["a"], over="all")
    workflow.add_parameter_space({"x": [1, 2, 3, 4]})
    run = stage_for_queue(workflow, highest_index=2)
    hand_over(run, queue)
    assert queue.told() == [
        ("a.0", [0, 1, 2], []),
        ("a.1", [0], []),
        ("c.0", [0], ["whole:101", "whole:102"]),
    ]
