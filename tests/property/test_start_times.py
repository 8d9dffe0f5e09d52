"""Start times over random windows, zones and dates, against a clock that is read every quarter of an hour."""

from __future__ import annotations

import os
from datetime import datetime, timedelta, timezone
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from hypothesis import given, settings
from hypothesis import strategies as st

from sciflow.model.policy import SchedulingPolicy
from sciflow.model.resources import Resources
from sciflow.planning.start import Start, start_of

UTC = timezone.utc
QUARTER = timedelta(minutes=15)
LOOKED_AT = 40 * 24 * 4  # quarters
MANY = 20 if os.environ.get("SCIFLOW_MANY") else 1
# Half an hour of summer time, three quarters of an hour of offset, a day that was skipped, and clocks that change.
ZONES = {
    "Australia/Lord_Howe": ("2026-03-28", "2026-09-26"),
    "Asia/Kathmandu": ("2026-05-01",),
    "Pacific/Apia": ("2011-12-21",),
    "Europe/Berlin": ("2026-10-18", "2027-03-21"),
    "America/New_York": ("2026-10-25", "2027-03-07"),
}


class Case(NamedTuple):
    """A policy, the present moment, and how many quarters of an hour the work takes."""

    policy: SchedulingPolicy
    now: datetime
    quarters: int

    @property
    def length(self) -> timedelta:
        """How long the work takes."""
        return self.quarters * QUARTER

    @property
    def start(self) -> Start:
        """What is planned."""
        return start_of(self.policy, self.now, int(self.length.total_seconds()), Resources())

    @property
    def begin(self) -> datetime:
        """When it starts, in UTC."""
        return (self.start.begin or self.now).astimezone(UTC)

    @property
    def wait(self) -> int:
        """The longest wait in quarters of an hour."""
        hours = self.policy.max_wait_hours
        return LOOKED_AT if hours is None else round(hours * 4)


CLOCKS = st.builds("{:02d}:{:02d}".format, st.integers(0, 23), st.sampled_from([0, 15, 30, 45]))
WINDOWS = st.tuples(CLOCKS, st.one_of(CLOCKS, st.just("24:00"))).filter(lambda pair: pair[0] != pair[1]).map("-".join)

SHORT = st.sampled_from(["02:00-02:30", "12:00-13:00", "02:30-03:15", "00:00-00:15"])


@st.composite
def cases(draw: st.DrawFn, policy: str = "off_peak") -> Case:
    """Make a case somewhere near a change of clocks."""
    zone = draw(st.sampled_from(sorted(ZONES)))
    first = datetime.fromisoformat(draw(st.sampled_from(ZONES[zone]))).replace(tzinfo=UTC)
    now = first + draw(st.integers(0, 14 * 96)) * QUARTER
    said: dict[str, Any] = {"policy": policy, "timezone": zone}
    quarters = st.integers(0, 24 * 4)
    blackouts = []
    for _ in range(draw(st.integers(0, 3))):
        start = now + draw(st.integers(-96, 4 * 96)) * QUARTER
        end = start + draw(st.integers(1, 60)) * QUARTER
        blackouts.append(f"{start.isoformat(sep=' ')} to {end.isoformat(sep=' ')}")
    said["blackouts"] = blackouts
    said["max_wait_hours"] = draw(
        st.one_of(st.none(), st.integers(1, 80)) if policy == "off_peak" else st.integers(1, 60)
    )
    if policy == "off_peak":
        said["preferred_hours"] = draw(
            st.one_of(st.lists(SHORT, min_size=1), st.lists(WINDOWS, min_size=1, max_size=3))
        )
        said["weekend_preferred"] = draw(st.booleans())
        days = draw(st.lists(st.integers(-2, 9), max_size=2))
        said["holidays"] = [f"{(now + timedelta(days=n)).astimezone(ZoneInfo(zone)).date()}" for n in days]
    else:
        count = draw(st.sampled_from([24, 168]))
        said["tariff"] = draw(st.lists(st.integers(-3, 9).map(float), min_size=count, max_size=count))
    return Case(SchedulingPolicy.model_validate(said), now, draw(quarters))


def changes_nearby(moment: datetime, zone: ZoneInfo) -> bool:
    """Whether the clock changes within a few hours, when windows are not those that it shows."""
    around = [(moment + timedelta(hours=n)).astimezone(zone).utcoffset() for n in (-3, 0, 3)]
    return len(set(around)) > 1


def is_preferred(policy: SchedulingPolicy, moment: datetime) -> bool:
    """Whether a wall clock and a calendar on the wall say so."""
    clock = moment.astimezone(ZoneInfo(policy.timezone or ""))
    shown = f"{clock:%H:%M}"
    if (policy.weekend_preferred and clock.weekday() >= 5) or str(clock.date()) in (policy.holidays or ()):
        return True
    for window in policy.preferred_hours or ():
        first, last = window.split("-")
        if first <= shown < last or (last < first and (shown >= first or shown < last)):
            return True
    return False


def blackouts(policy: SchedulingPolicy) -> list[tuple[datetime, datetime]]:
    """Return when nothing may start."""
    pairs = (text.split(" to ") for text in policy.blackouts or ())
    return [(datetime.fromisoformat(start), datetime.fromisoformat(end)) for start, end in pairs]


def is_free(case: Case, moment: datetime) -> bool:
    """Whether work that starts then meets no blackout."""
    end = moment + max(case.length, timedelta(seconds=1))
    return all(end <= start or last <= moment for start, last in blackouts(case.policy))


def quarters_from(case: Case, count: int) -> list[datetime]:
    """Return the moments at which it might start."""
    return [case.now + n * QUARTER for n in range(count + 1)]


@settings(deadline=None, max_examples=60 * MANY)
@given(st.one_of(cases(), cases("cheapest")))
def test_nothing_starts_in_a_blackout_or_runs_into_one(case: Case) -> None:
    """Nor before now."""
    assert case.begin >= case.now
    assert is_free(case, case.begin)


@settings(deadline=None, max_examples=60 * MANY)
@given(st.one_of(cases(), cases("cheapest")))
def test_nothing_starts_after_the_longest_wait(case: Case) -> None:
    """But where blackouts leave no moment before its end; then it starts at the first that there is after it."""
    free = [moment for moment in quarters_from(case, LOOKED_AT) if is_free(case, moment)]
    end = case.now + case.wait * QUARTER
    if any(moment <= end for moment in free):
        assert case.begin <= end
    else:
        assert case.begin == free[0]


@settings(deadline=None, max_examples=60 * MANY)
@given(cases())
def test_nothing_starts_outside_a_window_unless_the_longest_wait_says_so(case: Case) -> None:
    """Where a window that holds all of it opens in time it ends in one, too."""
    zone = ZoneInfo(case.policy.timezone or "")
    reason = case.start.reason
    if reason in ("window", "too long"):
        steps = range(max(case.quarters, 1) if reason == "window" else 1)
        for moment in (case.begin + n * QUARTER for n in steps):
            assert is_preferred(case.policy, moment) or changes_nearby(moment, zone)
    else:
        assert reason in ("wait", "blackout")
        assert case.policy.max_wait_hours is not None


@settings(deadline=None, max_examples=50 * MANY)
@given(cases())
def test_it_starts_at_the_first_quarter_after_which_it_ends_in_a_window(case: Case) -> None:
    """Where there is one within the longest wait; of what is too long there is none."""
    zone = ZoneInfo(case.policy.timezone or "")
    wait = min(case.wait, 31 * 96)
    moments = quarters_from(case, wait + case.quarters + 1)
    if any(changes_nearby(moment, zone) for moment in moments[:: 2 * 4]):
        return
    run, longest = 0, [0] * len(moments)
    for n in range(len(moments) - 1, -1, -1):
        run = run + 1 if is_preferred(case.policy, moments[n]) else 0
        longest[n] = run
    fits = [n for n in range(wait + 1) if longest[n] >= max(case.quarters, 1) and is_free(case, moments[n])]
    if fits:
        assert case.begin == moments[fits[0]]
        assert case.start.reason == "window"
    else:
        assert case.start.reason != "window"


@settings(deadline=None, max_examples=50 * MANY)
@given(cases("cheapest"))
def test_no_other_quarter_is_cheaper_and_no_earlier_one_as_cheap(case: Case) -> None:
    """By the prices that hold on the wall clock while it runs."""
    prices, zone = case.policy.tariff, ZoneInfo(case.policy.timezone or "")
    assert isinstance(prices, tuple)

    def price(moment: datetime) -> Any:
        clock = moment.astimezone(zone)
        return prices[clock.hour + (24 * clock.weekday() if len(prices) == 168 else 0)]

    moments = quarters_from(case, case.wait)
    at = [price(moment) for moment in quarters_from(case, case.wait + case.quarters + 1)]
    costs = {n: sum(at[n : n + max(case.quarters, 1)]) for n, moment in enumerate(moments) if is_free(case, moment)}
    if costs:
        assert case.begin == moments[min(costs, key=lambda n: (costs[n], n))]


@settings(deadline=None, max_examples=50 * MANY)
@given(st.one_of(cases(), cases("cheapest")), st.integers(0, 200))
def test_nothing_starts_too_late_for_a_deadline_that_can_be_met(case: Case, quarters: int) -> None:
    """Whatever the preferred hours, prices and the longest wait say."""
    latest = case.now + quarters * QUARTER
    begin = start_of(case.policy, case.now, int(case.length.total_seconds()), Resources(), latest=latest).begin
    if any(is_free(case, moment) for moment in quarters_from(case, quarters)):
        assert (begin or case.now) <= latest
    assert is_free(case, (begin or case.now).astimezone(UTC))
