"""Times and spans of time as Slurm reads and writes them."""

from __future__ import annotations

import math
import re
from datetime import datetime, timedelta, tzinfo
from typing import NoReturn
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from sciflow.schedulers.fake.face import Call
from sciflow.schedulers.fake.slurm.arguments import Wrong

MINUTE, HOUR, DAY = 60, 3_600, 86_400
UNLIMITED = ("UNLIMITED", "INFINITE", "-1")
_UNITS = {"second": 1, "minute": MINUTE, "hour": HOUR, "day": DAY, "week": 7 * DAY}
_HOURS = {"midnight": 0, "noon": 12, "fika": 15, "teatime": 16}
_EARLIEST = 1_000_000  # seconds since the epoch that Slurm takes for such
_DATES = (
    r"(?P<year>\d{4})-(?P<month>\d{1,2})-(?P<day>\d{1,2})",
    r"(?P<month>\d{1,2})[/.](?P<day>\d{1,2})(?:[/.](?P<year>\d{2,4}))?",
    r"(?P<month>\d{2})(?P<day>\d{2})(?P<year>\d{2})?",
)
_CLOCK = r"(?P<hour>\d{1,2}):(?P<minute>\d{2})(?::(?P<second>\d{2}))?\s*(?P<half>[ap]m)?"


def zone(call: Call) -> tzinfo | None:
    """The time zone of who calls; None for that of this machine."""
    name = call.variables.get("TZ", "").removeprefix(":")
    try:
        return ZoneInfo(name) if name else None
    except (ZoneInfoNotFoundError, ValueError):
        return None


def read_limit(text: str) -> float:
    """Seconds of a time limit, which Slurm rounds up to minutes; 0 for as much as there is.

    Raises
    ------
    ValueError
        Where it is none.
    """
    if text.upper() in UNLIMITED:
        return 0.0
    forms = (
        (r"(\d+)", (MINUTE,)),
        (r"(\d+):(\d+)", (MINUTE, 1)),
        (r"(\d+):(\d+):(\d+)", (HOUR, MINUTE, 1)),
        (r"(\d+)-(\d+)", (DAY, HOUR)),
        (r"(\d+)-(\d+):(\d+)", (DAY, HOUR, MINUTE)),
        (r"(\d+)-(\d+):(\d+):(\d+)", (DAY, HOUR, MINUTE, 1)),
    )
    for form, units in forms:
        match = re.fullmatch(form, text)
        if match:
            seconds = sum(int(one) * unit for one, unit in zip(match.groups(), units, strict=True))
            return float(math.ceil(seconds / MINUTE) * MINUTE)
    raise ValueError(text)


def read_moment(text: str, now: float, where: tzinfo | None) -> float:
    """Seconds since the epoch of ``now+1hour``, ``16:00``, ``tomorrow``, ``2027-01-20T12:34`` and their like.

    Raises
    ------
    Wrong
        In the words of Slurm.
    """
    lower = text.strip().lower()
    if lower.startswith("now"):
        return now + _offset(text, lower[3:])
    if lower.startswith("uts"):
        if not lower[3:].isdecimal() or int(lower[3:]) < _EARLIEST:
            _invalid(text, 0)
        return float(lower[3:])
    return _read_calendar(text, lower, datetime.fromtimestamp(now, where)).timestamp()


def _read_calendar(text: str, lower: str, today: datetime) -> datetime:
    midnight = today.replace(hour=0, minute=0, second=0, microsecond=0)
    if lower == "today":
        return today
    if lower.startswith(("today", "tomorrow")):
        word, _, clock = lower.partition(" ")
        day = midnight + timedelta(days=word == "tomorrow")
        return _at(day, clock, text) if clock else day
    if lower in _HOURS or re.fullmatch(_CLOCK, lower):
        moment = _at(midnight, lower, text)
        return moment if moment > today else moment + timedelta(days=1)
    date, separator, clock = lower.partition("t") if "t" in lower else lower.partition(" ")
    day = _date(date, midnight, text)
    return _at(day, clock, text, len(date) + 1) if separator else day


def write_moment(seconds: float | None, call: Call, otherwise: str) -> str:
    """A time as `SLURM_TIME_FORMAT` says, or another word where there is none."""
    if seconds is None:
        return otherwise
    form = call.variables.get("SLURM_TIME_FORMAT", "")
    if form == "%s":
        return str(int(seconds))
    moment = datetime.fromtimestamp(int(seconds), zone(call))
    return moment.strftime(form if "%" in form else "%Y-%m-%dT%H:%M:%S")


def write_span(seconds: float, is_short: bool = False) -> str:
    """``1-02:03:04``; short ones are ``2:03:04`` or ``3:04``, as `squeue` writes them."""
    whole = int(seconds)
    days, hours, minutes = whole // DAY, whole % DAY // HOUR, whole % HOUR // MINUTE
    if days:
        return f"{days}-{hours:02d}:{minutes:02d}:{whole % MINUTE:02d}"
    if not is_short:
        return f"{hours:02d}:{minutes:02d}:{whole % MINUTE:02d}"
    return f"{hours}:{minutes:02d}:{whole % MINUTE:02d}" if hours else f"{minutes}:{whole % MINUTE:02d}"


def write_limit(seconds: float, otherwise: str = "UNLIMITED", is_short: bool = True) -> str:
    """A time limit, or another word where there is none."""
    return write_span(seconds, is_short) if seconds and math.isfinite(seconds) else otherwise


def _offset(text: str, rest: str) -> float:
    if not rest:
        return 0.0
    match = re.fullmatch(r"([+-])(\d+)([a-z]*)", rest)
    unit = match[3].removesuffix("s") if match else ""
    if match is None or (unit and unit not in _UNITS):
        _invalid(text, 4)
    return float(match[1] + match[2]) * _UNITS.get(unit, 1)


def _at(day: datetime, clock: str, text: str, place: int = 0) -> datetime:
    if clock in _HOURS:
        return day + timedelta(hours=_HOURS[clock])
    match = re.fullmatch(_CLOCK, clock)
    if match is None:
        _invalid(text, place)
    hour, half = int(match["hour"]), match["half"]
    if half:
        hour = hour % 12 + 12 * (half == "pm")
    if hour > 23 or int(match["minute"]) > 59:
        _invalid(text, place)
    return day + timedelta(hours=hour, minutes=int(match["minute"]), seconds=int(match["second"] or 0))


def _date(date: str, today: datetime, text: str) -> datetime:
    match = next((found for form in _DATES if (found := re.fullmatch(form, date))), None)
    if match is None or not (1 <= int(match["month"]) <= 12 and 1 <= int(match["day"]) <= 31):
        _invalid(text, 1 if text[:1].isdecimal() else 0)
    year = int(match["year"] or today.year)
    year += 2000 if year < 100 else 0
    # The 30th of February is the second of March, as the C library has it.
    day = today.replace(year=year, month=int(match["month"]), day=1) + timedelta(days=int(match["day"]) - 1)
    is_past = match["year"] is None and day < today
    return day.replace(year=year + 1) if is_past else day


def _invalid(text: str, place: int) -> NoReturn:
    raise Wrong(f"Invalid time specification (pos={place}): {text}")
