"""A run's status in words."""

from __future__ import annotations

import time

import pytest

from sciflow.cli.describe import describe_status
from sciflow.model.plan import ArrayJob, Plan
from sciflow.model.resources import Resources
from sciflow.model.state import State
from sciflow.model.statement import Statement
from sciflow.run.status import untouched
from sciflow.store.layout import RunDirectory
from sciflow.store.submitted import Submitted, Throttle

HOUR = 3600.0


@pytest.mark.parametrize(("until", "told"), [(1.0, True), (9.0, False), (None, False)])
def test_what_is_left_is_told_with_the_throttle_on_which_it_rests(until: float | None, told: bool) -> None:
    """Where that changes before the end: nobody knows how many may run then."""
    array = ArrayJob("a.0", "a", 5, Resources())
    status = untouched(Plan("w", "site", 5, (array,), tasks=("a",)))
    throttle = Throttle(1, "by day", None if until is None else time.time() + until * HOUR)
    status.submissions.add(Submitted("a.0", "a", frozenset(range(5)), 0.0, "101", throttle=throttle))
    for index, one in status.indices["a.0"].items():
        one.state, one.seconds = (State.PENDING, 0.0) if index else (State.COMPLETED, HOUR)
        one.said = Statement(one.state, one.state.value)
    lines = describe_status(RunDirectory("run"), status).splitlines()
    assert f"about 4 h left{', if no more may run at once than now' if told else ''}" in lines
