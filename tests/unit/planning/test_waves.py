"""Elements that are cut into pieces, each of which ends inside a window."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import datetime, timezone
from typing import Any

import pytest

from sciflow.model.resources import Resources
from sciflow.planning.ledger import Held, Ledger
from sciflow.planning.room import Pool
from sciflow.planning.waves import Bounds, Hours, Work, cut, follow

MINUTE, HOUR, DAY = 60, 3600, 86400
START = datetime(2031, 5, 14, tzinfo=timezone.utc).timestamp()
NIGHTS = tuple((START + day * DAY + 22 * HOUR, START + day * DAY + 30 * HOUR) for day in range(-1, 60))
NODES = Pool("main", 10, 10)


def hours(now: float, latest: float = math.inf) -> Hours:
    """Return the nights from a moment on, so many hours after the midnight of a day."""
    moment = START + now * HOUR
    return Hours(moment, tuple(night for night in NIGHTS if night[1] > moment), latest)


def work(elements: int, minutes: float, throttle: int | None = 100, **more: Any) -> Work:
    """Return work of so many elements."""
    return replace(Work("a.0", elements, int(minutes * MINUTE), Resources(1), None, throttle), **more)


def pieces(one: Work, when: Hours, ledger: Ledger | None = None, ready: float = 0.0) -> list[tuple[int, float, str]]:
    """Cut all of it: how many, when they begin in hours after midnight, and why."""
    found = cut(one, when, ledger or Ledger(), 0, one.elements, Bounds(ready, when.now))
    return [(piece.count, (piece.begin - START) / HOUR, piece.kept) for piece in found]


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        (12, [(900, 22, "window"), (100, 46, "window")]),  # nine rounds of 50 minutes in eight hours
        (2, [(400, 2, "window"), (600, 22, "window")]),  # what is left of this night holds four rounds
        (5 + 50 / 60, [(900, 22, "window"), (100, 46, "window")]),  # ten minutes hold none
        (6, [(900, 22, "window"), (100, 46, "window")]),
    ],
)
def test_rounds_that_end_inside_a_window(now: float, expected: list[tuple[int, float, str]]) -> None:
    """As many one after another as the window holds, as many side by side as run at once."""
    assert pieces(work(1000, 50), hours(now)) == expected


def test_what_fills_a_window_exactly_fits() -> None:
    """Eight rounds of an hour are eight hours; a second more is one round less."""
    assert pieces(work(800, 60), hours(12)) == [(800, 22, "window")]
    assert pieces(work(800, 60 + 1 / 60), hours(12)) == [(700, 22, "window"), (100, 46, "window")]


def test_without_a_limit_all_run_at_once() -> None:
    """One wave, whatever their number; and so do those that say no runtime."""
    assert pieces(work(100_000, 470, None), hours(12)) == [(100_000, 22, "window")]
    assert pieces(work(1000, 0), hours(12)) == [(1000, 22, "window")]


def test_what_no_window_holds_starts_as_one_opens() -> None:
    """One round in each window, and not in what is left of the present one."""
    assert pieces(work(150, 600), hours(2)) == [(100, 22, "too long"), (50, 46, "too long")]


def test_the_longest_wait_comes_first() -> None:
    """What windows do not hold until then begins at its end."""
    when = hours(12, latest=START + 30 * HOUR)
    assert pieces(work(1000, 50), when) == [(900, 22, "window"), (100, 30, "wait")]


def test_a_deadline_comes_first() -> None:
    """What windows do not hold in time begins as soon as those before it have ended; all of it at once if need be."""
    due = START + 33 * HOUR
    assert pieces(work(1000, 50, due=due), hours(12)) == [(900, 22, "window"), (100, 29.5, "deadline")]
    assert pieces(work(3000, 50, due=due), hours(12)) == [(3000, 12, "deadline")]
    assert pieces(work(1000, 50, due=START), hours(12)) == [(1000, 12, "deadline")]


def test_sixty_windows_are_enough() -> None:
    """What is left over begins with the last of them."""
    few = Hours(START, NIGHTS[1:4])
    assert pieces(work(100, 50, 1), few) == [
        (9, 22, "window"),
        (9, 46, "window"),
        (9, 70, "window"),
        (73, 77.5, "beyond"),
    ]


def test_others_hold_the_nodes() -> None:
    """What would take them away from others begins after these; what has room beside them begins at once."""
    ledger = Ledger()
    ledger.hold(NODES, Held(NIGHTS[1][0], NIGHTS[1][0] + 2 * HOUR, Resources(1), 90, "b.0"))
    big, small = work(100, 60, None, pool=NODES), work(10, 60, None, pool=NODES)
    assert pieces(big, hours(12), ledger) == [(100, 24, "window")]
    assert pieces(small, hours(12), ledger) == [(10, 22, "window")]
    assert pieces(replace(small, elements=1), hours(12), ledger) == [(1, 23, "window")]  # nothing is left beside both


def test_nobody_begins_before_what_it_waits_for() -> None:
    """It may wait in the queue from the beginning of the window on, where it is in nobody's way."""
    ready = NIGHTS[1][0] + 7 * HOUR
    assert pieces(work(100, 60), hours(12), ready=ready) == [(100, 22, "window")]
    assert pieces(work(200, 60), hours(12), ready=ready) == [(100, 22, "window"), (100, 46, "window")]
    ledger = Ledger()
    ledger.hold(NODES, Held(NIGHTS[1][0], ready, Resources(1), 100, "b.0"))
    assert pieces(work(10, 60, pool=NODES), hours(12), ledger, ready) == [(10, 29, "window")]
    ledger = Ledger()
    ledger.hold(NODES, Held(NIGHTS[1][0], ready, Resources(1), 100, "b.0"))
    waits_for_it = work(10, 60, pool=NODES, over=frozenset({"b.0"}))
    assert pieces(waits_for_it, hours(12), ledger, ready) == [(10, 22, "window")]


@pytest.mark.parametrize(
    ("minutes", "count", "end"),
    [
        (20, 900, 22 + (9 * 50 + 20) / 60),  # the next ones end while the first ones run, so that they are never late
        (50, 800, 22 + (8 * 50 + 50) / 60),
        (100, 400, 22 + (50 + 4 * 100) / 60),
        (431, 0, 0),
    ],
)
def test_what_follows_index_by_index_fits_into_the_same_window(minutes: int, count: int, end: float) -> None:
    """As many of them as end inside it, if each starts as its twin ends."""
    ledger, when = Ledger(), hours(12)
    twin = next(cut(work(900, 50), when, ledger, 0, 900, Bounds(0.0, when.now)))
    found = follow(work(900, minutes), when, ledger, 0, 900, 0.0, twin)
    assert (found.count if found else 0) == count
    if found:
        assert (found.begin, found.end) == (twin.begin, pytest.approx(START + end * HOUR))


def test_what_follows_needs_room_beside_its_twins() -> None:
    """Where these take all nodes, it begins after them."""
    when, ledger = hours(12), Ledger()
    first = work(100, 50, None, pool=NODES)
    twin = next(cut(first, when, ledger, 0, 100, Bounds(0.0, when.now)))
    later = replace(first, name="b.0")
    assert follow(later, when, ledger, 0, 100, 0.0, twin) is None
    assert pieces(later, when, ledger, twin.end) == [(100, pytest.approx(22 + 50 / 60), "window")]


def test_blackouts_are_kept_by_what_is_forced() -> None:
    """It begins after them."""
    day = (
        datetime.fromtimestamp(START + 29 * HOUR, timezone.utc),
        datetime.fromtimestamp(START + 50 * HOUR, timezone.utc),
    )
    when = replace(hours(12), latest=START + 30 * HOUR, taken=(day,))
    assert pieces(work(1000, 50), when)[-1] == (100, 50, "wait")
    assert math.isinf(hours(12).latest)
