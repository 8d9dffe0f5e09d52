"""What deadlines leave of the time: when everything has to start, and whether that can be."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta, timezone

from sciflow.errors import DeadlineError
from sciflow.model.periods import aware
from sciflow.model.plan import ArrayJob
from sciflow.model.policy import Policies, SchedulingPolicy
from sciflow.model.units import format_duration
from sciflow.planning.calendar import blackouts, deadline, zone_of
from sciflow.planning.spans import first_free


def latest_starts(
    arrays: Sequence[ArrayJob], policies: Policies, now: datetime, is_late: bool = False
) -> dict[str, datetime]:
    """When array jobs have to start, so that what depends on them is done by its deadline; of those that have to.

    Parameters
    ----------
    arrays
        In running order.
    policies, now
        When they may run, and the present moment.
    is_late
        Whether a deadline that cannot be met is no error: what has begun goes on.

    Raises
    ------
    DeadlineError
        Where a deadline cannot be met, even if nothing waits for preferred hours or lower prices.
    """
    ends = {array.name: end for array in arrays if (end := deadline(policies.of(array.task))) is not None}
    if not ends:
        return {}
    if not is_late:
        _check(arrays, policies, ends, now.astimezone(timezone.utc))
    latest: dict[str, datetime] = {}
    done_by = {name: end.astimezone(timezone.utc) for name, end in ends.items()}
    for array in reversed(arrays):
        if array.name not in done_by:
            continue
        latest[array.name] = done_by[array.name] - _length(array)
        for before in array.after:
            done_by[before.array] = min(done_by.get(before.array, latest[array.name]), latest[array.name])
    return latest


def _check(arrays: Sequence[ArrayJob], policies: Policies, deadlines: Mapping[str, datetime], now: datetime) -> None:
    by_name = {array.name: array for array in arrays}
    ends: dict[str, datetime] = {}
    for array in arrays:
        ready = max((ends[one.array] for one in array.after), default=now)
        ends[array.name] = _earliest(array, policies.of(array.task), ready) + _length(array)
    late = [name for name, end in deadlines.items() if ends[name] > end]
    if not late:
        return
    # The one that is furthest from its deadline says most; what it waits for is found backwards.
    worst = max(late, key=lambda name: ends[name] - deadlines[name])
    path = [by_name[worst]]
    while path[0].after:
        path.insert(0, by_name[max((one.array for one in path[0].after), key=lambda name: ends[name])])
    raise _missed(path, deadlines[worst], ends[worst], now)


def _earliest(array: ArrayJob, policy: SchedulingPolicy, moment: datetime) -> datetime:
    """When it may start at the earliest: preferred hours are given up for a deadline, dates and blackouts are not."""
    is_meant = policy.applies_to is None or policy.applies_to.holds(array.resources, array.elements)
    if policy.policy == "not_before" and policy.not_before is not None and is_meant:
        moment = max(moment, aware(policy.not_before, zone_of(policy)))
    return first_free(moment, timedelta(seconds=array.resources.runtime_seconds), blackouts(policy))


def _missed(path: Sequence[ArrayJob], end: datetime, possible: datetime, now: datetime) -> DeadlineError:
    needed = sum((_length(array) for array in path), timedelta())
    tasks = " → ".join(f"`{task}`" for task in dict.fromkeys(array.task for array in path))
    takes = f"{tasks} {'ask for' if len(path) > 1 else 'asks for'} {_said(needed)}"
    left = f"is in {_said(end - now)}" if end > now else "has passed"
    waits = ", and may not start at once" if possible - now > needed else ""
    return DeadlineError(
        f"{takes}{' one after another' if len(path) > 1 else ''}{waits}, but the deadline {_shown(end)} {left}: the "
        f"earliest possible end is {_shown(full_minute(possible).astimezone(end.tzinfo))}",
        hint="ask for less walltime, or set a deadline after that; a run that has begun goes on with `sciflow retry`",
    )


def _length(array: ArrayJob) -> timedelta:
    return timedelta(seconds=array.resources.runtime_seconds * array.links)


def full_minute(moment: datetime) -> datetime:
    """The next full minute: what is said is a deadline that can be met."""
    return moment + timedelta(microseconds=-(moment.second * 1_000_000 + moment.microsecond) % 60_000_000)


def _said(length: timedelta) -> str:
    return format_duration(length.total_seconds())


def _shown(moment: datetime) -> str:
    return moment.isoformat(sep=" ", timespec="minutes")
