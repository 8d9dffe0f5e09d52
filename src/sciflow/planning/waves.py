"""Work that is longer than a window of preferred hours, cut into waves that end inside one each."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta, timezone
from functools import cached_property
from typing import Literal, NamedTuple

from sciflow.model.resources import Resources
from sciflow.planning.ledger import Held, Ledger, Moments
from sciflow.planning.room import UNLIMITED, Pool
from sciflow.planning.spans import Span, first_free
from sciflow.planning.start import LOOKED_AHEAD

MOST_WINDOWS = 60  # two months of nights: nobody plans further, and each wave is a submission
Kept = Literal["window", "too long", "wait", "deadline", "beyond"]


@dataclass(frozen=True)
class Hours:
    """When work is to run; moments are in seconds since the epoch.

    Attributes
    ----------
    now
        The present moment.
    windows
        The preferred hours from the present one on, in order.
    latest
        The end of the longest wait.
    taken
        The times in which nothing runs, in order.
    patience
        For how many seconds a window is waited for that holds all of something.
    """

    now: float
    windows: tuple[Moments, ...]
    latest: float = math.inf
    taken: tuple[Span, ...] = ()
    patience: float = LOOKED_AHEAD.total_seconds()

    def holds(self, seconds: float, since: float, latest: float) -> bool:
        """Whether some window holds so many seconds, of those that are not over at a moment and open before another.

        Of a window that is open then only the rest counts, and nobody waits for one that comes long after that.
        """
        since = max(self.now, min(since, self.windows[-1][1] - self.patience) if self.windows else 0.0)
        latest = min(latest, since + self.patience)
        return any(closes - max(opens, since) >= seconds for opens, closes in self.windows if opens <= latest)

    def after_blackouts(self, moment: float, seconds: float) -> float:
        """The first moment from one on from which something of a length runs into no blackout."""
        if not self.taken:
            return moment
        begin = datetime.fromtimestamp(moment, timezone.utc)
        return first_free(begin, timedelta(seconds=seconds), self.taken).timestamp()


@dataclass(frozen=True)
class Work:
    """The elements of an array job, and where they run.

    Attributes
    ----------
    name
        The array job.
    elements, seconds
        How many there are, and how long each takes at most; 0 seconds where nobody says that.
    request, pool
        What each asks for, and the nodes on which it runs; None where they are not known.
    throttle
        How many may run at once; None for any number.
    due
        When all of it has to have ended for the sake of a deadline.
    over
        What has surely ended before any of it starts.
    is_whole
        Whether all of it has to run at once, or not at all.
    """

    name: str
    elements: int
    seconds: int
    request: Resources
    pool: Pool | None = None
    throttle: int | None = None
    due: float = math.inf
    over: frozenset[str] = frozenset()
    is_whole: bool = False

    def key(self, left: int) -> tuple[Resources, int, int]:
        """What decides whether a window has room for some of it, with so many elements left."""
        return self.request, self.seconds, min(left, self.at_once)

    @cached_property
    def at_once(self) -> int:
        """How many of it run at once, where nothing else does."""
        return min(self.throttle or UNLIMITED, self.pool.most(self.request) if self.pool else UNLIMITED)


@dataclass(frozen=True)
class Piece:
    """Neighbours among the elements that begin together.

    Attributes
    ----------
    first, count
        Which elements.
    begin
        When they may begin.
    start, end
        When the first of them starts, and the last has ended, at the latest: if nobody else holds the nodes.
    at_once
        How many of them run at once.
    path, slowest
        The seconds from its start until the first ones have ended, what these wait for included; and in how many
        seconds more as many again have.
    kept
        Why it begins then: to end inside a `window`; as one opens, since it is `too long` for any; since the longest
        `wait` or the `deadline` comes first; or since nothing is left of all windows that are looked at (`beyond`).
    """

    first: int
    count: int
    begin: float
    start: float
    end: float
    at_once: int = 1
    path: float = 0.0
    slowest: float = 0.0
    kept: Kept = "window"


class Bounds(NamedTuple):
    """When work can begin.

    Attributes
    ----------
    ready
        When all that it waits for has ended, at the latest.
    soonest
        When some of that begins: nothing is won by an earlier begin.
    alone
        When it would begin if there were nothing else, and no window held it in time; None for windows that do.
    """

    ready: float
    soonest: float
    alone: float | None = None


def cut(work: Work, hours: Hours, ledger: Ledger, first: int, count: int, bounds: Bounds) -> Iterator[Piece]:
    """Cut elements into pieces that end inside a window each, and hold the nodes for them.

    Parameters
    ----------
    work, hours, ledger
        What runs, when it is to run, and what is held already.
    first, count
        Which elements.
    bounds
        When they can begin.
    """
    stop = first + count
    ready, soonest, alone = bounds
    for window in hours.windows:
        if window[1] <= ready or (not work.over and ledger.is_full(work.pool, work.key(stop - first), window)):
            continue
        left, is_all = stop - first, ready <= max(window[0], hours.now)
        is_too_long = not hours.holds(work.seconds, ready, _latest(work, hours, 1))
        for moment in _moments(work, hours, ledger, window, ready, is_too_long):
            if moment < ready:
                continue
            if moment > _latest(work, hours, stop - first):
                yield _forced(work, hours, ledger, first, stop - first, Bounds(ready, soonest, alone))
                return
            end = moment + work.seconds if is_too_long else window[1]
            piece = _fitted(work, hours, ledger, first, stop - first, moment, (window[0], end))
            if piece is not None:
                soonest, alone = piece.end, None
                yield _held(replace(piece, kept="too long") if is_too_long else piece, work, ledger)
                first, ready = first + piece.count, max(ready, piece.end)  # not beside itself: its throttle is one
            if first == stop:
                return
        if left == stop - first and is_all and not work.over:
            ledger.note_full(work.pool, work.key(left), window)
    yield _forced(work, hours, ledger, first, stop - first, Bounds(ready, soonest, alone))


def follow(work: Work, hours: Hours, ledger: Ledger, first: int, count: int, ready: float, twin: Piece) -> Piece | None:
    """A piece whose elements start as the same elements of another piece end, in the same window; None for no room.

    Parameters
    ----------
    work, hours, ledger, first, count
        As for `cut`; the elements are the first ones of the other piece.
    ready
        When all else has ended for which they wait, at the latest.
    twin
        The other piece.
    """
    window = next((one for one in hours.windows if one[0] <= twin.start < one[1]), None)
    if window is None or twin.kept != "window" or not work.seconds or twin.begin > _latest(work, hours, count):
        return None
    # As many as run at once of the two end in every so many seconds as the slower of them takes.
    path = max(twin.path, ready - twin.start) + work.seconds
    slowest, at_once = max(twin.slowest, work.seconds), min(work.at_once, twin.at_once)
    rounds = 1 + math.floor((window[1] - twin.start - path) / slowest)
    if rounds < 1:
        return None
    taken = min(count, rounds * at_once)
    end = twin.start + path + (math.ceil(taken / at_once) - 1) * slowest
    running = min(taken, work.at_once)
    if ledger.free(work.pool, work.request, twin.begin, end, work.over) < running:
        return None
    return _held(Piece(first, taken, twin.begin, twin.start, end, at_once, path, slowest), work, ledger)


def _moments(
    work: Work, hours: Hours, ledger: Ledger, window: Moments, ready: float, is_too_long: bool
) -> Iterator[float]:
    """The moments of a window at which some of the work might start: as it opens only, where none holds it."""
    opens, closes = window
    if is_too_long:
        if opens >= max(hours.now, ready) and hours.after_blackouts(opens, work.seconds) == opens:
            yield opens
        return
    start = max(opens, hours.now, ready)
    if start < closes:
        yield start
        yield from ledger.changes(work.pool, start, closes)


def _latest(work: Work, hours: Hours, left: int) -> float:
    """The last moment at which so many elements may begin."""
    return min(hours.latest, work.due - math.ceil(left / work.at_once) * work.seconds)


def _fitted(
    work: Work, hours: Hours, ledger: Ledger, first: int, left: int, moment: float, window: Moments
) -> Piece | None:
    """As many elements as surely end inside a window, if they start at a moment; None where they are too few."""
    opens, closes = window
    taken, rounds = _taken(work, ledger, left, moment, closes)
    if not taken:
        return None
    end = moment + rounds * work.seconds
    begin = max(opens, hours.now)
    # It may as well wait for what comes before it, where it is in nobody's way then.
    if begin < moment and ledger.free(work.pool, work.request, begin, end, work.over) < min(taken, work.at_once):
        begin = moment
    at_once = min(taken, work.at_once)
    return Piece(first, taken, begin, moment, end, at_once, work.seconds, work.seconds)


def _taken(work: Work, ledger: Ledger, left: int, moment: float, closes: float) -> tuple[int, int]:
    """How many elements surely end between two moments, and how many of them run one after another."""
    if not work.seconds:
        return left, 0
    most = min(work.at_once, left)
    rounds = min(math.floor((closes - moment) / work.seconds), math.ceil(left / most))
    while rounds > 0:
        end = moment + rounds * work.seconds
        free = ledger.free(work.pool, work.request, moment, end, work.over)
        if free >= most:
            return min(left, rounds * most), rounds
        # No more than have room: else they would take that of others.
        if rounds == 1 and free >= max(1, most // 2) and not work.is_whole:
            return free, 1
        later = ledger.next_start(work.pool, moment, end, work.over)
        rounds = rounds - 1 if later is None else min(rounds - 1, math.floor((later - moment) / work.seconds))
        rounds = max(rounds, 1) if end - moment > work.seconds else 0
    return 0, 0


def _forced(work: Work, hours: Hours, ledger: Ledger, first: int, left: int, bounds: Bounds) -> Piece:
    """What begins though it may not end inside a window."""
    ready, soonest, alone = bounds
    begin = _latest(work, hours, left)
    kept: Kept = "wait"
    if begin == math.inf:
        kept = "beyond"
        begin = next((opens for opens, _ in reversed(hours.windows) if opens >= ready), soonest)
    elif begin != hours.latest:
        kept = "deadline"
        begin = min(begin, soonest)  # nobody keeps a deadline by starting at the last moment
    at_once = min(left, work.at_once)
    takes = math.ceil(left / at_once) * work.seconds
    begin = hours.after_blackouts(max(begin, hours.now), takes) if alone is None else alone
    start = max(begin, ready)
    end = start + takes
    return _held(Piece(first, left, begin, start, end, at_once, work.seconds, work.seconds, kept), work, ledger)


def _held(piece: Piece, work: Work, ledger: Ledger) -> Piece:
    count = min(piece.count, work.at_once)
    if work.seconds:
        ledger.hold(work.pool, Held(piece.begin, piece.end, work.request, count, work.name))
    return piece
