"""A workflow document for some combinations of its space."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sciflow.model.values import value_document

# What gives combinations in a workflow document besides the list that takes its place.
_RULES = ("sample", "constraints", "derived", "include", "exclude")


def restricted(document: Mapping[str, Any], combinations: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """A workflow document with some combinations of its space, one by one, and without the rules that make all."""
    axes = {name: [_written(combination[name]) for combination in combinations] for name in (combinations or [{}])[0]}
    rest = {name: value for name, value in document.items() if name not in (*_RULES, "parameters", "zip")}
    return {**rest, **({"parameters": axes, "zip": [list(axes)]} if axes else {})}


def _written(value: Any) -> Any:
    return value_document(tuple(value) if isinstance(value, list) else value)
