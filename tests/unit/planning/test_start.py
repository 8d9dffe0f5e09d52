"""When one array job may start. The 14th of May 2031 is a Wednesday."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from sciflow.model.policy import SchedulingPolicy
from sciflow.model.resources import Resources
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
