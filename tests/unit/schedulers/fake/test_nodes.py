from dataclasses import replace
from typing import Any

from sciflow.schedulers.fake.nodes import Node, make_nodes
from sciflow.schedulers.fake.request import Request
from unit.schedulers.fake.yard import HOUR, MINUTE, Yard

GIB = 1 << 30


def test_cores_memory_and_gpus_are_packed() -> None:
    """Whatever runs out first holds up the next one."""
    cases: list[tuple[dict[str, Any], int]] = [
        ({"cores": 3}, 2),
        ({"memory": 3 * GIB}, 3),
        ({"gpus": 1}, 4),
        ({"cores": 1}, 8),
    ]
    for asked, at_once in cases:
        yard = Yard(nodes=[Node("n1", 8, 10 * GIB, gpus=4)])
        job = yard.submit("job", 9, **asked)
        yard.run(seconds=1.0)
        assert job.running == at_once


def test_what_is_changed_while_it_runs_is_given_back_as_it_was_taken() -> None:
    """A job can ask for less while some of it runs: nothing is lost, and nothing given out twice."""
    yard = Yard()
    job = yard.submit("job", 3, cores=2)
    yard.run(seconds=MINUTE)
    yard.cluster.alter(job, replace(job.request, cores=1))
    yard.run()
    assert [node.free_cores for node in yard.cluster.nodes.values()] == [2, 2]
    assert yard.cluster.users.by_name["chen"].cores == 0
    assert yard.cluster.users.used("chen", yard.cluster.clock()) > 4 * HOUR


def test_a_drained_node_ends_what_it_has() -> None:
    """And takes nothing more."""
    yard = Yard()
    job = yard.submit("job", 8)
    yard.run(seconds=MINUTE)
    yard.cluster.drain_node("n1", "disk")
    yard.run()
    nodes = [one.node.name for one in job.indices.values() if one.node]
    assert nodes == ["n1", "n1", *["n2"] * 6]


def test_features_and_room() -> None:
    """What a node has, and what it could ever hold."""
    [node] = make_nodes(1, 4, 2, gpus=1)
    assert (node.name, node.memory) == ("n1", 2 * GIB)
    assert node.can_ever_hold(Request("x", cores=4, memory=2 * GIB, gpus=1))
    assert not node.can_ever_hold(Request("x", gpus=2))
    node.is_up = False
    assert not node.has_room(Request("x"))
