"""Which settings cannot be told from the best."""

import numpy as np
import pytest
from scipy import stats

from sciflow.analysis.optima.comparison import compared_with_best
from sciflow.analysis.optima.settings import Measured


def measured(groups: list[np.ndarray]) -> Measured:
    """Values of settings, each with its repeats."""
    count = np.array([len(one) for one in groups])
    sd = np.array([np.std(one, ddof=1) if len(one) > 1 else np.nan for one in groups])
    mean = np.array([one.mean() for one in groups])
    return Measured(np.concatenate(groups), np.repeat(np.arange(len(groups)), count), count, mean, sd)


def test_dunnetts_p_values_are_those_of_scipy() -> None:
    """With equal numbers of repeats, by two integrals what SciPy finds by chance."""
    generator = np.random.default_rng(3)
    groups = [generator.normal(loc, size=4) for loc in (1.5, 1.2, 0.6, -0.5)]
    known = measured(groups)
    best = int(np.argmax(known.mean))
    found = compared_with_best(known, best, True, "dunnett")
    assert found is not None
    others = [one for place, one in enumerate(groups) if place != best]
    expected = stats.dunnett(*others, control=groups[best], alternative="less")
    assert np.delete(found.p_values, best) == pytest.approx(expected.pvalue, abs=5e-3)
    assert found.p_values[best] == 1
    assert found.test == "Dunnett's test, 3 comparisons with the best"
    smallest = compared_with_best(measured([-one for one in groups]), best, False, "dunnett")
    assert smallest is not None
    assert smallest.p_values == pytest.approx(found.p_values)


def test_welchs_p_values_are_those_of_scipy_times_their_number() -> None:
    """One-sided, with Bonferroni's correction; chosen where the spreads clearly differ."""
    generator = np.random.default_rng(5)
    groups = [generator.normal(loc, scale, 12) for loc, scale in ((1.0, 0.01), (0.9, 1.0), (0.7, 0.1))]
    found = compared_with_best(measured(groups), 0, True)
    assert found is not None
    assert found.test == "Welch's t-tests, 2 comparisons with the best, Bonferroni"
    for place in (1, 2):
        single = np.array(stats.ttest_ind(groups[0], groups[place], equal_var=False, alternative="greater"))[1]
        assert found.p_values[place] == pytest.approx(min(1.0, 2 * float(single)))


def test_the_true_best_is_seldom_ruled_out() -> None:
    """Although the seeming best is chosen by the same values, in at most about one case in twenty, over 100 of them."""
    generator = np.random.default_rng(7)
    true = np.array([0.3, 0.25, 0.2, 0.0, 0.0, 0.0])
    lost = 0
    for _ in range(100):
        known = measured([generator.normal(loc, size=4) for loc in true])
        found = compared_with_best(known, int(np.argmax(known.mean)), True, "dunnett")
        assert found is not None
        lost += found.p_values[0] < 0.05
    assert lost <= 9


def test_many_settings_are_compared_at_once() -> None:
    """Also where they have different numbers of repeats, some only one."""
    generator = np.random.default_rng(9)
    groups = [generator.normal(-place / 60, size=1 + place % 3) for place in range(600)]
    known = measured(groups)
    found = compared_with_best(known, int(np.argmax(known.mean)), True)
    assert found is not None
    assert (found.p_values[540:] < 0.05).all()
    assert ((found.p_values >= 0) & (found.p_values <= 1)).all()


def test_without_repeats_nothing_can_be_compared() -> None:
    """There is no comparison; repeats that never differ make every difference certain."""
    assert compared_with_best(measured([np.array([1.0]), np.array([2.0])]), 1, True) is None
    same = compared_with_best(measured([np.full(3, 1.0), np.full(3, 2.0), np.full(3, 2.0)]), 1, True)
    assert same is not None
    assert same.p_values.tolist() == [0, 1, pytest.approx(2 / 3)]
