"""Repeats become a number, and how sure it is."""

from __future__ import annotations

import math
import time
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from sciflow.analysis.observations import STATE, Sample
from sciflow.analysis.repeats import means, quantile_name
from sciflow.errors import ResultError
from unit.figures.observed import grid, observed

HUNDREDTHS = st.integers(-(10**6), 10**6).map(lambda one: one / 100)


def sample_of(values: list[float | None], levels: int = 1, **more: object) -> Sample:
    """Return values of so many levels of `x`, one after another."""
    seeds = len(values) // levels
    columns = grid(x=list(range(levels)), seed=list(range(seeds)))
    return observed(columns, {"y": values}, repeats=["seed"]).sample("y")


def test_means_of_each_level() -> None:
    """Count, mean, standard deviation, and Student's t, as a textbook has it: 8.1 and 1.0 of 9.2, 8.2, 7.1, 7.9."""
    frame = means(sample_of([9.2, 8.2, 7.1, 7.9, 1.0, 2.0, 3.0, 4.0], levels=2), ["x"])
    assert list(frame) == ["x", "count", "mean", "sd", "low", "high"]
    assert frame["x"].tolist() == [0, 1]
    assert frame["count"].tolist() == [4, 4]
    assert frame["mean"].tolist() == pytest.approx([8.1, 2.5])
    assert frame["sd"].tolist() == pytest.approx([0.8679, 1.29099], abs=1e-4)
    # t(0.975, 3) = 3.182
    assert frame["high"].tolist() == pytest.approx([8.1 + 3.18245 * 0.8679 / 2, 2.5 + 3.18245 * 1.29099 / 2], abs=1e-3)


@settings(max_examples=40)
@given(st.lists(HUNDREDTHS, min_size=2, max_size=8), st.sampled_from([0.5, 0.9, 0.99]))
def test_an_interval_is_scipys(values: list[float], confidence: float) -> None:
    """Whatever the values, and whatever the confidence."""
    (row,) = means(sample_of([*values]), [], "t", confidence).to_dict("records")
    if len(set(values)) == 1:
        assert row["low"] == row["mean"] == row["high"] == values[0]
    else:
        low, high = stats.t.interval(confidence, len(values) - 1, np.mean(values), stats.sem(values))
        assert (row["low"], row["high"]) == pytest.approx((low, high), abs=1e-6)
    assert row["sd"] == pytest.approx(np.std(values, ddof=1), abs=1e-6)


def test_other_intervals() -> None:
    """The standard deviation, the whole range, or none."""
    sample = sample_of([1.0, 2.0, 6.0])
    sd = means(sample, [], "sd")
    assert (sd["low"][0], sd["high"][0]) == pytest.approx((3 - math.sqrt(7), 3 + math.sqrt(7)))
    assert means(sample, [], "range")[["low", "high"]].to_numpy().tolist() == [[1.0, 6.0]]
    assert means(sample, [], "none")[["low", "high"]].isna().to_numpy().all()


def test_a_bootstrap_interval_is_drawn() -> None:
    """It is another one than Student's, skewed as the values are, the same each time, and wider with confidence."""
    values: list[float | None] = np.random.default_rng(3).lognormal(0, 1, 40).tolist()
    found = {interval: means(sample_of(values), [], interval) for interval in ("t", "bootstrap")}
    (drawn,), (student,) = (found[one].to_dict("records") for one in ("bootstrap", "t"))
    assert drawn["low"] < drawn["mean"] < drawn["high"]
    assert drawn["low"] != student["low"]
    assert drawn["high"] - drawn["mean"] > drawn["mean"] - drawn["low"]
    pd.testing.assert_frame_equal(found["bootstrap"], means(sample_of(values), [], "bootstrap"))
    wider = means(sample_of(values), [], "bootstrap", 0.999)
    assert wider["low"][0] < drawn["low"]
    assert drawn["high"] < wider["high"][0]


def test_quantiles_are_columns() -> None:
    """The median and others, as they are asked for."""
    frame = means(sample_of([1.0, 2.0, 9.0, 4.0, 4.0, 4.0], levels=2), ["x"], quantiles=[0.5, 0.025])
    assert frame["50%"].tolist() == [2.0, 4.0]
    assert frame["2.5%"].tolist() == pytest.approx([1.05, 4.0])
    assert quantile_name(1 / 3) == "33.33333333%"


def test_a_single_value_has_no_spread() -> None:
    """Neither deviation nor interval are numbers then."""
    for interval in ("t", "bootstrap", "sd"):
        (row,) = means(sample_of([5.0]), ["x"], interval).to_dict("records")
        assert (row["count"], row["mean"]) == (1, 5.0)
        assert all(math.isnan(row[name]) for name in ("sd", "low", "high"))


def test_equal_values_have_no_width() -> None:
    """Also where their sum is rounded: 0.1 three times is exactly 0.1, without a deviation."""
    for interval in ("t", "bootstrap", "sd", "range"):
        (row,) = means(sample_of([0.1] * 3), [], interval).to_dict("records")
        assert (row["mean"], row["sd"], row["low"], row["high"]) == (0.1, 0.0, 0.1, 0.1)


def test_gaps_and_infinities_are_left_out() -> None:
    """A group has the values that it has; one without any is not there."""
    frame = means(sample_of([1.0, None, 3.0, math.inf, None, None], levels=3), ["x"])
    assert frame[["x", "count", "mean"]].to_numpy().tolist() == [[0, 1, 1.0], [1, 1, 3.0]]


def test_truth_values_have_a_share() -> None:
    """The mean of true and false is how often it is true."""
    assert means(sample_of([True, False, True, True]), ["x"])["mean"].tolist() == [0.75]


def test_levels_are_in_order_with_none_last() -> None:
    """Numbers go up, names are in the order of the space, and the level None comes last."""
    columns = {"name": ["b", "a", "b"], "tolerance": [None, None, 0.1]}
    frame = means(observed(columns, {"y": [1.0, 2.0, 3.0]}).sample("y"), ["name", "tolerance"])
    assert frame["name"].tolist() == ["b", "b", "a"]
    assert frame["mean"].tolist() == [3.0, 1.0, 2.0]


def test_what_cannot_be_averaged_is_said() -> None:
    """Parameters that it does not depend on, names that are taken, and numbers that are none."""
    sample = sample_of([1.0, 2.0])
    with pytest.raises(ResultError, match="`y` does not depend on `z`"):
        means(sample, ["z"])
    with pytest.raises(ResultError, match="`confidence` is 95"):
        means(sample, [], confidence=95)
    with pytest.raises(ResultError, match="a quantile is 50"):
        means(sample, [], quantiles=[50])
    with pytest.raises(ResultError, match="`interval` is 'tea'"):
        means(sample, [], interval="tea")  # pyright: ignore[reportArgumentType]
    with pytest.raises(ResultError, match="no means by `mean`"):
        means(observed({"mean": [1, 2]}, {"y": [1.0, 2.0]}).sample("y"), ["mean"])
    with pytest.raises(ResultError, match="no finite value"):
        means(sample_of([None, None]), ["x"])


def test_many_rows_are_averaged_fast() -> None:
    """The seconds that a processor needs for a hundred thousand rows in ten thousand groups are few."""
    count, levels = 100_000, 10_000
    drawn = np.random.default_rng(1)
    frame = pd.DataFrame({"x": np.arange(count) % levels, "seed": np.arange(count) // levels, "y": drawn.random(count)})
    frame[STATE] = "COMPLETED"
    base = observed({"x": [0], "seed": [0]}, {"y": [1.0]}, repeats=["seed"])
    ranges = {"x": range(levels), "seed": range(count // levels)}
    known = {name: replace(one, levels=tuple(ranges[name])) for name, one in base.parameters.items()}
    sample = replace(base, frame=frame, parameters=known, _samples={}).sample("y")
    begun = time.process_time()
    found = means(sample, ["x"], quantiles=[0.5])
    assert len(found) == levels
    assert found["count"].tolist() == [10] * levels
    assert time.process_time() - begun < 2
