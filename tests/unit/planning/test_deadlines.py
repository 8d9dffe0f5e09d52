"""What deadlines leave of the time. The 14th of May 2031 is a Wednesday."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

from sciflow.errors import PlanError
from sciflow.model.plan import ArrayJob, Dependency
from sciflow.model.policy import Policies, SchedulingPolicy
from sciflow.model.resources import Resources
from sciflow.planning.deadlines import latest_starts

HOUR = 3600
NOON = datetime(2031, 5, 14, 12, tzinfo=timezone.utc)


def job(task: str, hours: float, *after: str, links: int = 1) -> ArrayJob:
    """Make an array job of so many hours, after others."""
    before = tuple(Dependency(f"{one}.0", "element") for one in after)
    return ArrayJob(f"{task}.0", task, 4, Resources(runtime_seconds=int(hours * HOUR)), before, links=links)


def by(end: str, policy: str = "deadline", **said: Any) -> SchedulingPolicy:
    """Make a policy with a deadline in UTC."""
    return SchedulingPolicy.model_validate({"policy": policy, "deadline": end, "timezone": "UTC", **said})


DIAMOND = [job("a", 1), job("b", 2, "a"), job("c", 5, "a"), job("d", 1, "b", "c")]


def test_what_depends_on_it_decides_when_a_task_has_to_start() -> None:
    """Along the longest way to the end."""
    found = latest_starts(DIAMOND, Policies(by("2031-05-15 12:00")), NOON)
    assert {name: f"{moment:%H:%M}" for name, moment in found.items()} == {
        "a.0": "05:00",
        "b.0": "09:00",
        "c.0": "06:00",
        "d.0": "11:00",
    }


def test_a_task_may_have_a_deadline_of_its_own() -> None:
    """It binds what comes before it, and nothing else."""
    found = latest_starts(DIAMOND, Policies(tasks={"b": by("2031-05-14 20:00")}), NOON)
    assert {name: f"{moment:%H:%M}" for name, moment in found.items()} == {"a.0": "17:00", "b.0": "18:00"}
    assert latest_starts(DIAMOND, Policies(), NOON) == {}


def test_the_way_that_takes_too_long_is_named() -> None:
    """With what it needs, and when it could be done."""
    with pytest.raises(PlanError) as caught:
        latest_starts(DIAMOND, Policies(by("2031-05-14 18:00")), NOON)
    assert caught.value.message == (
        "`a` → `c` → `d` ask for 7 h one after another, but the deadline 2031-05-14 18:00+00:00 is in 6 h: "
        "the earliest possible end is 2031-05-14 19:00+00:00"
    )
    assert "set a deadline after that" in caught.value.hint
    with pytest.raises(PlanError, match=r"the earliest possible end is 2031-05-14 19:01\+00:00") as caught:
        latest_starts(DIAMOND, Policies(by("2031-05-14 18:00")), NOON + timedelta(seconds=1))
    latest_starts(DIAMOND, Policies(by("2031-05-14 19:01")), NOON + timedelta(seconds=1))  # what is said can be met


def test_the_deadline_that_is_missed_most_is_named() -> None:
    """Of those that tasks have."""
    policies = Policies(tasks={"b": by("2031-05-14 14:30"), "c": by("2031-05-14 14:00")})
    with pytest.raises(PlanError, match=r"^`a` → `c` ask for 6 h .* deadline 2031-05-14 14:00"):
        latest_starts(DIAMOND, policies, NOON)


def test_all_links_of_a_chain_count() -> None:
    """What comes after it waits for the last one."""
    chain = [job("a", 12, links=4), job("b", 2, "a")]
    with pytest.raises(PlanError, match="ask for 2 d 2 h one after another"):
        latest_starts(chain, Policies(by("2031-05-16 13:00")), NOON)
    assert latest_starts(chain[:1], Policies(by("2031-05-16 13:00")), NOON)


@pytest.mark.parametrize(
    "said",
    [
        {"policy": "not_before", "not_before": "2031-05-14 20:00"},
        {"policy": "deadline", "blackouts": ["2031-05-14 10:00 to 2031-05-14 20:00"]},
    ],
)
def test_what_may_not_start_yet_needs_longer(said: dict[str, Any]) -> None:
    """A date and a blackout are kept, and so the end is later than the walltimes alone say."""
    one = [job("a", 1)]
    assert latest_starts(one, Policies(by("2031-05-14 21:00", **said)), NOON)
    with pytest.raises(PlanError, match=r"asks for 1 h, and may not start at once, .* end is 2031-05-14 21:00"):
        latest_starts(one, Policies(by("2031-05-14 20:59", **said)), NOON)


def test_preferred_hours_are_given_up_for_a_deadline() -> None:
    """They make no deadline impossible; nor does a date that is meant for others."""
    assert latest_starts(DIAMOND, Policies(by("2031-05-14 19:00", "off_peak", preferred_hours="22:00-23:00")), NOON)
    later = by("2031-05-14 19:00", "not_before", not_before="2031-05-15", applies_to={"gpus": ">= 1"})
    assert latest_starts(DIAMOND, Policies(later), NOON)
