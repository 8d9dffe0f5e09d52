"""A real Slurm as the contract sees a scheduler."""

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from live.account import Account
from live.slurm_cluster import SlurmCluster
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
from sciflow.schedulers.slurm import SlurmScheduler
from sciflow.store.journal import Journal
from sciflow.transport.base import Answer
from sciflow_shim import files

# Held until `finish` lets go of it: nothing starts while it is being submitted.
PROFILE = ClusterProfile(name="contract", scheduler="slurm", directives=("--hold",), capacity=Capacity(cpu_cores=4))


class AccountTransport:
    """Runs commands as an ordinary user."""

    def __init__(self, account: Account) -> None:
        self.account = account

    def run(
        self,
        command: Sequence[str],
        cwd: Path | None = None,
        variables: Mapping[str, str] | None = None,
        seconds: float = 60.0,
    ) -> Answer:
        """Run a command to its end; see `Transport.run`."""
        done = self.account.run(*command, cwd=cwd, env=variables, timeout=seconds, check=False)
        return Answer(done.returncode, done.stdout, done.stderr)


class SlurmSite:
    """One run directory on a cluster of 4 cores, 4 GB and 2 GPUs; see `Site` of the contract."""

    waits_by_index = True

    def __init__(self, cluster: SlurmCluster, workflow: ExperimentalWorkflow, desk: Path) -> None:
        self.cluster = cluster
        account = cluster.account
        compiled = build_plan(workflow, PROFILE)
        find = partial(assets.read_template, workflow.directory)
        self.render = ScriptRenderer(PROFILE, str(account.python), find)
        self.run = stage(compiled, desk / "runs", self.render)
        self.plan: Plan = compiled.plan
        self.scheduler = SlurmScheduler(AccountTransport(account), self.run.path)
        self._belongs_to(account)

    def _belongs_to(self, account: Account) -> None:
        for path in (self.run.path, *self.run.path.rglob("*")):
            os.chown(path, account.uid, account.gid)

    def submit(self, array: ArrayJob, attempts: Mapping[int, int]) -> str:
        """Submit some indices, with the script that their request makes; Slurm checks no request of a job on hold."""
        self.run.script(array.name).write_text(self.render(replace(array, options=Options())))
        name = f"{array.name}.{self.run.run_id}.x"
        submission = Submission(array, self.run.script(array.name), attempts, name)
        (self.run / files.logs(array.name)).mkdir(parents=True, exist_ok=True)
        self._belongs_to(self.cluster.account)
        job = self.scheduler.submit(submission)
        intent = {"array": array.name, "name": name, "indices": files.format_ranges(sorted(attempts))}
        Journal(self.run.journal).append(
            [{"event": "intent", **intent}, {"event": "submitted", "array": array.name, "name": name, "job": job}]
        )
        return job

    def submit_all(self) -> dict[str, str]:
        """Submit as `sciflow submit` does."""
        handed = submit(self.run, self.plan, lambda _keep_open: self.scheduler, Terms(PROFILE.limits))
        self._belongs_to(self.cluster.account)
        return {array: job for job, (array, _) in handed.jobs.items()}

    def cancel(self, array: str, job: str, indices: Iterable[int] | None = None) -> None:
        """Cancel as `sciflow cancel` does."""
        known = observe(self.run, self.plan).submissions.by_name.values()
        assert [one.array for one in known if one.job == job] == [array]
        count = next(one.count for one in self.plan.arrays if one.name == array)
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
            self.scheduler.transport.run(["scontrol", "release", job])
        told: set[tuple[str, str, int]] = set()
        submitted = {(one.array, index) for one in submissions.by_name.values() for index in one.indices}

        def is_over() -> bool:
            status = track(self.run, self.plan, self.scheduler)
            for event in _news(status, told):
                hear(event)
            return all(status.indices[array][index].is_over for array, index in submitted)

        self.cluster.wait_for(is_over, "the end of all that was submitted")


def _news(status: RunStatus, told: set[tuple[str, str, int]]) -> Iterable[dict[str, Any]]:
    """What has started or ended since the last look."""
    for array, indices in status.indices.items():
        for index, one in indices.items():
            has_run = one.state is State.RUNNING or (one.state.is_final and one.record is not None)
            for event, is_so in (("started", has_run), ("ended", one.state.is_final)):
                if is_so and (event, array, index) not in told:
                    told.add((event, array, index))
                    yield {"event": event, "array": array, "index": index, "state": one.state.value}
