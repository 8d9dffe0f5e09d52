"""What is not over of a run is cancelled: all of it, or some indices."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from sciflow.model.state import State
from sciflow.model.statement import Statement
from sciflow.run.cancel import cancel
from sciflow.run.follow import track
from sciflow.run.submit import Handed, submit
from sciflow.run.terms import Terms
from sciflow.run.track import observe, read_plan
from sciflow.store.journal import Journal
from sciflow.store.layout import RunDirectory
from unit.memory_queue import MemoryQueue

LeaveRecord = Callable[..., Path]
Leave = Callable[..., None]
ALL = [0, 1, 2, 3]


def hand_over(run: RunDirectory, queue: MemoryQueue) -> Handed:
    """Submit a run."""
    return submit(run, read_plan(run), queue.connect, Terms())


def test_all_that_is_not_over_is_cancelled(chain: RunDirectory, queue: MemoryQueue, leave_record: LeaveRecord) -> None:
    """Whole jobs by their ids, others by their indices; it is journalled before anything is done."""
    hand_over(chain, queue)
    leave_record(chain, "a.0", 1)
    done = cancel(chain, read_plan(chain), queue.connect)
    assert done == {"a.0": [0, 2, 3], "b.0": ALL, "c.0": [0]}
    assert queue.cancelled == [("101", [0, 2, 3]), ("102", None), ("103", None)]
    cancelled = [event for event in Journal(chain.journal).events() if event["event"] == "cancel"]
    assert [(one["array"], one["indices"]) for one in cancelled] == [
        ("a.0", "0,2-3"),
        ("b.0", "0-3"),
        ("c.0", "0"),
    ]


def test_some_indices_are_cancelled(chain: RunDirectory, queue: MemoryQueue) -> None:
    """Only those that are named, and nothing of other array jobs."""
    hand_over(chain, queue)
    done = cancel(chain, read_plan(chain), queue.connect, {"b.0": {1, 3}, "c.0": set()})
    assert done == {"b.0": [1, 3]}
    assert queue.cancelled == [("102", [1, 3])]


def test_what_was_never_submitted_never_will_be(chain: RunDirectory, queue: MemoryQueue) -> None:
    """No scheduler is told, and a later submission leaves it out; it is CANCELLED then."""
    done = cancel(chain, read_plan(chain), queue.connect, {"a.0": {0}, "b.0": {0}})
    assert done == {"a.0": [0], "b.0": [0]}
    assert queue.cancelled == []
    hand_over(chain, queue)
    assert queue.told()[:2] == [("a.0", [1, 2, 3], []), ("b.0", [1, 2, 3], ["element:101"])]
    known = observe(chain).indices["a.0"][0]
    assert (known.state, known.reason) == (State.CANCELLED, "it was cancelled before it was submitted")


def test_a_run_of_which_nothing_was_submitted_is_cancelled(chain: RunDirectory, queue: MemoryQueue) -> None:
    """It is CANCELLED at once."""
    cancel(chain, read_plan(chain), queue.connect)
    assert observe(chain).counts() == {State.CANCELLED: 9}


def test_nothing_is_left_to_cancel(chain: RunDirectory, queue: MemoryQueue) -> None:
    """What was cancelled before is not cancelled again."""
    hand_over(chain, queue)
    cancel(chain, read_plan(chain), queue.connect)
    told = list(queue.cancelled)
    assert cancel(chain, read_plan(chain), queue.connect) == {}
    assert queue.cancelled == told


def test_a_job_whose_id_was_lost_is_cancelled_too(chain: RunDirectory, queue: MemoryQueue) -> None:
    """It is found by its name first."""
    queue.fatal = {"a.0"}
    with pytest.raises(KeyboardInterrupt):
        hand_over(chain, queue)
    cancel(chain, read_plan(chain), queue.connect)
    assert queue.cancelled == [("101", None)]


# --- chains, and what was tried again


def test_all_links_of_a_chain_are_cancelled(relax: RunDirectory, queue: MemoryQueue, leave: Leave) -> None:
    """Those that wait as well; what is completed in one of them is left alone in all."""
    hand_over(relax, queue)
    leave(relax, "relax.0", "101", {0: "COMPLETED"})
    assert cancel(relax, read_plan(relax), queue.connect, {"relax.0": {0, 1, 2, 3}}) == {"relax.0": [1, 2, 3]}
    assert queue.cancelled == [(job, [1, 2, 3]) for job in ("101", "102", "103")]


def test_an_index_that_waits_for_its_next_link_is_cancelled(
    relax: RunDirectory, queue: MemoryQueue, leave: Leave
) -> None:
    """It is not tried again as if it had been too slow. Slurm shows nothing of what was cancelled while it waited."""
    hand_over(relax, queue)
    leave(relax, "relax.0", "101", dict.fromkeys(ALL, "TIMEOUT"), has_checkpoint=True)
    queue.end("101", State.TIMEOUT)
    plan = read_plan(relax)
    assert track(relax, plan, queue).counts("relax") == {State.PENDING: 4}
    cancel(relax, plan, queue.connect, {"relax.0": {2}})
    for job in ("102", "103"):
        del queue.states[job][2]
    known = track(relax, plan, queue).indices["relax.0"]
    assert [one.state for one in known.values()] == [State.PENDING, State.PENDING, State.CANCELLED, State.PENDING]


def test_a_link_that_was_not_submitted_never_will_be(relax: RunDirectory, queue: MemoryQueue, leave: Leave) -> None:
    """Nor is anything that comes after it."""
    queue.capacity = 4
    hand_over(relax, queue)
    leave(relax, "relax.0", "101", dict.fromkeys(ALL, "TIMEOUT"), has_checkpoint=True)
    queue.end("101", State.TIMEOUT)
    cancel(relax, read_plan(relax), queue.connect)
    queue.capacity = None
    assert hand_over(relax, queue).jobs == {}
    assert track(relax, read_plan(relax), queue).counts() == {State.CANCELLED: 9}


def test_what_was_tried_again_is_cancelled_again(chain: RunDirectory, queue: MemoryQueue, leave: Leave) -> None:
    """Its new job, and nothing of others; what was to be tried again, and was not submitted, is not any more."""
    hand_over(chain, queue)
    leave(chain, "a.0", "101", dict.fromkeys(ALL, "FAILED"))
    facts = {"variant": "", "memory": 0, "seconds": 0, "cause": "lost", "error": "", "counts": True, "why": ""}
    Journal(chain.journal).append([{"event": "retry", "array": "a.0", "indices": "1-2", **facts}])
    hand_over(chain, queue)
    queue.end("101", State.FAILED)
    queue.states["104"][1] = Statement(State.RUNNING, "RUNNING", "", 1.0, None, "n1")
    plan = read_plan(chain)
    assert cancel(chain, plan, queue.connect, {"a.0": {0, 1}}) == {"a.0": [1]}
    assert ("104", [1]) in queue.cancelled
    Journal(chain.journal).append([{"event": "retry", "array": "a.0", "indices": "3", **facts}])
    assert cancel(chain, plan, queue.connect, {"a.0": {3}}) == {"a.0": [3]}
    assert hand_over(chain, queue).jobs == {}
    known = observe(chain).indices["a.0"][3]
    assert (known.state, known.reason) == (State.CANCELLED, "it was cancelled before it was tried again")
