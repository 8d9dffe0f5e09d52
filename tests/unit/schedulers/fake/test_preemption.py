from typing import Literal

import pytest

from sciflow.schedulers.fake.nodes import make_nodes
from sciflow.schedulers.fake.partitions import Partition
from sciflow.schedulers.fake.rules import Rules
from unit.schedulers.fake.yard import HOUR, MINUTE, Yard


def yard_of(preempted: Literal["off", "requeue", "cancel"]) -> Yard:
    """Return a yard of two nodes, whose main partition gives way to another one."""
    return Yard(Rules((Partition(preempted=preempted), Partition("high", tier=2, is_default=False))))


@pytest.mark.parametrize(
    ("preempted", "words", "start"),
    [
        ("requeue", ["COMPLETED"] * 4, MINUTE),
        ("cancel", ["COMPLETED", "COMPLETED", "COMPLETED", "PREEMPTED"], MINUTE),
        ("off", ["COMPLETED"] * 4, HOUR),
    ],
)
def test_who_gives_way(preempted: Literal["off", "requeue", "cancel"], words: list[str], start: float) -> None:
    """As few as are needed, those that started last; they come back, have ended, or nobody gives way."""
    yard = yard_of(preempted)
    low = yard.submit("low", 4)
    yard.run(seconds=MINUTE)
    high = yard.submit("high", partition="high")
    yard.run()
    assert yard.starts(high) == [start]
    assert sorted(one.word for one in low.indices.values()) == words
    assert sum(one.restarts for one in low.indices.values()) == (preempted == "requeue")


def test_what_is_ending_is_counted_on() -> None:
    """Nobody else has to go while one that was told to end has not done so yet."""
    yard = yard_of("requeue")
    low = yard.submit("low", 4)
    yard.run(seconds=MINUTE)
    yard.cluster.body.stop = lambda _cluster, _index: None
    high = yard.submit("high", partition="high")
    yard.run(seconds=10.0)
    yard.cluster.queue.wake()
    yard.run(seconds=10.0)
    assert [one.fate for one in low.indices.values()].count("PREEMPTED") == 1
    yard.run()
    assert yard.starts(high) == [MINUTE + yard.cluster.rules.kill_wait]


def test_the_higher_tier_comes_first_and_spares_its_own() -> None:
    """Whatever the priorities are; and of one tier nobody gives way."""
    rules = Rules((Partition(preempted="requeue"), Partition("high", tier=2, preempted="requeue", is_default=False)))
    yard = Yard(rules, make_nodes(1, 1, 4))
    yard.submit("runs", partition="high")
    low, high = yard.submit("low"), yard.submit("high", partition="high", nice=1000)
    yard.run()
    assert yard.starts(high) == [HOUR]
    assert yard.starts(low) == [2 * HOUR]
