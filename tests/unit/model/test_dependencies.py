"""Conditions and derived parameters: what they depend on, and their order."""

from __future__ import annotations

from typing import Any

import pytest

from sciflow.errors import WorkflowError
from sciflow.model.parameters import ParameterSpace


def test_a_value_depends_on_the_axes_behind_it() -> None:
    """Through conditions and other derived parameters, wherever they stand."""
    space = ParameterSpace.from_document(
        {"p": {"values": [1, 2], "when": "method == 'cg'"}, "method": ["cg", "lu"], "size": [3], "seed": [4]},
        derived={"work": "cells * 2", "cells": "size ** 2", "label": lambda p, work: f"{p}-{work}", "one": "1"},
    )
    assert space.names == ("p", "method", "size", "seed", "work", "cells", "label", "one")
    assert space.value_depends("seed") == {"seed"}
    assert space.value_depends("p") == {"p", "method"}
    assert space.value_depends("work") == {"size"}
    assert space.value_depends("label") == {"p", "method", "size"}
    assert space.value_depends("one") == frozenset()
    assert list(space[0]) == list(space.names)
    assert space[0]["label"] == "1-18"
    with pytest.raises(WorkflowError, match="names `lable`") as caught:
        space.value_depends("lable")
    assert "`label`" in caught.value.hint


def test_an_inactive_axis_is_none_and_counts_once() -> None:
    """Conditions may look at later axes, and at axes that are conditional themselves."""
    space = ParameterSpace.from_document(
        {
            "fill": {"values": [1, 2], "when": "precondition == 'ilu'"},
            "precondition": {"values": ["none", "ilu"], "when": "method == 'cg'"},
            "method": ["cg", "lu"],
        }
    )
    assert list(space) == [
        {"fill": None, "precondition": "none", "method": "cg"},
        {"fill": None, "precondition": None, "method": "lu"},
        {"fill": 1, "precondition": "ilu", "method": "cg"},
        {"fill": 2, "precondition": "ilu", "method": "cg"},
    ]
    assert [space.index_of(row) for row in space] == [0, 1, 2, 3]


def test_an_inactive_axis_of_a_group_leaves_the_others_as_they_are() -> None:
    """Rows that differ in nothing else become one."""
    space = ParameterSpace.from_document(
        {"on": [True, False], "a": [1, 1, 2], "b": {"values": [3, 4, 5], "when": "on"}}, zip_groups=[["a", "b"]]
    )
    assert [tuple(row.values()) for row in space] == [
        (True, 1, 3), (True, 1, 4), (True, 2, 5), (False, 1, None), (False, 2, None),
    ]  # fmt: skip


def test_values_at_works_out_no_more_than_is_asked_for() -> None:
    """A derived parameter that fails does not stand in the way of the others."""
    space = ParameterSpace.from_document({"a": [0, 1]}, derived={"bad": "1 / a", "good": "a + 1"})
    assert space.values_at(0, ["good"]) == {"good": 1}
    assert space.values_at(1, ["bad", "a"]) == {"bad": 1.0, "a": 1}
    assert space.values_at(0, []) == {}
    with pytest.raises(WorkflowError, match="derived parameter `bad`: expression `1 / a` cannot be evaluated"):
        space.values_at(0, ["bad"])
    with pytest.raises(WorkflowError, match="names `bda`"):
        space.values_at(0, ["bda"])


def test_derived_values_must_be_allowed() -> None:
    """The message names the parameter, the value and what it came from."""
    space = ParameterSpace.from_document({"a": [1]}, derived={"b": "[a]"})
    with pytest.raises(WorkflowError) as caught:
        space[0]
    assert caught.value.message.startswith("parameters: derived parameter `b` is [1], an unhashable value")
    assert caught.value.message.endswith(", with a = 1")
    assert "tuple" in caught.value.hint


@pytest.mark.parametrize(
    ("axes", "derived", "reason"),
    [
        ({"a": [1]}, {"b": "c", "c": "a + d", "d": "b"}, "in a circle: "),
        ({"a": [1]}, {"b": "b + 1"}, "derived parameters need each other in a circle: `b` → `b`"),
        ({"a": {"values": [1], "when": "b"}, "b": {"values": [1], "when": "a"}}, {}, "conditions of axes need"),
        ({"a": {"values": [1], "when": "a"}}, {}, "`a` → `a`"),
        ({"a": {"values": [1], "when": "x"}}, {"x": "1"}, "`when` of axis `a` names `x`"),
        ({"a": [1]}, {"b": "aa"}, "derived parameter `b` names `aa`"),
        ({"a": [1]}, {"b": lambda aa: 1}, "derived parameter `b` names `aa`"),
        ({"a": [1]}, {"a": "1"}, "`a` is an axis and a derived parameter"),
        ({"a": [1]}, {"1b": "1"}, "'1b' cannot be the name"),
        ({"a": [1]}, {"b": 3}, "derived parameter `b` is 3"),
    ],
)
def test_what_cannot_be_worked_out(axes: Any, derived: Any, reason: str) -> None:
    """Unknown names and circles are found before anything is evaluated."""
    with pytest.raises(WorkflowError) as caught:
        ParameterSpace.from_document(axes, derived=derived)
    assert reason in caught.value.message


def test_a_circle_is_shown_with_its_path() -> None:
    """Each parameter needs the next."""
    with pytest.raises(WorkflowError) as caught:
        ParameterSpace.from_document({"a": [1]}, derived={"b": "c", "c": "d", "d": "b"})
    path = caught.value.message.split(": ")[-1].split(" → ")
    assert path[0] == path[-1]
    circle = "".join(path[:-1]).replace("`", "")
    assert circle in "bcdbcd"
