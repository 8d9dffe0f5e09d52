"""What was handed to a scheduler, or is to be: an array job or some of its elements, and how many may run at once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Throttle:
    """How many indices of a job may run at once.

    Attributes
    ----------
    at_once
        How many; None for any number.
    why, until
        Why no more, and until when at least that holds, in seconds since the epoch; None where that is not known.
    refused, refused_at
        The number to which the scheduler last refused to change it, 0 for any number, and when.
    """

    at_once: int | None = None
    why: str = ""
    until: float | None = None
    refused: int | None = None
    refused_at: float = 0.0


@dataclass
class Submitted:
    """One submission: an array job, or some of its elements, which are the scheduler's indices.

    Attributes
    ----------
    name
        The unique name under which the scheduler knows it.
    job
        The job id; empty while that is not known.
    since
        When it was intended, in seconds since the epoch.
    error
        Why the scheduler refused it the last time.
    variant
        The request under which it is tried again; empty for that of the plan.
    link
        Which link of a chain it is.
    is_ahead
        Whether it holds the canaries of the array job, which run ahead of the others.
    is_refused
        Whether that was no matter of room: the same will be refused again unless something is mended.
    is_void
        Whether it was refused for good: its indices are as they were before.
    riders
        The array jobs that are fused with it: the same indices of these run in the same job.
    begin
        When it may begin, in seconds since the epoch, where that was noted.
    throttle
        How many of its indices may run at once, and why.
    is_timed
        Whether it is a job that tends the run at its `begin`, whatever ends before.
    """

    array: str
    name: str
    indices: frozenset[int]
    since: float
    job: str = ""
    error: str = ""
    variant: str = ""
    link: int = 1
    is_ahead: bool = False
    is_refused: bool = False
    is_void: bool = False
    riders: tuple[str, ...] = ()
    begin: float | None = None
    throttle: Throttle = field(default_factory=lambda: Throttle())
    is_timed: bool = False


def read_throttle(event: Mapping[str, Any]) -> Throttle:
    """What an event says of how many indices may run at once."""
    return Throttle(event.get("at_once"), event.get("why", ""), event.get("until"))
