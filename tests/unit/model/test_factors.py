"""Factors: axes alone, together and sampled."""

from __future__ import annotations

from typing import Any

import pytest

from sciflow.errors import WorkflowError
from sciflow.model.factors import Factor
from sciflow.model.parameters import ParameterSpace


def test_factors_number_the_raw_positions() -> None:
    """The last factor varies fastest; each is at the place of its first axis."""
    space = ParameterSpace.from_document({"a": [1, 2], "b": [3, 4, 5], "c": [6, 7]}, zip_groups=[["c", "a"]])
    together, alone = space.factors
    assert (together.names, len(together), together.stride) == (("c", "a"), 2, 3)
    assert (alone.names, len(alone), alone.stride) == (("b",), 3, 1)
    assert together.values("a") == (1, 2)
    assert space.raw_size == 6
    assert space[4] == {"a": 2, "b": 4, "c": 7}
    assert repr(together) == "<Factor c, a: 2 positions>"


def test_sampled_axes_are_one_factor_beside_listed_ones() -> None:
    """The sample multiplies with what is listed."""
    space = ParameterSpace.from_document(
        {"u": {"uniform": [0, 1]}, "n": [1, 2], "k": {"integers": [0, 10**6]}},
        sample={"method": "lhs", "count": 5, "seed": 3},
    )
    assert [factor.names for factor in space.factors] == [("u", "k"), ("n",)]
    assert len(space) == 10
    assert space[0]["u"] == space[1]["u"]
    assert list(space[0]) == ["u", "n", "k"]


def test_values_may_repeat_within_a_group_but_not_rows() -> None:
    """Zipping is how a list of chosen pairs is written."""
    space = ParameterSpace.from_document(
        {"method": ["cg", "cg", "lu"], "tolerance": [1, 2, 1]}, zip_groups=[["method", "tolerance"]]
    )
    assert len(space) == 3
    with pytest.raises(WorkflowError, match="zipped axes a, b has equal values at positions 0 and 2"):
        ParameterSpace.from_document({"a": [1, 2, 1], "b": [3, 3, 3.0]}, zip_groups=[["a", "b"]])


def test_first_positions_tell_rows_apart_by_some_axes() -> None:
    """Of no axes at all, every row is the same."""
    factor = Factor(("a", "b"), [(1, 2, 1), (3, 3, 4)])
    assert factor.first_positions(("a",)) == {(1,): 0, (2,): 1}
    assert factor.first_positions(("a", "b")) == {(1, 3): 0, (2, 3): 1, (1, 4): 2}
    assert factor.first_positions(()) == {(): 0}


@pytest.mark.parametrize(
    ("axes", "rules", "reason"),
    [
        ({"a": [1, 2], "b": [1]}, {"zip_groups": [["a", "b"]]}, "`a` has 2 values, `b` has 1"),
        ({"a": [1]}, {"zip_groups": [["a", "bb"]]}, "names `bb`"),
        ({"a": [1], "b": [2], "c": [3]}, {"zip_groups": [["a", "b"], ["b", "c"]]}, "`b` is zipped twice"),
        ({"a": [1]}, {"zip_groups": [["a", "a"]]}, "`a` is zipped twice"),
        ({"a": [1], "b": [1]}, {"zip_groups": ["a", "b"]}, "the group 'a'"),
        ({"a": [1]}, {"zip_groups": [[]]}, "the group []"),
        (
            {"a": [1], "u": {"uniform": [0, 1]}},
            {"zip_groups": [["a", "u"]], "sample": {"method": "lhs", "count": 1}},
            "cannot be zipped",
        ),
        ({"u": {"uniform": [0, 1]}}, {}, "axis `u` is a distribution"),
        ({"a": [1]}, {"sample": {"method": "lhs", "count": 1}}, "no axis is a distribution"),
        ({"a": [1, 1.0]}, {}, "axis `a` has equal values at positions 0 and 1: 1 and 1.0"),
        ({f"a{i}": range(1000) for i in range(7)}, {}, "more than can be numbered"),
    ],
)
def test_axes_that_do_not_fit_together(axes: Any, rules: Any, reason: str) -> None:
    """The message names the axes and what is wrong between them."""
    with pytest.raises(WorkflowError) as caught:
        ParameterSpace.from_document(axes, **rules)
    assert reason in caught.value.message
