"""Single values at parameters, of repeats their mean."""

from typing import Any

import numpy as np
import pytest

from sciflow.analysis.observations import Observations
from sciflow.analysis.optima.best import best_of
from sciflow.answers.selection import Selection
from sciflow.errors import ResultError
from unit.figures.observed import grid, observed

SEEDS = grid(x=[1, 2], seed=[7, 8, 9])


def seen(values: list, metric: str = "y", **options: Any) -> Selection:
    """Return two settings with three repeats each."""
    return Selection(observed(SEEDS, {metric: values}, repeats=["seed"], **options))


def test_the_best_of_repeats_leads_to_its_mean() -> None:
    """`get_metric` takes what `find_optimal_parameters` gives, and gives the mean by which that was chosen."""
    found = seen([5.0, 5.1, 4.9, 9.0, 0.1, 0.3])
    best = found.find_optimal_parameters("y")
    assert best == {"x": 1}
    assert found.get_metric(best, "y") == found.best("y").value == pytest.approx(5.0)
    assert found.ranking("y", count=2) == [
        ({"x": 1}, found.get_metric(best, "y")),
        ({"x": 2}, pytest.approx(3.1333, 1e-4)),
    ]
    assert found.get_metric({"x": 2, "seed": np.int64(7)}, "y") == 9.0
    assert found.get_metric({"x": np.float64(2), "seed": 8}, "y") == 0.1


def test_the_mean_is_of_the_repeats_that_have_a_finite_value() -> None:
    """One that failed is left out, and so is an infinite one; a setting with none of them has no mean."""
    found = seen([1.0, None, 3.0, float("inf"), None, 4.0])
    assert found.get_metric({"x": 1}, "y") == 2.0
    assert found.get_metric({"x": 2}, "y") == 4.0
    with pytest.raises(ResultError, match=r"none of the 3 repeats of \{'x': 2\} has a `y`"):
        seen([1.0, 2.0, 3.0, None, None, None]).get_metric({"x": 2}, "y")
    with pytest.raises(ResultError, match=r"no repeat of .* has a finite `y`"):
        seen([1.0, 2.0, 3.0, float("inf"), None, None]).get_metric({"x": 2}, "y")


def test_texts_of_repeats_have_no_mean() -> None:
    """The same text of all is the value; different ones are refused, and said to need the repeat."""
    found = seen(["a", "a", None, "a", "b", "a"])
    assert found.get_metric({"x": 1}, "y") == "a"
    with pytest.raises(ResultError, match="different values") as refused:
        found.get_metric({"x": 2}, "y")
    assert "`seed`" in refused.value.hint
    assert found.get_metric({"x": 2, "seed": 8}, "y") == "b"


def test_parameters_that_are_none_are_refused() -> None:
    """Too few of them, unknown names, and values or combinations that there are not, each in words."""
    found = seen([1.0, 2.0, 3.0, 4.0, 5.0, 6.0], states={0: "FAILED"})
    for parameters, told in (
        ({"seed": 7}, "does not say `x`"),
        ({"x": 1, "z": 2}, "`z` is no parameter"),
        ({"x": 3}, "`x` is never 3"),
        ({"x": 1, "seed": 7}, "is FAILED: it has no `y`"),
    ):
        with pytest.raises(ResultError, match=told):
            found.get_metric(parameters, "y")
    part = found.select("x == 1 or seed == 7")
    with pytest.raises(ResultError, match="is no combination of these results"):
        part.get_metric({"x": 2, "seed": 8}, "y")


def test_without_repeats_the_best_is_a_whole_combination() -> None:
    """It has every parameter, with the kind of its levels; a metric that is never there has no best."""
    table = {"x": [1, 2, 3], "n": [10, None, 30]}
    found = Selection(observed(table, {"y": [1.0, 3.0, 2.0], "none": [None, None, None]}))
    assert found.find_optimal_parameters("y") == {"x": 2, "n": None}
    best = found.find_optimal_parameters("y", maximize=False)
    assert best == {"x": 1, "n": 10}
    assert isinstance(best["n"], int)
    assert found.get_metric({"x": 2, "n": float("nan")}, "y") == 3.0
    assert (found.parameters_of("y"), found.completed) == (["x", "n"], 3)
    with pytest.raises(ResultError, match="has a number for `none`"):
        found.find_optimal_parameters("none")


def test_what_does_not_depend_on_the_repeats_has_no_seed_either() -> None:
    """The best of a metric that was gathered over the repeats is a setting, too, and has its value."""
    seeds = observed(SEEDS, {"y": [1.0] * 6, "mean": [4.0] * 3 + [6.0] * 3}, repeats=["seed"])
    metrics = {**seeds.metrics, "mean": type(seeds.metrics["mean"])("mean", "gather", ("x",))}
    found = Selection(Observations(seeds.frame, seeds.parameters, metrics))
    assert found.find_optimal_parameters("mean") == {"x": 2}
    assert found.get_metric({"x": 2}, "mean") == 6.0
    assert found.get_metric({"x": 2, "seed": 9}, "mean") == 6.0


def test_very_large_numbers_have_means() -> None:
    """Sums and squares that no float can hold do not stand in the way of means, spreads and the comparison."""
    found = seen([1e300, 1.2e300, 1.1e300, -1.7e308, -1.7e308, -1.7e308])
    assert found.get_metric({"x": 1}, "y") == pytest.approx(1.1e300)
    assert found.get_metric({"x": 2}, "y") == pytest.approx(-1.7e308)
    best = best_of(found.observations, "y")
    assert best.rows(1)[0]["sd"] == pytest.approx(1e299)
    assert best.comparison is not None
    assert best.comparison.p_values[1] < 1e-6
    summary = found.summary("y")
    assert summary.frame()["mean"].tolist() == pytest.approx([1.1e300, -1.7e308])
    assert summary.frame()["sd"].tolist() == pytest.approx([1e299, 0.0])


def test_tiny_numbers_have_spreads_too() -> None:
    """Squares that vanish do not make a spread of nothing; bootstrap knows very large and tiny values as well."""
    for size in (1e300, 1e-200):
        found = seen([1.0 * size, 1.2 * size, 1.1 * size, 2.0 * size, 2.1 * size, 2.2 * size])
        assert found.best("y").rows(1)[0]["sd"] / size == pytest.approx(0.1)
        frame = found.summary("y", interval="bootstrap").frame()
        assert (frame["low"] / size).tolist() == pytest.approx([1.0, 2.0], abs=0.07)
