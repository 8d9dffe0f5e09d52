"""What a program that is made up knows, how it goes on from there, and the checkpoints that it leaves."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sciflow_shim import files
from sciflow_shim.attempt import Attempt

PROGRESS = "progress.json"  # the checkpoint of a program that is made up


@dataclass(frozen=True)
class Sight:
    """What a program knows when it starts.

    `done` are the seconds of work that its checkpoint holds, `memory` and `seconds` what it was given.
    """

    array: str
    index: int
    attempt: int
    parameters: Mapping[str, Any]
    done: float
    node: str
    memory: int
    seconds: float


@dataclass(frozen=True)
class Course:
    """How a program would go on from there if nobody stopped it.

    Attributes
    ----------
    seconds
        How long it runs.
    memory
        How many bytes it needs at most: more than it was given, and it is killed half-way.
    error
        Its type and message, as ``ValueError: no convergence``, where it fails.
    signal
        By what it is killed at its end.
    metrics
        What it returns.
    checkpoint_every
        After how many seconds of work it leaves a checkpoint; 0 for never.
    """

    seconds: float
    memory: int = 0
    error: str = ""
    signal: int = 0
    metrics: Mapping[str, Any] = field(default_factory=dict)
    checkpoint_every: float = 0.0


Program = Callable[[Sight], Course]


def sight_of(attempt: Attempt, node: str) -> Sight:
    """What a program knows; of the time of an array index, those that are packed into it have equal shares."""
    array, request = attempt.array, attempt.array.header["request"]
    return Sight(
        array=array.name,
        index=attempt.index,
        attempt=attempt.attempt,
        parameters=attempt.line["parameters"],
        done=_done(attempt),
        node=node,
        memory=request["memory_bytes"],
        seconds=request["runtime_seconds"] / array.members,
    )


def leave_checkpoint(attempt: Attempt, course: Course, done: float, ran: float) -> None:
    """Leave the last checkpoint of a program that had `done` some seconds of work before, and `ran` so long since."""
    every = course.checkpoint_every
    kept = int(ran / every) * every if every else 0.0
    if kept > 0.0:
        path = _progress(attempt)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps({"done": done + kept}))
        os.utime(path, (attempt.start + kept, attempt.start + kept))


def tell_outcome(attempt: Attempt, course: Course, code: int | None) -> None:
    """Let an attempt know what its program has returned, or of what it has failed."""
    if code == 0:
        attempt.outcome.metrics, attempt.outcome.order = dict(course.metrics), list(course.metrics)
        attempt.outcome.returned = "mapping"
    elif code is not None:
        kind, _, message = course.error.partition(": ")
        attempt.outcome.error = {"type": kind, "message": message, "traceback": ""}


def _progress(attempt: Attempt) -> Path:
    return Path(attempt.work) / files.CHECKPOINT / PROGRESS


def _done(attempt: Attempt) -> float:
    """The seconds of work in the checkpoint that is there; 0 where there is none."""
    path = _progress(attempt)
    return float(json.loads(path.read_text())["done"]) if path.exists() else 0.0
