"""Fits laws to what was measured.

Without a base a law is linear in the logarithms, and fitted by ordinary least squares (`statsmodels`); with one,
`scipy.optimize.least_squares` finds the best, and at it the law is taken as linear. What was stopped at a limit takes
part with what it would be expected to have needed, given that it was more (the EM algorithm; Aitkin, 1981), and in the
likelihood with the chance of that.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sciflow.analysis.advice.law import Floats, Law
from sciflow.analysis.advice.terms import Term

_ROUNDS = 60
_LEAST_ERROR = 1e-4  # of a logarithm: nothing is known better than that, and a perfect fit has no likelihood
_LEAST_BASE = 0.01  # of what one instance needs: less than that is none
_STARTS = (0.9, 0.5, 0.1)  # of the least value: where the base may be


def fit(
    terms: Sequence[Term],
    has_base: bool,
    parameters: Mapping[str, Sequence[Any]],
    values: Floats,
    is_least: NDArray[np.bool_],
) -> Law | None:
    """Fit a law; None where there are too few values for so many coefficients, or none is found."""
    count = len(values)
    rows = [dict(zip(parameters, row, strict=True)) for row in zip(*parameters.values(), strict=True)] if terms else []
    design = np.ones((count, 1))
    if terms:
        design = np.array([[1.0, *(x for term in terms for x in term.row(row))] for row in rows])
    size = design.shape[1] + has_base
    if int((~is_least).sum()) < size + 2 or _is_singular(design):
        return None
    return _Fit(tuple(terms), has_base, design, np.log(values), is_least).law()


class _Fit:
    """The work of fitting one law."""

    def __init__(
        self, terms: tuple[Term, ...], has_base: bool, design: Floats, logs: Floats, is_least: NDArray[np.bool_]
    ) -> None:
        self.terms, self.has_base, self.design, self.logs, self.is_least = terms, has_base, design, logs, is_least

    def law(self) -> Law | None:
        from scipy import stats

        targets, error = self.logs.copy(), 0.0
        least, coefficients = self.is_least, self._best(targets, None)
        for _ in range(_ROUNDS if least.any() else 1):
            middle, _ = self._values(coefficients)
            squares = float(((self.logs - middle)[~least] ** 2).sum())
            if error == 0.0:
                error = max(_LEAST_ERROR, math.sqrt(squares / max(1, (~least).sum())))
            if not least.any():
                break
            above = (self.logs - middle)[least] / error
            hazard = np.exp(stats.norm.logpdf(above) - stats.norm.logsf(above))
            new = np.where(least, 0.0, self.logs)
            new[least] = np.maximum(self.logs[least], middle[least] + error * hazard)
            squares += float((error**2 * (1 + above * hazard)).sum())
            fresh = max(_LEAST_ERROR, math.sqrt(squares / len(self.logs)))
            is_still = np.abs(new - targets).max() < 1e-4 and abs(fresh - error) < 1e-4
            targets, error = new, fresh
            if is_still:
                break
            coefficients = self._best(targets, coefficients)
        return self._finished(targets, coefficients, error)

    def _finished(self, targets: Floats, coefficients: Floats, error: float) -> Law | None:
        from scipy import stats
        from statsmodels.regression.linear_model import OLS

        middle, tangents = self._values(coefficients)
        if self.has_base and (tangents[:, -1].max() < _LEAST_BASE or _is_singular(tangents)):
            return None
        fitted = OLS(targets - middle + tangents @ coefficients, tangents).fit()
        count, size = tangents.shape
        freedom = count - size
        leverage = np.clip(((tangents @ fitted.normalized_cov_params) * tangents).sum(axis=1), 0, 1 - 1e-6)
        residuals = (self.logs - middle) / np.sqrt(1 - leverage)
        likelihood = np.where(
            self.is_least,
            stats.norm.logsf((self.logs - middle) / error),
            stats.norm.logpdf((self.logs - middle) / error) - math.log(error),
        ).sum()
        used = size + 1  # the error is fitted as well
        if count - used - 1 <= 0 or not math.isfinite(likelihood):
            return None
        score = 2 * used - 2 * float(likelihood) + 2 * used * (used + 1) / (count - used - 1)
        return Law(
            self.terms,
            self.has_base,
            np.asarray(fitted.params),
            np.asarray(fitted.normalized_cov_params),
            error * math.sqrt(count / freedom),
            freedom,
            score,
            residuals,
            self.is_least,
            middle,
        )

    def _values(self, coefficients: Floats) -> tuple[Floats, Floats]:
        """The law at each instance, and its derivatives."""
        if not self.has_base:
            return self.design @ coefficients, self.design
        growing = self.design @ coefficients[:-1]
        values = np.logaddexp(growing, coefficients[-1])
        share = np.exp(growing - values)[:, None]
        return values, np.hstack([self.design * share, 1 - share])

    def _best(self, targets: Floats, start: Floats | None) -> Floats:
        """The coefficients with the least squares."""
        if not self.has_base:
            return _least_squares(self.design, targets)
        from scipy import optimize

        tangents: Any = lambda at: self._values(at)[1]  # noqa: E731 - stubs of SciPy know no function here
        starts = [start] if start is not None else [self._start(targets, share) for share in _STARTS]
        found = [
            optimize.least_squares(lambda at: self._values(at)[0] - targets, one, jac=tangents, max_nfev=200)
            for one in starts
        ]
        best = min(found, key=lambda one: one.cost)
        return np.asarray(best.x)

    def _start(self, targets: Floats, share: float) -> Floats:
        base = math.log(share) + float(targets.min())
        rest = np.log(np.maximum(np.exp(targets) - math.exp(base), 1e-3 * np.exp(targets)))
        return np.append(_least_squares(self.design, rest), base)


def _is_singular(design: Floats) -> bool:
    return not np.isfinite(design).all() or np.linalg.matrix_rank(design) < design.shape[1]


def _least_squares(design: Floats, targets: Floats) -> Floats:
    return np.asarray(np.linalg.lstsq(design, targets, rcond=None)[0], dtype=np.float64)
