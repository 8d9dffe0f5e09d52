"""Holidays and blackouts from ICS files, as calendar programs export them; what comes again comes out as often."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

from sciflow.errors import WorkflowError

YEARS = 3  # how far ahead events that come again are read


def is_ics(text: str, name: str) -> bool:
    """Whether a file is, or should be, an ICS file."""
    return name.lower().endswith((".ics", ".ical")) or text.lstrip().upper().startswith("BEGIN:VCALENDAR")


def read_ics(text: str, name: str, whole_days: bool, today: date) -> tuple[str, ...]:
    """Read the days or periods of the events from the beginning of this year to three years later.

    Parameters
    ----------
    text, name
        The text, and the file's name for messages.
    whole_days
        Whether events with times are refused.
    today
        The present day.

    Raises
    ------
    WorkflowError
        For a file that is no calendar, and one without events in that time.
    """
    since, until = date(today.year, 1, 1), date(today.year + YEARS, 1, 1)
    found: dict[str, None] = {}
    for event in sorted(_events(text, name, since, until), key=lambda one: str(one["DTSTART"].dt)):
        if str(event.get("STATUS", "")).upper() != "CANCELLED":
            found[_period(event, name, whole_days)] = None
    if not found:
        raise WorkflowError(
            f"{name} holds no events from {since} to {until - timedelta(days=1)}",
            hint="export it anew, or leave it out",
        )
    return tuple(found)


def _events(text: str, name: str, since: date, until: date) -> list[Any]:
    import icalendar
    import recurring_ical_events

    if not text.strip():
        raise WorkflowError(f"{name} is empty", hint="a calendar begins with `BEGIN:VCALENDAR`")
    try:
        calendars = icalendar.Calendar.from_ical(text, multiple=True)
        found = [one for each in calendars for one in recurring_ical_events.of(each).between(since, until)]
    # The libraries raise whatever a wrong line leads to: ValueError, KeyError, IndexError, TypeError, and own ones.
    except Exception as error:
        raise WorkflowError(
            f"{name} cannot be read as a calendar: {error}", hint="a calendar begins with `BEGIN:VCALENDAR`"
        ) from error
    if not calendars or any(one.name != "VCALENDAR" for one in calendars):
        raise WorkflowError(f"{name} is no calendar", hint="a calendar begins with `BEGIN:VCALENDAR`")
    return found


def _period(event: Any, name: str, whole_days: bool) -> str:
    """An event as it would be written in a list; times have the offset of their zone, if they have one."""
    start = event["DTSTART"].dt
    end = event["DTEND"].dt if "DTEND" in event else start
    title = str(event.get("SUMMARY", "an event"))
    if isinstance(start, datetime):
        if whole_days:
            raise WorkflowError(
                f"{name}: `{title}` on {start:%Y-%m-%d} begins at {start:%H:%M}, but a holiday is a whole day",
                hint="make it an event of the whole day, or leave it out",
            )
        if end <= start:
            raise WorkflowError(
                f"{name}: `{title}` on {start:%Y-%m-%d} has no end", hint="give it one, or leave it out"
            )
        return f"{_text(start)} to {_text(end)}"
    last = max(start, end - timedelta(days=1))  # the end of an event is not part of it
    return f"{start}" if last == start else f"{start} to {last}"


def _text(moment: datetime) -> str:
    return moment.replace(second=0, microsecond=0).isoformat(sep=" ", timespec="minutes")
