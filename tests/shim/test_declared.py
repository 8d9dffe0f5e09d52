"""What a program left is held against what its task declares."""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest

from sciflow_shim.attempt import Attempt
from sciflow_shim.declared import judge
from sciflow_shim.outcome import Outcome, read_outcome
from sciflow_shim.packing import pack_returned

if TYPE_CHECKING:
    from shim.conftest import Prepare

NAN, INF = math.nan, math.inf


def judged(tmp_path: Path, declared: dict[str, Any], returned: Any, rule: str | None = None) -> dict[str, str]:
    """What is said of what a function returned, once that went through its file."""
    outcome = Outcome()
    pack_returned(outcome, returned, str(tmp_path))
    outcome.write(str(tmp_path / "outcome"))
    found = read_outcome(str(tmp_path / "outcome"))
    assert found is not None
    said = {name: {"required": True, **one} for name, one in declared.items()}
    error = judge(said, rule, found, str(tmp_path / "outcome"))
    assert found.metrics.keys() == outcome.metrics.keys()
    return error


@pytest.mark.parametrize(
    ("declared", "value"),
    [
        ({"type": "float"}, 0.5),
        ({"type": "float"}, 3),
        ({"type": "float"}, NAN),
        ({"type": "float"}, np.float32(2)),
        ({"type": "float", "minimum": 0.5, "maximum": 0.5, "finite": True}, 0.5),
        ({"type": "int", "minimum": -1}, np.int8(-1)),
        ({"type": "str"}, ""),
        ({"type": "str"}, "long " * 9999),
        ({"type": "bool"}, np.bool_(False)),
        ({"type": "array"}, np.zeros((2, 3))),
        ({"type": "array", "shape": [None, 3], "dtype": "float"}, np.zeros((2, 3), ">f4")),
        ({"type": "array", "dtype": "float"}, [1, 2]),
        ({"type": "array", "dtype": "int", "minimum": 1, "maximum": 2}, (1, 2)),
        ({"type": "array", "dtype": "int"}, np.zeros(2, "u2")),
        ({"type": "array", "dtype": "str"}, np.array(["a", "ü"])),
        ({"type": "array", "dtype": "bool", "finite": True}, np.array([True])),
        ({"type": "array", "dtype": "complex", "finite": True}, np.array([1j])),
        ({"type": "array", "finite": True, "dtype": "float", "minimum": 0}, np.linspace(0, 1, 300_001)),
        ({"type": "array", "shape": [None]}, []),
        ({"type": "array", "shape": [0, 2], "finite": True}, np.zeros((0, 2))),
        ({"type": "table"}, pd.DataFrame({"a": [1.0], "b": [2]})),
        ({"type": "any"}, object),
        ({"type": "any"}, 1),
        ({"type": "any"}, pd.DataFrame({"a": [1.0]})),
        ({"type": "float", "required": False}, None),
    ],
    ids=str,
)
def test_what_fits_is_taken(tmp_path: Path, declared: dict[str, Any], value: Any) -> None:
    """Every type takes its values; a whole number does for a float, and None for what need not be there."""
    assert judged(tmp_path, {"r": declared}, {"r": value, "other": 1}) == {}


@pytest.mark.parametrize(
    ("declared", "value", "kind", "message"),
    [
        ({"type": "float"}, None, "ResultMissing", "is declared as float, but it is None"),
        ({"type": "float"}, True, "ResultType", "but it is True, of type bool"),
        ({"type": "float"}, "0.5", "ResultType", "but it is '0.5', of type str"),
        ({"type": "float"}, "x" * 99, "ResultType", f"but it is '{'x' * 59}…, of type str"),
        ({"type": "float"}, [0.5], "ResultType", "but it is an array of float, of shape [1]"),
        ({"type": "int"}, 2.0, "ResultType", "but it is 2.0, of type float"),
        ({"type": "int"}, 2**70, "ResultType", "but it is an int of more than 64 bits"),
        ({"type": "bool"}, 1, "ResultType", "but it is 1, of type int"),
        ({"type": "str"}, 1, "ResultType", "is declared as str, but it is 1, of type int"),
        ({"type": "float", "finite": True}, NAN, "ResultRange", "float that is finite, but it is nan"),
        ({"type": "float", "finite": True}, -INF, "ResultRange", "but it is -inf"),
        ({"type": "float", "minimum": 0}, NAN, "ResultRange", "float with minimum 0, but it is nan"),
        ({"type": "float", "minimum": 0, "maximum": 1}, 1.5, "ResultRange", "with minimum 0 with maximum 1, but it is"),
        ({"type": "int", "maximum": 2}, 3, "ResultRange", "int with maximum 2, but it is 3"),
        ({"type": "array"}, 1.0, "ResultType", "but it is 1.0, of type float"),
        ({"type": "array"}, [1, 2.5], "ResultType", "a list that is no array: its values are not all float or all int"),
        ({"type": "array", "shape": [2]}, [], "ResultType", "array of shape [2], but its shape is [0]"),
        (
            {"type": "array", "shape": [None, 3]},
            np.zeros((3, 2)),
            "ResultType",
            "of shape [null, 3], but its shape is [3",
        ),
        ({"type": "array", "dtype": "int"}, [1.0], "ResultType", "array of int, but it is an array of float"),
        ({"type": "array", "dtype": "int"}, np.array(["2020"], "M8[s]"), "ResultType", "but it is an array of date"),
        ({"type": "array", "finite": True}, np.array([1, NAN], ">f4"), "ResultRange", "but a value of it is nan"),
        ({"type": "array", "finite": True}, np.array([INF * 1j]), "ResultRange", "but a value of it is"),
        (
            {"type": "array", "dtype": "float", "minimum": 0},
            np.r_[np.zeros(300_000), -1],
            "ResultRange",
            "but a value of it is -1.0",
        ),
        ({"type": "table"}, {"a": 1}, "ResultType", "but it is a value of type dict, kept as json"),
        ({"type": "table"}, pd.DataFrame({"a": ["x"]}), "ResultType", "DataFrame, kept as pickle"),
        ({"type": "array"}, pd.DataFrame({"a": [1.0]}), "ResultType", "but it is a table"),
        ({"type": "path"}, "a.txt", "ResultType", "but it is 'a.txt', of type str"),
        ({"type": "float", "required": False}, "x", "ResultType", "of type str"),
    ],
    ids=str,
)
def test_what_does_not_fit_is_named(
    tmp_path: Path, declared: dict[str, Any], value: Any, kind: str, message: str
) -> None:
    """The message says what was declared and what was found; a truth value is no number, and NaN in no bounds."""
    error = judged(tmp_path, {"r": declared}, {"r": value})
    assert error["type"] == kind
    assert error["message"].startswith("result `r` is declared as ")
    assert message in error["message"]


def test_a_path_is_a_path(tmp_path: Path) -> None:
    """A file that is returned as a path fits `path`, and no number."""
    (tmp_path / "a.txt").touch()
    assert judged(tmp_path, {"r": {"type": "path"}}, {"r": Path("a.txt")}) == {}
    assert "but it is a path" in judged(tmp_path, {"r": {"type": "int"}}, {"r": Path("a.txt")})["message"]


def test_what_is_missing_is_said_beside_what_is_there(tmp_path: Path) -> None:
    """The first problem gives the type; the message names five, and what the program left."""
    declared = {f"r{i}": {"type": "float"} for i in range(7)}
    error = judged(tmp_path, declared, {"r": 1.0, "s": 2.0})
    assert error["type"] == "ResultMissing"
    assert error["message"].startswith(
        "result `r0` is declared as float, but the program left `r`, `s` only; result `r1`"
    )
    assert error["message"].endswith("; and 2 more")
    assert judged(tmp_path, {"r": {"type": "any"}}, None)["message"].endswith("but nothing was left")


def test_a_plain_value_is_called_result(tmp_path: Path) -> None:
    """A function that returns a number may declare it under the name under which it is kept."""
    assert judged(tmp_path, {"result": {"type": "float"}}, 3) == {}


@pytest.mark.parametrize(
    ("returned", "kind"), [({}, "ResultMissing"), ({"r": [1.0]}, "ResultType"), ({"r": 2}, ""), ({"r": -2}, "")]
)
def test_a_rule_over_a_result_that_is_not_there(tmp_path: Path, returned: dict[str, Any], kind: str) -> None:
    """Where `success` names an optional result that is missing, or is no metric, that is the error."""
    error = judged(tmp_path, {"r": {"type": "any", "required": False}}, {"x": 1, **returned}, "r\n > 0")
    assert error.get("type", "") == kind


PROGRAM = """
def work(x):
    if x == 0:
        return {"accuracy": 1, "curve": [0.5, 0.25], "extra": "kept"}
    if x == 1:
        return {"acuracy": 0.5, "curve": [0.5, 0.25]}
    return {"accuracy": 0.1, "curve": [0.5]}
"""
RESULTS = {
    "accuracy": {"type": "float", "unit": "1"},
    "curve": {"type": "array", "shape": [2], "dtype": "float", "unit": "m"},
}


def test_a_function_is_judged_where_it_ran(prepare: Prepare) -> None:
    """What does not fit is CRITERIA_NOT_MET with what was found kept; what fits has its unit and its type."""
    task = {"name": "work", "python": "work", "results": RESULTS, "success": "accuracy > 0.2"}
    run = prepare(PROGRAM, task, parameters={"x": [0, 1, 2]})
    assert [run.execute(index=i).returncode for i in range(3)] == [0, 1, 1]
    good, missing, wrong = (run.record(index=i) for i in range(3))
    accuracy = good["metrics"].attributes["accuracy"]
    assert (good.attributes["state"], accuracy, type(accuracy)) == ("COMPLETED", 1.0, float)
    assert json.loads(good.attributes["units"]) == {"accuracy": "1"}
    assert good["results/curve"].attributes["units"] == "m"
    assert [one.attributes["state"] for one in (missing, wrong)] == ["CRITERIA_NOT_MET"] * 2
    assert [one.attributes["error_type"] for one in (missing, wrong)] == ["ResultMissing", "ResultType"]
    assert "but the program left `acuracy`, `curve` only" in missing.attributes["error"]
    assert missing["metrics"].attributes == {"acuracy": 0.5}
    assert "its shape is [1]" in wrong.attributes["error"]
    assert wrong["metrics"].attributes == {"accuracy": 0.1}


def test_a_rule_is_judged_after_the_results(prepare: Prepare) -> None:
    """Results that fit and a rule that does not hold are CRITERIA_NOT_MET without a type of error."""
    task = {"name": "work", "python": "work", "results": {"accuracy": {"type": "float"}}, "success": "accuracy > 0.2"}
    run = prepare(PROGRAM, task, parameters={"x": [2]})
    assert run.execute().returncode == 1
    facts = run.facts()
    assert (facts["state"], facts["error_type"]) == ("CRITERIA_NOT_MET", "")
    assert facts["error"] == "`accuracy > 0.2` does not hold"


EXTRACT = {
    "energy": {"stdout": r"E=(\S+)", "unit": "J"},
    "steps": {"json": "state.json", "key": "n", "type": "int"},
}


@pytest.mark.parametrize(
    ("command", "results", "state", "kind", "message"),
    [
        ("echo E=2; echo '{\"n\": 3}' > state.json; touch out", {}, "COMPLETED", "", ""),
        (
            "echo E=2; touch out",
            {},
            "CRITERIA_NOT_MET",
            "ResultMissing",
            "`state.json` cannot be read: No such file or directory",
        ),
        ("echo E=2; touch out", {"steps": {"type": "int", "required": False}}, "COMPLETED", "", ""),
        (
            "echo E=two; echo '{\"n\": 3}' > state.json; touch out",
            {},
            "CRITERIA_NOT_MET",
            "ResultType",
            "metric `energy` is 'two', which is no float",
        ),
        (
            "echo; echo '{\"n\": 3}' > state.json; touch out",
            {},
            "CRITERIA_NOT_MET",
            "ResultMissing",
            "nothing in what it printed matches",
        ),
        ("echo E=2; echo '{\"n\": 3}' > state.json", {}, "CRITERIA_NOT_MET", "ResultMissing", "left `energy`, `steps`"),
        ("echo E=2; touch out", {"steps": None}, "FAILED", "FileNotFoundError", "state.json"),
    ],
)
def test_a_command_is_judged_by_what_it_left(
    prepare: Prepare, command: str, results: dict[str, Any], state: str, kind: str, message: str
) -> None:
    """Of a command, what is declared and not found is an outcome of its own; what is not declared fails as ever."""
    declared = {"energy": {"type": "float"}, "steps": {"type": "int"}, "out": {"type": "path"}, **results}
    declared = {name: one for name, one in declared.items() if one is not None}
    task = {"name": "work", "command": command, "extract": EXTRACT, "outputs": ["out"], "results": declared}
    run = prepare("", task)
    run.execute()
    facts = run.facts()
    assert (facts["state"], facts["error_type"]) == (state, kind), facts["error"]
    assert message in facts["error"]
    if state == "COMPLETED":
        assert json.loads(facts["units"]) == {"energy": "J"}


def test_it_is_loaded_only_where_something_is_declared(prepare: Prepare) -> None:
    """A cold start does not pay for what its task does not use."""
    assert prepare("def work(): pass").execute().returncode == 0
    program = "import sys, sciflow_shim.__main__; print('sciflow_shim.declared' in sys.modules)"
    source = str(Path(sys.modules["sciflow_shim"].__file__ or "").parents[1])
    done = subprocess.run(
        [sys.executable, "-S", "-c", f"import sys; sys.path.insert(0, {source!r}); {program}"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == "False"


def test_what_cannot_be_read_cannot_be_judged(prepare: Prepare) -> None:
    """Where the numbers of an array are cut off, that is said, and the others go on."""
    results = {"r": {"type": "array", "finite": True}}
    run = prepare("def work(): pass", {"name": "work", "python": "work", "results": results})
    attempt = Attempt(run.array(), 0, 1)
    attempt.clear()
    outcome = Outcome()
    pack_returned(outcome, {"r": np.zeros(200_000)}, "")
    outcome.write(attempt.outcome_path)
    found = read_outcome(attempt.outcome_path)
    assert found is not None
    os.truncate(attempt.outcome_path, 1000)
    attempt.outcome = found
    attempt.judge(0, None)
    assert attempt.state == "CRITERIA_NOT_MET"
    assert attempt.error["type"] == "ValueError"
    assert "its results cannot be judged" in attempt.error["message"]
