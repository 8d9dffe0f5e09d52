"""A workflow written as a workflow document is read as the same workflow."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from sciflow import ExperimentalWorkflow
from sciflow.model.exported import space_document, unsaid_requests, workflow_document
from sciflow.model.parameters import ParameterSpace
from sciflow.model.workflow_file import read_workflow

FULL = """
name: full
description: all that can be said
parameters:
  temperature: {linspace: [1.5, 3.0, 4]}
  size: [16, 32]
  solver: {values: [cg, lu], when: "size > 16"}
  pair: [{tuple: [1, 2]}, {tuple: [3, 4]}]
  word: ["1e-3", "no", "true", "22:30", "0o17", ""]
  seed: {repeat: 3, seed: 4}
zip: [[size, pair]]
constraints: ["temperature < 2.9 or size < 20"]
derived: {sweeps: "200 * size ** 2"}
include: [{temperature: 9.5, size: 64, solver: cg, pair: {tuple: [5, 6]}, word: x, seed: 7}]
exclude: [{temperature: 1.5}]
tasks:
  - name: compile
    command: "cc -o ising {{ workflow_dir }}/ising.c\\n# a second line: {{ word }}"
    outputs: [ising]
    inputs: [ising.c]
    modules: [gcc/12]
    setup: ["ulimit -s unlimited"]
    retries: 2
  - name: simulate
    depends_on: [compile]
    command: "./run {{ temperature }} {{ seed }} {{ sweeps }} {{ solver }}"
    parameters: [temperature, size, seed, sweeps, solver, word]
    files: {run.in: decks/run.in.j2}
    environment: {OMP_NUM_THREADS: "2"}
    metadata: {variables: [MY_*]}
    resources: {cpu_cores: 1, memory_gb: "0.1 + size / 64", max_runtime: "02:30:00", gpus: 0}
    extract:
      m: {stdout: 'M=(\\S+)', unit: "1"}
      e: {json: out.json, key: a.b, type: int}
    results: {}
    success: "m >= 0"
    checkpoints: true
    fuse: true
    schedule: {policy: not_before, not_before: "2030-01-01T00:00:00+00:00"}
  - name: average
    depends_on: [simulate]
    python: analysis:average
    over: [seed]
    missing: skip
    results: {mean: {type: float, unit: K}}
schedule: {policy: off_peak, preferred_hours: "22:00-08:00", weekend_preferred: true, max_wait_hours: 48}
recovery: {retries: 3, brake: 5}
visualizations:
  m_vs_t: {type: line, x_axis: temperature, value: m, series: size}
metadata: {authors: [Ada Lovelace], data: {a: 1.5}}
"""


def average(simulate: Any) -> dict[str, float]:
    """Stand for what the file names."""
    return {"mean": 0.0}


def find(reference: str, where: str) -> Callable[..., Any]:
    """Give the function, whatever is asked for."""
    return average


def again(workflow: ExperimentalWorkflow, folder: Path) -> ExperimentalWorkflow:
    """The workflow that is read of its document, by way of JSON."""
    document = workflow_document(workflow)
    document |= space_document(workflow.space.to_document(), workflow.space.roles["repeats"])
    for task in document["tasks"]:
        if "command" not in task:
            task["python"] = "analysis:average"
    return read_workflow(json.dumps(document), "again.yaml", folder, find)


@pytest.fixture
def full(tmp_path: Path) -> ExperimentalWorkflow:
    """A workflow that says something of everything."""
    return read_workflow(FULL, "full.yaml", tmp_path, find)


def test_all_is_said_again(full: ExperimentalWorkflow, tmp_path: Path) -> None:
    """Tasks, requests, policies, recovery, figures, metadata and the space are those of the file."""
    read = again(full, tmp_path)
    for part in ("name", "tasks", "resources", "policy", "recovery", "visualizations", "metadata"):
        assert getattr(read, part) == getattr(full, part), part
    assert read.space == full.space
    assert read.space.roles == full.space.roles
    assert list(read.space) == list(full.space)


def test_nothing_is_said_that_was_not(tmp_path: Path) -> None:
    """Defaults are left to whoever reads it."""
    workflow = ExperimentalWorkflow("small", tmp_path)
    workflow.add_task("f", lambda: 1)
    assert workflow_document(workflow) == {"name": "small", "tasks": [{"name": "f"}]}


def test_a_function_that_works_out_a_request_is_named(tmp_path: Path) -> None:
    """What no file can say is left out of the request, and told."""
    workflow = ExperimentalWorkflow("asks", tmp_path)
    workflow.add_task("f", lambda x: x, resources={"cpu_cores": 2, "memory_gb": lambda x: x})
    workflow.add_parameter_space({"x": [1, 2]})
    assert unsaid_requests(workflow) == {"f": ["memory_gb"]}
    assert workflow_document(workflow)["tasks"] == [{"name": "f", "resources": {"cpu_cores": 2}}]


def test_a_repeat_that_depends_keeps_its_condition() -> None:
    """An axis that repeats only where a condition holds is written with both."""
    space = ParameterSpace.from_document({"x": [1, 2], "seed": {"repeat": 2, "when": "x > 1"}})
    document = space_document(space.to_document(), space.roles["repeats"])
    assert yaml.safe_load(json.dumps(document))["parameters"]["seed"].keys() == {"repeat", "when"}
    read = ParameterSpace.from_document(document["parameters"])
    assert list(read) == list(space)
    assert read.roles == space.roles
