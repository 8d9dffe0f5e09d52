"""What a job id on a command line means: a job, some of its indices, or one by its raw id."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sciflow.schedulers.fake.jobs import Index, Job
from sciflow.schedulers.fake.slurm.lists import read_list
from sciflow.schedulers.fake.slurm.words import raw_id

if TYPE_CHECKING:
    from sciflow.schedulers.fake.cluster import VirtualCluster


@dataclass(frozen=True)
class Target:
    """A job, and the numbers of its indices that are meant; None for all."""

    job: Job
    numbers: list[int] | None = None

    @property
    def indices(self) -> list[Index]:
        """Those that are meant, as far as there are such."""
        chosen = self.job.indices if self.numbers is None else self.numbers
        return [self.job.indices[number] for number in chosen if number in self.job.indices]


def find_target(cluster: VirtualCluster, text: str) -> Target | None:
    """What ``84``, ``84_3``, ``84_[3-5]`` or a raw id means; None where the controller knows no such job."""
    number, _, indices = text.partition("_")
    job = cluster.find(number)
    if job is None:
        return _by_raw_id(cluster, number)
    return Target(job, read_list(indices) if indices not in ("", "*") else None)


def _by_raw_id(cluster: VirtualCluster, text: str) -> Target | None:
    for job in cluster.known():
        if job.is_array and text.startswith(job.id):
            found = [number for number in job.indices if raw_id(job, number) == text]
            if found:
                return Target(job, found)
    return None
