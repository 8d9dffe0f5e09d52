"""How long a run will still take."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timezone

import pytest

from sciflow.model.plan import ArrayJob, Plan, Wave
from sciflow.model.resources import Resources
from sciflow.model.state import State
from sciflow.model.statement import Statement
from sciflow.run.forecast import seconds_left
from sciflow.run.status import IndexStatus, RunStatus
from sciflow.store.records import RecordState

NOW = 1000.0


def at(seconds: float) -> datetime:
    """Return a moment."""
    return datetime.fromtimestamp(seconds, timezone.utc)


def status(begin: float | None = None, **tasks: list[IndexStatus]) -> RunStatus:
    """Make the status of tasks with one array job each."""
    moment = at(begin) if begin is not None else None
    arrays = tuple(ArrayJob(f"{task}.0", task, len(known), Resources(), begin=moment) for task, known in tasks.items())
    plan = Plan("w", "p", 1, arrays, tasks=tuple(tasks))
    return RunStatus(plan, {f"{task}.0": dict(enumerate(known)) for task, known in tasks.items()})


def done(seconds: float) -> IndexStatus:
    """Return an index that has completed."""
    return IndexStatus(State.COMPLETED, seconds=seconds)


def runs(start: float | None = None) -> IndexStatus:
    """Return an index that runs, since some time."""
    said = Statement(State.RUNNING, "RUNNING", "", start) if start is not None else None
    return IndexStatus(State.RUNNING, said=said)


WAITS = IndexStatus(State.PENDING)


@pytest.mark.parametrize(
    ("known", "expected"),
    [
        ([done(10), done(20), WAITS, WAITS], 30.0),  # two of fifteen seconds, one after another
        ([done(10), runs(NOW - 4)], 6.0),
        ([done(10), runs(NOW - 400)], None),  # it runs longer than any has
        ([done(10), done(500), runs(NOW - 400)], 100.0),
        ([done(10), runs()], 10.0),
        ([done(10), runs(NOW - 4), runs(NOW - 2), WAITS, WAITS], (6 + 8 + 10 + 10) / 2),
        ([WAITS], None),
        ([IndexStatus(State.FAILED, seconds=3), WAITS], None),
        ([done(10), IndexStatus(State.FAILED)], 0.0),
    ],
)
def test_what_is_left_takes_as_long_as_what_has_ended(known: list[IndexStatus], expected: float | None) -> None:
    """As many side by side as run now; nobody knows as long as none of a task has completed."""
    assert seconds_left(status(a=known), NOW) == expected


def test_tasks_have_times_of_their_own() -> None:
    """Of one that is over no time is needed, of one that has not begun nobody knows any."""
    assert seconds_left(status(a=[done(10), done(10)], b=[done(100), WAITS, WAITS]), NOW) == 200.0
    assert seconds_left(status(a=[done(10)], b=[WAITS]), NOW) is None
    assert seconds_left(status(a=[IndexStatus(State.FAILED)], b=[done(7), WAITS]), NOW) == 7.0


def test_a_start_time_is_waited_for() -> None:
    """Unless something runs already, or it has passed."""
    assert seconds_left(status(NOW + 500, a=[done(10), WAITS]), NOW) == 510.0
    assert seconds_left(status(NOW - 500, a=[done(10), WAITS]), NOW) == 10.0
    assert seconds_left(status(NOW + 500, a=[done(10), runs(), WAITS]), NOW) == 20.0


def test_each_wave_is_waited_for() -> None:
    """What began already does not wait; the last wave takes as long as as many at once as ran so far need for it."""
    waves = (Wave(0, 2, None), Wave(2, 2, at(NOW + 500)), Wave(4, 2, at(NOW + 900)))
    known = [done(10), done(10), *[WAITS] * 4]
    one = status(a=known)
    cut = replace(one.plan.arrays[0], waves=waves)
    one = RunStatus(replace(one.plan, arrays=(cut,)), one.indices)
    assert seconds_left(one, NOW) == 920.0  # one after another
    record = RecordState(State.COMPLETED, "", 10.0, start=100.0, end=110.0)
    one.indices["a.0"] |= {index: replace(done(10), record=record) for index in (0, 1)}
    assert seconds_left(one, NOW) == 910.0  # two at once, as those two ran
    one.indices["a.0"] |= {2: runs(NOW - 4), 3: runs(NOW - 4)}
    assert seconds_left(one, NOW) == 910.0


def test_what_all_have_forgotten_is_not_waited_for() -> None:
    """It is unknown, and settled; while it is not, it counts as work."""
    unknown = IndexStatus(State.UNKNOWN)
    assert seconds_left(status(a=[done(10), unknown]), NOW) == 0.0
    assert seconds_left(status(a=[done(10), replace(unknown, is_settled=False)]), NOW) == 10.0
