"""What to ask for the next time, from what was measured."""

from __future__ import annotations

import math
from collections.abc import Sequence

from sciflow.model.resources import GIB

GROWTH = 1.5  # from one request to the next larger one
SPARE = 1.2  # how much more than what was measured is asked for
_MIB = 1024**2
_MINUTE = 60
_UNSAID_SECONDS = 3600


def more_memory(given: int, own_peak: int, neighbours: Sequence[float], cap: int | None) -> int | None:
    """Bytes to ask for after memory was used up.

    At least half as much again as was given, and a fifth more than the most that was measured. Requests grow by steps,
    so that indices that need about the same ask for the same, and can be one array job.

    Parameters
    ----------
    given
        What was asked for; 0 where nothing was.
    own_peak
        The most that it had, as far as that was measured; 0 where it was not.
    neighbours
        The peaks of completed instances near to it in the space of parameters.
    cap
        The most that there is; None where that is not known.

    Returns
    -------
    int or None
        Whole MiB, in bytes; None where no more can be given, or where nothing is known to start from.
    """
    return _grown(given, own_peak, neighbours, cap, GIB, _MIB)


def more_time(given: int, own_seconds: float, neighbours: Sequence[float], cap: int | None) -> int | None:
    """Seconds to ask for after the time was up, as `more_memory`; whole minutes from the first one on."""
    return _grown(given, own_seconds, neighbours, cap, _UNSAID_SECONDS, _MINUTE)


def _grown(given: int, own: float, neighbours: Sequence[float], cap: int | None, unsaid: int, unit: int) -> int | None:
    """The least step that is enough, and no more than the cap.

    Steps start from what was given. Where nothing was, what was had at the end was all there was, and they start from
    an amount that is the same for all.
    """
    base = given or own
    needed = max(GROWTH * base, SPARE * max(own, *neighbours, 0))
    if needed <= 0 or (cap is not None and cap <= base):
        return None
    step = float(given or unsaid)
    while not given and step / GROWTH >= needed:
        step /= GROWTH
    while step < needed * (1 - 1e-9):  # the product of the same numbers may differ in the last digit
        step *= GROWTH
    unit = unit if step >= unit else 1
    grown = -(-math.ceil(step * (1 - 1e-12)) // unit) * unit
    return grown if cap is None else min(grown, cap)
