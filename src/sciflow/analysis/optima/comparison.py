"""Comparison with the best: which settings' means cannot be told from it, given their repeats.

The best is found by the same values, so it may only be the luckiest. Both tests here hold all the same: each asks of a
setting whether it could be the best of all, with that setting as the control which the others are compared with (Hsu's
multiple comparisons with the best, 1984). So the true best is among those that are left with the given confidence.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy import special

from sciflow.analysis.optima.settings import Measured

Test = Literal["auto", "dunnett", "welch"]
_UNEQUAL = 0.05  # spreads that differ more than chance lets them this rarely are not pooled
_NODES = 48
_BLOCK = 1 << 22


@dataclass(frozen=True, eq=False)
class Comparison:
    """Of each setting the chance to be seen this far behind the best, were it the best itself.

    Attributes
    ----------
    p_values
        One for each setting; that of the best is 1.
    test
        Which was used, in words, with what it does about many comparisons.
    """

    p_values: np.ndarray
    test: str


def compared_with_best(measured: Measured, best: int, maximize: bool, test: Test = "auto") -> Comparison | None:
    """Compare all settings with the one that has the best mean; None where nothing was measured more than once.

    Parameters
    ----------
    measured
        The metric at each setting; each has a value.
    best
        The row of the best mean.
    maximize
        Whether the largest mean is the best.
    test
        Dunnett's, which takes the spread of all settings for equal; Welch's t-tests, which do not, with the p-values
        times the number of comparisons (Bonferroni); or by what Brown and Forsythe's test says of the spreads.
    """
    measured = measured.scaled
    pooled, freedom = measured.pooled
    if not freedom:
        return None
    behind = (measured.mean[best] - measured.mean) * (1 if maximize else -1)
    others = len(behind) - 1
    told = f"{others} comparison{'s' if others > 1 else ''} with the best"
    if not others:
        return Comparison(np.ones(1), "there is nothing to compare it with")
    if test == "auto":
        test = "welch" if _spreads_differ(measured) else "dunnett"
    if test == "dunnett":
        statistic = _ratio(behind, pooled * np.sqrt(1 / measured.count + 1 / measured.count[best]))
        p_values = _dunnett(statistic, measured.count, freedom)
        told = f"Dunnett's test, {told}"
    else:
        p_values = np.minimum(others * _welch(measured, behind, best), 1.0)
        told = f"Welch's t-tests, {told}, Bonferroni"
    p_values[best] = 1.0
    return Comparison(p_values, told)


def _ratio(difference: np.ndarray, error: np.ndarray | float) -> np.ndarray:
    """A statistic; where repeats do not differ at all, any difference is beyond doubt, and none is none."""
    with np.errstate(divide="ignore", invalid="ignore"):
        found = difference / error
    return np.where(difference == 0, 0.0, found)


def _spreads_differ(measured: Measured) -> bool:
    parts = np.split(measured.values, np.flatnonzero(np.diff(measured.owner)) + 1)
    parts = [one for one in parts if len(one) > 2]  # of two values the middle is as far from one as from the other
    if len(parts) < 2 or all(np.ptp(one) == 0 for one in parts):
        return False
    from scipy import stats  # takes as long to load as all else together

    with np.errstate(all="ignore"):
        return bool(stats.levene(*parts, center="median").pvalue < _UNEQUAL)


def _welch(measured: Measured, behind: np.ndarray, best: int) -> np.ndarray:
    pooled, freedom = measured.pooled
    single = measured.count < 2
    squares = np.where(single, pooled, measured.sd) ** 2 / measured.count
    degrees = np.where(single, freedom, measured.count - 1)
    together = squares + squares[best]
    with np.errstate(divide="ignore", invalid="ignore"):
        of_both = together**2 / (squares**2 / degrees + squares[best] ** 2 / degrees[best])
    of_both = np.where(together > 0, of_both, degrees)
    return np.asarray(special.stdtr(of_both, -_ratio(behind, np.sqrt(together))))


def _dunnett(statistic: np.ndarray, count: np.ndarray, freedom: int) -> np.ndarray:
    """The chance that the largest of all comparisons with a setting is at least its statistic (one-sided).

    The comparisons share the control's mean and the pooled spread; given both they are independent, so that two
    integrals remain (Dunnett 1955). SciPy's `dunnett` does the same by chance, and not for thousands of settings.
    """
    spread, weight = np.polynomial.legendre.leggauss(_NODES)
    scale = np.sqrt(2 * special.gammaincinv(freedom / 2, (spread + 1) / 2) / freedom)
    shared, density = np.polynomial.hermite_e.hermegauss(_NODES)
    weights = np.outer(weight / 2, density / np.sqrt(2 * np.pi))
    sizes, how_many = np.unique(count, return_counts=True)
    p_values = np.empty(len(statistic))
    step = max(1, _BLOCK // (_NODES**2))
    for own, own_many in zip(sizes, how_many, strict=True):
        rows = np.flatnonzero(count == own)
        for start in range(0, own_many, step):
            some = rows[start : start + step]
            below = np.zeros((len(some), _NODES, _NODES))
            for other, many in zip(sizes, how_many, strict=True):
                left = many - (other == own)
                part = other / (own + other)  # how much of a comparison's variance is the control's
                bound = statistic[some, None, None] * scale[None, :, None] + np.sqrt(part) * shared[None, None, :]
                below += left * special.log_ndtr(bound / np.sqrt(1 - part)) if left else 0.0
            p_values[some] = 1 - (np.exp(below) * weights).sum(axis=(1, 2))
    return np.clip(p_values, 0.0, 1.0)
