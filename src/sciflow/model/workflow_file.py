"""The workflow file: its schema, and how it becomes a workflow."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

from pydantic import Field, field_validator

from sciflow.errors import WorkflowError, WorkflowFileError
from sciflow.model.document import Document
from sciflow.model.fields import Names
from sciflow.model.parameters import ParameterSpace
from sciflow.model.policy import SchedulingPolicy
from sciflow.model.recovery import RecoveryPolicy
from sciflow.model.request import ResourceRequest
from sciflow.model.task import TaskDetails
from sciflow.model.validation import Value, validated
from sciflow.model.visualization import Visualization
from sciflow.model.workflow import ExperimentalWorkflow

_REFERENCE = r"^[A-Za-z_][\w.]*:[A-Za-z_][\w.]*$"


class TaskDocument(TaskDetails):
    """One entry of `tasks`."""

    name: str
    command: str | None = None
    python: str | None = Field(default=None, json_schema_extra={"pattern": _REFERENCE})
    depends_on: Names = ()
    resources: ResourceRequest | None = None

    @field_validator("python")
    @classmethod
    def _is_a_reference(cls, value: str | None) -> str | None:
        if value is not None and not re.fullmatch(_REFERENCE, value):
            raise ValueError(f"`{value}` is no reference to a function; write it like `module:function`")
        return value


class WorkflowDocument(Value):
    """A workflow file."""

    name: str
    description: str = ""
    tasks: tuple[TaskDocument, ...] = Field(min_length=1)
    parameters: dict[str, Any] = {}
    zip: tuple[tuple[str, ...], ...] = ()
    sample: dict[str, Any] | None = None
    constraints: Names = ()
    derived: dict[str, str] = {}
    include: tuple[dict[str, Any], ...] = ()
    exclude: tuple[dict[str, Any], ...] = ()
    schedule: SchedulingPolicy | None = None
    recovery: RecoveryPolicy | None = None
    visualizations: dict[str, Visualization] = {}
    metadata: dict[str, Any] = {}


def workflow_schema() -> dict[str, Any]:
    """The JSON Schema of workflow files, for editors."""
    schema = WorkflowDocument.model_json_schema(by_alias=True)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema, "title": "sciflow workflow"}


Fill = Callable[[SchedulingPolicy, Path, Callable[[str, Callable[[], Any]], Any]], SchedulingPolicy]


def read_workflow(
    text: str,
    name: str,
    directory: Path,
    find_function: Callable[[str, str], Callable[..., Any]],
    fill: Fill = lambda policy, _directory, _guard: policy,
) -> ExperimentalWorkflow:
    """Make a workflow of the text of a workflow file.

    Parameters
    ----------
    text, name
        The text, and the file's name for messages.
    directory
        The file's folder, from which its relative paths start.
    find_function
        Gives the function that ``module:name`` means; the second argument says where that stands.
    fill
        Reads the files that a scheduling policy names; the last argument runs what reads those of a field.

    Raises
    ------
    WorkflowFileError
        Naming file, line and field.
    """
    document = Document(text, name, WorkflowFileError)
    if not isinstance(document.value, dict):
        raise WorkflowFileError(f"{name} holds no mapping", hint="it needs `name:` and `tasks:`")
    read = validated(WorkflowDocument, document.value, name, WorkflowFileError, document.locate)

    def at(path: tuple[int | str, ...], make: Callable[[], Any]) -> Any:
        try:
            return make()
        except WorkflowFileError:
            raise
        except WorkflowError as error:
            raise WorkflowFileError(f"{document.locate(path)}: {error.message}", hint=error.hint) from error

    workflow = at(("name",), lambda: ExperimentalWorkflow(read.name, directory))
    for number, task in enumerate(read.tasks):
        at(
            ("tasks", number),
            lambda n=number, t=task: _add_task(workflow, t, document.locate(("tasks", n)), find_function),
        )
    rules = _rules(read)
    try:
        workflow.add_parameter_space(read.parameters, **rules)
    except WorkflowError as error:
        place = document.locate(_origin(error, read.parameters, rules))
        raise WorkflowFileError(f"{place}: {error.message}", hint=error.hint) from error
    for path, schedule, keep in _schedules(read, workflow):
        keep(fill(schedule, directory, lambda field, reading, p=path: at((*p, field), reading)))
    if read.recovery:
        workflow.recovery = read.recovery
    for title, figure in read.visualizations.items():
        at(("visualizations", title), lambda t=title, f=figure: workflow.add_visualization(t, f.model_dump()))
    workflow.metadata = {"description": read.description, **read.metadata} if read.description else dict(read.metadata)
    at(("tasks",), workflow.check)
    return workflow


def _schedules(
    read: WorkflowDocument, workflow: ExperimentalWorkflow
) -> Iterator[tuple[tuple[int | str, ...], SchedulingPolicy, Callable[[SchedulingPolicy], None]]]:
    """Where each scheduling policy stands, what it is, and how another takes its place."""

    def of_task(name: str, policy: SchedulingPolicy) -> None:
        workflow.tasks[name] = workflow.tasks[name].model_copy(update={"schedule": policy})

    def of_all(policy: SchedulingPolicy) -> None:
        workflow.policy = policy

    if read.schedule:
        yield ("schedule",), read.schedule, of_all
    for number, task in enumerate(read.tasks):
        if task.schedule:
            yield ("tasks", number, "schedule"), task.schedule, partial(of_task, task.name)


def _add_task(
    workflow: ExperimentalWorkflow, task: TaskDocument, where: str, find: Callable[[str, str], Callable[..., Any]]
) -> None:
    details = {name: getattr(task, name) for name in TaskDetails.model_fields if name in task.model_fields_set}
    function = find(task.python, where) if task.python else None
    workflow.add_task(task.name, function, command=task.command, depends_on=task.depends_on, **details)
    if task.resources:
        workflow.resources[task.name] = task.resources


def _rules(read: WorkflowDocument) -> dict[str, Any]:
    """What is said of the parameters beside their values, in the order in which it is read."""
    return {
        "zip_groups": read.zip,
        "sample": read.sample,
        "derived": read.derived,
        "constraints": read.constraints,
        "include": read.include,
        "exclude": read.exclude,
    }


def _origin(error: WorkflowError, parameters: dict[str, Any], rules: dict[str, Any]) -> tuple[int | str, ...]:
    """The path of what an error is about: the first part with which it shows."""
    for name, values in parameters.items():
        if _says(error, {name: values}, {}):
            return "parameters", name
    said: dict[str, Any] = {}
    for rule, parts in rules.items():
        if isinstance(parts, tuple):
            for number in range(len(parts)):
                if _says(error, parameters, {**said, rule: parts[: number + 1]}):
                    return rule.removesuffix("_groups"), number
        said[rule] = parts
        if _says(error, parameters, said):
            return (rule,)
    return ("parameters",)


def _says(error: WorkflowError, parameters: dict[str, Any], rules: dict[str, Any]) -> bool:
    try:
        ParameterSpace.from_document(parameters, **rules)
    except WorkflowError as other:
        return other.message == error.message
    return False
