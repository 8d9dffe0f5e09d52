"""When one array job may start. The 14th of May 2031 is a Wednesday."""

from __future__ import annotations

from datetime import date, datetime, timedelta, timezone
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from sciflow.model.policy import SchedulingPolicy
from sciflow.model.resources import Resources
from sciflow.planning.calendar import preferred_windows
from sciflow.planning.start import Start, start_of

BERLIN = ZoneInfo("Europe/Berlin")
HOUR = 3600


def made(policy: str, **said: Any) -> SchedulingPolicy:
    """Make a policy, in Berlin if nothing else is said."""
    return SchedulingPolicy.model_validate({"policy": policy, "timezone": "Europe/Berlin", **said})


def night(**said: Any) -> SchedulingPolicy:
    """Make a policy that prefers the night."""
    return made("off_peak", preferred_hours="22:00-08:00", **said)


def at(text: str) -> datetime:
    """Return a moment by Berlin's clock."""
    return datetime.fromisoformat(text).replace(tzinfo=BERLIN).astimezone(timezone.utc)


def start(policy: SchedulingPolicy, now: str, hours: float = 0, **more: Any) -> Start:
    """Return the start of work that takes so long."""
    return start_of(policy, at(now), int(hours * HOUR), more.pop("resources", Resources()), **more)


WEEKENDS, SOON = night(weekend_preferred=True), night(weekend_preferred=True, max_wait_hours=30)
CASES: dict[str, tuple[SchedulingPolicy, str, float, str | None, str]] = {
    "it ends in the window that is open": (night(), "2031-05-14T23:00", 8, None, "window"),
    "it would end after that": (night(), "2031-05-14T23:00", 10, "2031-05-15T22:00", "window"),
    "the next holds it": (night(), "2031-05-14T12:00", 10, "2031-05-14T22:00", "window"),
    "only a weekend holds it": (WEEKENDS, "2031-05-14T12:00", 11, "2031-05-16T22:00", "window"),
    "a night and a weekend are one": (WEEKENDS, "2031-05-14T12:00", 58, "2031-05-16T22:00", "window"),
    "too long for any": (night(), "2031-05-14T12:00", 11, "2031-05-14T22:00", "too long"),
    "too long, within one": (night(), "2031-05-14T23:00", 11, "2031-05-15T22:00", "too long"),
    "too long, within one, no patience": (night(max_wait_hours=5), "2031-05-14T23:00", 11, None, "too long"),
    "too long, by day, no patience": (night(max_wait_hours=5), "2031-05-14T12:00", 11, "2031-05-14T17:00", "wait"),
    "the one that holds it comes too late": (SOON, "2031-05-14T12:00", 11, "2031-05-14T22:00", "too long"),
    "patience that ends as it opens": (night(max_wait_hours=10), "2031-05-14T12:00", 0, "2031-05-14T22:00", "window"),
    "no patience": (night(max_wait_hours=5), "2031-05-14T12:00", 1, "2031-05-14T17:00", "wait"),
    "no patience, at the end of a night": (night(max_wait_hours=5), "2031-05-14T07:30", 1, None, "too long"),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_work_ends_in_the_window_in_which_it_starts_where_there_is_one(case: str) -> None:
    """Else it starts as a window opens; and at the end of the longest wait where that comes first."""
    policy, now, hours, expected, reason = CASES[case]
    found = start(policy, now, hours)
    assert (found.begin and found.begin.astimezone(timezone.utc)) == (at(expected) if expected else None)
    assert found.reason == reason


def test_what_is_not_as_wished_is_said() -> None:
    """What is too long, and that the longest wait decides; nothing where a window is found."""
    assert start(night(), "2031-05-14T12:00", 2).why == ""
    assert start(night(), "2031-05-14T12:00", 11).why == (
        "11 h are too long for any window of off-peak (22:00-08:00): it starts as one opens"
    )
    assert start(night(max_wait_hours=5), "2031-05-14T12:00", 1).why == (
        "it starts when the longest wait of 5 h is over, before preferred hours come"
    )


def test_a_deadline_leaves_no_time_to_wait() -> None:
    """It starts at once instead of at the last moment, where no window opens before that."""
    found = start(night(), "2031-05-14T12:00", 1, latest=at("2031-05-14T21:00"))
    assert (found.begin, found.reason) == (None, "deadline")
    assert start(night(), "2031-05-14T12:00", 1, latest=at("2031-05-14T22:00")).reason == "window"


def test_a_policy_holds_for_what_it_is_meant_for() -> None:
    """All else starts at once, also where all indices together are what counts."""
    large, many = night(applies_to={"cpu_cores": ">= 4"}), night(applies_to={"core_hours": "> 10"})
    assert start(large, "2031-05-14T12:00", 2) == Start(None, reason="not meant")
    assert start(large, "2031-05-14T12:00", 2, resources=Resources(cpu_cores=4)).reason == "window"
    hour = Resources(runtime_seconds=HOUR)
    assert start(many, "2031-05-14T12:00", 1, resources=hour, elements=10).begin is None
    assert start(many, "2031-05-14T12:00", 1, resources=hour, elements=11).begin is not None
    later = made("not_before", not_before="2031-05-15 06:00", applies_to={"gpus": ">= 1"})
    assert start(later, "2031-05-14T12:00").begin is None


# --- summer time, by hand: the date on which a night of ten hours is one of nine, or of eleven
SHORT_NIGHTS = [
    ("Europe/Berlin", "2026-03-29"),
    ("Europe/Berlin", "2027-03-28"),
    ("America/New_York", "2026-03-08"),
    ("America/New_York", "2027-03-14"),
]
LONG_NIGHTS = [
    ("Europe/Berlin", "2026-10-25"),
    ("Europe/Berlin", "2027-10-31"),
    ("America/New_York", "2026-11-01"),
    ("America/New_York", "2027-11-07"),
]


def begins(zone: str, morning: str, hours: str, length: float) -> str:
    """Return on which clock's time work starts that is planned at noon before that morning."""
    policy = made("off_peak", timezone=zone, preferred_hours=hours)
    noon = datetime.fromisoformat(morning).replace(tzinfo=ZoneInfo(zone)) - timedelta(hours=12)
    begin = start_of(policy, noon, int(length * HOUR), Resources()).begin
    assert begin is not None
    return begin.isoformat(timespec="minutes")


def after(day: str, days: int) -> str:
    """Return the date some days later."""
    return f"{date.fromisoformat(day) + timedelta(days=days)}"


@pytest.mark.parametrize(("zone", "morning"), SHORT_NIGHTS)
def test_a_night_in_which_clocks_go_forward_holds_less(zone: str, morning: str) -> None:
    """Nine hours of ten; a day has 23 hours, and a time that there is not is an hour later on the clock."""
    assert begins(zone, morning, "22:00-08:00", 9).startswith(f"{after(morning, -1)}T22:00")
    assert begins(zone, morning, "22:00-08:00", 9.5).startswith(f"{morning}T22:00")
    assert begins(zone, morning, "02:30-05:00", 1).startswith(f"{morning}T03:30")
    day = off_peak_day(zone, morning)
    assert day[1] - day[0] == timedelta(hours=23)


@pytest.mark.parametrize(("zone", "morning"), LONG_NIGHTS)
def test_a_night_in_which_clocks_go_back_holds_more(zone: str, morning: str) -> None:
    """Eleven hours of ten; a day has 25 hours, and of a time that comes twice the first counts."""
    assert begins(zone, morning, "22:00-08:00", 11).startswith(f"{after(morning, -1)}T22:00")
    offset = datetime.fromisoformat(f"{morning}T00:00").replace(tzinfo=ZoneInfo(zone)).isoformat()[-6:]
    first = "01:30" if zone == "America/New_York" else "02:30"
    assert begins(zone, morning, f"{first}-05:00", 1) == f"{morning}T{first}{offset}"
    day = off_peak_day(zone, morning)
    assert day[1] - day[0] == timedelta(hours=25)


def off_peak_day(zone: str, day: str) -> tuple[datetime, datetime]:
    """Return from when to when a holiday lasts."""
    policy = made("off_peak", timezone=zone, preferred_hours="12:00-12:01", holidays=[day])
    noon = datetime.fromisoformat(f"{day}T12:00").replace(tzinfo=ZoneInfo(zone))
    return preferred_windows(policy, noon, noon)[0]


# --- holidays, blackouts and what wins
NOON = "2031-05-14T12:00"
EVENING, LUNCH = ["2031-05-14 20:00 to 2031-05-15 01:00"], ["2031-05-14 13:00 to 2031-05-14 14:00"]
TEA, DAY = ["2031-05-14 16:00 to 2031-05-14 18:00"], ["2031-05-14 11:00 to 2031-05-14 18:00"]
LATER = made("not_before", not_before="2031-05-15", blackouts="2031-05-15")
BLACKOUTS: dict[str, tuple[SchedulingPolicy, float, str | None, str]] = {
    "a holiday is all of its day": (night(holidays=["2031-05-15"]), 30, "2031-05-14T22:00", "window"),
    "several days": (night(holidays=["2031-05-15 to 2031-05-16"]), 50, "2031-05-14T22:00", "window"),
    "a blackout at night": (night(blackouts=EVENING), 7, "2031-05-15T01:00", "window"),
    "too little is left": (night(blackouts=EVENING), 8, "2031-05-15T22:00", "window"),
    "a day": (night(blackouts="2031-05-15"), 3, "2031-05-16T00:00", "window"),
    "now": (made("immediate", blackouts="2031-05-14"), 1, "2031-05-15T00:00", "blackout"),
    "soon": (made("immediate", blackouts=LUNCH), 2, "2031-05-14T14:00", "blackout"),
    "soon, but it is over by then": (made("immediate", blackouts=LUNCH), 1, None, "now"),
    "not before": (LATER, 1, "2031-05-16T00:00", "blackout"),
    "the wait ends in one": (night(max_wait_hours=5, blackouts=TEA), 1, "2031-05-14T15:00", "blackout"),
    "the wait is one": (night(max_wait_hours=5, blackouts=DAY), 1, "2031-05-14T18:00", "blackout"),
    "a deadline": (night(deadline="2031-05-14 20:00", blackouts=DAY), 1, "2031-05-14T18:00", "blackout"),
    "for ever": (night(blackouts=["2031-05-14 to 2032-06-01"]), 1, None, "never"),
}


@pytest.mark.parametrize("case", BLACKOUTS)
def test_nothing_starts_in_a_blackout_or_runs_into_one(case: str) -> None:
    """Where the longest wait ends in one it starts before it; and after it, where there is no time before."""
    policy, hours, expected, reason = BLACKOUTS[case]
    found = start(policy, NOON, hours)
    assert found.reason == reason
    if reason != "never":
        assert (found.begin and found.begin.astimezone(timezone.utc)) == (at(expected) if expected else None)


def test_it_is_said_which_wins() -> None:
    """The longest wait, or the blackout in which it ends."""
    waited, until = "the longest wait of 5 h ends in a blackout", "it starts after that, at 2031-05-14 18:00+02:00"
    assert start(night(max_wait_hours=5, blackouts=TEA), NOON, 1).why == f"{waited}: it starts before that"
    assert start(night(max_wait_hours=5, blackouts=DAY), NOON, 1).why == f"{waited}, and blackouts are kept: {until}"
    assert start(made("immediate", blackouts=DAY), NOON).why == f"there is a blackout: {until}"


def test_blackouts_hold_for_what_the_policy_is_not_meant_for() -> None:
    """They are not about who should wait."""
    policy = night(applies_to={"gpus": ">= 1"}, blackouts="2031-05-14")
    assert start(policy, NOON, 1).begin == at("2031-05-15T00:00")


# --- the cheapest start
TARIFF = [0.3] * 6 + [0.5] * 4 + [0.1] * 4 + [0.5] * 4 + [0.2] * 6  # from midnight, 6, 10, 14 and 18 o'clock on


@pytest.mark.parametrize(
    ("now", "hours", "wait", "expected"),
    [
        ("2031-05-14T07:00", 1, 24, "2031-05-14T10:00"),
        ("2031-05-14T07:00", 0, 24, "2031-05-14T10:00"),
        ("2031-05-14T07:00", 5, 24, "2031-05-14T09:00"),  # an hour of 0.5 at either end: the earliest
        ("2031-05-14T07:00", 7, 8, None),
        ("2031-05-14T15:00", 2, 12, "2031-05-14T18:00"),
        ("2031-05-14T15:00", 2, 2, "2031-05-14T17:00"),
        ("2031-05-14T11:00", 1, 24, None),
    ],
)
def test_work_starts_when_it_costs_least(now: str, hours: float, wait: float, expected: str | None) -> None:
    """Over all of the time that it runs, within the longest wait, and as early as that."""
    found = start(made("cheapest", tariff=TARIFF, max_wait_hours=wait), now, hours)
    assert (found.begin and found.begin.astimezone(timezone.utc)) == (at(expected) if expected else None)
    assert found.reason == "cheapest"


def test_it_is_said_what_that_saves() -> None:
    """Against starting now; without a share where prices are negative, and where nothing is saved."""
    prices = made("cheapest", tariff=TARIFF, max_wait_hours=24)
    assert start(prices, "2031-05-14T07:00", 2).why == (
        "it starts when an hour costs least, 0.1 on average; at once it would be 0.5 (80% less)"
    )
    assert start(prices, "2031-05-14T11:00", 1).why == "to start at once costs least, 0.1 an hour on average"
    negative = made("cheapest", tariff=[-price for price in TARIFF], max_wait_hours=24)
    assert start(negative, "2031-05-14T11:00", 1).why.endswith("-0.5 on average; at once it would be -0.1")


def test_a_tariff_without_prices_for_that_time_is_said() -> None:
    """It starts at once, and what plans it can refuse that."""
    rows = [("2031-05-14T10:00", 1.0), ("2031-05-14T11:00", 2.0)]
    found = start(made("cheapest", tariff=rows, max_wait_hours=24), NOON, 1)
    assert (found.begin, found.reason) == (None, "no price")


# --- what waits for something else


def test_the_cheapest_start_is_after_what_it_waits_for() -> None:
    """The wait counts from now all the same, and what waits for nothing else than that begins at once."""
    prices = made("cheapest", tariff=TARIFF, max_wait_hours=12)
    assert start(prices, "2031-05-14T07:00", 1, ready=at("2031-05-14T13:30")).begin == at("2031-05-14T18:00")
    assert start(prices, "2031-05-14T07:00", 1, ready=at("2031-05-14T11:00")).begin is None
    assert start(prices, "2031-05-14T07:00", 1, ready=at("2031-05-14T23:00")).begin is None


def test_what_comes_later_runs_into_a_blackout_later() -> None:
    """It is kept for what starts after something else, too."""
    careful = made("immediate", blackouts=LUNCH)
    assert start(careful, "2031-05-14T10:00", 2).begin is None
    assert start(careful, "2031-05-14T10:00", 2, ready=at("2031-05-14T11:30")).begin == at("2031-05-14T14:00")
    assert start(careful, "2031-05-14T10:00", 2, ready=at("2031-05-14T15:00")).begin is None
