"""A clock that goes from one event to the next, however far apart these are."""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Callable


class VirtualClock:
    """Seconds since the epoch, which pass only when somebody lets them.

    Parameters
    ----------
    now
        The time at which it starts.
    """

    def __init__(self, now: float = 1_800_000_000.0) -> None:
        self._now = now
        self._events: list[tuple[float, int, Callable[[], object]]] = []
        self._numbers = itertools.count()

    def __call__(self) -> float:
        """The time now."""
        return self._now

    @property
    def next_event(self) -> float | None:
        """When the next thing is to happen; None where nothing is."""
        return self._events[0][0] if self._events else None

    def at(self, time: float, action: Callable[[], object]) -> None:
        """Let something happen at a time; what is to happen at the same time happens in the order of these calls."""
        heapq.heappush(self._events, (max(time, self._now), next(self._numbers), action))

    def after(self, seconds: float, action: Callable[[], object]) -> None:
        """Let something happen so many seconds from now."""
        self.at(self._now + seconds, action)

    def step(self) -> bool:
        """Go to the next event and let it happen; whether there was one."""
        if not self._events:
            return False
        time, _, action = heapq.heappop(self._events)
        self._now = max(self._now, time)
        action()
        return True

    def run_until(self, time: float) -> None:
        """Let all happen that is to happen until a time, and that time come."""
        while self._events and self._events[0][0] <= time:
            self.step()
        self._now = max(self._now, time)

    def sleep(self, seconds: float) -> None:
        """Let seconds pass, as `time.sleep` does; what happens meanwhile may sleep as well."""
        self.run_until(self._now + seconds)
