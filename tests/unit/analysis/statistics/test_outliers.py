"""Outliers."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from sciflow.analysis.statistics.outliers import AMONG_REPEATS, OF_ALL, modified_z, outliers
from sciflow.errors import ResultError
from sciflow.results import Results
from sciflow.store.layout import RunDirectory
from unit.analysis.observed_values import grid, observations_of_columns
from unit.figures.observed import grid as columns_of
from unit.figures.observed import observed
from unit.lists_as_tables import tables_of


def test_the_score_is_that_of_iglewicz_and_hoaglin() -> None:
    """Two outliers do not hide each other: the median is 2.45, and the median of the distances from it 0.15."""
    scores = modified_z(np.array([2.1, 2.6, 2.4, 2.5, 2.3, 2.1, 2.3, 2.6, 8.2, 8.3]))
    median, mad = 2.45, 0.15
    assert scores[-2:].tolist() == pytest.approx([0.6745 * (one - median) / mad for one in (8.2, 8.3)])
    assert np.abs(scores[:8]).max() < 3.5 < scores[-2:].min()


def test_where_most_are_equal_the_mean_deviation_is_the_measure() -> None:
    """A MAD of 0 divides nothing, and equal values are not far from each other."""
    assert modified_z(np.array([1.0] * 9 + [2.0]))[-1] == pytest.approx(1 / (1.253314 * 0.1))
    assert modified_z(np.ones(5)).tolist() == [0] * 5


def test_a_value_is_far_from_its_repeats_though_others_are_like_it() -> None:
    """1.04 is usual where x is 1, and strange where x is 2."""

    def function(x: int, seed: int) -> float:
        return (1 if seed == 4 and x == 2 else x) + 0.01 * seed

    found = outliers(grid(function, 9, x=[0, 1, 2]).sample("y"))
    rows = found.frame().to_dict("records")
    assert [(row["where"], row["combination"]) for row in rows] == [(AMONG_REPEATS, {"x": 2, "seed": 4})]
    assert rows[0]["value"] == 1.04
    assert "x=2, seed=4" in str(found)


def test_what_is_far_from_all_is_told_and_nothing_is_removed() -> None:
    """Without repeats all values are compared, with a warning that parameters may do it."""
    sample = grid(lambda x: 1000.0 if x == 7 else x / 10, x=range(12)).sample("y")
    found = outliers(sample)
    assert [row["where"] for row in found.frame().to_dict("records")] == [OF_ALL]
    assert "what its parameters do" in found.notes[-1]
    assert len(sample.measured) == 12
    assert found.frame()["z"].tolist()[0] > 100


def test_few_repeats_are_not_compared() -> None:
    """Of three values none is far from the others, and that it was not looked at is said."""
    found = outliers(grid(lambda x, seed: x + seed, 3, x=[1]).sample("y"))
    assert found.frame().empty
    assert "1 of 1 combinations have fewer than 5 repeats" in found.notes[0]
    assert "3 values are too few" in found.notes[1]


def test_an_outlier_is_told_with_its_attempt(tmp_path: Path) -> None:
    """Of a whole run it is known which attempt gave it, and where it ran."""
    values = [1.0, 1.1, 0.9, 1.0, 1.2, 50.0]
    tables = tables_of(
        combinations={"x": list(range(6)), "y": values, "state": ["COMPLETED"] * 6},
        instances={
            "task": ["work"] * 6,
            "instance": list(range(6)),
            "parameters.x": list(range(6)),
            "array": ["work.0"] * 6,
            "index": list(range(6)),
            "attempt": [1, 1, 1, 1, 1, 3],
            "node": ["n1"] * 5 + ["n7"],
            "state": ["COMPLETED"] * 6,
            "start": [None] * 6,
            "end": [None] * 6,
        },
        parameters=["x"],
        metrics=["y"],
        facts={"metric_tasks": {"y": "work"}, "task_parameters": {"work": ["x"]}},
    )
    results = Results(RunDirectory(tmp_path / "20250101-000000-aa"), tables)
    row = results.outliers("y").frame().to_dict("records")[0]
    told = [row[name] for name in ("combination", "value", "attempt", "array", "index", "node")]
    assert told == [{"x": 5}, 50.0, 3, "work.0", 5, "n7"]


def test_what_is_no_threshold() -> None:
    """It has to be above 0."""
    with pytest.raises(ResultError, match="`threshold` is 0"):
        outliers(observations_of_columns({"x": [1, 2]}, {"y": [1.0, 2.0]}).sample("y"), 0)


def test_few_repeats_do_not_make_outliers_of_noise() -> None:
    """The spread of five values may be tiny by chance: that of all settings together stands in for it."""
    noise = np.random.default_rng(3).normal(0, 0.2, 54 * 5)
    columns = columns_of(x=list(range(54)), seed=[1, 2, 3, 4, 5])
    far = noise.copy()
    far[7] += 3.0
    for values, expected in ((noise, 1), (far, 2)):  # above 3.5 is one of some hundreds by chance
        metric = {"y": (values + np.repeat(np.arange(54), 5)).tolist()}
        found = outliers(observed(columns, metric, repeats=["seed"]).sample("y"))
        assert found.table["where"].tolist().count("among repeats") <= expected
    assert found.table["combination"].iloc[0] == {"x": 1, "seed": 3}
