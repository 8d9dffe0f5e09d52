"""The face of a Slurm."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from sciflow.schedulers.fake.face import Command
from sciflow.schedulers.fake.jobs import Index, Job
from sciflow.schedulers.fake.slurm import environment
from sciflow.schedulers.fake.slurm.sacct import sacct
from sciflow.schedulers.fake.slurm.sacctmgr import sacctmgr
from sciflow.schedulers.fake.slurm.sbatch import sbatch
from sciflow.schedulers.fake.slurm.scancel import scancel
from sciflow.schedulers.fake.slurm.scontrol import scontrol
from sciflow.schedulers.fake.slurm.sdiag import sdiag
from sciflow.schedulers.fake.slurm.sinfo import sinfo
from sciflow.schedulers.fake.slurm.squeue import squeue

if TYPE_CHECKING:
    from sciflow.schedulers.fake.cluster import VirtualCluster

# Without such a program it ends as Slurm does, and not as a shell.
_LAUNCH = """
command -v -- "$1" >/dev/null || { echo "slurmstepd: error: execve(): $1: No such file or directory" >&2; exit 2; }
export SLURM_TASK_PID=$$
exec "$@"
"""


NO_OUTPUT = 53  # the signal that Slurm tells where the folder of the output is not there


class SlurmFace:
    """Slurm's commands, variables and log files."""

    name = "slurm"
    tells_all = False
    commands: Mapping[str, Command] = {
        "sacct": sacct,
        "sacctmgr": sacctmgr,
        "sbatch": sbatch,
        "scancel": scancel,
        "scontrol": scontrol,
        "sdiag": sdiag,
        "sinfo": sinfo,
        "squeue": squeue,
    }

    def variables(self, cluster: VirtualCluster, index: Index) -> dict[str, str]:
        """What Slurm tells a job script in its environment."""
        return environment.variables(cluster, index)

    def output(self, index: Index) -> Path:
        """Where what a job script prints goes."""
        return environment.log_path(index, index.job.request.output)

    def errors(self, index: Index) -> Path:
        """Where what it prints as errors goes."""
        return environment.log_path(index, index.job.request.error or index.job.request.output)

    def starts_without_output(self, cluster: VirtualCluster, index: Index) -> bool:
        """It fails, with a signal that there is not."""
        cluster.clock.after(0.0, lambda: cluster.exited(index, 0, NO_OUTPUT))
        return False

    def folder(self, index: Index) -> Path:
        """Where a job script starts: where it was submitted, or where it wants to."""
        return environment.folder(index)

    def shell(self, program: Sequence[str]) -> list[str]:
        """The command by which a node runs a program: itself, which is told the number of its process."""
        return ["/bin/sh", "-c", _LAUNCH, "slurmstepd", *program]

    def out_of_memory(self, index: Index) -> str:
        """What is said in the output of a job that was killed for its memory."""
        return f"slurmstepd-{index.node.name if index.node else ''}: error: Detected 1 oom_kill event"

    def label(self, job: Job) -> str:
        """The id of a job."""
        return job.id


SLURM = SlurmFace()
