"""What is to be said of calendars and tariffs: those that are old, end too early, or leave no time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta, timezone

from sciflow.errors import PlanError
from sciflow.model.periods import aware, read_days
from sciflow.model.plan import ArrayJob
from sciflow.model.policy import Policies, SchedulingPolicy
from sciflow.planning.calendar import deadline, zone_of
from sciflow.planning.cheapest import covered
from sciflow.planning.start import Start

_LONG_AGO = timedelta(days=7)


def refuse(start: Start, policy: SchedulingPolicy, task: str) -> None:
    """Refuse a start that is none.

    Raises
    ------
    PlanError
        Where blackouts leave no hour of a year, or a tariff has no prices for the time in question.
    """
    if start.reason == "never":
        raise PlanError(f"task `{task}` can never start: {start.why}", hint="shorten the blackouts, or the walltime")
    if start.reason == "no price" and (times := covered(policy)) is not None:
        raise PlanError(
            f"task `{task}` cannot start when it is cheapest: the tariff has prices from {_shown(times[0])} to "
            f"{_shown(times[1])}, and none for all of the time in which the task may run",
            hint="get a newer table, or use another policy",
        )


def calendar_warnings(policies: Policies, now: datetime) -> Iterator[str]:
    """Say which holidays are all over, a list that nobody has brought up to date; and which dates have passed."""
    for policy in _distinct(policies):
        if policy.policy == "not_before" and policy.not_before is not None:
            moment = aware(policy.not_before, zone_of(policy))
            if moment < now - _LONG_AGO:  # who goes on with a run the next day means it so
                shown = _shown(moment.astimezone(zone_of(policy)))
                yield f"`not_before: {shown}` has passed: what it holds for is not held back"
        if isinstance(policy.holidays, tuple) and policy.holidays:
            last = max(day for text in policy.holidays for day in read_days(text).days())
            if last < now.astimezone(zone_of(policy)).date():
                yield f"the last of the holidays was on {last}: the list is old"


def tariff_warnings(arrays: Sequence[ArrayJob], policies: Policies, now: datetime) -> Iterator[str]:
    """Say which tariffs end before work might, so that later starts are not looked at."""
    for policy in _distinct(policies):
        if policy.policy != "cheapest" or (times := covered(policy)) is None:
            continue
        bounds = [now + timedelta(hours=policy.max_wait_hours)] if policy.max_wait_hours is not None else []
        mine = [array.resources.runtime_seconds for array in arrays if policies.of(array.task) == policy]
        length = timedelta(seconds=max(mine, default=0))
        if (end := deadline(policy)) is not None:
            bounds.append(end - length)
        if mine and times[1].astimezone(timezone.utc) < min(bounds).astimezone(timezone.utc) + length:
            yield f"the tariff ends on {_shown(times[1])}: what would run longer than that is not looked at"


def _distinct(policies: Policies) -> list[SchedulingPolicy]:
    found: list[SchedulingPolicy] = []
    for policy in (policies.general, *policies.tasks.values()):
        if policy not in found:
            found.append(policy)
    return found


def _shown(moment: datetime) -> str:
    return moment.isoformat(sep=" ", timespec="minutes")
