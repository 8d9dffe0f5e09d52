"""The hours that a policy prefers, and those in which nothing starts, on the wall clock of its zone."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta, tzinfo
from functools import lru_cache
from zoneinfo import ZoneInfo

from sciflow.model.periods import aware, read_days, read_period
from sciflow.model.policy import SchedulingPolicy
from sciflow.planning.spans import Span, joined, without

_SATURDAY = 5


def preferred_windows(policy: SchedulingPolicy, since: datetime, until: datetime) -> tuple[Span, ...]:
    """The preferred hours that begin before one moment and end after another, in order and without blackouts.

    Windows that overlap or touch are one: a night before a weekend is part of the weekend.
    """
    if until <= since:
        until = since + timedelta(microseconds=1)
    windows = without(joined(_windows(policy, since, until)), blackouts(policy))
    return tuple((start, end) for start, end in windows if end > since and start < until)


def blackouts(policy: SchedulingPolicy) -> tuple[Span, ...]:
    """The times in which nothing starts, in order."""
    said = policy.blackouts
    return _blackouts(said, policy.timezone) if isinstance(said, tuple) else ()


def deadline(policy: SchedulingPolicy) -> datetime | None:
    """The moment at which all is to be done, with its time zone; None where the policy names none."""
    return None if policy.deadline is None else aware(policy.deadline, zone_of(policy)).astimezone(zone_of(policy))


def zone_of(policy: SchedulingPolicy) -> tzinfo | None:
    """The zone whose wall clock counts; None for that of this machine."""
    return ZoneInfo(policy.timezone) if policy.timezone else None


@lru_cache(maxsize=64)
def _blackouts(said: tuple[str, ...], zone: str | None) -> tuple[Span, ...]:
    here = ZoneInfo(zone) if zone else None
    return tuple(joined(sorted(span for text in said if (span := read_period(text).span(here))[0] < span[1])))


@lru_cache(maxsize=64)
def _holidays(said: tuple[str, ...]) -> frozenset[date]:
    return frozenset(day for text in said for day in read_days(text).days())


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
    is_holiday = isinstance(policy.holidays, tuple) and day in _holidays(policy.holidays)
    if is_holiday or (policy.weekend_preferred and day.weekday() >= _SATURDAY):
        yield from _span(day, time(), following, time(), zone)


def _span(day: date, first: time, ending: date, last: time, zone: tzinfo | None) -> Iterator[Span]:
    """From one time of the wall clock to another; nothing where a change of the clocks leaves nothing of it."""
    start, end = (aware(datetime.combine(*one), zone) for one in ((day, first), (ending, last)))
    if start < end:
        yield start, end


def _clock(text: str) -> time:
    hours, minutes = text.split(":")
    return time(int(hours) % 24, int(minutes))
