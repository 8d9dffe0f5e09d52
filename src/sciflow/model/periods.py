"""Days and periods as people write them: ``2026-12-24``, or ``2026-12-24 to 2027-01-02``."""

from __future__ import annotations

import re
from datetime import date, datetime, time, timedelta, timezone, tzinfo
from typing import Annotated, Any, NamedTuple, TypeVar
from zoneinfo import ZoneInfo

from pydantic import AfterValidator

_DATE = re.compile(r"\d{4}-\d\d-\d\d")
_TIME = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d)?(Z|[+-]\d\d:?\d\d)?")
V = TypeVar("V", bound=date)
_TO = re.compile(r"\s+to\s+")


def _is_a_zone(value: str | None) -> str | None:
    if value is not None:
        try:
            ZoneInfo(value)
        except (KeyError, ValueError, OSError):
            raise ValueError(f"`{value}` is no time zone; write it like `Europe/Berlin`") from None
    return value


Zone = Annotated[str | None, AfterValidator(_is_a_zone)]


class Period(NamedTuple):
    """From a day or moment to another; of days the last is part of it, of moments it is not."""

    first: date | datetime
    last: date | datetime

    def span(self, zone: tzinfo | None) -> tuple[datetime, datetime]:
        """From which moment on and until which, in UTC, by the wall clock of a zone; None for that of this machine."""
        start = self.first if isinstance(self.first, datetime) else datetime.combine(self.first, time())
        end = self.last
        if not isinstance(end, datetime):
            end = datetime.combine(end + timedelta(days=1), time())
        return aware(start, zone), aware(end, zone)

    def days(self) -> list[date]:
        """The days of a period that has no times."""
        return [date.fromordinal(day) for day in range(self.first.toordinal(), self.last.toordinal() + 1)]


def aware(moment: datetime, zone: tzinfo | None) -> datetime:
    """A moment in UTC, where a clock shows no time twice; one without a zone is of the zone given."""
    if moment.tzinfo is not None:
        return moment.astimezone(timezone.utc)
    return datetime.fromtimestamp(moment.replace(tzinfo=zone).timestamp(), timezone.utc)


def check_year(moment: V) -> V:
    """Refuse a year in which nothing runs: clocks of other zones would leave the calendar.

    Raises
    ------
    ValueError
        With the way to write a date.
    """
    if not 1970 <= moment.year <= 9000:
        raise ValueError(f"the year of `{moment}` is not between 1970 and 9000; write it like `2031-05-17`")
    return moment


def read_period(text: str) -> Period:
    """Read a day, or a period from a day or moment to another.

    Raises
    ------
    ValueError
        For anything else.
    """
    parts = _TO.split(text.strip())
    first, last = _read(parts[0], text), _read(parts[-1], text)
    if len(parts) > 2 or (len(parts) == 1 and isinstance(first, datetime)):
        raise ValueError(f"`{text}` has no end; write it like `2031-05-17 08:00 to 2031-05-17 18:00`")
    period = Period(first, last)
    # Without a zone both moments are of the same one, so that any serves for telling which is the first.
    start, end = period.span(timezone.utc)
    if start >= end:
        raise ValueError(f"`{text}` ends before it begins")
    return period


def read_days(text: str) -> Period:
    """Read a day, or a period of whole days.

    Raises
    ------
    ValueError
        For anything else.
    """
    period = read_period(text)
    if any(isinstance(one, datetime) for one in period):
        raise ValueError(f"`{text}` has a time; a holiday is a whole day, like `2031-05-17`")
    return period


def as_texts(value: Any) -> Any:
    """Days and periods in the way they are written, where they were given as dates or pairs of dates."""
    if isinstance(value, date):
        return (_text(value),)
    if isinstance(value, str):
        return (value,) if _DATE.match(value.strip()) else value
    if isinstance(value, list | tuple):
        return tuple(_text(one) for one in value)
    return value


def _text(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat(sep=" ")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, list | tuple) and len(value) == 2:
        return f"{_text(value[0])} to {_text(value[1])}"
    return value


def _read(part: str, text: str) -> date | datetime:
    kind = date if _DATE.fullmatch(part) else datetime if _TIME.fullmatch(part) else None
    if kind is not None:
        try:
            # Python 3.10 reads neither `Z` nor an offset without a colon.
            ending = re.sub(r"([+-]\d\d)(\d\d)$", r"\1:\2", part.replace("Z", "+00:00"))
            return check_year(kind.fromisoformat(part if kind is date else ending))
        except ValueError as error:
            raise ValueError(f"`{text}` is no date: {error}") from None
    raise ValueError(f"`{text}` is no date; write it like `2031-05-17`, or `2031-05-17 to 2031-05-20`")
