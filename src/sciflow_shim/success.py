"""Judges a task's rule for success over parameters and metrics."""

from __future__ import annotations

import ast
import math
from collections.abc import Mapping
from typing import Any

# The functions that expressions know; the same list as in `sciflow.model.expressions`.
_FUNCTIONS: dict[str, Any] = {one.__name__: one for one in (min, max, abs, round, int, float, str, bool, len, sum)}
_FUNCTIONS.update(
    {name: getattr(math, name) for name in "sqrt exp log log2 log10 sin cos tan floor ceil".split()}  # noqa: SIM905
)


def is_met(rule: str, parameters: Mapping[str, Any], metrics: Mapping[str, Any]) -> bool:
    """Evaluate a rule.

    Parameters
    ----------
    rule
        An expression, which was checked against a list of allowed nodes when the workflow was compiled.
    parameters, metrics
        What it may name; a metric goes before a parameter.
    """
    tree = ast.parse(" ".join(rule.split("\n")).strip(), mode="eval")
    for node in ast.walk(tree):
        # No metric can have brackets in its name, so that one called `max` leaves `max(...)` alone.
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            node.func.id += "()"
    values = {name: _as_tuples(value) for name, value in parameters.items()}
    functions = {name + "()": function for name, function in _FUNCTIONS.items()}
    names = {**values, **metrics, "pi": math.pi, **functions, "__builtins__": {}}
    return bool(eval(compile(tree, "<success>", "eval"), names))


def _as_tuples(value: Any) -> Any:
    # JSON has no tuples; axes have no lists.
    return tuple(_as_tuples(one) for one in value) if isinstance(value, list) else value
