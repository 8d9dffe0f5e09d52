"""What stands in ``--dependency=``, read and written."""

from __future__ import annotations

import copy
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from sciflow.schedulers.fake import dependencies
from sciflow.schedulers.fake.dependencies import Wait
from sciflow.schedulers.fake.jobs import Job
from sciflow.schedulers.fake.request import Condition, Dependency, Kind
from sciflow.schedulers.fake.slurm.arguments import Wrong
from sciflow.schedulers.fake.slurm.lists import read_list

if TYPE_CHECKING:
    from sciflow.schedulers.fake.cluster import VirtualCluster

_KINDS: dict[str, Kind] = {one: one for one in ("after", "afterany", "afterok", "afternotok", "aftercorr", "singleton")}
PROBLEM = "Job dependency problem"


def read_dependency(text: str) -> Dependency:
    """What a job waits for.

    Raises
    ------
    Wrong
        For a kind that there is not, or no job.
    """
    conditions: list[Condition] = []
    for part in re.split(r"[,?]", text) if text else ():
        word, *jobs = part.lower().split(":")
        if word == "expand":
            raise Wrong("Requested operation not supported on this system")
        if word not in _KINDS or bool(jobs) == (word == "singleton"):
            raise Wrong(PROBLEM)
        conditions += [Condition("singleton")] if word == "singleton" else []
        for one in jobs:
            conditions += _conditions(_KINDS[word], one)
    return Dependency(tuple(conditions), "?" in text)


def _conditions(kind: Kind, text: str) -> Iterator[Condition]:
    match = re.fullmatch(r"(\d+)(?:_(\d+|\*|\[[\d,:-]+\]))?(?:\+(\d+))?", text)
    if match is None:
        raise Wrong(PROBLEM)
    job, indices, minutes = match.groups()
    chosen = [None] if indices in (None, "*") else read_list(indices)
    for index in chosen:
        yield Condition(kind, job, index, 60.0 * int(minutes or 0))


def write_dependency(cluster: VirtualCluster, job: Job) -> str:
    """What a job still waits for, as `squeue` and `scontrol` have it; empty where that is nothing."""
    parts = []
    for one in job.dependency.conditions:
        name = str(one.kind)
        if one.job:
            other = cluster.find(one.job)
            index = f"_{'*' if one.index is None else one.index}" if other is not None and other.is_array else ""
            name += f":{one.job}{index}" + (f"+{int(one.delay / 60)}" if one.delay else "")
        wait = _stands(cluster, job, one)
        if wait is not Wait.MET:
            parts.append(f"{name}({'failed' if wait is Wait.NEVER else 'unfulfilled'})")
    return ("?" if job.dependency.is_any else ",").join(parts)


def _stands(cluster: VirtualCluster, job: Job, condition: Condition) -> Wait:
    """How it stands with one of the conditions of a job."""
    alone = copy.copy(job)
    alone.dependency = Dependency((condition,))
    if condition.kind != "aftercorr":
        return cluster.queue.stands(alone)
    found = {dependencies.of_index(alone, number, cluster.rules.customs) for number in job.waiting or job.indices}
    return next((one for one in (Wait.NEVER, Wait.WAITS) if one in found), Wait.MET)
