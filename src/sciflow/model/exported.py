"""A workflow as a workflow document: what a file would say of it, whatever it was written in."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sciflow.model.request import ResourceRequest
from sciflow.model.task import Task, TaskDetails
from sciflow.model.workflow import ExperimentalWorkflow

# Key of a space's document → key of the file.
_RULES = {
    "zip_groups": "zip",
    "sample": "sample",
    "constraints": "constraints",
    "derived": "derived",
    "include": "include",
    "exclude": "exclude",
}


def workflow_document(workflow: ExperimentalWorkflow) -> dict[str, Any]:
    """Write a workflow with the keys of a workflow file, but for its parameter space and what its functions are.

    A request that a function works out cannot be written: `unsaid_requests` names it.

    Returns
    -------
    dict
        Plain values, as JSON and YAML have them. A task that is a function has no ``python``: where it can be found is
        known once it is kept.
    """
    document: dict[str, Any] = {"name": workflow.name}
    if workflow.metadata:
        document["metadata"] = dict(workflow.metadata)
    document["tasks"] = [_task(task, workflow.resources.get(task.name)) for task in workflow.tasks.values()]
    for key, part in (("schedule", workflow.policy), ("recovery", workflow.recovery)):
        if said := part.model_dump(mode="json", exclude_defaults=True, exclude_none=True):
            document[key] = said
    if workflow.visualizations:
        document["visualizations"] = {name: one.to_document() for name, one in workflow.visualizations.items()}
    return document


def unsaid_requests(workflow: ExperimentalWorkflow) -> dict[str, list[str]]:
    """Task → the amounts of its request that functions work out, which no file can say."""
    found = {task: _functions(request) for task, request in workflow.resources.items()}
    return {task: names for task, names in found.items() if names}


def space_document(space: Mapping[str, Any], repeats: list[str]) -> dict[str, Any]:
    """The keys of a workflow file that give a parameter space.

    Parameters
    ----------
    space
        What `ParameterSpace.to_document` has given.
    repeats
        The axes that repeat: they are written as such, with the seeds that they have.
    """
    axes = {name: _repeat(values) if name in repeats else values for name, values in space["axes"].items()}
    found: dict[str, Any] = {"parameters": axes} if axes else {}
    return found | {key: space[rule] for rule, key in _RULES.items() if rule in space}


def _task(task: Task, request: ResourceRequest | None) -> dict[str, Any]:
    document: dict[str, Any] = {"name": task.name}
    if task.command is not None:
        document["command"] = task.command
    if task.depends_on:
        document["depends_on"] = list(task.depends_on)
    details = set(TaskDetails.model_fields)
    document |= task.model_dump(mode="json", include=details, by_alias=True, exclude_defaults=True, exclude_none=True)
    if request is not None:
        unsaid = set(_functions(request))
        said = request.model_dump(mode="json", exclude=unsaid, exclude_defaults=True, exclude_none=True)
        if said:
            document["resources"] = said
    return document


def _functions(request: ResourceRequest) -> list[str]:
    return [name for name, value in request if callable(value)]


def _repeat(written: Any) -> dict[str, Any]:
    values = written["values"] if isinstance(written, Mapping) else written
    return {"repeat": values} | ({"when": written["when"]} if isinstance(written, Mapping) else {})
