"""Runs on a virtual cluster: workflows whose programs are made up, and people who look after them."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import Any
from unittest.mock import patch

# What is loaded later would not tell virtual time.
import sciflow.run.cancel
import sciflow.run.collect
import sciflow.run.recover
import sciflow.run.tend  # noqa: F401
from sciflow.engine import Engine
from sciflow.errors import SciflowError
from sciflow.execution import Run
from sciflow.model.workflow import ExperimentalWorkflow
from sciflow.run.track import Reader
from sciflow.schedulers.fake.cluster import VirtualCluster
from sciflow.schedulers.fake.faces import FACES, RULES
from sciflow.schedulers.fake.jobs import Job
from sciflow.schedulers.fake.nodes import make_nodes
from sciflow.schedulers.fake.partitions import Partition
from sciflow.schedulers.fake.scheduler import in_place
from sciflow.schedulers.fake.simulated import Program, SimulatedBody
from sciflow.store.layout import RunDirectory
from sciflow.store.records import RecordState, read_states
from sciflow.testing.virtual_time import other_defaults, virtual_time

PROFILE = """
name: virtual
scheduler: fake
templates: {scheduler}
shared: false
partition: main
partitions:
  main: {{cpu_cores: {cores}, memory_gb: {memory_gb}, nodes: {nodes}, max_runtime: "{hours}:00:00", default: true}}
limits: {{highest_index: 10000{limits}}}
"""
OWN_ID = {"slurm": "SLURM_JOB_ID", "pbs": "PBS_JOBID"}  # by which a job knows itself


class VirtualSite:
    """A virtual cluster with a profile for it, on which one workflow is run.

    Parameters
    ----------
    folder
        Where the runs are.
    program
        What runs.
    nodes, cores, memory_gb, hours
        The cluster, and its longest walltime.
    limits
        More limits, as they stand in a profile.
    scheduler
        What it looks like: ``slurm`` or ``pbs``.
    rules
        How it is set up besides.
    """

    def __init__(
        self,
        folder: Path,
        program: Program,
        nodes: int = 4,
        cores: int = 8,
        memory_gb: int = 32,
        hours: int = 48,
        submitted_indices: int | None = None,
        seed: int = 0,
        scheduler: str = "slurm",
        **rules: Any,
    ) -> None:
        self.body = SimulatedBody(program, self._tend)
        self.cluster = VirtualCluster(
            make_nodes(nodes, cores, memory_gb),
            self.body,
            FACES[scheduler],
            rules=RULES[scheduler](
                partitions=(Partition(longest=hours * 3600.0),), submitted_indices=submitted_indices, **rules
            ),
            seed=seed,
        )
        limits = f", submitted_indices: {submitted_indices}" if submitted_indices else ""
        profile = folder / "virtual.yaml"
        size = {"cores": cores, "memory_gb": memory_gb, "nodes": nodes, "hours": hours}
        profile.write_text(PROFILE.format(scheduler=scheduler, limits=limits, **size), encoding="utf-8")
        self.engine = Engine(str(profile), runs=folder / "runs")
        self.tended = 0
        self.around_tending: Callable[[], AbstractContextManager[None]] = nullcontext

    @contextmanager
    def in_place(self) -> Iterator[VirtualCluster]:
        """Let it be the cluster of this process, and its time that of sciflow."""
        read = _remembering(read_states)
        memory = (other_defaults({read_states: read}), patch("sciflow.execution.read_states", read))
        with in_place(self.cluster), virtual_time(self.cluster.clock), memory[0], memory[1]:
            yield self.cluster

    def submit(self, workflow: ExperimentalWorkflow, autonomous: bool = False) -> Run:
        """Submit, as a person does."""
        return self.engine.submit(workflow, autonomous)

    def _tend(self, job: Job) -> int:
        """Do what the job does that tends a run; see `templates/slurm/tend.sh.j2`."""
        self.tended += 1
        face = self.cluster.face
        for pause in (60.0, 300.0, 0.0):
            try:
                with patch.dict(os.environ, {OWN_ID[face.name]: face.label(job)}), self.around_tending():
                    Run(RunDirectory(job.directory)).tend(is_chained=True)
            except (SciflowError, OSError):
                if not pause:
                    return 1
                self.cluster.clock.sleep(pause)
            else:
                return 0
        return 1


def _remembering(read: Reader) -> Reader:
    """Read each record once: a run is looked at thousands of times here, by one process."""
    known: dict[str, tuple[tuple[int, int], dict[int, RecordState] | None]] = {}

    def look(path: str, index: int) -> dict[int, RecordState] | None:
        facts = os.stat(path)  # noqa: PTH116 - half a million times
        stamp = (facts.st_mtime_ns, facts.st_size)
        if path not in known or known[path][0] != stamp:
            known[path] = (stamp, read(path, index))
        return known[path][1]

    return look


def completions(run: Run) -> Mapping[tuple[str, int], int]:
    """Array and index → how many of its records say that it was completed."""
    found: Counter[tuple[str, int]] = Counter()
    for array in run.plan.arrays:
        for one in run.directory.records(array.name):
            for index, record in (read_states(one.path, one.index) or {}).items():  # of all that are packed in it
                found[array.name, index] += record.state.is_success
    return found
