"""What a scheduler with a queue can tell of what waits in it, beyond its state: nouns, and who can be asked."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

from sciflow.model.plan import ArrayJob
from sciflow.model.resources import Resources
from sciflow.schedulers.reasons import Reason


@dataclass(frozen=True)
class Standing:
    """Indices of one job that wait in the queue for the same.

    Attributes
    ----------
    job
        The job id.
    indices
        The scheduler's indices; empty for all of the job.
    code
        The reason in the scheduler's own words.
    reason
        The same in plain words.
    partition, account, qos
        Where they wait, and at whose expense.
    start
        When the scheduler plans to start them, in seconds since the epoch; for an array job that is the last of those
        indices that it has planned. None where it has not said.
    """

    job: str
    indices: tuple[int, ...]
    code: str
    reason: Reason
    partition: str = ""
    account: str = ""
    qos: str = ""
    start: float | None = None


@dataclass(frozen=True)
class Gap:
    """What one index could use at once, if it ends before something else begins.

    Attributes
    ----------
    until
        When the first of those that come before it is to start.
    cores, memory
        The most that is free on one node, in bytes; 0 bytes for what is not known.
    """

    until: float
    cores: int
    memory: int


@dataclass
class Outlook:
    """What was found out about what waits.

    Attributes
    ----------
    standings
        What waits in the queue.
    facts
        (Job, reason) → what there is to know about it: numbers of a limit, free nodes, who comes first.
    gaps
        Partition → the gap before the first that is to start there.
    notes
        What could not be found out, and why.
    """

    standings: list[Standing] = field(default_factory=list)
    facts: dict[tuple[str, str], list[str]] = field(default_factory=dict)
    gaps: dict[str, Gap] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Variant:
    """Another request for what waits.

    Attributes
    ----------
    label
        What is different, in plain words.
    resources
        All that it asks for.
    partition
        Where; empty for where it waits.
    """

    label: str
    resources: Resources
    partition: str = ""


@dataclass(frozen=True)
class Trial:
    """When a request would start, as the scheduler says, or why it would not be taken."""

    start: float | None = None
    refusal: str = ""


class Explainer(Protocol):
    """Tells why something waits; none of its questions changes anything.

    Attributes
    ----------
    estimates
        Whether it can say when another request would start; in words, what is to be known of its answer.
    """

    estimates: str

    def look(self, jobs: Collection[str], needed: Resources) -> Outlook:
        """Look at the queue, the nodes and the limits for these jobs, whose indices ask for so much."""
        ...

    def try_out(self, array: ArrayJob, element: int, variant: Variant) -> Trial:
        """Ask when an index would start if it asked for something else; submits nothing.

        Raises
        ------
        SchedulerError, TransportError
            Where there is no answer.
        """
        ...


@runtime_checkable
class Explains(Protocol):
    """A scheduler that can be asked why something waits."""

    def explainer(self) -> Explainer:
        """Who is asked."""
        ...
