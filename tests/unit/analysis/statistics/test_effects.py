"""Main effects and interactions."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sciflow.analysis.observations import Sample
from sciflow.analysis.statistics.effects import effects, interaction, pairs_by_size
from sciflow.errors import ResultError
from unit.analysis.observed_values import WARP_BREAKS, grid, observations_of_columns, sample_of_cells
from unit.figures.observed import grid as columns_of
from unit.figures.observed import observed


def _warp_breaks(without: tuple[str, str] | None = None, cut: int = 9) -> Sample:
    cells = {cell: values[: cut if cell == ("A", "L") else 9] for cell, values in WARP_BREAKS.items()}
    return sample_of_cells({cell: values for cell, values in cells.items() if cell != without}, ["wool", "tension"])


def test_means_of_a_balanced_design_are_those_of_r() -> None:
    """`model.tables` of R shows wool ±2.8889 and tension 8.241, -1.759, -6.481 for `warpbreaks`."""
    found = effects(_warp_breaks())
    assert found.of("wool")["effect"].tolist() == pytest.approx([2.8889, -2.8889], abs=1e-4)
    assert found.of("tension")["effect"].tolist() == pytest.approx([8.241, -1.759, -6.481], abs=1e-3)
    assert found.of("tension")["mean"].tolist() == pytest.approx(found.of("tension")["raw_mean"].tolist())
    assert found.factors == ["tension", "wool"]
    assert found.notes == ()


def test_cells_of_a_pair_are_those_of_r() -> None:
    """`summary(lm(breaks ~ wool * tension))` gives 44.556, -16.333, -20.556, -20, 21.111 and 10.556."""
    cells: Any = interaction(_warp_breaks(), "wool", "tension").frame()
    base = 44.556
    expected = [base, base - 20.556, base - 20.0, base - 16.333, base - 20.556 - 16.333 + 21.111]
    assert cells["mean"].tolist()[:5] == pytest.approx(expected, abs=2e-3)
    # Its residual standard error is 10.94 with 48 degrees of freedom: t is 2.0106.
    assert (cells["high"] - cells["mean"]).tolist() == pytest.approx([2.0106 * 10.94 / 3] * 6, rel=1e-3)
    assert cells.groupby("first")["interaction"].sum().tolist() == pytest.approx([0, 0], abs=1e-9)


def test_an_interaction_is_no_error_of_its_own_means() -> None:
    """Where a cell is empty, the repeats within cells tell how sure the means of a pair are."""
    sample = _warp_breaks(without=("A", "L"))
    found = interaction(sample, "wool", "tension")
    cells: Any = found.frame().dropna(subset=["mean"])
    within = [WARP_BREAKS[a, b] for a, b in zip(cells["first"], cells["second"], strict=True)]
    error = sum(np.var(one, ddof=1) for one in within) / 5
    assert (cells["high"] - cells["mean"]).tolist() == pytest.approx([2.0211 * np.sqrt(error / 9)] * 5, rel=1e-3)
    assert cells["mean"].tolist() == pytest.approx([np.mean(one) for one in within])
    assert found.notes == ("1 of 6 cells have no value",)


def test_the_order_of_a_pair_is_the_one_asked_for() -> None:
    """Swapped factors give the same means, transposed."""
    sample = grid(lambda a, b, c: a * 10 + b + c, a=[1, 2], b=[1, 2, 3], c=[0, 1]).sample("y")
    first, second = interaction(sample, "a", "b").frame(), interaction(sample, "b", "a").frame()
    swapped = second.sort_values(["second", "first"])["mean"].tolist()
    assert first["mean"].tolist() == swapped == [11.5, 12.5, 13.5, 21.5, 22.5, 23.5]


def test_unequal_counts_do_not_weigh_means() -> None:
    """Six values fewer in one cell leave the marginal mean of its wool the mean of its cells."""
    found = effects(_warp_breaks(cut=3))
    cells = [np.mean(WARP_BREAKS["A", "L"][:3]), np.mean(WARP_BREAKS["A", "M"]), np.mean(WARP_BREAKS["A", "H"])]
    row = found.of("wool").iloc[0]
    assert row["mean"] == pytest.approx(np.mean(cells))
    assert row["raw_mean"] != pytest.approx(np.mean(cells))
    assert "counts differ between cells" in found.notes[0]


def test_an_empty_cell_does_not_tilt_effects_that_add_up() -> None:
    """Where what failed lies in a corner, marginal means are still those of the whole grid; plain means are not."""

    def make(a: int, b: int) -> float | None:
        return None if a == 3 and b >= 2 else 10.0 * a + b

    sample = grid(make, a=[1, 2, 3], b=[1, 2, 3]).sample("y")
    found = effects(sample)
    assert found.of("a")["mean"].tolist() == pytest.approx([12, 22, 32])
    assert found.of("a")["raw_mean"].tolist() == pytest.approx([12, 22, 31])
    assert found.coverage.present == 7
    assert "2 of 9 cells have no value" in str(found)
    assert "2 of 9 have no value (2 FAILED)" in str(found)
    cells = interaction(sample, "a", "b").frame()
    assert np.isnan(cells["mean"].tolist()[-1])


def test_what_moves_together_is_one_factor() -> None:
    """Zipped axes have one effect, which is told by either name."""
    observations = observations_of_columns(
        {"size": [1, 1, 2, 2], "sweeps": [10, 10, 20, 20], "x": [0, 1, 0, 1]}, {"y": [1.0, 2.0, 3.0, 4.0]}
    )
    found = effects(observations.sample("y"))
    assert found.factors == ["size & sweeps", "x"]
    assert found.of("sweeps")["mean"].tolist() == [1.5, 3.5]
    assert "move together" in found.notes[0]
    with pytest.raises(ResultError, match="are one factor"):
        interaction(observations.sample("y"), "size", "sweeps")


def test_a_conditional_parameter_has_plain_means() -> None:
    """What is used only with one level of another cannot be told from it, and that is said."""
    observations = observations_of_columns(
        {"solver": ["direct", "cg", "cg"] * 2, "tolerance": [None, 0.1, 0.01] * 2, "size": [1] * 3 + [2] * 3},
        {"y": [1.0, 2.0, 3.0, 2.0, 3.0, 4.0]},
    )
    found = effects(observations.sample("y"))
    assert found.of("tolerance")["mean"].tolist() == pytest.approx([3.5, 2.5, 1.5])
    assert any("cannot be told from those of others" in note for note in found.notes)


def test_drawn_values_are_put_into_classes() -> None:
    """A sampled parameter has a few classes of equal counts, and their means follow it."""
    random = np.random.default_rng(1)
    x, z = random.random(200), random.random(200)
    observations = observations_of_columns({"x": x, "z": z}, {"y": 10 * x}, sampled=["x", "z"])
    found = effects(observations.sample("y"))
    of_x: Any = found.of("x")
    assert found.factors[0] == "x"
    assert of_x["mean"].is_monotonic_increasing
    assert set(of_x["count"]) <= {33, 34}
    assert max(abs(found.of("z")["effect"].to_numpy())) < 0.2
    assert "6 classes" in found.notes[0]


def test_pairs_are_told_by_the_size_of_their_interaction() -> None:
    """The pair that interacts comes first."""
    sample = grid(lambda a, b, c: a + 10 * b * c, a=[1, 2], b=[0, 1, 2], c=[0, 1, 2]).sample("y")
    assert pairs_by_size(effects(sample))[0] == ("b", "c")


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ([None, None, None, None], "no finite value"),
        ([float("nan"), float("inf"), None, float("nan")], "no finite value"),
        (["a", "b", "c", "d"], "is no number"),
    ],
)
def test_what_has_no_effects(values: list[Any], reason: str) -> None:
    """The message says what the values are."""
    sample = observations_of_columns({"x": [1, 1, 2, 2]}, {"y": values}).sample("y")
    with pytest.raises(ResultError, match=reason):
        effects(sample)


def test_where_nothing_varies() -> None:
    """One value of each axis, and repeats, are no factors."""
    sample = observations_of_columns({"x": [1, 1], "seed": [1, 2]}, {"y": [1.0, 2.0]}, repeats=["seed"]).sample("y")
    with pytest.raises(ResultError, match="no parameter of `y` varies"):
        effects(sample)
    with pytest.raises(ResultError, match="`x` is no factor of `y`: it has one value only"):
        effects(sample, ["x"])


def test_a_constant_metric_has_no_variation_to_explain() -> None:
    """Its means are there, and its sizes are not told."""
    found = effects(grid(lambda x: 0.1, x=[1, 2, 3]).sample("y"))
    assert found.of("x")["mean"].tolist() == pytest.approx([0.1, 0.1, 0.1])
    assert np.isnan(found.sizes["eta2"].to_numpy()).all()
    assert "there is no variation" in found.notes[-1]


def test_infinite_values_are_left_out_and_told() -> None:
    """An infinite value has no mean."""
    found = effects(grid(lambda x, seed: float("inf") if x == seed == 1 else x, 2, x=[1, 2]).sample("y"))
    assert found.of("x")["mean"].tolist() == [1, 2]
    assert "1 of 4 is infinite" in found.notes[0]


_VALUES = st.lists(st.floats(-100, 100), min_size=18, max_size=18)


def _of(values: list[Any]) -> Sample:
    points = [(a, b, seed) for a in range(3) for b in range(3) for seed in range(2)]
    names = dict(zip("abs", zip(*points, strict=True), strict=True))
    return observations_of_columns(names, {"y": values}, repeats=["s"]).sample("y")


@given(_VALUES, st.floats(-1000, 1000))
@settings(max_examples=30, deadline=None)
def test_a_constant_more_changes_no_effect(values: list[float], constant: float) -> None:
    """Effects are differences."""
    before, after = effects(_of(values)), effects(_of([one + constant for one in values]))
    for factor in "ab":
        found = before.of(factor)["effect"].to_numpy(), after.of(factor)["effect"].to_numpy()
        np.testing.assert_allclose(*found, atol=1e-9)


@given(_VALUES, st.sets(st.integers(0, 17), max_size=6), st.randoms(use_true_random=False))
@settings(max_examples=30, deadline=None)
def test_the_order_of_rows_changes_nothing(values: list[float], missing: set[int], random: Any) -> None:
    """Also where values are missing."""
    there: list[Any] = [None if number in missing else one for number, one in enumerate(values)]
    sample = _of(there)
    order = list(range(18))
    random.shuffle(order)
    shuffled = Sample(sample.metric, sample.frame.iloc[order].reset_index(drop=True), sample.parameters)
    before, after = effects(sample), effects(shuffled)
    for factor in "ab":
        found = (one.of(factor)[["mean", "low", "high"]].to_numpy() for one in (before, after))
        np.testing.assert_allclose(*found, rtol=1e-6, atol=1e-7)


@given(_VALUES, st.sets(st.integers(0, 17), max_size=9))
@settings(max_examples=30, deadline=None)
def test_a_share_is_never_more_than_all(values: list[float], missing: set[int]) -> None:
    """eta² is from 0 to 1, and with equal counts those of all terms are 1 at most together."""
    there: list[Any] = [None if number in missing else one for number, one in enumerate(values)]
    eta = effects(_of(there)).sizes["eta2"].to_numpy()
    assert np.isnan(eta).all() or (eta.min() >= 0 and eta.max() <= 1 + 1e-9)
    if not missing:
        assert np.isnan(eta).all() or eta.sum() <= 1 + 1e-9


def test_ten_thousand_values_with_gaps_are_done_in_one_go() -> None:
    """The size of the work follows levels, and not values: 100 × 100 cells with gaps need no 10,000 columns."""
    sample = grid(lambda a, b: None if (a * b) % 7 == 3 else a + b, a=range(100), b=range(100)).sample("y")
    found = effects(sample)
    assert found.of("a")["mean"].tolist() == pytest.approx([a + 49.5 for a in range(100)])


def test_an_interaction_in_parts_that_nothing_connects_is_the_distance_from_an_additive_model() -> None:
    """Points that were added apart from a grid show no interaction where effects add up."""
    columns = columns_of(x=[1, 2, 3], z=[10, 20], seed=[1, 2])
    added = {"x": [7, 7, 7, 7], "z": [11, 11, 12, 12], "seed": [1, 2, 1, 2]}
    columns = {name: [*values, *added[name]] for name, values in columns.items()}
    noise = [0.01 * (-1) ** one for one in range(16)]
    values = [x + z / 10 + one for x, z, one in zip(columns["x"], columns["z"], noise, strict=True)]
    found = interaction(observed(columns, {"y": values}, repeats=["seed"]).sample("y"), "x", "z")
    there = found.cells[found.cells["count"] > 0]
    assert np.abs(np.asarray(there["interaction"], float)).max() < 1e-9


@pytest.mark.parametrize("size", [1e300, -1e300])
def test_values_whose_squares_no_float_can_hold_are_refused(size: float) -> None:
    """That is said, with a way out, where sums of squares are what is asked for."""
    sample = observed(columns_of(x=[1, 2], z=[1, 2]), {"y": [size, 2 * size, 3 * size, 5 * size]}).sample("y")
    with pytest.raises(ResultError, match="no float can hold the sums of their squares") as refused:
        effects(sample)
    assert "logarithm" in refused.value.hint
