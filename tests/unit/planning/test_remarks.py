"""What a plan says beyond its array jobs."""

from __future__ import annotations

from pathlib import Path

from sciflow.model.manners import Manners
from sciflow.model.plan import ArrayJob
from sciflow.model.profile import ClusterProfile
from sciflow.model.resources import Resources
from sciflow.model.workflow import ExperimentalWorkflow
from sciflow.planning.remarks import chain_notes, manners_notes, packing_notes, policy_warnings

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


def test_every_policy_that_is_not_kept_is_named(tmp_path: Path) -> None:
    """That of the workflow and those of tasks, each once."""
    workflow = ExperimentalWorkflow("w", tmp_path)
    nights = {"policy": "off_peak", "preferred_hours": "22:00-08:00"}
    for name in ("a", "b"):
        workflow.add_task(name, command="true", schedule=nights)
    here = ClusterProfile(name="here", scheduler="local")
    noted = "the policy off-peak (22:00-08:00) is noted, and the run starts at once"
    assert policy_warnings(workflow, here) == [f"profile `here` runs here, without a queue: {noted}"]
    assert policy_warnings(workflow, ClusterProfile(name="site", scheduler="slurm")) == []


def test_manners_of_a_site_with_a_queue_are_told() -> None:
    """Before anything is submitted; where nothing is said, and where nobody else is, there is nothing to tell."""
    site = {"name": "lab", "scheduler": "slurm", "manners": Manners(running_by_night=9)}
    assert list(manners_notes(ClusterProfile(**site))) == ["manners of profile `lab`: 9 indices at once by night"]
    assert list(manners_notes(ClusterProfile(**{**site, "scheduler": "local"}))) == []
    assert list(manners_notes(ClusterProfile(name="lab", scheduler="slurm"))) == []


def test_where_one_index_is_more_than_manners_allow() -> None:
    """It runs all the same, and that is said; what they allow is not named."""
    partitions = {"main": {"cpu_cores": 32, "nodes": 10, "default": True}}
    given = {"name": "lab", "scheduler": "slurm", "partitions": partitions}
    few = ClusterProfile.model_validate({**given, "manners": {"core_hours": 3, "share": 0.001}})
    long, short = ArrayJob("a.0", "a", 9, Resources(1, 0, 0, 5 * HOUR)), ArrayJob("b.0", "b", 9, Resources())
    assert list(manners_notes(few, [long]))[1:] == [
        "task `a` takes more than manners allow, since one index runs at least: "
        "3 core-hours at once, and one index asks for 5",
        "task `a` takes more than manners allow, since one index runs at least: "
        "0.1 % of 320 cores, and one index has 1",
    ]
    many = ClusterProfile.model_validate({**given, "manners": {"core_hours": 5, "share": 0.1}})
    assert len(list(manners_notes(many, [long, short]))) == 1
