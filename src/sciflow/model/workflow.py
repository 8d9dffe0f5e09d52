"""The workflow: tasks, the edges between them, and what they are run over."""

from __future__ import annotations

import graphlib
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from sciflow.errors import WorkflowError
from sciflow.model.functions import RESERVED
from sciflow.model.nearest import nearest
from sciflow.model.parameters import ParameterSpace
from sciflow.model.policy import Policies, SchedulingPolicy
from sciflow.model.recovery import RecoveryPolicy
from sciflow.model.request import ResourceRequest
from sciflow.model.task import Task, make_task
from sciflow.model.validation import validated
from sciflow.model.visualization import Visualization

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,99}")


class ExperimentalWorkflow:
    """A DAG of tasks over a parameter space.

    Parameters
    ----------
    name
        Names the workflow's folder among the runs: letters, digits, ``_`` and ``-``.
    directory
        Where relative paths of the workflow start from; by default the current directory.

    Examples
    --------
    >>> workflow = ExperimentalWorkflow("squares")
    >>> workflow.add_task("square", lambda x: {"y": x * x})
    >>> workflow.add_parameter_space({"x": [1, 2, 3]})
    """

    def __init__(self, name: str, directory: str | Path | None = None) -> None:
        self.name = check_name(name, "workflow")
        self.directory = Path(directory) if directory is not None else Path.cwd()
        self.source: Path | None = None  # the file that it was loaded from
        self.tasks: dict[str, Task] = {}
        self.space = ParameterSpace.from_document({})
        self.resources: dict[str, ResourceRequest] = {}
        self.policy = SchedulingPolicy()
        self.recovery = RecoveryPolicy()
        self.visualizations: dict[str, Visualization] = {}
        self.metadata: dict[str, Any] = {}

    def add_task(
        self,
        name: str,
        function: Callable[..., Any] | None = None,
        *,
        command: str | None = None,
        depends_on: str | Iterable[str] = (),
        resources: Mapping[str, Any] | None = None,
        **details: Any,
    ) -> None:
        """Add a task: a Python function, or a command.

        Parameters
        ----------
        name
            The task's name.
        function
            What to call, with the parameters, results and context that its arguments name.
        command
            A Jinja line for bash instead, with values quoted for the shell.
        depends_on
            The tasks that must be completed before.
        resources
            As in `set_resource_requirements`, for this task.
        **details
            ``parameters``, ``over``, ``missing``, ``files``, ``inputs``, ``outputs``, ``extract``, ``results``,
            ``success``, ``environment``, ``metadata``, ``checkpoints``, ``fuse``, ``retries`` and ``schedule``; see the
            workflow file's reference.

        Raises
        ------
        WorkflowError
            For a name that is taken or is no file name, or a detail that is wrong.
        """
        check_name(name, "task")
        if name in self.tasks:
            raise WorkflowError(
                f"there are two tasks named `{name}`", hint="names are told apart by case, not by order"
            )
        if name in RESERVED:
            raise WorkflowError(f"a task cannot be named `{name}`", hint="functions ask for other things by that word")
        before = (
            tuple(depends_on) if isinstance(depends_on, Iterable) and not isinstance(depends_on, str) else depends_on
        )
        self.tasks[name] = make_task(name, function, command, before, details)
        if resources:
            self.set_resource_requirements({name: resources})

    def add_parameter_space(self, parameters: Mapping[str, Any], **rules: Any) -> None:
        """Say what is varied.

        Parameters
        ----------
        parameters
            Axis name → values, or a range, a repeat or a distribution.
        **rules
            ``zip_groups``, ``sample``, ``constraints``, ``derived``, ``include``, ``exclude``.

        Raises
        ------
        WorkflowError
            For axes or rules that are wrong, and when there is a space already.
        """
        if self.space.names:
            raise WorkflowError(
                f"workflow `{self.name}` has a parameter space already ({', '.join(self.space.names)})",
                hint="give all axes in one `add_parameter_space`",
            )
        self.space = ParameterSpace.from_document(parameters, **rules)

    def add_constraint(self, rule: str | Callable[..., Any]) -> None:
        """Keep only the combinations for which an expression or function is true."""
        self.space = self.space.with_constraint(rule)

    def add_derived_parameter(self, name: str, rule: str | Callable[..., Any]) -> None:
        """Add a parameter that follows from others by an expression or function."""
        self.space = self.space.with_derived(name, rule)

    def set_resource_requirements(self, requirements: Mapping[str, Mapping[str, Any]]) -> None:
        """Say what tasks ask for: task name → ``cpu_cores``, ``memory_gb``, ``gpu``, ``max_runtime_hours``, …"""
        made = {
            name: validated(ResourceRequest, request, f"resources of task `{name}`")
            for name, request in requirements.items()
        }
        for name, request in made.items():
            self.resources[name] = self.resources.get(name, ResourceRequest()).merged(request)

    def set_scheduling_policy(self, policy: str, options: Mapping[str, Any] | None = None) -> None:
        """Say when work may start: ``immediate``, ``off_peak``, ``not_before``, ``deadline`` or ``cheapest``."""
        self.policy = validated(SchedulingPolicy, {"policy": policy, **(options or {})}, "scheduling policy")

    @property
    def policies(self) -> Policies:
        """When work may start: as it is said for all tasks, and for some of their own."""
        return Policies(self.policy, {name: task.schedule for name, task in self.tasks.items() if task.schedule})

    def set_recovery_policy(self, options: Mapping[str, Any]) -> None:
        """Say how failures are met: ``retries``, ``max_attempts``, ``max_retries``, ``brake``, ``canaries``, …"""
        self.recovery = validated(RecoveryPolicy, options, "recovery policy")

    def add_visualization(self, name: str, options: Mapping[str, Any]) -> None:
        """Ask for a figure of the results."""
        check_name(name, "visualization")
        if name in self.visualizations:
            raise WorkflowError(f"there are two visualizations named `{name}`")
        self.visualizations[name] = validated(Visualization, options, f"visualization `{name}`")

    def ordered_tasks(self) -> list[Task]:
        """The tasks, each after all that it depends on; otherwise in the order they were added.

        Raises
        ------
        WorkflowError
            For an unknown task in ``depends_on``, and for a circle, shown with its path.
        """
        graph = graphlib.TopologicalSorter[str]()
        for task in self.tasks.values():
            for before in task.depends_on:
                if before not in self.tasks:
                    raise WorkflowError(
                        f"task `{task.name}` depends on `{before}`, which is no task of this workflow",
                        hint=nearest(before, self.tasks),
                    )
            graph.add(task.name, *task.depends_on)
        try:
            graph.prepare()
        except graphlib.CycleError as error:
            path = " → ".join(f"`{name}`" for name in reversed(error.args[1]))
            raise WorkflowError(f"the tasks wait for each other in a circle: {path}") from None
        ordered, place = [], {name: number for number, name in enumerate(self.tasks)}
        while graph.is_active():
            ready = sorted(graph.get_ready(), key=place.__getitem__)
            ordered += [self.tasks[name] for name in ready]
            graph.done(*ready)
        return ordered

    def check(self) -> None:
        """Check what only the whole can show.

        Raises
        ------
        WorkflowError
            Naming the first thing that is wrong.
        """
        if not self.tasks:
            raise WorkflowError(f"workflow `{self.name}` has no task", hint="add one with `add_task`")
        self.ordered_tasks()
        names = set(self.space.names)
        if both := names & set(self.tasks):
            raise WorkflowError(f"`{min(both)}` is a parameter and a task", hint="functions could not tell them apart")
        for task in self.resources:
            if task not in self.tasks:
                raise WorkflowError(f"resources are set for `{task}`, which is no task", hint=nearest(task, self.tasks))
        for title, figure in self.visualizations.items():
            for axis in figure.parameters:
                if axis not in names:
                    raise WorkflowError(
                        f"visualization `{title}` names `{axis}`, which is no parameter",
                        hint=nearest(axis, self.space.names),
                    )
            if metric := next((one for one in figure.shown if one in names), None):
                raise WorkflowError(
                    f"visualization `{title}` shows `{metric}`, which is a parameter and no metric",
                    hint="name what a task gives",
                )
            if figure.task is not None and figure.task not in self.tasks:
                raise WorkflowError(
                    f"visualization `{title}` names the task `{figure.task}`, which is none",
                    hint=nearest(figure.task, self.tasks),
                )
        for task in self.tasks.values():
            _check_names(f"resources of task `{task.name}`", self._request(task.name).names, self.space.names)
            _check_names(f"`parameters` of task `{task.name}`", task.parameters or (), self.space.names)
            if task.over != "all":
                _check_names(f"`over` of task `{task.name}`", task.over, self.space.names)

    def _request(self, task: str) -> ResourceRequest:
        return self.resources.get(task, ResourceRequest())


def _check_names(where: str, names: Iterable[str], known: Sequence[str]) -> None:
    for name in sorted(names):
        if name not in known:
            raise WorkflowError(f"{where} name `{name}`, which is no parameter", hint=nearest(name, known))


def check_name(name: Any, what: str) -> str:
    """Let through what can be a folder's name on every file system.

    Raises
    ------
    WorkflowError
        For anything else.
    """
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise WorkflowError(
            f"{name!r} cannot be the name of a {what}",
            hint="use letters, digits, `_` and `-`, starting with a letter or digit, 100 characters at most",
        )
    return name
