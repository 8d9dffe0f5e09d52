"""What the node reads of a plan: of array jobs, their lines, and tasks."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from sciflow.model.plan import Dependency
from sciflow.model.profile import ClusterProfile
from sciflow.model.resources import GIB
from sciflow.model.workflow import ExperimentalWorkflow
from sciflow.planning.build import build_plan
from sciflow_shim import files

SITE = ClusterProfile.model_validate({"name": "site", "scheduler": "local"})
SLURM = ClusterProfile.model_validate({"name": "site", "scheduler": "slurm"})


def test_what_the_node_reads_of_an_array(ising: ExperimentalWorkflow) -> None:
    """The header says what all indices have in common, and can be written as JSON."""
    compiled = build_plan(ising, SITE)
    header = compiled.header(compiled.plan.arrays[1])
    assert json.loads(json.dumps(header)) == {
        "format": files.FORMAT,
        "array": "simulate.0",
        "task": "simulate",
        "count": 12,
        "request": {
            "cpu_cores": 2,
            "memory_bytes": GIB,
            "gpus": 0,
            "runtime_seconds": 1800,
            "nodes": 1,
            "mpi_tasks": 0,
        },
        "upstream": {"compile": {"array": "", "many": False}},
    }
    assert compiled.header(compiled.plan.arrays[3])["upstream"] == {"simulate": {"array": "", "many": True}}


def test_what_the_node_reads_of_a_task(ising: ExperimentalWorkflow) -> None:
    """Commands have metrics and outputs, functions have arguments; both have a recipe."""
    compiled = build_plan(ising, SITE)
    command = json.loads(json.dumps(compiled.task_document("simulate")))
    assert (command["kind"], command["arguments"], command["missing"]) == ("command", [], "fail")
    assert command["extract"]["m"]["stdout"] == r"M=(\S+)"
    assert command["directory"] == str(ising.directory.resolve())
    function = compiled.task_document("average")
    assert (function["kind"], function["arguments"]) == ("function", [["simulate", "result", False]])
    assert function["recipe"] == compiled.recipes["average"] != command["recipe"]


def test_element_wise_tasks_name_their_twin(tmp_path: Path) -> None:
    """Index i of `b` is all about index i of `a`."""
    workflow = ExperimentalWorkflow("w", tmp_path)
    workflow.add_parameter_space({"x": [1, 2, 3]})
    workflow.add_task("a", lambda x: x)
    workflow.add_task("b", lambda a: a, depends_on=["a"])
    compiled = build_plan(workflow, SITE)
    later = compiled.plan.arrays[1]
    assert later.after == (Dependency("a.0", "element"),)
    assert compiled.header(later)["upstream"] == {"a": {"array": "a.0", "many": False}}


@pytest.mark.parametrize(
    ("recovery", "brake"), [({}, 10), ({"brake": 7}, 7), ({"brake": "off"}, None), ({"retries": 0}, 10)]
)
def test_the_node_reads_after_how_many_ends_it_is_to_judge(
    relax: ExperimentalWorkflow, recovery: dict[str, Any], brake: int | None
) -> None:
    """As the workflow says; nothing where there is no brake."""
    relax.set_recovery_policy(recovery)
    compiled = build_plan(relax, SLURM)
    assert [compiled.header(array).get("brake") for array in compiled.plan.arrays] == [brake, brake]
