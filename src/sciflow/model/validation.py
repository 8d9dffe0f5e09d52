"""The base of every validated value, and its errors in the reader's words."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from sciflow.errors import SciflowError, WorkflowError
from sciflow.model.nearest import nearest


class Value(BaseModel):
    """A frozen value that refuses keys it does not know."""

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True)


V = TypeVar("V", bound=Value)
Path = tuple[int | str, ...]


def validated(
    kind: type[V],
    data: Mapping[str, Any],
    where: str,
    error: type[SciflowError] = WorkflowError,
    locate: Callable[[Path], str] | None = None,
) -> V:
    """Make a value from plain data, or say what is wrong with it.

    Parameters
    ----------
    kind
        The value's class.
    data
        Its fields.
    where
        What the data describe, for the message: ``resources of task `train```.
    error
        The exception to raise.
    locate
        Turns a path of keys into a place such as ``file.yaml, line 7``.

    Raises
    ------
    SciflowError
        Of class `error`, with every problem on a line of its own.
    """
    try:
        return kind.model_validate(dict(data))
    except ValidationError as problem:
        lines, hints = [], []
        for item in problem.errors(include_url=False):
            line, hint = _explain(kind, item, where, locate)
            lines.append(line)
            if hint and hint not in hints:
                hints.append(hint)
        raise error("\n".join(lines), hint="; ".join(hints)) from None


def _explain(kind: type[Value], item: Any, where: str, locate: Callable[[Path], str] | None) -> tuple[str, str]:
    # Names of union members that pydantic puts into the path mean nothing to a reader.
    path: Path = tuple(part for part in item["loc"] if not _is_union_member(part))
    place = (locate(path) if locate else "") or where
    field = ".".join(str(part) for part in path)
    if item["type"] == "extra_forbidden":
        known = allowed_keys(kind, path[:-1])
        return f"{place}: `{field}` is not known here", nearest(str(path[-1]), known)
    if item["type"] == "missing":
        return f"{place}: `{field}` is missing", ""
    message = item["msg"].removeprefix("Value error, ")
    if item["type"] in ("value_error", "assertion_error"):
        return f"{place}: `{field}`: {message}" if field else f"{place}: {message}", ""
    message = message[:1].lower() + message[1:]
    return f"{place}: `{field}` is {item['input']!r}: {message}", ""


def _is_union_member(part: int | str) -> bool:
    return isinstance(part, str) and (
        "[" in part or part in {"str", "int", "float", "bool", "dict", "list", "tuple", "callable"} or "-" in part
    )


def allowed_keys(kind: type[Value], path: Path) -> list[str]:
    """The keys that a value, or the value inside it at `path`, knows."""
    model: Any = kind
    for part in path:
        if isinstance(part, int) or not hasattr(model, "model_fields"):
            continue
        field = model.model_fields.get(part)
        inner = _models_in(field.annotation) if field else []
        if not inner:
            continue
        model = inner[0]
    fields = getattr(model, "model_fields", {})
    return [info.alias or name for name, info in fields.items()]


def _models_in(annotation: Any) -> list[Any]:
    if hasattr(annotation, "model_fields"):
        return [annotation]
    return [model for argument in getattr(annotation, "__args__", ()) for model in _models_in(argument)]
