"""A run for a queue, and a queue that is nothing but memory."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sciflow.engine import Engine
from sciflow.model.state import State
from sciflow.model.workflow import ExperimentalWorkflow
from sciflow.run.autonomy import begin_tending
from sciflow.store.layout import RunDirectory
from sciflow_shim import files
from sciflow_shim.array import Array
from unit.memory_queue import MemoryQueue
from unit.queued_run import QueuedRun


@pytest.fixture
def queue() -> MemoryQueue:
    """Return an empty queue."""
    return MemoryQueue()


@pytest.fixture
def stage_for_queue(tmp_path: Path) -> Callable[..., RunDirectory]:
    """Return a function that stages a workflow for Slurm: (workflow, what else the profile says, **limits)."""

    def stage(workflow: ExperimentalWorkflow, said: str = "", **limits: Any) -> RunDirectory:
        profile = tmp_path / "site.yaml"
        lines = [f"{name}: {value}" for name, value in limits.items()]
        profile.write_text(f"name: site\nscheduler: slurm\nlimits: {{{', '.join(lines)}}}\n{said}")
        engine = Engine(str(profile), tmp_path / "runs")
        folder = tmp_path / "runs" / workflow.name / "20310514-120000-aa"
        return RunDirectory(engine.write_plan(engine.compile(workflow), folder))

    return stage


@pytest.fixture
def chain(tmp_path: Path, stage_for_queue: Callable[..., RunDirectory]) -> RunDirectory:
    """Return a run of four `a`, of four `b` index by index after them, and of one `c` after all of these."""
    workflow = ExperimentalWorkflow("chain", tmp_path)
    workflow.add_task("a", command="echo {{ x }}")
    workflow.add_task("b", command="echo {{ x }}", depends_on=["a"])
    workflow.add_task("c", lambda b: {"n": len(b)}, depends_on=["b"], over="all")
    workflow.add_parameter_space({"x": [1, 2, 3, 4]})
    return stage_for_queue(workflow)


@pytest.fixture
def relax(tmp_path: Path, stage_for_queue: Callable[..., RunDirectory]) -> RunDirectory:
    """Return a run of four `relax`, each a chain of three links, of four `see` after them, and of one `all`."""
    workflow = ExperimentalWorkflow("long", tmp_path)
    workflow.add_task(
        "relax", command="echo {{ x }}", checkpoints=True, resources={"max_runtime_hours": 30, "memory_gb": 1}
    )
    workflow.add_task("see", command="echo {{ x }}", depends_on=["relax"])
    workflow.add_task("all", lambda relax: {"n": len(relax)}, depends_on=["relax"], over="all")
    workflow.add_parameter_space({"x": [1, 2, 3, 4]})
    return stage_for_queue(workflow, "partitions: {short: {max_runtime: 12 h, default: true}}\n")


@pytest.fixture
def leave(leave_record: Callable[..., Path], monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Return a function that leaves records of a job: (run, array, job, index → state, attempt, has_checkpoint)."""

    def make(
        run: RunDirectory,
        array: str,
        job: str,
        states: dict[int, str],
        attempt: int = 1,
        has_checkpoint: bool = False,
    ) -> None:
        monkeypatch.setenv("SLURM_ARRAY_JOB_ID", job)
        known = Array(str(run.path), array)
        for index, state in states.items():
            if has_checkpoint:
                work = run / files.work(known.header["task"], known.line(index)["id"])
                (work / files.CHECKPOINT).mkdir(parents=True, exist_ok=True)
                (work / files.CHECKPOINT / f"state-{attempt}").touch()
            leave_record(run, array, index, attempt, state)

    return make


@pytest.fixture
def failed_chain(
    chain: RunDirectory, queue: MemoryQueue, leave_record: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> QueuedRun:
    """Return the run of four `a`, four `b` after them, and `c` after all: handed over, and `a` has ended, of which
    index 2 has failed; what waits for that has left the queue."""
    made = QueuedRun(chain, queue, leave_record, monkeypatch)
    made.submit()
    made.end("101", "0-1,3", State.COMPLETED)
    made.end("101", "2", State.FAILED, "ValueError: no")
    made.end("102", "2", State.UPSTREAM_FAILED)
    return made


@pytest.fixture
def one(
    chain: RunDirectory, queue: MemoryQueue, leave_record: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> QueuedRun:
    """Return the run of four `a`, four `b` and one `c`, handed over and to be tended by itself."""
    made = QueuedRun(chain, queue, leave_record, monkeypatch)
    begin_tending(chain, made.profile, "/opt/python")
    made.submit()
    return made
