"""What a law says of one instance is what statsmodels says."""

from __future__ import annotations

import math

import numpy as np
import pytest
from statsmodels.regression.linear_model import OLS

from sciflow.analysis.advice.fitting import fit
from sciflow.analysis.advice.law import Law
from sciflow.analysis.advice.terms import Power, terms_for
from unit.analysis import synthetic


@pytest.fixture
def drawn() -> synthetic.Drawn:
    """Return what forty instances need."""
    return synthetic.square(np.random.default_rng(1), 40)


@pytest.fixture
def law(drawn: synthetic.Drawn) -> Law:
    """Return the law of the size alone."""
    term = terms_for("size", drawn.parameters["size"])[0]
    found = fit([term], False, drawn.parameters, drawn.values, drawn.all_known)
    assert found is not None
    return found


@pytest.mark.parametrize("size", [10, 77, 400, 2000])
def test_an_upper_bound_is_that_of_a_prediction_interval(law: Law, drawn: synthetic.Drawn, size: float) -> None:
    """At a chance that counting does not widen, it is the upper end of the interval for one new observation."""
    design = np.column_stack([np.ones(40), np.log(drawn.parameters["size"])])
    prediction = OLS(np.log(drawn.values), design).fit().get_prediction([[1.0, math.log(size)]])
    frame = prediction.summary_frame(alpha=2 * 0.02)
    by_count = law.spread.enough(0.98).amount
    upper = float(frame["obs_ci_upper"].iloc[0])
    if by_count <= law.error * 2.1:
        assert law.most({"size": size}, 0.98) == pytest.approx(math.exp(upper))
    assert law.middle({"size": size}) == pytest.approx(math.exp(float(frame["mean"].iloc[0])))


def test_who_is_left_out_is_known_without_fitting_again(law: Law, drawn: synthetic.Drawn) -> None:
    """The share that would have fitted is that of laws which were fitted without each of them."""
    kept = 0
    for left in range(40):
        rest = [row for row in range(40) if row != left]
        parameters = {name: [values[row] for row in rest] for name, values in drawn.parameters.items()}
        term = law.terms[0]
        found = fit([term], False, parameters, drawn.values[rest], drawn.all_known[rest])
        assert found is not None
        kept += bool(drawn.values[left] <= found.most({"size": drawn.parameters["size"][left]}, 0.9))
    assert law.fitting(0.9) == pytest.approx(kept / 40, abs=0.051)


def test_a_value_that_is_no_number_counts_as_the_worst(law: Law) -> None:
    """Where an inactive parameter has no value, as much is said as for the size that needs most."""
    assert law.middle({"size": None}) == pytest.approx(law.middle({"size": 400}))
    assert law.is_outside({"size": None})


def test_more_coefficients_than_values_are_no_law(drawn: synthetic.Drawn) -> None:
    """Nor is one of a parameter that has one value only."""
    term = Power("size", 0.0, 1.0, 1.0)
    ones = {"size": [1] * 40}
    assert fit([term], False, ones, drawn.values, drawn.all_known) is None
    assert fit([term], False, {"size": [1, 2, 3]}, drawn.values[:3], drawn.all_known[:3]) is None
    assert terms_for("size", [1, 1, 1]) == []


def test_nothing_is_larger_than_what_a_float_can_hold(law: Law) -> None:
    """Far out a power does not end in an error."""
    assert math.isfinite(law.most({"size": 1e300}, 0.95))
