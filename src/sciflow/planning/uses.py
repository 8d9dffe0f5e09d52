"""What each task uses: the parameters on which its instances depend, and the earlier tasks that it reads."""

from __future__ import annotations

from dataclasses import dataclass

from sciflow.errors import PlanError, WorkflowError
from sciflow.model.declaration import METRICS
from sciflow.model.expressions import Expression
from sciflow.model.functions import Binding, bind
from sciflow.model.nearest import nearest
from sciflow.model.task import Task
from sciflow.model.workflow import ExperimentalWorkflow
from sciflow.planning.commands import CommandTemplate


@dataclass(frozen=True)
class TaskUse:
    """What one task uses.

    Attributes
    ----------
    names
        The parameters on which an instance depends, in the space's order.
    reads
        The earlier tasks whose results it may ask for; those it depends on come first.
    binding, template
        For a function, its arguments; for a command, its template.
    """

    task: Task
    names: tuple[str, ...]
    reads: tuple[str, ...]
    binding: Binding | None = None
    template: CommandTemplate | None = None


def find_uses(workflow: ExperimentalWorkflow) -> dict[str, TaskUse]:
    """Find what each task uses; task name → use, in running order.

    Raises
    ------
    WorkflowError
        Where a function or a template asks for what nobody gives.
    """
    uses: dict[str, TaskUse] = {}
    earlier: dict[str, dict[str, None]] = {}  # task → all that come before it, in running order
    for task in workflow.ordered_tasks():
        before = {name for one in task.depends_on for name in (*earlier[one], one)}
        earlier[task.name] = {name: None for name in uses if name in before}
        uses[task.name] = _use(workflow, task, list(earlier[task.name]), uses)
    return uses


def _use(workflow: ExperimentalWorkflow, task: Task, before: list[str], uses: dict[str, TaskUse]) -> TaskUse:
    space = workflow.space
    allowed = [name for name in space.names if task.parameters is None or name in task.parameters]
    binding = template = None
    if task.function is not None:
        binding = bind(task.function, task.name, allowed, before)
        asked = [a.name for a in binding.arguments if a.source == "result"]
        asked = before if any(a.source == "inputs" for a in binding.arguments) else asked
    else:
        template = CommandTemplate(task, workflow.directory, allowed, before)
        asked = [name for name in before if name in template.inputs]
    own = _own(workflow, task, allowed, binding or template)
    if task.success is not None:
        own |= _judged(task, space.names)
    names = _names(workflow, task, own, uses)
    _check_request(workflow, task, names)
    reads = (*task.depends_on, *(name for name in asked if name not in task.depends_on))
    return TaskUse(task, names, reads, binding, template)


def _own(
    workflow: ExperimentalWorkflow, task: Task, allowed: list[str], program: Binding | CommandTemplate | None
) -> set[str]:
    """The parameters that a task itself asks for; all that there are, to one that gathers, are those that are left."""
    assert program is not None
    if task.parameters or not program.wants_all_parameters:
        return set(task.parameters or program.parameters)
    gone = _gone(workflow, task)
    if gone and not set(allowed) - gone and isinstance(program, Binding) and program.all_parameters:
        raise WorkflowError(
            f"task `{task.name}` gathers over every parameter, so that its function's `{program.all_parameters}` would "
            "hold nothing",
            hint="the results that it gathers carry their parameters",
        )
    return set(program.parameters) | (set(allowed) - gone)


def _gone(workflow: ExperimentalWorkflow, task: Task) -> set[str]:
    """The parameters that a task has gathered over, and those that are derived from them."""
    space = workflow.space
    gone = set(space.names) if task.over == "all" else set(task.over)
    return gone | {name for name in space.derived_names if space.value_depends(name) & gone}


def _judged(task: Task, parameters: tuple[str, ...]) -> set[str]:
    """The parameters that a task's rule for success names; what it names besides must be metrics."""
    names = Expression(task.success or "").names
    rule = f"task `{task.name}`: `success: {task.success}` names"
    for name in sorted(names & set(task.results)):
        if (kind := task.results[name].type) not in METRICS:
            raise WorkflowError(
                f"{rule} `{name}`, which is declared as `{kind}`",
                hint="it judges numbers, texts and truth values; return one of these beside it",
            )
    metrics = {**task.extract, **task.results}
    # Which metrics a function returns shows when it has run, unless it says so; a command has those that it says.
    if (task.command is not None or task.results) and (unknown := names - set(parameters) - set(metrics)):
        said = "`extract`" if task.command is not None else "`results`"
        raise WorkflowError(
            f"{rule} `{min(unknown)}`, which is neither a parameter nor one of the metrics in its {said}",
            hint=nearest(min(unknown), [*metrics, *parameters]),
        )
    # A result goes before a parameter of the same name, so that an instance does not depend on that one.
    return (set(names) & set(parameters)) - set(task.results)


def _names(workflow: ExperimentalWorkflow, task: Task, own: set[str], uses: dict[str, TaskUse]) -> tuple[str, ...]:
    space = workflow.space
    inherited = {name for before in task.depends_on for name in uses[before].names}
    gone = _gone(workflow, task)
    if task.over and not task.depends_on:
        raise WorkflowError(f"task `{task.name}` has `over`, but depends on no task whose results it could gather")
    if task.over != "all" and (stray := set(task.over) - inherited):
        raise WorkflowError(
            f"task `{task.name}` gathers over `{min(stray)}`, but no task before it uses that parameter",
            hint="it would gather one result only; leave it out of `over`",
        )
    if both := own & gone:
        raise WorkflowError(
            f"task `{task.name}` gathers over `{min(both)}` and asks for its value, of which it has many",
            hint="the results that it gathers carry their parameters",
        )
    return tuple(name for name in space.names if name in (own | inherited) - gone)


def _check_request(workflow: ExperimentalWorkflow, task: Task, names: tuple[str, ...]) -> None:
    request = workflow.resources.get(task.name)
    if request and (stray := request.names - set(names)):
        raise PlanError(
            f"the resources of task `{task.name}` depend on `{min(stray)}`, which the task does not use",
            hint=f"its instances are told apart by {', '.join(f'`{n}`' for n in names) or 'nothing'}; "
            "name the parameter in `parameters`",
        )
