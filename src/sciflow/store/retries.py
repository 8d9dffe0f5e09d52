"""Decisions to try something again, and what a scheduler has refused of these."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Refusal:
    """What a scheduler has refused an index that was to be tried again.

    Attributes
    ----------
    memory, seconds
        What it was to be given: bytes, and seconds of walltime; 0 where nothing was said.
    error
        The scheduler's answer.
    """

    memory: int
    seconds: int
    error: str


@dataclass(frozen=True)
class Retry:
    """The decision to try indices of an array job again.

    Attributes
    ----------
    indices
        Those that are run again: of a packed element perhaps not all.
    elements
        The scheduler's indices in which they run; None where these are the same.
    variant
        The request under which that is done; empty for that of the plan.
    memory, seconds
        What each of them is given: bytes, and seconds of walltime; 0 where nothing is said.
    cause, error
        What they had failed of, and the normalised error.
    counts
        Whether that was a failure; who was preempted, or goes on from a checkpoint, has not failed.
    time
        When it was decided, in seconds since the epoch.
    """

    array: str
    indices: frozenset[int]
    elements: frozenset[int] | None
    variant: str
    memory: int
    seconds: int
    cause: str
    error: str
    counts: bool
    time: float
