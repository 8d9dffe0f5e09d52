"""The best of many."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any


def optimum(values: Sequence[Any], maximize: bool = True) -> int | None:
    """Where the largest or smallest number stands; the first of equal ones.

    Parameters
    ----------
    values
        Numbers; None, NaN and anything that is no number are passed over.
    maximize
        Look for the largest.

    Returns
    -------
    int or None
        Its position; None where there is no number.
    """
    numbers = [
        (value, position)
        for position, value in enumerate(values)
        if isinstance(value, int | float) and not math.isnan(value)
    ]
    if not numbers:
        return None
    if maximize:
        return max(numbers, key=lambda pair: (pair[0], -pair[1]))[1]
    return min(numbers)[1]
