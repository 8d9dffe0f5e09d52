"""The margin of what is large is that of what is large."""

from __future__ import annotations

import numpy as np
import pytest

from sciflow.analysis.advice.choose import best_law
from sciflow.analysis.advice.widening import Widening, widening_of

SIZES = range(1, 9)


def coverage(growth: float, draws: int = 12) -> list[float]:
    """Return how many of the smallest, and of the largest, are below what suffices with a chance of 0.95."""
    found = np.zeros(2)
    for seed in range(draws):
        random = np.random.default_rng(seed)
        sizes = np.repeat(SIZES, 8)
        spread = 0.1 * sizes**growth * (8.0 ** -min(0.0, growth))
        law = best_law({"n": sizes.tolist()}, 600 * sizes * np.exp(spread * random.normal(size=64)), np.zeros(64, bool))
        assert law is not None
        for place, n in enumerate((1, 8)):
            own = 0.1 * n**growth * (8.0 ** -min(0.0, growth))
            new = 600 * n * np.exp(own * random.normal(size=400))
            found[place] += (new <= law.most({"n": n}, 0.95)).mean() / draws
    return found.tolist()


@pytest.mark.parametrize("growth", [0.0, 1.0, -1.0])
def test_the_chance_holds_at_either_end(growth: float) -> None:
    """Also where what is large varies more, or less, than what is small."""
    assert min(coverage(growth)) > 0.93


def test_a_few_far_outside_are_no_growth() -> None:
    """Of the same spread everywhere nothing is made, whatever a few of the largest do."""
    random = np.random.default_rng(3)
    fitted, residuals = np.repeat(np.log(SIZES), 8), 0.1 * random.normal(size=64)
    residuals[-2:] = 2.3
    assert widening_of(fitted, residuals) == Widening()


def test_a_spread_that_grows_is_found_with_its_slope() -> None:
    """Within what so few can tell, with a standard error to spare far from the middle."""
    fitted = np.repeat(np.log(SIZES), 8)
    found = widening_of(fitted, 0.1 * np.exp(fitted) * np.random.default_rng(4).normal(size=64))
    assert found.slope == pytest.approx(1.0, abs=3 * found.error)
    assert found.most_at(float(fitted.max())) > float(found.at(fitted.max()))
