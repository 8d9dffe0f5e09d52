"""When and where each attempt was at work."""

from __future__ import annotations

import math
from pathlib import Path

from sciflow.analysis.spells import spells_of
from sciflow.model.state import State
from unit.figures.machine_run import BEGAN, MachineRun, with_failures


def test_an_attempt_lies_in_time_and_on_a_node(tmp_path: Path) -> None:
    """By its start; the node by the scheduler's name; what it waited is since it was handed over last."""
    spells = spells_of(with_failures(tmp_path).results())
    assert [(one.index, one.attempt, one.node) for one in spells] == [
        (0, 1, "n1"),
        (1, 1, "n1"),
        (2, 1, "n10"),
        (3, 1, "n1"),
        (1, 2, "n1"),
        (4, 1, "n10"),
    ]
    assert [one.start - one.submitted for one in spells] == [10, 10, 10, 60, 40, 110]
    assert [one.end - one.start for one in spells] == [100, 50, 100, 50, 100, 7200]
    assert (spells[0].task, spells[0].cores, spells[0].cpu_seconds) == ("solve", 4, 200)


def test_how_an_attempt_ended_is_what_is_known_of_it(tmp_path: Path) -> None:
    """Of one that was killed, a decision after it says why; its end is as far as its record goes."""
    killed = spells_of(with_failures(tmp_path).results())[1]
    assert (killed.state, killed.is_open) == (State.OUT_OF_MEMORY, True)


def test_what_runs_still_goes_on_until_now(tmp_path: Path) -> None:
    """Until the last time that any record tells of."""
    run = MachineRun(tmp_path)
    run.ran(0, 0, 10, state="RUNNING")
    run.ran(1, 0, 500)
    (first, second) = spells_of(run.results())
    assert (first.is_open, first.end, second.is_open) == (True, BEGAN + 500, False)
    assert math.isnan(first.submitted)
    assert math.isnan(first.cpu_seconds)


def test_spells_may_be_those_of_one_task(tmp_path: Path) -> None:
    """And there are none where nothing has left a record."""
    assert spells_of(with_failures(tmp_path / "a").results(), "other") == []
    assert spells_of(MachineRun(tmp_path / "b").results()) == []
