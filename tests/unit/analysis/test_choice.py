"""Choosing some of the observations, and taking them apart."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from sciflow.analysis.choice import grouped, selected
from sciflow.analysis.observations import Observations
from sciflow.errors import ResultError
from unit.figures.observed import grid, observed


@pytest.fixture
def some() -> Observations:
    """Return two solvers by four rates, of which one solver has a tolerance."""
    columns = grid(solver=["lu", "cg"], rate=[0.1, 0.2, 0.3, 0.4])
    columns["tolerance"] = [None] * 4 + [0.01] * 4
    return observed(columns, {"loss": list(range(8))})


def rows_of(observations: Observations) -> list[int]:
    """The rows that were chosen, by their metric."""
    return [int(one) for one in observations.frame["loss"]]


@pytest.mark.parametrize(
    ("wanted", "rows"),
    [
        ({}, [0, 1, 2, 3, 4, 5, 6, 7]),
        ({"solver": "cg"}, [4, 5, 6, 7]),
        ({"rate": 0.1 + 0.2}, [2, 6]),
        ({"rate": np.float64(0.3)}, [2, 6]),
        ({"rate": [0.1, 0.4], "solver": "lu"}, [0, 3]),
        ({"rate": np.array([0.1, 0.4]), "solver": ["lu"]}, [0, 3]),
        ({"rate": (0.2, 0.1 + 0.2), "solver": "lu"}, [1, 2]),
        ({"rate": (None, 0.2), "solver": "lu"}, [0, 1]),
        ({"rate": (np.float64(0.25), None), "solver": "lu"}, [2, 3]),
        ({"rate": (0.25, math.inf), "solver": "lu"}, [2, 3]),
        ({"rate": lambda rate: rate > 0.25, "solver": "lu"}, [2, 3]),
        ({"tolerance": None}, [0, 1, 2, 3]),
        ({"tolerance": float("nan")}, [0, 1, 2, 3]),
        ({"tolerance": [0.01]}, [4, 5, 6, 7]),
        ({"tolerance": (0, 1)}, [4, 5, 6, 7]),
        ({"tolerance": [None, 0.01], "rate": 0.1}, [0, 4]),
    ],
)
def test_rows_are_chosen_by_values(some: Observations, wanted: dict[str, Any], rows: list[int]) -> None:
    """One value, several, a range with its ends, or a function; rounding makes no other number."""
    assert rows_of(selected(some, wanted)) == rows


@pytest.mark.parametrize(
    ("where", "rows"),
    [
        ("rate > 0.25 and solver == 'cg'", [6, 7]),
        ("tolerance is None", [0, 1, 2, 3]),
        ("tolerance is not None and tolerance < rate / 10", [5, 6, 7]),
        ("True", [0, 1, 2, 3, 4, 5, 6, 7]),
    ],
)
def test_rows_are_chosen_by_an_expression(some: Observations, where: str, rows: list[int]) -> None:
    """Over one or more parameters, as in a constraint; together with values both have to hold."""
    assert rows_of(selected(some, {}, where)) == rows
    assert rows_of(selected(some, {"rate": 0.4}, where)) == [row for row in rows if row % 4 == 3]


def test_levels_are_those_that_are_left(some: Observations) -> None:
    """What is known of parameters follows the rows."""
    part = selected(some, {"solver": "lu"})
    assert part.parameters["solver"].levels == ("lu",)
    assert part.parameters["tolerance"].levels == (None,)


@pytest.mark.parametrize(
    ("wanted", "where", "told"),
    [
        ({"rat": 1}, None, "did you mean `rate`"),
        ({"rate": 0.35}, None, r"`rate` is never 0.35 in these results\nhint: the nearest are 0.3, 0.4"),
        ({"rate": [0.1, "x"]}, None, "`rate` is never 'x'"),
        ({"rate": (0.1, 0.2, 0.3)}, None, "several values as a list"),
        ({"rate": ("a", "b")}, None, "several values as a list"),
        ({"solver": ("lu", "cg")}, None, r"`solver` is never \('lu', 'cg'\)"),
        ({"rate": (0.21, 0.22)}, None, r"no combination is chosen by rate=\(0.21, 0.22\)"),
        ({"tolerance": lambda one: one < 1}, None, "the function that chooses `tolerance` fails for None: TypeError"),
        ({}, "rate > 1", "no combination is chosen by rate > 1"),
        ({}, "rat > 1", "`rat > 1` names `rat`, which is no parameter\nhint: did you mean `rate`"),
        ({}, "loss > 1", "names the metric `loss`"),
        ({}, "rate >", "cannot be read"),
        ({}, "tolerance < 1", "hint: where `tolerance` is not used it is None"),
    ],
)
def test_what_chooses_nothing_is_said(some: Observations, wanted: dict[str, Any], where: str | None, told: str) -> None:
    """Unknown names and values with the nearest, ranges that are none, and what cannot be worked out."""
    with pytest.raises(ResultError, match=told):
        selected(some, wanted, where)


def test_equal_keys_of_python_are_not_equal_levels() -> None:
    """True is not 1, and 1.0 is; whole numbers that are neighbours stay apart, however large they are."""
    flags = observed({"x": [False, True]}, {"loss": [0, 1]})
    assert rows_of(selected(flags, {"x": True})) == [1]
    with pytest.raises(ResultError, match="`x` is never 1"):
        selected(flags, {"x": 1})
    numbers = observed({"x": [0, 1]}, {"loss": [0, 1]})
    assert rows_of(selected(numbers, {"x": 1.0})) == [1]
    with pytest.raises(ResultError, match="`x` is never True"):
        selected(numbers, {"x": True})
    mixed = observed({"x": [1, "True"]}, {"loss": [0, 1]})
    assert rows_of(selected(mixed, {"x": True})) == [1]
    seeds = observed({"x": [2147483646, 2147483647]}, {"loss": [0, 1]})
    assert rows_of(selected(seeds, {"x": 2147483647})) == [1]
    assert rows_of(selected(seeds, {"x": (None, 2147483646.0)})) == [0]


def test_a_tuple_may_be_a_value() -> None:
    """Where values are tuples, one is a value and no range."""
    shapes = observed({"shape": [(1, 2), (2, 2)]}, {"loss": [0, 1]})
    assert rows_of(selected(shapes, {"shape": (2, 2)})) == [1]
    assert rows_of(selected(shapes, {"shape": [(2, 2), (1, 2)]})) == [0, 1]


def test_close_values_are_told_apart() -> None:
    """Of two levels that rounding could mean, the nearer one is chosen."""
    close = observed({"x": [0.1, 0.1 * (1 + 4e-10)]}, {"loss": [0, 1]})
    assert rows_of(selected(close, {"x": 0.1})) == [0]
    assert rows_of(selected(close, {"x": 0.1 * (1 + 4e-10)})) == [1]


def test_groups_are_in_the_order_of_levels(some: Observations) -> None:
    """The first parameter varies slowest, None comes last, and each part has its values."""
    parts = grouped(some, ["tolerance", "rate"])
    assert [tuple(values.values()) for values, _ in parts] == [
        (tolerance, rate) for tolerance in (0.01, None) for rate in (0.1, 0.2, 0.3, 0.4)
    ]
    assert [rows_of(part) for _, part in parts] == [[4], [5], [6], [7], [0], [1], [2], [3]]
    assert [rows_of(part) for _, part in grouped(some, ["solver"])] == [[0, 1, 2, 3], [4, 5, 6, 7]]
    assert [(values, rows_of(part)) for values, part in grouped(some, [])] == [({}, list(range(8)))]
    with pytest.raises(ResultError, match="`loss` is a metric"):
        grouped(some, ["loss"])


def test_a_range_the_wrong_way_round_is_refused() -> None:
    """It could be meant as two values: both ways to write what was meant are named."""
    with pytest.raises(ResultError, match="low end is above its high one") as refused:
        selected(observed({"x": [1, 2, 3]}, {"y": [1.0, 2.0, 3.0]}), {"x": (3, 1)})
    assert refused.value.hint == "give (1, 3) for the range, or [3, 1] for the two values"
