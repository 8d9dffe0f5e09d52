"""Correlations."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy import stats

from sciflow.analysis.statistics.correlation import correlation_ratio, correlations
from sciflow.errors import ResultError
from unit.analysis.observed_values import grid, observations_of_columns
from unit.figures.observed import grid as columns_of
from unit.figures.observed import observed


def _row(found: Any, name: str) -> dict[str, Any]:
    return next(one for one in found.frame().to_dict("records") if one["with"] == name)


def test_numbers_are_correlated_as_by_scipy() -> None:
    """Pearson, Spearman and Kendall, of parameters and of other metrics; the strongest is first."""
    random = np.random.default_rng(0)
    x, noise = np.arange(40) % 8, random.normal(size=40)
    y, z = x**3 + 5 * noise, noise
    found = correlations(observations_of_columns({"x": x, "run": range(40)}, {"y": y, "z": z}), "y")
    row = _row(found, "x")
    theirs: list[Any] = [stats.pearsonr(x, y), stats.spearmanr(x, y), stats.kendalltau(x, y)]
    assert [row[n] for n in ("pearson", "spearman", "kendall")] == pytest.approx([one.statistic for one in theirs])
    assert row["p"] == pytest.approx(theirs[1].pvalue)
    assert row["p_holm"] == pytest.approx(3 * theirs[1].pvalue)
    assert _row(found, "z")["pearson"] == pytest.approx(np.corrcoef(y, z)[0, 1])
    assert (_row(found, "z")["what"], row["what"]) == ("metric", "parameter")
    assert found.frame()["with"].tolist()[0] == "x"


def test_a_category_has_a_correlation_ratio() -> None:
    """The textbook example of statistics, algebra and geometry: 78, 50 and 85 are means, and eta² is 6780 / 9640."""
    scores = {"algebra": [45, 70, 29, 15, 21], "geometry": [40, 20, 30, 42], "statistics": [65, 95, 80, 70, 85, 73]}
    subject = [name for name, values in scores.items() for _ in values]
    value = [one for values in scores.values() for one in values]
    found = correlations(observations_of_columns({"subject": subject}, {"score": value}), "score")
    assert _row(found, "subject")["correlation_ratio"] == pytest.approx((6780 / 9640) ** 0.5)
    assert np.isnan(_row(found, "subject")["pearson"])
    assert np.isnan(correlation_ratio(np.array([0, 0, 1]), np.ones(3)))


def test_what_does_not_vary_goes_with_nothing() -> None:
    """A constant metric has no correlation, and no traceback."""
    found = correlations(grid(lambda a, b: 2.0, a=[1, 2, 3], b=["u", "v"]), "y")
    assert np.isnan(_row(found, "a")["pearson"])
    assert "all values are 2: they go with nothing" in found.notes


def test_texts_and_gaps_are_left_out() -> None:
    """Metrics that are texts, and combinations without both values."""
    observations = observations_of_columns(
        {"x": [1, 2, 3, 4, 5]},
        {"y": [1.0, 2.0, float("inf"), None, 5.0], "z": [2.0, 4.0, 6.0, 8.0, 10.0], "t": list("abcde")},
    )
    found = correlations(observations, "y")
    assert _row(found, "z")["count"] == 3
    assert _row(found, "z")["pearson"] == pytest.approx(1)
    assert "no numbers, so left out: t" in found.notes
    with pytest.raises(ResultError, match="3 of 5 values of `y` are there"):
        correlations(observations, "y", minimum_coverage=0.9)
    with pytest.raises(ResultError, match="`t` is no number"):
        correlations(observations, "t")


def test_seeds_are_no_parameters() -> None:
    """What only repeats goes with nothing."""
    found = correlations(grid(lambda a, seed: a + seed, 3, a=[1, 2, 3]), "y")
    assert found.frame()["with"].tolist() == ["a"]


def test_a_mean_over_repeats_is_compared_with_means() -> None:
    """A value that many combinations share counts once, beside the mean of what varies within it."""
    columns = columns_of(x=[1, 2, 3, 4], seed=[1, 2, 3])
    metrics = {"y": [float(one) for one in range(12)], "mean": [1.0] * 3 + [4.0] * 3 + [2.0] * 3 + [9.0] * 3}
    known = observed(columns, metrics, repeats=["seed"], depends={"mean": ["x"]})
    for one, other in (("mean", "y"), ("y", "mean")):
        found = correlations(known, one)
        row = found.table[found.table["with"] == other].iloc[0]
        assert row["count"] == 4
        assert row["spearman"] == pytest.approx(0.8)
        assert f"{other}: means are compared by x, on which both depend" in found.notes
