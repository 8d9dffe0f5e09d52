"""Bootstrap intervals of means."""

from __future__ import annotations

import numpy as np
import pytest

from sciflow.analysis.bootstrap import bootstrap_bounds


def test_it_covers_as_often_as_it_says() -> None:
    """Of 400 groups of 40 skewed values, 90 % intervals hold the true mean in 85 to 94 %, neither all nor few."""
    values = np.random.default_rng(5).exponential(1.0, (400, 40))
    low, high = bootstrap_bounds(values, 0.9)
    assert 0.85 <= np.mean((low <= 1.0) & (high >= 1.0)) <= 0.94


def test_a_group_has_the_same_interval_among_any_others() -> None:
    """What is drawn depends on nothing but the size of the group; order within it is no matter of more than chance."""
    values = np.random.default_rng(5).normal(size=(50, 6))
    together = bootstrap_bounds(values, 0.95)
    alone = bootstrap_bounds(values[7:8], 0.95)
    assert [one[7] for one in together] == pytest.approx([one[0] for one in alone])


def test_constant_and_single_values() -> None:
    """Equal values have an interval of no width, a single one has none; others beside them have theirs."""
    low, high = bootstrap_bounds(np.array([[2.0, 2.0, 2.0], [1.0, 2.0, 3.0]]), 0.95)
    assert (low[0], high[0]) == (2.0, 2.0)
    assert low[1] < 2.0 < high[1]
    assert np.isnan(bootstrap_bounds(np.array([[1.0], [2.0]]), 0.95)).all()


def test_two_values_have_an_interval() -> None:
    """As few as two: its ends are numbers, between the values."""
    low, high = bootstrap_bounds(np.array([[1.0, 3.0]]), 0.95)
    assert (low[0], high[0]) == (1.0, 3.0)


def test_large_groups_take_percentiles() -> None:
    """Where the correction would be nothing: near Student's interval."""
    values = np.random.default_rng(5).normal(size=(1, 1500))
    low, high = bootstrap_bounds(values, 0.95)
    half = 1.96 * values.std(ddof=1) / np.sqrt(1500)
    assert (low[0], high[0]) == pytest.approx((values.mean() - half, values.mean() + half), abs=0.2 * half)
