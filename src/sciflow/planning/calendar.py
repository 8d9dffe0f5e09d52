"""The hours that a policy prefers: windows of the day and weekends, on the wall clock of its zone."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta, timezone, tzinfo
from zoneinfo import ZoneInfo

from sciflow.model.policy import SchedulingPolicy
from sciflow.planning.spans import Span, joined

_SATURDAY = 5


def preferred_windows(policy: SchedulingPolicy, since: datetime, until: datetime) -> tuple[Span, ...]:
    """The preferred hours that begin before one moment and end after another, in order.

    Windows that overlap or touch are one: a night before a weekend is part of the weekend.
    """
    if until <= since:
        until = since + timedelta(microseconds=1)
    windows = joined(_windows(policy, since, until))
    return tuple((start, end) for start, end in windows if end > since and start < until)


def deadline(policy: SchedulingPolicy) -> datetime | None:
    """The moment at which all is to be done, with its time zone; None where the policy names none."""
    if policy.deadline is None:
        return None
    return aware(policy.deadline, zone_of(policy)).astimezone(zone_of(policy))


def zone_of(policy: SchedulingPolicy) -> tzinfo | None:
    """The zone whose wall clock counts; None for that of this machine."""
    return ZoneInfo(policy.timezone) if policy.timezone else None


def aware(moment: datetime, zone: tzinfo | None) -> datetime:
    """A moment in UTC, where a clock shows no time twice; one without a zone is of the zone given."""
    if moment.tzinfo is not None:
        return moment.astimezone(timezone.utc)
    stamp = moment.replace(tzinfo=zone).timestamp()
    return datetime.fromtimestamp(stamp, timezone.utc)


def _windows(policy: SchedulingPolicy, since: datetime, until: datetime) -> list[Span]:
    """The windows that start from some days before one moment to the day of another, in order."""
    zone = zone_of(policy)
    # The night of the day before is still open, and a zone may have skipped a day.
    first = since.astimezone(zone).date() - timedelta(days=2)
    days = (until.astimezone(zone).date() - first).days + 1
    return sorted(window for n in range(days) for window in _of_day(policy, first + timedelta(days=n), zone))


def _of_day(policy: SchedulingPolicy, day: date, zone: tzinfo | None) -> Iterator[Span]:
    """The windows that start on a day, as moments."""
    hours = policy.preferred_hours
    following = day + timedelta(days=1)
    for text in [hours] if isinstance(hours, str) else hours or []:
        first, last = (_clock(part) for part in re.split(r"\s*-\s*", text.strip()))
        # 24:00 is midnight of the next day; an end before the start lies there, too.
        yield from _span(day, first, following if last <= first else day, last, zone)
    if policy.weekend_preferred and day.weekday() >= _SATURDAY:
        yield from _span(day, time(), following, time(), zone)


def _span(day: date, first: time, ending: date, last: time, zone: tzinfo | None) -> Iterator[Span]:
    """From one time of the wall clock to another; nothing where a change of the clocks leaves nothing of it."""
    start, end = (aware(datetime.combine(*one), zone) for one in ((day, first), (ending, last)))
    if start < end:
        yield start, end


def _clock(text: str) -> time:
    hours, minutes = text.split(":")
    return time(int(hours) % 24, int(minutes))
