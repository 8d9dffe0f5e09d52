"""The Scheduler protocol: submit, query, cancel, limits; and what one with a queue can do beyond that."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Literal, NamedTuple, Protocol

from sciflow.model.load import Load
from sciflow.model.plan import ArrayJob
from sciflow.model.state import State
from sciflow.model.statement import Testimony

if TYPE_CHECKING:
    from sciflow.model.profile import Limits


class After(NamedTuple):
    """A job that is waited for: index by index (`element`), or all of it (`whole`)."""

    job: str
    kind: Literal["element", "whole"]


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
    name
        The unique name under which the scheduler knows it, and by which it is found again.
    after
        The jobs that it waits for.
    avoided
        The nodes on which it is not to run.
    begin
        When it may begin, in seconds since the epoch; None for what its script says.
    at_once
        How many of its indices may run at once, as its script says it; None for any number.
    throttle
        How many may, where that is less than its script says.
    """

    array: ArrayJob
    script: Path
    attempts: Mapping[int, int] = field(default_factory=dict)
    name: str = ""
    after: tuple[After, ...] = ()
    avoided: tuple[str, ...] = ()
    begin: float | None = None
    at_once: int | None = None
    throttle: int | None = None

    @property
    def names_indices(self) -> bool:
        """Whether the call says which indices are meant: not all of them, or not so many at once as the script says."""
        return len(self.attempts) < self.array.elements or self.throttle is not None

    @property
    def most(self) -> str:
        """What stands behind the indices: ``%20``, or nothing."""
        most = self.throttle or self.at_once
        return f"%{most}" if most else ""

    def describe(self) -> str:
        """What is submitted, for messages."""
        array = self.array
        asked = "".join(f", {one}" for one in array.options.described())
        return f"array job `{array.name}` of task `{array.task}` ({array.resources.describe()}{asked})"


@dataclass(frozen=True)
class Errand:
    """One small job that is no array job.

    Attributes
    ----------
    script
        Its job script, in the run directory.
    name
        The unique name under which the scheduler knows it.
    after
        The jobs of which the first to end lets it start.
    begin
        When it may begin at the earliest, in seconds since the epoch.
    """

    script: Path
    name: str
    after: tuple[str, ...] = ()
    begin: float | None = None


class Scheduler(Protocol):
    """Runs array jobs."""

    name: str

    def submit(self, submission: Submission) -> str:
        """Hand an array job over; gives its job id."""
        ...

    def query(self, job_ids: Iterable[str]) -> Mapping[str, Mapping[int, State]]:
        """Job id → index → state, for all jobs in one question; an index it does not know is left out."""
        ...

    def cancel(self, job_id: str, indices: Iterable[int] | None = None) -> None:
        """Cancel some indices of a job, or all of it."""
        ...

    def limits(self) -> Limits:
        """What it accepts in one array job."""
        ...


class QueueScheduler(Scheduler, Protocol):
    """A scheduler that keeps array jobs in a queue of its own, where they run without us.

    Attributes
    ----------
    avoids_nodes
        Whether it can be told where not to run something.
    """

    avoids_nodes: bool

    def testify(self, jobs: Mapping[str, str], wanted: Mapping[str, set[int]]) -> Testimony:
        """Ask all witnesses about jobs, each at most once.

        Parameters
        ----------
        jobs
            Job id → the unique name under which it was submitted: a recycled id is known by another name.
        wanted
            Job id → the indices of which something needs to be known.
        """
        ...

    def find(self, names: Mapping[str, float]) -> dict[str, str]:
        """Find jobs by their unique names, which were used at the given times at the earliest; gives name → job id.

        Raises
        ------
        SchedulerError, TransportError
            Where it cannot be told whether there are such jobs.
        """
        ...

    def send(self, errand: Errand) -> str:
        """Hand over a small job; gives its job id."""
        ...

    def postpone(self, job: str, after: Sequence[After]) -> None:
        """Let a job that waits wait for these jobs, in place of what it was submitted with.

        Raises
        ------
        SchedulerError
            Where it does not wait any more.
        """
        ...

    def call(self, submission: Submission) -> str:
        """The call by which it would be submitted, as one would type it in the run directory."""
        ...

    def parts(self, indices: Sequence[int]) -> Iterator[Sequence[int]]:
        """Cut indices into lists that one submission can name each."""
        ...

    def queued(self) -> int:
        """How many array indices of this user are queued or running."""
        ...

    def throttle(self, job: str, at_once: int) -> bool:
        """Let so many of a job's indices run at once from now on; false where it is over and it makes no difference.

        Raises
        ------
        SchedulerError
            Where that is refused.
        TransportError
            Where it does not answer.
        """
        ...

    def load(self, is_of_others: bool) -> Load:
        """How many cores are up, and whether others wait for them where that is asked: in one question each.

        Raises
        ------
        SchedulerError, TransportError
            Where it does not answer.
        """
        ...
