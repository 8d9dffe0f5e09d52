"""When it is day at a site: its hours on weekdays, by its own clock."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from zoneinfo import ZoneInfo

from sciflow.model.manners import Manners
from sciflow.planning.calendar import Window, preferred_windows

_SATURDAY = 5
_BEFORE, _AHEAD = timedelta(days=2), timedelta(days=9)  # the weekend, and a day that begins on the day before


def is_day(manners: Manners, moment: float) -> bool:
    """Whether it is day at a moment, in seconds since the epoch."""
    at = datetime.fromtimestamp(moment, timezone.utc)
    return _is_within(_days(manners, at), at)


def next_change(manners: Manners, moment: float) -> float:
    """When day turns to night after a moment, or night to day, in seconds since the epoch."""
    at = datetime.fromtimestamp(moment, timezone.utc)
    days = _days(manners, at)
    now = _is_within(days, at)
    bounds = sorted({bound for window in days for bound in window if bound > at})
    # Where one window follows another without a gap, nothing changes.
    found = next((bound for bound in bounds if _is_within(days, bound) is not now), at + _AHEAD)
    return found.timestamp()


def _is_within(windows: list[Window], at: datetime) -> bool:
    return any(start <= at < end for start, end in windows)


def _days(manners: Manners, at: datetime) -> list[Window]:
    """The hours of day that begin on a weekday, around a moment."""
    zone = ZoneInfo(manners.timezone) if manners.timezone else None
    windows = preferred_windows(manners.hours, at - _BEFORE, at + _AHEAD)
    return [window for window in windows if window[0].astimezone(zone).weekday() < _SATURDAY]
