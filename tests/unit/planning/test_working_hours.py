"""Day is on weekdays, by the site's own clock; all else is night."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sciflow.model.manners import Manners
from sciflow.planning.working_hours import is_day, next_change

BERLIN = "Europe/Berlin"
OFFICE = Manners(running_by_day=1)


def at(text: str) -> float:
    """Return a moment by the clock of Berlin."""
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(BERLIN)).timestamp()


@pytest.mark.parametrize(
    ("moment", "day", "until"),
    [
        ("2031-05-14 07:59", False, "2031-05-14 08:00"),  # a Wednesday
        ("2031-05-14 08:00", True, "2031-05-14 18:00"),
        ("2031-05-14 17:59:59", True, "2031-05-14 18:00"),
        ("2031-05-14 18:00", False, "2031-05-15 08:00"),
        ("2031-05-16 18:00", False, "2031-05-19 08:00"),  # over the weekend
        ("2031-05-17 12:00", False, "2031-05-19 08:00"),
        ("2031-03-28 18:00", False, "2031-03-31 08:00"),  # the clocks go forward in between
        ("2031-10-24 18:00", False, "2031-10-27 08:00"),  # … and back
    ],
)
def test_day_and_night_follow_the_clock(moment: str, day: bool, until: str) -> None:
    """Also over a weekend on which the clocks are changed."""
    assert is_day(OFFICE, BERLIN, at(moment)) is day
    assert next_change(OFFICE, BERLIN, at(moment)) == at(until)


def test_what_touches_is_one_day() -> None:
    """Nothing changes at noon, and none of the nights of a week that is all day."""
    halves = Manners(running_by_day=1, day=["08:00-12:00", "12:00-18:00"])
    assert next_change(halves, BERLIN, at("2031-05-14 09:00")) == at("2031-05-14 18:00")
    always = Manners(running_by_day=1, day="00:00-24:00")
    assert next_change(always, BERLIN, at("2031-05-12 09:00")) == at("2031-05-17 00:00")
    assert next_change(always, BERLIN, at("2031-05-17 09:00")) == at("2031-05-19 00:00")


def test_a_day_across_midnight_is_that_on_which_it_begins() -> None:
    """That of Friday ends on Saturday; none begins on Sunday."""
    late = Manners(running_by_day=1, day="20:00-04:00")
    assert is_day(late, BERLIN, at("2031-05-17 03:00"))
    assert not is_day(late, BERLIN, at("2031-05-18 22:00"))
    assert not is_day(late, BERLIN, at("2031-05-19 03:00"))


def test_hours_that_the_clock_skips_are_no_day() -> None:
    """Where the clocks go forward on a weekday, as they have done in Cairo, on a Friday."""
    night = Manners(running_by_day=1, day="00:10-00:50")
    friday = datetime(2025, 4, 25, 0, 30, tzinfo=ZoneInfo("Africa/Cairo")).timestamp()
    for minutes in range(-60, 90, 5):
        moment = friday + 60 * minutes
        shown = datetime.fromtimestamp(moment, ZoneInfo("Africa/Cairo"))
        if is_day(night, "Africa/Cairo", moment):
            assert shown.hour in (0, 1)
    assert next_change(night, "Africa/Cairo", friday + 7200) > friday + 7200


@given(
    st.datetimes(datetime(2025, 1, 1), datetime(2035, 1, 1)),
    st.sampled_from([BERLIN, "America/New_York", "Australia/Lord_Howe", "Africa/Cairo", "UTC"]),
    st.sampled_from(["08:00-18:00", "00:00-24:00", "22:00-06:00", "02:15-02:45", ["07:00-12:00", "13:00-19:30"]]),
)
def test_nothing_changes_before_the_next_change(moment: datetime, zone: str, day: str | list[str]) -> None:
    """And there it does."""
    manners = Manners(running_by_day=1, day=day)
    now = moment.replace(tzinfo=ZoneInfo("UTC")).timestamp()
    then = next_change(manners, zone, now)
    assert now < then <= now + timedelta(days=9).total_seconds()
    present = is_day(manners, zone, now)
    assert is_day(manners, zone, then) is not present
    assert is_day(manners, zone, then - 1) is present
    assert is_day(manners, zone, (now + then) / 2) is present
