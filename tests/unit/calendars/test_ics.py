"""Holidays and blackouts from ICS files."""

from __future__ import annotations

from datetime import date

import pytest

from sciflow.calendars.ics import is_ics, read_ics
from sciflow.errors import WorkflowError

TODAY = date(2026, 11, 30)
HEAD = "BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:-//test//EN\n"


def calendar(*events: str) -> str:
    """Make the text of a calendar."""
    lines = (
        f"BEGIN:VEVENT\nUID:{n}@test\nDTSTAMP:20260101T000000Z\n{one}\nEND:VEVENT\n" for n, one in enumerate(events)
    )
    return f"{HEAD}{''.join(lines)}END:VCALENDAR\n".replace("\n", "\r\n")


CHRISTMAS = "SUMMARY:Christmas\nDTSTART;VALUE=DATE:20201225\nDTEND;VALUE=DATE:20201227\nRRULE:FREQ=YEARLY"
SERVICE = "SUMMARY:Service\nDTSTART;TZID=Europe/Berlin:20261020T080000\nDTEND;TZID=Europe/Berlin:20261020T180000"


def test_what_comes_again_comes_out_for_three_years() -> None:
    """From the present year on; the end of an event of whole days is not part of it."""
    assert read_ics(calendar(CHRISTMAS), "h.ics", True, TODAY) == (
        "2026-12-25 to 2026-12-26",
        "2027-12-25 to 2027-12-26",
        "2028-12-25 to 2028-12-26",
    )


def test_times_have_the_offset_of_their_zone_on_that_day() -> None:
    """Also where clocks change in between; what is written without a zone has none."""
    weekly = calendar(f"{SERVICE}\nRRULE:FREQ=WEEKLY;COUNT=2\nEXDATE;TZID=Europe/Berlin:20261103T080000")
    assert read_ics(weekly, "m.ics", False, TODAY) == (
        "2026-10-20 08:00+02:00 to 2026-10-20 18:00+02:00",
        "2026-10-27 08:00+01:00 to 2026-10-27 18:00+01:00",
    )
    floating = calendar("DTSTART:20261201T080000\nDTEND:20261201T090000")
    assert read_ics(floating, "m.ics", False, TODAY) == ("2026-12-01 08:00 to 2026-12-01 09:00",)
    universal = calendar("DTSTART:20261201T080000Z\nDURATION:PT90M")
    assert read_ics(universal, "m.ics", False, TODAY) == ("2026-12-01 08:00+00:00 to 2026-12-01 09:30+00:00",)


def test_what_was_called_off_or_stands_twice_is_left_out() -> None:
    """A day without an end is that day."""
    day = "DTSTART;VALUE=DATE:20261224"
    assert read_ics(calendar(day, day, f"{CHRISTMAS}\nSTATUS:CANCELLED"), "h.ics", True, TODAY) == ("2026-12-24",)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("hello\n", "h.ics cannot be read as a calendar"),
        ("", "h.ics is empty"),
        ("BEGIN:VEVENT\nDTSTART;VALUE=DATE:20261224\nEND:VEVENT\n", "h.ics is no calendar"),
        (f"{HEAD}BEGIN:VEVENT\n", "h.ics is no calendar"),
        (calendar(), "h.ics holds no events from 2026-01-01 to 2028-12-31"),
        (calendar("DTSTART;VALUE=DATE:20201224"), "h.ics holds no events"),
        (calendar(SERVICE), "h.ics: `Service` on 2026-10-20 begins at 08:00, but a holiday is a whole day"),
        (calendar("SUMMARY:x"), "h.ics"),
    ],
)
def test_what_is_no_calendar_of_holidays_is_refused(text: str, message: str) -> None:
    """With the event, where it is one."""
    with pytest.raises(WorkflowError, match=message):
        read_ics(text, "h.ics", True, TODAY)


def test_an_event_that_takes_no_time_is_no_blackout() -> None:
    """Somebody has forgotten its end."""
    with pytest.raises(WorkflowError, match="`an event` on 2026-12-01 has no end"):
        read_ics(calendar("DTSTART:20261201T080000Z"), "m.ics", False, TODAY)


def test_a_calendar_is_known_by_its_name_or_its_first_line() -> None:
    """So that plain text needs no name of its own."""
    assert is_ics("", "a.ICS")
    assert is_ics("\n begin:vcalendar", "a.txt")
    assert not is_ics("2026-12-25", "a.txt")
