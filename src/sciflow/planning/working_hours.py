"""When it is day at a site: its hours on weekdays, by its own clock."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta, timezone
from zoneinfo import ZoneInfo

from sciflow.model.manners import Manners
from sciflow.model.periods import aware
from sciflow.planning.spans import Span, joined

_SATURDAY = 5
_BEFORE, _AHEAD = 2, 9  # days: one that began yesterday goes on, and after a weekend comes another day


def is_day(manners: Manners, zone: str | None, moment: float) -> bool:
    """Whether it is day at a moment, in seconds since the epoch.

    Parameters
    ----------
    manners
        With the hours of the day.
    zone
        The site's time zone; None for the clock of this machine.
    moment
        The moment.
    """
    at = datetime.fromtimestamp(moment, timezone.utc)
    return any(start <= at < end for start, end in _days(manners, zone, at))


def next_change(manners: Manners, zone: str | None, moment: float) -> float:
    """When day turns to night after a moment, or night to day, in seconds since the epoch; see `is_day`."""
    at = datetime.fromtimestamp(moment, timezone.utc)
    bounds = (bound for span in _days(manners, zone, at) for bound in span if bound > at)
    return min(bounds).timestamp()


def _days(manners: Manners, zone: str | None, at: datetime) -> list[Span]:
    """The hours of day around a moment; those that touch are one."""
    here = ZoneInfo(zone) if zone else None
    today = at.astimezone(here).date()
    days = (today + timedelta(days=n) for n in range(-_BEFORE, _AHEAD))
    return list(joined(sorted(span for day in days if day.weekday() < _SATURDAY for span in _of(manners, day, here))))


def _of(manners: Manners, day: date, zone: ZoneInfo | None) -> Iterator[Span]:
    for text in [manners.day] if isinstance(manners.day, str) else manners.day:
        first, last = (_clock(part) for part in text.split("-"))
        # 24:00 is midnight of the next day; an end before the start lies there, too.
        ending = day + timedelta(days=last <= first)
        start, end = aware(datetime.combine(day, first), zone), aware(datetime.combine(ending, last), zone)
        if start < end:  # else the clock has skipped all of it
            yield start, end


def _clock(text: str) -> time:
    hours, minutes = text.strip().split(":")
    return time(int(hours) % 24, int(minutes))
