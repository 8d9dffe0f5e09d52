"""The front door of packages: a workflow and its results."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

import sciflow
from sciflow.errors import PackageError
from sciflow.execution import open_run
from sciflow.loading import load_workflow


@pytest.fixture
def workflow(run_once: Path, tmp_path: Path) -> sciflow.ExperimentalWorkflow:
    """Return the workflow of which `run_once` is a run."""
    shutil.copy(run_once / "workflow.yaml", tmp_path / "workflow.yaml")
    return load_workflow(tmp_path / "workflow.yaml")


def test_a_workflow_and_its_results_become_a_package(
    workflow: sciflow.ExperimentalWorkflow, run_once: Path, tmp_path: Path
) -> None:
    """The package has the name that was given, and `export` puts it into a folder that is there."""
    results = open_run(run_once / "sciflow-runs" / "latest").results()
    package = sciflow.create_reproducibility_package(workflow, results, package_name="squares_v1", figures=False)
    assert "squares_v1" in repr(package)
    (tmp_path / "export").mkdir()
    assert package.export(tmp_path / "export") == tmp_path / "export" / "squares_v1.zip"
    assert (tmp_path / "export" / "squares_v1.zip").is_file()
    assert package.state["completed"] == 3


def test_results_of_another_workflow_are_refused(workflow: sciflow.ExperimentalWorkflow, run_once: Path) -> None:
    """It says in what they differ: the name, the tasks or the parameters."""
    run = open_run(run_once / "sciflow-runs" / "latest")
    other = sciflow.ExperimentalWorkflow("cubes")
    with pytest.raises(PackageError, match="their names differ: `squares` and `cubes`"):
        sciflow.create_reproducibility_package(other, run)
    other = sciflow.ExperimentalWorkflow("squares")
    other.add_task("square", command="true")
    with pytest.raises(PackageError, match="their tasks differ: `half`, `square` and `square`"):
        sciflow.create_reproducibility_package(other, run)
    other = sciflow.ExperimentalWorkflow("squares")
    for task in workflow.tasks.values():
        other.add_task(task.name, command=task.command, depends_on=task.depends_on)
    other.add_parameter_space({"x": [1, 2, 3]})
    with pytest.raises(PackageError, match="their parameters differ"):
        sciflow.create_reproducibility_package(other, run)


def test_results_of_other_code_are_refused(
    workflow: sciflow.ExperimentalWorkflow, run_once: Path, tmp_path: Path
) -> None:
    """The task is named of which the command or the function is another one than that which ran."""
    other = sciflow.ExperimentalWorkflow("squares")
    for task in workflow.tasks.values():
        other.add_task(task.name, command=f"nice {task.command}", depends_on=task.depends_on)
    other.add_parameter_space({"x": [1, 2, 3, 4]})
    with pytest.raises(PackageError, match="their commands of task `square` differ"):
        sciflow.create_reproducibility_package(other, open_run(run_once / "sciflow-runs" / "latest"))

    def made(function: Callable[..., object]) -> sciflow.ExperimentalWorkflow:
        powers = sciflow.ExperimentalWorkflow("powers", tmp_path)
        powers.add_task("power", function)
        powers.add_parameter_space({})
        return powers

    def square() -> dict[str, int]:
        return {"y": 4}

    def cube() -> dict[str, int]:
        return {"y": 8}

    results = sciflow.Engine(runs=tmp_path / "runs").execute_parameter_sweep(made(square))
    assert sciflow.create_reproducibility_package(made(square), results).run.path == results.run.path
    with pytest.raises(PackageError, match="their functions of task `power` differ"):
        sciflow.create_reproducibility_package(made(cube), results)


def test_what_is_no_workflow_and_no_results_is_refused(workflow: sciflow.ExperimentalWorkflow) -> None:
    """Mixed up arguments are errors that say what belongs there."""
    with pytest.raises(PackageError, match="no workflow"):
        sciflow.create_reproducibility_package("workflow.yaml", None)  # pyright: ignore[reportArgumentType]
    with pytest.raises(PackageError, match="no results of a run"):
        sciflow.create_reproducibility_package(workflow, "latest")  # pyright: ignore[reportArgumentType]
