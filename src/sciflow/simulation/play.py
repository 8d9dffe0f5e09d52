"""Plays a plan on a virtual cluster, from now to its end, in virtual time."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from sciflow.errors import PlanError
from sciflow.model.plan import ArrayJob, Plan
from sciflow.run.terms import Terms
from sciflow.schedulers.fake.clock import VirtualClock
from sciflow.schedulers.fake.cluster import VirtualCluster
from sciflow.schedulers.fake.jobs import Index
from sciflow.schedulers.fake.nodes import Node
from sciflow.schedulers.fake.partitions import Partition
from sciflow.schedulers.fake.request import Request
from sciflow.schedulers.fake.rules import Rules
from sciflow.schedulers.fake.slurm.face import SLURM
from sciflow.schedulers.fake.timed import TimedBody
from sciflow.simulation.durations import Durations
from sciflow.simulation.machines import NodeKind
from sciflow.simulation.submitter import Link, Submitter
from sciflow.simulation.throttles import Throttles

Times = NDArray[np.float64]
_ENOUGH = 1 << 60  # bytes of a node of which nobody has said how many it has


@dataclass(frozen=True)
class Course:
    """What became of each index of one link of an array job; times in seconds since the epoch.

    Attributes
    ----------
    submitted, begin, start, end
        When it was submitted, might begin, has started, and has ended.
    is_ahead
        Whether it ran ahead of the others.
    """

    submitted: Times
    begin: Times
    start: Times
    end: Times
    is_ahead: NDArray[np.bool_]


@dataclass(frozen=True)
class Played:
    """A plan as it went.

    Attributes
    ----------
    plan, kinds, now
        What was played, on which nodes, and when it began.
    courses
        Array job → the course of each of its links.
    terms
        What the site took.
    """

    plan: Plan
    kinds: tuple[NodeKind, ...]
    now: float
    courses: Mapping[str, tuple[Course, ...]]
    terms: Terms


def play(
    plan: Plan,
    kinds: Sequence[NodeKind],
    durations: Durations,
    terms: Terms,
    now: float,
    partitions: Mapping[str, str] | None = None,
    throttles: Throttles | None = None,
) -> Played:
    """Submit a plan to a virtual cluster and let it go on until all has ended.

    Parameters
    ----------
    plan, terms
        What is submitted, and what the site takes.
    kinds
        The nodes.
    durations
        How long everything runs.
    now
        Seconds since the epoch.
    partitions
        Array job → the partition in which it runs; all nodes are in one where nothing is said.
    throttles
        How many of an array job run at once; by default what the site takes.

    Raises
    ------
    PlanError
        For an array job that fits on no node.
    """
    for array in plan.arrays:
        _check_fits(array, [kind for kind in kinds if kind.partition in ("", (partitions or {}).get(array.name, ""))])
    seconds = {
        f"{array.name}.{link}": durations.of(array, link).tolist()
        for array in plan.arrays
        for link in range(1, array.links + 1)
    }

    def took(index: Index) -> float:
        return seconds[index.job.name][index.number]

    most = sum(array.elements for array in plan.arrays)  # at once: the nodes after so many alike stay empty
    cluster = _cluster([replace(kind, count=min(kind.count, most)) for kind in kinds], TimedBody(took), now)

    def asks(array: ArrayJob) -> Request:
        return _request(array, (partitions or {}).get(array.name, "") if cluster.rules.partitions[0].name else "")

    submitter = Submitter(plan, terms, cluster, asks, throttles)
    submitter.feed()
    cluster.run(until=lambda: submitter.is_done)
    assert submitter.is_done, "something waits for ever"
    courses = {
        array.name: tuple(_course(submitter.links[array.name, link]) for link in range(1, array.links + 1))
        for array in plan.arrays
    }
    return Played(plan, tuple(kinds), now, courses, terms)


def _cluster(kinds: Sequence[NodeKind], body: TimedBody, now: float) -> VirtualCluster:
    nodes: list[Node] = []
    members: dict[str, list[str]] = {}
    for kind in kinds:
        names = [f"n{len(nodes) + number + 1}" for number in range(kind.count)]
        nodes += [Node(name, kind.cores, kind.memory or _ENOUGH, kind.gpus) for name in names]
        members.setdefault(kind.partition, []).extend(names)
    partitions = tuple(
        Partition(name, tuple(names), longest=float("inf"), is_default=not number)
        for number, (name, names) in enumerate(members.items())
    )
    rules = Rules(partitions, highest_index=sys.maxsize, lag=0.0, remembered=float("inf"))
    return VirtualCluster(nodes, body, SLURM, VirtualClock(now), rules)


def _request(array: ArrayJob, partition: str) -> Request:
    given = array.resources
    return Request(
        array.name,
        cores=given.all_cores,
        memory=given.memory_bytes,
        gpus=given.gpus,
        seconds=given.runtime_seconds,
        partition=partition,
    )


def _check_fits(array: ArrayJob, kinds: Sequence[NodeKind]) -> None:
    given = array.resources
    if given.nodes > 1:
        raise PlanError(
            f"task `{array.task}` asks for {given.nodes} nodes at once: only what runs on one node can be simulated",
            hint="leave out `--simulate`: `sciflow plan` shows the rest",
        )
    if any(
        given.all_cores <= kind.cores
        and given.gpus <= kind.gpus
        and (not kind.memory or given.memory_bytes <= kind.memory)
        for kind in kinds
    ):
        return
    raise PlanError(
        f"task `{array.task}` asks for {given.describe()}, and no node of the simulation has that: "
        f"{' + '.join(kind.describe() for kind in kinds)}",
        hint=f"say what nodes have, like `--simulate nodes=16x{max(given.all_cores, 64)}c"
        + (f",{-(-given.memory_bytes // 1024**3)}g" if given.memory_bytes else "")
        + (f",{given.gpus}gpu`" if given.gpus else "`"),
    )


def _course(link: Link) -> Course:
    count = link.array.elements
    submitted, begin, start, end = np.empty(count), np.empty(count), np.empty(count), np.empty(count)
    is_ahead = np.zeros(count, dtype=bool)
    for job in link.jobs:
        numbers = list(job.indices)
        submitted[numbers], begin[numbers] = job.submitted, job.request.begin
        is_ahead[numbers] = job in link.ahead
        start[numbers] = [one.start for one in job.indices.values()]
        end[numbers] = [one.end for one in job.indices.values()]
    return Course(submitted, begin, start, end, is_ahead)
