"""A second submission asks a real Slurm for what a first one has measured there."""

from __future__ import annotations

import re

from live.experiment import Experiment
from live.slurm_cluster import SlurmCluster
from sciflow.model.plan import Dependency
from sciflow.run.track import read_plan
from sciflow.store.layout import RunDirectory

GROW = """
def draw(n: int, seed: int):
    return {"n": n}


def grow(n: int, seed: int, draw):
    return {"held": len(bytes(1 << 8) * (n << 12))}
"""
WORKFLOW = """
name: growth
parameters: {n: [1, 128], seed: {repeat: SEEDS}}
tasks:
  - {name: draw, python: "grow:draw", resources: {memory: 400M, max_runtime: 1 h}}
  - {name: grow, python: "grow:grow", depends_on: [draw], resources: {memory: 400M, max_runtime: 1 h}}
"""


def test_the_second_time_less_is_asked_for(cluster: SlurmCluster) -> None:
    """Index by index as before; what is done is taken over, and the same command submits nothing more."""
    experiment = Experiment(cluster, {"workflow.yaml": WORKFLOW.replace("SEEDS", "1"), "grow.py": GROW})
    experiment.submit("--wait")
    experiment.account.write(experiment.folder / "workflow.yaml", WORKFLOW.replace("SEEDS", "2"))
    answer = experiment.submit("--learn-from", "latest")
    assert answer["reused"] == 4
    jobs = {one["array"]: (job, one["indices"]) for job, one in answer["jobs"].items()}
    assert {array: count for array, (_, count) in jobs.items()} == {"draw.0": 2, "grow.0": 2}
    shown = cluster.command("scontrol", "show", "job", jobs["grow.0"][0]).stdout
    [memory] = {int(one) for one in re.findall(r"MinMemoryNode=(\d+)M", shown)}
    assert 128 <= memory < 400
    assert set(re.findall(r"TimeLimit=(\S+)", shown)) == {"00:05:00"}
    assert read_plan(RunDirectory(experiment.run)).array("grow.0").after == (Dependency("draw.0", "element"),)
    again = experiment.submit("--learn-from", "latest", "--wait")
    assert (again["run"], again["continued"], again["jobs"]) == (answer["run"], True, {})
    assert again["combinations"] == {"completed": 4, "total": 4}
