"""The best of many."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any


def ranked(values: Sequence[Any], maximize: bool = True) -> list[int]:
    """The positions of all numbers, the best first, equal ones in their order.

    Parameters
    ----------
    values
        Numbers; None, NaN and anything that is no number are passed over.
    maximize
        Whether the largest is the best.
    """
    numbers = [
        position for position, value in enumerate(values) if isinstance(value, int | float) and not math.isnan(value)
    ]
    return sorted(numbers, key=lambda position: -values[position] if maximize else values[position])


def optimum(values: Sequence[Any], maximize: bool = True) -> int | None:
    """The position of the best number; None where there is none."""
    return next(iter(ranked(values, maximize)), None)
