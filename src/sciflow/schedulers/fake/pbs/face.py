"""The face of a PBS."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from sciflow.schedulers.fake.face import Command
from sciflow.schedulers.fake.jobs import Index, Job
from sciflow.schedulers.fake.pbs.names import name_of
from sciflow.schedulers.fake.pbs.paths import error_path, is_joined, output_path
from sciflow.schedulers.fake.pbs.pbsnodes import pbsnodes
from sciflow.schedulers.fake.pbs.qalter import qalter, qhold, qrerun, qrls
from sciflow.schedulers.fake.pbs.qdel import qdel
from sciflow.schedulers.fake.pbs.qselect import qselect
from sciflow.schedulers.fake.pbs.qstat import qstat
from sciflow.schedulers.fake.pbs.qsub import qsub
from sciflow.schedulers.fake.pbs.replies import versioned

if TYPE_CHECKING:
    from sciflow.schedulers.fake.cluster import VirtualCluster

TRIES = 20  # how often a job that cannot be started is started again
# The login shell of a job outlives SIGTERM, and says 128 and more of a script that a signal has ended.
_LOGIN_SHELL = ("bash", "-c", 'trap : TERM; "$@"; exit "$?"', "-bash")


class PbsFace:
    """PBS's commands, variables and log files.

    Parameters
    ----------
    tells_first_only
        Whether `qstat` without `-E` tells in JSON of the first of several jobs only, as some versions do.
    retypes_names
        Whether names and accounts that look like numbers are numbers in JSON, as in release 23.06.06.
    """

    name = "pbs"
    tells_all = True
    commands: Mapping[str, Command] = versioned(
        {
            "pbsnodes": pbsnodes,
            "qalter": qalter,
            "qdel": qdel,
            "qhold": qhold,
            "qrerun": qrerun,
            "qrls": qrls,
            "qselect": qselect,
            "qstat": qstat,
            "qsub": qsub,
        }
    )

    def __init__(self, tells_first_only: bool = True, retypes_names: bool = False) -> None:
        self.tells_first_only = tells_first_only
        self.retypes_names = retypes_names

    def variables(self, _cluster: VirtualCluster, index: Index) -> dict[str, str]:
        """What PBS tells a job script in its environment."""
        job = index.job
        first = str(job.ordered.details["resources"]["first"])
        found = {
            "PBS_ENVIRONMENT": "PBS_BATCH",
            "ENVIRONMENT": "BATCH",
            "PBS_JOBID": name_of(job, index.number if job.is_array else None),
            "PBS_JOBNAME": job.name,
            "PBS_QUEUE": job.ordered.details["queue"],
            "PBS_JOBDIR": job.ordered.details["home"],
            "PBS_NODENUM": "0",
            "PBS_TASKNUM": "1",
            "NCPUS": first,
            "OMP_NUM_THREADS": first,
        }
        if job.is_array:
            found |= {"PBS_ARRAY_INDEX": str(index.number), "PBS_ARRAY_ID": name_of(job)}
        return found

    def output(self, index: Index) -> Path:
        """Where what a job script prints goes."""
        job = index.job
        return Path((error_path if is_joined(job) == "e" else output_path)(job, str(index.number)))

    def errors(self, index: Index) -> Path:
        """Where what it prints as errors goes."""
        job = index.job
        return Path((output_path if is_joined(job) == "o" else error_path)(job, str(index.number)))

    def starts_without_output(self, cluster: VirtualCluster, index: Index) -> bool:
        """What is brought to its place at the end is lost; what is to be kept in place is tried for twenty times."""
        if "d" not in index.job.ordered.details["letters"].get("k", ""):
            return True
        run = index.run_of
        cluster.clock.after(1.0, lambda: self._try_again(cluster, index) if cluster.is_current(index, run) else None)
        return False

    def _try_again(self, cluster: VirtualCluster, index: Index) -> None:
        index.job.notes["cannot start"] = True
        if index.restarts >= TRIES:
            cluster.release(index.job, is_held=True)
        cluster.runs.put_back(index, "REQUEUED", "None")

    def folder(self, index: Index) -> Path:
        """Where a job script starts: at home."""
        return Path(index.job.ordered.details["home"])

    def shell(self, program: Sequence[str]) -> list[str]:
        """The command by which a node runs a program: a login shell starts it."""
        return [*_LOGIN_SHELL, *program]

    def out_of_memory(self, index: Index) -> str:
        """What is said in the output of a job that was killed for its memory."""
        limit = index.job.request.memory // 1024
        return f"=>> PBS: job killed: mem {limit + limit // 10}kb exceeded limit {limit}kb"

    def label(self, job: Job) -> str:
        """The id of a job."""
        return name_of(job)


PBS = PbsFace()
