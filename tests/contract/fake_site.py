"""The virtual cluster as the contract sees a scheduler: its job scripts are really run."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from sciflow import assets
from sciflow.model.options import Options
from sciflow.model.plan import ArrayJob, Plan
from sciflow.model.profile import Capacity, ClusterProfile
from sciflow.model.state import State
from sciflow.model.workflow import ExperimentalWorkflow
from sciflow.planning.build import build_plan
from sciflow.planning.render import ScriptRenderer
from sciflow.run.cancel import cancel
from sciflow.run.follow import track
from sciflow.run.stage import stage
from sciflow.run.submit import submit
from sciflow.run.terms import Terms
from sciflow.run.track import observe
from sciflow.schedulers.base import Submission
from sciflow.schedulers.fake.clock import VirtualClock
from sciflow.schedulers.fake.cluster import VirtualCluster
from sciflow.schedulers.fake.face import Face
from sciflow.schedulers.fake.jobs import Index
from sciflow.schedulers.fake.nodes import make_nodes
from sciflow.schedulers.fake.pbs.site import pbs_rules
from sciflow.schedulers.fake.real import RealBody
from sciflow.schedulers.fake.rules import Rules
from sciflow.schedulers.fake.scheduler import scheduler_of
from sciflow.store.journal import Journal
from sciflow_shim import files

# A site of PBS that says what its largest node has: PBS itself would let wait for ever what no node can hold.
RULES = {"slurm": Rules(), "pbs": pbs_rules(takes_impossible=False)}


class FakeSite:
    """One run directory on a virtual node of 4 cores, 4 GB and 2 GPUs; see `Site` of the contract.

    Parameters
    ----------
    workflow, runs
        What is run, and where.
    now
        The time at which it begins.
    face
        The scheduler that it looks like.
    """

    def __init__(self, workflow: ExperimentalWorkflow, runs: Path, now: float, face: Face) -> None:
        capacity = Capacity(cpu_cores=4)
        self.profile = ClusterProfile(name="contract", scheduler="fake", templates=face.name, capacity=capacity)
        compiled = build_plan(workflow, self.profile)
        find = partial(assets.read_template, workflow.directory)
        self.render = ScriptRenderer(self.profile, sys.executable, find)
        self.run = stage(compiled, runs, self.render)
        self.plan: Plan = compiled.plan
        self.waits_by_index = self.profile.waits_by_index
        # Programs that are really run leave records with real times.
        nodes = make_nodes(1, 4, 4, gpus=2)
        self.cluster = VirtualCluster(nodes, RealBody(), face, VirtualClock(now), RULES[face.name])
        self.scheduler = scheduler_of(self.cluster, self.run.path)

    def submit(self, array: ArrayJob, attempts: Mapping[int, int]) -> str:
        """Submit some indices, with the script that their request makes."""
        self.run.script(array.name).write_text(self.render(replace(array, options=Options())))
        name = f"{array.name}.{self.run.run_id}.x"
        (self.run.path / files.logs(array.name)).mkdir(parents=True, exist_ok=True)
        job = self.scheduler.submit(Submission(array, self.run.script(array.name), attempts, name))
        intent = {"array": array.name, "name": name, "indices": files.format_ranges(sorted(attempts))}
        Journal(self.run.journal).append(
            [{"event": "intent", **intent}, {"event": "submitted", "array": array.name, "name": name, "job": job}]
        )
        return job

    def submit_all(self) -> dict[str, str]:
        """Submit as `sciflow submit` does."""
        handed = submit(self.run, self.plan, lambda _keep_open: self.scheduler, Terms(self.profile.limits))
        return {array: job for job, (array, _) in handed.jobs.items()}

    def cancel(self, array: str, job: str, indices: Iterable[int] | None = None) -> None:
        """Cancel as `sciflow cancel` does."""
        count = self.plan.array(array).count
        chosen = {array: set(range(count) if indices is None else indices)}
        cancel(self.run, self.plan, lambda _keep_open: self.scheduler, chosen)

    def states(self, jobs: Mapping[str, str]) -> dict[str, list[State]]:
        """Ask all witnesses, and judge."""
        status = track(self.run, self.plan, self.scheduler, self.cluster.clock)
        indices = {one.job: sorted(one.indices) for one in status.submissions.by_name.values()}
        return {name: [status.indices[name][index].state for index in indices[job]] for name, job in jobs.items()}

    def finish(self, hear: Callable[[dict[str, Any]], None] = lambda _event: None) -> None:
        """Let virtual time pass, which is real as long as a program runs."""
        names = {one.job: one.array for one in observe(self.run, self.plan).submissions.by_name.values()}

        def listen(what: str, index: Index) -> None:
            if what in ("running", "ended"):
                array, event = names[self.cluster.face.label(index.job)], "started" if what == "running" else what
                state = (
                    track(self.run, self.plan, self.scheduler, self.cluster.clock).indices[array][index.number].state
                )
                hear({"event": event, "array": array, "index": index.number, "state": state.value})

        self.cluster.listeners.append(listen)
        self.cluster.run()
        self.cluster.clock.sleep(20.0)  # accounting lags, and patience is not at its end before
