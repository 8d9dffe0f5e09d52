"""Runs whose array indices hold several combinations each: submitted, tracked, cancelled, collected, taken over."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from sciflow.errors import RunError
from sciflow.model.state import State
from sciflow.model.statement import Statement
from sciflow.model.workflow import ExperimentalWorkflow
from sciflow.run.cancel import cancel
from sciflow.run.collect import collect
from sciflow.run.follow import track
from sciflow.run.inspect import execute, locate, read_log
from sciflow.run.judge import PATIENCE
from sciflow.run.reuse import take_over
from sciflow.run.soundness import with_broken_seals
from sciflow.run.submit import submit
from sciflow.run.terms import Terms
from sciflow.run.track import observe, read_plan
from sciflow.schedulers.base import After
from sciflow.store.journal import Journal
from sciflow.store.layout import RunDirectory
from sciflow_shim.record import write_record
from sciflow_shim.record_reader import as_group, read_record
from sciflow_shim.record_shelf import MEMBERS
from unit.memory_queue import MemoryQueue

NOW = 2_000_000_000.0
StageForQueue = Callable[..., RunDirectory]


@pytest.fixture
def workflow(tmp_path: Path) -> ExperimentalWorkflow:
    """Return a workflow of two tasks with seven combinations, three of them in each array index."""
    workflow = ExperimentalWorkflow("packed", tmp_path)
    extract = {"y": {"stdout": r"y=(\d+)", "type": "int"}}
    workflow.add_task(
        "a", command=f"echo y={{{{ x }}}}; test {{{{ x }}}} -ne 4 || test -e {tmp_path}/ok", extract=extract
    )
    workflow.add_task("b", command="echo {{ x }}", depends_on=["a"])
    workflow.add_parameter_space({"x": list(range(7))})
    workflow.set_resource_requirements({task: {"combinations_per_index": 3} for task in ("a", "b")})
    return workflow


@pytest.fixture
def run(workflow: ExperimentalWorkflow, stage_for_queue: StageForQueue) -> RunDirectory:
    """Return its run, of which nothing has been done."""
    return stage_for_queue(workflow)


def run_script(run: RunDirectory, array: str, *elements: int) -> None:
    """Run some of the scheduler's indices as a job script does."""
    for element in elements:
        subprocess.run(["bash", str(run.script(array)), str(element)], check=False, stderr=subprocess.DEVNULL)


def states(run: RunDirectory, array: str = "a.0") -> list[State]:
    """Return the state of each index."""
    return [one.state for one in observe(run).indices[array].values()]


def test_the_scheduler_sees_few_indices(run: RunDirectory, queue: MemoryQueue) -> None:
    """Seven combinations are three indices, in the journal as well; the second task follows index by index."""
    handed = submit(run, read_plan(run), queue.connect, Terms())
    assert handed.jobs == {"101": ("a.0", 3), "102": ("b.0", 3)}
    assert [sorted(one.attempts) for one in queue.accepted.values()] == [[0, 1, 2], [0, 1, 2]]
    assert queue.accepted["102"].after == (After("101", "element"),)
    intents = [event["indices"] for event in Journal(run.journal).events() if event["event"] == "intent"]
    assert intents == ["0-2", "0-2"]


def test_limits_count_the_indices_that_the_scheduler_sees(
    workflow: ExperimentalWorkflow, stage_for_queue: StageForQueue, queue: MemoryQueue
) -> None:
    """Two indices at once are six combinations."""
    run = stage_for_queue(workflow, submitted_indices=2)
    assert [(array.name, array.count, array.elements) for array in read_plan(run).arrays][:2] == [
        ("a.0", 6, 2),
        ("a.1", 1, 1),
    ]


def test_what_waits_is_pending_and_what_runs_runs(run: RunDirectory, queue: MemoryQueue) -> None:
    """What the scheduler says of an index is true of all that are in it."""
    submit(run, read_plan(run), queue.connect, Terms())
    queue.states["101"][1] = Statement(State.RUNNING, "RUNNING", "", NOW, None, "n1")
    status = track(run, read_plan(run), queue, lambda: NOW)
    assert [one.state for one in status.indices["a.0"].values()] == [
        *[State.PENDING] * 3,
        *[State.RUNNING] * 3,
        State.PENDING,
    ]
    assert queue.questions[0][1] == {"101": {0, 1, 2}, "102": {0, 1, 2}}


def test_each_has_the_state_that_its_record_tells(run: RunDirectory) -> None:
    """One that failed is one of seven, and only that which needs it is held back."""
    run_script(run, "a.0", 0, 1, 2)
    assert states(run) == [*[State.COMPLETED] * 4, State.FAILED, State.COMPLETED, State.COMPLETED]
    run_script(run, "b.0", 1)
    assert states(run, "b.0")[3:6] == [State.COMPLETED, State.UPSTREAM_FAILED, State.COMPLETED]
    assert observe(run).indices["b.0"][4].error == "a.0[4] is FAILED"


def test_a_later_attempt_counts_for_those_that_are_in_it(run: RunDirectory, tmp_path: Path) -> None:
    """The others stay as an earlier one left them."""
    run_script(run, "a.0", 1)
    (tmp_path / "ok").touch()
    run_script(run, "a.0", 1)
    known = observe(run).indices["a.0"]
    assert [(known[i].state, known[i].attempt) for i in (3, 4, 5)] == [
        (State.COMPLETED, 1),
        (State.COMPLETED, 2),
        (State.COMPLETED, 1),
    ]
    table = collect(run)
    assert table.combinations["y"][3:6] == [3, 4, 5]
    assert table.facts["completeness"]["sealed"] == 3


def test_a_torn_record_tells_of_nothing(run: RunDirectory, tmp_path: Path) -> None:
    """What another attempt tells stays; the rest is to be run again."""
    run_script(run, "a.0", 1)
    (tmp_path / "ok").touch()
    run_script(run, "a.0", 1)
    path = run.record("a.0", 1, 2)
    path.write_bytes(path.read_bytes()[:-1])
    known = observe(run).indices["a.0"]
    assert [known[i].state for i in (3, 4, 5)] == [State.COMPLETED, State.FAILED, State.COMPLETED]
    first = run.record("a.0", 1, 1)
    first.write_bytes(first.read_bytes()[:-1])
    known = observe(run).indices["a.0"]
    assert [(known[i].state, known[i].damage) for i in (3, 4, 5)] == [(State.PENDING, "torn")] * 3


def test_a_broken_seal_is_that_of_all_in_the_record(run: RunDirectory) -> None:
    """A byte that has changed is found, wherever it is."""
    run_script(run, "a.0", 0)
    path = run.record("a.0", 0, 1)
    data = bytearray(path.read_bytes())
    data[data.index(bytes(64)) + 32] ^= 1  # where nothing is, so that all can still be read
    assert with_broken_seals(observe(run)) == []
    path.write_bytes(data)
    assert with_broken_seals(observe(run)) == [("a.0", 0), ("a.0", 1), ("a.0", 2)]
    table = collect(run)
    assert "y" not in table.combinations
    assert table.facts["completeness"]["torn"] == 3


def test_what_did_not_begin_when_the_job_ended_has_the_schedulers_word(run: RunDirectory, queue: MemoryQueue) -> None:
    """It has no record of its own, and is not completed, whatever the index it was in is."""
    submit(run, read_plan(run), queue.connect, Terms())
    for index in (0, 1, 2):
        queue.states["101"][index] = Statement(State.TIMEOUT, "TIMEOUT", "", NOW, NOW)
    track(run, read_plan(run), queue, lambda: NOW)
    status = track(run, read_plan(run), queue, lambda: NOW + PATIENCE)
    assert {one.state for one in status.indices["a.0"].values()} == {State.TIMEOUT}


def test_only_what_is_left_is_submitted_again(run: RunDirectory, queue: MemoryQueue) -> None:
    """An index of which all is completed is not; it is not waited for either."""
    run_script(run, "a.0", 0, 1)
    submit(run, read_plan(run), queue.connect, Terms())
    assert sorted(queue.accepted["101"].attempts.items()) == [(1, 2), (2, 1)]
    after = {tuple(sorted(one.attempts)): one.after for one in queue.accepted.values() if one.array.name == "b.0"}
    assert after == {(0,): (), (1, 2): (After("101", "element"),)}


def test_a_part_of_an_index_cannot_be_cancelled(run: RunDirectory, queue: MemoryQueue) -> None:
    """It is said which others run with it, and nothing is cancelled."""
    submit(run, read_plan(run), queue.connect, Terms())
    with pytest.raises(RunError, match=r"a.0\[3\] runs in one array index with others") as caught:
        cancel(run, read_plan(run), queue.connect, {"a.0": {4}})
    assert caught.value.hint == "cancel them together: a.0[3-5]"
    assert queue.cancelled == []
    assert cancel(run, read_plan(run), queue.connect, {"a.0": {3, 4, 5}}) == {"a.0": [3, 4, 5]}
    assert queue.cancelled == [("101", [1])]


def test_each_has_its_log(run: RunDirectory) -> None:
    """It is cut out of that of its array index."""
    run_script(run, "a.0", 1)
    assert [read_log(run, "a.0", index, None).text for index in (3, 4, 5)] == ["y=3\n", "y=4\n", "y=5\n"]
    with pytest.raises(RunError, match=r"a.0\[0\] is PENDING and was started 0 times so far"):
        read_log(run, "a.0", 0, None)
    live = run / "logs/a.0/0.1.2.part"
    live.write_text("so far\n")
    assert read_log(run, "a.0", 2, None).text == "so far\n"


def test_an_earlier_attempt_has_its_own_log_and_end(run: RunDirectory, tmp_path: Path) -> None:
    """What became of the last one is not told of another, and one that never was is an error."""
    run_script(run, "a.0", 1)
    (tmp_path / "ok").touch()
    run_script(run, "a.0", 1)
    first, last = read_log(run, "a.0", 4, 1), read_log(run, "a.0", 4, None)
    assert (first.attempt, first.state, first.text) == (1, State.FAILED, "y=4\n")
    assert "exit code 1" in first.error
    assert (last.attempt, last.state, last.error) == (2, State.COMPLETED, "")
    for index, attempt in ((4, 7), (3, 2)):
        with pytest.raises(RunError, match=r"is COMPLETED and was started"):
            read_log(run, "a.0", index, attempt)


def test_an_earlier_attempt_that_was_killed_says_so(run: RunDirectory, tmp_path: Path) -> None:
    """With what it had printed; how it would have ended nobody knows."""
    run_script(run, "a.0", 1)
    path = run.record("a.0", 1, 1)
    group = as_group(read_record(path))
    group.members[MEMBERS].members["4"].attributes["state"] = "RUNNING"
    write_record(path, group)
    (tmp_path / "ok").touch()
    run_script(run, "a.0", 1)
    log = read_log(run, "a.0", 4, 1)
    assert (log.state, log.text) == (State.UNKNOWN, "y=4\n")
    assert log.error.startswith("it was killed")


def test_an_index_is_run_by_hand_with_those_that_are_in_it(run: RunDirectory) -> None:
    """`exec` runs what is not completed of them."""
    assert execute(run, *locate(run, "a[5]")) is State.COMPLETED
    assert states(run)[3:6] == [State.COMPLETED, State.FAILED, State.COMPLETED]


def test_a_later_run_takes_over_what_has_completed(
    run: RunDirectory, workflow: ExperimentalWorkflow, stage_for_queue: StageForQueue
) -> None:
    """Each as a record of its own, packed or not in the new run; and what it tells is the same."""
    run_script(run, "a.0", 0, 1, 2)
    first = RunDirectory(run.path.rename(run.path.with_name("20310514-110000-aa")))
    for pack in (2, None):
        workflow.resources.clear()
        workflow.set_resource_requirements({task: {"combinations_per_index": pack} for task in ("a", "b") if pack})
        second = stage_for_queue(workflow)
        assert take_over(second, read_plan(second)) == (6 if pack else 12)
        assert states(second) == [*[State.COMPLETED] * 4, State.PENDING, State.COMPLETED, State.COMPLETED]
        assert collect(second).combinations["y"] == [0, 1, 2, 3, None, 5, 6]
        run_script(second, "b.0", *range(4 if pack else 7))
        assert states(second, "b.0").count(State.COMPLETED) == 6
        again = RunDirectory(second.path.rename(second.path.with_name(f"20310514-{pack}")))
        assert states(again, "b.0")[4] is State.UPSTREAM_FAILED
    assert first.path.is_dir()


def test_what_was_taken_over_is_not_run_again(
    run: RunDirectory, workflow: ExperimentalWorkflow, stage_for_queue: StageForQueue, tmp_path: Path
) -> None:
    """The others of its array index are, by themselves."""
    run_script(run, "a.0", 1)
    run.path.rename(run.path.with_name("20310514-110000-aa"))
    second = stage_for_queue(workflow)
    assert take_over(second, read_plan(second)) == 2
    (tmp_path / "ok").touch()
    run_script(second, "a.0", 1)
    known = observe(second).indices["a.0"]
    assert [(known[i].state, known[i].attempt) for i in (3, 4, 5)] == [
        (State.COMPLETED, 0),
        (State.COMPLETED, 1),
        (State.COMPLETED, 0),
    ]
