"""How fast work goes where the manners of a site let another number of array indices run by day than by night."""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from dataclasses import dataclass

from sciflow.model.manners import Manners
from sciflow.model.profile import Capacity, ClusterProfile
from sciflow.model.resources import Resources
from sciflow.planning.working_hours import is_day, next_change

_ROUNDING = 1e-9  # of a share: 0.1 × 30 cores are three of one core each


def standing(manners: Manners, each: Resources, place: Capacity) -> Iterator[int]:
    """How many of a request manners let run at once at any hour; one at least, since what never runs never ends."""
    if manners.core_hours is not None and each.core_hours:
        yield max(1, int(manners.core_hours * (1 + _ROUNDING) / each.core_hours))
    if manners.share is not None and place.nodes and place.cpu_cores:
        yield max(1, int(manners.share * (1 + _ROUNDING) * place.nodes * place.cpu_cores / each.all_cores))


@dataclass(frozen=True)
class Pace:
    """How many array indices run at once by the clock of a site.

    Attributes
    ----------
    manners, zone
        The site's manners, and its time zone.
    """

    manners: Manners
    zone: str | None

    @classmethod
    def of(cls, profile: ClusterProfile) -> Pace | None:
        """The pace of a site; None where nothing changes by the clock."""
        return cls(profile.manners, profile.timezone) if profile.has_queue and profile.manners.has_clock else None

    def at(self, moment: float) -> int | None:
        """How many run at once at a moment, in seconds since the epoch; None for any number."""
        by_day = is_day(self.manners, self.zone, moment)
        return self.manners.running_by_day if by_day else self.manners.running_by_night

    def change(self, moment: float) -> float:
        """When that is another number, after a moment."""
        return next_change(self.manners, self.zone, moment)

    def end(self, begin: float, count: int, seconds: float, most: int | None) -> float:
        """When all has ended that begins at a moment, each as soon as it may.

        Parameters
        ----------
        begin
            The moment, in seconds since the epoch.
        count, seconds
            How many there are, and how long each takes.
        most
            How many run at once at any hour.
        """
        now, left, running = begin, count, 0
        ends: list[tuple[float, int]] = []
        bound, until = self.at(now), self.change(now)
        while True:
            allowed = min(one for one in (bound, most, running + left) if one is not None)
            if (more := min(left, allowed - running)) > 0:
                heapq.heappush(ends, (now + seconds, more))
                left, running = left - more, running + more
            if not left:
                return max(end for end, _ in ends)
            if ends and ends[0][0] <= until:
                now, over = heapq.heappop(ends)
                running -= over
            else:
                now = until
            if now >= until:
                bound, until = self.at(now), self.change(now)
