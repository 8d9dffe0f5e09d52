"""What tasks should ask for."""

from __future__ import annotations

from pathlib import Path

import pytest

from sciflow.analysis.advise import advice_of
from sciflow.errors import ResultError
from unit.analysis.measured_run import MIB, MeasuredRun


def test_advice_is_what_was_enough_for_most(tmp_path: Path) -> None:
    """Of instances that differ by chance alone, what suffices for all but few is asked for, rounded up."""
    run = MeasuredRun(tmp_path, {"seed": list(range(39))})
    run.measure(lambda one: {"memory": 100 + one["seed"], "seconds": 600 + one["seed"], "cpu": 500})
    wanted = advice_of(run.results()).tasks["solve"]({"seed": 100})
    assert wanted.memory_bytes == pytest.approx(138 * MIB, abs=20 * MIB)
    assert wanted.runtime_seconds == 660
    assert wanted.expected_seconds == pytest.approx(619, abs=2)
    assert wanted.chance == pytest.approx(0.95)


def test_a_chance_is_between_0_and_1(tmp_path: Path) -> None:
    """Nothing is certain."""
    run = MeasuredRun(tmp_path, {"seed": [1]})
    with pytest.raises(ResultError, match=r"`1\.0` is no chance"):
        advice_of(run.results(), 1.0)


def test_of_a_task_that_has_not_run_nothing_is_said(tmp_path: Path) -> None:
    """Nothing measured, no advice."""
    run = MeasuredRun(tmp_path, {"seed": [1, 2]})
    run.add(0, "FAILED", memory=10, seconds=1)
    assert advice_of(run.results()).tasks == {}
