"""Other users of the nodes."""

from __future__ import annotations

from sciflow.model.resources import GIB
from sciflow.simulation.machines import NodeKind
from sciflow.simulation.others import habits_of


def test_they_ask_for_nothing_that_no_node_has() -> None:
    """No more cores than the widest, no more memory for each than the poorest, and in all partitions."""
    kinds = [NodeKind(4, 4, 4 * GIB, partition="a"), NodeKind(2, 8, partition="b")]
    habits = habits_of(0.5, kinds)
    assert habits.share == 0.5
    assert max(cores for cores, _ in habits.cores) == 8
    assert habits.memory_per_core == GIB
    assert habits.partitions == ("a", "b")


def test_on_large_nodes_they_do_what_they_usually_do() -> None:
    """Nothing is changed where there is enough of all."""
    habits = habits_of(0.5, [NodeKind(4, 64)])
    assert max(cores for cores, _ in habits.cores) == 16
    assert habits.memory_per_core == 2 * GIB
