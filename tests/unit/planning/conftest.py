"""Workflows that are planned."""

from pathlib import Path

import pytest

from sciflow.model.workflow import ExperimentalWorkflow


@pytest.fixture
def ising(tmp_path: Path) -> ExperimentalWorkflow:
    """Return the workflow of the documentation: compile once, simulate everything, average over seeds."""
    workflow = ExperimentalWorkflow("ising", tmp_path)
    workflow.add_parameter_space({"temperature": [1.5, 2.0, 2.5], "size": [16, 32, 64], "seed": [1, 2]})
    workflow.add_task("compile", command="cc -o ising", outputs=["ising"])
    workflow.add_task(
        "simulate",
        command="{{ inputs.compile.ising }} {{ temperature }} {{ size }} {{ seed }}",
        depends_on="compile",
        resources={"cpu_cores": 2, "memory_gb": "1 if size < 64 else 4", "max_runtime": "30 min"},
        extract={"m": {"stdout": r"M=(\S+)"}},
    )
    workflow.add_task("average", lambda simulate: {"m": 0}, depends_on=["simulate"], over=["seed"])
    return workflow


@pytest.fixture
def relax(tmp_path: Path) -> ExperimentalWorkflow:
    """Return a workflow of one task that takes 30 h and keeps checkpoints, and of one after it."""
    workflow = ExperimentalWorkflow("w", tmp_path)
    workflow.add_parameter_space({"x": list(range(40))})
    workflow.add_task(
        "relax", command="relax {{ x }}", checkpoints=True, resources={"cpu_cores": 2, "max_runtime_hours": 30}
    )
    workflow.add_task("see", command="see {{ x }}", depends_on=["relax"], resources={"max_runtime_hours": 1})
    return workflow
