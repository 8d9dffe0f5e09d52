"""The base of every validated value, and its errors in the reader's words."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from sciflow.errors import SciflowError, WorkflowError
from sciflow.model.nearest import nearest


class Value(BaseModel):
    """A frozen value that refuses keys it does not know."""

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True)


V = TypeVar("V", bound=Value)
Path = tuple[int | str, ...]
_WORDS = {
    **dict.fromkeys(("string_type",), "a text"),
    **dict.fromkeys(("int_type", "int_parsing", "int_from_float"), "a whole number"),
    **dict.fromkeys(("float_type", "float_parsing"), "a number"),
    **dict.fromkeys(("bool_type", "bool_parsing"), "`true` or `false`"),
    **dict.fromkeys(("tuple_type", "list_type"), "a list"),
    **dict.fromkeys(("dict_type", "model_type", "model_attributes_type"), "a mapping (`name: value`)"),
    **dict.fromkeys(("datetime_type", "datetime_parsing", "datetime_from_date_parsing"), "a date and time"),
    **dict.fromkeys(("callable_type",), "a function"),
}


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
    if isinstance(data, kind):
        return data
    if not isinstance(data, Mapping):
        raise error(f"{where}: {data!r} is no mapping", hint=nearest("", allowed_keys(kind, ())))
    try:
        return kind.model_validate(dict(data))
    except ValidationError as problem:
        lines, hints = [], []
        for one in _distinct([_read(item, data) for item in problem.errors(include_url=False)]):
            lines.append(f"{(locate(one.path) if locate else '') or where}: {_message(one, data)}")
            if (hint := _hint(one, kind)) and hint not in hints:
                hints.append(hint)
        raise error("\n".join(lines), hint="; ".join(hints)) from None


class _Problem(NamedTuple):
    path: Path
    union: Path | None  # where the alternatives are, of which this is one
    kind: str
    value: Any
    message: str
    wanted: tuple[str, ...]  # what it should be, where that is known


def _read(item: Any, data: Mapping[str, Any]) -> _Problem:
    """Read pydantic's description; what it puts into the path beside keys and numbers are alternatives."""
    path, union, current, kind = [], None, data, item["type"]
    for number, part in enumerate(item["loc"]):
        if _holds(current, part):
            path.append(part)
            current = current[part]
        elif kind == "missing" and number == len(item["loc"]) - 1:
            path.append(part)
        elif union is None:
            union = tuple(path)
    context = item.get("ctx", {})
    wanted = context["expected"] if kind == "literal_error" else _WORDS.get(kind, "")
    if kind == "too_short" and len(item["input"]) >= context["min_length"]:
        kind = "follows"  # what is wrong inside has a message of its own
    return _Problem(tuple(path), union, kind, item["input"], item["msg"], (wanted,) if wanted else ())


def _holds(current: Any, part: int | str) -> bool:
    if isinstance(current, Mapping):
        return part in current
    return isinstance(current, list | tuple) and isinstance(part, int) and part < len(current)


def _distinct(problems: list[_Problem]) -> list[_Problem]:
    """Make one problem of the alternatives that did not fit: that which came furthest, or what each would take."""
    kept: dict[Any, _Problem] = {}
    for number, one in enumerate(problems):
        key = number if one.union is None else one.union
        before = kept.get(key)
        if one.kind == "follows":
            continue
        if before is None or len(one.path) > len(before.path):
            kept[key] = one
        elif len(one.path) == len(before.path):
            kept[key] = before._replace(wanted=tuple(dict.fromkeys([*before.wanted, *one.wanted])))
    return list(kept.values())


def _message(problem: _Problem, data: Any) -> str:
    names: list[str] = []
    for part in problem.path:
        data = data[part] if _holds(data, part) else None
        # An entry of a list is found faster by its name than by its number.
        name = data.get("name") if isinstance(part, int) and isinstance(data, Mapping) else None
        names.append(name if isinstance(name, str) else str(part))
    field = f"`{'.'.join(names)}`"
    if problem.kind == "extra_forbidden":
        return f"{field} is not known here"
    if problem.kind == "missing":
        return f"{field} is missing"
    if problem.kind in ("value_error", "assertion_error"):
        message = re.sub(r"^(Value error|Assertion failed), ", "", problem.message)
        return f"{field}: {message}" if names else message
    if problem.kind == "too_short":
        return f"{field} is empty"
    value = repr(problem.value)
    value = value if len(value) <= 80 else f"{value[:80]}…"
    if problem.wanted:
        return f"{field} is {value}; it takes {' or '.join(problem.wanted)}"
    return f"{field} is {value}; {problem.message.replace('Input', 'it')}"


def _hint(problem: _Problem, kind: type[Value]) -> str:
    if problem.kind == "extra_forbidden":
        return nearest(str(problem.path[-1]), allowed_keys(kind, problem.path[:-1]))
    words = [word for wanted in problem.wanted for word in re.findall(r"'([^']*)'", wanted)]
    if isinstance(problem.value, str) and (guess := nearest(problem.value, words)).startswith("did you mean"):
        return guess
    if "a text" in problem.wanted and isinstance(problem.value, bool | int | float):
        return "put it in quotes"
    if "a date and time" in problem.wanted:
        return "write it like `2031-05-17 22:00`"
    return ""


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
