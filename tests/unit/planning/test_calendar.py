"""When array jobs may begin."""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from sciflow.model.policy import SchedulingPolicy
from sciflow.planning.calendar import deadline, preferred_windows
from sciflow.planning.start import begin_time

BERLIN = ZoneInfo("Europe/Berlin")
UTC = timezone.utc


def off_peak(hours: str | list[str] | None = None, zone: str = "Europe/Berlin", **said: Any) -> SchedulingPolicy:
    """Make an off-peak policy, in Berlin if nothing else is said."""
    return SchedulingPolicy.model_validate({"policy": "off_peak", "preferred_hours": hours, "timezone": zone, **said})


def at(text: str, zone: ZoneInfo = BERLIN, fold: int = 0) -> datetime:
    """Return a moment by a wall clock; `fold` is 1 for the second of two times that look the same."""
    return datetime.fromisoformat(text).replace(tzinfo=zone, fold=fold).astimezone(UTC)


def begins(policy: SchedulingPolicy, now: datetime) -> datetime | None:
    """Return when work begins in UTC: Python holds no time that comes twice for equal to one of another zone."""
    begin = begin_time(policy, now)
    return begin and begin.astimezone(UTC)


@pytest.fixture
def tokyo(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let this machine be in Tokyo."""
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


# --- policies without windows


def test_immediate_and_deadline_begin_at_once() -> None:
    """Nothing is put off."""
    now = at("2031-05-14T12:00")
    assert begin_time(SchedulingPolicy(), now) is None
    assert begin_time(SchedulingPolicy(policy="deadline", deadline=at("2031-06-01T00:00")), now) is None


@pytest.mark.parametrize(
    ("said", "zone", "expected"),
    [
        ("2031-05-15T06:00", "Europe/Berlin", datetime(2031, 5, 15, 4, tzinfo=UTC)),
        ("2031-05-15T06:00", "UTC", datetime(2031, 5, 15, 6, tzinfo=UTC)),
        ("2031-05-15T06:00+09:00", "Europe/Berlin", datetime(2031, 5, 14, 21, tzinfo=UTC)),
        ("2031-05-14T11:00", "Europe/Berlin", None),
        ("2031-05-14T12:00", "Europe/Berlin", None),
    ],
)
def test_not_before_is_a_moment(said: str, zone: str, expected: datetime | None) -> None:
    """A time without a zone is one of the policy's zone; what has passed is no reason to wait."""
    policy = SchedulingPolicy.model_validate({"policy": "not_before", "not_before": said, "timezone": zone})
    begin = begin_time(policy, at("2031-05-14T12:00"))
    assert begin == expected
    assert begin is None or begin.tzinfo is not None


def test_without_a_zone_this_machine_counts(tokyo: None) -> None:
    """For moments, for windows and for the deadline."""
    now = datetime(2031, 5, 14, 0, tzinfo=UTC)  # nine in the morning there
    policy = SchedulingPolicy.model_validate({"policy": "not_before", "not_before": "2031-05-14T22:00"})
    assert begin_time(policy, now) == datetime(2031, 5, 14, 13, tzinfo=UTC)
    policy = SchedulingPolicy(policy="off_peak", preferred_hours="22:00-08:00")
    begin = begin_time(policy, now)
    assert begin == datetime(2031, 5, 14, 13, tzinfo=UTC)
    assert begin is not None
    assert begin.isoformat() == "2031-05-14T22:00:00+09:00"
    policy = SchedulingPolicy.model_validate({"policy": "deadline", "deadline": "2031-05-20T09:00"})
    assert deadline(policy) == datetime(2031, 5, 20, 0, tzinfo=UTC)


def test_a_deadline_is_a_moment_with_its_zone() -> None:
    """Its own zone, or the policy's; none where none is named."""
    assert deadline(SchedulingPolicy()) is None
    said = {"policy": "deadline", "timezone": "Europe/Berlin"}
    policy = SchedulingPolicy.model_validate({**said, "deadline": "2031-01-20T09:00"})
    assert deadline(policy) == datetime(2031, 1, 20, 8, tzinfo=UTC)
    policy = SchedulingPolicy.model_validate({**said, "deadline": "2031-01-20T09:00Z"})
    assert deadline(policy) == datetime(2031, 1, 20, 9, tzinfo=UTC)


# --- windows: policy, now, and when it begins by the same clock; None for at once. The 14th of May 2031 is a Wednesday.
NIGHT, NOON = "22:00-08:00", "12:00-13:30"
WINDOWS: dict[str, tuple[SchedulingPolicy, str, str | None]] = {
    "before the window": (off_peak(NIGHT), "2031-05-14T12:00", "2031-05-14T22:00"),
    "as it opens": (off_peak(NIGHT), "2031-05-14T22:00", None),
    "in it": (off_peak(NIGHT), "2031-05-14T23:30", None),
    "in it, after midnight": (off_peak(NIGHT), "2031-05-14T03:00", None),
    "a minute before it ends": (off_peak(NIGHT), "2031-05-14T07:59", None),
    "as it ends": (off_peak(NIGHT), "2031-05-14T08:00", "2031-05-14T22:00"),
    "of one day, before": (off_peak(NOON), "2031-05-14T11:59", "2031-05-14T12:00"),
    "of one day, in it": (off_peak(NOON), "2031-05-14T13:29", None),
    "of one day, after": (off_peak(NOON), "2031-05-14T13:30", "2031-05-15T12:00"),
    "until 24:00, in it": (off_peak("20:00-24:00"), "2031-05-14T23:59", None),
    "until 24:00, after": (off_peak("20:00-24:00"), "2031-05-15T00:00", "2031-05-15T20:00"),
    "until 0:00": (off_peak("20:00-0:00"), "2031-05-14T23:59", None),
    "all day": (off_peak("0:00-24:00"), "2031-05-14T12:34", None),
    "written loosely": (off_peak(" 9:00 - 10:00 "), "2031-05-14T08:00", "2031-05-14T09:00"),
    "the next of several": (off_peak([NIGHT, NOON]), "2031-05-14T08:30", "2031-05-14T12:00"),
    "in the second of several": (off_peak([NIGHT, NOON]), "2031-05-14T12:30", None),
    "after the last of the day": (off_peak([NOON, "14:00-15:00"]), "2031-05-14T15:00", "2031-05-15T12:00"),
    "the weekend": (off_peak(weekend_preferred=True), "2031-05-14T12:00", "2031-05-17T00:00"),
    "on Saturday": (off_peak(weekend_preferred=True), "2031-05-17T00:00", None),
    "late on Sunday": (off_peak(weekend_preferred=True), "2031-05-18T23:59", None),
    "on Monday": (off_peak(weekend_preferred=True), "2031-05-19T00:00", "2031-05-24T00:00"),
    "a night before the weekend": (off_peak(NIGHT, weekend_preferred=True), "2031-05-16T12:00", "2031-05-16T22:00"),
    "a weekend before that": (off_peak("3:00-4:00", weekend_preferred=True), "2031-05-16T12:00", "2031-05-17T00:00"),
    "noon of a weekend": (off_peak(NIGHT, weekend_preferred=True), "2031-05-17T12:00", None),
    "no patience": (off_peak(NIGHT, max_wait_hours=0.5), "2031-05-14T12:00", "2031-05-14T12:30"),
    "patience enough": (off_peak(NIGHT, max_wait_hours=10.5), "2031-05-14T12:00", "2031-05-14T22:00"),
    "patience that ends just then": (off_peak(NIGHT, max_wait_hours=10), "2031-05-14T12:00", "2031-05-14T22:00"),
    "no patience in the window": (off_peak(NIGHT, max_wait_hours=0.5), "2031-05-14T23:00", None),
    "over the end of a year": (off_peak("1:00-2:00"), "2031-12-31T12:00", "2032-01-01T01:00"),
    "over a leap day": (off_peak("1:00-2:00"), "2032-02-28T12:00", "2032-02-29T01:00"),
}  # fmt: skip


@pytest.mark.parametrize("case", WINDOWS)
def test_work_begins_in_the_next_window_or_when_it_has_waited_long_enough(case: str) -> None:
    """Whichever comes first; at once within a window, which holds its first minute and not its last."""
    policy, now, expected = WINDOWS[case]
    assert begins(policy, at(now)) == (at(expected) if expected else None)


def test_the_zone_of_the_policy_counts_and_not_that_of_the_moment() -> None:
    """Two in the afternoon of Tokyo is seven in the morning of Berlin."""
    now = datetime(2031, 5, 14, 14, tzinfo=ZoneInfo("Asia/Tokyo"))
    assert begin_time(off_peak(NIGHT), now) is None
    begin = begin_time(off_peak("9:00-10:00"), now)
    assert begin is not None
    assert begin.isoformat() == "2031-05-14T09:00:00+02:00"


def test_the_end_of_the_wait_is_a_whole_second() -> None:
    """Schedulers know no smaller ones."""
    now = datetime(2031, 5, 14, 12, 0, 0, 999_999, tzinfo=BERLIN)
    assert begin_time(off_peak(NIGHT, max_wait_hours=1), now) == at("2031-05-14T13:00:00")


# --- summer time: on the 30th of March 2031 two o'clock is three, on the 26th of October three is two again


@pytest.mark.parametrize(
    ("hours", "now", "expected"),
    [
        # what the clock skips is an hour later on it
        ("2:30-4:00", at("2031-03-30T01:00"), datetime(2031, 3, 30, 1, 30, tzinfo=UTC)),
        ("2:30-4:00", at("2031-03-30T03:45"), None),
        # seven hours of clock, but six of time
        (NIGHT, at("2031-03-29T12:00"), datetime(2031, 3, 29, 21, tzinfo=UTC)),
        (NIGHT, at("2031-03-30T07:59"), None),
        (NIGHT, at("2031-03-30T08:00"), datetime(2031, 3, 30, 20, tzinfo=UTC)),
        # the first of two half past two
        ("2:30-4:00", at("2031-10-26T01:00"), datetime(2031, 10, 26, 0, 30, tzinfo=UTC)),
        ("2:30-4:00", at("2031-10-26T02:15", fold=1), None),
        ("2:30-4:00", at("2031-10-26T02:45", fold=1), None),
        (NIGHT, at("2031-10-25T12:00"), datetime(2031, 10, 25, 20, tzinfo=UTC)),
        (NIGHT, at("2031-10-26T08:00"), datetime(2031, 10, 26, 21, tzinfo=UTC)),
    ],
)
def test_summer_time_comes_and_goes(hours: str, now: datetime, expected: datetime | None) -> None:
    """Windows are those of the wall clock, on both of the odd nights."""
    assert begins(off_peak(hours), now) == expected


def test_a_wait_is_counted_in_hours_that_pass() -> None:
    """Over the night on which summer time ends, six hours of waiting are six hours, though the clock shows five."""
    begin = begins(off_peak("12:00-13:00", max_wait_hours=6), at("2031-10-25T23:00"))
    assert begin == datetime(2031, 10, 26, 3, tzinfo=UTC)


def test_a_present_moment_in_the_zone_of_the_policy_is_the_same_moment() -> None:
    """Whatever the zone in which `now` is given, work begins at the same time, on the odd nights, too."""
    policy = off_peak("12:00-13:00", max_wait_hours=6)
    now = at("2031-10-25T23:00")
    assert begins(policy, now.astimezone(BERLIN)) == begins(policy, now)


def test_the_second_of_two_equal_times_is_told_from_the_first() -> None:
    """At a quarter past two for the second time, the window that opened at half past two is open."""
    now = at("2031-10-26T02:15", fold=1)
    assert begins(off_peak("2:30-4:00"), now) is None
    assert begins(off_peak("2:30-4:00"), now.astimezone(BERLIN)) is None


# --- against a reference that looks at every minute

ZONES = ("UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata")
CLOCKS = st.builds("{:02d}:{:02d}".format, st.integers(0, 23), st.sampled_from([0, 15, 30, 59]))
RANGES = st.tuples(CLOCKS, st.one_of(CLOCKS, st.just("24:00"))).filter(lambda pair: pair[0] != pair[1]).map("-".join)

WAITS = st.one_of(st.none(), st.integers(1, 40))


def in_a_window(policy: SchedulingPolicy, moment: datetime) -> bool:
    """Whether a wall clock shows a time within a window."""
    hours = policy.preferred_hours or []
    shown = f"{moment:%H:%M}"
    for window in [hours] if isinstance(hours, str) else hours:
        first, last = window.split("-")
        if first <= shown < last or (last < first and (shown >= first or shown < last)):
            return True
    return policy.weekend_preferred and moment.weekday() >= 5


def first_minute(policy: SchedulingPolicy, now: datetime, zone: ZoneInfo) -> datetime:
    """Return the first minute that is in a window, or that of the longest wait."""
    minute = now
    while not in_a_window(policy, minute.astimezone(zone)) and minute < now + timedelta(
        hours=policy.max_wait_hours or 1e4
    ):
        minute += timedelta(minutes=1)
    return minute


@settings(deadline=None, max_examples=150)
@given(
    hours=st.lists(RANGES, min_size=1, max_size=3),
    weekend=st.booleans(),
    wait=WAITS,
    minutes=st.integers(0, 400 * 24 * 60),
    zone=st.sampled_from(ZONES),
)
def test_it_is_the_first_minute_of_which_a_wall_clock_says_so(
    hours: list[str], weekend: bool, wait: int | None, minutes: int, zone: str
) -> None:
    """For any windows, zone and moment of a year that has no change of clocks in the days after it."""
    now = datetime(2031, 1, 1, tzinfo=UTC) + timedelta(minutes=minutes)
    here = ZoneInfo(zone)
    days = [(now + timedelta(days=n)).astimezone(here).utcoffset() for n in range(-2, 10)]
    assume(len(set(days)) == 1)
    policy = off_peak(hours, zone, weekend_preferred=weekend, max_wait_hours=wait)
    assert (begins(policy, now) or now) == first_minute(policy, now, here)


@settings(deadline=None, max_examples=150)
@given(
    hours=st.lists(RANGES, min_size=1, max_size=2), wait=WAITS, minutes=st.integers(-4320, 2880), autumn=st.booleans()
)
def test_around_a_change_of_clocks_as_well(hours: list[str], wait: int | None, minutes: int, autumn: bool) -> None:
    """For windows that neither start nor end in the hour that is skipped, or comes twice."""
    assume(not any(clock.startswith("02") for window in hours for clock in window.split("-")))
    change = datetime(2031, 10, 26, 1, tzinfo=UTC) if autumn else datetime(2031, 3, 30, 1, tzinfo=UTC)
    now = change + timedelta(minutes=minutes)
    policy = off_peak(hours, max_wait_hours=wait)
    assert (begins(policy, now) or now) == first_minute(policy, now, BERLIN)


# --- windows over a longer time


def test_preferred_windows_follow_each_other() -> None:
    """From the one that is open already to the last that begins before the end."""
    found = preferred_windows(off_peak("22:00-08:00"), at("2031-05-14T03:00"), at("2031-05-15T12:00"))
    assert found[:2] == (
        (at("2031-05-13T22:00"), at("2031-05-14T08:00")),
        (at("2031-05-14T22:00"), at("2031-05-15T08:00")),
    )
    assert all(start >= at("2031-05-15T12:00") for start, _ in found[2:])


def test_windows_that_overlap_are_counted_once() -> None:
    """A night within a weekend is part of the weekend."""
    policy = off_peak(["20:00-23:00", "22:00-01:00"], weekend_preferred=True)
    found = preferred_windows(policy, at("2031-05-16T00:00"), at("2031-05-20T00:00"))  # a Friday
    assert all(one[1] <= other[0] for one, other in itertools.pairwise(found))
    weekend = [one for one in found if at("2031-05-16T20:00") <= one[0] <= at("2031-05-19T00:00")]
    hours = sum((end - start).total_seconds() for start, end in weekend) / 3600
    assert hours == 4 + 48 + 1  # from Friday at eight until Monday at one


@settings(max_examples=50)
@given(st.integers(0, 24 * 60 * 30), st.integers(0, 24 * 60 * 30))
def test_a_moment_is_in_a_window_exactly_where_work_begins_at_once(start: int, later: int) -> None:
    """What the windows say and when work begins is the same, through a change of the clocks as well."""
    policy = off_peak(["22:00-02:30", "12:00-13:00"], weekend_preferred=True)
    since = at("2031-03-14T00:00") + timedelta(minutes=start)
    moment = since + timedelta(minutes=later)
    windows = preferred_windows(policy, since, moment + timedelta(minutes=1))  # one may open just then
    assert any(first <= moment < last for first, last in windows) is (begin_time(policy, moment) is None)
