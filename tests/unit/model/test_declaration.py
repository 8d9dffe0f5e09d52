"""What a task declares is checked before anything runs."""

from __future__ import annotations

from typing import Any

import pytest

from sciflow.errors import WorkflowError
from sciflow.model.task import Task, make_task


def declare(results: Any, command: str | None = None, **details: Any) -> Task:
    """A task that declares results."""
    function = None if command else (lambda: {})
    return make_task("t", function, command, (), {"results": results, **details})


def test_all_keys_are_kept() -> None:
    """Type, unit, bounds and shape come through; what is not said is required and unbounded."""
    task = declare(
        {
            "accuracy": {"type": "float", "unit": "1", "minimum": 0, "maximum": 1, "finite": True},
            "path": {"type": "array", "shape": [3, None], "dtype": "float", "required": False, "unit": "m"},
            "note": {"type": "str"},
        }
    )
    assert task.results["accuracy"].model_dump(exclude_none=True) == {
        "type": "float",
        "required": True,
        "unit": "1",
        "minimum": 0.0,
        "maximum": 1.0,
        "finite": True,
    }
    assert task.results["path"].model_dump(exclude_none=True)["shape"] == (3, None)
    assert task.results["note"].required
    assert task.units == {"accuracy": "1", "path": "m"}


@pytest.mark.parametrize(
    ("declared", "message"),
    [
        ({"type": "flaot"}, "task `t`: `results.r.type` is 'flaot'; it takes"),
        ({}, "`results.r.type` is missing"),
        ({"type": "float", "units": "m"}, "`results.r.units` is not known here"),
        ({"type": "float", "shape": [1]}, "`shape` and `dtype` are for arrays, not for `float`"),
        ({"type": "array", "shape": []}, "one whole number for each dimension"),
        ({"type": "array", "shape": [-1]}, "one whole number for each dimension"),
        ({"type": "str", "unit": "m"}, "`unit` is for numbers and arrays, not for `str`"),
        ({"type": "bool", "minimum": 0}, "`minimum` and `maximum` are for real numbers, not for `bool`"),
        ({"type": "array", "maximum": 0}, "not for `array`; say `dtype: float` or `dtype: int`"),
        ({"type": "array", "dtype": "complex", "maximum": 0}, "not for `array`"),
        ({"type": "path", "finite": True}, "`finite` is for numbers, not for `path`"),
        ({"type": "int", "minimum": 3, "maximum": 2}, "`minimum` is 3, which is above `maximum`, 2"),
        ({"type": "float", "minimum": float("nan")}, "`results.r.minimum` is nan"),
    ],
)
def test_what_makes_no_sense_is_refused(declared: dict[str, Any], message: str) -> None:
    """Unknown types and keys, and bounds or units of what has none, are errors that name the place."""
    with pytest.raises(WorkflowError) as caught:
        declare({"r": declared})
    assert message in caught.value.message


@pytest.mark.parametrize("name", ["", "a\0b", "a/b", ".."])
def test_a_name_must_be_one(name: str) -> None:
    """What cannot name a result of a function cannot be declared."""
    with pytest.raises(WorkflowError, match="cannot name a result"):
        declare({name: {"type": "float"}})


OUTPUT = {"extract": {"m": {"stdout": "x", "unit": "J"}}, "outputs": ["out/energy.csv"]}


@pytest.mark.parametrize(
    ("results", "details", "message", "hint"),
    [
        ({"n": {"type": "float"}}, OUTPUT, "neither `extract` nor `outputs` gives it", "known are `m`, `out/energy"),
        ({"mm": {"type": "float"}}, OUTPUT, "neither `extract` nor `outputs` gives it", "did you mean `m`?"),
        ({"n": {"type": "float"}}, {}, "neither `extract` nor", "say under `extract` where it is found"),
        ({"m": {"type": "int"}}, OUTPUT, "declares the result `m` as `int`, but its `extract` takes it as `float`", ""),
        ({"m": {"type": "float", "unit": "eV"}}, OUTPUT, "gives it the unit `J`, not `eV`", ""),
        ({"m": {"type": "array"}}, OUTPUT, "takes a single value", ""),
        ({"m": {"type": "table"}}, OUTPUT, "gives numbers, texts and lists of them", ""),
        ({"out/energy.csv": {"type": "float"}}, OUTPUT, "those are of type `path`", ""),
        (
            {"m": {"type": "float"}},
            {"extract": {"m": {"csv": "a", "column": "b", "row": "all"}}},
            "takes all rows",
            "",
        ),
    ],
)
def test_a_command_declares_what_it_can_give(
    results: dict[str, Any], details: dict[str, Any], message: str, hint: str
) -> None:
    """What neither `extract` nor `outputs` gives, or gives otherwise, is an error before anything runs."""
    with pytest.raises(WorkflowError) as caught:
        declare(results, "echo", **details)
    assert message in caught.value.message
    assert hint in (caught.value.hint or "")


@pytest.mark.parametrize(
    ("rule", "declared"),
    [
        ({"stdout": "x", "type": "int"}, {"type": "float"}),
        ({"stdout": "x", "unit": "J"}, {"type": "any"}),
        ({"csv": "a", "column": "b", "row": "all"}, {"type": "array", "shape": [None]}),
        ({"json": "a", "key": "b"}, {"type": "array"}),
        ({"hdf5": "a", "dataset": "b", "unit": "J"}, {"type": "float", "unit": "J"}),
    ],
)
def test_what_fits_is_taken(rule: dict[str, Any], declared: dict[str, Any]) -> None:
    """An `int` that is extracted does for a `float`, a file for an array, and the unit may be said at either place."""
    task = declare({"m": declared, "o": {"type": "path"}}, "echo", extract={"m": rule}, outputs=["o"])
    assert task.units == ({"m": "J"} if "unit" in rule else {})
