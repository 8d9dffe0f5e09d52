"""How failures are met."""

from __future__ import annotations

from typing import Any

import pytest

from sciflow.errors import WorkflowError
from sciflow.model.recovery import RecoveryPolicy
from sciflow.model.validation import validated


@pytest.mark.parametrize(
    ("said", "count", "after"),
    [
        ("auto", 1, 0),
        ("auto", 19, 0),
        ("auto", 20, 10),
        ("auto", 200, 10),
        ("auto", 201, 11),
        ("auto", 1000, 50),
        ("auto", 100_000, 50),
        ("off", 100_000, 0),
        (3, 4, 3),
        (3, 1, 3),
    ],
)
def test_a_brake_judges_a_twentieth_unless_a_number_is_said(said: Any, count: int, after: int) -> None:
    """At least 10 and at most 50, and never half of it or more: then there would be little left to hold back."""
    assert RecoveryPolicy(brake=said).brake_of(count) == after


@pytest.mark.parametrize(
    ("said", "instances", "most"), [(None, 1, 20), (None, 20, 20), (None, 1000, 1000), (0, 1000, 0), (7, 1000, 7)]
)
def test_a_run_has_as_many_retries_as_instances_unless_that_is_said(
    said: int | None, instances: int, most: int
) -> None:
    """A small one has some all the same."""
    assert RecoveryPolicy(max_retries=said).most_retries(instances) == most


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ({"retries": -1}, "`retries` is -1"),
        ({"max_attempts": 0}, "`max_attempts` is 0"),
        ({"max_retries": -1}, "`max_retries` is -1"),
        ({"brake": 0}, "`brake` is 0"),
        ({"brake": "of"}, "`brake` is 'of'"),
        ({"canaries": -1}, "`canaries` is -1"),
        ({"exclude_hours": -1}, "`exclude_hours` is -1"),
        ({"retry": 3}, "`retry` is not known here"),
    ],
)
def test_what_is_wrong_with_a_policy(said: dict[str, Any], reason: str) -> None:
    """The field and the value are named, in one line."""
    with pytest.raises(WorkflowError) as caught:
        validated(RecoveryPolicy, said, "recovery policy")
    assert caught.value.message.startswith(f"recovery policy: {reason}")
    assert "\n" not in caught.value.message
