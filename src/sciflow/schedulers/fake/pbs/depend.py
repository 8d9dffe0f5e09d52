"""What stands in ``-W depend=``, and how a job's dependencies are shown."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from sciflow.schedulers.fake.jobs import Job
from sciflow.schedulers.fake.pbs import usage
from sciflow.schedulers.fake.pbs.amounts import Wrong
from sciflow.schedulers.fake.pbs.names import SERVER, name_of
from sciflow.schedulers.fake.request import Condition, Dependency, Kind

if TYPE_CHECKING:
    from sciflow.schedulers.fake.cluster import VirtualCluster

_KINDS: dict[str, Kind] = {one: one for one in ("after", "afterok", "afternotok", "afterany")}
_JOB = re.compile(rf"(\d+)(\[\])?(?:\.{SERVER})?(?:@{SERVER})?")


def read_dependency(text: str, tool: str = "qsub") -> Dependency:
    """What ``afterok:12:13[],afterany:14`` means.

    Raises
    ------
    Wrong
        For kinds that there are not, for sub-jobs and for jobs of other servers.
    """
    conditions: list[Condition] = []
    for part in re.split(r",", text) if text else ():
        word, *jobs = part.split(":")
        for one in jobs or [""]:
            match = _JOB.fullmatch(one)
            if word not in _KINDS or match is None:
                raise Wrong(f"{tool}: illegal -W value\n{usage.QSUB if tool == 'qsub' else usage.QALTER}", 2)
            conditions.append(Condition(_KINDS[word], f"{match[1]}{match[2] or ''}"))
    return Dependency(tuple(conditions))


def tied(dependency: Dependency, cluster: VirtualCluster) -> Dependency:
    """Let it be of the jobs of a cluster; an array job is known by its brackets only."""
    found = []
    for one in dependency.conditions:
        number = one.job.removesuffix("[]")
        job = cluster.find(number)
        is_known = job is not None and job.is_array == one.job.endswith("[]")
        found.append(replace(one, job=number) if is_known else replace(one, job=f"{one.job}.{SERVER}"))
    return Dependency(tuple(found))


def tell_them(job: Job, dependency: Dependency) -> None:
    """Let the jobs that a job waits for know who waits for them."""
    for one in dependency.conditions:
        known = job.tied.get(one.job)
        if known is not None:
            known.notes.setdefault("waited for", {}).setdefault(one.kind, []).append(name_of(job))


def write_dependency(job: Job, is_tied: bool) -> str:
    """What a job still waits for, and who waits for it, as ``afterok:60.srv@srv``."""
    words: dict[str, list[str]] = {}
    for one in job.dependency.conditions if is_tied else ():
        known = job.tied.get(one.job)
        name = name_of(known) if known is not None else one.job
        words.setdefault(one.kind, []).append(f"{name}@{SERVER}")
    for kind, names in job.notes.get("waited for", {}).items():
        words.setdefault(kind.replace("after", "before"), []).extend(f"{name}@{SERVER}" for name in names)
    return ",".join(f"{kind}:{':'.join(names)}" for kind, names in words.items())
