"""When work may start."""

from __future__ import annotations

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
    ],
)
def test_what_is_no_policy(said: Any, reason: str) -> None:
    """What the policy would ignore or misses is an error that names it."""
    with pytest.raises(WorkflowError) as caught:
        policy(**said)
    assert caught.value.message.startswith("scheduling policy: ")
    assert reason in str(caught.value)
