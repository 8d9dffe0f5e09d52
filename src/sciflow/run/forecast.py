"""How long a run will still take, by what has ended so far."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from itertools import accumulate

from sciflow.model.state import State
from sciflow.run.start_times import start_time
from sciflow.run.status import IndexStatus, RunStatus


def seconds_left(status: RunStatus, now: float) -> float | None:
    """Estimate the seconds until a run's last index ends.

    Each index takes as long as those of its task took on average, and as many run side by side as do now; where none
    does, as did at most. One that has run for longer takes as long as those that took longer still. What waits for a
    start time waits until then, each wave for its own.

    Returns
    -------
    float or None
        None as long as a task that is not over has no index that has completed, or one runs longer than any has.
    """
    work: dict[datetime | None, float] = {None: 0.0}  # seconds, by when they begin; None where that has passed
    for task in status.plan.tasks:
        known = {array: status.indices[array.name] for array in status.arrays(task)}
        if all(one.is_over for indices in known.values() for one in indices.values()):
            continue
        took = [one.seconds for indices in known.values() for one in indices.values() if one.state is State.COMPLETED]
        if not took:
            return None
        for array, indices in known.items():
            begun = {
                array.begin_of(array.element(index)) for index, one in indices.items() if one.state is State.RUNNING
            }
            for index, one in indices.items():
                if one.is_over:
                    continue
                seconds = _seconds(one, took, now)
                if seconds is None:
                    return None
                begin = start_time(status, array, index) or array.begin_of(array.element(index))
                is_due = begin is None or begin in begun or begin.timestamp() <= now
                work[None if is_due else begin] = work.get(None if is_due else begin, 0.0) + seconds
    at_once = sum(one.state is State.RUNNING for one in status.everyone()) or _at_once(list(status.everyone()))
    end = now + work.pop(None) / at_once
    for begin, seconds in sorted((begin.timestamp(), seconds) for begin, seconds in work.items() if begin):
        end = max(end, begin) + seconds / at_once
    return end - now


def _seconds(one: IndexStatus, took: Sequence[float], now: float) -> float | None:
    """How long an index will run from now on, by how long others took; None where it has run for longer than any."""
    mean = sum(took) / len(took)
    start = one.said.start if one.said is not None else None
    if one.state is not State.RUNNING or start is None:
        return mean
    longer = took if now - start < mean else [seconds for seconds in took if seconds > now - start]
    return sum(longer) / len(longer) - (now - start) if longer else None


def _at_once(known: Sequence[IndexStatus]) -> int:
    """How many have run side by side at most, by their records; one where these do not tell."""
    spans = [(one.record.start, one.record.end) for one in known if one.record is not None]
    steps = sorted(step for start, end in spans if 0 < start < end for step in ((start, 1), (end, -1)))
    return max([1, *accumulate(step for _, step in steps)])
