"""What of a run waits, by task and reason, and when it begins."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from sciflow.cli.waiting_groups import waiting_groups
from sciflow.model.plan import ArrayJob, Plan, Wave
from sciflow.model.resources import Resources
from sciflow.model.state import State
from sciflow.model.statement import Statement
from sciflow.run.status import RunStatus, untouched
from sciflow.store.submitted import Submitted

TONIGHT = datetime(2031, 5, 14, 22, tzinfo=ZoneInfo("Europe/Berlin"))
REASON = "waits for its start time"


def nights(*counts: int) -> RunStatus:
    """Return the status of an array job with so many indices in each night, all of which wait for their start time."""
    waves = tuple(Wave(sum(counts[:n]), count, TONIGHT + timedelta(days=n)) for n, count in enumerate(counts))
    array = ArrayJob("sim.0", "sim", sum(counts), Resources(), waves=waves)
    status = untouched(Plan("w", "site", sum(counts), (array,), tasks=("sim",)))
    status.submissions.add(Submitted("sim.0", "sim.0", frozenset(range(array.count)), 0.0, "101"))
    for one in status.indices["sim.0"].values():
        one.said, one.reason = Statement(State.PENDING, "PENDING", REASON), REASON
    return status


def test_each_wave_is_told_with_its_time() -> None:
    """In the zone in which it was planned; in JSON as well."""
    [group] = waiting_groups(nights(32, 1))
    assert group.describe() == (
        "33 × sim waits for its start time: 32 begin 2031-05-14 22:00+02:00, 1 begins 2031-05-15 22:00+02:00  "
        "[sim.0[0-32]]"
    )
    assert group.to_document()["begins"] == [
        {"begin": "2031-05-14T22:00:00+02:00", "count": 32},
        {"begin": "2031-05-15T22:00:00+02:00", "count": 1},
    ]


def test_of_many_waves_the_first_and_the_last_are_told() -> None:
    """And how many lie between."""
    [group] = waiting_groups(nights(4, 4, 4, 4, 3))
    assert group.when() == (
        ": 4 begin 2031-05-14 22:00+02:00, 4 begin 2031-05-15 22:00+02:00, 8 at 2 times after that, "
        "the last 3 2031-05-18 22:00+02:00"
    )


def test_what_comes_later_than_planned_begins_when_its_scheduler_says() -> None:
    """In the zone of the plan; what waits for anything else has no time."""
    status = nights(2, 2)
    late = TONIGHT + timedelta(days=3)
    for index in (0, 1):
        status.indices["sim.0"][index].said = Statement(State.PENDING, "PENDING", REASON, late.timestamp())
    status.indices["sim.0"][3].reason = "waits for free cores, memory or GPUs"
    told = [group.describe() for group in waiting_groups(status)]
    assert told == [
        "3 × sim waits for its start time: 1 begins 2031-05-15 22:00+02:00, 2 begin 2031-05-17 22:00+02:00  "
        "[sim.0[0-2]]",
        "1 × sim waits for free cores, memory or GPUs  [sim.0[3]]",
    ]
