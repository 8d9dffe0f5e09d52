"""Bootstrap: how sure a mean is, by drawing the same values again and again."""

from __future__ import annotations

import warnings

import numpy as np
from numpy.typing import NDArray

from sciflow.analysis.moments import scale_of

RESAMPLES = 2000
SEED = 0
_MOST_CORRECTED = 1000  # values: above, the correction is nothing, and its jackknife would take ever longer
_MOST_AT_ONCE = 4_000_000  # drawn values that are held in memory

Numbers = NDArray[np.float64]


def bootstrap_bounds(values: Numbers, confidence: float) -> tuple[Numbers, Numbers]:
    """The lower and upper ends of intervals of means.

    They are bias-corrected and accelerated (BCa), percentiles for groups of more than a thousand. What is drawn is the
    same each time, and for each group, so that an interval depends on nothing but its values.

    Parameters
    ----------
    values
        A row for each group, all of the same size.
    confidence
        Between 0 and 1.
    """
    groups, count = values.shape
    low = values.min(axis=1)
    high = values.max(axis=1)
    if count < 2:
        return np.full(groups, np.nan), np.full(groups, np.nan)
    rows = np.flatnonzero(low < high)  # a constant group has an interval of no width
    step = max(1, _MOST_AT_ONCE // (count * RESAMPLES))
    for start in range(0, len(rows), step):
        here = rows[start : start + step]
        scale = scale_of(values[here])
        low[here], high[here] = (scale * ends for ends in _drawn(values[here] / scale, confidence))
    return low, high


def _drawn(values: Numbers, confidence: float) -> tuple[Numbers, Numbers]:
    from scipy import stats  # takes as long to load as all else together

    count = values.shape[1]
    with warnings.catch_warnings():
        # Where the correction cannot be worked out, percentiles are taken below.
        warnings.simplefilter("ignore", stats.DegenerateDataWarning)
        found = stats.bootstrap(
            (values,),
            np.mean,
            axis=-1,
            vectorized=True,
            n_resamples=RESAMPLES,
            batch=max(1, _MOST_AT_ONCE // values.size),
            confidence_level=confidence,
            method="BCa" if count <= _MOST_CORRECTED else "percentile",
            random_state=np.random.default_rng(SEED),  # pyright: ignore[reportCallIssue]  # `rng` is SciPy 1.15's
        )
    tail = (1 - confidence) / 2
    plain = np.quantile(found.bootstrap_distribution, [tail, 1 - tail], axis=-1)
    ends = found.confidence_interval
    return np.where(np.isfinite(ends.low), ends.low, plain[0]), np.where(np.isfinite(ends.high), ends.high, plain[1])
