"""What a Python function asks for: its arguments, matched with what a task can give."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Collection, Mapping
from typing import Any, NamedTuple

from sciflow.errors import WorkflowError
from sciflow.model.nearest import nearest

ALL_PARAMETERS = frozenset({"params", "parameters", "config"})
ALL_INPUTS = frozenset({"inputs", "upstream"})
CONTEXT = frozenset({"context", "ctx"})
RESERVED = ALL_PARAMETERS | ALL_INPUTS | CONTEXT


class Argument(NamedTuple):
    """One argument of a function: how it is passed, and where its value comes from.

    `source` is ``parameter``, ``result``, ``parameters``, ``inputs`` or ``context``.
    """

    name: str
    source: str
    positional: bool = False


class Binding(NamedTuple):
    """The arguments that sciflow passes to a function."""

    arguments: tuple[Argument, ...]
    takes_keywords: bool  # ``**kwargs`` gets all parameters not passed by name

    @property
    def parameters(self) -> tuple[str, ...]:
        """The parameters that are asked for by name."""
        return tuple(argument.name for argument in self.arguments if argument.source == "parameter")

    @property
    def all_parameters(self) -> str:
        """The argument that gets all parameters as a dict; empty where there is none."""
        return next((argument.name for argument in self.arguments if argument.source == "parameters"), "")

    @property
    def wants_all_parameters(self) -> bool:
        """Whether the function takes whatever parameters there are."""
        return self.takes_keywords or bool(self.all_parameters)


def bind(function: Callable[..., Any], task: str, parameters: Collection[str], upstream: Collection[str]) -> Binding:
    """Match a function's arguments with parameters, earlier results and the context.

    Parameters
    ----------
    function
        The task's function.
    task
        The task's name, for messages.
    parameters
        The names of the parameters it may ask for.
    upstream
        The names of the earlier tasks whose results it may ask for.

    Raises
    ------
    WorkflowError
        Where a required argument names nothing known, or nothing at all is known of what it asks for.
    """
    arguments, unknown, keywords = [], [], False
    for name, parameter in _signature(function, task).items():
        if parameter.kind is parameter.VAR_KEYWORD:
            keywords = True
            continue
        if parameter.kind is parameter.VAR_POSITIONAL:
            continue
        source = _source(name, parameters, upstream)
        if source:
            arguments.append(Argument(name, source, parameter.kind is parameter.POSITIONAL_ONLY))
        else:
            unknown.append(parameter)
    required = [parameter.name for parameter in unknown if parameter.default is parameter.empty]
    if required:
        raise _names_nothing_known(task, required[0], parameters, upstream)
    if unknown and not arguments and not keywords:
        for parameter in unknown:
            if nearest(parameter.name, parameters).startswith("did you mean"):
                raise _names_nothing_known(task, parameter.name, parameters, upstream)
    return Binding(tuple(arguments), keywords)


def _signature(function: Callable[..., Any], task: str) -> Mapping[str, inspect.Parameter]:
    if not callable(function):
        raise WorkflowError(f"task `{task}` has {function!r} for its function, which cannot be called")
    try:
        return inspect.signature(function).parameters
    except (ValueError, TypeError):
        raise WorkflowError(
            f"the arguments of task `{task}`'s function {function!r} cannot be read",
            hint="wrap it in a function of your own that names the parameters it needs",
        ) from None


def _source(name: str, parameters: Collection[str], upstream: Collection[str]) -> str:
    if name in parameters:
        return "parameter"
    if name in upstream:
        return "result"
    for source, names in (("parameters", ALL_PARAMETERS), ("inputs", ALL_INPUTS), ("context", CONTEXT)):
        if name in names:
            return source
    return ""


def _names_nothing_known(task: str, name: str, parameters: Collection[str], upstream: Collection[str]) -> WorkflowError:
    given = ", ".join(f"`{one}`" for one in parameters) or "none"
    earlier = ", ".join(f"`{one}`" for one in upstream) or "none"
    guess = nearest(name, [*parameters, *upstream, *sorted(RESERVED)])
    hint = f"{guess} " if guess.startswith("did you mean") else ""
    return WorkflowError(
        f"task `{task}`: its function asks for `{name}`, which is neither a parameter ({given}) "
        f"nor an earlier task ({earlier})",
        hint=f"{hint}give it a default, or ask for `params`, `inputs` or `context`",
    )
