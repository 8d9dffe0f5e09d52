"""Job identifiers: ``123.virtual``, ``123[].virtual``, ``123[4].virtual``, ``123[2-8:3].virtual``."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from sciflow.schedulers.fake.jobs import Job

if TYPE_CHECKING:
    from sciflow.schedulers.fake.cluster import VirtualCluster

SERVER = "virtual"
_FORM = re.compile(r"(\d+)(\[(?:(\d+)(?:-(\d+)(?::(\d+))?)?)?\])?(?:\.([\w.-]+))?")


class Target(NamedTuple):
    """What an identifier means: a job, or some sub-jobs of an array job.

    `full` is the identifier with the name of the server, `numbers` is None for the whole of a job, and `is_one` holds
    for one sub-job.
    """

    full: str
    number: str
    is_array: bool
    numbers: range | None
    is_one: bool

    def job(self, cluster: VirtualCluster) -> Job | None:
        """The job, where the server knows it by this kind of identifier."""
        job = cluster.find(self.number)
        return job if job is not None and job.is_array == self.is_array else None

    def chosen(self, job: Job) -> list[int]:
        """The sub-jobs that are meant; a range may go beyond them."""
        return list(job.indices) if self.numbers is None else [one for one in self.numbers if one in job.indices]


def read_target(text: str) -> Target | None:
    """What an identifier means; None for one that is none, or is another server's."""
    match = _FORM.fullmatch(text)
    if match is None or (match[6] or SERVER) != SERVER:
        return None
    first, last, step = match[3], match[4], match[5]
    numbers = range(int(first), int(last or first) + 1, int(step or 1)) if first else None
    return Target(f"{match[1]}{match[2] or ''}.{SERVER}", match[1], match[2] is not None, numbers, not last)


def name_of(job: Job, number: int | None = None) -> str:
    """The identifier of a job, or of a sub-job."""
    if not job.is_array:
        return f"{job.id}.{SERVER}"
    return f"{job.id}[{'' if number is None else number}].{SERVER}"
