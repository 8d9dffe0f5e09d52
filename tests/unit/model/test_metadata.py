"""What a task wants to be recorded is checked when it is said."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from sciflow.errors import WorkflowError
from sciflow.model.workflow import ExperimentalWorkflow
from sciflow.model.workflow_file import read_workflow


def with_metadata(metadata: Any) -> ExperimentalWorkflow:
    """Make a workflow of one task that asks for something."""
    workflow = ExperimentalWorkflow("one")
    workflow.add_task("task", command="true", metadata=metadata)
    return workflow


def test_a_task_may_ask_for_variables_commands_and_files() -> None:
    """One name stands for a list of one; a function may ask as a command may."""
    asked = {"variables": "FFTW_*", "commands": {"modules": "module list"}, "files": ["a/solver.log"]}
    workflow = with_metadata(asked)
    workflow.add_task("other", lambda: None, metadata={"variables": ["A"]})
    made = workflow.tasks["task"].metadata
    assert (made.variables, made.commands, made.files) == (("FFTW_*",), {"modules": "module list"}, ("a/solver.log",))
    assert workflow.tasks["other"].metadata.variables == ("A",)


def test_a_workflow_file_says_the_same(tmp_path: Path) -> None:
    """Beside `metadata` of the workflow, which is for people."""
    text = "name: w\nmetadata: {author: Anna}\ntasks:\n- {name: t, command: 'true', metadata: {files: [log]}}\n"
    workflow = read_workflow(text, "workflow.yaml", tmp_path, lambda name, where: print)
    assert workflow.metadata == {"author": "Anna"}
    assert workflow.tasks["t"].metadata.files == ("log",)


@pytest.mark.parametrize(
    ("metadata", "message"),
    [
        ({"variables": ["*"]}, "`metadata.variables`: '*' names no environment variable"),
        ({"variables": ["A B"]}, "'A B' names no environment variable"),
        ({"variables": ["A*B"]}, "like `FFTW_*`"),
        ({"commands": {"a/b": "ls"}}, "'a/b' cannot name a command"),
        ({"commands": {"a": " "}}, "the command `a` is ' ', which is no line for bash"),
        ({"commands": {"a": "l\0s"}}, "which is no line for bash"),
        ({"commands": ["ls"]}, "mapping"),
        ({"files": ["/etc/passwd"]}, "'/etc/passwd' does not stay inside the working directory"),
        ({"files": ["../x"]}, "'../x' does not stay inside"),
        ({"files": [""]}, "'' does not stay inside"),
        ({"files": ["a\0"]}, "does not stay inside"),
        ({"file": ["a"]}, "metadata"),
        (["A"], "mapping"),
    ],
)
def test_what_cannot_be_recorded_is_refused(metadata: Any, message: str) -> None:
    """The error names the task, the value and what is wrong with it."""
    with pytest.raises(WorkflowError) as caught:
        with_metadata(metadata)
    assert "task `task`" in str(caught.value)
    assert message in str(caught.value)
