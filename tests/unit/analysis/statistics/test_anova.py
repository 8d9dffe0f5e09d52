"""Analysis of variance."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from statsmodels.formula.api import ols
from statsmodels.stats.anova import anova_lm

from sciflow.analysis.observations import VALUE
from sciflow.analysis.statistics.anova import Anova, anova
from sciflow.errors import ResultError
from unit.analysis.observed_values import RESISTIVITY, WARP_BREAKS, grid, observations_of_columns, sample_of_cells
from unit.figures.observed import grid as columns_of
from unit.figures.observed import observed


def _row(found: Anova, term: str) -> dict[str, Any]:
    return next(one for one in found.frame().to_dict("records") if one["term"] == term)


def test_one_way_is_as_certified_by_nist() -> None:
    """SiRstv of the NIST Statistical Reference Datasets; the certified values have 15 digits."""
    found = anova(sample_of_cells({(k,): v for k, v in RESISTIVITY.items()}, ["instrument"]))
    between, within = _row(found, "instrument"), _row(found, "residual")
    assert (between["df"], within["df"]) == (4, 20)
    assert between["sum_of_squares"] == pytest.approx(5.11462616000000e-02, rel=1e-11)
    assert within["sum_of_squares"] == pytest.approx(2.16636560000000e-01, rel=1e-11)
    assert between["F"] == pytest.approx(1.18046237440255, rel=1e-11)
    assert between["eta2"] == pytest.approx(1.90999039051129e-01, rel=1e-11)
    assert any("Welch" in note for note in found.notes)


def test_two_way_is_as_r_shows_it() -> None:
    """`summary(aov(breaks ~ wool * tension))` of R: 450.7, 2034, 1003 and F 3.765, 8.498, 4.189."""
    found = anova(sample_of_cells(WARP_BREAKS, ["wool", "tension"]))
    expected = {
        "wool": (1, 450.7, 3.765288, 0.058213),
        "tension": (2, 2034.3, 8.498047, 0.000693),
        "wool × tension": (2, 1002.8, 4.189069, 0.021044),
    }
    for term, (df, squares, f, p) in expected.items():
        row = _row(found, term)
        assert row["df"] == df
        assert row["sum_of_squares"] == pytest.approx(squares, abs=0.05)
        assert row["F"] == pytest.approx(f, abs=1e-6)
        assert row["p"] == pytest.approx(p, abs=1e-6)
        # Each is corrected by Holm: the smallest of three p-values counts three times.
    assert _row(found, "tension")["p_holm"] == pytest.approx(3 * 0.000693, abs=2e-6)
    assert _row(found, "residual")["df"] == 48
    assert found.frame()["term"].tolist() == ["tension", "wool × tension", "wool", "residual", "total"]
    assert found.checks["test"].tolist() == ["Shapiro-Wilk", "Levene (medians)"]


def test_partial_omega_follows_from_what_is_published() -> None:
    """Partial omega² = df (F - 1) / (df (F - 1) + N): 0.0487, 0.2173 and 0.1056 for `warpbreaks`."""
    found = anova(sample_of_cells(WARP_BREAKS, ["wool", "tension"]))
    total = _row(found, "total")["sum_of_squares"]
    error = _row(found, "residual")["mean_square"]
    for term, published in {"wool": 0.04871442, "tension": 0.21734699, "wool × tension": 0.10563655}.items():
        row = _row(found, term)
        numerator = row["omega2"] * (total + error)
        assert numerator / (numerator + 54 * error) == pytest.approx(published, abs=1e-7)


@pytest.mark.parametrize("cut", [(), (0, 9, 10, 11, 30), tuple(range(5, 40, 3))])
def test_unbalanced_designs_are_those_of_statsmodels(cut: tuple[int, ...]) -> None:
    """Sums of squares of type II, F and p are those of `anova_lm(typ=2)`, where every cell has values."""
    random = np.random.default_rng(3)
    points = [(a, b, c, s) for a in range(3) for b in range(2) for c in "xyz" for s in range(3)]
    columns = dict(zip(["a", "b", "c", "s"], zip(*points, strict=True), strict=True))
    values: list[Any] = [a * b + (c == "y") + random.normal() for a, b, c, _ in points]
    for number in cut:
        values[number] = None
    sample = observations_of_columns(columns, {"y": values}, repeats=["s"]).sample("y")
    fitted = ols("y ~ C(a)*C(b) + C(a)*C(c) + C(b)*C(c)", sample.measured.rename(columns={VALUE: "y"})).fit()
    theirs: Any = anova_lm(fitted, typ=2)
    found = anova(sample)
    for mine, name in (("a", "C(a)"), ("b", "C(b)"), ("a × c", "C(a):C(c)"), ("b × c", "C(b):C(c)")):
        row = _row(found, mine)
        assert row["sum_of_squares"] == pytest.approx(theirs.loc[name, "sum_sq"])
        assert row["p"] == pytest.approx(theirs.loc[name, "PR(>F)"])
    assert _row(found, "residual")["df"] == theirs.loc["Residual", "df"]


def test_an_empty_cell_takes_a_degree_of_freedom_from_the_interaction() -> None:
    """What failed cannot be told: of (2 - 1) · (3 - 1) degrees of freedom one is left."""
    cells = {cell: values for cell, values in WARP_BREAKS.items() if cell != ("A", "L")}
    found = anova(sample_of_cells(cells, ["wool", "tension"]))
    assert _row(found, "wool × tension")["df"] == 1
    assert _row(found, "residual")["df"] == 45 - 5
    assert _row(found, "total")["df"] == 44


def test_without_repeats_interactions_tell_the_error() -> None:
    """One value per cell of two factors leaves main effects alone, and that is said."""
    found = anova(grid(lambda a, b: a + b + 0.01 * (a * b) % 0.03, a=range(4), b=range(3)).sample("y"))
    assert found.frame()["term"].tolist() == ["a", "b", "residual", "total"]
    assert _row(found, "residual")["df"] == 6
    assert found.has_tests
    assert "interactions are what tells the error" in found.notes[0]


def test_with_three_factors_the_third_order_tells_the_error() -> None:
    """Interactions of pairs have p-values without repeats."""
    random = np.random.default_rng(0)
    sample = grid(lambda a, b, c: a * b + c + 0.1 * random.normal(), a=range(3), b=range(3), c=range(3)).sample("y")
    found = anova(sample)
    assert _row(found, "residual")["df"] == 8
    assert _row(found, "a × b")["p"] < 1e-6 < _row(found, "b × c")["p"]
    assert anova(sample, order=1).frame()["term"].tolist()[-2:] == ["residual", "total"]


def test_where_nothing_is_left_there_are_no_p_values() -> None:
    """One factor without repeats has no error, and the result says so."""
    found = anova(grid(lambda a: a**2, a=range(4)).sample("y"))
    assert not found.has_tests
    assert "no degrees of freedom are left to tell the error" in str(found)


def test_what_has_no_chance_in_it_has_no_p_values() -> None:
    """Where repeats agree to the last digit, an F test would divide by nothing."""
    found = anova(grid(lambda a, b, seed: a + b, 2, a=range(3), b=range(3)).sample("y"))
    assert not found.has_tests
    assert any("p-values would mean nothing" in note for note in found.notes)
    assert _row(found, "a")["eta2"] == pytest.approx(0.5)
    constant = anova(grid(lambda a, seed: 7.3, 2, a=range(3)).sample("y"))
    assert not constant.has_tests
    assert "there is no variation to explain" in str(constant)


def test_doubtful_assumptions_are_told() -> None:
    """Heavy tails, and a level that varies a hundred times as much."""
    random = np.random.default_rng(0)
    sample = grid(lambda a, seed: random.standard_cauchy() * (100 if a else 1), 30, a=[0, 1]).sample("y")
    notes = anova(sample).notes
    assert any("residuals are not normal" in note for note in notes)
    assert any("variances differ between cells" in note for note in notes)


def test_texts_have_no_variance() -> None:
    """The message names the value."""
    sample = observations_of_columns({"x": [1, 2]}, {"y": ["a", "b"]}).sample("y")
    with pytest.raises(ResultError, match="`y` is no number: 'a'"):
        anova(sample)
    with pytest.raises(ResultError, match="`order` is 3"):
        anova(grid(lambda a: a, a=[1, 2]).sample("y"), order=3)


@given(st.lists(st.floats(-10, 10), min_size=12, max_size=12), st.floats(0.1, 10), st.floats(-100, 100))
@settings(max_examples=30, deadline=None)
def test_units_change_no_test(values: list[float], factor: float, constant: float) -> None:
    """F, p and sizes of effects are the same in other units."""
    values[0] += 50.0  # so that they are not all alike
    points = [(a, s) for a in range(3) for s in range(4)]
    columns = {"a": [a for a, _ in points], "s": [s for _, s in points]}
    tables = []
    for column in (values, [one * factor + constant for one in values]):
        sample = observations_of_columns(columns, {"y": column}, repeats=["s"]).sample("y")
        tables.append(anova(sample).frame()[["F", "p", "eta2", "omega2"]].to_numpy(float))
    np.testing.assert_allclose(*tables, rtol=1e-6, atol=1e-9)


def test_the_total_has_one_degree_of_freedom_less_than_there_are_values() -> None:
    """Also where the terms cannot be told apart, and where all values are the same."""
    for metric in ({"y": [7.0] * 12}, {"y": [float(one) for one in range(12)]}):
        found = anova(observed(columns_of(x=[1, 2, 3], z=[1, 2], seed=[1, 2]), metric, repeats=["seed"]).sample("y"))
        assert found.table["df"].tolist()[-1] == 11
        assert found.table["df"].tolist()[:-1] in ([2, 1, 8], [2, 1, 2, 6], [1, 2, 2, 6])
    apart = {"x": [1, 1, 2, 2, 3, 3], "z": [1, 2, 1, 2, 9, 9], "seed": [1, 1, 1, 1, 1, 2]}
    found = anova(observed(apart, {"y": [1.0, 2.0, 3.0, 4.5, 9.0, 9.5]}, repeats=["seed"]).sample("y"))
    assert found.table["df"].tolist()[-1] == 5
