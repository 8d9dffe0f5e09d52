"""A simulation keeps the manners of a site."""

from __future__ import annotations

from datetime import datetime, timezone
from pathlib import Path

import pytest

from sciflow import Engine, ExperimentalWorkflow
from sciflow.simulation.simulate import Simulation

NOON = datetime(2031, 5, 14, 12, tzinfo=timezone.utc)  # a Wednesday


def simulated(folder: Path, manners: str, count: int = 80) -> Simulation:
    """Play so many indices of five hours and one core on two nodes of 16 cores."""
    profile = folder / "lab.yaml"
    profile.write_text(f"name: lab\nscheduler: slurm\ntimezone: UTC\nmanners: {{{manners}}}\n")
    workflow = ExperimentalWorkflow("w", folder)
    workflow.add_task("a", command="echo {{ x }}", resources={"cpu_cores": 1, "max_runtime": "5 h"})
    workflow.add_parameter_space({"x": list(range(count))})
    return Engine(str(profile), folder / "runs").simulate(workflow, "2x16c", now=NOON)


@pytest.mark.parametrize(
    ("manners", "hours", "at_once"),
    [
        ("nice: 5", 15, 32),
        ("share: 0.5", 25, 16),
        ("core_hours: 40", 50, 8),
        # By day 8 start until 18:00, then 56 by night; by day 8 again, and the last 8 as the second night begins.
        ("running_by_day: 4, running_by_night: 20", 35, 20),
    ],
)
def test_no_more_run_at_once_than_manners_allow(tmp_path: Path, manners: str, hours: int, at_once: int) -> None:
    """Of the cores that are simulated, of core-hours, and by day and by night; what would be without them is shown."""
    found = simulated(tmp_path, manners)
    [array] = found.outcome.arrays
    assert (found.outcome.seconds / 3600, array.at_once) == (hours, at_once)
    is_kept = manners != "nice: 5"
    assert any("keeps the manners of profile `lab`" in note for note in found.notes) is is_kept
    assert ("all at once now" in found.outcomes) is is_kept


def test_what_is_not_played_is_said(tmp_path: Path) -> None:
    """Whether others wait depends on them."""
    assert any(
        "`running_when_others_wait` is left out" in note
        for note in simulated(tmp_path, "running_when_others_wait: 2", 2).notes
    )
