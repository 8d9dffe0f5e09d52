"""What is held of the nodes, and when."""

from __future__ import annotations

from sciflow.model.resources import Resources
from sciflow.planning.ledger import Held, Ledger
from sciflow.planning.room import UNLIMITED, Pool

POOL, ONE = Pool("main", 1, 8), Resources(1)


def test_only_what_runs_meanwhile_counts() -> None:
    """Not what has ended before, or begins afterwards; nor what is surely over by then."""
    ledger = Ledger()
    ledger.hold(POOL, Held(100, 200, ONE, 5, "a.0"))
    assert ledger.free(POOL, ONE, 150, 160) == 3
    assert ledger.free(POOL, ONE, 0, 100) == ledger.free(POOL, ONE, 200, 300) == 8
    assert ledger.free(POOL, ONE, 150, 160, over={"a.0"}) == 8
    assert ledger.free(Pool("other", 1, 2), ONE, 150, 160) == 2


def test_nodes_that_nobody_knows_are_enough() -> None:
    """Nothing is noted of them."""
    ledger = Ledger()
    ledger.hold(None, Held(100, 200, ONE, 5, "a.0"))
    assert ledger.free(None, ONE, 100, 200) == UNLIMITED
    assert list(ledger.changes(None, 0, 300)) == []
    assert ledger.next_start(None, 0, 300, ()) is None


def test_when_something_changes() -> None:
    """The moments at which something ends, in order, and the last one at which something begins."""
    ledger = Ledger()
    for start, end in ((100, 250), (120, 200), (120, 250)):
        ledger.hold(POOL, Held(start, end, ONE, 1, f"a.{start}"))
    assert list(ledger.changes(POOL, 0, 300)) == [200, 250]
    assert list(ledger.changes(POOL, 0, 250)) == [200]
    assert ledger.next_start(POOL, 0, 300, ()) == 120
    assert ledger.next_start(POOL, 0, 300, {"a.120"}) == 100
    assert ledger.next_start(POOL, 150, 300, ()) is None


def test_a_window_that_is_full_stays_so() -> None:
    """For as many of a request or more, each for as long; nobody looks again."""
    ledger, night = Ledger(), (0.0, 100.0)
    ledger.note_full(POOL, (ONE, 60, 8), night)
    assert ledger.is_full(POOL, (ONE, 60, 9), night)
    assert not ledger.is_full(POOL, (ONE, 60, 7), night)
    assert not ledger.is_full(POOL, (ONE, 30, 9), night)
    assert not ledger.is_full(POOL, (ONE, 60, 9), (0.0, 200.0))
    assert not ledger.is_full(None, (ONE, 60, 9), night)
