"""A real PBS as the contract sees a scheduler."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
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
from sciflow.run.status import RunStatus
from sciflow.run.submit import submit
from sciflow.run.terms import Terms
from sciflow.run.track import observe
from sciflow.schedulers.base import Submission
from sciflow.schedulers.pbs import PbsScheduler
from sciflow.store.journal import Journal
from sciflow.transport.local import LocalTransport
from sciflow_shim import files

# Held until `finish` lets go of it: nothing starts while it is being submitted.
PROFILE = ClusterProfile(name="contract", scheduler="pbs", directives=("-h",), capacity=Capacity(cpu_cores=4))
PATIENCE = 120.0


class PbsSite:
    """One run directory on a node of 4 cores, 4 GB and 2 GPUs; see `Site` of the contract."""

    waits_by_index = PROFILE.waits_by_index

    def __init__(self, workflow: ExperimentalWorkflow, desk: Path) -> None:
        compiled = build_plan(workflow, PROFILE)
        self.render = ScriptRenderer(PROFILE, sys.executable, partial(assets.read_template, workflow.directory))
        self.run = stage(compiled, desk / "runs", self.render)
        self.plan: Plan = compiled.plan
        self.transport = LocalTransport()
        self.scheduler = PbsScheduler(self.transport, self.run.path)

    def submit(self, array: ArrayJob, attempts: Mapping[int, int]) -> str:
        """Submit some indices, with the script that their request makes."""
        self.run.script(array.name).write_text(self.render(replace(array, options=Options())))
        name = f"{array.name}.{self.run.run_id}.x"
        (self.run / files.logs(array.name)).mkdir(parents=True, exist_ok=True)
        job = self.scheduler.submit(Submission(array, self.run.script(array.name), attempts, name))
        intent = {"array": array.name, "name": name, "indices": files.format_ranges(sorted(attempts))}
        Journal(self.run.journal).append(
            [{"event": "intent", **intent}, {"event": "submitted", "array": array.name, "name": name, "job": job}]
        )
        return job

    def submit_all(self) -> dict[str, str]:
        """Submit as `sciflow submit` does."""
        handed = submit(self.run, self.plan, lambda _keep_open: self.scheduler, Terms(PROFILE.limits))
        return {array: job for job, (array, _) in handed.jobs.items()}

    def cancel(self, array: str, job: str, indices: Iterable[int] | None = None) -> None:
        """Cancel as `sciflow cancel` does."""
        count = self.plan.array(array).count
        chosen = {array: set(range(count) if indices is None else indices)}
        cancel(self.run, self.plan, lambda _keep_open: self.scheduler, chosen)

    def states(self, jobs: Mapping[str, str]) -> dict[str, list[State]]:
        """Ask all witnesses, and judge."""
        status = track(self.run, self.plan, self.scheduler)
        indices = {one.job: sorted(one.indices) for one in status.submissions.by_name.values()}
        return {name: [status.indices[name][index].state for index in indices[job]] for name, job in jobs.items()}

    def finish(self, hear: Callable[[dict[str, Any]], None] = lambda _event: None) -> None:
        """Let go of what is held, and follow it to its end."""
        submissions = observe(self.run, self.plan).submissions
        for job in submissions.jobs:
            self.transport.run(["qrls", job])
        told: set[tuple[str, str, int]] = set()
        submitted = {(one.array, index) for one in submissions.by_name.values() for index in one.indices}
        until = time.monotonic() + PATIENCE
        while True:
            status = track(self.run, self.plan, self.scheduler)
            for event in _news(status, told):
                hear(event)
            if all(status.indices[array][index].is_over for array, index in submitted):
                return
            assert time.monotonic() < until, status.counts()
            time.sleep(0.2)


def _news(status: RunStatus, told: set[tuple[str, str, int]]) -> Iterator[dict[str, Any]]:
    """What has started or ended since the last look."""
    for array, indices in status.indices.items():
        for index, one in indices.items():
            has_run = one.state is State.RUNNING or (one.state.is_final and one.record is not None)
            for event, is_so in (("started", has_run), ("ended", one.state.is_final)):
                if is_so and (event, array, index) not in told:
                    told.add((event, array, index))
                    yield {"event": event, "array": array, "index": index, "state": one.state.value}
