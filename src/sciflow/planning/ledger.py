"""What array jobs of a plan hold of the nodes, and when: no two the same ones at a time."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from sciflow.model.resources import Resources
from sciflow.planning.room import UNLIMITED, Pool

Moments = tuple[float, float]
_STRETCH, _LONG = 3 * 3600, 90 * 86400  # seconds


@dataclass(frozen=True)
class Held:
    """So many of a request, from one moment to another, for an array job; moments in seconds since the epoch."""

    start: float
    end: float
    request: Resources
    count: int
    owner: str


class Ledger:
    """What is held of each pool of nodes."""

    def __init__(self) -> None:
        # By stretches of time, so that only a few are looked at; what is held for very long stands apart.
        self._held: dict[tuple[str, int], list[Held]] = {}
        self._long: dict[str, list[Held]] = {}
        self._full: dict[tuple[str, Moments, Resources, int], int] = {}

    def hold(self, pool: Pool | None, held: Held) -> None:
        """Note that something is held; of nodes that nobody knows there are enough."""
        if pool is None:
            return
        if held.end - held.start > _LONG:
            self._long.setdefault(pool.name, []).append(held)
            return
        for stretch in _stretches(held.start, held.end):
            self._held.setdefault((pool.name, stretch), []).append(held)

    def free(self, pool: Pool | None, request: Resources, start: float, end: float, over: Collection[str] = ()) -> int:
        """How many of a request run at once between two moments, whatever else runs then.

        Parameters
        ----------
        pool, request
            Where, and what each needs.
        start, end
            The moments.
        over
            Who has surely ended before it starts: whatever they hold.
        """
        if pool is None:
            return UNLIMITED
        # What is held one after the other counts as if it were held at once: it may last for less, and come sooner.
        counts: dict[Resources, int] = {}
        for one in self._meanwhile(pool, start, end, over):
            counts[one.request] = counts.get(one.request, 0) + one.count
        return pool.beside(list(counts.items()), request)

    def note_full(self, pool: Pool | None, key: tuple[Resources, int, int], window: Moments) -> None:
        """Note that a window has no room for so many of a request, each for so many seconds."""
        if pool is not None:
            request, seconds, most = key
            name = (pool.name, window, request, seconds)
            self._full[name] = min(most, self._full.get(name, most))

    def is_full(self, pool: Pool | None, key: tuple[Resources, int, int], window: Moments) -> bool:
        """Whether a window was found to have no room for as many or fewer: it never has more than before."""
        if pool is None:
            return False
        request, seconds, most = key
        known = self._full.get((pool.name, window, request, seconds))
        return known is not None and most >= known

    def changes(self, pool: Pool | None, start: float, end: float) -> list[float]:
        """The moments after one and before another at which something is held no longer, in order."""
        if pool is None:
            return []
        return sorted({one.end for one in self._meanwhile(pool, start, end) if one.end < end})

    def next_start(self, pool: Pool | None, start: float, end: float, over: Collection[str]) -> float | None:
        """The last moment between two from which on more is held; None where there is none."""
        if pool is None:
            return None
        return max((one.start for one in self._meanwhile(pool, start, end, over) if one.start > start), default=None)

    def _meanwhile(self, pool: Pool, start: float, end: float, over: Collection[str] = ()) -> list[Held]:
        found = {id(one): one for one in self._long.get(pool.name, ())}
        for stretch in _stretches(start, end):
            found.update((id(one), one) for one in self._held.get((pool.name, stretch), ()))
        return [one for one in found.values() if one.start < end and one.end > start and one.owner not in over]


def _stretches(start: float, end: float) -> range:
    return range(int(start // _STRETCH), int(end // _STRETCH) + 1)
