"""When what waits for its start time begins: as its scheduler says, or as it was planned."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from sciflow.model.plan import ArrayJob
from sciflow.run.status import RunStatus

FOR_START_TIME = "waits for its start time"  # so end the reasons of all schedulers


def start_time(status: RunStatus, array: ArrayJob, index: int) -> datetime | None:
    """When an index that waits for its start time begins; None for anything else, or where nobody knows.

    What is submitted later than planned begins at another time, which only the scheduler knows.
    """
    known = status.indices[array.name][index]
    if not known.reason.endswith(FOR_START_TIME):
        return None
    planned = array.begin_of(array.element(index))
    if known.said is None or known.said.start is None:
        return planned
    any_planned = planned or next((wave.begin for wave in array.waves if wave.begin), None)
    zone = any_planned.tzinfo if any_planned is not None else None
    return datetime.fromtimestamp(known.said.start, zone).astimezone(zone)


def start_times(status: RunStatus, array: ArrayJob, indices: Iterable[int]) -> dict[datetime, int]:
    """Start time → how many of some indices begin then, the earliest first."""
    found: dict[datetime, int] = {}
    for index in indices:
        begin = start_time(status, array, index)
        if begin is not None:
            begin = begin.replace(second=0, microsecond=0)
            found[begin] = found.get(begin, 0) + 1
    return dict(sorted(found.items()))
