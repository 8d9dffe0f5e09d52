"""Expected improvement."""

import math

import numpy as np
import pytest
from scipy import stats

from sciflow.analysis.optima.improvement import log_improvement


def test_the_logarithm_of_the_improvement_never_vanishes() -> None:
    """It is that of the plain formula where floats hold that, and falls on and on where they do not."""
    gains = -np.geomspace(0.01, 1e6, 400)
    found = log_improvement(gains)
    assert np.all(np.diff(found) < 0)
    plain = gains[gains > -20]
    by_formula = np.log(stats.norm.pdf(plain) + plain * stats.norm.cdf(plain))
    assert found[gains > -20] == pytest.approx(by_formula, rel=1e-6)
    assert log_improvement(np.array([3.0]))[0] == pytest.approx(math.log(3.000382), rel=1e-5)
