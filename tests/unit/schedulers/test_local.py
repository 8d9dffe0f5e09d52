"""The local scheduler's own ways: its order, its shares, and what it does when a shim dies."""

import os
import signal
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from sciflow.engine import Engine
from sciflow.errors import SchedulerError
from sciflow.model.plan import ArrayJob
from sciflow.model.resources import GIB
from sciflow.model.state import State
from sciflow.model.workflow import ExperimentalWorkflow
from sciflow.run.track import read_plan
from sciflow.run.variants import renderer_of, write_variant
from sciflow.schedulers.base import Submission
from sciflow.schedulers.local import LocalScheduler
from sciflow.schedulers.machine import Machine
from sciflow.store.layout import RunDirectory
from sciflow.store.records import read_summary

Event = dict[str, Any]


@pytest.fixture
def scheduler_of(tmp_path: Path) -> Callable[..., LocalScheduler]:
    """Return a function that stages a workflow and submits all of it to a scheduler with one core and two GPUs."""

    def make(workflow: ExperimentalWorkflow, **more: Any) -> LocalScheduler:
        engine = Engine(runs=tmp_path / "runs")
        run = RunDirectory(engine.write_plan(engine.compile(workflow), tmp_path / "runs" / workflow.name / "1"))
        machine = Machine([min(os.sched_getaffinity(0))], GIB, ["gpu-a", "gpu-b"])
        scheduler = LocalScheduler(run, machine, **more)
        for array in read_plan(run).arrays:
            attempts = dict.fromkeys(range(array.count), 1)
            scheduler.submit(Submission(array, run.script(array.name), attempts))
        return scheduler

    return make


def workflow_of(function: Callable[..., Any], count: int) -> ExperimentalWorkflow:
    """Make a workflow of one task, `task`, over `x` from 0."""
    workflow = ExperimentalWorkflow("one")
    workflow.add_task("task", function)
    workflow.add_parameter_space({"x": list(range(count))})
    return workflow


def order_of_starts(scheduler: LocalScheduler) -> list[tuple[str, int]]:
    """Drive to the end, and give what was started in which order."""
    started: list[tuple[str, int]] = []

    def hear(event: Event) -> None:
        if event["event"] == "started":
            started.append((event["array"], event["index"]))

    scheduler.drive(hear)
    return started


def test_the_longest_start_first(scheduler_of: Callable[..., LocalScheduler]) -> None:
    """Where durations are known, the longest starts first; the others follow in order."""
    expected = {("task.0", 2): 9.0, ("task.0", 4): 100.0}
    started = order_of_starts(scheduler_of(workflow_of(lambda x: None, 5), expected=expected))
    assert [index for _, index in started] == [4, 2, 0, 1, 3]


def test_combinations_are_completed_one_after_another(
    scheduler_of: Callable[..., LocalScheduler], squares: ExperimentalWorkflow
) -> None:
    """A later task goes before an earlier one, so that the first results are there early."""
    squares.add_task("next", lambda square, x: None, depends_on=["square"])
    started = order_of_starts(scheduler_of(squares))
    assert started[:4] == [("square.0", 0), ("next.0", 0), ("square.0", 1), ("next.0", 1)]
    assert len(started) == 9


def test_an_index_is_told_its_share(scheduler_of: Callable[..., LocalScheduler]) -> None:
    """It runs on its cores, sees its GPUs and no other, and its libraries use as many threads as it has cores."""

    def task(x):
        import os

        names = ("CUDA_VISIBLE_DEVICES", "SCIFLOW_CPU_CORES")
        return {"cores": sorted(os.sched_getaffinity(0)), **{name: os.environ[name] for name in names}}

    workflow = workflow_of(task, 2)
    scheduler = scheduler_of(workflow)
    job = scheduler.jobs["task.0"]
    job.array = replace(job.array, resources=job.array.resources._replace(gpus=1))
    scheduler.drive(lambda _event: None)
    seen = []
    for one in scheduler.run.records("task.0"):
        summary = read_summary(one.path)
        assert summary is not None
        assert summary.arrays["cores"] == (1,)
        assert summary.metrics["SCIFLOW_CPU_CORES"] == "1"
        seen.append(summary.metrics["CUDA_VISIBLE_DEVICES"])
    assert set(seen) <= {"gpu-a", "gpu-b"}
    assert len(seen) == 2


def variant_of(run: RunDirectory, array: str, variant: str, memory: int = 0) -> ArrayJob:
    """Write a variant of an array job, and return it."""
    planned = read_plan(run).array(array)
    made = replace(planned, variant=variant, resources=planned.resources._replace(memory_bytes=memory))
    write_variant(run.path, made, renderer_of(run))
    return made


def test_variants_of_an_array_job_run_side_by_side(staged: RunDirectory) -> None:
    """Each by its script and under its request; what comes after waits for its own index, in whichever it runs."""
    plan, heard = read_plan(staged), list[Event]()
    scheduler = LocalScheduler(staged, Machine([min(os.sched_getaffinity(0))], GIB, []))
    grown = variant_of(staged, "square.0", "r1", GIB // 2)
    for array, attempts in (
        (plan.array("square.0"), {0: 1, 3: 4}),
        (grown, {1: 2, 2: 3}),
        (variant_of(staged, "total.0", "r7"), {0: 5}),
    ):
        scheduler.submit(Submission(array, staged.script(array.name_on_node), attempts))
    scheduler.drive(heard.append)
    ended = [(one["array"], one["index"], one["attempt"], one["state"]) for one in heard if one["event"] == "ended"]
    assert ended[-1] == ("total.0", 0, 5, "COMPLETED")
    assert sorted(ended[:-1]) == [("square.0", index, index + 1, "COMPLETED") for index in range(4)]
    assert {job: set(states) for job, states in scheduler.query(["square.0", "square.0@r1", "total.0@r7"]).items()} == {
        "square.0": {0, 3},
        "square.0@r1": {1, 2},
        "total.0@r7": {0},
    }
    variants = {}
    for one in staged.records("square.0"):
        summary = read_summary(one.path)
        assert summary is not None
        variants[one.index] = summary.facts.get("variant", "")
    assert variants == {0: "", 1: "r1", 2: "r1", 3: ""}
    assert not list((staged / "logs").rglob("*.err"))


def test_index_by_index_a_variant_is_waited_for(squares: ExperimentalWorkflow, tmp_path: Path) -> None:
    """What comes after may be a variant, too; what is not run now is not waited for."""
    squares.add_task("half", lambda square: {"h": square["y"] / 2}, depends_on=["square"])
    engine = Engine(runs=tmp_path / "runs")
    run = RunDirectory(engine.write_plan(engine.compile(squares), tmp_path / "runs" / "squares" / "1"))
    plan = read_plan(run)
    scheduler = LocalScheduler(run, Machine([min(os.sched_getaffinity(0))], GIB, []))
    for array, attempts in (
        (plan.array("square.0"), {0: 1}),
        (variant_of(run, "square.0", "r1", GIB), {1: 1}),
        (plan.array("half.0"), {1: 1}),
        (variant_of(run, "half.0", "r2", GIB), {0: 1, 2: 1}),
    ):
        scheduler.submit(Submission(array, run.script(array.name_on_node), attempts))
    assert {name: dict(job.waits) for name, job in scheduler.jobs.items() if job.waits} == {
        "half.0": {1: 1},
        "half.0@r2": {0: 1},
    }
    ended: dict[tuple[str, int], str] = {}
    order: list[tuple[str, int]] = []

    def hear(event: Event) -> None:
        place = event["array"], event["index"]
        if event["event"] == "started":
            order.append(place)
        else:
            ended[place] = event["state"]

    scheduler.drive(hear)
    assert ended == {
        **dict.fromkeys([("square.0", 0), ("square.0", 1), ("half.0", 0), ("half.0", 1)], "COMPLETED"),
        ("half.0", 2): "UPSTREAM_FAILED",
    }
    assert order.index(("square.0", 0)) < order.index(("half.0", 0))
    assert order.index(("square.0", 1)) < order.index(("half.0", 1))


def test_a_variant_that_asks_for_too_much_is_refused(staged: RunDirectory) -> None:
    """It is named; each variant is submitted once."""
    scheduler = LocalScheduler(staged, Machine([0], GIB, []))
    array = variant_of(staged, "square.0", "r1", 2 * GIB)
    with pytest.raises(SchedulerError, match=r"array `square\.0@r1` asks for .*2 GB"):
        scheduler.submit(Submission(array, staged.script(array.name_on_node), {0: 1}))
    scheduler.submit(Submission(read_plan(staged).array("square.0"), staged.script("square.0"), {0: 1}))
    array = variant_of(staged, "square.0", "r2", GIB)
    scheduler.submit(Submission(array, staged.script(array.name_on_node), {1: 1}))
    with pytest.raises(SchedulerError, match=r"`square\.0@r2` was submitted twice"):
        scheduler.submit(Submission(array, staged.script(array.name_on_node), {2: 1}))


def test_an_array_is_submitted_once(scheduler_of: Callable[..., LocalScheduler]) -> None:
    """The same array a second time is an error."""
    scheduler = scheduler_of(workflow_of(lambda x: None, 1))
    job = scheduler.jobs["task.0"]
    with pytest.raises(SchedulerError, match=r"`task\.0` was submitted twice"):
        scheduler.submit(Submission(job.array, job.script, {0: 1}))


def test_nothing_submitted_is_done_at_once(staged: RunDirectory) -> None:
    """With no job, or none of its indices, there is nothing to wait for."""
    LocalScheduler(staged).drive(lambda event: pytest.fail(str(event)))
    scheduler = LocalScheduler(staged)
    array = read_plan(staged).arrays[0]
    scheduler.submit(Submission(array, staged.script(array.name), {}))
    scheduler.drive(lambda event: pytest.fail(str(event)))


def test_a_shim_that_cannot_start_is_an_error_with_its_words(scheduler_of: Callable[..., LocalScheduler]) -> None:
    """Where no index of an array can run, the shim's own complaint is shown, and how to see it again."""
    scheduler = scheduler_of(workflow_of(lambda x: None, 3))
    script = scheduler.run.script("task.0")
    script.write_text("echo 'module: command not found' >&2; exit 127\n")
    with pytest.raises(SchedulerError, match="ended with code 127: module: command not found") as caught:
        scheduler.drive(lambda _event: None)
    assert caught.value.hint == f"try it by hand: bash {script} 0"
    assert scheduler.query(["task.0"])["task.0"][0] is State.NODE_FAIL


def test_a_shim_that_is_killed_loses_its_index_only(scheduler_of: Callable[..., LocalScheduler]) -> None:
    """Another shim goes on with the indices that are left; after too many deaths that is an error."""

    def task(x):
        import os
        import signal
        from pathlib import Path

        if x == 1:
            supervisor = os.getppid()
            status = Path(f"/proc/{supervisor}/status").read_text()
            parent = int(status.split("PPid:")[1].split()[0])
            os.kill(parent, signal.SIGKILL)
            signal.pause()

    scheduler = scheduler_of(workflow_of(task, 4))
    heard: list[Event] = []
    scheduler.drive(heard.append)
    done = State.COMPLETED
    assert scheduler.query(["task.0"])["task.0"] == {0: done, 1: State.NODE_FAIL, 2: done, 3: done}
    [lost] = [event for event in heard if event.get("state") == "NODE_FAIL"]
    assert (lost["array"], lost["index"], lost["attempt"]) == ("task.0", 1, 1)
    assert "was killed (code -9)" in lost["error"]


def test_a_shim_that_dies_again_and_again_is_an_error(scheduler_of: Callable[..., LocalScheduler]) -> None:
    """A shim that never lives long is not started for ever."""
    scheduler = scheduler_of(workflow_of(lambda x: None, 20))
    scheduler.run.script("task.0").write_text('read -r line; echo \'{"event": "started", "index": 0}\'; exit 9\n')
    with pytest.raises(SchedulerError, match="ended with code 9"):
        scheduler.drive(lambda _event: None)
    lost = [one for one in scheduler.query(["task.0"])["task.0"].values() if one is State.NODE_FAIL]
    assert len(lost) == 4


@pytest.mark.parametrize("stop", [KeyboardInterrupt, OSError])
def test_programs_are_stopped_in_order(
    scheduler_of: Callable[..., LocalScheduler], stop: type[BaseException], tmp_path: Path
) -> None:
    """Whatever ends the driver, what runs is stopped, recorded and heard; what waits is left as it is."""

    def task(x):
        import signal

        signal.pause()

    scheduler = scheduler_of(workflow_of(task, 3))
    heard: list[Event] = []

    def hear(event: Event) -> None:
        heard.append(event)
        if event["event"] == "started":
            raise stop

    with pytest.raises(stop):
        scheduler.drive(hear)
    assert [(one["event"], one["index"], one.get("state")) for one in heard] == [
        ("started", 0, None),
        ("ended", 0, "CANCELLED"),
    ]
    assert heard[1]["error"] == "the run was stopped"
    assert scheduler.query(["task.0"])["task.0"] == {0: State.CANCELLED, 1: State.PENDING, 2: State.PENDING}
    assert scheduler.jobs["task.0"].server is None


def test_nothing_is_left_running(scheduler_of: Callable[..., LocalScheduler], tmp_path: Path) -> None:
    """When the driver has stopped, neither programs nor what they started are left, not even those that ignore it."""
    where = str(tmp_path / "pids")

    def task(x):
        import os
        import signal
        import subprocess
        from pathlib import Path

        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        child = subprocess.Popen(["sleep", "1000"])
        Path(where).write_text(f"{os.getpid()} {child.pid} {os.getppid()}")
        Path(where).rename(where + ".whole")
        signal.pause()

    scheduler = scheduler_of(workflow_of(task, 1))

    def hear(event: Event) -> None:
        while not Path(where + ".whole").exists():
            pass
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        scheduler.drive(hear)
    for pid in map(int, Path(where + ".whole").read_text().split()):
        with pytest.raises(ProcessLookupError):
            os.kill(pid, signal.SIG_DFL)


def test_a_job_that_is_not_known_cannot_be_cancelled(staged: RunDirectory) -> None:
    """Its name is told."""
    with pytest.raises(SchedulerError, match=r"there is no job `other.0`"):
        LocalScheduler(staged).cancel("other.0")
