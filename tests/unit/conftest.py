"""Small workflows, run directories that were never run, and records made by hand."""

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sciflow.engine import Engine
from sciflow.loading import load_workflow
from sciflow.model.workflow import ExperimentalWorkflow
from sciflow.store.layout import RunDirectory
from sciflow_shim.array import Array
from sciflow_shim.attempt import Attempt
from unit.fake_slurm import FakeSlurm

SQUARES = {
    "name": "squares",
    "parameters": {"x": [1, 2, 3, 4]},
    "tasks": [
        {
            "name": "square",
            "command": "echo y=$(( {{ x }} * {{ x }} )); test {{ x }} -ne 3",
            "resources": {"cpu_cores": 1, "memory_gb": 0.25, "max_runtime": "10 min"},
            "extract": {"y": {"stdout": r"y=(\d+)", "type": "int"}},
        },
        {
            "name": "half",
            "command": "echo h=$(( {{ inputs.square.y }} / 2 ))",
            "depends_on": ["square"],
            "extract": {"h": {"stdout": r"h=(\d+)", "type": "int"}},
        },
    ],
}


@pytest.fixture
def squares(tmp_path: Path) -> ExperimentalWorkflow:
    """Return a workflow of two tasks over four combinations: `square` one by one, then `total` over all."""

    def square(x):
        return {"y": x * x}

    def total(square):
        return {"sum": sum(one["y"] for one in square)}

    workflow = ExperimentalWorkflow("squares", tmp_path)
    workflow.add_task("square", square)
    workflow.add_task("total", total, depends_on=["square"], over="all")
    workflow.add_parameter_space({"x": [1, 2, 3, 4]})
    return workflow


@pytest.fixture
def engine(tmp_path: Path) -> Engine:
    """Return an engine whose runs are in a folder of their own."""
    return Engine(runs=tmp_path / "runs")


@pytest.fixture
def remote(site: Path, tmp_path: Path) -> Engine:
    """Return an engine for the site, which has a queue."""
    return Engine(str(site), tmp_path / "runs")


@pytest.fixture
def staged(squares: ExperimentalWorkflow, tmp_path: Path) -> RunDirectory:
    """Return the run directory of `squares`, in which nothing was run."""
    engine = Engine(runs=tmp_path / "runs")
    return RunDirectory(
        engine.write_plan(engine.compile(squares), tmp_path / "runs" / "squares" / "20250101-000000-aa")
    )


@pytest.fixture
def leave_record() -> Callable[..., Path]:
    """Return a function that leaves a record: (run, array, index, attempt, state, error, notes, **metrics)."""

    def leave(
        run: RunDirectory,
        array: str,
        index: int,
        attempt: int = 1,
        state: str = "COMPLETED",
        error: str = "",
        notes: dict[str, Any] | None = None,
        **metrics: Any,
    ) -> Path:
        one = Attempt(Array(str(run.path), array), index, attempt)
        one.state, one.error = state, {"message": error} if error else {}
        one.end = one.start + 2 if state != "RUNNING" else None
        one.outcome.metrics, one.outcome.order, one.outcome.returned = metrics, list(metrics), "mapping"
        one.outcome.notes.update(notes or {})
        path = run.record(array, index, attempt)
        os.makedirs(path.parent, exist_ok=True)  # noqa: PTH103 - as the shim does
        one.write()
        return path

    return leave


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder with a workflow of commands, `workflow.yaml`, of which one index fails; it is the current one."""
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "workflow.yaml").write_text(json.dumps(SQUARES, indent=1))
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture(scope="session")
def run_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of `project` as it is after its run; no test changes it, each has a copy."""
    folder = tmp_path_factory.mktemp("once")
    (folder / "workflow.yaml").write_text(json.dumps(SQUARES, indent=1))
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.chdir(folder)
        Engine().execute_parameter_sweep(load_workflow("workflow.yaml"))
    return folder


@pytest.fixture
def finished(run_once: Path, project: Path) -> Path:
    """Return the run directory of `project`, run to the end: `square[2]` has failed, `half[2]` was held back."""
    shutil.copytree(run_once, project, symlinks=True, dirs_exist_ok=True)
    run = (project / "sciflow-runs" / "latest").resolve()
    for path in (run / "manifest.json", *(run / "code").glob("*.json")):  # those that name the project's folder
        path.write_text(path.read_text().replace(str(run_once), str(project)))
    return run


@pytest.fixture
def slurm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeSlurm:
    """Return a Slurm that is nothing but its commands, which are on PATH."""
    made = FakeSlurm(tmp_path / "slurm")
    monkeypatch.setenv("PATH", f"{made.bin}{os.pathsep}{os.environ['PATH']}")
    return made


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """Return a cluster profile for Slurm, `site.yaml`."""
    path = tmp_path / "site.yaml"
    path.write_text("name: site\nscheduler: slurm\n")
    return path
