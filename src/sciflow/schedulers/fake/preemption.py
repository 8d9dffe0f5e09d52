"""Whose node is taken away for somebody more important."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sciflow.schedulers.fake.jobs import Index, Job
from sciflow.schedulers.fake.nodes import Held, Node

if TYPE_CHECKING:
    from sciflow.schedulers.fake.backfill import Backfill
    from sciflow.schedulers.fake.cluster import VirtualCluster


class Preemption:
    """Makes room in one look at the queue.

    Parameters
    ----------
    cluster
        The cluster.
    look
        The look at the queue.
    """

    def __init__(self, cluster: VirtualCluster, look: Backfill) -> None:
        self._cluster, self._look = cluster, look
        self._claims: dict[str, list[Held]] = {}
        self.is_possible = any(one.preempted != "off" for one in cluster.rules.partitions)

    def make_room(self, job: Job, most: int) -> None:
        """Take nodes from others for so many indices of a job; what is ending already is counted on first."""
        if not self.is_possible:
            return
        tier = self._cluster.partition_of(job).tier
        end = self._cluster.clock() + self._cluster.seconds_of(job)
        for _ in range(most):
            best: tuple[int, Node, list[Index]] | None = None
            for node in self._look.nodes_for(job):
                if not node.takes_jobs or self._is_reserved(node, job, end):
                    continue
                victims = self._victims(node, job, tier)
                if victims is not None and (best is None or len(victims) < best[0]):
                    best = len(victims), node, victims
            if best is None:
                return
            request = job.request
            claim = Held(0.0, request.cores, request.memory, request.gpus)
            self._claims.setdefault(best[1].name, []).append(claim)
            for victim in best[2]:
                self._cluster.preempt(victim)

    def _is_reserved(self, node: Node, job: Job, end: float) -> bool:
        found = self._cluster.reservations.in_the_way(node, self._cluster.clock(), end, job.request.reservation)
        return found is not None

    def _victims(self, node: Node, job: Job, tier: int) -> list[Index] | None:
        """Who has to go for one more index of a job, the last to start first; None where that is not enough."""
        request = job.request
        room = [node.free_cores - request.cores, node.free_memory - request.memory, node.free_gpus - request.gpus]
        for claim in self._claims.get(node.name, ()):
            _change(room, claim, -1)
        running = sorted(node.running.values(), key=lambda one: one.start or 0.0, reverse=True)
        for one in running:
            if one.fate:
                _change(room, node.held_by(one), 1)
        victims: list[Index] = []
        for one in running:
            if min(room) >= 0:
                break
            theirs = self._cluster.partition_of(one.job)
            if not one.fate and theirs.tier < tier and theirs.preempted != "off":
                _change(room, node.held_by(one), 1)
                victims.append(one)
        return victims if min(room) >= 0 else None


def _change(room: list[int], held: Held, sign: int) -> None:
    for place, what in enumerate((held.cores, held.memory, held.gpus)):
        room[place] += sign * what
