"""Several tests at once."""

from __future__ import annotations

from typing import Any

import numpy as np
from statsmodels.stats.multitest import multipletests

from sciflow.analysis.statistics.multiple import holm


def test_p_values_are_corrected_as_by_statsmodels() -> None:
    """Also where some are equal; what is no test stays none."""
    p = [0.01, 0.04, 0.03, 0.005, 0.04, 0.9]
    theirs: Any = multipletests(p, method="holm")
    np.testing.assert_allclose(holm(p), theirs[1])
    with_none = holm([*p, float("nan")])
    np.testing.assert_allclose(with_none[:6], holm(p))
    assert np.isnan(with_none[6])
    assert len(holm([])) == 0
