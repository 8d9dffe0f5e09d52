"""Pareto fronts of observations."""

import math

import numpy as np
import pytest

from sciflow.analysis.optima.pareto import pareto
from sciflow.errors import ResultError
from unit.figures.observed import grid, observed


def test_the_front_is_what_textbooks_draw() -> None:
    """Large and small objectives are told apart, equal points are both members, and the frame starts with the best."""
    known = observed({"x": [1, 2, 3, 4, 5]}, {"gain": [5, 4, 3, 4, 1], "price": [9, 4, 5, 4, 1]})
    front = pareto(known, maximize=["gain"], minimize=["price"])
    assert front.points["on_front"].tolist() == [True, True, False, True, True]
    assert front.frame()["x"].tolist() == [1, 2, 4, 5]
    assert len(front) == 4
    assert not front.is_repeated
    assert "4 of 5 combinations are on the front of the largest `gain` and the smallest `price`" in front.described()
    assert "without repeats it cannot be known" in front.described()
    assert np.isnan(front.points["price low"]).tolist() == [True] * 5


def test_repeats_count_by_their_means_and_say_which_members_are_uncertain() -> None:
    """A lucky repeat makes no member; members whose intervals reach into others are uncertain, others certain."""
    space = grid(x=["a", "b", "c", "lucky"], seed=[1, 2, 3])
    gain = [10.0, 10.1, 9.9, 5.0, 5.1, 4.9, 5.0, 5.3, 4.6, 0.0, 0.0, 12.0]
    price = [9.0, 9.1, 8.9, 5.0, 5.1, 4.9, 5.05, 5.1, 5.0, 9.5, 9.5, 9.5]
    front = pareto(observed(space, {"gain": gain, "price": price}, repeats=["seed"]), ["gain"], ["price"])
    assert front.parameters == ("x",)
    table = front.points.set_index("x")
    assert table["on_front"].to_dict() == {"a": True, "b": True, "c": False, "lucky": False}
    assert table["certain"].to_dict() == {"a": True, "b": False, "c": False, "lucky": False}
    assert front.perhaps == 2  # c, and what was lucky once
    assert table.loc["a", "gain"] == pytest.approx(10.0)
    assert table.loc["a", "gain low"] < 10 < table.loc["a", "gain high"]


def test_a_clear_front_is_certain() -> None:
    """Where repeats hardly differ, every member is certain, and so is everything that is dominated."""
    space = grid(x=[1, 2, 3], seed=[1, 2, 3])
    noise = np.array([0.0, 1e-6, -1e-6] * 3)
    gain, price = (np.repeat(values, 3) + noise for values in ([3.0, 2.0, 1.0], [3.0, 1.0, 2.0]))
    known = observed(space, {"gain": gain.tolist(), "price": price.tolist()})
    front = pareto(known.with_repeats(["seed"]), ["gain"], ["price"])
    assert front.points["on_front"].tolist() == [True, True, False]
    assert front.points["certain"].tolist() == [True] * 3
    assert front.described().endswith("2 of them for certain (95% intervals); the others are off it for certain")


def test_what_has_no_finite_value_is_left_out_and_said() -> None:
    """NaN, infinities and failed combinations are no points; how many is in the coverage, and may be too few."""
    known = observed({"x": [1, 2, 3, 4]}, {"a": [1.0, math.nan, math.inf, None], "b": [1.0, 2.0, 3.0, None]})
    front = pareto(known, ["a"], ["b"])
    assert front.points["x"].tolist() == [1]
    assert str(front.coverage) == "1 of 4"
    assert "1 of 4 is infinite" in " ".join(front.notes)
    with pytest.raises(ResultError, match=r"1 of 4 values of `a`, `b` are there, 25%, and at least 90%"):
        pareto(known, ["a"], ["b"], minimum_coverage=0.9)


def test_a_condition_leaves_out_before_the_front_is_found() -> None:
    """It may name parameters and metrics, whose means count, and a metric with its task."""
    known = observed({"x": [1, 2, 3, 4]}, {"a": [4.0, 3, 2, 1], "b": [4.0, 3, 2, 1], "run.memory": [8.0, 1, 1, 1]})
    front = pareto(known, ["a"], ["b"], where="run.memory < 4 and x <= 3")
    assert front.points["x"].tolist() == [2, 3]


def test_metrics_of_different_tasks_meet_where_both_were_measured() -> None:
    """A metric that depends on fewer parameters has its one value at each of the others."""
    space = grid(x=[1, 2], y=[1, 2])
    known = observed(space, {"a": [1.0, 1, 2, 2], "b": [1.0, 2, 3, 4]}, depends={"a": ["x"]})
    points = pareto(known, ["a"], ["b"]).points
    assert points["a"].tolist() == [1, 1, 2, 2]
    assert points["on_front"].tolist() == [True, False, True, False]


@pytest.mark.parametrize(
    ("maximize", "minimize", "where", "message"),
    [
        (["a"], [], None, "a Pareto front is of two metrics at least, not of 1"),
        (["a"], ["a"], None, "`a` is an objective twice"),
        (["a"], ["c"], None, "there is no metric `c`"),
        (["a"], ["words"], None, "`words` is no number: 'p'"),
        (["a"], ["b"], "z > 1", "`where` names `z`, which is neither a parameter nor a metric"),
        (["a"], ["b"], "a > 100", "`a > 100` holds nowhere, at none of 2 combinations"),
        (["a"], ["b"], "seed > 1", "`where` names `seed`, which varies with what means are taken over"),
        (["a"], ["b"], "words < 1", "`words` is no number"),
        (["a"], ["b"], "x +", "it cannot be read"),
        (["a"], ["b"], "__import__('os')", "is not allowed"),
        (["a"], ["b"], "1 / (x - 1) > 0", "cannot be evaluated: division by zero"),
    ],
)
def test_questions_that_make_no_sense_are_refused(
    maximize: list[str], minimize: list[str], where: str | None, message: str
) -> None:
    """The message names what is wrong."""
    known = observed(grid(x=[1, 2], seed=[1]), {"a": [1.0, 2], "b": [1.0, 2], "words": ["p", "q"]}, repeats=["seed"])
    with pytest.raises(ResultError) as caught:
        pareto(known, maximize, minimize, where=where)
    assert message in str(caught.value)
