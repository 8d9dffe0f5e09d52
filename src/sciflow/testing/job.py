"""A job as a test sees it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from sciflow.schedulers.fake.cluster import VirtualCluster
from sciflow.schedulers.fake.jobs import Job
from sciflow.schedulers.fake.request import Request


@dataclass(frozen=True)
class FakeJob:
    """One job, as it is when it is asked for.

    Attributes
    ----------
    id, name
        By which the scheduler knows it.
    states
        Index → its state, in the words of `sciflow.State`; a job that is no array job has the index 0.
    codes, signals
        Index → how its script has ended.
    starts
        Index → how often it was started.
    request
        What it asks for.
    script
        The text of its script.
    directory
        From where it was submitted.
    call
        The call by which it was submitted, as one would type it.
    """

    id: str
    name: str
    states: Mapping[int, str]
    codes: Mapping[int, int]
    signals: Mapping[int, int]
    starts: Mapping[int, int]
    request: Request
    script: str
    directory: Path
    call: str

    @property
    def state(self) -> str:
        """The state of all of its indices; several, in order and with commas, where they differ."""
        return ",".join(dict.fromkeys(self.states.values()))

    @classmethod
    def of(cls, cluster: VirtualCluster, job: Job) -> FakeJob:
        """A job of the virtual cluster as it is now."""
        all_of_it = list(job.indices.values())
        return cls(
            cluster.face.label(job),
            job.name,
            {one.number: one.word for one in all_of_it},
            {one.number: one.code for one in all_of_it},
            {one.number: one.signal for one in all_of_it},
            {one.number: one.restarts + (one.start is not None) for one in all_of_it},
            job.request,
            job.ordered.text,
            job.directory,
            job.ordered.call,
        )
