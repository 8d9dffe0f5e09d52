"""Whether what is large varies more than what is small, or less: the spread of a law along its values.

The logarithm of the spread is taken to change with that of the value (Harvey, 1976), by maximum likelihood, where ranks
say that it changes at all: these are not misled by a few values far outside.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
_FEWEST = 12  # values below which a change cannot be told from chance
_BY_CHANCE = 0.03  # how often ranks would say so where nothing changes
_GAIN = 6.0  # what twice the likelihood has to gain: one more number that is fitted, and Akaike's criterion less by 4
_STEEPEST = 4.0
_PARTS = 4  # each with a middle of its own


@dataclass(frozen=True)
class Widening:
    """By which factor the spread at a value differs from that of all.

    Attributes
    ----------
    slope
        How fast it changes; 0 where it does not.
    middle, error
        The logarithm at which it is as everywhere, and the standard error of the slope.
    """

    slope: float = 0.0
    middle: float = 0.0
    error: float = 0.0

    def at(self, logs: Floats | float) -> Floats:
        """The factors at some values, by their logarithms."""
        return np.exp(self.slope * (np.asarray(logs) - self.middle))

    def most_at(self, log: float) -> float:
        """The factor at a value, with one standard error of the slope to spare."""
        if not self.slope:
            return 1.0
        distance = log - self.middle
        return math.exp(self.slope * distance + self.error * abs(distance))


def widening_of(fitted: Floats, residuals: Floats) -> Widening:
    """Find out how the residuals of a law change along its values, all as logarithms."""
    from scipy import optimize, stats

    if len(fitted) < _FEWEST or np.ptp(fitted) < 1e-9 or not residuals.any():
        return Widening()
    ranks: Any = stats.spearmanr(fitted, _apart(fitted, residuals))
    if not ranks.pvalue < _BY_CHANCE:
        return Widening()
    middle = float(fitted.mean())
    apart = fitted - middle

    def spread(slope: float) -> float:
        """Twice the negative likelihood, but for what does not depend on the slope."""
        return len(fitted) * math.log(float((residuals**2 * np.exp(-2 * slope * apart)).mean()))

    found = optimize.minimize_scalar(spread, bounds=(-_STEEPEST, _STEEPEST), method="bounded")
    slope = float(found.x)
    if spread(0.0) - spread(slope) < _GAIN:
        return Widening()
    return Widening(slope, middle, 1 / math.sqrt(2 * float((apart**2).sum())))


def _apart(fitted: Floats, residuals: Floats) -> Floats:
    """How far each is from the median of those near to it: what a few far outside do to a law is no spread."""
    apart = np.empty(len(residuals))
    for part in np.array_split(np.argsort(fitted, kind="stable"), _PARTS):
        apart[part] = np.abs(residuals[part] - np.median(residuals[part]))
    return apart
