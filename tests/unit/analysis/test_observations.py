"""Observations and samples of them."""

from __future__ import annotations

import math
import time
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from sciflow.analysis.observations import STATE, VALUE, Coverage, Metric, Observations
from sciflow.errors import ResultError
from unit.figures.observed import grid, observed

NAN = float("nan")


@pytest.fixture
def gathered() -> Observations:
    """Return three rates by two seeds; a mean over seeds, and what is prepared for all; one combination failed."""
    columns = grid(rate=[0.1, 0.2, 0.3], seed=[1, 2])
    metrics = {
        "loss": [1.0, 2.0, 3.0, 4.0, 5.0, 6.0],
        "mean": [1.5, 1.5, 3.5, 3.5, 5.5, 5.5],
        "prepared": [7.0] * 6,
    }
    depends = {"mean": ["rate"], "prepared": []}
    return observed(columns, metrics, states={2: "FAILED"}, repeats=["seed"], depends=depends)


def test_a_sample_has_a_row_for_each_instance(gathered: Observations) -> None:
    """A metric of a task that gathers, or of one upstream, counts once, however many combinations share it."""
    assert gathered.sample("loss").frame[VALUE].tolist()[:2] == [1.0, 2.0]
    mean = gathered.sample("mean")
    assert mean.frame.to_numpy().tolist() == [
        [0.1, 1.5, "COMPLETED"],
        [0.2, 3.5, "COMPLETED"],
        [0.3, 5.5, "COMPLETED"],
    ]
    assert (mean.coverage, list(mean.parameters), mean.repeats) == (Coverage(3, 3), ["rate"], [])
    prepared = gathered.sample("prepared")
    assert (prepared.frame[VALUE].tolist(), prepared.axes) == ([7.0], [])


def test_a_failed_combination_leaves_a_gap(gathered: Observations) -> None:
    """What it has no value of counts as missing, and it is said in which state it is."""
    loss = gathered.sample("loss")
    assert loss.coverage == Coverage(5, 6)
    assert loss.described_gaps() == "1 of 6 have no value (1 FAILED)"
    assert loss.measured[VALUE].tolist() == [1.0, 2.0, 4.0, 5.0, 6.0]
    assert gathered.coverage == Coverage(5, 6)
    assert len(gathered) == 6


def test_an_instance_lacks_its_value_where_all_that_share_it_do() -> None:
    """Then one of them stands for it, with its state."""
    observations = observed(
        grid(rate=[1, 2], seed=[1, 2]),
        {"mean": [5.0] * 4},
        states={2: "FAILED", 3: "TIMEOUT"},
        depends={"mean": ["rate"]},
    )
    frame = observations.sample("mean").frame
    assert frame["rate"].tolist() == [1, 2]
    assert frame[STATE].tolist() == ["COMPLETED", "FAILED"]
    assert np.isnan(frame[VALUE].to_numpy()[1])


def test_a_sample_is_made_once(gathered: Observations) -> None:
    """The same question has the same answer, by the bare name as by that with the task."""
    assert gathered.sample("loss") is gathered.sample("solve.loss")


def test_what_is_no_metric_is_said(gathered: Observations) -> None:
    """The nearest are offered; a parameter is named as what it is, names of several tasks with both."""
    for name, told in [
        ("los", "did you mean `loss`"),
        ("other.loss", "`loss`"),
        ("rate", "`rate` is a parameter, and no metric"),
    ]:
        with pytest.raises(ResultError, match=told):
            gathered.metric(name)
    two = {name: Metric(name, name.split(".")[0], ("rate",)) for name in ("first.time", "second.time")}
    with pytest.raises(ResultError, match=r"several tasks have it: `first\.time` or `second\.time`"):
        replace(gathered, metrics=two).metric("time")
    nothing = observed({"x": [1]}, {}, states={0: "PENDING"})
    with pytest.raises(ResultError, match="no combination is completed, so there is no metric at all yet"):
        nothing.metric("loss")


def test_what_is_no_parameter_is_said(gathered: Observations) -> None:
    """A metric is named as what it is."""
    assert gathered.parameter("rate").levels == (0.1, 0.2, 0.3)
    with pytest.raises(ResultError, match="`loss` is a metric, and no parameter of this run"):
        gathered.parameter("loss")
    with pytest.raises(ResultError, match="did you mean `rate`"):
        gathered.parameter("rat")


def test_factors_are_axes_with_several_levels() -> None:
    """Repeats, constants, and what follows from other parameters that are there, are none."""
    columns = grid(size=[8, 16], kind=["a"], seed=[1, 2])
    columns["cells"] = [size**2 for size in columns["size"]]
    depends = {"area": ["cells", "seed"]}
    metrics = {"loss": [1.0, 2.0, 3.0, 4.0], "area": [1.0, 2.0, 3.0, 4.0]}
    observations = observed(columns, metrics, repeats=["seed"], behind={"cells": ["size"]}, depends=depends)
    loss, area = observations.sample("loss"), observations.sample("area")
    assert [one.name for one in loss.factors] == ["size"]
    assert [one.name for one in loss.axes] == ["size", "kind"]
    assert loss.repeats == ["seed"]
    # Where its axis is not there, what follows from it stands for it.
    assert [one.name for one in area.factors] == ["cells"]


def test_none_is_a_level() -> None:
    """A conditional parameter has the level None where it is not used, and its rows are no gap."""
    columns = {"solver": ["lu", "cg", "cg"], "tolerance": [None, 0.1, 0.01]}
    observations = observed(columns, {"loss": [1.0, 2.0, 3.0], "all": [4.0] * 3}, depends={"all": ["tolerance"]})
    assert observations.parameters["tolerance"].levels == (0.01, 0.1, None)
    assert observations.sample("all").frame[VALUE].tolist() == [4.0] * 3
    assert observations.sample("loss").codes("tolerance").tolist() == [2, 1, 0]


@pytest.mark.parametrize(
    ("values", "numbers"),
    [
        ([1, 2], [1.0, 2.0]),
        ([True, False], [1.0, 0.0]),
        ([True, None], [1.0, NAN]),
        ([None, None], [NAN, NAN]),
        ([np.float32(0.5), 2], [0.5, 2.0]),
        ([math.inf, 1.0], [math.inf, 1.0]),
    ],
)
def test_values_are_floats(values: list[Any], numbers: list[float]) -> None:
    """Truth values are 0 and 1; what is missing is NaN."""
    sample = observed({"x": [1, 2]}, {"y": values}).sample("y")
    assert sample.is_numeric
    np.testing.assert_array_equal(sample.values, numbers)


def test_texts_are_no_numbers() -> None:
    """The first that is none is named."""
    sample = observed({"x": [1, 2, 3]}, {"y": [None, "much", "little"]}).sample("y")
    assert not sample.is_numeric
    assert sample.coverage == Coverage(2, 3)
    assert sample.described_gaps() == "1 of 3 have no value (1 COMPLETED)"
    with pytest.raises(ResultError, match="`y` is no number: 'much'"):
        _ = sample.values


def test_infinity_is_a_value_and_no_finite_one() -> None:
    """It counts as present, is told, and is not measured with the others."""
    sample = observed({"x": [1, 2, 3]}, {"y": [math.inf, NAN, 2.0]}).sample("y")
    assert sample.coverage == Coverage(2, 3)
    assert sample.described_gaps() == "1 of 3 have no value (1 COMPLETED); 1 of 3 is infinite"
    assert sample.measured[VALUE].tolist() == [2.0]
    more = observed({"x": [1, 2]}, {"y": [math.inf, -math.inf]}).sample("y")
    assert more.described_gaps() == "2 of 2 are infinite"
    with pytest.raises(ResultError, match="`y` has no finite value: 2 of 2 are infinite"):
        _ = more.measured


def test_coverage_is_refused_below_a_minimum() -> None:
    """It says how much there is; what is asked for has to be a share."""
    coverage = Coverage(3, 4)
    assert (str(coverage), coverage.share, coverage.is_complete) == ("3 of 4", 0.75, False)
    assert (Coverage(0, 0).share, Coverage(2, 2).is_complete) == (0.0, True)
    coverage.check(0.75, "`loss`")
    with pytest.raises(ResultError, match="3 of 4 values of `loss` are there, 75%, and at least 80% are asked for"):
        coverage.check(0.8, "`loss`")
    with pytest.raises(ResultError, match="`minimum_coverage` is 80"):
        coverage.check(80, "`loss`")


def test_other_repeats_may_be_named(gathered: Observations) -> None:
    """Exactly these repeat then; the samples follow, and the observations they come from stay as they are."""
    before = gathered.sample("loss")
    changed = gathered.with_repeats(["rate"])
    assert [one.name for one in changed.sample("loss").factors] == ["seed"]
    assert [one.name for one in before.factors] == ["rate"]
    assert gathered.with_repeats([]).sample("loss").repeats == []
    with pytest.raises(ResultError, match="`sed` is no parameter"):
        gathered.with_repeats(["sed"])


def test_rows_keep_what_is_known_of_them(gathered: Observations) -> None:
    """Some rows, by truth values or positions, have the levels that are left, in their order."""
    for rows in (np.array([True, True, False, False, True, False]), np.array([0, 1, 4])):
        part = gathered.of_rows(rows)
        assert part.frame["loss"].tolist() == [1.0, 2.0, 5.0]
        assert part.frame.index.tolist() == [0, 1, 2]
        assert (part.parameters["rate"].levels, part.parameters["seed"].levels) == ((0.1, 0.3), (1, 2))
        assert part.parameters["seed"].is_repeat
        assert part.sample("mean").frame[VALUE].tolist() == [1.5, 5.5]
    named = observed({"x": ["c", "a", "b"]}, {})
    assert named.of_rows(np.array([2, 0])).parameters["x"].levels == ("c", "b")


def test_any_name_may_be_a_parameters() -> None:
    """A parameter called `value` is another column than the values."""
    sample = observed({"value": [1, 2]}, {"y": [3.0, 4.0]}).sample("y")
    assert list(sample.frame) == ["value", VALUE, STATE]
    assert sample.values.tolist() == [3.0, 4.0]


def test_no_parameter_makes_one_combination() -> None:
    """A workflow without parameters has one row, and no factor."""
    frame = pd.DataFrame({"y": [2.0], STATE: ["COMPLETED"]})
    observations = Observations(frame, {}, {"y": Metric("y", "solve", ())})
    sample = observations.sample("y")
    assert (sample.values.tolist(), sample.factors, sample.coverage) == ([2.0], [], Coverage(1, 1))


def test_many_rows_are_sampled_fast() -> None:
    """The seconds that a processor needs for a hundred thousand rows are few, where instances are shared as well."""
    count = 100_000
    drawn = np.random.default_rng(1)
    frame = pd.DataFrame(
        {"x": drawn.random(count), "name": [f"n{i % 100}" for i in range(count)], "y": drawn.random(count)}
    )
    frame[STATE] = "COMPLETED"
    levels = {"x": tuple(sorted(frame["x"])), "name": tuple(f"n{i}" for i in range(100))}
    base = observed({"x": [0.0], "name": ["n0"]}, {"y": [1.0], "z": [1.0]}, depends={"z": ["name"]})
    known = {name: replace(one, levels=levels[name]) for name, one in base.parameters.items()}
    frame["z"] = frame["y"]
    begun = time.process_time()
    observations = replace(base, frame=frame, parameters=known, _samples={})
    assert len(observations.sample("y").measured) == count
    assert len(observations.sample("z").frame) == 100
    observations.of_rows(np.arange(0, count, 2))
    assert time.process_time() - begun < 2
