"""Jobs of which nothing is run: how long they run and how they end is a function."""

from __future__ import annotations

import os
from collections.abc import Callable
from unittest.mock import patch

from sciflow.errors import SciflowError
from sciflow.execution import Run
from sciflow.schedulers.fake.cluster import VirtualCluster
from sciflow.schedulers.fake.flow import Turn
from sciflow.schedulers.fake.jobs import Index, Job
from sciflow.schedulers.fake.simulated import Program, Sight, SimulatedBody
from sciflow.store.layout import RunDirectory
from sciflow_shim import files

_LINGER = 2.0  # seconds until one that is told to end does
_PAUSES = (60.0, 300.0, 0.0)  # those of the script that tends a run


class PretendedBody:
    """Array jobs of sciflow leave their records; other jobs run for as long, and end as it is said.

    Parameters
    ----------
    program
        What a program knows → how it goes on.
    pause
        Lets seconds pass.
    turn
        Gives who may have the cluster; commands are answered while a run is tended.
    """

    def __init__(self, program: Program, pause: Callable[[float], None], turn: Callable[[], Turn]) -> None:
        self.program = program
        self._pause, self._turn = pause, turn
        self._of_runs = SimulatedBody(program, self._tend)

    def start(self, cluster: VirtualCluster, index: Index) -> None:
        """Start an index."""
        if _is_of_a_run(index.job):
            self._of_runs.start(cluster, index)
            return
        job, request = index.job, index.job.request
        sight = Sight(
            array=job.name,
            index=index.number,
            attempt=index.restarts + 1,
            parameters={},
            done=0.0,
            node=index.node.name if index.node else "",
            memory=request.memory,
            seconds=cluster.seconds_of(job),
        )
        course = self.program(sight)
        if course.error:
            with cluster.face.errors(index).open("a", encoding="utf-8") as log:
                log.write(f"{course.error}\n")
        if request.memory and course.memory > request.memory:
            self._end_after(cluster, index, course.seconds / 2, 0, 9, is_oom=True)
        else:
            self._end_after(cluster, index, course.seconds, int(bool(course.error)), course.signal)
        cluster.tell("running", index)

    def stop(self, cluster: VirtualCluster, index: Index) -> None:
        """Let an index end soon."""
        if _is_of_a_run(index.job):
            self._of_runs.stop(cluster, index)
        else:
            self._end_after(cluster, index, _LINGER, 0, 15)

    def kill(self, cluster: VirtualCluster, index: Index) -> None:
        """Let all of an index be gone."""
        if _is_of_a_run(index.job):
            self._of_runs.kill(cluster, index)

    def wait(self, _cluster: VirtualCluster) -> bool:
        """Nothing of it runs outside of virtual time."""
        return False

    def _end_after(
        self, cluster: VirtualCluster, index: Index, seconds: float, code: int, signal: int, is_oom: bool = False
    ) -> None:
        run = index.run_of

        def leave() -> None:
            if cluster.is_current(index, run):
                cluster.exited(index, code, signal, is_oom)

        cluster.clock.after(seconds, leave)

    def _tend(self, job: Job) -> int:
        """Do what the job does that tends a run, and as its script does."""
        for pause in _PAUSES:
            try:
                with self._turn().given_away(), patch.dict(os.environ, SLURM_JOB_ID=job.id, PBS_JOBID=job.id):
                    Run(RunDirectory(job.directory)).tend(is_chained=True)
            except (SciflowError, OSError):
                if not pause:
                    return 1
                self._pause(pause)
            else:
                return 0
        return 1


def _is_of_a_run(job: Job) -> bool:
    """Whether it was submitted by sciflow, from a run directory."""
    return (job.directory / files.MANIFEST).exists()
