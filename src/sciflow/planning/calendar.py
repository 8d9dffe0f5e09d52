"""When array jobs may begin: off-peak windows of the day, weekends, and the longest wait."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta, timezone, tzinfo
from zoneinfo import ZoneInfo

from sciflow.model.policy import SchedulingPolicy

Window = tuple[datetime, datetime]
_DAYS = 9  # a weekend, or any window of the day, comes within a week
_SATURDAY = 5


def begin_time(policy: SchedulingPolicy, now: datetime) -> datetime | None:
    """When array jobs under a policy may begin.

    Parameters
    ----------
    policy
        The policy; its time zone counts, else that of this machine.
    now
        The present moment, with its time zone.

    Returns
    -------
    datetime or None
        The first moment of the next window, or the end of the longest wait where that comes first; None for at once.
    """
    zone = ZoneInfo(policy.timezone) if policy.timezone else None
    # Moments are compared in UTC: in a zone of its own a clock shows some times twice.
    now = now.astimezone(timezone.utc)
    if policy.policy == "not_before":
        assert policy.not_before is not None
        begin = _aware(policy.not_before, zone)
        return begin.astimezone(zone) if begin > now else None
    if policy.policy != "off_peak":
        return None
    windows = _from_day_before(policy, now, _DAYS, zone)
    if any(start <= now < end for start, end in windows):
        return None
    begin = min(start for start, _ in windows if start > now)
    if policy.max_wait_hours is not None:
        begin = min(begin, now + timedelta(hours=policy.max_wait_hours))
    return begin.astimezone(zone).replace(microsecond=0)


def preferred_windows(policy: SchedulingPolicy, since: datetime, until: datetime) -> tuple[Window, ...]:
    """The preferred hours between two moments, in order; of those that overlap, each moment is in one of them."""
    zone = ZoneInfo(policy.timezone) if policy.timezone else None
    days = (until - since).days + 2
    found: list[Window] = []
    for start, end in sorted(_from_day_before(policy, since, days, zone)):
        first = max(start, found[-1][1]) if found else start
        if end > first:
            found.append((first, end))
    return tuple(found)


def deadline(policy: SchedulingPolicy) -> datetime | None:
    """The moment at which all is to be done, with its time zone; None where the policy names none."""
    if policy.deadline is None:
        return None
    zone = ZoneInfo(policy.timezone) if policy.timezone else None
    return _aware(policy.deadline, zone).astimezone(zone)


def _from_day_before(policy: SchedulingPolicy, now: datetime, days: int, zone: tzinfo | None) -> list[Window]:
    """The windows that start on the day before, today, and on the days that follow, of so many days from today on."""
    today = now.astimezone(zone).date()
    return [window for n in range(-1, days) for window in _windows(policy, today + timedelta(days=n), zone)]


def _windows(policy: SchedulingPolicy, day: date, zone: tzinfo | None) -> Iterator[Window]:
    """The windows that start on a day, as moments."""
    hours = policy.preferred_hours
    for text in [hours] if isinstance(hours, str) else hours or []:
        first, last = (_clock(part) for part in re.split(r"\s*-\s*", text.strip()))
        following = day + timedelta(days=1)
        # 24:00 is midnight of the next day; an end before the start lies there, too.
        end = _moment(following, last, zone) if last <= first else _moment(day, last, zone)
        yield _moment(day, first, zone), end
    if policy.weekend_preferred and day.weekday() == _SATURDAY:
        yield _moment(day, time(), zone), _moment(day + timedelta(days=2), time(), zone)


def _clock(text: str) -> time:
    hours, minutes = text.split(":")
    return time(int(hours) % 24, int(minutes))


def _moment(day: date, clock: time, zone: tzinfo | None) -> datetime:
    """A wall clock's time as a moment; one that the change to summer time skips is an hour later on that clock."""
    return _aware(datetime.combine(day, clock), zone)


def _aware(moment: datetime, zone: tzinfo | None) -> datetime:
    if moment.tzinfo is not None:
        return moment.astimezone(timezone.utc)
    stamp = moment.replace(tzinfo=zone).timestamp()
    return datetime.fromtimestamp(stamp, timezone.utc)
