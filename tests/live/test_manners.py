"""Throttles on a real Slurm: set at submission, changed while it is watched, and read back from the controller."""

import re

from live.experiment import Experiment
from live.slurm_cluster import SlurmCluster

WORKFLOW = """
name: polite
parameters: {x: {range: [0, 6]}}
tasks:
  - name: a
    command: "echo {{ x }}; while test ! -e {{ workflow_dir }}/go; do sleep 0.2; done"
    resources: {max_runtime: 5 min}
"""
MANNERS = "timezone: UTC\nmanners: {running_by_day: %d, running_by_night: %d, share: 0.5, nice: 50}\n"


def throttle(cluster: SlurmCluster, job: str) -> str:
    """Return what the controller says of how many indices of a job may run at once."""
    shown = cluster.account.run("scontrol", "show", "job", job).stdout
    assert "Nice=50" in shown
    return re.findall(r"ArrayTaskThrottle=(\d+)", shown)[0]


def test_throttles_are_set_and_changed(cluster: SlurmCluster) -> None:
    """Two at once, then five of them; Slurm says itself when a job has ended and none can be set."""
    experiment = Experiment(cluster, {"workflow.yaml": WORKFLOW}, MANNERS % (2, 2))
    [job] = experiment.submit()["jobs"]
    assert throttle(cluster, job) == "2"
    status = experiment.wait_until(lambda one: one["tasks"]["a"].get("RUNNING") == 2, "two that run")
    assert status["throttles"][0]["why"] in ("by day", "by night")
    cluster.wait_for(lambda: "JobArrayTaskLimit" in cluster.command("squeue", "-h", "-o", "%r").stdout, "the limit")
    # With other manners it is the same work, whose throttle is another one from then on.
    cluster.account.write(
        experiment.folder / "site.yaml", (experiment.folder / "site.yaml").read_text().replace(": 2", ": 5")
    )
    again = experiment.submit()
    assert (again["continued"], again["jobs"]) == (True, {})
    assert throttle(cluster, job) == "5"
    assert [(one["job"], one["at_once"]) for one in experiment.events("throttled")] == [(job, 5)]
    cluster.account.write(experiment.folder / "go", "")
    assert experiment.status("--watch")["tasks"]["a"] == {"COMPLETED": 6}
    over = cluster.account.run("scontrol", "update", f"JobId={job}", "ArrayTaskThrottle=3", check=False)
    assert "already finished" in over.stderr
