"""Choosing some of the observations by values of their parameters."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from sciflow.analysis.levels import codes_of, groups_of
from sciflow.analysis.observations import Observations, Parameter
from sciflow.errors import ExpressionError, ResultError
from sciflow.model.expressions import Expression
from sciflow.model.nearest import nearest
from sciflow.model.values import is_number, nearest_values

_CLOSE = 1e-9  # of the larger of two numbers: what rounding makes of a value, and no step of a sweep


def selected(observations: Observations, wanted: Mapping[str, Any], where: str | None = None) -> Observations:
    """The observations whose parameters have certain values.

    Parameters
    ----------
    observations
        Of which to choose.
    wanted
        Parameter → a value; a list of values of which it has one; ``(low, high)``, both included, of numbers, where
        None is no bound; or a function of its value. Numbers are the same where only rounding tells them apart.
    where
        An expression over parameters, which has to be true besides.

    Raises
    ------
    ResultError
        For a name that is no parameter, a value that it never has, and where nothing is left.
    """
    rows = np.ones(len(observations), dtype=bool)
    for name, value in wanted.items():
        parameter = observations.parameter(name)
        chosen = np.array(_chosen(parameter, value), dtype=bool)
        rows &= chosen[codes_of(observations.frame[name], parameter.levels)]
    if where is not None:
        rows &= _where(observations, where)
    if not rows.any():
        told = ", ".join([f"{name}={value!r}" for name, value in wanted.items()] + ([where] if where else []))
        raise ResultError(f"no combination is chosen by {told}", hint="see `to_dataframe()` for those that there are")
    return observations.of_rows(rows)


def grouped(observations: Observations, by: Sequence[str]) -> list[tuple[dict[str, Any], Observations]]:
    """The observations apart by the values of some parameters, in the order of their levels.

    Raises
    ------
    ResultError
        For a name that is no parameter.
    """
    levels = [observations.parameter(name).levels for name in by]
    codes = [codes_of(observations.frame[name], own) for name, own in zip(by, levels, strict=True)]
    order, starts = groups_of(codes, len(observations))
    found = []
    for rows in np.split(order, starts[1:]):
        values = {name: own[code[rows[0]]] for name, own, code in zip(by, levels, codes, strict=True)}
        found.append((values, observations.of_rows(rows)))
    return found


def _chosen(parameter: Parameter, wanted: Any) -> list[bool]:
    """Which of the levels are chosen."""
    levels = parameter.levels
    if callable(wanted):
        return [_says(wanted, level, parameter.name) for level in levels]
    if isinstance(wanted, tuple) and parameter.kind == "number":
        return _between(parameter, wanted)
    is_list = isinstance(wanted, (list, set, frozenset, range)) or getattr(wanted, "ndim", 0) == 1
    values = list(wanted) if is_list else [wanted]
    chosen = [False] * len(levels)
    for value in values:
        chosen[level_of(parameter, value)] = True
    return chosen


def level_of(parameter: Parameter, wanted: Any) -> int:
    """The position of the level that has a value.

    Raises
    ------
    ResultError
        Where none has it.
    """
    levels = parameter.levels
    value = wanted.item() if isinstance(wanted, np.generic) else wanted
    if isinstance(value, float) and math.isnan(value):
        value = None  # as pandas shows where a parameter is not used
    found = [place for place, level in enumerate(levels) if is_same(value, level)]
    if not found and isinstance(value, bool):
        found = [place for place, level in enumerate(levels) if level == str(value)]
    if not found:
        raise ResultError(
            f"`{parameter.name}` is never {wanted!r} in these results", hint=nearest_values(value, levels)
        )
    # Where rounding could mean several, the nearest.
    return min(found, key=lambda place: abs(levels[place] - value) if is_number(value) else 0)


def is_same(value: Any, level: Any) -> bool:
    """Whether a value means a level: numbers are the same where only rounding tells them apart."""
    if not (is_number(value) and is_number(level)):
        return isinstance(value, bool) == isinstance(level, bool) and value == level
    if float(value).is_integer() and float(level).is_integer():
        return value == level  # seeds may be neighbours
    return math.isclose(value, level, rel_tol=_CLOSE)


def _between(parameter: Parameter, wanted: tuple[Any, ...]) -> list[bool]:
    bounds = [one.item() if isinstance(one, np.generic) else one for one in wanted]
    if len(bounds) != 2 or not all(one is None or isinstance(one, (int, float)) for one in bounds):
        raise ResultError(
            f"`{parameter.name}` is to be in {wanted!r}",
            hint="give (low, high), where None is no bound; several values as a list",
        )
    low, high = (-math.inf if bounds[0] is None else bounds[0]), (math.inf if bounds[1] is None else bounds[1])
    if low > high:
        raise ResultError(
            f"`{parameter.name}` is to be in {wanted!r}, whose low end is above its high one",
            hint=f"give ({high!r}, {low!r}) for the range, or [{low!r}, {high!r}] for the two values",
        )
    return [
        level is not None and (low <= level <= high or is_same(low, level) or is_same(high, level))
        for level in parameter.levels
    ]


def _says(predicate: Callable[[Any], Any], level: Any, name: str) -> bool:
    try:
        return bool(predicate(level))
    except Exception as error:
        raise ResultError(
            f"the function that chooses `{name}` fails for {level!r}: {type(error).__name__}: {error}",
            hint="where a parameter is not used it is None" if level is None else "",
        ) from error


def _where(observations: Observations, text: str) -> np.ndarray:
    """Whether an expression over parameters is true, for each row."""
    try:
        expression = Expression(text, where="where")
    except ExpressionError as error:
        raise ResultError(error.message, hint=error.hint) from None
    names = sorted(expression.names)
    for name in names:
        if name in observations.metrics:
            raise ResultError(
                f"`{text}` names the metric `{name}`",
                hint="choose by parameters: a choice by what was measured would bend every mean; rows of "
                "`to_dataframe()` may be chosen by anything",
            )
        if name not in observations.parameters:
            raise ResultError(f"`{text}` names `{name}`, which is no parameter", nearest(name, observations.parameters))
    levels = [observations.parameters[name].levels for name in names]
    codes = [codes_of(observations.frame[name], own) for name, own in zip(names, levels, strict=True)]
    order, starts = groups_of(codes, len(observations))
    rows = np.zeros(len(observations), dtype=bool)
    for group in np.split(order, starts[1:]):
        values = {name: own[code[group[0]]] for name, own, code in zip(names, levels, codes, strict=True)}
        try:
            rows[group] = bool(expression.evaluate(values))
        except ExpressionError as error:
            unused = next((f"where `{name}` is not used it is None" for name in names if values[name] is None), "")
            raise ResultError(error.message, hint=error.hint or unused) from None
    return rows
