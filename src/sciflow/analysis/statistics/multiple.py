"""Several tests at once: p-values that are corrected for their number."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


def holm(p: Sequence[float] | np.ndarray) -> np.ndarray:
    """p-values corrected by Holm (1979): the smallest counts as often as there are tests, the next once less, ….

    NaN is no test. (That of statsmodels collects garbage each time, which takes longer than all else.)
    """
    values = np.asarray(p, dtype=float)
    corrected, there = np.full(len(values), np.nan), np.flatnonzero(~np.isnan(values))
    order = there[np.argsort(values[there], kind="stable")]
    corrected[order] = np.minimum(1, np.maximum.accumulate(values[order] * np.arange(len(order), 0, -1)))
    return corrected
