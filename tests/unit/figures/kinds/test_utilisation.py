"""Utilisation: cores held and busy over time."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sciflow.analysis.spells import Spell
from sciflow.errors import ResultError
from sciflow.figures.kinds.timeline import mean_at_work
from sciflow.figures.kinds.utilisation import numbers
from sciflow.figures.picture import picture
from sciflow.model.state import State
from sciflow.model.visualization import Visualization
from unit.figures.machine_run import MachineRun, with_failures

WANTED = Visualization(type="utilisation")


def spell(start: float, end: float) -> Spell:
    """Make an attempt between two times."""
    return Spell("solve", "solve.0", 0, 1, "n1", start, start, end, False, State.COMPLETED, 1, 1.0)


def test_cores_are_held_and_busy(tmp_path: Path) -> None:
    """What is held adds up to the core-hours, what is busy to the CPU time; the share is theirs."""
    shown = numbers(with_failures(tmp_path).source(), WANTED)
    lengths = np.diff(shown.edges)
    assert shown.busy is not None
    assert float(np.sum(shown.held * lengths)) == pytest.approx(4 * 7600)
    assert float(np.sum(shown.busy * lengths)) == pytest.approx(8400)
    assert list(shown.frame()) == ["start", "end", "held", "busy"]
    assert shown.share == pytest.approx(8400 / 30400)
    assert shown.notes[0] == "8.44 core-hours held; 28% of them busy"


def test_what_nobody_measured_is_not_idle(tmp_path: Path) -> None:
    """The share is of what was measured, and the note says how much was not."""
    run = MachineRun(tmp_path)
    run.ran(0, 0, 100, cpu=200)
    run.ran(1, 0, 100)
    shown = numbers(run.source(), WANTED)
    assert shown.share == 0.5
    assert shown.notes[:2] == (
        "0.222 core-hours held; 50% of those that were measured busy",
        "the CPU time of 1 of 2 attempts is not known",
    )
    run.attempts[0]["user_cpu_seconds"] = None
    shown = numbers(run.source(), WANTED)
    assert np.isnan(shown.share)
    assert "busy" not in [one.get_label() for one in picture(run.source(), WANTED).draw().axes[0].patches]


def test_nothing_ran_for_any_time(tmp_path: Path) -> None:
    """That is said, and nothing drawn."""
    run = MachineRun(tmp_path)
    run.ran(0, 0, 0)
    with pytest.raises(ResultError, match="no attempt ran long enough"):
        numbers(run.source(), WANTED)


@given(st.lists(st.tuples(st.floats(0, 100), st.floats(0, 50)), min_size=1, max_size=20), st.integers(1, 30))
def test_means_over_time_keep_what_was_done(spans: list[tuple[float, float]], count: int) -> None:
    """However many steps there are, all of the work is in them."""
    spells = [spell(start, start + length) for start, length in spans]
    edges = np.linspace(0, 151, count + 1)
    done = float(np.sum(mean_at_work(spells, [2.0] * len(spells), edges) * np.diff(edges)))
    assert done == pytest.approx(2.0 * sum(one.end - one.start for one in spells), abs=1e-6)
