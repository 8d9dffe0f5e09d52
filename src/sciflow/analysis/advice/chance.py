"""How much is enough with which chance, by what was measured: no shape of the distribution is assumed.

Of *n* values in no particular order, a new one is below the *k*-th smallest with the chance *k* / (*n* + 1). Where of
some it is only known that they are at least so much, the estimator of Kaplan and Meier takes the place of the counts
(`scipy.stats.ecdf`), and *n* counts those that are known.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


class Enough(NamedTuple):
    """An amount, and the chance that a new value is not above it.

    Attributes
    ----------
    is_shown
        Whether the chance that was asked for can be shown by so few values; else the amount is the largest of them.
    """

    amount: float
    chance: float
    is_shown: bool


class Spread:
    """Values that were measured, of which some may be known to be at least so much.

    Parameters
    ----------
    values, is_least
        At least one of them has to be known.
    """

    def __init__(self, values: Floats, is_least: NDArray[np.bool_] | None = None) -> None:
        from scipy import stats

        least = np.zeros(len(values), dtype=bool) if is_least is None else is_least
        known = int((~least).sum())
        cdf = stats.ecdf(stats.CensoredData.right_censored(values, least)).cdf
        # Steps are at the values that are known; others only lower those that come after them.
        self.steps = np.unique(values[~least])
        self.chances = cdf.evaluate(self.steps) * (known / (known + 1))
        self.largest = float(values.max())

    @property
    def most(self) -> float:
        """The largest chance that these values can show."""
        return float(self.chances[-1])

    def enough(self, chance: float) -> Enough:
        """The least amount that suffices with a chance."""
        place = int(np.searchsorted(self.chances, chance * (1 - 1e-12)))
        if place < len(self.steps):
            return Enough(float(self.steps[place]), float(self.chances[place]), True)
        return Enough(self.largest, self.most, False)

    def chance_of(self, amount: float) -> float:
        """The chance that an amount suffices."""
        place = int(np.searchsorted(self.steps, amount * (1 + 1e-12), side="right"))
        return float(self.chances[place - 1]) if place else 0.0
