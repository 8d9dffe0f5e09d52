"""One node of the workflow."""

from __future__ import annotations

from typing import Any

import pytest

from sciflow.errors import WorkflowError
from sciflow.model.task import Task, make_task


def made(**details: Any) -> Task:
    """Make a task of a command."""
    return make_task("a", None, "true", (), details)


def test_one_name_stands_for_a_list_of_one() -> None:
    """Names may be written without brackets, but `over: all` is not a parameter."""
    task = make_task("a", None, "true", "b", {"parameters": "x", "over": "s", "inputs": "i", "outputs": "o"})
    assert (task.depends_on, task.parameters, task.over) == (("b",), ("x",), ("s",))
    assert (task.inputs, task.outputs, task.kind) == (("i",), ("o",), "command")
    assert made(over="all").over == "all"
    assert make_task("a", print, None, (), {}).kind == "function"


def test_variables_are_written_as_parameters_are() -> None:
    """Numbers and truth values become the texts that programs expect."""
    task = made(environment={"OMP_NUM_THREADS": 4, "FLAG": True, "RATE": 1e-3, "TEXT": "a 'b' $(c)\né"})
    assert task.environment == {"OMP_NUM_THREADS": "4", "FLAG": "true", "RATE": "0.001", "TEXT": "a 'b' $(c)\né"}


def test_a_task_says_whether_it_keeps_checkpoints_and_how_often_it_is_tried_again() -> None:
    """Neither is so unless it says so; never again is something that it can say."""
    assert (made().checkpoints, made().retries) == (False, None)
    task = made(checkpoints=True, retries=0)
    assert (task.checkpoints, task.retries) == (True, 0)
    with pytest.raises(WorkflowError, match="`retries` is -1"):
        made(retries=-1)


@pytest.mark.parametrize(
    ("rule", "source"),
    [
        ({"stdout": r"M=(\S+)"}, "stdout"),
        ({"log": "out.log", "pattern": "x"}, "log"),
        ({"json": "out.json", "key": "a.b"}, "json_file"),
        ({"csv": "out.csv", "column": "e", "row": 3}, "csv"),
        ({"hdf5": "out.h5", "dataset": "/e", "type": "int", "unit": "eV"}, "hdf5"),
    ],
)
def test_a_metric_has_one_source(rule: Any, source: str) -> None:
    """Each kind of source is taken with what belongs to it."""
    extract = made(extract={"m": rule}).extract["m"]
    assert getattr(extract, source) == next(iter(rule.values()))


@pytest.mark.parametrize(
    ("details", "reason"),
    [
        ({"extract": {"m": {"stdout": "("}}}, "`extract.m.stdout`: `(` is no regular expression"),
        ({"extract": {"m": {"stdout": "(a)(b)"}}}, "has 2 groups; mark the value with one pair of parentheses"),
        (
            {"extract": {"m": {}}},
            "`extract.m`: say where the value is: one of `stdout`, `log`, `json`, `csv` or `hdf5`",
        ),
        ({"extract": {"m": {"stdout": "x", "csv": "y"}}}, "say where the value is"),
        ({"extract": {"m": {"json": "out.json"}}}, "`json` and `key` go together"),
        ({"extract": {"m": {"stdout": "x", "column": "e"}}}, "`csv` and `column` go together"),
        (
            {"extract": {"m": {"stdout": "x", "type": "flaot"}}},
            "`extract.m.type` is 'flaot'; it takes 'float', 'int', 'str' or 'bool'",
        ),
        ({"extract": {"m": {"stdout": "x", "type": "flaot"}}}, "did you mean `float`?"),
        (
            {"extract": {"m": {"csv": "x", "column": "e", "row": "lst"}}},
            "it takes 'first', 'last' or 'all' or a whole number",
        ),
        ({"extract": {"m n": {"stdout": "x"}}}, "'m n' cannot name a metric"),
        ({"outputs": ["../x"]}, "`outputs`: `../x` does not stay inside the working directory"),
        ({"outputs": ["/etc/passwd"]}, "`/etc/passwd` does not stay inside"),
        ({"outputs": [""]}, "`` does not stay inside"),
        ({"files": {"a/../../b": "deck.j2"}}, "`a/../../b` does not stay inside"),
        ({"files": {"a\0b": "deck.j2"}}, "does not stay inside"),
        ({"environment": {"A-B": "1"}}, "'A-B' cannot name an environment variable"),
        ({"environment": {"A=1; touch x": "1"}}, "cannot name an environment variable"),
        ({"environment": {"A": "x\0"}}, "`A` holds a NUL"),
        ({"environment": {"A": [1]}}, "`environment.A` is [1]; it takes a text"),
        ({"environment": "A=1"}, "`environment` is 'A=1'; it takes a mapping"),
        ({"success": "().__class__"}, "`success`: expression `().__class__`: an attribute (`.name`) is not allowed"),
        ({"success": "__import__('os')"}, "calling `__import__` is not allowed"),
        ({"missing": "ignore"}, "`missing` is 'ignore'; it takes 'fail' or 'skip'"),
        ({"over": 3}, "`over` is 3; it takes a list or 'all'"),
        ({"over": ["s", 3]}, "`over.1` is 3; it takes a text"),
        ({"retry": 3}, "`retry` is not known here"),
    ],
)
def test_details_that_are_wrong(details: Any, reason: str) -> None:
    """The task, the field, the value and what is allowed are named, in one message without alternatives' noise."""
    with pytest.raises(WorkflowError) as caught:
        made(**details)
    assert caught.value.message.startswith("task `a`: ")
    assert reason in str(caught.value)
    assert "\n" not in caught.value.message


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ((None, None, ()), "task `a` needs a function or a command, and not both"),
        ((print, "true", ()), "task `a` needs a function or a command, and not both"),
        ((None, " \n", ()), "the command of task `a` is empty"),
        ((None, 5, ()), "task `a`: `command` is 5; it takes a text"),
        ((5, None, ()), "task `a`: `function` is 5; it takes a function"),
        ((None, "true", 5), "task `a`: `depends_on` is 5; it takes a list"),
        ((None, "true", (1,)), "task `a`: `depends_on.0` is 1; it takes a text"),
        ((None, "true", ("b", "b")), "task `a` depends on `b` twice"),
    ],
)
def test_programs_and_edges_that_are_wrong(arguments: Any, reason: str) -> None:
    """A task has one program, and each edge once."""
    with pytest.raises(WorkflowError) as caught:
        make_task("a", arguments[0], arguments[1], arguments[2], {})
    assert reason in caught.value.message


@pytest.mark.parametrize("detail", [{"files": {"a": "b"}}, {"outputs": ["a"]}, {"extract": {"m": {"stdout": "x"}}}])
def test_what_is_for_commands_only(detail: Any) -> None:
    """A function returns its values instead, and the message says so."""
    with pytest.raises(WorkflowError, match="is for commands") as caught:
        make_task("a", print, None, (), detail)
    assert caught.value.hint == "return the values instead"
