"""How long a run will still take, by what has ended so far."""

from __future__ import annotations

from sciflow.model.state import State
from sciflow.run.status import RunStatus


def seconds_left(status: RunStatus, now: float) -> float | None:
    """Estimate the seconds until a run's last index ends.

    Each index takes as long as those of its task took on average, and as many run side by side as do now. One that has
    run for longer takes as long as those that took longer still. What waits for a start time waits until then.

    Returns
    -------
    float or None
        None as long as a task that is not over has no index that has completed, or one runs longer than any has.
    """
    work, starts = 0.0, [now]
    for task in status.plan.tasks:
        known = [one for array in status.arrays(task) for one in status.indices[array.name].values()]
        left = [one for one in known if not one.is_over]
        if not left:
            continue
        took = [one.seconds for one in known if one.state is State.COMPLETED]
        if not took:
            return None
        mean = sum(took) / len(took)
        for one in left:
            start = one.said.start if one.said is not None else None
            if one.state is State.RUNNING and start is not None:
                longer = took if now - start < mean else [one for one in took if one > now - start]
                if not longer:
                    return None
                work += sum(longer) / len(longer) - (now - start)
            else:
                work += mean
    if not any(one.state is State.RUNNING for one in status.everyone()):
        starts += [array.begin.timestamp() for array in status.plan.arrays if array.begin]
    running = sum(one.state is State.RUNNING for one in status.everyone())
    return max(starts) - now + work / max(1, running)
