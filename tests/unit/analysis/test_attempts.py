"""What an attempt was given, what it used, and how it ended."""

from __future__ import annotations

from pathlib import Path

import pytest

from sciflow.analysis.attempts import attempts_of
from sciflow.model.state import State
from unit.analysis.measured_run import GIB, MIB, MeasuredRun


@pytest.fixture
def run(tmp_path: Path) -> MeasuredRun:
    """Return a run of three instances, each with 8 GB and two hours on four cores."""
    return MeasuredRun(tmp_path, {"x": [1, 2, 3]})


def retried(run: MeasuredRun, index: int, cause: str, memory: int, time: float) -> None:
    """Decide to try an index again with more memory."""
    more = {"variant": "a", "seconds": 0, "error": "", "counts": True}
    run.note(event="retry", array="solve.0", indices=str(index), cause=cause, memory=memory, time=time, **more)


def test_an_attempt_has_what_the_plan_gave(run: MeasuredRun) -> None:
    """Cores, memory and walltime are those of the array job; what it used is that of its record."""
    run.add(0, memory=100, seconds=60.0, cpu=30.0)
    (one,) = attempts_of(run.results())["solve"]
    assert one.given == (4, 8 * GIB, 7200, 0)
    assert (one.memory, one.seconds, one.cpu_seconds) == (100 * MIB, 60.0, 30.0)
    assert one.core_seconds == 240.0


def test_who_was_tried_again_with_more_had_less_before(run: MeasuredRun) -> None:
    """An attempt that the kernel killed had what the plan gave; the next one what was decided after that."""
    run.add(1, "OUT_OF_MEMORY", start=100.0, memory=7000, seconds=10.0)
    retried(run, 1, "out_of_memory", 16 * GIB, 200.0)
    run.add(1, attempt=2, start=300.0, memory=9000, seconds=20.0)
    first, second = attempts_of(run.results())["solve"]
    assert (first.state, first.given.memory) == (State.OUT_OF_MEMORY, 8 * GIB)
    assert (second.state, second.given.memory, second.given.seconds) == (State.COMPLETED, 16 * GIB, 7200)


def test_of_an_earlier_end_that_nobody_explains_nothing_is_said(run: MeasuredRun) -> None:
    """Without a decision after it, an attempt that was killed has ended nobody knows why."""
    run.add(1, "NODE_FAIL", start=100.0, seconds=10.0)
    run.add(1, attempt=2, start=300.0, seconds=20.0)
    assert [one.state for one in attempts_of(run.results())["solve"]] == [State.UNKNOWN, State.COMPLETED]


def test_page_cache_is_not_what_a_program_needs(run: MeasuredRun) -> None:
    """A job that has filled its limit and lived did so with page cache; one that was killed needed all of it."""
    run.add(0, memory=100, seconds=1.0, cgroup_peak_bytes=8 * GIB - MIB, memory_limit_bytes=8 * GIB)
    run.add(1, memory=100, seconds=1.0, cgroup_peak_bytes=2 * GIB, memory_limit_bytes=8 * GIB)
    run.add(2, "OUT_OF_MEMORY", memory=100, seconds=1.0, cgroup_peak_bytes=8 * GIB, memory_limit_bytes=8 * GIB)
    cached, counted, killed = attempts_of(run.results())["solve"]
    assert (cached.memory, cached.is_cached, cached.is_of_job) == (100 * MIB, True, False)
    assert (counted.memory, counted.is_cached, counted.is_of_job) == (2 * GIB, False, True)
    assert (killed.memory, killed.is_cached) == (8 * GIB, False)


def test_records_that_tell_nothing_of_it_are_no_error(run: MeasuredRun) -> None:
    """What a record does not have is 0; a file of another run is left out."""
    run.add(0)
    run.attempts.append({**run.attempts[0], "array": "other.0"})
    (one,) = attempts_of(run.results())["solve"]
    assert (one.memory, one.seconds, one.cpu_seconds, one.goes_on) == (0, 0, 0, False)
