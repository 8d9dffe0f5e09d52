"""How long each array index would run: as somebody says for a task, or as long as it asks for at most."""

from __future__ import annotations

import math
import numbers
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

import numpy as np
from numpy.typing import NDArray

from sciflow.errors import ExpressionError, PlanError
from sciflow.model.expressions import Expression
from sciflow.model.nearest import nearest
from sciflow.model.plan import ArrayJob
from sciflow.model.units import parse_duration
from sciflow.planning.compiled import Compiled
from sciflow.planning.continuation import useful_seconds
from sciflow.planning.projection import Projection

Seconds = NDArray[np.float64]
Runtime = str | float | timedelta  # an expression in hours, a duration with its unit, or hours
_UNITS = r"(?:s|sec|min|m|h|hours?|d|days?|w)"
_PART = re.compile(rf"\d+(?:\.\d+)?\s*{_UNITS}(?![A-Za-z])", re.IGNORECASE)
_PARTS = re.compile(rf"(?:\d+(?:\.\d+)?\s*{_UNITS}\s+)+\d+(?:\.\d+)?\s*{_UNITS}", re.IGNORECASE)
_HINT = "write it in hours, like `0.5`, or with a unit, like `20 min`, `1 h 30 min` or `2 * size min`"
_WITH_UNIT = re.compile(r"(.+)\s(s|sec|min|m|h|hours?|d|days?)", re.DOTALL)


@dataclass(frozen=True)
class Durations:
    """How long the instances of a plan's tasks run.

    Attributes
    ----------
    given
        Task → what was said of it.
    unsaid
        The tasks of which nothing is known: they count as taking no time.
    late
        Task → how many of its instances would take longer than they may; they end when their time is up.
    links
        Array job → seconds of each of the scheduler's indices, in each link of a chain.
    learned
        The tasks of which an earlier run tells how long they take, and nobody says otherwise.
    """

    given: Mapping[str, Runtime]
    unsaid: tuple[str, ...]
    late: Mapping[str, int]
    links: Mapping[str, tuple[Seconds, ...]]
    learned: tuple[str, ...] = ()

    def of(self, array: ArrayJob, link: int = 1) -> Seconds:
        """Seconds that each of the scheduler's indices of an array job runs, in one link of a chain."""
        return self.links[array.name][link - 1]


def durations_of(compiled: Compiled, runtimes: Mapping[str, Runtime] | None = None) -> Durations:
    """How long everything runs.

    Parameters
    ----------
    compiled
        What would run.
    runtimes
        Task → how long one of its instances runs: hours, a duration, or an expression over parameters, in hours or
        with a unit after it. Others run as long as was learned of them, or as they ask for.

    Raises
    ------
    PlanError, ExpressionError
        For a task that there is not, or an amount that is none; and where no task says how long it takes.
    """
    if not isinstance(runtimes or {}, Mapping):
        raise PlanError(f"`{runtimes!r}` says no runtimes", hint="give a dictionary, like `{'solve': '20 min'}`")
    runtimes = dict(runtimes or {})
    for task in runtimes:
        if task not in compiled.uses:
            raise PlanError(f"a runtime is given for `{task}`, which is no task", hint=nearest(task, compiled.uses))
    learned = [task for task in compiled.expected if task not in runtimes]
    told = {*runtimes, *learned}
    unsaid = dict.fromkeys(
        one.task for one in compiled.plan.arrays if not one.resources.runtime_seconds and one.task not in told
    )
    if len(unsaid) == len(compiled.uses):
        raise PlanError(
            "no task asks for a walltime, so nothing is known of how long it takes",
            hint=f"say it: `--runtime {next(iter(unsaid))}='20 min'`",
        )
    said = {task: _by_instance(compiled, task, text) for task, text in runtimes.items()}
    late: dict[str, int] = {}
    links: dict[str, tuple[Seconds, ...]] = {}
    for array in compiled.plan.arrays:
        given = said[array.task][compiled.members(array)] if array.task in said else _asked(compiled, array)
        if array.task in learned:
            expected = compiled.expected[array.task][compiled.members(array)]
            given = np.where(expected > 0, expected, given)
        within = _within(array, given)
        if count := int((within < given).sum()):
            late[array.task] = late.get(array.task, 0) + count
        links[array.name] = _cut(array, within)
    for array in compiled.plan.arrays:
        for name in array.riders:  # one after another, in the same array index
            links[array.name] = tuple(a + b for a, b in zip(links[array.name], links[name], strict=True))
    return Durations(runtimes, tuple(unsaid), late, links, tuple(learned))


def _asked(compiled: Compiled, array: ArrayJob) -> Seconds:
    """What each instance of an array job asks for; of a chain, what was asked for before it was cut."""
    seconds = array.resources.runtime_seconds / array.pack
    if array.links > 1:
        task, member = array.task, int(compiled.members(array)[0])
        request = compiled.workflow.resources[task]
        first = int(compiled.projections[task].first[member])
        names = tuple(name for name in compiled.workflow.space.names if name in request.names)
        groups = Projection(compiled.workflow.space, names)
        seconds = float(request.resolve(groups.parameters(int(groups.of_combination[first])), task).runtime_seconds)
    return np.full(array.count, seconds)


def _within(array: ArrayJob, given: Seconds) -> Seconds:
    """What the instances of an array job run of what they would, until their time is up: what is packed shares it."""
    walltime = array.resources.runtime_seconds
    if not walltime:
        return given
    if array.pack == 1:
        return np.minimum(given, walltime + (array.links - 1) * useful_seconds(walltime))
    ends = np.concatenate([[0.0], np.cumsum(given)])
    starts = ends[:-1] - np.repeat(ends[np.arange(0, array.count, array.pack)], array.pack)[: array.count]
    return np.where(starts + given > walltime + 1e-6, np.maximum(walltime - starts, 0.0), given)


def _cut(array: ArrayJob, given: Seconds) -> tuple[Seconds, ...]:
    """Seconds of each of the scheduler's indices in each link: all that are packed together, or what is left."""
    if array.links == 1:
        return (np.add.reduceat(given, np.arange(0, array.count, array.pack)),)
    walltime = array.resources.runtime_seconds
    useful = useful_seconds(walltime)
    return tuple(np.clip(given - link * useful, 0.0, walltime) for link in range(array.links))


def _by_instance(compiled: Compiled, task: str, runtime: Runtime) -> Seconds:
    """Seconds of each instance of a task, by what was said."""
    projection, space = compiled.projections[task], compiled.workflow.space
    if isinstance(runtime, timedelta):
        return np.full(len(projection), _amount(runtime.total_seconds(), runtime, 1.0, task, {}))
    if isinstance(runtime, str):
        expression, scale = _read(runtime, task)
    else:
        expression, scale = None, 3600.0
    if expression is None:
        return np.full(len(projection), _amount(runtime, runtime, scale, task, {}))
    known = compiled.uses[task].names
    if strange := sorted(expression.names - set(known)):
        raise ExpressionError(
            f"the runtime `{runtime}` of task `{task}` names `{strange[0]}`, on which the task does not depend",
            hint=nearest(strange[0], known) or "use parameters of the task",
        )
    groups = Projection(space, tuple(name for name in known if name in expression.names))
    of_group = np.empty(len(groups))
    for group in range(len(groups)):
        parameters = groups.parameters(group)
        of_group[group] = _amount(expression.evaluate(parameters), runtime, scale, task, parameters)
    return of_group[groups.of_combination[projection.first]]


def _read(text: str, task: str) -> tuple[Expression, float]:
    """An expression, and how many seconds its unit has: hours unless it says another."""
    where = f"runtime of task `{task}`"
    try:
        return Expression(str(_duration(text)), where), 1.0
    except ValueError:
        pass
    try:
        return Expression(text, where), 3600.0
    except ExpressionError as error:
        match = _WITH_UNIT.fullmatch(text.strip())
        try:
            if match:
                return Expression(match[1], where), float(parse_duration(f"1{match[2]}"))
        except ExpressionError:
            pass  # what was said is named as it was said
        raise ExpressionError(error.message, hint=error.hint or _HINT) from None


def _duration(text: str) -> int:
    """Seconds of a duration, perhaps of several parts, as they are printed: ``1 h 30 min``."""
    if _PARTS.fullmatch(text.strip()):
        return sum(parse_duration(one) for one in _PART.findall(text))
    return parse_duration(text)


def _amount(value: object, said: Runtime, scale: float, task: str, parameters: Mapping[str, object]) -> float:
    if isinstance(value, bool) or not isinstance(value, numbers.Real) or not 0 <= float(value) < math.inf:
        at = f" at {dict(parameters)}" if parameters else ""
        raise PlanError(
            f"the runtime `{said}` of task `{task}` comes to {value!r}{at}, which is no time",
            hint=_HINT,
        )
    return float(value) * scale
