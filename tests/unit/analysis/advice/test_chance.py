"""Chances by counting: what is enough, and how sure that is."""

from __future__ import annotations

import numpy as np
import pytest

from sciflow.analysis.advice.chance import Spread

HIDDEN = [False, False, False, True]


def test_the_chance_of_the_kth_of_n_is_k_of_n_plus_1() -> None:
    """Nineteen values show 95 % with their largest, and no more."""
    spread = Spread(np.arange(1.0, 20.0))
    assert spread.enough(0.95) == pytest.approx((19.0, 0.95, True))
    assert spread.enough(0.5) == pytest.approx((10.0, 0.5, True))
    assert spread.enough(0.96) == pytest.approx((19.0, 0.95, False))
    assert spread.chance_of(19.0) == pytest.approx(0.95)
    assert spread.chance_of(0.5) == 0.0


def test_what_was_stopped_counts_as_more() -> None:
    """A value that is only known to be at least so much takes chance away from all that are below what it may be."""
    all_known = Spread(np.array([1.0, 2.0, 3.0, 4.0]))
    stopped = Spread(np.array([1.0, 2.0, 3.0, 3.5]), np.array(HIDDEN))
    assert stopped.most < all_known.chance_of(3.0)
    assert stopped.most == pytest.approx(0.75 * 3 / 4)
    assert stopped.enough(0.9) == pytest.approx((3.5, 0.75 * 3 / 4, False))


def test_what_was_stopped_early_says_little() -> None:
    """Stopped below all others, it leaves the order of these as it is."""
    stopped = Spread(np.array([1.0, 2.0, 3.0, 0.5]), np.array(HIDDEN))
    assert stopped.enough(0.5).amount == Spread(np.array([1.0, 2.0, 3.0])).enough(0.5).amount


@pytest.mark.parametrize("draw", ["exponential", "standard_cauchy", "standard_normal"])
def test_the_chance_is_kept_whatever_the_distribution(draw: str) -> None:
    """Over many samples of 30, a new value is within what is said to be enough as often as was said."""
    random = np.random.default_rng(1)
    kept = []
    for _ in range(400):
        values = getattr(random, draw)(size=31)
        kept.append(values[30] <= Spread(values[:30]).enough(0.9).amount)
    assert np.mean(kept) >= 0.9 - 3 * np.sqrt(0.9 * 0.1 / 400)
    assert np.mean(kept) <= 0.97
