"""Runs of which tasks are fused: submitted, judged, tried again, cancelled, collected."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from sciflow.errors import RunError, SchedulerError
from sciflow.model.state import State
from sciflow.model.statement import Statement
from sciflow.model.workflow import ExperimentalWorkflow
from sciflow.run.cancel import cancel
from sciflow.run.collect import collect
from sciflow.run.decide import Action
from sciflow.run.inspect import execute, read_log
from sciflow.run.submit import submit
from sciflow.run.terms import Terms
from sciflow.run.track import observe, read_plan
from sciflow.store.layout import RunDirectory
from sciflow_shim import files
from unit.memory_queue import MemoryQueue
from unit.queued_run import AGO, QueuedRun

StageForQueue = Callable[..., RunDirectory]
ALL = [0, 1, 2, 3]
COMPLETED, FAILED, PENDING, RUNNING = State.COMPLETED, State.FAILED, State.PENDING, State.RUNNING


@pytest.fixture
def workflow(tmp_path: Path) -> ExperimentalWorkflow:
    """Return a workflow of four `a`, `b` and `c` that are fused, of four `d` after these, and of one `e` after all."""
    made = ExperimentalWorkflow("fused", tmp_path)
    request = {"memory_gb": 1, "max_runtime": "1 h"}
    made.add_task("a", command="echo {{ x }}", resources=request)
    made.add_task("b", command="echo {{ x }}", depends_on=["a"], fuse=True, resources={**request, "memory_gb": 2})
    made.add_task("c", command="echo {{ x }}", depends_on=["b"], fuse=True, resources=request)
    made.add_task("d", command="echo {{ x }}", depends_on=["c"])
    made.add_task("e", lambda a: {"n": len(a)}, depends_on=["a"], over="all")
    made.add_parameter_space({"x": ALL})
    return made


@pytest.fixture
def run(workflow: ExperimentalWorkflow, stage_for_queue: StageForQueue) -> RunDirectory:
    """Return its run, of which nothing has been done."""
    return stage_for_queue(workflow)


@pytest.fixture
def queued(
    run: RunDirectory, queue: MemoryQueue, leave_record: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> QueuedRun:
    """Return that run, handed over: `a.0` with all that is fused with it is job 101, `e.0` 102, and `d.0` 103."""
    made = QueuedRun(run, queue, leave_record, monkeypatch)
    made.submit()
    return made


def told(queued: QueuedRun, index: int) -> list[State]:
    """Return what is known of an index of `a`, `b` and `c`."""
    status = queued.status()
    return [status.indices[f"{task}.0"][index].state for task in "abc"]


def leave(queued: QueuedRun, index: int, *states: State, job: str = "101", attempt: int = 1) -> None:
    """Leave records of `a`, `b` and `c`, as far as states are given."""
    for task, state in zip("abc", states, strict=False):
        queued.leave(job, f"{task}.0", index, attempt, state, "ValueError: no" if state is FAILED else "", AGO)


def test_a_chain_is_one_submission(queued: QueuedRun) -> None:
    """Under the request of all together; what waits for it waits for its job."""
    assert queued.queue.told() == [
        ("a.0", ALL, []),
        ("e.0", [0], ["whole:101"]),
        ("d.0", ALL, ["element:101"]),
    ]
    submission = queued.queue.accepted["101"]
    assert submission.script.name == "a.0@fused.sh"
    assert submission.array.resources.runtime_seconds == 3 * 3600
    intent = queued.events("intent")[0]
    assert (intent["variant"], intent["riders"]) == ("fused", ["b.0", "c.0"])
    queued.submit()
    assert len(queued.queue.accepted) == 3


def test_a_submission_that_was_cut_off_is_found(run: RunDirectory, queue: MemoryQueue) -> None:
    """By its name, and nothing that is fused is submitted besides."""
    queue.fatal.add("a.0")
    with pytest.raises(KeyboardInterrupt):
        submit(run, read_plan(run), queue.connect, Terms())
    queue.fatal.clear()
    submit(run, read_plan(run), queue.connect, Terms())
    assert [name for name, *_ in queue.told()] == ["a.0", "e.0", "d.0"]


def test_a_submission_that_was_refused_is_made_again(run: RunDirectory, queue: MemoryQueue) -> None:
    """As the same, once it is taken; nothing of the chain is handed over by itself meanwhile."""
    queue.refusals["a.0"] = SchedulerError("no such account")
    handed = submit(run, read_plan(run), queue.connect, Terms())
    assert (queue.told(), len(handed.refused)) == ([], 1)
    queue.refusals.clear()
    submit(run, read_plan(run), queue.connect, Terms())
    assert [name for name, *_ in queue.told()] == ["a.0", "e.0", "d.0"]
    assert queue.accepted["101"].array.carries == ("b.0", "c.0")


def test_what_does_not_fit_waits_with_all_that_is_fused(
    workflow: ExperimentalWorkflow, stage_for_queue: StageForQueue, queue: MemoryQueue
) -> None:
    """A part of a chain is never submitted by itself."""
    run = stage_for_queue(workflow, submitted_indices=10)
    queue.capacity = 6
    submit(run, read_plan(run), queue.connect, Terms())
    queue.capacity = None
    submit(run, read_plan(run), queue.connect, Terms())
    assert sorted({name for name, *_ in queue.told()}) == ["a.0", "d.0", "e.0"]


def test_as_long_as_the_job_waits_all_do(queued: QueuedRun) -> None:
    """For the scheduler's reason."""
    assert told(queued, 0) == [PENDING] * 3
    assert {queued.status().indices[f"{task}.0"][0].reason for task in "abc"} == {
        "waits for free cores, memory or GPUs"
    }


def test_when_the_job_runs_each_has_its_turn(queued: QueuedRun) -> None:
    """The first runs; the others are told after whom they come."""
    queued.queue.states["101"][1] = Statement(RUNNING, "RUNNING", "", 100.0, None, "n1")
    assert told(queued, 1) == [RUNNING, PENDING, PENDING]
    known = queued.status().indices["b.0"][1]
    assert known.reason == "its turn comes after a.0, which runs in the same array index"
    leave(queued, 1, COMPLETED)
    assert told(queued, 1) == [COMPLETED, RUNNING, PENDING]
    assert not queued.status().is_finished


@pytest.mark.parametrize("end", [State.TIMEOUT, State.OUT_OF_MEMORY, State.NODE_FAIL, FAILED])
def test_the_end_of_the_job_is_that_of_the_one_that_ran(end: State, queued: QueuedRun) -> None:
    """What came before is completed, and what comes after never starts."""
    queued.queue.end("101", end)
    leave(queued, 0)
    leave(queued, 1, COMPLETED)
    leave(queued, 2, COMPLETED, RUNNING)
    leave(queued, 3, COMPLETED, COMPLETED, RUNNING)
    upstream = State.UPSTREAM_FAILED
    assert [told(queued, index) for index in ALL] == [
        [end, upstream, upstream],
        [COMPLETED, end, upstream],
        [COMPLETED, end, upstream],
        [COMPLETED, COMPLETED, end],
    ]
    status = queued.status()
    assert status.indices["c.0"][1].error == f"b.0[1] is {end}"
    assert all(one.is_settled for task in "abc" for one in status.indices[f"{task}.0"].values())


def test_the_schedulers_word_counts_for_the_one_that_was_killed(queued: QueuedRun) -> None:
    """Not for one that failed by itself, where another may have lost a process for its memory."""
    queued.queue.end("101", State.OUT_OF_MEMORY)
    leave(queued, 0, FAILED)
    leave(queued, 1, COMPLETED, FAILED)
    assert told(queued, 0)[0] is State.OUT_OF_MEMORY
    assert told(queued, 1)[:2] == [COMPLETED, FAILED]


def test_nobody_need_be_asked(queued: QueuedRun) -> None:
    """Records tell what cannot start any more, when no scheduler answers."""
    queued.queue.errors.update(dict.fromkeys(("controller", "accounting"), "off"))
    leave(queued, 0, FAILED)
    assert told(queued, 0) == [FAILED, State.UPSTREAM_FAILED, State.UPSTREAM_FAILED]


def test_what_failed_is_tried_again_alone(queued: QueuedRun) -> None:
    """What was completed before it is not repeated; what comes after it follows, each in jobs of its own."""
    queued.queue.end("101", COMPLETED)
    queued.queue.end("101", FAILED, [0, 1])
    for index in (2, 3):
        leave(queued, index, COMPLETED, COMPLETED, COMPLETED)
    leave(queued, 0, FAILED)
    leave(queued, 1, COMPLETED, FAILED)
    queued.queue.end("103", FAILED, [0, 1])
    for index in (0, 1):
        queued.leave("103", "d.0", index, 1, State.UPSTREAM_FAILED, "", AGO)
    done = queued.recover()
    assert {one.place: one.action for one in done.decisions if one.action.is_retry} == {
        ("a.0", 0): Action.AGAIN,
        ("b.0", 1): Action.AGAIN,
        **dict.fromkeys([("b.0", 0), ("c.0", 0), ("c.0", 1), ("d.0", 0), ("d.0", 1)], Action.WITH_UPSTREAM),
    }
    assert queued.queue.told()[3:6] == [("a.0", [0], []), ("b.0", [0], ["element:104"]), ("b.0", [1], [])]
    again = [one.script.name for job, one in queued.queue.accepted.items() if int(job) > 103]
    assert set(again) == {"a.0.sh", "b.0.sh", "c.0.sh", "d.0.sh"}
    assert queued.queue.accepted["104"].array.resources.runtime_seconds == 3600


def test_more_memory_is_for_the_one_that_used_it_up(queued: QueuedRun) -> None:
    """Under its own request, and not that of the job."""
    queued.queue.end("101", State.OUT_OF_MEMORY, [0])
    leave(queued, 0, COMPLETED, RUNNING)
    queued.queue.end("101", COMPLETED, [1, 2, 3])
    for index in (1, 2, 3):
        leave(queued, index, COMPLETED, COMPLETED, COMPLETED)
    done = queued.recover()
    more = [(one.place, one.why) for one in done.decisions if one.action is Action.MORE_MEMORY]
    assert more == [(("b.0", 0), "2 GB → 3 GB")]
    assert queued.variant("b.0@r1")["request"]["memory_bytes"] == 3 << 30


def test_nothing_is_tried_again_while_its_job_goes_on(queued: QueuedRun) -> None:
    """A record may be torn while what comes after it still runs."""
    queued.queue.states["101"][0] = Statement(RUNNING, "RUNNING", "", 100.0, None, "n1")
    queued.queue.end("101", COMPLETED, [1, 2, 3])
    for index in (1, 2, 3):
        leave(queued, index, COMPLETED, COMPLETED, COMPLETED)
    leave(queued, 0, COMPLETED, FAILED)
    assert not [one for one in queued.recover().decisions if one.action.is_retry]


def test_what_was_completed_takes_nobody_along(run: RunDirectory, queue: MemoryQueue) -> None:
    """Where it was run by hand, or taken over from another run, what comes after it runs alone."""
    subprocess.run(["bash", str(run.script("a.0")), "2"], check=True)
    submit(run, read_plan(run), queue.connect, Terms())
    told = {name: (indices, after) for name, indices, after in queue.told() if name in ("a.0", "b.0", "c.0")}
    b = next(job for job, one in queue.accepted.items() if one.array.name == "b.0")
    assert told == {"a.0": ([0, 1, 3], []), "b.0": ([2], []), "c.0": ([2], [f"element:{b}"])}


def test_a_part_of_a_job_cannot_be_cancelled(queued: QueuedRun) -> None:
    """What is cancelled takes along what comes after it; what comes before has to be over."""
    with pytest.raises(RunError, match=r"b.0\[1\] runs after a.0\[1\] in the same array index") as caught:
        cancel(queued.run, queued.plan, queued.queue.connect, {"b.0": {1}})
    assert caught.value.hint == "cancel them together: --only 'a.0[1]'"
    assert queued.queue.cancelled == []
    done = cancel(queued.run, queued.plan, queued.queue.connect, {"a.0": {1}})
    assert done == {"a.0": [1], "b.0": [1], "c.0": [1]}
    assert queued.queue.cancelled == [("101", [1])]
    queued.queue.end("101", State.CANCELLED, [1])
    assert told(queued, 1) == [State.CANCELLED] * 3


def test_one_whose_turn_has_come_is_cancelled(queued: QueuedRun) -> None:
    """What is over stays as it is."""
    leave(queued, 1, COMPLETED)
    done = cancel(queued.run, queued.plan, queued.queue.connect, {"b.0": {1}})
    assert done == {"b.0": [1], "c.0": [1]}
    assert queued.queue.cancelled == [("101", [1])]


def test_what_was_cancelled_before_is_never_submitted(run: RunDirectory, queue: MemoryQueue) -> None:
    """None of the chain."""
    cancel(run, read_plan(run), queue.connect, {"a.0": {0}})
    submit(run, read_plan(run), queue.connect, Terms())
    assert queue.told()[0] == ("a.0", [1, 2, 3], [])
    assert [observe(run).indices[f"{task}.0"][0].state for task in "abc"] == [State.CANCELLED] * 3


def test_each_has_its_log(queued: QueuedRun) -> None:
    """What the job printed around them is shown with each."""
    for task in ("a", "b"):
        path = queued.run.log(f"{task}.0", 0, 1)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"this is {task}\n")
    queued.run.job_log("a.0", 0, "101").write_text("slurmstepd: error\n")
    leave(queued, 0, COMPLETED, FAILED)
    for task in ("a", "b"):
        log = read_log(queued.run, f"{task}.0", 0, None)
        assert (log.text, log.job_text) == (f"this is {task}\n", "slurmstepd: error\n")


def test_by_hand_only_one_of_them_is_run(run: RunDirectory) -> None:
    """And all of them by the script of the job; the results are those of each."""
    assert execute(run, "a.0", 1) is COMPLETED
    assert observe(run).indices["b.0"][1].state is PENDING
    fused = run.script(files.variant_name("a.0", files.FUSED))
    for index in ALL:
        subprocess.run(["bash", str(fused), str(index)], check=True)
    assert [one.state for task in "abc" for one in observe(run).indices[f"{task}.0"].values()] == [COMPLETED] * 12
    assert collect(run).facts["completeness"]["sealed"] == 12
