"""The Scheduler protocol: submit, query, cancel, limits."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from sciflow.model.plan import ArrayJob
from sciflow.model.profile import Limits
from sciflow.model.state import State


@dataclass(frozen=True)
class Submission:
    """One array job, or some of its indices, handed to a scheduler.

    Attributes
    ----------
    array
        The array job.
    script
        Its job script, in the run directory.
    attempts
        Index → the attempt that this will be; the indices to run.
    """

    array: ArrayJob
    script: Path
    attempts: Mapping[int, int] = field(default_factory=dict)


class Scheduler(Protocol):
    """Runs array jobs."""

    name: str

    def submit(self, submission: Submission) -> str:
        """Hand an array job over; gives its job id."""
        ...

    def query(self, job_ids: Iterable[str]) -> dict[str, dict[int, State]]:
        """Job id → index → state, for all jobs in one question; an index it does not know is left out."""
        ...

    def cancel(self, job_id: str, indices: Iterable[int] | None = None) -> None:
        """Cancel some indices of a job, or all of it."""
        ...

    def limits(self) -> Limits:
        """What it accepts in one array job."""
        ...
