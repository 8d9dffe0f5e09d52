"""The virtual cluster as a scheduler: what `sbatch`, `squeue`, `sacct` and `scancel` would be told, in process."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from sciflow.errors import ProfileError, SchedulerError, SciflowError
from sciflow.model.profile import Limits
from sciflow.model.state import State
from sciflow.model.statement import ACCOUNTING, CONTROLLER, REST, Statement, Testimony
from sciflow.schedulers.base import After, Errand, Submission
from sciflow.schedulers.fake import dependencies
from sciflow.schedulers.fake.cluster import VirtualCluster
from sciflow.schedulers.fake.dependencies import Wait
from sciflow.schedulers.fake.faults import NO_DATABASE
from sciflow.schedulers.fake.jobs import WAITS, Index, Job
from sciflow.schedulers.fake.words import controller_statement
from sciflow.schedulers.slurm import REMEMBERED, is_told, split_list
from sciflow.schedulers.slurm_submission import read_job_id, submit_command
from sciflow.transport.base import Transport

_SILENT = "Unable to contact slurm controller (connect failure)"
_in_place: list[VirtualCluster] = []


class FakeScheduler:
    """A virtual cluster, asked as Slurm is.

    Parameters
    ----------
    cluster
        The cluster.
    directory
        The run directory, from which jobs are submitted.
    """

    name = "fake"
    avoids_nodes = True

    def __init__(self, cluster: VirtualCluster, directory: Path) -> None:
        self.cluster = cluster
        self.directory = directory

    def submit(self, submission: Submission) -> str:
        """Hand an array job over; gives its job id."""
        answer = self.cluster.sbatch(
            submission.script,
            self.directory,
            submission.name or submission.array.name,
            sorted(submission.attempts) if len(submission.attempts) < submission.array.elements else None,
            submission.after,
            excluded=submission.avoided,
            begin=submission.begin,
            at_once=submission.at_once,
        )
        return read_job_id(answer, submission.describe())

    def send(self, errand: Errand) -> str:
        """Hand over a small job; gives its job id."""
        after = tuple(After(job, "whole") for job in errand.after)
        answer = self.cluster.sbatch(
            errand.script, self.directory, errand.name, after=after, is_any=True, begin=errand.begin
        )
        return read_job_id(answer, errand.name)

    def postpone(self, job: str, after: Sequence[After]) -> None:
        """Let a job that waits wait for other jobs; see `QueueScheduler`."""
        known = self._controller("scontrol").find(job)
        if known is None:
            raise SchedulerError("Invalid job id specified")
        if not known.waiting:
            raise SchedulerError("Job is no longer pending execution")
        self.cluster.postpone(known, after)

    def call(self, submission: Submission) -> str:
        """The call by which it would be submitted to Slurm."""
        return shlex.join(submit_command(submission, self.directory))

    def query(self, job_ids: Iterable[str]) -> dict[str, dict[int, State]]:
        """Job id → index → state, as the controller says, or accounting where the controller has forgotten."""
        answers = self.testify(dict.fromkeys(job_ids, ""), {}).answers
        found: dict[str, dict[int, State]] = {}
        for witness in (ACCOUNTING, CONTROLLER):
            for job, indices in answers.get(witness, {}).items():
                states = {index: one.state for index, one in indices.items() if index != REST}
                if states:
                    found.setdefault(job, {}).update(states)
        return found

    def cancel(self, job_id: str, indices: Iterable[int] | None = None) -> None:
        """Cancel some indices of a job, or all of it; what has ended already is left as it is."""
        self._controller("scancel").cancel(job_id, indices)

    def limits(self) -> Limits:
        """What it accepts."""
        rules = self.cluster.rules
        return Limits(highest_index=rules.highest_index, seconds_to_kill=rules.kill_wait)

    def testify(self, jobs: Mapping[str, str], wanted: Mapping[str, set[int]]) -> Testimony:
        """Ask the controller once and, where it has forgotten something, accounting once; see `QueueScheduler`."""
        testimony = Testimony()
        if not jobs:
            return testimony
        seen: dict[str, dict[int, Statement]] = {}
        try:
            cluster = self._controller("squeue")
            seen = testimony.answers[CONTROLLER] = {job: self._queue(cluster.find(job), jobs[job]) for job in jobs}
        except SciflowError as error:
            testimony.errors[CONTROLLER] = error.message
        if all(is_told(seen.get(job, {}), wanted.get(job)) for job in jobs):
            return testimony
        try:
            testimony.answers[ACCOUNTING] = {job: self._past(job, name) for job, name in jobs.items()}
            self.cluster.calls["sacct"] += 1
        except SciflowError as error:
            testimony.errors[ACCOUNTING] = error.message
        return testimony

    def find(self, names: Mapping[str, float]) -> dict[str, str]:
        """Name → job id, of those that were submitted; see `QueueScheduler`."""
        cluster, now = self._controller("squeue"), self.cluster.clock()
        found = {job.name: job.id for job in cluster.jobs.values() if job.name in names and cluster.find(job.id)}
        for name, since in names.items():
            if name not in found and now - since > REMEMBERED:
                self._check_accounting()
                job = cluster.accounting.find(name, now)
                found |= {name: job} if job else {}
        return found

    def parts(self, indices: Sequence[int]) -> Iterator[Sequence[int]]:
        """Cut indices into lists that one `--array` can hold."""
        return split_list(indices)

    def queued(self) -> int:
        """How many array indices of this user are queued or running."""
        return self._controller("squeue").queued()

    def _controller(self, command: str) -> VirtualCluster:
        self.cluster.calls[command] += 1
        if self.cluster.faults.is_silent(CONTROLLER):
            raise SchedulerError(_SILENT)
        return self.cluster

    def _check_accounting(self) -> None:
        if self.cluster.faults.is_silent(ACCOUNTING):
            raise SchedulerError(NO_DATABASE)

    def _queue(self, job: Job | None, name: str) -> dict[int, Statement]:
        if job is None or (name and job.name != name):
            return {}
        now, remembered = self.cluster.clock(), self.cluster.rules.remembered
        return {
            number: controller_statement(index, self._why(index))
            for number, index in job.indices.items()
            if not index.has_vanished and (index.end is None or now - index.end < remembered)
        }

    def _why(self, index: Index) -> str:
        """Why an index waits, in Slurm's word."""
        job, cluster = index.job, self.cluster
        if index.word != WAITS:
            return ""
        if max(job.begin, index.eligible) > cluster.clock():
            return "BeginTime"
        waits = (dependencies.of_job(job, cluster.find), dependencies.of_index(job, index.number, cluster.find))
        if Wait.WAITS in waits:
            return "Dependency"
        if job.throttle and job.running >= job.throttle:
            return "JobArrayTaskLimit"
        return "Resources"

    def _past(self, job: str, name: str) -> dict[int, Statement]:
        self._check_accounting()
        accounting = self.cluster.accounting
        if name and accounting.names.get(job) != name:
            return {}
        return accounting.said(job, self.cluster.clock())


@contextmanager
def in_place(cluster: VirtualCluster) -> Iterator[VirtualCluster]:
    """Let a virtual cluster be the one that profiles with ``scheduler: fake`` mean, while the block runs."""
    _in_place.append(cluster)
    try:
        yield cluster
    finally:
        _in_place.remove(cluster)


def connect(_transport: Transport, directory: Path) -> FakeScheduler:
    """The scheduler over the virtual cluster that is in place.

    Raises
    ------
    ProfileError
        Where there is none in this process.
    """
    if not _in_place:
        raise ProfileError(
            "there is no virtual cluster in this process",
            hint="`with sciflow.schedulers.fake.scheduler.in_place(VirtualCluster(…)):` makes one",
        )
    return FakeScheduler(_in_place[-1], directory)
