"""When work may start."""

from __future__ import annotations

from datetime import date, datetime, timezone
from typing import Any

import pytest

from sciflow.errors import WorkflowError
from sciflow.model.policy import SchedulingPolicy
from sciflow.model.validation import validated


def policy(**said: Any) -> SchedulingPolicy:
    """Make a policy as a workflow does."""
    return validated(SchedulingPolicy, said, "scheduling policy")


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ({}, "immediate"),
        (
            {"policy": "off_peak", "preferred_hours": "22:00-08:00", "weekend_preferred": True, "max_wait_hours": 48},
            "off-peak (22:00-08:00 and weekends, waiting 48 h at most)",
        ),
        (
            {"policy": "off_peak", "preferred_hours": ["12:00-13:00", "20:00-24:00"]},
            "off-peak (12:00-13:00 and 20:00-24:00)",
        ),
        ({"policy": "off_peak", "weekend_preferred": True, "timezone": "Europe/Berlin"}, "off-peak (weekends)"),
        ({"policy": "not_before", "not_before": "2031-05-17"}, "not before 2031-05-17 00:00:00"),
        ({"policy": "deadline", "deadline": "2031-05-17T22:00:00+02:00"}, "deadline 2031-05-17 22:00:00+02:00"),
        (
            {"policy": "off_peak", "weekend_preferred": True, "holidays": "h.txt", "deadline": "2031-05-17 22:00"},
            "off-peak (weekends and holidays, done by 2031-05-17 22:00)",
        ),
        ({"policy": "cheapest", "tariff": "p.csv", "max_wait_hours": 5}, "cheapest (waiting 5 h at most)"),
        (
            {"policy": "not_before", "not_before": "2031-05-16", "deadline": "2031-05-17"},
            "not before 2031-05-16 00:00:00 (done by 2031-05-17 00:00)",
        ),
        ({"blackouts": ["2031-05-17"]}, "immediate"),
    ],
)
def test_a_policy_is_said_in_one_line(said: Any, expected: str) -> None:
    """Windows, weekends, the longest wait and times are in the line."""
    assert policy(**said).describe() == expected


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        (
            {"policy": "of_peak"},
            "`policy` is 'of_peak'; it takes 'immediate', 'off_peak', 'not_before', 'deadline' or 'cheapest'",
        ),
        ({"policy": "of_peak"}, "hint: did you mean `off_peak`?"),
        ({"policy": "off_peak"}, "`off_peak` needs `preferred_hours` or `weekend_preferred`"),
        (
            {"policy": "off_peak", "preferred_hours": "22-8"},
            "`22-8` is no window of the day; write it like `22:00-08:00`",
        ),
        ({"policy": "off_peak", "preferred_hours": "20:00-24:01"}, "`20:00-24:01` is no window"),
        ({"policy": "off_peak", "preferred_hours": ["8:00-08:00"]}, "starts and ends at the same minute"),
        ({"policy": "off_peak", "preferred_hours": 22}, "`preferred_hours` is 22; it takes a text or a list"),
        (
            {"policy": "off_peak", "weekend_preferred": True, "max_wait_hours": 0},
            "`max_wait_hours` is 0; it should be greater than 0",
        ),
        ({"policy": "not_before"}, "the policy `not_before` needs `not_before`, a date and time"),
        ({"policy": "deadline", "deadline": "soon"}, "`deadline` is 'soon'; it takes a date and time"),
        ({"policy": "deadline", "deadline": "soon"}, "hint: write it like `2031-05-17 22:00`"),
        ({"preferred_hours": "22:00-08:00"}, "`preferred_hours` has no meaning for the policy `immediate`"),
        ({"timezone": "Berlin"}, "`Berlin` is no time zone; write it like `Europe/Berlin`"),
        ({"timezone": "../../etc/passwd"}, "is no time zone"),
        ({"prefered_hours": "22:00-08:00"}, "did you mean `preferred_hours`?"),
        ({"deadline": "2031-05-17"}, "`deadline` has no meaning for the policy `immediate`"),
        (
            {"policy": "not_before", "not_before": "2031-05-17", "max_wait_hours": 3},
            "`max_wait_hours` has no meaning for the policy `not_before`",
        ),
        ({"policy": "cheapest", "max_wait_hours": 3}, "`cheapest` needs a `tariff`"),
        ({"policy": "cheapest", "tariff": "p.csv"}, "`cheapest` needs `max_wait_hours` or a `deadline`"),
        ({"policy": "cheapest", "tariff": [1.0] * 23, "max_wait_hours": 3}, "here are 23"),
        ({"policy": "cheapest", "tariff": [], "max_wait_hours": 3}, "the tariff is empty"),
        ({"policy": "cheapest", "tariff": [["2031-05-17T00:00", 1]], "max_wait_hours": 3}, "has two rows at least"),
        (
            {"policy": "cheapest", "tariff": [["soon", 1], ["later", 2]], "max_wait_hours": 3},
            "`soon` is no date and time",
        ),
        ({"blackouts": "2031-05-17 08:00"}, "`2031-05-17 08:00` has no end"),
        ({"blackouts": ["2031-05-17 to 2031-05-16"]}, "ends before it begins"),
        ({"blackouts": [17]}, "`blackouts.0` is 17; it takes a text"),
        (
            {"policy": "off_peak", "weekend_preferred": True, "holidays": ["2031-05-17 08:00 to 2031-05-17 09:00"]},
            "a holiday is a whole day",
        ),
        ({"policy": "deadline", "deadline": "0031-05-17"}, "is not between 1970 and 9000"),
        ({"policy": "off_peak", "weekend_preferred": True, "applies_to": {"cpu_cores": "4"}}, "`4` is no condition"),
    ],
)
def test_what_is_no_policy(said: Any, reason: str) -> None:
    """What the policy would ignore or misses is an error that names it."""
    with pytest.raises(WorkflowError) as caught:
        policy(**said)
    assert caught.value.message.startswith("scheduling policy: ")
    assert reason in str(caught.value)


def test_days_may_be_dates_or_pairs_of_them() -> None:
    """As programs in Python have them; a policy that was written down and read back is the same."""
    days = [date(2031, 5, 17), (date(2031, 5, 18), date(2031, 5, 20))]
    times = (datetime(2031, 5, 17, 8), datetime(2031, 5, 17, 9, tzinfo=timezone.utc))
    made = policy(policy="off_peak", weekend_preferred=True, holidays=days, blackouts=[times])
    assert made.holidays == ("2031-05-17", "2031-05-18 to 2031-05-20")
    assert made.blackouts == ("2031-05-17 08:00:00 to 2031-05-17 09:00:00+00:00",)
    assert policy(**made.model_dump(exclude_none=True, mode="json")) == made
    assert policy(blackouts=date(2031, 5, 17)).blackouts == ("2031-05-17",)


def test_a_text_is_a_day_or_the_name_of_a_file() -> None:
    """A file is still to be read."""
    made = policy(policy="off_peak", weekend_preferred=True, holidays="2031-05-17", blackouts="maintenance.ics")
    assert (made.holidays, made.files()) == (("2031-05-17",), {"blackouts": "maintenance.ics"})
