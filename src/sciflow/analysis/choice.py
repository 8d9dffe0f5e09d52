"""Choosing some of the observations by values of their parameters."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from sciflow.analysis.observations import Observations, is_absent
from sciflow.errors import ResultError
from sciflow.model.values import nearest_values


def selected(observations: Observations, wanted: Mapping[str, Any]) -> Observations:
    """The observations whose parameters have certain values.

    Parameters
    ----------
    observations
        Of which to choose.
    wanted
        Parameter → a value, or a list of values of which it has one.

    Raises
    ------
    ResultError
        For a name that is no parameter, and a value that it never has.
    """
    rows = np.ones(len(observations), dtype=bool)
    for name, value in wanted.items():
        parameter = observations.parameter(name)
        values = list(value) if isinstance(value, (list, set, frozenset, range, np.ndarray)) else [value]
        for one in values:
            if one not in parameter.levels:
                raise ResultError(
                    f"`{name}` is never {one!r} in these results", hint=nearest_values(one, parameter.levels)
                )
        column = [None if is_absent(one) else one for one in observations.frame[name]]
        rows &= np.array([one in values for one in column], dtype=bool)
    return observations.of_rows(rows)
