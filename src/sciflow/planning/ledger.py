"""What array jobs of a plan hold of the nodes, and when: no two the same ones at a time."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field

from sciflow.model.resources import Resources
from sciflow.planning.room import UNLIMITED, Pool


@dataclass(frozen=True)
class Held:
    """So many of a request, from one moment to another, for an array job; moments in seconds since the epoch."""

    start: float
    end: float
    request: Resources
    count: int
    owner: str


@dataclass
class Ledger:
    """What is held of each pool of nodes."""

    _held: dict[str, list[Held]] = field(default_factory=dict)

    def hold(self, pool: Pool | None, held: Held) -> None:
        """Note that something is held; of nodes that nobody knows there are enough."""
        if pool is not None:
            self._held.setdefault(pool.name, []).append(held)

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
        return pool.beside([(one.request, one.count) for one in self._meanwhile(pool, start, end, over)], request)

    def changes(self, pool: Pool | None, start: float, end: float) -> Iterator[float]:
        """The moments after one and before another at which something is held no longer, in order."""
        found = self._held.get(pool.name, ()) if pool is not None else ()
        yield from sorted({one.end for one in found if start < one.end < end})

    def next_start(self, pool: Pool | None, start: float, end: float, over: Collection[str]) -> float | None:
        """The last moment between two from which on more is held; None where there is none."""
        if pool is None:
            return None
        starts = [one.start for one in self._meanwhile(pool, start, end, over) if one.start > start]
        return max(starts, default=None)

    def _meanwhile(self, pool: Pool, start: float, end: float, over: Collection[str]) -> Iterator[Held]:
        for one in self._held.get(pool.name, ()):
            if one.start < end and one.end > start and one.owner not in over:
                yield one
