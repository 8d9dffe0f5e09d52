"""What a plan says beyond its array jobs."""

from __future__ import annotations

from datetime import datetime, timezone
from pathlib import Path

from sciflow.model.plan import ArrayJob, Dependency
from sciflow.model.profile import ClusterProfile
from sciflow.model.resources import Resources
from sciflow.model.workflow import ExperimentalWorkflow
from sciflow.planning.remarks import chain_notes, deadline_warnings, packing_notes

HOUR = 3600
SHORT = Resources(1, 0, 0, 12 * HOUR)


def test_chains_are_noted_by_task() -> None:
    """With the longest of those that a task has, and nothing of what fits."""
    arrays = [
        ArrayJob("relax.0", "relax", 4, SHORT, links=5),
        ArrayJob("relax.1", "relax", 4, SHORT, links=2),
        ArrayJob("other.0", "other", 4, SHORT),
    ]
    assert list(chain_notes(arrays)) == [
        "task `relax` takes longer than the 12 h that the site allows: it gets up to 5 jobs, "
        "each of which goes on from the checkpoints of the one before"
    ]
    assert list(chain_notes(arrays[2:])) == []


def test_packs_are_noted_by_task() -> None:
    """How many combinations run in how many array indices."""
    arrays = [ArrayJob("a.0", "a", 6, SHORT, pack=3), ArrayJob("a.1", "a", 1, SHORT), ArrayJob("b.0", "b", 9, SHORT)]
    assert list(packing_notes(arrays)) == ["task `a` runs 3 combinations one after another in an array index: 7 in 3"]


def test_the_walltime_of_a_chain_is_that_of_all_its_links(tmp_path: Path) -> None:
    """What comes after it waits for the last one."""
    workflow = ExperimentalWorkflow("w", tmp_path)
    workflow.set_scheduling_policy("deadline", {"deadline": "2031-05-16T13:00", "timezone": "UTC"})
    noon = datetime(2031, 5, 14, 12, tzinfo=timezone.utc)
    profile = ClusterProfile(name="site", scheduler="slurm")
    long = ArrayJob("a.0", "a", 4, SHORT, links=4)
    later = ArrayJob("b.0", "b", 4, Resources(1, 0, 0, 2 * HOUR), (Dependency("a.0", "element"),))
    [warning] = deadline_warnings(workflow, profile, [long, later], noon, strict=False)
    assert warning.startswith("the tasks ask for 2 d 2 h one after another, but the deadline ")
    assert deadline_warnings(workflow, profile, [long], noon, strict=False) == []
