"""Indices of first order from any sample: the share of the variance that one parameter explains by itself."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
from scipy import stats

from sciflow.analysis.observations import Parameter

_SEED = 1  # of resampling: the same answer for the same values
_RESAMPLES = 100
_HARMONICS = 10  # of RBD-FAST, where there are points enough
_MOST_OPTIONS = 20  # of a whole number, until it counts as continuous


def first_order(column: list[Any], values: np.ndarray, parameter: Parameter, confidence: float) -> tuple[float, float]:
    """An index of first order, and half the width of its interval.

    Parameters
    ----------
    column
        The parameter at each point.
    values
        The metric there.
    parameter
        What is known of it.
    confidence
        Of the interval.
    """
    place = {level: number for number, level in enumerate(dict.fromkeys(column))}
    codes = np.array([place[one] for one in column])
    if parameter.kind == "category" or codes.max() < _MOST_OPTIONS:
        return _of_options(codes, values, confidence)
    from SALib.analyze import rbd_fast

    # As many harmonics as half of the points can bear, on which SALib resamples.
    harmonics = max(2, min(_HARMONICS, len(values) // 20))
    numbers = np.array(column, dtype=float)[:, None]
    found = quietly(
        lambda: rbd_fast.analyze(
            problem_of([parameter.name]), numbers, values, M=harmonics, conf_level=confidence, seed=_SEED
        )
    )
    return float(found["S1"][0]), float(found["S1_conf"][0])


def _of_options(codes: np.ndarray, values: np.ndarray, confidence: float) -> tuple[float, float]:
    random = np.random.default_rng(_SEED)
    again = [
        _epsilon2(codes[rows], values[rows]) for rows in random.integers(len(values), size=(_RESAMPLES, len(values)))
    ]
    return _epsilon2(codes, values), float(stats.norm.ppf((1 + confidence) / 2) * np.std(again, ddof=1))


def _epsilon2(codes: np.ndarray, values: np.ndarray) -> float:
    """The share of the variance that lies between options, without what chance alone puts there."""
    counts = np.bincount(codes)
    deviations = values - values.mean()
    sums = np.bincount(codes, deviations)
    there = counts > 0
    between, total = float(np.sum(sums[there] ** 2 / counts[there])), float(deviations @ deviations)
    groups = int(there.sum())
    if total == 0 or len(values) <= groups:
        return 0.0
    within = (total - between) / (len(values) - groups)
    return (between - (groups - 1) * within) / total


def problem_of(names: list[str]) -> dict[str, Any]:
    """What SALib has to know of parameters in the unit cube."""
    return {"num_vars": len(names), "names": names, "bounds": [[0.0, 1.0]] * len(names)}


def quietly(analyse: Callable[[], Any]) -> Any:
    """Run what warns of resamples that happen to be constant; what we return says so by its interval."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return analyse()
