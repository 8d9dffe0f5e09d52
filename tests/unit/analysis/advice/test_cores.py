"""How many cores are busy, and how many to ask for."""

from __future__ import annotations

from pathlib import Path

import pytest

from sciflow.analysis.advice.advise import TaskAdvice
from sciflow.analysis.advice.trust import notes_of
from unit.analysis.measured_run import HABIT, MeasuredRun


def advised(folder: Path, busy: float, cores: object = 4) -> TaskAdvice:
    """Return what is said of a task that keeps so many cores busy."""
    run = MeasuredRun(folder, {"threads": [1, 2, 4], "seed": [1, 2]}, {**HABIT, "cpu_cores": cores})
    run.measure(lambda one: {"memory": 100, "seconds": 6000.0 / one["threads"], "cpu": busy * 6000.0 / one["threads"]})
    return run.results().advise().tasks["solve"]


@pytest.mark.parametrize(("busy", "ask"), [(1.02, 1), (0.1, 1), (1.5, 2), (3.9, 4), (7.0, 4)])
def test_what_is_not_busy_is_not_asked_for(tmp_path: Path, busy: float, ask: int) -> None:
    """A little more than one core is one core; nobody is advised to ask for more than before."""
    found = advised(tmp_path, busy).cores
    assert found is not None
    assert (found.given, found.ask) == ((4,), ask)
    assert found.busy == pytest.approx(busy)


@pytest.mark.parametrize(
    ("busy", "note"),
    [
        (1.02, "1.02 of 4 cores were busy"),
        (0.1, "it waits for much of its time"),
        (7.0, "more threads than it had cores"),
    ],
)
def test_what_cannot_be_known_is_said(tmp_path: Path, busy: float, note: str) -> None:
    """Waiting, too many threads, and that one number of cores tells nothing of others."""
    assert any(note in one for one in notes_of(advised(tmp_path, busy)))


def test_of_several_numbers_of_cores_the_times_are_told(tmp_path: Path) -> None:
    """Where the request depends on a parameter, nothing is asked for, and the times are shown by it."""
    run = MeasuredRun(tmp_path, {"threads": [1, 2], "seed": [1, 2]}, {**HABIT, "cpu_cores": "threads"})
    run.measure(lambda one: {"seconds": 600.0 / one["threads"], "cpu": 600.0})
    found = run.results().advise().tasks["solve"]
    assert found.cores is not None
    assert (found.cores.given, found.cores.ask) == ((1, 2), 0)
    assert found.cores.seconds == {1: 600.0, 2: 300.0}
    assert any("1: 10 min, 2: 5 min" in note for note in notes_of(found))
