"""Judges what a program left against the results that its task declares."""

from __future__ import annotations

import ast
import math
import struct
from collections.abc import Iterator
from typing import Any

from sciflow_shim.outcome import Outcome
from sciflow_shim.record_format import BLOCK, CODES, split_dtype

MISSING, TYPE, RANGE = "ResultMissing", "ResultType", "ResultRange"
_SCALARS: dict[str, type] = {"float": float, "int": int, "str": str, "bool": bool}
_ARRAYS = ("array", "list", "tuple", "series")  # kinds of results that are datasets of one type and shape
_KINDS = {"b": "bool", "i": "int", "u": "int", "f": "float", "c": "complex", "S": "str"}
_SHOWN = 5  # problems in one message


def judge(declared: dict[str, dict[str, Any]], rule: str | None, outcome: Outcome, path: str) -> dict[str, str]:
    """Compare an outcome with what was declared; whole numbers that were declared as float become floats in it.

    Parameters
    ----------
    declared
        Result → its declaration, as the task's document has it.
    rule
        The task's rule for success, which may name a result that need not be there.
    outcome
        What the program left.
    path
        The file with the bytes of its results.

    Returns
    -------
    dict
        ``type`` and ``message`` of what does not fit, empty where all does. The type is that of the first problem.
    """
    problems = []
    for name, said in declared.items():
        problem = _problem(name, said, outcome, path)
        if problem is not None:
            problems.append((problem[0], f"result `{name}` is declared as {_described(said)}, {problem[1]}"))
        elif said["type"] == "float" and type(outcome.metrics.get(name)) is int:
            outcome.metrics[name] = float(outcome.metrics[name])
    if not problems:
        return _unmet_names(rule, declared, outcome) if rule is not None else {}
    more = f"; and {len(problems) - _SHOWN} more" if len(problems) > _SHOWN else ""
    return {"type": problems[0][0], "message": "; ".join([text for _, text in problems[:_SHOWN]]) + more}


def _unmet_names(rule: str, declared: dict[str, Any], outcome: Outcome) -> dict[str, str]:
    names = {node.id for node in ast.walk(ast.parse(" ".join(rule.split("\n")).strip())) if isinstance(node, ast.Name)}
    absent = sorted((names & set(declared)) - set(outcome.metrics))
    if not absent:
        return {}
    found = _found(absent[0], outcome)
    text = f"`{rule}` names the result `{absent[0]}`, "
    if found:
        return {"type": TYPE, "message": text + f"which is {found}; rules judge numbers, texts and truth values"}
    return {"type": MISSING, "message": text + f"but {_nothing(outcome)}"}


def _problem(name: str, said: dict[str, Any], outcome: Outcome, path: str) -> tuple[str, str] | None:
    kind = said["type"]
    if name in outcome.lacking:
        problem, why = outcome.lacking[name]
        return None if problem == MISSING and not said["required"] else (problem, f"but {why}")
    results = {one["name"]: one for one in outcome.results}
    result = results.get(name)
    is_none = result is not None and result["attributes"].get("type") == "builtins.NoneType"
    if is_none or not _is_there(name, outcome):
        if not said["required"]:
            return None
        return MISSING, "but it is None" if is_none else f"but {_nothing(outcome)}"
    if kind == "any":
        return None
    if kind == "array":
        return _array_problem(name, result, said, outcome, path)
    if kind in _SCALARS:
        return _scalar_problem(name, said, outcome)
    tables = {one["name"].partition("/")[0] for one in outcome.results if one["attributes"].get("kind") == "column"}
    there = name in tables if kind == "table" else any(one["name"] == name for one in outcome.artifacts)
    return None if there else _wrong_type(name, outcome)


def _scalar_problem(name: str, said: dict[str, Any], outcome: Outcome) -> tuple[str, str] | None:
    value = outcome.metrics.get(name)
    wanted = _SCALARS[said["type"]]
    if name not in outcome.metrics:
        long_text = any(
            one["name"] == name and one["attributes"].get("type") == "builtins.str" for one in outcome.results
        )
        return None if long_text and wanted is str else _wrong_type(name, outcome)
    if type(value) is not wanted and not (wanted is float and type(value) is int):
        return _wrong_type(name, outcome)
    return _range_problem([value], said) if wanted in (float, int) else None


def _array_problem(
    name: str, result: dict[str, Any] | None, said: dict[str, Any], outcome: Outcome, path: str
) -> tuple[str, str] | None:
    if result is None or result["attributes"].get("kind") not in _ARRAYS:
        if result is None or not _is_empty_list(result):
            return _wrong_type(name, outcome)
        shape, kind = [0], said.get("dtype", "")
    else:
        shape, kind = result["shape"], _array_kind(result)
    wanted = said.get("shape")
    if wanted is not None and not (
        len(wanted) == len(shape) and all(one in (None, extent) for one, extent in zip(wanted, shape))
    ):
        return TYPE, f"but its shape is {_shape(shape)}"
    dtype = said.get("dtype")
    if dtype not in (None, kind) and not (dtype == "float" and kind == "int"):
        return TYPE, f"but it is {_found(name, outcome)}"
    if kind in ("int", "float", "complex") and result is not None and shape != [0] and _has_range(said):
        return _range_problem(_values(path, result), said)
    return None


def _is_empty_list(result: dict[str, Any]) -> bool:
    """Whether it is ``[]`` or ``()``, which has no type of its own and so is no dataset."""
    attributes = result["attributes"]
    return attributes.get("kind") == "json" and attributes.get("type") == "builtins.list" and result["length"] == 2


def _array_kind(result: dict[str, Any]) -> str:
    stored_as = result["attributes"].get("stored_as", "")
    if stored_as and "U" not in stored_as:
        return "date"
    return _KINDS[split_dtype(result["dtype"])[1][0]]


def _has_range(said: dict[str, Any]) -> bool:
    return bool(said.get("finite")) or "minimum" in said or "maximum" in said


def _range_problem(values: Any, said: dict[str, Any]) -> tuple[str, str] | None:
    low, high = said.get("minimum", -math.inf), said.get("maximum", math.inf)
    bounded = low > -math.inf or high < math.inf
    finite = said.get("finite", False)
    for value in values:
        # Comparing this way round, what is not a number is not within bounds either.
        if (bounded and not low <= value <= high) or (finite and value - value != 0):
            return RANGE, f"but {'it' if isinstance(values, list) else 'a value of it'} is {value!r}"
    return None


def _values(path: str, result: dict[str, Any]) -> Iterator[Any]:
    """The numbers of an array, read by blocks: it may be larger than the memory that is left."""
    order, name, size = split_dtype(result["dtype"])
    code, parts = CODES[name][0], len(CODES[name])
    left = result["length"]
    with open(path, "rb") as file:
        file.seek(result["offset"])
        while left:
            wanted = min(left, BLOCK)
            block = file.read(wanted)
            if len(block) < wanted:
                raise ValueError(f"`{path}` ends {left - len(block)} bytes before its data do")
            left -= wanted
            yield from struct.unpack(f"{order}{len(block) // size * parts}{code}", block)


def _is_there(name: str, outcome: Outcome) -> bool:
    if name in outcome.metrics:
        return True
    named = [one["name"] for one in outcome.results] + [one["name"] for one in outcome.artifacts]
    return name in named or any(one.startswith(name + "/") for one in named)


def _wrong_type(name: str, outcome: Outcome) -> tuple[str, str]:
    return TYPE, f"but it is {_found(name, outcome)}"


def _found(name: str, outcome: Outcome) -> str:
    """What there is under a name, in words; empty where there is nothing."""
    if name in outcome.metrics:
        value = outcome.metrics[name]
        text = repr(value)
        return f"{text if len(text) <= 60 else text[:60] + '…'}, of type {type(value).__name__}"
    if any(one["name"] == name for one in outcome.artifacts):
        return "a path"
    for one in outcome.results:
        attributes = one["attributes"]
        if attributes.get("kind") == "column" and one["name"].partition("/")[0] == name:
            return "a table"
        if one["name"] == name and attributes.get("kind") in _ARRAYS:
            return f"an array of {_array_kind(one)}, of shape {_shape(one['shape'])}"
        if one["name"] == name:
            return _kept_object(attributes)
    return ""


def _kept_object(attributes: dict[str, Any]) -> str:
    kind = attributes["type"].replace("builtins.", "")
    if kind in ("list", "tuple"):
        return f"a {kind} that is no array: its values are not all float or all int"
    if kind == "int":
        return "an int of more than 64 bits"
    return f"a value of type {kind}, kept as {attributes['kind']}"


def _nothing(outcome: Outcome) -> str:
    left = ", ".join(f"`{name}`" for name in outcome.order[:10])
    return f"the program left {left}{', …' if len(outcome.order) > 10 else ''} only" if left else "nothing was left"


def _described(said: dict[str, Any]) -> str:
    words = [said["type"]]
    if "dtype" in said:
        words.append(f"of {said['dtype']}")
    if "shape" in said:
        words.append(f"of shape {_shape(said['shape'])}")
    if said.get("finite"):
        words.append("that is finite")
    words += [f"with {bound} {said[bound]:g}" for bound in ("minimum", "maximum") if bound in said]
    return " ".join(words)


def _shape(extents: list[Any]) -> str:
    return f"[{', '.join('null' if one is None else str(one) for one in extents)}]"
