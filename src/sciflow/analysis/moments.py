"""Moments of groups: how many values each has, their mean, their standard deviation."""

from __future__ import annotations

import math

import numpy as np

_LARGE = 1e100  # from here on, and below its inverse, squares or sums of them may leave what a float can hold


def moments(group: np.ndarray, values: np.ndarray, size: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Count, mean and standard deviation of each group.

    Parameters
    ----------
    group
        For each value the number of its group.
    values
        Finite numbers.
    size
        How many groups there are; one without values has a mean of NaN, one without two a standard deviation of NaN.
    """
    scale = scale_of(values)
    scaled = values / scale
    count = np.bincount(group, minlength=size)
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
        mean = np.bincount(group, scaled, minlength=size) / count
        squares = np.bincount(group, (scaled - mean[group]) ** 2, minlength=size)
        sd = np.where(count > 1, np.sqrt(squares / (count - 1)), np.nan)
        return count, mean * scale, sd * scale


def scale_of(values: np.ndarray) -> float:
    """A power of two by which very large or tiny values are to be divided before they are squared; else 1."""
    largest = float(np.abs(values).max(initial=0.0, where=np.isfinite(values)))
    is_usual = largest == 0 or 1 / _LARGE <= largest <= _LARGE
    return 1.0 if is_usual else 2.0 ** (math.frexp(largest)[1] - 1)
