"""Programs that only take time."""

from __future__ import annotations

from pathlib import Path

from sciflow.schedulers.fake.clock import VirtualClock
from sciflow.schedulers.fake.cluster import VirtualCluster
from sciflow.schedulers.fake.nodes import make_nodes
from sciflow.schedulers.fake.request import Order, Request
from sciflow.schedulers.fake.slurm.face import SLURM
from sciflow.schedulers.fake.timed import TimedBody

NOW = 1_000_000.0


def cluster() -> VirtualCluster:
    """Make a cluster of two cores on which index i runs for 100 × (i + 1) seconds."""
    body = TimedBody(lambda index: 100.0 * (index.number + 1))
    return VirtualCluster(make_nodes(1, 2, 4), body, SLURM, VirtualClock(NOW))


def test_each_index_takes_its_time() -> None:
    """And ends well."""
    made = cluster()
    job = made.submit(Order(Request("a", (0, 1, 2)), Path("a"), Path("/")))
    made.run(until=lambda: not job.open)
    assert [one.end for one in job.indices.values()] == [NOW + 100, NOW + 200, NOW + 400]
    assert {one.word for one in job.indices.values()} == {"COMPLETED"}


def test_one_that_is_ended_early_ends_once() -> None:
    """Cancelled, killed with its node, or out of time: it does not end a second time when its own time has come."""
    made = cluster()
    job = made.submit(Order(Request("a", (0, 1), seconds=150.0), Path("a"), Path("/")))
    made.run(seconds=50.0)
    made.cancel(job, [0])
    made.run(until=lambda: not job.open)
    assert [one.word for one in job.indices.values()] == ["CANCELLED", "TIMEOUT"]
    assert job.indices[0].end == NOW + 50
    other = made.submit(Order(Request("b", (0,), is_requeued=False), Path("b"), Path("/")))
    made.run(seconds=10.0)
    made.kill_node("n1")
    made.run(until=lambda: not other.open)
    assert other.indices[0].word == "NODE_FAIL"
