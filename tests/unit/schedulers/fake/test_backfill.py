from collections.abc import Callable

import pytest

from sciflow.schedulers.fake.nodes import Node, make_nodes
from sciflow.schedulers.fake.partitions import Partition
from sciflow.schedulers.fake.request import Request
from sciflow.schedulers.fake.rules import Rules
from unit.schedulers.fake.yard import HOUR, MINUTE, Yard


def test_who_ends_in_time_goes_ahead() -> None:
    """The first that finds no room gets a time; a short one fills the gap before it, a long one does not."""
    yard = Yard(nodes=make_nodes(1, 4, 4))
    yard.submit("runs", cores=3)
    wide = yard.submit("wide", cores=4)
    long, short = yard.submit("long", seconds=2 * HOUR), yard.submit("short", seconds=30 * MINUTE)
    yard.run()
    assert yard.starts(short) == [0.0]
    assert yard.starts(wide) == [HOUR]
    assert yard.starts(long) == [2 * HOUR]


def test_who_leaves_room_enough_goes_ahead() -> None:
    """Also with a longer walltime: the first needs only three of the four cores then."""
    yard = Yard(nodes=make_nodes(1, 4, 4))
    yard.submit("runs", cores=3)
    first, long = yard.submit("first", cores=3), yard.submit("long", seconds=5 * HOUR)
    yard.run()
    assert yard.starts(long) == [0.0]
    assert yard.starts(first) == [HOUR]


def test_another_node_is_free_for_all() -> None:
    """Of the node on which the first will start only what it needs is kept."""
    yard = Yard(nodes=[Node("n1", 2, 4, gpus=1), Node("n2", 2, 4)])
    yard.submit("runs", gpus=1)
    first = yard.submit("first", gpus=1)
    others = yard.submit("others", 4, seconds=9 * HOUR)
    yard.run()
    assert yard.starts(first) == [HOUR]
    assert yard.starts(others) == [0.0, 0.0, 0.0, 2 * HOUR]


def test_what_ends_early_brings_the_first_forward() -> None:
    """Its time is the latest: nobody knows how long a program really takes."""
    yard = Yard(nodes=make_nodes(1, 2, 4))
    yard.lengths = {"runs": 10 * MINUTE}
    yard.submit("runs", 2)
    first = yard.submit("first", cores=2)
    yard.run()
    assert yard.starts(first) == [10 * MINUTE]


def test_what_runs_longer_than_it_may_ends_any_moment() -> None:
    """Between its limit and its end the first still has a turn, which nobody may put off."""
    yard = Yard(nodes=make_nodes(1, 2, 4))
    yard.lengths = {"runs": 2 * HOUR}
    yard.submit("runs", seconds=10 * MINUTE)
    first = yard.submit("first", cores=2)
    yard.run(seconds=10 * MINUTE + 5)
    late = yard.submit("late", seconds=MINUTE)
    yard.run()
    assert yard.starts(first) == [10 * MINUTE + yard.cluster.rules.late]
    assert yard.starts(late) == [HOUR + 10 * MINUTE + yard.cluster.rules.late]


def test_each_partition_has_a_first() -> None:
    """Who waits in one of them holds up nobody in another one that has nodes of its own."""
    rules = Rules((Partition("a", ("n1",)), Partition("b", ("n2",))))
    yard = Yard(rules)
    for name in ("a", "b"):
        yard.submit("runs", partition=name)
    firsts = [yard.submit("first", cores=2, partition=name) for name in ("a", "b")]
    long = [yard.submit("long", seconds=2 * HOUR, partition=name) for name in ("a", "b")]
    yard.run()
    assert [yard.starts(one) for one in firsts] == [[HOUR], [HOUR]]
    assert [yard.starts(one) for one in long] == [[2 * HOUR], [2 * HOUR]]


def test_who_waits_for_a_dead_node_holds_up_nobody() -> None:
    """Nobody knows when it comes back: the next one is the first."""
    yard = Yard(nodes=[Node("n1", 2, 4, gpus=1), Node("n2", 2, 4)])
    yard.cluster.kill_node("n1")
    lost, other = yard.submit("lost", gpus=1), yard.submit("other", cores=2)
    yard.run(seconds=2 * HOUR)
    assert yard.starts(other) == [0.0]
    assert yard.why(lost) == "ReqNodeNotAvail, UnavailableNodes:n1"
    yard.cluster.revive_node("n1")
    yard.run()
    assert yard.starts(lost) == [2 * HOUR]


def test_nodes_are_not_looked_at_again_for_every_start(monkeypatch: pytest.MonkeyPatch) -> None:
    """Within one look those before the last that had room are full; and which nodes are meant holds for all looks."""
    looked: dict[str, int] = {"has_room": 0, "can_ever_hold": 0}

    def counted(name: str) -> Callable[[Node, Request], bool]:
        real = getattr(Node, name)

        def counting(node: Node, request: Request) -> bool:
            looked[name] += 1
            return real(node, request)

        return counting

    for name in looked:
        monkeypatch.setattr(Node, name, counted(name))
    yard = Yard(nodes=make_nodes(50, 1, 4))
    many = yard.submit("many", 100)
    asked = looked["can_ever_hold"]
    yard.run()
    assert [*yard.starts(many)] == [0.0] * 50 + [HOUR] * 50
    assert looked["can_ever_hold"] - asked <= 50
    assert looked["has_room"] <= 4 * 50
