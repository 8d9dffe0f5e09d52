"""How what instances need follows from their parameters: log(need) = log(base + c · size^k · …) + error."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sciflow.analysis.advice.chance import Spread
from sciflow.analysis.advice.terms import Levels, Power, Term
from sciflow.analysis.advice.widening import widening_of

Floats = NDArray[np.float64]
_LARGEST_LOG = 700.0  # of which there is a power of e


@dataclass
class Law:
    """What was fitted.

    Attributes
    ----------
    terms
        What it depends on; nothing for one that is the same for all.
    has_base
        Whether something is needed that does not grow: then its logarithm is the last coefficient.
    coefficients, covariance
        Of the logarithm: the constant, then those of the terms. The covariance is without the variance of the error.
    error, freedom
        The standard deviation of the error, and its degrees of freedom.
    score
        Akaike's criterion, corrected for few values: the less the better.
    residuals
        Each as large as it would be if the law had been fitted without it, in units of the same spread.
    """

    terms: tuple[Term, ...]
    has_base: bool
    coefficients: Floats
    covariance: Floats
    error: float
    freedom: int
    score: float
    residuals: Floats
    is_least: NDArray[np.bool_]
    fitted: Floats
    spread: Spread = field(init=False)

    def __post_init__(self) -> None:
        known = ~self.is_least
        self.widening = widening_of(self.fitted[known], self.residuals[known])
        self._even = self.residuals / self.widening.at(self.fitted)
        self._even_error = self.error * _size(self._even[known]) / _size(self.residuals[known])
        self.spread = Spread(self._even, self.is_least)
        self._quantiles: dict[float, float] = {}

    @property
    def left_out(self) -> Floats:
        """What each would have needed, as far above or below the law as it would be without it."""
        return np.exp(np.minimum(_LARGEST_LOG, self.fitted + self.residuals))

    @property
    def names(self) -> tuple[str, ...]:
        """The parameters that it depends on."""
        return tuple(dict.fromkeys(term.name for term in self.terms))

    def most(self, parameters: Mapping[str, Any], chance: float) -> float:
        """What suffices with a chance."""
        middle, tangent = self._at(parameters)
        leverage = float(tangent @ self.covariance @ tangent)
        wider = self.widening.most_at(middle)
        if self.widening.slope < 0:
            # What is large may vary less than the rest, but it costs too much to rely on that.
            wider = max(1.0, wider)
        margin = self._quantile(chance) * math.sqrt(wider**2 + leverage)
        return math.exp(min(_LARGEST_LOG, middle + margin))

    def middle(self, parameters: Mapping[str, Any]) -> float:
        """What half of all such instances need more than."""
        return math.exp(min(_LARGEST_LOG, self._at(parameters)[0]))

    def is_outside(self, parameters: Mapping[str, Any]) -> bool:
        """Whether nothing like it was measured."""
        return any(term.is_outside(parameters) for term in self.terms)

    def _quantile(self, chance: float) -> float:
        """How far above the middle, where it varies as everywhere.

        By Student's t, or by counting residuals where their tail is heavier than that.
        """
        if chance not in self._quantiles:
            from scipy import stats

            by_shape = self._even_error * float(stats.t.ppf(chance, self.freedom))
            by_count = self.spread.enough(chance)
            self._quantiles[chance] = max(by_shape, by_count.amount)
        return self._quantiles[chance]

    def _at(self, parameters: Mapping[str, Any]) -> tuple[float, Floats]:
        """The logarithm of the law, and its derivatives."""
        row = [1.0]
        place = 1
        for term in self.terms:
            columns = term.row(parameters)
            if any(map(math.isnan, columns)):
                columns = self._worst(term, place)
            row += columns
            place += term.columns
        design = np.array(row)
        growing = float(design @ self.coefficients[: len(row)])
        if not self.has_base:
            return growing, design
        base = float(self.coefficients[-1])
        value = float(np.logaddexp(growing, base))
        share = math.exp(growing - value)
        return value, np.append(design * share, 1 - share)

    def _worst(self, term: Term, place: int) -> list[float]:
        """The columns of a value of which nothing is known: those of the one that needs most."""
        own = self.coefficients[place : place + term.columns]
        if isinstance(term, Power):
            ends = [term.row({term.name: value}) for value in (term.low, term.high)]
            return max(ends, key=lambda columns: float(np.dot(columns, own)))
        best = int(np.argmax(own)) if own.max() > 0 else -1
        return [1.0 if i == best else 0.0 for i in range(term.columns)]

    def exponent(self, term: Power, confidence: float = 0.95) -> tuple[float, float, float]:
        """The exponent of a parameter in the middle of where it was seen, and between what it lies."""
        from scipy import stats

        place = 1 + sum(one.columns for one in self.terms[: self.terms.index(term)])
        value = float(self.coefficients[place])
        error = self.error * math.sqrt(max(0.0, self.covariance[place, place]))
        width = float(stats.t.ppf((1 + confidence) / 2, self.freedom)) * error
        return value, value - width, value + width

    def effects(self, term: Levels) -> dict[Any, float]:
        """By which factor each value of a parameter needs more than the first."""
        place = 1 + sum(one.columns for one in self.terms[: self.terms.index(term)])
        own = self.coefficients[place : place + term.columns]
        return dict(zip(term.values, [1.0, *map(math.exp, own)], strict=True))

    def fitting(self, chance: float) -> float:
        """The share of what was measured that would have fitted, each by what the others say."""
        from scipy import stats

        known = self._even[~self.is_least]
        count, freedom = len(known), max(1, self.freedom - 1)
        # The error without one of them follows from the error with it.
        left = np.maximum(self._even_error**2 * self.freedom - known**2, 1e-300) / freedom
        by_shape = known <= np.sqrt(left) * stats.t.ppf(chance, freedom) + 1e-12
        ordered, place = np.sort(known), math.ceil(chance * count - 1e-9)
        by_count = np.zeros(count, dtype=bool)
        if place < count:
            by_count = known <= ordered[place - 1] + 1e-12
        return float((by_shape | by_count).mean())


def _size(values: Floats) -> float:
    return max(1e-300, float(np.sqrt((values**2).mean())))
