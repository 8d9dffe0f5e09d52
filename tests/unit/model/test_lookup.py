"""Included combinations, and finding combinations by their values."""

from __future__ import annotations

from typing import Any

import pytest

from sciflow.errors import WorkflowError
from sciflow.model.parameters import ParameterSpace

AXES = {"size": [16, 32], "temperature": [1.5, 2.0, 3.0], "method": ["cg", "lu"]}


def included(*rows: dict[str, Any], **rules: Any) -> ParameterSpace:
    """A space with included combinations."""
    return ParameterSpace.from_document(AXES, include=rows, **rules)


def test_included_combinations_come_last_and_multiply_with_nothing() -> None:
    """They may have values that no axis lists."""
    new = {"size": 64, "temperature": 2.0, "method": "qr"}
    space = included(new, {"size": 64, "temperature": 1.5, "method": "cg"})
    assert len(space) == 14
    assert list(space)[:12] == list(ParameterSpace.from_document(AXES))
    assert space[12] == space[-2] == new
    assert space.index_of(new) == 12
    assert [len(factor) for factor in space.factors] == [3, 3, 3]
    assert space.raw_size == 27
    assert [space.values_at(raw, space.names) for raw in space.raw_positions().tolist()] == list(space)


def test_included_combinations_that_are_there_already_are_left_out() -> None:
    """Whether among the others, or twice among themselves; equal values count as the same."""
    there = {"size": 16.0, "temperature": 3, "method": "lu"}
    new = {"size": 8, "temperature": 3.0, "method": "lu"}
    space = included(there, new, dict(new))
    assert len(space) == 13
    assert repr(space[space.index_of(there)]) == "{'size': 16, 'temperature': 3.0, 'method': 'lu'}"


def test_included_combinations_need_not_keep_to_the_constraints() -> None:
    """What a constraint removed comes back, at the end; with nothing else left they are the space."""
    removed = {"size": 32, "temperature": 3.0, "method": "cg"}
    space = included(removed, constraints=["size < 32"], derived={"n": "size * 2"})
    assert len(space) == 7
    assert space[6] == {**removed, "n": 64}
    assert space.index_of(removed) == 6
    assert list(included(removed, constraints=["size > 99"])) == [removed]


def test_included_combinations_of_conditional_axes() -> None:
    """An inactive axis is None in them; a value for it is an error."""
    axes = {"method": ["cg", "lu"], "fill": {"values": [1, 2], "when": "method == 'cg'"}}
    space = ParameterSpace.from_document(
        axes, include=[{"method": "qr", "fill": None}, {"method": "lu", "fill": None}, {"method": "cg", "fill": 3}]
    )
    assert [tuple(row.values()) for row in space] == [
        ("cg", 1), ("cg", 2), ("lu", None), ("qr", None), ("cg", 3),
    ]  # fmt: skip
    assert [space.index_of(row) for row in space] == [0, 1, 2, 3, 4]
    with pytest.raises(WorkflowError, match="has a value for `fill`, whose condition is false"):
        ParameterSpace.from_document(axes, include=[{"method": "qr", "fill": 1}])


def test_points_can_be_included_in_a_sample() -> None:
    """They join the sampled points."""
    space = ParameterSpace.from_document(
        {"u": {"uniform": [0, 1]}, "v": {"uniform": [0, 1]}},
        sample={"method": "random", "count": 4},
        include=[{"u": 0.5, "v": 0.5}],
    )
    assert len(space) == 5
    assert space[4] == {"u": 0.5, "v": 0.5}


@pytest.mark.parametrize(
    ("row", "reason", "hint"),
    [
        ({"size": 1, "temperature": 1.5}, "does not say `method`", ""),
        ({"size": 1, "temperature": 1.5, "methd": "cg"}, "names `methd`", "`method`"),
        ({"size": [1], "temperature": 1.5, "method": "cg"}, "`size` is [1], an unhashable", ""),
        ("size", "included combination is 'size'", ""),
        ({}, "included combination is {}", ""),
    ],
)
def test_what_is_no_complete_combination(row: Any, reason: str, hint: str) -> None:
    """The message shows the row and what is missing or too much."""
    with pytest.raises(WorkflowError) as caught:
        included(row)
    assert reason in caught.value.message
    assert hint in caught.value.hint


@pytest.mark.parametrize(
    ("combination", "reason", "hint"),
    [
        ({"size": 16, "temperature": 1.6, "method": "cg"}, "`temperature` has no value 1.6", "1.5, 2.0"),
        ({"size": 16, "temperature": 1.5, "method": "cgs"}, "`method` has no value 'cgs'", "'cg'"),
        ({"size": 32, "temperature": 3.0, "method": "cg"}, "a constraint or exclusion removes it", "include"),
        ({"size": 16, "temperature": 1.5}, "does not say `method`", ""),
        ({"size": 16, "temperature": 1.5, "method": "cg", "sise": 1}, "names `sise`", "`size`"),
        ({"size": 16, "temperature": 1.5, "method": "cg", "n": 3}, "is not in the space", "`n` is 32 there"),
    ],
)
def test_a_combination_that_is_not_there(combination: Any, reason: str, hint: str) -> None:
    """The error names what differs, the hint what is nearest."""
    space = ParameterSpace.from_document(AXES, constraints=["size + temperature < 35"], derived={"n": "size * 2"})
    with pytest.raises(WorkflowError) as caught:
        space.index_of(combination)
    assert reason in caught.value.message
    assert hint in caught.value.hint


def test_values_that_do_not_occur_together() -> None:
    """Each is there, but not in one row; the hint shows a row that is."""
    space = ParameterSpace.from_document({"x": [0], "a": [1, 2], "b": [3, 4]}, zip_groups=[["a", "b"]])
    with pytest.raises(WorkflowError, match="`a`, `b` do not occur together so") as caught:
        space.index_of({"x": 0, "a": 1, "b": 4})
    assert caught.value.hint == "there is {'a': 1, 'b': 3}"


def test_a_value_for_an_inactive_axis_is_not_there() -> None:
    """Where the condition is false, only None is."""
    axes = {"a": [1, 2], "b": {"values": [3], "when": "a > 1"}}
    space = ParameterSpace.from_document(axes)
    assert space.index_of({"a": 1, "b": None}) == 0
    for wrong in ({"a": 1, "b": 3}, {"a": 2, "b": None}):
        with pytest.raises(WorkflowError, match="is not in the space"):
            space.index_of(wrong)


def test_an_included_value_is_not_there_in_other_combinations() -> None:
    """It does not multiply with the other axes when it is looked for either."""
    space = included({"size": 64, "temperature": 2.0, "method": "cg"})
    with pytest.raises(WorkflowError, match="is not in the space"):
        space.index_of({"size": 64, "temperature": 1.5, "method": "cg"})
