"""Where an index may start now: the first that finds no room gets a time, and nobody else may put that off.

This is what is called EASY backfilling: later ones go ahead if they end before that time by their walltimes, take
another node, or leave enough room on this one.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sciflow.schedulers.fake.jobs import Job, Shape
from sciflow.schedulers.fake.nodes import Node
from sciflow.schedulers.fake.request import Request

if TYPE_CHECKING:
    from sciflow.schedulers.fake.cluster import VirtualCluster


@dataclass(frozen=True)
class Turn:
    """When the next index of a job will start at the latest if all runs as long as it may, and where."""

    job: Job
    node: Node
    time: float


class Backfill:
    """One look at the queue.

    Parameters
    ----------
    cluster
        The cluster.
    now
        The time.
    before
        The look before, of which is kept what holds as long as the rules of the cluster do.
    """

    def __init__(self, cluster: VirtualCluster, now: float, before: Backfill | None = None) -> None:
        self._cluster, self._now = cluster, now
        self.turns: dict[str, Turn] = {}
        self._failed: set[Shape] = set()
        self._first: dict[Shape, int] = {}
        self._rules = cluster.rules
        self._nodes: dict[Shape, list[Node]] = {}
        if before is not None and before._rules is cluster.rules:
            self._nodes = before._nodes

    @property
    def is_full(self) -> bool:
        """Whether no node has a core left."""
        return not any(node.free_cores and node.takes_jobs for node in self._cluster.nodes.values())

    def node_for(self, job: Job) -> Node | None:
        """The first node on which an index of a job may start now; None where there is none."""
        if job.shape in self._failed:
            return None
        end = self._now + self._cluster.seconds_of(job)
        nodes = self.nodes_for(job)
        for number in range(self._first.get(job.shape, 0), len(nodes)):
            node = nodes[number]
            if node.has_room(job.request) and self._may_hold(node, job, end):
                self._first[job.shape] = number  # during one look those before it only become fuller
                return node
        self._failed.add(job.shape)
        return None

    def nodes_for(self, job: Job) -> list[Node]:
        """The nodes on which it could ever run."""
        request = job.request
        key = (request.partition, request.features, request.excluded, request.cores, request.memory, request.gpus)
        if key not in self._nodes:
            self._nodes[key] = list(nodes_for(self._cluster, request))
        return self._nodes[key]

    def block(self, job: Job) -> bool:
        """Take in that an index of a job finds no room: the first of each partition gets its turn.

        Where nobody knows when that is, since its nodes are down, the next one is the first.
        """
        partition = self._cluster.partition_of(job)
        if partition.name in self.turns:
            return False
        turn = self.earliest(job)
        if turn is not None:
            self.turns[partition.name] = turn
        return turn is not None

    def earliest(self, job: Job) -> Turn | None:
        """When and where what runs leaves room for an index of a job at the latest; None where nobody knows."""
        best: tuple[float, Node] | None = None
        for node in self.nodes_for(job):
            time = self._earliest(node, job, best[0] if best else float("inf"))
            if time is not None and (best is None or time < best[0]):
                best = time, node
        return None if best is None else Turn(job, best[1], best[0])

    def _may_hold(self, node: Node, job: Job, end: float) -> bool:
        reservations = self._cluster.reservations
        if reservations and reservations.in_the_way(node, self._now, end, job.request.reservation) is not None:
            return False
        return all(
            turn.node is not node or end <= turn.time or self._leaves_room(turn, job.request)
            for turn in self.turns.values()
        )

    def _leaves_room(self, turn: Turn, request: Request) -> bool:
        """Whether the node of a turn has room enough then, with another index on it."""
        node, first = turn.node, turn.job.request
        cores, memory, gpus = node.free_cores, node.free_memory, node.free_gpus
        for held in node.ends:
            if held.end > turn.time:
                break
            cores, memory, gpus = cores + held.cores, memory + held.memory, gpus + held.gpus
        return (
            first.cores + request.cores <= cores
            and first.memory + request.memory <= memory
            and first.gpus + request.gpus <= gpus
        )

    def _earliest(self, node: Node, job: Job, before: float) -> float | None:
        """When a node will have room for an index of a job at the latest; None where that is not before some time."""
        if not node.takes_jobs:
            return None
        request, reservations = job.request, self._cluster.reservations
        seconds = self._cluster.seconds_of(job)
        cores, memory, gpus = node.free_cores, node.free_memory, node.free_gpus
        ends = iter(node.ends)
        held = next(ends, None)
        for time in self._times(node, job):
            if time >= before:
                return None
            while held is not None and held.end <= time:
                cores, memory, gpus = cores + held.cores, memory + held.memory, gpus + held.gpus
                held = next(ends, None)
            has_room = request.cores <= cores and request.memory <= memory and request.gpus <= gpus
            if has_room and not (
                reservations and reservations.in_the_way(node, time, time + seconds, request.reservation)
            ):
                return time
        return None

    def _times(self, node: Node, job: Job) -> Iterable[float]:
        now = self._now
        if not self._cluster.reservations:
            return self._with_now(node)
        windows = self._cluster.reservations.ends(node, job.request.reservation)
        return sorted({now, *(max(now, held.end) for held in node.ends), *(one for one in windows if one > now)})

    def _with_now(self, node: Node) -> Iterator[float]:
        yield self._now
        for held in node.ends:
            # What runs longer than it may ends any moment.
            yield max(held.end, self._now)


def nodes_for(cluster: VirtualCluster, request: Request) -> Iterator[Node]:
    """The nodes on which a request could ever run."""
    partition = cluster.rules.partition(request.partition)
    if partition is None:
        return
    members, features = set(partition.nodes), set(request.features)
    for node in cluster.nodes.values():
        is_meant = (not members or node.name in members) and node.name not in request.excluded
        if is_meant and features <= set(node.features) and node.can_ever_hold(request):
            yield node
