"""What instances have needed, and of which only the least is known."""

from __future__ import annotations

from pathlib import Path

import pytest

from sciflow.analysis.advice.needed import OWN, Needs, needs_of
from sciflow.model.state import State
from unit.analysis.measured_run import GIB, MIB, MeasuredRun


@pytest.fixture
def run(tmp_path: Path) -> MeasuredRun:
    """Return a run of three instances, each with 8 GB and two hours."""
    return MeasuredRun(tmp_path, {"x": [1, 2, 3]})


def needs(run: MeasuredRun) -> Needs:
    """Return what is known of its one task."""
    return needs_of(run.results())["solve"]


def told(run: MeasuredRun, what: str) -> list[tuple[int, float, bool]]:
    """Return instance, amount, and whether it is only the least."""
    one = getattr(needs(run), what)
    return list(zip(one.rows.tolist(), one.values.tolist(), one.is_least.tolist(), strict=True))


def test_what_completed_is_known(run: MeasuredRun) -> None:
    """With what sciflow itself holds, unless that was measured with it."""
    run.add(0, memory=100, seconds=60.0)
    run.add(2, memory=100, seconds=70.0, cgroup_peak_bytes=150 * MIB)
    assert told(run, "memory") == [(0, 100 * MIB + OWN, False), (2, 150 * MIB, False)]
    assert told(run, "seconds") == [(0, 60.0, False), (2, 70.0, False)]
    found = needs(run)
    assert found.parameters == {"x": [1, 2, 3]}
    assert (found.count, found.completed, found.memory.known) == (3, 2, 2)


def test_who_was_killed_for_memory_needed_all_that_it_had(run: MeasuredRun) -> None:
    """At least the limit, whatever the last sample saw; and it would have run for longer than it did."""
    run.add(0, "OUT_OF_MEMORY", memory=100, seconds=60.0)
    assert told(run, "memory") == [(0, 8 * GIB, True)]
    assert told(run, "seconds") == [(0, 60.0, True)]


def test_whose_time_was_up_needed_all_of_it(run: MeasuredRun) -> None:
    """At least the walltime, though the record ends before that."""
    run.add(0, "TIMEOUT", memory=100, seconds=7000.0)
    assert told(run, "seconds") == [(0, 7200.0, True)]
    assert told(run, "memory") == [(0, 100 * MIB + OWN, True)]


@pytest.mark.parametrize("state", ["RUNNING", "NODE_FAIL", "PREEMPTED", "CANCELLED"])
def test_what_was_stopped_by_others_or_still_runs_needs_at_least_so_much(run: MeasuredRun, state: str) -> None:
    """Those that take longest are the last to end: without them what is short would count for more."""
    run.add(0, state, memory=100, seconds=60.0)
    assert told(run, "seconds") == [(0, 60.0, True)]


def test_what_failed_by_itself_says_nothing(run: MeasuredRun) -> None:
    """A program that ends with an error at once needs as little as it likes."""
    run.add(0, "FAILED", memory=1, seconds=0.1)
    assert (told(run, "memory"), told(run, "seconds")) == ([], [])
    assert needs(run).states == {State.FAILED: 1, State.PENDING: 2}


def test_what_did_not_suffice_once_is_needed(run: MeasuredRun) -> None:
    """An instance that was killed for memory and then completed needs no less than what it was killed at."""
    run.add(0, "OUT_OF_MEMORY", start=100.0, memory=100, seconds=60.0)
    more = {"variant": "a", "seconds": 0, "error": "", "counts": True, "memory": 12 * GIB}
    run.note(event="retry", array="solve.0", indices="0", cause="out_of_memory", time=200.0, **more)
    run.add(0, attempt=2, start=300.0, memory=8000, seconds=90.0)
    assert told(run, "memory") == [(0, 8 * GIB, False)]
    assert told(run, "seconds") == [(0, 90.0, False)]


def test_what_went_on_from_a_checkpoint_took_all_of_that_time(run: MeasuredRun) -> None:
    """The attempts of a chain are one run; an attempt that began anew counts alone."""
    for index, found in ((0, True), (1, False)):
        run.add(index, "TIMEOUT", start=100.0, seconds=3600.0, checkpoint_found=False)
        run.add(index, attempt=2, start=5000.0, seconds=600.0, checkpoint_found=found)
    assert told(run, "seconds") == [(0, 4200.0, False), (1, 600.0, False)]


def test_of_a_run_that_has_not_begun_nothing_is_known(run: MeasuredRun) -> None:
    """No attempts, no amounts."""
    found = needs(run)
    assert (len(found.memory), len(found.seconds), found.count) == (0, 0, 3)
