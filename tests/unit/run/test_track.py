"""What is known of each array index: journal and records, and which of them counts."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sciflow.errors import RunError
from sciflow.model.state import State
from sciflow.run.track import observe, read_plan
from sciflow.store.journal import Journal
from sciflow.store.layout import RunDirectory
from sciflow.store.lock import hold

LeaveRecord = Callable[..., Path]


def started(index: int, attempt: int = 1) -> dict[str, Any]:
    """An index of `square` has started."""
    return {"event": "started", "array": "square.0", "index": index, "attempt": attempt}


def ended(index: int, state: str, attempt: int = 1, error: str = "") -> dict[str, Any]:
    """An index of `square` has ended."""
    facts = {"attempt": attempt, "state": state, "error": error, "seconds": 1.5}
    return {"event": "ended", "array": "square.0", "index": index, **facts}


def test_at_first_all_is_pending(staged: RunDirectory) -> None:
    """A run that nobody has driven knows all its indices, and that nothing has happened to them."""
    status = observe(staged)
    assert status.counts() == {State.PENDING: 5}
    assert list(status.indices) == ["square.0", "total.0"]
    assert (status.is_complete, status.is_finished, status.has_failures, status.is_driven) == (False,) * 4
    assert status.first_event is None


# What journal and records say of one index, whether the run is driven now, and what follows: state, attempt, error.
REUSED = {"event": "reused", "array": "square.0", "index": 0, "from": "20240101-1"}
VOID = {"event": "void", "array": "square.0", "index": 0, "attempt": 1, "reason": "its record is torn"}
CASES: dict[str, tuple[list[Any], list[Any], bool, tuple[State, int, str]]] = {
    "started": ([started(0)], [], True, (State.RUNNING, 1, "")),
    "started, but its driver is gone": ([started(0)], [], False, (State.PENDING, 1, "")),
    "ended": ([started(0), ended(0, "FAILED", 1, "no")], [], False, (State.FAILED, 1, "no")),
    "started again": ([ended(0, "FAILED", 1, "no"), started(0, 2)], [], True, (State.RUNNING, 2, "")),
    "an old end comes late": ([started(0, 2), ended(0, "FAILED", 1)], [], True, (State.RUNNING, 2, "")),
    "the record knows more": ([started(0)], [(1, "COMPLETED")], False, (State.COMPLETED, 1, "")),
    "only the record knows": ([], [(1, "FAILED")], False, (State.FAILED, 1, "by hand")),
    "the driver heard no end": ([started(0)], [(1, "FAILED")], True, (State.FAILED, 1, "by hand")),
    "run again by hand": ([ended(0, "FAILED")], [(1, "FAILED"), (2, "COMPLETED")], False, (State.COMPLETED, 2, "")),
    "failed by hand": ([ended(0, "COMPLETED")], [(1, "COMPLETED"), (2, "FAILED")], False, (State.FAILED, 2, "by hand")),
    "an interim record": ([started(0)], [(1, "RUNNING")], True, (State.RUNNING, 1, "")),
    "an interim record is left": ([started(0)], [(1, "RUNNING")], False, (State.PENDING, 1, "")),
    "the later attempt counts": ([started(0, 2)], [(1, "COMPLETED")], True, (State.RUNNING, 2, "")),
    "taken over": ([REUSED], [(0, "COMPLETED")], False, (State.COMPLETED, 0, "")),
    "taken over, but it is gone": ([REUSED], [], False, (State.PENDING, 0, "")),
    "completed, but it is gone": ([ended(0, "COMPLETED", 2)], [(1, "FAILED")], False, (State.PENDING, 2, "")),
    "it ended, then its shim was lost": ([ended(0, "NODE_FAIL")], [(1, "COMPLETED")], False, (State.COMPLETED, 1, "")),
    "its shim was lost": ([ended(0, "NODE_FAIL", 1, "no")], [(1, "RUNNING")], False, (State.NODE_FAIL, 1, "no")),
    "it does not count any more": ([ended(0, "COMPLETED"), VOID], [(1, "COMPLETED")], False, (State.PENDING, 1, "")),
    "it was run again since": ([VOID], [(1, "COMPLETED"), (2, "COMPLETED")], False, (State.COMPLETED, 2, "")),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_journal_and_records_are_combined(staged: RunDirectory, leave_record: LeaveRecord, case: str) -> None:
    """The later attempt counts; of the same attempt, what is final; and nothing runs that nobody drives."""
    events, records, is_driven, expected = CASES[case]
    Journal(staged.journal).append(events)
    for attempt, state in records:
        leave_record(staged, "square.0", 0, attempt, state, "by hand" if state == "FAILED" else "")
    if is_driven:
        with hold(staged.lock):
            status = observe(staged)
    else:
        status = observe(staged)
    assert status.is_driven == is_driven
    known = status.indices["square.0"][0]
    assert (known.state, known.attempt, known.error) == expected
    assert known.reason
    assert {one.state for index, one in status.indices["square.0"].items() if index} == {State.PENDING}


def test_the_order_of_records_does_not_matter(
    staged: RunDirectory, leave_record: LeaveRecord, monkeypatch: Any
) -> None:
    """Folders are listed in any order; the last attempt counts in all of them."""
    for attempt in (1, 2, 3):
        leave_record(staged, "square.0", 0, attempt, "COMPLETED" if attempt == 3 else "FAILED", y=attempt)
    listed = sorted(RunDirectory(staged.path).records("square.0"), key=lambda one: one.attempt)
    for order in (listed, listed[::-1], [listed[1], listed[2], listed[0]]):
        monkeypatch.setattr(
            RunDirectory, "records", lambda self, array, order=order: iter(order if array == "square.0" else [])
        )
        known = observe(staged).indices["square.0"][0]
        assert (known.state, known.attempt) == (State.COMPLETED, 3)


def test_a_torn_record_says_nothing(staged: RunDirectory, leave_record: LeaveRecord) -> None:
    """A record of which the end is missing is no state; the reason tells."""
    path = leave_record(staged, "square.0", 0, 1, "COMPLETED", y=1)
    path.write_bytes(path.read_bytes()[:-30])
    known = observe(staged).indices["square.0"][0]
    assert known.state is State.PENDING
    assert "torn" in known.reason


def test_strangers_are_passed_over(staged: RunDirectory, leave_record: LeaveRecord) -> None:
    """Events and records of arrays and indices that the plan does not have change nothing."""
    Journal(staged.journal).append(
        [{"event": "ended", "array": "other.0", "index": 0, "state": "FAILED"}, started(99), {"event": "note"}]
    )
    path = leave_record(staged, "square.0", 0)
    path.rename(staged.record("square.0", 77, 1))
    assert observe(staged).counts() == {State.PENDING: 5}


def test_counts_are_by_task(staged: RunDirectory, leave_record: LeaveRecord) -> None:
    """States are counted over all, or over one task; a run with a failure is finished when all else is final."""
    for index in range(4):
        leave_record(staged, "square.0", index, 1, "FAILED" if index == 3 else "COMPLETED")
    status = observe(staged)
    assert status.counts("square") == {State.COMPLETED: 3, State.FAILED: 1}
    assert status.counts() == {State.COMPLETED: 3, State.FAILED: 1, State.PENDING: 1}
    assert (status.is_finished, status.has_failures) == (False, True)
    leave_record(staged, "total.0", 0, 1, "UPSTREAM_FAILED")
    status = observe(staged)
    assert (status.is_finished, status.has_failures, status.is_complete) == (True, True, False)


def test_a_complete_run_is_finished(staged: RunDirectory, leave_record: LeaveRecord) -> None:
    """When every instance is completed the run is complete and has no failures."""
    for array in read_plan(staged).arrays:
        for index in range(array.count):
            leave_record(staged, array.name, index)
    status = observe(staged)
    assert (status.is_finished, status.has_failures, status.is_complete) == (True, False, True)


def test_times_are_those_of_the_first_and_last_event(staged: RunDirectory, leave_record: LeaveRecord) -> None:
    """How long a run took is seen in its journal."""
    leave_record(staged, "square.0", 0)
    for now, event in [(10.0, started(0)), (11.0, ended(0, "COMPLETED")), (15.5, started(1))]:
        Journal(staged.journal, lambda now=now: now).append([event])
    status = observe(staged)
    assert (status.first_event, status.last_event) == (10.0, 15.5)
    assert status.indices["square.0"][0].seconds == 1.5


def test_what_was_taken_over_is_counted(staged: RunDirectory, leave_record: LeaveRecord) -> None:
    """The status tells how many instances came from earlier runs, and from which."""
    for index in range(2):
        leave_record(staged, "square.0", index, 0)
    reused = {"event": "reused", "array": "square.0", "from": "20240101-1", "seconds": 3.0}
    Journal(staged.journal).append([{**reused, "index": 0}, {**reused, "index": 1}])
    status = observe(staged)
    assert status.reused == 2
    known = status.indices["square.0"][1]
    assert (known.reason, known.seconds) == ("taken over from run 20240101-1", 3.0)


def test_looking_changes_nothing(staged: RunDirectory) -> None:
    """A status leaves every file as it was."""
    before = {path: path.stat().st_mtime_ns for path in staged.path.rglob("*")}
    observe(staged)
    assert {path: path.stat().st_mtime_ns for path in staged.path.rglob("*")} == before


@pytest.mark.parametrize("damage", [os.unlink, lambda path: Path(path).write_text("{")])
def test_a_run_without_its_plan_is_damaged(staged: RunDirectory, damage: Callable[[Path], Any]) -> None:
    """Without a whole plan nothing can be said, and that is said."""
    damage(staged.plan)
    with pytest.raises(RunError, match=r"plan\.json"):
        observe(staged)
