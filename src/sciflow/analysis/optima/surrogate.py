"""A surrogate: a Gaussian process that was fitted to what was measured, and says what to expect elsewhere."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from sciflow.errors import ResultError

_FOLDS = 5
_NOISE = (1e-8, 1.0)  # as a part of the variance of the metric
_LENGTHS = (0.05, 20.0)  # of the range of each parameter


def check_installed() -> None:
    """Say how to install what surrogates need.

    Raises
    ------
    ResultError
        Where it is missing.
    """
    try:
        import sklearn.gaussian_process  # noqa: F401
    except ImportError:
        raise ResultError(
            "suggestions need scikit-learn, which is not installed", hint="pip install 'sciflow[suggest]'"
        ) from None


class Surrogate:
    """A Gaussian process (Matérn 5/2, a length scale for each column) over rows of numbers.

    Parameters
    ----------
    rows, values
        What was measured where.
    noise
        The variance of each value, known from its repeats; None where it is to be estimated.
    seed
        For the starts of the fit.
    """

    def __init__(self, rows: np.ndarray, values: np.ndarray, noise: np.ndarray | None, seed: int) -> None:
        self.rows, self.values, self.noise = rows, values, noise
        self._mean, self._scale = float(values.mean()), float(values.std()) or 1.0
        self._seed = seed
        self._process = self._fitted(rows, values, noise, None)

    def predict(self, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The expected value at each row, and its standard deviation, without what only repeats would scatter.

        The deviation is never less than the least noise of the fit: what is below that is rounding.
        """
        mean, sd = self._process.predict(rows, return_std=True)
        level = _noise_level(self._process)
        sd = np.sqrt(np.maximum(sd**2 - level, _NOISE[0]))
        return mean * self._scale + self._mean, sd * self._scale

    def believing(self, row: np.ndarray) -> Surrogate:
        """The same as if what it expects at a row had been measured there (the kriging believer)."""
        expected = self.predict(row[None, :])[0]
        other = object.__new__(Surrogate)
        other._mean, other._scale, other._seed = self._mean, self._scale, self._seed
        other.rows = np.vstack([self.rows, row])
        other.values = np.append(self.values, expected)
        other.noise = None if self.noise is None else np.append(self.noise, np.median(self.noise))
        other._process = other._fitted(other.rows, other.values, other.noise, self._process.kernel_)
        return other

    def skill(self) -> float:
        """How much of the metric's variance it foretells where it was not fitted, by cross-validation.

        1 is all of it; 0 and less is no better than the mean.
        """
        from sklearn.model_selection import KFold

        count = len(self.values)
        expected = np.empty(count)
        mean = np.empty(count)
        for train, test in KFold(min(_FOLDS, count), shuffle=True, random_state=self._seed).split(self.rows):
            noise = None if self.noise is None else self.noise[train]
            process = self._fitted(self.rows[train], self.values[train], noise, self._process.kernel_, is_refitted=True)
            expected[test] = process.predict(self.rows[test]) * self._scale + self._mean
            mean[test] = self.values[train].mean()
        spread = float(((self.values - mean) ** 2).sum())
        return 1 - float(((self.values - expected) ** 2).sum()) / spread if spread else 0.0

    def _fitted(
        self,
        rows: np.ndarray,
        values: np.ndarray,
        noise: np.ndarray | None,
        kernel: Any,
        is_refitted: bool = False,
    ) -> Any:
        from sklearn import gaussian_process
        from sklearn.exceptions import ConvergenceWarning

        regressor: Any = gaussian_process.GaussianProcessRegressor  # whose annotations are narrower than what it takes
        is_new = kernel is None
        alpha = 1e-8 if noise is None else noise / self._scale**2 + 1e-8
        process = regressor(
            _kernel(rows.shape[1], noise is None) if is_new else kernel,
            alpha=alpha,
            optimizer="fmin_l_bfgs_b" if is_new or is_refitted else None,
            n_restarts_optimizer=2 if is_new else 0,
            random_state=self._seed,
        )
        with warnings.catch_warnings():
            # A length at its bound is a parameter without effect; how good the fit is, its skill says.
            warnings.simplefilter("ignore", ConvergenceWarning)
            return process.fit(rows, (values - self._mean) / self._scale)


def _kernel(columns: int, with_noise: bool) -> Any:
    from sklearn.gaussian_process import kernels

    matern: Any = kernels.Matern
    kernel = kernels.ConstantKernel(1.0, (1e-2, 1e3)) * matern(np.full(columns, 0.5), _LENGTHS, nu=2.5)
    return kernel + kernels.WhiteKernel(1e-4, _NOISE) if with_noise else kernel


def _noise_level(process: Any) -> float:
    return float(getattr(getattr(process.kernel_, "k2", None), "noise_level", 0.0))
