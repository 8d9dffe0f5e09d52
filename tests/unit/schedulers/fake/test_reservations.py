import pytest

from sciflow.schedulers.fake.nodes import Node
from sciflow.schedulers.fake.request import Refused
from sciflow.schedulers.fake.reservations import Reservation, Reservations
from unit.schedulers.fake.yard import HOUR, MINUTE, NOW, Yard


def test_nobody_runs_into_a_window() -> None:
    """Who would end in it waits for its end, or takes another node; who ends before it starts."""
    yard = Yard()
    yard.cluster.reserve(Reservation("work", NOW + 2 * HOUR, NOW + 3 * HOUR, ("n1",), is_maintenance=True))
    long = yard.submit("long", 3, seconds=3 * HOUR)
    short = yard.submit("short", 2)
    yard.run()
    nodes = [one.node.name for one in long.indices.values() if one.node]
    assert (yard.starts(long), nodes) == ([0.0, 0.0, 3 * HOUR], ["n2", "n2", "n1"])
    assert yard.starts(short) == [0.0, 0.0]


def test_whose_it_is_starts_and_ends_in_it() -> None:
    """A job that is longer than the window never starts, and others cannot name it."""
    yard = Yard()
    yard.cluster.reserve(Reservation("ours", NOW + HOUR, NOW + 2 * HOUR, ("n2",), users=("lee",)))
    fits = yard.submit("fits", user="lee", reservation="ours")
    for user, name in (("chen", "ours"), ("lee", "none")):
        with pytest.raises(Refused, match="reservation"):
            yard.submit("no", user=user, reservation=name)
    yard.run()
    assert yard.starts(fits) == [HOUR]
    assert fits.indices[0].node is yard.cluster.nodes["n2"]


def test_what_is_in_the_way() -> None:
    """A window of others that is touched, or one's own that is too short; all nodes where none is named."""
    node, other = Node("n1", 1, 1), Node("n2", 1, 1)
    windows = Reservations()
    assert not windows
    windows.by_name = {"a": Reservation("a", 100.0, 200.0, ("n1",), users=("lee",))}
    asked = [
        (0.0, 100.0, ""),
        (0.0, 101.0, ""),
        (199.0, 250.0, ""),
        (200.0, 250.0, ""),
        (150.0, 200.0, "a"),
        (0.0, 9.0, "a"),
    ]
    found = [windows.in_the_way(node, *one) is not None for one in asked]
    assert found == [False, True, True, False, False, True]
    assert windows.in_the_way(other, 0.0, 300.0, "") is None
    assert list(windows.ends(node, "")) == [200.0]
    assert list(windows.ends(other, "a")) == [100.0]


def test_one_that_is_over_is_forgotten() -> None:
    """It can no longer be named."""
    yard = Yard()
    yard.cluster.reserve(Reservation("ours", NOW, NOW + MINUTE, users=("chen",)))
    yard.run()
    assert not yard.cluster.reservations
