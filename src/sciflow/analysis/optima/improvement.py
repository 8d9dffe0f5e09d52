"""Expected improvement: what a setting promises, given what a surrogate expects of it and how surely."""

from __future__ import annotations

import numpy as np
from scipy import special, stats

_FAR = 1e4  # standard deviations; beyond them the ratio of two integrals is 1 but for rounding


def log_improvement(gain: np.ndarray) -> np.ndarray:
    """The logarithm of the expected improvement where a standard normal value is expected to be better by a gain.

    The improvement itself is too small for a float soon: a sure surrogate would find no candidate better than any other
    (after Ament et al. 2023, "Unexpected improvements to expected improvement").
    """
    density = -0.5 * gain**2 - 0.5 * np.log(2 * np.pi)
    behind = np.clip(-gain, 1.0, _FAR)
    ratio = behind * np.sqrt(np.pi / 2) * special.erfcx(behind / np.sqrt(2))  # nearly 1 where it is far behind
    lost = np.where(-gain < _FAR, np.log1p(-ratio), -2 * np.log(np.maximum(-gain, _FAR)))
    near = np.maximum(gain, -1.0)
    won = np.log(stats.norm.pdf(near) + near * stats.norm.cdf(near))
    return np.where(gain < -1.0, density + lost, won)
