"""Brakes: what holds back the rest of an array job, since nearly all of it that has ended has failed."""

from __future__ import annotations

import os
from dataclasses import dataclass

from sciflow.store.layout import RunDirectory, read_document
from sciflow_shim import files

_BY_THE_SECOND = 2.0  # seconds by which clocks of nodes and of the scheduler may differ


@dataclass(frozen=True)
class Brake:
    """One brake of one array job.

    Attributes
    ----------
    time
        When it was put on, in seconds since the epoch.
    ended, failed
        How many had ended then, and how many of these as failures.
    error
        The most frequent error.
    released
        When it was released; None while it is on.
    """

    array: str
    time: float
    ended: int
    failed: int
    error: str
    released: float | None = None

    @property
    def reason(self) -> str:
        """Why it is on, in words."""
        return f"{files.HELD_BACK}{self.failed} of the first {self.ended} failed: {self.error}"

    def was_on(self, time: float | None) -> bool:
        """Whether it was on at a time; where that is not known, whether it is on."""
        if time is None:
            return self.released is None
        until = float("inf") if self.released is None else self.released
        return self.time - _BY_THE_SECOND <= time <= until + _BY_THE_SECOND


def read_brakes(run: RunDirectory) -> dict[str, list[Brake]]:
    """Array job → its brakes, the released ones among them."""
    found: dict[str, list[Brake]] = {}
    for path in sorted((run / files.BRAKES).glob("*.json")):
        if path.name.startswith("."):
            continue  # it is being written
        facts = read_document(path)
        released = path.stat().st_mtime if path.name.endswith(".released.json") else None
        brake = Brake(facts["array"], facts["time"], facts["ended"], facts["failed"], facts["error"], released)
        found.setdefault(brake.array, []).append(brake)
    return found


def release(run: RunDirectory, array: str) -> bool:
    """Let an array job go on; whether it was held back."""
    path = run / files.brake(array)
    number = 1 + sum(1 for _ in (run / files.BRAKES).glob(f"{array}.*.released.json"))
    try:
        os.utime(path)  # attempts from before that are not counted again
        path.rename(run / files.released_brake(array, number))
    except FileNotFoundError:
        return False
    return True
