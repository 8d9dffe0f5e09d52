"""`scontrol`: shows how the site is set up, and changes what waits."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sciflow.model.statement import CONTROLLER
from sciflow.schedulers.fake.face import Call
from sciflow.schedulers.fake.slurm.options import Wrong, read_dependency
from sciflow.schedulers.fake.slurm.squeue import SILENT
from sciflow.transport.base import Answer

if TYPE_CHECKING:
    from sciflow.schedulers.fake.cluster import VirtualCluster


def scontrol(cluster: VirtualCluster, call: Call) -> Answer:
    """Do what its first argument says."""
    if cluster.faults.is_silent(CONTROLLER):
        return Answer(1, "", f"slurm_load_ctl_conf error: {SILENT}\n")
    words = call.argv[1:]
    if words[:2] == ("show", "config"):
        rules = cluster.rules
        lines = [
            "ClusterName             = virtual",
            f"KillWait                = {int(rules.kill_wait)} sec",
            f"MaxArraySize            = {rules.highest_index + 1}",
            f"MinJobAge               = {int(rules.remembered)} sec",
        ]
        return Answer(0, "".join(f"{line}\n" for line in lines), "")
    if words[:1] == ("update",):
        return _update(cluster, dict(one.split("=", 1) for one in words[1:]))
    return Answer(1, "", f"invalid keyword: {' '.join(words)}\n")


def _update(cluster: VirtualCluster, changes: dict[str, str]) -> Answer:
    job = cluster.find(changes["JobId"])
    if job is None:
        return Answer(1, "", "slurm_update error: Invalid job id specified\n")
    if not job.waiting:
        return Answer(1, "", "slurm_update error: Job is no longer pending execution\n")
    try:
        cluster.depend(job, read_dependency(changes["Dependency"]))
    except Wrong:
        return Answer(1, "", "slurm_update error: Job dependency problem\n")
    return Answer(0, "", "")
