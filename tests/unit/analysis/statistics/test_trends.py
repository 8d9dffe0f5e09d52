"""Monotone trends."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sciflow.analysis.statistics.trends import trends
from sciflow.errors import ResultError
from unit.analysis.observed_values import grid, observations_of_columns


def _row(found: Any, name: str) -> dict[str, Any]:
    return next(one for one in found.frame().to_dict("records") if one["factor"] == name)


def test_a_trend_is_that_of_mann_and_kendall() -> None:
    """Of eight values with one pair that falls S is 26, its variance 8 · 7 · 21 / 18; p is two-sided."""
    values = [1.0, 2.0, 3.0, 5.0, 4.0, 6.0, 7.0, 8.0]
    row = _row(trends(observations_of_columns({"x": range(8)}, {"y": values}).sample("y")), "x")
    z = 25 / (8 * 7 * 21 / 18) ** 0.5
    assert row["tau"] == pytest.approx(26 / 28)
    assert row["p"] == pytest.approx(2 * 0.5 * (1 - math.erf(z / 2**0.5)))
    assert row["slope"] == pytest.approx(1)
    assert (row["direction"], row["groups"], row["rising"]) == ("rises", 1, 0)


def test_other_factors_are_held_fixed() -> None:
    """Within each `b` the metric rises with `a`, while over all of them it falls."""
    columns = {"a": [1, 2, 3, 4, 3, 4, 5, 6], "b": [0, 0, 0, 0, 1, 1, 1, 1]}
    values = [11.0, 12.0, 13.0, 14.0, 1.0, 2.0, 3.0, 4.0]
    row = _row(trends(observations_of_columns(columns, {"y": values}).sample("y")), "a")
    assert (row["tau"], row["groups"], row["rising"], row["direction"]) == (1, 2, 2, "rises")


def test_repeats_count_by_their_mean() -> None:
    """Each level is one value, so that repeats do not make a trend surer than it is."""
    found = trends(grid(lambda a, seed: -a + (seed - 1) * 10, 3, a=[1, 2, 3]).sample("y"))
    row = _row(found, "a")
    assert (row["tau"], row["falling"], row["direction"]) == (-1, 1, "falls")
    assert row["p"] == pytest.approx(0.2963, abs=1e-4)  # S = -3 of three values: z = 2 / √3.667


def test_what_goes_up_and_down_has_no_trend() -> None:
    """And what does not change at all."""
    assert _row(trends(grid(lambda a: (a - 4) ** 2, a=range(9)).sample("y")), "a")["direction"] == "neither"
    row = _row(trends(grid(lambda a: 1.0, a=range(9)).sample("y")), "a")
    assert (row["tau"], row["p"], row["direction"]) == (0, 1, "neither")


def test_sampled_parameters_are_not_held_fixed() -> None:
    """They vary all at once, and that is said."""
    random = np.random.default_rng(0)
    x, z = random.random(60), random.random(60)
    sample = observations_of_columns({"x": x, "z": z}, {"y": 5 * x - z}, sampled=["x", "z"]).sample("y")
    found = trends(sample)
    assert _row(found, "x")["direction"] == "rises"
    assert _row(found, "z")["direction"] in ("falls", "neither")
    assert "vary all at once" in found.notes[-1]


def test_what_moves_together_is_not_held_against_each_other() -> None:
    """Both of two zipped axes have the trend."""
    columns = {"size": [1, 2, 3], "sweeps": [10, 20, 30]}
    found = trends(observations_of_columns(columns, {"y": [1.0, 2.0, 3.0]}).sample("y"))
    assert [_row(found, name)["tau"] for name in columns] == [1, 1]


def test_categories_have_no_trend() -> None:
    """The message says what they have."""
    with pytest.raises(ResultError, match="no factor of `y` is a number"):
        trends(grid(lambda a: len(a), a=["u", "vv"]).sample("y"))


@given(st.lists(st.integers(-5, 5), min_size=4, max_size=9), st.sampled_from([np.exp, np.arctan, lambda one: one * 3]))
@settings(max_examples=30, deadline=None)
def test_a_monotone_transformation_changes_no_trend(values: list[int], transform: Any) -> None:
    """Only ranks count."""
    columns = {"x": range(len(values))}
    found = [
        _row(trends(observations_of_columns(columns, {"y": [float(one) for one in of]}).sample("y")), "x")
        for of in (values, [transform(one) for one in values])
    ]
    assert found[0]["tau"] == pytest.approx(found[1]["tau"])
    assert found[0]["p"] == pytest.approx(found[1]["p"])
