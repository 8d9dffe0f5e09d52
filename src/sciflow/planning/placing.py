"""Puts the array jobs of a plan into preferred hours, one after the other: each follows what it waits for."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta, timezone

from sciflow.model.plan import ArrayJob
from sciflow.model.policy import Policies, SchedulingPolicy
from sciflow.model.profile import ClusterProfile
from sciflow.planning.calendar import blackouts, deadline, preferred_windows
from sciflow.planning.calendar_remarks import refuse
from sciflow.planning.deadlines import latest_starts
from sciflow.planning.ledger import Ledger
from sciflow.planning.room import pool_of, throttle_of
from sciflow.planning.spans import Span
from sciflow.planning.start import Start, is_meant, start_of
from sciflow.planning.waves import MOST_WINDOWS, Bounds, Hours, Piece, Work, cut, follow

_SOON, _FAR = timedelta(days=MOST_WINDOWS + 10), timedelta(days=500)  # so many nights; so many weekends
_EVER = 1e12  # seconds since the epoch: no plan goes on until then
_AHEAD = " ahead"  # what a ledger calls the canaries of an array job


@dataclass(frozen=True)
class Placed:
    """An array job with its place in the hours.

    Attributes
    ----------
    array, work
        The array job, and what was planned for.
    pieces
        Its elements, by when they begin; in the order of the elements.
    why
        What a user is told of its start; empty where it is what the policy asks for.
    ahead
        Its canaries, where it has any.
    is_bound
        Whether it keeps preferred hours at all.
    """

    array: ArrayJob
    work: Work
    pieces: tuple[Piece, ...]
    why: str = ""
    ahead: Piece | None = None
    is_bound: bool = True

    @property
    def end(self) -> float:
        """When all of it has ended, at the latest."""
        return max(piece.end for piece in self.pieces)

    @property
    def is_cut(self) -> bool:
        """Whether it begins at several times."""
        return len({piece.begin for piece in self.pieces}) > 1


class Placer:
    """Places array jobs in running order.

    Parameters
    ----------
    arrays
        All of a plan, in running order.
    policies, profile
        When the user wants them to run, and where they do.
    now
        The present moment.
    canaries
        How many elements of each array job run ahead of the others.
    is_late
        Whether a deadline that cannot be met is no error.
    """

    def __init__(
        self,
        arrays: Sequence[ArrayJob],
        policies: Policies,
        profile: ClusterProfile,
        now: datetime,
        canaries: int,
        is_late: bool = False,
    ) -> None:
        self._policies = policies
        self._profile = profile
        self._now = now
        self._canaries = canaries
        self._ledger = Ledger()
        self._placed: dict[str, Placed] = {}
        self._hours: dict[str, Hours] = {}
        self._before: dict[str, frozenset[str]] = {}
        self._latest = latest_starts(arrays, policies, now, is_late)
        self._due = _due(arrays, policies, profile, canaries)

    def place(self, array: ArrayJob) -> Placed:
        """Find the times of an array job; all that it waits for has been placed."""
        work = self._work(array)
        policy = self._policies.of(array.task)
        latest = self._latest.get(array.name)
        is_bound = policy.policy == "off_peak" and is_meant(policy, array.resources, array.elements)
        ready = None if is_bound else self._ready(array)  # preferred hours are found piece by piece
        start = start_of(policy, self._now, work.seconds, array.resources, array.elements, latest, ready)
        refuse(start, policy, array.task)
        if is_bound:
            placed = self._in_hours(array, work, self._hours_of(policy), start)
        else:
            placed = self._unbound(array, work, start)
        self._placed[array.name] = placed
        return placed

    def _work(self, array: ArrayJob) -> Work:
        own = {array.name, array.name + _AHEAD}
        self._before[array.name] = frozenset(own.union(*(self._before[one.array] for one in array.after)))
        over = frozenset[str]().union(
            *(
                self._before[one.array] if one.kind == "whole" else self._placed[one.array].work.over
                for one in array.after
            )
        )
        return Work(
            array.name,
            array.elements,
            array.resources.runtime_seconds * array.links,
            array.resources,
            pool_of(array, self._profile),
            throttle_of(array, self._profile),
            self._due[array.name],
            over,
        )

    def _ready(self, array: ArrayJob) -> datetime | None:
        """When all that it waits for has ended, or what its first elements wait for."""
        ends = [
            before.end if one.kind == "whole" else min(piece.start for piece in before.pieces) + before.work.seconds
            for one in array.after
            for before in [self._placed[one.array]]
        ]
        return datetime.fromtimestamp(max(ends), timezone.utc) if ends else None

    def _hours_of(self, policy: SchedulingPolicy) -> Hours:
        key = repr(policy)
        if key not in self._hours:
            windows = preferred_windows(policy, self._now, self._now + _SOON)
            if len(windows) < MOST_WINDOWS:
                windows = preferred_windows(policy, self._now, self._now + _FAR)
            moments = tuple((start.timestamp(), end.timestamp()) for start, end in windows[:MOST_WINDOWS])
            now, wait = self._now.timestamp(), policy.max_wait_hours
            latest = math.inf if wait is None else now + wait * 3600
            self._hours[key] = Hours(now, moments, latest, blackouts(policy))
        return self._hours[key]

    def _unbound(self, array: ArrayJob, work: Work, own: Start) -> Placed:
        """What keeps no preferred hours: it begins when it may, and what waits for it later."""
        begin = own.begin.timestamp() if own.begin else self._now.timestamp()
        start = max([begin, *(self._placed[one.array].end for one in array.after)])
        rounds = math.ceil(work.elements / work.at_once) + _rounds_ahead(array, work.at_once, self._canaries)
        end = start + rounds * work.seconds
        ready, taken = self._ready(array), blackouts(self._policies.of(array.task))
        first = max(begin, ready.timestamp()) if ready else begin
        if work.seconds and any(last.timestamp() > first and hole.timestamp() < end for hole, last in taken):
            # As all that keeps no preferred hours it takes no account of what others hold, nor do these of it.
            alone = replace(work, pool=None, throttle=work.at_once, due=math.inf)
            placed = self._in_hours(array, alone, _outside(taken, begin, work.seconds), Start(None, own.why, "window"))
            return replace(placed, is_bound=False)
        piece = Piece(0, work.elements, begin, start, end, min(work.elements, work.at_once), work.seconds, work.seconds)
        return Placed(array, work, (piece,), own.why, is_bound=False)

    def _in_hours(self, array: ArrayJob, work: Work, hours: Hours, own: Start) -> Placed:
        ahead = self._ahead(array, work, hours)
        if ahead is not None:
            work = replace(work, over=work.over | {work.name + _AHEAD})
        begin = own.begin.timestamp() if own.begin else hours.now
        is_opening = own.reason == "too long" and own.begin is not None  # which others may have taken
        alone = None if own.reason == "window" or is_opening else begin
        pieces: list[Piece] = []
        for first, stop in self._stretches(array):
            # What is left of those before is not beside them: all have one throttle.
            ready = max([ahead.end if ahead else 0.0, *(piece.end for piece in pieces)])
            pieces += self._stretch(array, work, hours, first, stop, ready, alone)
        return Placed(array, work, tuple(pieces), own.why, ahead)

    def _ahead(self, array: ArrayJob, work: Work, hours: Hours) -> Piece | None:
        """The place of the canaries."""
        rounds = _rounds_ahead(array, work.at_once, self._canaries)
        if not rounds or not work.seconds:
            return None
        ready, soonest = 0.0, hours.now
        for one in array.after:
            before = self._placed[one.array]
            waits = [before.ahead] if one.kind == "element" and before.ahead else before.pieces
            ready = max([ready, *(piece.end for piece in waits)])
            soonest = max([soonest, *(piece.begin for piece in waits)])
        # All others come after them, and the deadline is theirs, too.
        rest = math.ceil((array.elements - self._canaries) / work.at_once) * work.seconds
        few = replace(work, name=work.name + _AHEAD, seconds=rounds * work.seconds, due=work.due - rest, is_whole=True)
        at_once = min(self._canaries, work.at_once)
        piece = next(cut(few, hours, self._ledger, 0, at_once, Bounds(ready, soonest)))
        return replace(piece, begin=max(piece.begin, soonest))

    def _stretches(self, array: ArrayJob) -> Iterator[tuple[int, int]]:
        """Neighbours among the elements whose twins, for which they wait, begin together."""
        starts = {0}
        for one in self._twins(array):
            starts.update(piece.first for piece in one.pieces)
        ordered = sorted(starts)
        yield from zip(ordered, [*ordered[1:], array.elements], strict=True)

    def _twins(self, array: ArrayJob) -> list[Placed]:
        return [self._placed[one.array] for one in array.after if one.kind == "element"]

    def _stretch(
        self, array: ArrayJob, work: Work, hours: Hours, first: int, stop: int, ready: float, alone: float | None
    ) -> Iterator[Piece]:
        ready = max([ready, *(self._placed[one.array].end for one in array.after if one.kind == "whole")])
        twins = [
            piece
            for one in self._twins(array)
            for piece in one.pieces
            if piece.first <= first < piece.first + piece.count
        ]
        if len(twins) == 1 and twins[0].first == first:
            piece = follow(work, hours, self._ledger, first, stop - first, ready, twins[0])
            if piece is not None:
                yield piece
                first, ready = first + piece.count, max(ready, piece.end)
        if first < stop:
            ready = max([ready, *(piece.end for piece in twins)])
            soonest = max([hours.now, *(piece.begin for piece in twins)])
            yield from cut(work, hours, self._ledger, first, stop - first, Bounds(ready, soonest, alone))


def _outside(taken: Sequence[Span], begin: float, seconds: int) -> Hours:
    """All hours from a moment on that are in no blackout, and long enough for work."""
    bounds = [begin, *(one.timestamp() for span in taken for one in span), _EVER]
    gaps = ((max(begin, start), end) for start, end in zip(bounds[::2], bounds[1::2], strict=True))
    windows = tuple((start, end) for start, end in gaps if end - start >= seconds)
    return Hours(begin, windows, taken=tuple(taken), patience=math.inf)


def _rounds_ahead(array: ArrayJob, at_once: int, canaries: int) -> int:
    """How many rounds of canaries run before all others; none where so many are no small part of it."""
    return math.ceil(canaries / at_once) if 0 < 2 * canaries < array.elements else 0


def _due(arrays: Sequence[ArrayJob], policies: Policies, profile: ClusterProfile, canaries: int) -> dict[str, float]:
    """Array job → when it has to have ended for the deadlines of all that depend on it."""
    ends = {array.name: deadline(policies.of(array.task)) for array in arrays}
    due = {name: end.timestamp() if end else math.inf for name, end in ends.items()}
    for array in reversed(arrays):
        pool, limit = pool_of(array, profile), throttle_of(array, profile)
        at_once = Work(array.name, array.elements, 0, array.resources, pool, limit).at_once
        each = array.resources.runtime_seconds * array.links
        for one in array.after:
            rounds = _rounds_ahead(array, at_once, canaries)
            rounds += math.ceil((array.elements - canaries * (rounds > 0)) / at_once)
            takes = each * (rounds if one.kind == "whole" else 1)
            due[one.array] = min(due[one.array], due[array.name] - takes)
    return due
