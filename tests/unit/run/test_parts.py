"""What of a run can be submitted now, and what it waits for: chains, canaries, and what is tried again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest

from sciflow.errors import QueueFullError
from sciflow.model.plan import ArrayJob, Plan, Wave
from sciflow.model.profile import Limits
from sciflow.model.state import State
from sciflow.model.workflow import ExperimentalWorkflow
from sciflow.run.parts import missing, unsubmitted
from sciflow.run.submit import Handed, submit
from sciflow.run.terms import Terms
from sciflow.run.track import observe, read_plan
from sciflow.run.variants import next_of, renderer_of, write_variant
from sciflow.store.journal import Journal
from sciflow.store.layout import RunDirectory
from sciflow_shim.files import format_ranges
from unit.memory_queue import MemoryQueue

LeaveRecord = Callable[..., Path]
Leave = Callable[..., None]
ALL = [0, 1, 2, 3]


def hand_over(run: RunDirectory, queue: MemoryQueue, canaries: int = 0, **limits: Any) -> Handed:
    """Submit a run."""
    return submit(run, read_plan(run), queue.connect, Terms(Limits(**limits), canaries))


def told(queue: MemoryQueue, since: int = 0) -> list[tuple[str, list[int], list[str]]]:
    """Return by which script which indices were submitted, and what they wait for."""
    return [
        (one.script.stem, sorted(one.attempts), [f"{after.kind}:{after.job}" for after in one.after])
        for one in list(queue.accepted.values())[since:]
    ]


def again(run: RunDirectory, array: str, indices: list[int], variant: str = "", memory: int = 0) -> None:
    """Decide to try indices again, perhaps with another request."""
    planned = read_plan(run).array(array)
    if variant:
        given = replace(planned, variant=variant, resources=planned.resources._replace(memory_bytes=memory))
        write_variant(run.path, given, renderer_of(run))
        if planned.links > 1:
            write_variant(run.path, replace(given, variant=next_of(variant)), renderer_of(run), goes_on=True)
    event = {"event": "retry", "array": array, "indices": format_ranges(indices), "variant": variant}
    if planned.pack > 1:
        event["elements"] = format_ranges(sorted({planned.element(index) for index in indices}))
    facts = {"memory": memory, "seconds": 0, "cause": "out_of_memory", "error": "", "counts": True, "why": ""}
    Journal(run.journal).append([{**event, **facts}])


# --- chains


def test_the_links_of_a_chain_are_submitted_one_after_another(relax: RunDirectory, queue: MemoryQueue) -> None:
    """Each waits for the one before it, index by index; what comes after the chain waits for the last."""
    handed = hand_over(relax, queue)
    assert told(queue) == [
        ("relax.0", ALL, []),
        ("relax.0@next", ALL, ["element:101"]),
        ("relax.0@next", ALL, ["element:102"]),
        ("see.0", ALL, ["element:103"]),
        ("all.0", [0], ["whole:103"]),
    ]
    assert list(handed.jobs.values()) == [*[("relax.0", 4)] * 3, ("see.0", 4), ("all.0", 1)]
    assert hand_over(relax, queue).jobs == {}


def test_of_what_is_there_already_no_link_is_submitted(
    relax: RunDirectory, queue: MemoryQueue, leave_record: LeaveRecord
) -> None:
    """Neither the first nor those after it."""
    leave_record(relax, "relax.0", 1)
    hand_over(relax, queue)
    assert told(queue)[:5] == [
        ("relax.0", [0, 2, 3], []),
        ("relax.0@next", [0, 2, 3], ["element:101"]),
        ("relax.0@next", [0, 2, 3], ["element:102"]),
        ("see.0", [0, 2, 3], ["element:103"]),
        ("see.0", [1], []),
    ]


def test_links_that_do_not_fit_wait_for_room(relax: RunDirectory, queue: MemoryQueue) -> None:
    """What comes after the chain cannot wait for a link that is not there."""
    handed = hand_over(relax, queue, submitted_indices=6)
    assert told(queue) == [("relax.0", ALL, []), ("relax.0@next", [0, 1], ["element:101"])]
    assert handed.waiting == ["relax.0", "see.0", "all.0"]
    assert sorted(missing(observe(relax), read_plan(relax).array("relax.0"))) == ALL


def test_what_ended_otherwise_than_for_its_time_gets_no_further_link(
    relax: RunDirectory, queue: MemoryQueue, leave: Leave
) -> None:
    """Nor does what left nothing to go on from; who still runs gets it all the same."""
    hand_over(relax, queue, submitted_indices=4)
    leave(relax, "relax.0", "101", {0: "COMPLETED", 1: "FAILED", 2: "TIMEOUT"})
    queue.end("101", State.COMPLETED, [0])
    queue.end("101", State.FAILED, [1])
    queue.end("101", State.TIMEOUT, [2])
    hand_over(relax, queue)
    assert told(queue, 1)[:2] == [("relax.0@next", [3], ["element:101"]), ("relax.0@next", [3], ["element:102"])]


def test_what_left_a_checkpoint_gets_the_links_that_were_not_submitted(
    relax: RunDirectory, queue: MemoryQueue, leave: Leave
) -> None:
    """It is pending, not over, however long that takes; and whoever follows the run knows that something is left."""
    hand_over(relax, queue, submitted_indices=4)
    leave(relax, "relax.0", "101", dict.fromkeys(ALL, "TIMEOUT"), has_checkpoint=True)
    known = observe(relax).indices["relax.0"][1]
    assert (known.state, known.is_settled) == (State.PENDING, False)
    assert known.reason == "it goes on from its checkpoint, as link 2 of 3: it has not been submitted yet"
    hand_over(relax, queue)
    assert told(queue, 1)[:2] == [("relax.0@next", ALL, ["element:101"]), ("relax.0@next", ALL, ["element:102"])]


def test_a_link_that_was_refused_is_tried_again_for_those_that_need_it(
    relax: RunDirectory, queue: MemoryQueue, leave: Leave
) -> None:
    """One is completed meanwhile; the third link follows the second for all others."""
    queue.capacity = 4
    assert hand_over(relax, queue).waiting == ["relax.0", "see.0", "all.0"]
    leave(relax, "relax.0", "101", {2: "COMPLETED"})
    queue.end("101", State.COMPLETED, [2])
    queue.capacity = None
    hand_over(relax, queue)
    assert told(queue, 1)[:2] == [
        ("relax.0@next", [0, 1, 3], ["element:101"]),
        ("relax.0@next", [0, 1, 3], ["element:102"]),
    ]
    assert hand_over(relax, queue).jobs == {}


def test_a_limit_that_the_second_link_passes_is_met_later(relax: RunDirectory, queue: MemoryQueue) -> None:
    """The same intent is used again where the same elements need it."""
    queue.refusals["relax.0"] = QueueFullError("QOSMaxSubmitJobPerUserLimit")
    with pytest.raises(QueueFullError):
        hand_over(relax, queue)
    queue.refusals.clear()
    hand_over(relax, queue)
    assert [name.rpartition(".")[2] for name in queue.names] == ["1", "2", "3", "4", "5"]


def test_a_chain_that_is_tried_again_has_links_of_its_own(
    relax: RunDirectory, queue: MemoryQueue, leave: Leave
) -> None:
    """Under the new request; what comes after it waits for the last of these, as far as it is tried again as well."""
    hand_over(relax, queue)
    leave(relax, "relax.0", "101", {0: "COMPLETED", 1: "OUT_OF_MEMORY", 2: "COMPLETED", 3: "COMPLETED"})
    again(relax, "relax.0", [1], "r1", 3 * 1024**3)
    again(relax, "see.0", [1])
    again(relax, "all.0", [0])
    hand_over(relax, queue)
    assert told(queue, 5) == [
        ("relax.0@r1", [1], []),
        ("relax.0@r1-next", [1], ["element:106"]),
        ("relax.0@r1-next", [1], ["element:107"]),
        ("see.0", [1], ["element:108"]),
        ("all.0", [0], ["whole:108"]),
    ]
    assert {one.array.resources.memory_bytes for one in list(queue.accepted.values())[5:8]} == {3 * 1024**3}
    assert queue.accepted["106"].attempts == {1: 2}


# --- waves


EVENINGS = [datetime(2031, 5, day, 22, tzinfo=timezone.utc) for day in (14, 15)]


def in_waves(run: RunDirectory) -> Plan:
    """Return the plan of a chain of which two elements of `a` and `b` each begin in one evening and in the next."""
    plan = read_plan(run)
    waves = tuple(Wave(2 * number, 2, evening) for number, evening in enumerate(EVENINGS))
    cut = [replace(plan.array(name), begin=EVENINGS[0], waves=waves) for name in ("a.0", "b.0")]
    return replace(plan, arrays=(*cut, replace(plan.array("c.0"), begin=EVENINGS[1])))


def planned(_array: ArrayJob, begin: datetime | None, _now: float) -> float | None:
    """Return the time for which it was planned."""
    return begin.timestamp() if begin else None


def begun(queue: MemoryQueue) -> list[int]:
    """Return in which evening each job begins, in order."""
    return [[one.timestamp() for one in EVENINGS].index(job.begin or 0) for job in queue.accepted.values()]


def test_each_wave_is_a_submission_with_its_own_begin(chain: RunDirectory, queue: MemoryQueue) -> None:
    """What follows index by index waits for its own wave, what gathers for all of them; nothing is submitted twice."""
    plan = in_waves(chain)
    submit(chain, plan, queue.connect, Terms(begin=planned))
    assert told(queue) == [
        ("a.0", [0, 1], []),
        ("a.0", [2, 3], []),
        ("b.0", [0, 1], ["element:101"]),
        ("b.0", [2, 3], ["element:102"]),
        ("c.0", [0], ["whole:103", "whole:104"]),
    ]
    assert begun(queue) == [0, 1, 0, 1, 1]
    assert submit(chain, plan, queue.connect, Terms(begin=planned)).jobs == {}


def test_canaries_run_in_the_first_wave(chain: RunDirectory, queue: MemoryQueue) -> None:
    """Also where they are elements of a later one."""
    submit(chain, in_waves(chain), queue.connect, Terms(canaries=1, begin=planned))
    assert told(queue)[:3] == [("a.0", [0], []), ("a.0", [1], ["whole:101"]), ("a.0", [2, 3], ["whole:101"])]
    assert begun(queue)[:3] == [0, 0, 1]


def test_waves_that_do_not_fit_wait_for_room(chain: RunDirectory, queue: MemoryQueue) -> None:
    """The first ones are submitted, the others by whoever comes next."""
    plan = in_waves(chain)
    few = Terms(Limits(submitted_indices=2), begin=planned)
    assert submit(chain, plan, queue.connect, few).waiting == ["a.0", "b.0", "c.0"]
    assert told(queue) == [("a.0", [0, 1], [])]
    submit(chain, plan, queue.connect, Terms(begin=planned))
    assert told(queue, 1)[0] == ("a.0", [2, 3], [])


# --- canaries


@pytest.fixture
def twenty(tmp_path: Path, stage_for_queue: Callable[..., RunDirectory]) -> RunDirectory:
    """Return a run of twenty `a`, of twenty `b` index by index after them, and of one `c` after all of these."""
    workflow = ExperimentalWorkflow("twenty", tmp_path)
    workflow.add_task("a", command="echo {{ x }}")
    workflow.add_task("b", command="echo {{ x }}", depends_on=["a"])
    workflow.add_task("c", lambda b: {"n": len(b)}, depends_on=["b"], over="all")
    workflow.add_parameter_space({"x": list(range(20))})
    return stage_for_queue(workflow)


def test_canaries_run_ahead_and_the_rest_after_them(twenty: RunDirectory, queue: MemoryQueue) -> None:
    """They are far from each other; what waits for all of an array job waits for both, and a single one has none."""
    hand_over(twenty, queue, canaries=3)
    ahead, rest = [0, 10, 19], [index for index in range(20) if index not in (0, 10, 19)]
    assert told(queue) == [
        ("a.0", ahead, []),
        ("a.0", rest, ["whole:101"]),
        ("b.0", ahead, ["element:101"]),
        ("b.0", rest, ["element:102", "whole:103"]),
        ("c.0", [0], ["whole:103", "whole:104"]),
    ]
    assert hand_over(twenty, queue, canaries=3).jobs == {}


@pytest.mark.parametrize("canaries", [0, 10, 50])
def test_where_half_of_it_would_run_ahead_nothing_does(twenty: RunDirectory, queue: MemoryQueue, canaries: int) -> None:
    """There would be little left to hold back."""
    hand_over(twenty, queue, canaries)
    assert told(queue)[0] == ("a.0", list(range(20)), [])


def test_one_canary_is_the_first(twenty: RunDirectory, queue: MemoryQueue) -> None:
    """One cannot be far from itself."""
    hand_over(twenty, queue, canaries=1)
    assert told(queue)[0] == ("a.0", [0], [])


def test_the_rest_waits_for_canaries_that_were_submitted_before(twenty: RunDirectory, queue: MemoryQueue) -> None:
    """By a submitter that was killed, or where no more did fit."""
    queue.fatal = {"a.0"}
    with pytest.raises(KeyboardInterrupt):
        hand_over(twenty, queue, canaries=2)
    queue.fatal = set()
    hand_over(twenty, queue, canaries=2)
    assert told(queue)[:2] == [("a.0", [0, 19], []), ("a.0", list(range(1, 19)), ["whole:101"])]


def test_what_is_tried_again_has_no_canaries(twenty: RunDirectory, queue: MemoryQueue, leave: Leave) -> None:
    """It waits for none either: others of its kind have run."""
    hand_over(twenty, queue, canaries=2)
    leave(twenty, "a.0", "101", {0: "FAILED", 19: "COMPLETED"})
    leave(twenty, "a.0", "102", dict.fromkeys(range(1, 19), "FAILED"))
    again(twenty, "a.0", [*range(19)])
    hand_over(twenty, queue, canaries=2)
    assert told(queue, 5) == [("a.0", list(range(19)), [])]


def test_what_was_taken_over_needs_no_canaries(
    twenty: RunDirectory, queue: MemoryQueue, leave_record: LeaveRecord
) -> None:
    """Where some of it is completed it has been seen to work."""
    leave_record(twenty, "a.0", 7, 0)
    hand_over(twenty, queue, canaries=2)
    assert told(queue)[0] == ("a.0", [index for index in range(20) if index != 7], [])


# --- trying again


def test_what_is_due_is_submitted_under_its_variant_and_waits_for_what_is_due(
    chain: RunDirectory, queue: MemoryQueue, leave: Leave
) -> None:
    """Index by index for that of the same kind, as a whole for all that is not completed."""
    hand_over(chain, queue)
    leave(chain, "a.0", "101", {0: "COMPLETED", 1: "OUT_OF_MEMORY", 2: "FAILED", 3: "COMPLETED"})
    leave(chain, "b.0", "102", {0: "COMPLETED", 3: "FAILED"})
    again(chain, "a.0", [1], "r1", 2 * 1024**3)
    again(chain, "a.0", [2])
    again(chain, "b.0", [1, 2, 3])
    again(chain, "c.0", [0])
    handed = hand_over(chain, queue)
    assert told(queue, 3) == [
        ("a.0@r1", [1], []),
        ("a.0", [2], []),
        ("b.0", [1], ["element:104"]),
        ("b.0", [2], ["element:105"]),
        ("b.0", [3], []),
        ("c.0", [0], ["whole:106", "whole:107", "whole:108"]),
    ]
    assert handed.jobs["104"] == ("a.0", 1)
    assert queue.accepted["104"].array.resources.memory_bytes == 2 * 1024**3
    assert queue.accepted["104"].attempts == {1: 2}
    assert not observe(chain).submissions.has_due
    assert hand_over(chain, queue).jobs == {}


def test_what_is_due_is_pending_until_it_is_submitted(chain: RunDirectory, queue: MemoryQueue, leave: Leave) -> None:
    """Whatever its record says; who only follows the run sees that something is left to submit."""
    hand_over(chain, queue)
    leave(chain, "a.0", "101", dict.fromkeys(ALL, "FAILED"))
    again(chain, "a.0", [1])
    known = observe(chain).indices["a.0"]
    assert [one.state for one in known.values()] == [State.FAILED, State.PENDING, State.FAILED, State.FAILED]
    assert (known[1].reason, known[1].is_settled) == ("it is to be tried again, and has not been submitted yet", False)


def test_what_is_due_and_does_not_fit_waits(chain: RunDirectory, queue: MemoryQueue, leave: Leave) -> None:
    """With all that comes after it; later it goes on."""
    hand_over(chain, queue)
    for array, job in (("a.0", "101"), ("b.0", "102"), ("c.0", "103")):
        leave(chain, array, job, dict.fromkeys(range(read_plan(chain).array(array).count), "FAILED"))
        queue.end(job, State.FAILED)
    again(chain, "a.0", ALL)
    again(chain, "b.0", ALL)
    handed = hand_over(chain, queue, submitted_indices=3)
    assert (told(queue, 3), handed.waiting) == ([("a.0", [0, 1, 2], [])], ["a.0", "b.0"])
    handed = hand_over(chain, queue)
    assert told(queue, 4) == [
        ("a.0", [3], []),
        ("b.0", [0, 1, 2], ["element:104"]),
        ("b.0", [3], ["element:105"]),
    ]


def test_what_was_cancelled_before_it_was_tried_again_is_not(
    chain: RunDirectory, queue: MemoryQueue, leave: Leave
) -> None:
    """Nobody wants it any more."""
    hand_over(chain, queue)
    leave(chain, "a.0", "101", dict.fromkeys(ALL, "FAILED"))
    again(chain, "a.0", [1, 2])
    Journal(chain.journal).append([{"event": "cancel", "array": "a.0", "indices": "2"}])
    hand_over(chain, queue)
    assert told(queue, 3) == [("a.0", [1], [])]


def test_of_a_packed_element_only_some_are_tried_again(
    tmp_path: Path, stage_for_queue: Callable[..., RunDirectory], queue: MemoryQueue
) -> None:
    """The scheduler is given the element; the script knows which of them."""
    workflow = ExperimentalWorkflow("packed", tmp_path)
    workflow.add_task("a", command="echo {{ x }}")
    workflow.add_task("b", command="echo {{ x }}", depends_on=["a"])
    workflow.add_parameter_space({"x": list(range(7))})
    workflow.set_resource_requirements({task: {"combinations_per_index": 3} for task in ("a", "b")})
    run = stage_for_queue(workflow)
    hand_over(run, queue)
    again(run, "a.0", [4, 6], "r1", 1024**3)
    again(run, "b.0", [4, 6], "r1", 1024**3)
    [first, second] = unsubmitted(run, observe(run), queue, [])
    assert (first.array.name_on_node, first.elements, first.variant) == ("a.0@r1", (1, 2), "r1")
    hand_over(run, queue)
    assert told(queue, 2) == [("a.0@r1", [1, 2], []), ("b.0@r1", [1, 2], ["element:103"])]
    assert second.elements == (1, 2)
    found = observe(run).submissions
    assert [found.round_of("a.0", 1, index).last_job for index in (3, 4, 5)] == [  # type: ignore[union-attr]
        "101",
        "103",
        "101",
    ]
