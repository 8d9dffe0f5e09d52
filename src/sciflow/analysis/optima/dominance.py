"""Dominance: which points no other point is at least as good as in everything, and better in something."""

from __future__ import annotations

import numpy as np

_PAIRS = 1 << 18  # so many comparisons are done at once rather than divided further
_STRONG = 64


def undominated(costs: np.ndarray) -> np.ndarray:
    """Which rows are not dominated; equal ones do not dominate each other.

    Parameters
    ----------
    costs
        One row per point, one column per objective, the smaller the better; finite or infinite, no NaN.

    Returns
    -------
    numpy.ndarray
        A truth value for each row.

    Notes
    -----
    Divide and conquer by Kung, Luccio and Preparata (1975): n points with m objectives take about n log(n)^(m-2) steps.
    """
    if not len(costs):
        return np.zeros(0, dtype=bool)
    # Of different rows in lexicographic order, none is dominated by a later one, and "at least as good" is dominance.
    points, inverse = np.unique(costs, axis=0, return_inverse=True)
    left = np.arange(len(points))
    if len(points) > 4 * _STRONG:
        left = _without_weak(points)
    kept = np.zeros(len(points), dtype=bool)
    kept[left[_front(points[left])]] = True
    return kept[inverse.reshape(-1)]


def _without_weak(points: np.ndarray) -> np.ndarray:
    """The rows that none of a few strong ones dominates: most of many are gone by then."""
    ranks = np.empty(points.shape)
    for column in range(points.shape[1]):
        ranks[:, column] = np.unique(points[:, column], return_inverse=True)[1]
    total = ranks.sum(axis=1)
    weak = np.zeros(len(points), dtype=bool)
    for strong in np.argpartition(total, _STRONG)[:_STRONG]:
        if not weak[strong]:
            beaten = (points >= points[strong]).all(axis=1)
            weak |= beaten & (np.arange(len(points)) != strong)
    return np.flatnonzero(~weak)


def _front(points: np.ndarray) -> np.ndarray:
    """Positions of the undominated among different rows in lexicographic order."""
    if len(points) ** 2 <= _PAIRS:
        covered = np.full((len(points), len(points)), True)
        for column in points.T:
            np.logical_and(covered, column[:, None] <= column[None, :], out=covered)
        np.fill_diagonal(covered, False)
        return np.flatnonzero(~covered.any(axis=0))
    half = len(points) // 2
    first = _front(points[:half])
    second = half + _front(points[half:])
    beaten = _covered(points[first][:, 1:], points[second][:, 1:])
    return np.concatenate([first, second[~beaten]])


def _covered(by: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """For each row whether one of `by` is nowhere larger."""
    if not len(by) or not len(rows):
        return np.zeros(len(rows), dtype=bool)
    width = rows.shape[1]
    if width == 0:
        return np.ones(len(rows), dtype=bool)
    if width == 1:
        return np.greater_equal(rows[:, 0], by[:, 0].min())
    if width == 2:
        return _covered_in_two(by, rows)
    if len(by) * len(rows) <= _PAIRS:
        covered = np.full((len(by), len(rows)), True)
        for left, right in zip(by.T, rows.T, strict=True):
            np.logical_and(covered, left[:, None] <= right[None, :], out=covered)
        return np.asarray(covered.any(axis=0))
    last = width - 1
    both = np.concatenate([by[:, last], rows[:, last]])
    low, high = both.min(), both.max()
    if low == high:
        return _covered(by[:, :last], rows[:, :last])
    middle = np.partition(both, len(both) // 2)[len(both) // 2]
    if middle == high:
        middle = both[both < high].max()
    near, early = by[:, last] <= middle, rows[:, last] <= middle
    covered = np.zeros(len(rows), dtype=bool)
    covered[early] = _covered(by[near], rows[early])
    # Below the middle on one side and above it on the other, the last column says yes.
    covered[~early] = _covered(by[near][:, :last], rows[~early][:, :last])
    rest = np.flatnonzero(~early & ~covered)
    covered[rest] = _covered(by[~near], rows[rest])
    return covered


def _covered_in_two(by: np.ndarray, rows: np.ndarray) -> np.ndarray:
    order = np.argsort(by[:, 0], kind="stable")
    lowest = np.minimum.accumulate(by[order, 1])
    before = np.searchsorted(by[order, 0], rows[:, 0], side="right")
    return np.logical_and(before > 0, lowest[np.maximum(before - 1, 0)] <= rows[:, 1])
