"""`scancel`: cancels jobs, or some of their indices."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sciflow.model.statement import CONTROLLER
from sciflow.schedulers.fake.face import Call
from sciflow.schedulers.fake.slurm.lists import read_list
from sciflow.schedulers.fake.slurm.squeue import SILENT
from sciflow.transport.base import Answer

if TYPE_CHECKING:
    from sciflow.schedulers.fake.cluster import VirtualCluster


def scancel(cluster: VirtualCluster, call: Call) -> Answer:
    """Cancel; what is not known, or has ended, is no error."""
    if cluster.faults.is_silent(CONTROLLER):
        return Answer(8, "", f"scancel: error: {SILENT}\n")
    for one in call.argv[1:]:
        number, _, indices = one.partition("_")
        job = cluster.find(number)
        if job is not None:
            cluster.cancel(job, read_list(indices) if indices else None)
    return Answer(0, "", "")
