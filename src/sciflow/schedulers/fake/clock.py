"""A clock that goes from one event to the next, however far apart these are."""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Callable


class Event:
    """Something that is to happen at some time, unless it is called off.

    Attributes
    ----------
    is_aside
        Whether nobody waits for it: the arrivals of others and what goes wrong by chance never end.
    """

    __slots__ = ("_clock", "action", "is_aside")

    def __init__(self, clock: VirtualClock, action: Callable[[], object], is_aside: bool) -> None:
        self._clock = clock
        self.action: Callable[[], object] | None = action
        self.is_aside = is_aside

    def call_off(self) -> None:
        """Let it not happen."""
        if self.action is not None:
            self.action = None
            self._clock.drop(self)


class VirtualClock:
    """Seconds since the epoch, which pass only when somebody lets them.

    Parameters
    ----------
    now
        The time at which it starts.
    """

    def __init__(self, now: float = 1_800_000_000.0) -> None:
        self._now = now
        self._events: list[tuple[float, int, Event]] = []
        self._numbers = itertools.count()
        self._awaited = 0

    def __call__(self) -> float:
        """The time now."""
        return self._now

    @property
    def next_event(self) -> float | None:
        """When the next thing is to happen; None where nothing is."""
        while self._events and self._events[0][2].action is None:
            heapq.heappop(self._events)
        return self._events[0][0] if self._events else None

    @property
    def is_quiet(self) -> bool:
        """Whether nothing is to happen for which anybody waits."""
        return not self._awaited

    def at(self, time: float, action: Callable[[], object], is_aside: bool = False) -> Event:
        """Let something happen at a time; what is to happen at the same time happens in the order of these calls."""
        event = Event(self, action, is_aside)
        self._awaited += not is_aside
        heapq.heappush(self._events, (max(time, self._now), next(self._numbers), event))
        return event

    def after(self, seconds: float, action: Callable[[], object], is_aside: bool = False) -> Event:
        """Let something happen so many seconds from now."""
        return self.at(self._now + seconds, action, is_aside)

    def drop(self, event: Event) -> None:
        """Count an event no more, since it was called off or happens now."""
        self._awaited -= not event.is_aside

    def step(self) -> bool:
        """Go to the next event and let it happen; whether there was one."""
        if self.next_event is None:
            return False
        time, _, event = heapq.heappop(self._events)
        action, event.action = event.action, None
        self.drop(event)
        self._now = max(self._now, time)
        if action is not None:
            action()
        return True

    def run_until(self, time: float) -> None:
        """Let all happen that is to happen until a time, and that time come."""
        while (upcoming := self.next_event) is not None and upcoming <= time:
            self.step()
        self._now = max(self._now, time)

    def sleep(self, seconds: float) -> None:
        """Let seconds pass, as `time.sleep` does; what happens meanwhile may sleep as well."""
        self.run_until(self._now + seconds)
