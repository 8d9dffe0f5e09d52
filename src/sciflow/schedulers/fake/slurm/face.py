"""The face of a Slurm."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from sciflow.schedulers.fake.face import Command
from sciflow.schedulers.fake.jobs import Index, Job
from sciflow.schedulers.fake.slurm.sacct import sacct
from sciflow.schedulers.fake.slurm.sbatch import sbatch
from sciflow.schedulers.fake.slurm.scancel import scancel
from sciflow.schedulers.fake.slurm.scontrol import scontrol
from sciflow.schedulers.fake.slurm.squeue import squeue

if TYPE_CHECKING:
    from sciflow.schedulers.fake.cluster import VirtualCluster


class SlurmFace:
    """Slurm's commands, variables and log files."""

    name = "slurm"
    tells_all = False
    commands: Mapping[str, Command] = {
        "sacct": sacct,
        "sbatch": sbatch,
        "scancel": scancel,
        "scontrol": scontrol,
        "squeue": squeue,
    }

    def variables(self, _cluster: VirtualCluster, index: Index) -> dict[str, str]:
        """What Slurm tells a job script in its environment."""
        job, node = index.job, index.node.name if index.node else ""
        found = {
            "SLURM_JOB_ID": f"{job.id}{index.number:06d}" if job.is_array else job.id,
            "SLURM_JOB_NAME": job.name,
            "SLURM_JOB_NODELIST": node,
            "SLURMD_NODENAME": node,
            "SLURM_JOB_PARTITION": job.request.partition,
            "SLURM_SUBMIT_DIR": str(job.directory),
        }
        if job.is_array:
            found |= {"SLURM_ARRAY_JOB_ID": job.id, "SLURM_ARRAY_TASK_ID": str(index.number)}
        if index.restarts:
            found["SLURM_RESTART_COUNT"] = str(index.restarts)
        return found

    def output(self, index: Index) -> Path:
        """Where what a job script prints goes."""
        return self._path(index, index.job.request.output)

    def errors(self, index: Index) -> Path:
        """Where what it prints as errors goes."""
        return self._path(index, index.job.request.error or index.job.request.output)

    def folder(self, index: Index) -> Path:
        """Where a job script starts: where it was submitted."""
        return index.job.directory

    def shell(self, program: Sequence[str]) -> list[str]:
        """The command by which a node runs a program: itself."""
        return list(program)

    def label(self, job: Job) -> str:
        """The id of a job."""
        return job.id

    def _path(self, index: Index, pattern: str) -> Path:
        job = index.job
        values = {"%a": str(index.number), "%A": job.id, "%j": job.id, "%x": job.name, "%%": "%"}
        parts = []
        while pattern:
            step = 2 if pattern[0] == "%" else 1
            parts.append(values.get(pattern[:step], pattern[:step]))
            pattern = pattern[step:]
        return Path(job.directory, "".join(parts))


SLURM = SlurmFace()
