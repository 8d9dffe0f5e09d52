"""How many cores the attempts of a task have kept busy, and how many to ask for."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from sciflow.analysis.advice.needed import DONE, Needs

_SPARE = 0.2  # of a core: a little more than some cores is no reason for one more
_WAITS = 0.7  # of the cores that are asked for: a task that keeps fewer busy waits for something else
_SHORTEST = 1.0  # seconds that an attempt ran: of shorter ones the CPU time says little


@dataclass(frozen=True)
class Cores:
    """The cores of a task.

    Attributes
    ----------
    given
        How many one instance was given, in order; several where the request depends on parameters.
    busy, most_busy
        How many were kept busy on average over its time: by half of the instances more than that, and by one in
        twenty more than that.
    ask
        How many to ask for; 0 where that cannot be said.
    seconds
        Cores that were given → how long half of those instances took more than.
    is_waiting
        Whether it waits for something else, such as files, for much of its time.
    """

    given: tuple[int, ...]
    busy: float
    most_busy: float
    ask: int
    seconds: dict[int, float]
    is_waiting: bool

    @property
    def stretch(self) -> float:
        """By which factor it takes longer at most with the cores that are asked for."""
        return max(1.0, self.most_busy / self.ask) if 0 < self.ask < self.given[-1] else 1.0


def cores_of(needs: Needs) -> Cores | None:
    """What is known of the cores of a task; None for nothing."""
    done = [one for one in needs.tried if one.state in DONE and one.cpu_seconds > 0 and one.seconds > 0]
    if not done:
        return None
    used = [one for one in done if one.seconds >= _SHORTEST] or done
    busy = np.array([one.cpu_seconds / one.seconds for one in used])
    given = tuple(sorted({one.given.cores for one in done}))
    most = float(np.quantile(busy, 0.95))
    ask = min(given[-1], max(1, math.ceil(most - _SPARE)))
    seconds = {cores: float(np.median([one.seconds for one in done if one.given.cores == cores])) for cores in given}
    middle = float(np.median(busy))
    return Cores(given, middle, most, ask if len(given) == 1 else 0, seconds, middle < _WAITS * ask)
