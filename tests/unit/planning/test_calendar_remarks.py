"""What is said of calendars and tariffs."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any

import pytest

from sciflow.errors import PlanError
from sciflow.model.plan import ArrayJob, Dependency
from sciflow.model.policy import Policies, SchedulingPolicy
from sciflow.model.profile import ClusterProfile
from sciflow.model.resources import Resources
from sciflow.planning.timetable import Timetable, timetable

NOON = datetime(2031, 5, 14, 12, tzinfo=timezone.utc)
SITE = ClusterProfile(name="site", scheduler="slurm")
TABLE = [[f"2031-05-14T{hour:02d}:00", float(hour)] for hour in range(10, 20)]


def times(policy: str, hours: float = 1, **said: Any) -> Timetable:
    """Return the timetable of one array job in UTC."""
    made = SchedulingPolicy.model_validate({"policy": policy, "timezone": "UTC", **said})
    job = ArrayJob("a.0", "a", 1, Resources(runtime_seconds=int(hours * 3600)))
    return timetable([job], Policies(made), SITE, NOON)


def test_a_list_of_holidays_that_is_old_is_named() -> None:
    """Nobody has brought it up to date; today is no day that is over."""
    nights: dict[str, Any] = {"preferred_hours": "22:00-08:00"}
    assert times("off_peak", **nights, holidays=["2030-12-25", "2031-05-10 to 2031-05-13"]).warnings == (
        "the last of the holidays was on 2031-05-13: the list is old",
    )
    assert times("off_peak", **nights, holidays=["2031-05-14"]).warnings == ()
    assert times("off_peak", **nights, holidays=[]).warnings == ()


def test_a_date_that_has_long_passed_is_named() -> None:
    """As a year that was mistyped; who goes on with a run some days later is told nothing."""
    [warning] = times("not_before", not_before="2025-03-30 22:00", timezone="Europe/Berlin").warnings
    assert warning == "`not_before: 2025-03-30 22:00+02:00` has passed: what it holds for is not held back"
    assert times("not_before", not_before="2031-05-10 22:00").warnings == ()


@pytest.mark.parametrize("said", [{"max_wait_hours": 8}, {"deadline": "2031-05-14 21:00"}])
def test_a_tariff_that_ends_early_is_a_warning(said: dict[str, Any]) -> None:
    """What starts later is not looked at."""
    assert times("cheapest", tariff=TABLE, **said).warnings == (
        "the tariff ends on 2031-05-14 20:00+00:00: what would run longer than that is not looked at",
    )
    assert times("cheapest", tariff=TABLE, max_wait_hours=7).warnings == ()
    assert times("cheapest", tariff=[1.0] * 24, **said).warnings == ()


@pytest.mark.parametrize("rows", [TABLE[:2], [[time.replace("05-14", "06-14"), price] for time, price in TABLE]])
def test_a_tariff_that_says_nothing_of_that_time_is_refused(rows: list[Any]) -> None:
    """With the times of which it does."""
    with pytest.raises(PlanError, match=r"cannot start when it is cheapest: the tariff has prices from .* to 2031-0"):
        times("cheapest", tariff=rows, max_wait_hours=8)


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ({"policy": "off_peak", "preferred_hours": "22:00-08:00"}, "no time of 1 h within a year of off-peak"),
        ({"policy": "immediate"}, "no time of 1 h within a year"),
    ],
)
def test_blackouts_that_leave_no_hour_of_a_year_are_refused(said: dict[str, Any], why: str) -> None:
    """Nobody wants to wait for that."""
    with pytest.raises(PlanError, match=f"task `a` can never start: blackouts leave {why}"):
        times(**said, blackouts=["2031-05-01 to 2032-06-01"])


def test_what_was_decided_otherwise_is_noted_by_task() -> None:
    """Tasks with the same reason in one note."""
    policy = SchedulingPolicy(policy="off_peak", preferred_hours="22:00-08:00", max_wait_hours=2, timezone="UTC")
    jobs = [ArrayJob(f"{task}.0", task, 1, Resources(runtime_seconds=3600)) for task in ("a", "b")]
    found = timetable(jobs, Policies(policy), SITE, NOON)
    assert found.notes == ("`a`, `b`: it starts when the longest wait of 2 h is over, before preferred hours come",)


def test_what_depends_on_others_is_cheapest_after_these() -> None:
    """And runs into no blackout then; the first starts when it costs least by itself."""
    rates = [9.0] * 24
    rates[14:16], rates[13] = [1.0, 1.0], 2.0
    said = {"policy": "cheapest", "tariff": rates, "max_wait_hours": 24, "timezone": "UTC"}
    hour = Resources(runtime_seconds=3600)
    jobs = [ArrayJob("a.0", "a", 1, hour), ArrayJob("b.0", "b", 1, hour, (Dependency("a.0", "whole"),))]
    found = timetable(jobs, Policies(SchedulingPolicy.model_validate(said)), SITE, NOON)
    assert [array.begin and array.begin.hour for array in found.arrays] == [14, None]
    said["blackouts"] = ["2031-05-14 15:30 to 2031-05-14 16:00"]
    found = timetable(jobs, Policies(SchedulingPolicy.model_validate(said)), SITE, NOON)
    assert [array.begin and f"{array.begin:%d %H}" for array in found.arrays] == ["14 14", "14 16"]
