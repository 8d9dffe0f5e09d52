"""Metrics in numbers."""

from __future__ import annotations

import math

import numpy as np
import pytest

from sciflow.analysis.observations import Coverage, Observations
from sciflow.analysis.summary import overview, summary
from sciflow.errors import ResultError
from unit.figures.observed import grid, observed


@pytest.fixture
def seeds() -> Observations:
    """Return two sizes by two solvers by three seeds, of which one combination failed in full, and one in part."""
    columns = grid(size=[8, 16], solver=["lu", "cg"], seed=[1, 2, 3])
    values = [1.0, 2.0, 3.0, 4.0, 4.0, 7.0, 0.0, 0.0, 0.0, 5.0, 6.0, 0.0]
    states = {6: "FAILED", 7: "FAILED", 8: "TIMEOUT", 11: "FAILED"}
    metrics = {"loss": values, "label": ["a", "b"] * 6, "best": [9.0] * 12}
    return observed(columns, metrics, states=states, repeats=["seed"], depends={"best": []}, units={"loss": "J"})


def test_a_summary_has_a_row_per_combination(seeds: Observations) -> None:
    """Repeats become one row: how many of how many, mean, spread, interval, quantiles; also where nothing is there."""
    found = summary(seeds, "loss")
    frame = found.frame()
    assert found.by == ("size", "solver")
    assert list(frame) == [
        *("size", "solver", "count", "of", "mean", "sd", "low", "high", "min", "median", "max"),
    ]
    assert frame[["size", "solver", "count", "of"]].to_numpy().tolist() == [
        [8, "lu", 3, 3],
        [8, "cg", 3, 3],
        [16, "lu", 0, 3],
        [16, "cg", 2, 3],
    ]
    assert frame["mean"].tolist() == pytest.approx([2.0, 5.0, math.nan, 5.5], nan_ok=True)
    assert frame["median"].tolist() == pytest.approx([2.0, 4.0, math.nan, 5.5], nan_ok=True)
    assert frame[["min", "max"]].to_numpy().tolist()[1] == [4.0, 7.0]
    # t(0.975, 2) = 4.303, and a standard deviation of 1.
    assert frame["high"].tolist()[0] == pytest.approx(2 + 4.30265 / 3**0.5, abs=1e-4)
    assert found.coverage == Coverage(8, 12)
    assert found.notes == ("loss: 4 of 12 have no value (3 FAILED, 1 TIMEOUT)",)


def test_a_summary_by_some_parameters_says_what_it_takes_together(seeds: Observations) -> None:
    """The spread is that of other factors as well then, which is said."""
    found = summary(seeds, "loss", ["solver"])
    assert found.frame()[["solver", "count", "of", "mean"]].to_numpy().tolist() == [
        ["lu", 3, 6, 2.0],
        ["cg", 5, 6, 5.2],
    ]
    assert found.notes[-1] == (
        "taken together: size (2 values); the spread is that of all these, not of repeats alone, "
        "and the mean has no interval: size did not vary by chance"
    )
    assert found.frame()[["low", "high"]].isna().to_numpy().all()
    assert {"low", "high"}.isdisjoint(found.shown())
    assert "size" not in summary(seeds, "loss", ["size", "solver"]).notes[-1]


def test_an_interval_over_chosen_levels_says_what_it_assumes(seeds: Observations) -> None:
    """One that is asked for is there; over what was drawn it assumes nothing, and is there by default."""
    found = summary(seeds, "loss", ["solver"], interval="t")
    assert np.isfinite(found.frame()["low"].tolist()).all()
    assert found.notes[-1].endswith("the interval treats the values over size as if they were drawn at random")
    drawn = observed({"x": [0.1, 0.7, 0.2], "k": [1, 1, 1]}, {"y": [1.0, 2.0, 3.0]}, sampled=["x"])
    assert np.isfinite(summary(drawn, "y", ["k"]).frame()["low"].tolist()).all()
    assert "as if" not in summary(drawn, "y", ["k"]).notes[-1]


def test_what_follows_from_a_factor_shows_it() -> None:
    """By a derived parameter nothing is taken together that differs in its axis alone."""
    columns = {"size": [8, 16], "cells": [64, 256]}
    observations = observed(columns, {"loss": [1.0, 2.0]}, behind={"cells": ["size"]})
    assert summary(observations, "loss", ["cells"]).notes == ()
    assert summary(observations, "loss").by == ("size",)


def test_a_metric_of_all_counts_once(seeds: Observations) -> None:
    """What no parameter tells apart is one value, not twelve."""
    found = summary(seeds, "best")
    assert found.frame()[["count", "of", "mean"]].to_numpy().tolist() == [[1, 1, 9.0]]
    assert found.by == ()


def test_too_little_is_refused(seeds: Observations) -> None:
    """Of one metric, and of all; what is there is said."""
    assert summary(seeds, "loss", minimum_coverage=8 / 12).coverage.present == 8
    for question in (lambda: summary(seeds, "loss", minimum_coverage=0.7), lambda: overview(seeds, 0.7)):
        with pytest.raises(
            ResultError, match="8 of 12 values of `loss` are there, 67%, and at least 70% are asked for"
        ):
            question()


def test_an_overview_has_a_row_per_metric(seeds: Observations) -> None:
    """Numbers with their moments and quantiles, texts with how many differ; the coverage is the least."""
    found = overview(seeds)
    assert found.frame()[["metric", "task", "unit", "count", "of"]].to_numpy().tolist() == [
        ["loss", "solve", "J", 8, 12],
        ["label", "solve", "", 8, 12],
        ["best", "solve", "", 1, 1],
    ]
    assert found.frame()["mean"].tolist() == pytest.approx([4.0, math.nan, 9.0], nan_ok=True)
    assert found.frame().loc[0, ["min", "25%", "median", "75%", "max"]].tolist() == [1.0, 2.75, 4.0, 5.25, 7.0]
    assert "label: no numbers, 2 different values" in found.notes
    assert found.coverage == Coverage(8, 12)


def test_infinities_and_truth_values() -> None:
    """An infinite value is in no mean and no count, but in a note; of truth values the mean is a share."""
    observations = observed({"x": [1, 2, 3]}, {"y": [1.0, math.inf, 3.0], "ok": [True, False, True]})
    frame = overview(observations).frame()
    assert frame[["count", "of"]].to_numpy().tolist() == [[2, 3], [3, 3]]
    assert frame["mean"].tolist() == pytest.approx([2.0, 2 / 3])
    assert overview(observations).notes == ("y: 1 of 3 is infinite",)


def test_a_summary_is_read(seeds: Observations) -> None:
    """As text, and in a notebook; notes belong to it."""
    found = summary(seeds, "loss", ["solver"])
    assert str(found).splitlines()[0].split() == list(found.shown())
    assert "(loss: 4 of 12 have no value (3 FAILED, 1 TIMEOUT))" in str(found)
    assert "<p>loss: 4 of 12 have no value" in found._repr_html_()


def test_what_has_no_summary_is_said(seeds: Observations) -> None:
    """Texts, names that are unknown or taken, and no metric at all."""
    with pytest.raises(ResultError, match="`label` is no number: 'a'"):
        summary(seeds, "label")
    with pytest.raises(ResultError, match="`best` does not depend on `size`"):
        summary(seeds, "best", ["size"])
    with pytest.raises(ResultError, match="no summary by `median`"):
        summary(observed({"median": [1]}, {"y": [1.0]}), "y", ["median"])
    with pytest.raises(ResultError, match="no metric in these results, of which 0 of 1 combinations are completed"):
        overview(observed({"x": [1]}, {}, states={0: "PENDING"}))
