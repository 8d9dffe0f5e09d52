"""The workflow file: its schema, and how it becomes a workflow."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sciflow.errors import WorkflowError, WorkflowFileError
from sciflow.model.recovery import RecoveryPolicy
from sciflow.model.workflow import ExperimentalWorkflow
from sciflow.model.workflow_file import read_workflow, workflow_schema

EVERYTHING = r"""
name: ising
description: magnets
parameters:
  temperature: {linspace: [1.5, 3.0, 4]}
  size: [16, 32]
  seed: {repeat: 2}
constraints: "size <= 16 or temperature < 2.5"
derived: {sweeps: "200 * size ** 2"}
tasks:
  - name: compile
    command: cc -o ising {{ workflow_dir }}/ising.c
    outputs: ising
  - name: simulate
    depends_on: compile
    command: "{{ inputs.compile.ising }} {{ temperature }} {{ size }}"
    resources: {cpu_cores: 1, memory_gb: "0.1 + size / 64", max_runtime_hours: 1}
    extract: {magnetisation: {stdout: 'M=(\S+)', type: float, unit: "1"}}
    success: "magnetisation >= 0"
    environment: {OMP_NUM_THREADS: 1, TEXT: "a 'b' $(touch hit) `c`\né"}
  - name: average
    depends_on: [simulate]
    over: [seed]
    python: ising_analysis:average
schedule: {policy: off_peak, preferred_hours: "22:00-08:00", weekend_preferred: true, max_wait_hours: 48}
visualizations:
  m_vs_t: {type: line, x_axis: temperature, value: magnetisation, series: size}
metadata: {project: 7}
"""


def average() -> None:
    """Stand for a function that a file names."""


def read(text: str, find: Callable[[str, str], Any] = lambda name, where: average) -> ExperimentalWorkflow:
    """Read one text, all of whose functions are `average`."""
    return read_workflow(text, "dir/w.yaml", Path("dir"), find)


def problem(text: str) -> str:
    """Read a text that is wrong."""
    with pytest.raises(WorkflowFileError) as caught:
        read(text)
    return str(caught.value)


def test_a_file_says_how_failures_are_met() -> None:
    """For all tasks, and for one; what it does not say is as always."""
    tasks = "tasks: [{name: a, command: 'true', checkpoints: true, retries: 4}, {name: b, command: 'true'}]"
    workflow = read(f"name: w\n{tasks}\nrecovery: {{retries: 3, brake: off, canaries: 2}}\n")
    assert workflow.recovery == RecoveryPolicy(retries=3, brake="off", canaries=2)
    assert [(task.checkpoints, task.retries) for task in workflow.tasks.values()] == [(True, 4), (False, None)]
    assert read(f"name: w\n{tasks}\n").recovery == RecoveryPolicy()


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ("{retries: many}", "`recovery.retries` is 'many'"),
        ("{brake: -3}", "`recovery.brake` is -3"),
        ("{retires: 3}", "`recovery.retires` is not known here"),
        ("[retries]", "`recovery` is"),
    ],
)
def test_a_policy_that_is_wrong_is_told_with_its_line(said: str, reason: str) -> None:
    """As for everything else that stands in a file."""
    text = problem(f"name: w\ntasks: [{{name: a, command: 'true'}}]\nrecovery: {said}\n")
    assert text.startswith("dir/w.yaml, line 3: ")
    assert reason in text


def test_everything_that_a_file_can_say() -> None:
    """The file of the documentation becomes the workflow that Python would make."""
    asked = []
    workflow = read(EVERYTHING, lambda name, where: asked.append((name, where)) or average)
    assert asked == [("ising_analysis:average", "dir/w.yaml, line 21")]
    assert list(workflow.tasks) == ["compile", "simulate", "average"]
    assert workflow.tasks["simulate"].depends_on == ("compile",)
    assert workflow.tasks["simulate"].extract["magnetisation"].unit == "1"
    assert workflow.tasks["simulate"].environment["TEXT"] == "a 'b' $(touch hit) `c`\né"
    assert workflow.tasks["average"].function is average
    assert workflow.tasks["average"].over == ("seed",)
    assert workflow.resources["simulate"].names == {"size"}
    assert len(workflow.space) == 12
    assert workflow.space[0]["sweeps"] == 51200
    assert workflow.policy.describe().startswith("off-peak (22:00-08:00 and weekends")
    assert workflow.visualizations["m_vs_t"].series == "size"
    assert workflow.metadata == {"description": "magnets", "project": 7}
    assert workflow.directory == Path("dir")


def test_only_a_name_and_a_task_are_needed() -> None:
    """Everything else has a default."""
    workflow = read("name: w\ntasks: [{name: a, command: 'true'}]\n")
    assert list(workflow.space) == [{}]
    assert workflow.metadata == {}
    assert workflow.policy.describe() == "immediate"


HEAD = "name: w\ntasks:\n  - name: first\n    command: 'true'\n"


@pytest.mark.parametrize(
    ("text", "line", "expected"),
    [
        ("name: w\n", 1, "`tasks` is missing"),
        ("name: w\ntasks: []\n", 2, "`tasks` is empty"),
        ("name: w\ntasks:\n\t- a\n", 3, "indented with a tab"),
        ("name: a b\ntasks: [{name: a, command: b}]\n", 1, "'a b' cannot be the name of a workflow"),
        (HEAD + "  - name: ../x\n    command: b\n", 5, "'../x' cannot be the name of a task"),
        (HEAD + "  - name: first\n    command: b\n", 5, "there are two tasks named `first`"),
        (HEAD + "  - name: b\n", 5, "task `b` needs a function or a command, and not both"),
        (HEAD + "    comand: x\n", 5, "`tasks.first.comand` is not known here\nhint: did you mean `command`?"),
        (HEAD + "    command: x\n", 5, "`command` stands twice; first in line 4"),
        (HEAD + "    missing: no\n", 5, "`tasks.first.missing` is 'no'; it takes 'fail' or 'skip'"),
        (HEAD + "    over: 5\n", 5, "`tasks.first.over` is 5; it takes a list or 'all'"),
        (
            HEAD + "    outputs: [a, ../b]\n",
            5,
            "`tasks.first.outputs`: `../b` does not stay inside the working directory",
        ),
        (
            HEAD + "    resources:\n      memory: 8\n",
            6,
            "`tasks.first.resources.memory` is 8; it takes a text\nhint: put it in quotes",
        ),
        (HEAD + "    resources: 8\n", 5, "`tasks.first.resources` is 8; it takes a mapping (`name: value`)"),
        (
            HEAD + "    resources: {cpu_cores: n.real}\n",
            5,
            "`tasks.first.resources.cpu_cores`: expression `n.real`: an attribute (`.name`) is not allowed",
        ),
        (
            HEAD + "    depends_on: frist\n",
            2,
            "task `first` depends on `frist`, which is no task of this workflow\nhint: did you mean `first`?",
        ),
        (HEAD + "    depends_on: first\n", 2, "the tasks wait for each other in a circle: `first` → `first`"),
        (
            "name: w\ntasks: [{name: a, python: module.function}]\n",
            2,
            "`tasks.a.python`: `module.function` is no reference to a function; write it like `module:function`",
        ),
        (HEAD + "parameters:\n  size: [1]\n  x: []\n", 7, "parameters: axis `x` has no values"),
        (HEAD + "parameters:\n  x: [1]\n  y: [[1, 2]]\n", 7, "parameters: axis `y`"),
        (
            HEAD + "parameters: {x: [1]}\nconstraints:\n  - x > 0\n  - y > 1\n",
            8,
            "parameters: constraint `y > 1` names `y`, which is no parameter",
        ),
        (
            HEAD + "parameters: {x: [1]}\nconstraints:\n  - x.__class__\n",
            7,
            "parameters: constraint 1: expression `x.__class__`: an attribute (`.name`) is not allowed",
        ),
        (HEAD + "parameters: {x: [1]}\nderived:\n  y: open('x')\n", 6, "parameters: derived parameter `y`"),
        (HEAD + "parameters: {x: [1], y: [1, 2]}\nzip:\n  - [x, y]\n", 7, "parameters: "),
        (HEAD + "parameters: {x: [1]}\nsample: {method: lsh, count: 3}\n", 6, "parameters: "),
        (
            HEAD + "parameters: {x: [1]}\ninclude:\n  - {x: 2}\n  - {z: 2}\n",
            8,
            "parameters: included combination {'z': 2} names `z`",
        ),
        (HEAD + "parameters: {x: [1]}\nexclude:\n  - {x: 2}\n", 7, "parameters: exclusion {'x': 2} matches nothing"),
        (
            HEAD + "schedule: {policy: of_peak}\n",
            5,
            "`schedule.policy` is 'of_peak'; "
            "it takes 'immediate', 'off_peak', 'not_before', 'deadline' or 'cheapest'\n"
            "hint: did you mean `off_peak`?",
        ),
        (
            HEAD + "visualizations:\n  m-t:\n    type: lne\n    value: m\n",
            7,
            "`visualizations.m-t.type` is 'lne'; it takes 'heatmap', 'contour'",
        ),
        (
            HEAD + "visualizations:\n  m t: {type: parallel, value: m}\n",
            6,
            "'m t' cannot be the name of a visualization",
        ),
        (HEAD + "paramters: {x: [1]}\n", 5, "`paramters` is not known here\nhint: did you mean `parameters`?"),
    ],
)
def test_what_is_wrong_in_a_file(text: str, line: int, expected: str) -> None:
    """File, line, field, the value and what is allowed or meant are named, and nothing else."""
    found = problem(text)
    assert found.startswith(f"dir/w.yaml, line {line}: {expected}")
    assert len(found.splitlines()) <= 2


@pytest.mark.parametrize("text", ["", "- a\n", "name\n"])
def test_a_file_that_holds_no_mapping(text: str) -> None:
    """The message says what a file needs."""
    assert problem(text) == "dir/w.yaml holds no mapping\nhint: it needs `name:` and `tasks:`"


def test_several_problems_are_listed_with_their_lines() -> None:
    """One reading shows them all."""
    lines = problem(HEAD + "    over: 5\n    missing: no\nzip: 3\n").splitlines()
    assert [line.partition(": ")[0] for line in lines] == [f"dir/w.yaml, line {number}" for number in (5, 6, 7)]


def test_an_error_of_a_function_is_passed_on() -> None:
    """Who looks for functions says where it looked."""

    def find(name: str, where: str) -> Any:
        raise WorkflowFileError(f"{where}: no `{name}`")

    with pytest.raises(WorkflowFileError, match=r"^dir/w.yaml, line 2: no `m:f`$"):
        read_workflow("name: w\ntasks: [{name: a, python: 'm:f'}]\n", "dir/w.yaml", Path("dir"), find)


def test_a_constraint_that_removes_everything_is_named() -> None:
    """It shows when the combinations are asked for."""
    workflow = read(HEAD + "parameters: {x: [1, 2]}\nconstraints: [x > 5]\n")
    with pytest.raises(WorkflowError, match="x > 5"):
        len(workflow.space)


def test_the_schema_knows_what_the_reader_takes() -> None:
    """One name for a list of one, numbers for variables, aliases, and nothing unknown."""
    schema = workflow_schema()
    task = schema["$defs"]["TaskDocument"]
    several = [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]
    assert schema["title"] == "sciflow workflow"
    assert schema["required"] == ["name", "tasks"]
    assert task["additionalProperties"] is False
    for field in ("depends_on", "over", "inputs", "outputs"):
        assert task["properties"][field]["anyOf"] == several
    assert task["properties"]["environment"]["additionalProperties"]["type"] == ["string", "number", "boolean"]
    assert "json" in schema["$defs"]["Extract"]["properties"]
    assert "function" not in task["properties"]
