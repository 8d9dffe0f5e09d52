"""Slurm: pairs of pure functions, one that makes a command and one that reads its answer, over a transport."""

from __future__ import annotations

import getpass
import re
import shlex
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from sciflow.errors import SchedulerError, SciflowError
from sciflow.model.state import State
from sciflow.model.statement import ACCOUNTING, CONTROLLER, REST, Statement, Testimony
from sciflow.schedulers.base import After, Errand, Submission
from sciflow.schedulers.slurm_submission import (
    errand_command,
    postpone_command,
    read_job_id,
    read_throttled,
    submit_command,
    throttle_command,
)
from sciflow.schedulers.slurm_words import REJECTED, STATES, state_and_reason, way_out
from sciflow.transport.base import Answer, Transport
from sciflow_shim import files

if TYPE_CHECKING:
    from sciflow.model.load import Load
    from sciflow.model.profile import Limits
    from sciflow.schedulers.slurm_why import SlurmExplainer

Jobs = dict[str, dict[int, Statement]]
SUBMIT_PATIENCE = 60.0  # seconds; sbatch itself waits for ever where the controller takes no more jobs
REMEMBERED = 200.0  # seconds for which the controller surely knows a job, whatever became of it
LONGEST_LIST = 4_000  # characters of `--array`; Slurm takes 4,096
VARIABLES = {"SLURM_BITSTR_LEN": "0", "SLURM_TIME_FORMAT": "%s"}
_SQUEUE = "%F|%K|%j|%T|%S|%e|%N|%r"
ACCOUNTING_COLUMNS = "JobID,JobName,State,ExitCode,Start,End,NodeList"
_OFF = "accounting storage is disabled"


class SlurmScheduler:
    """Slurm, by its commands.

    Parameters
    ----------
    transport
        Runs the commands.
    directory
        The run directory, from which jobs are submitted and where they start.
    clock
        Seconds since the epoch.
    """

    name = "slurm"
    avoids_nodes = True

    def __init__(self, transport: Transport, directory: Path, clock: Callable[[], float] = time.time) -> None:
        self.transport = transport
        self.directory = directory
        self.clock = clock

    def submit(self, submission: Submission) -> str:
        """Hand an array job over; gives its job id.

        Raises
        ------
        SchedulerError
            In Slurm's own words, with the task's name and the way out.
        """
        if "\\" in str(self.directory):
            raise SchedulerError(
                f"`{self.directory}` has a backslash in it, with which Slurm cannot write logs",
                hint="run it from a folder of another name, or name one with `--runs`",
            )
        command = submit_command(submission, self.directory)
        answer = self.transport.run(command, self.directory, seconds=SUBMIT_PATIENCE)
        return read_job_id(answer, submission.describe())

    def send(self, errand: Errand) -> str:
        """Hand over a small job; gives its job id."""
        command = errand_command(errand, self.directory)
        return read_job_id(self.transport.run(command, self.directory, seconds=SUBMIT_PATIENCE), errand.name)

    def postpone(self, job: str, after: Sequence[After]) -> None:
        """Let a job that waits wait for other jobs; see `QueueScheduler`."""
        _heard(self.transport.run(postpone_command(job, after)))

    def call(self, submission: Submission) -> str:
        """The call by which it would be submitted."""
        return shlex.join(submit_command(submission, self.directory))

    def query(self, job_ids: Iterable[str]) -> dict[str, dict[int, State]]:
        """Job id → index → state, as the controller says, or accounting where the controller has forgotten."""
        jobs = dict.fromkeys((job for job in job_ids if job.isdecimal()), "")
        answers = self.testify(jobs, {}).answers
        found: dict[str, dict[int, State]] = {}
        for witness in (ACCOUNTING, CONTROLLER):
            for job, indices in answers.get(witness, {}).items():
                states = {index: one.state for index, one in indices.items() if index != REST}
                if states:
                    found.setdefault(job, {}).update(states)
        return found

    def cancel(self, job_id: str, indices: Iterable[int] | None = None) -> None:
        """Cancel some indices of a job, or all of it; what has ended already is left as it is.

        Raises
        ------
        SchedulerError
            Where Slurm refuses.
        """
        for command in cancel_commands(job_id, indices):
            answer = self.transport.run(command)
            if answer.code:
                raise SchedulerError(
                    f"Slurm does not cancel job {job_id}: {answer.complaint}", hint=way_out(answer.complaint)
                )

    def explainer(self) -> SlurmExplainer:
        """Who tells why something waits."""
        from sciflow.schedulers.slurm_why import SlurmExplainer

        return SlurmExplainer(self.transport, self.directory, self.clock)

    def limits(self) -> Limits:
        """What it accepts, from its configuration."""
        answer = _heard(self.transport.run(["scontrol", "show", "config"], variables=VARIABLES))
        return read_limits(answer.out)

    def testify(self, jobs: Mapping[str, str], wanted: Mapping[str, set[int]]) -> Testimony:
        """Ask the controller once and, where it has forgotten something, accounting once; see `QueueScheduler`."""
        testimony = Testimony()
        if not jobs:
            return testimony
        try:
            answer = _heard(self.transport.run(QUEUE_COMMAND, variables=VARIABLES))
            seen = testimony.answers[CONTROLLER] = read_queue(answer.out, jobs)
        except SciflowError as error:
            seen = {}
            testimony.errors[CONTROLLER] = error.message
        if all(is_told(seen.get(job, {}), wanted.get(job)) for job in jobs):
            return testimony
        try:
            answer = _heard(self.transport.run(accounting_command(jobs), variables=VARIABLES))
            testimony.answers[ACCOUNTING] = read_accounting(answer.out, jobs)
        except SciflowError as error:
            testimony.errors[ACCOUNTING] = "it is off" if _OFF in error.message else error.message
        return testimony

    def find(self, names: Mapping[str, float]) -> dict[str, str]:
        """Name → job id, of those that were submitted; see `QueueScheduler`."""
        found = read_names(_heard(self.transport.run(present_command(names))).out, names)
        old = {name: since for name, since in names.items() if name not in found and self.clock() - since > REMEMBERED}
        if old:
            answer = self.transport.run(past_command(old))
            # Where there is no accounting, records are all that is left; the caller has looked at them.
            if not (answer.code and _OFF in answer.complaint):
                found |= read_names(_heard(answer).out, old)
        return found

    def parts(self, indices: Sequence[int]) -> Iterator[Sequence[int]]:
        """Cut indices into lists that one `--array` can hold."""
        return split_list(indices)

    def queued(self) -> int:
        """How many array indices of this user are queued or running."""
        answer = _heard(self.transport.run(["squeue", "-h", "--me", "-o", "%K"], variables=VARIABLES))
        return sum(1 if line == "N/A" else sum(1 for _ in read_indices(line)) for line in answer.out.splitlines())

    def throttle(self, job: str, at_once: int) -> bool:
        """Let so many of a job's indices run at once; see `QueueScheduler`."""
        return read_throttled(self.transport.run(throttle_command(job, at_once)), job)

    def load(self, is_of_others: bool) -> Load:
        """How many cores are up, and whether others wait for them; see `QueueScheduler`."""
        from sciflow.schedulers.slurm_load import NODES_COMMAND, OTHERS_COMMAND, read_load

        nodes = _heard(self.transport.run(NODES_COMMAND)).out
        others = _heard(self.transport.run(OTHERS_COMMAND)).out if is_of_others else None
        return read_load(nodes, others, getpass.getuser())


def cancel_commands(job: str, indices: Iterable[int] | None) -> Iterator[list[str]]:
    """The `scancel` calls for some indices of a job, or all of it."""
    if indices is None:
        yield ["scancel", job]
        return
    for part in split_list(sorted(indices)):
        yield ["scancel", f"{job}_[{files.format_ranges(part)}]"]


def split_list(indices: Sequence[int], longest: int = LONGEST_LIST) -> Iterator[Sequence[int]]:
    """Cut indices into parts whose written lists Slurm can take."""
    if len(files.format_ranges(indices)) <= longest or len(indices) < 2:
        yield indices
        return
    middle = len(indices) // 2
    yield from split_list(indices[:middle], longest)
    yield from split_list(indices[middle:], longest)


QUEUE_COMMAND = ["squeue", "-h", "--me", "-t", "all", "-o", _SQUEUE]


def read_queue(text: str, jobs: Mapping[str, str]) -> Jobs:
    """What the controller says of jobs.

    Parameters
    ----------
    text
        The output of `QUEUE_COMMAND`.
    jobs
        Job id → its unique name; an empty name is not compared.
    """
    found: Jobs = {job: {} for job in jobs}
    bare: dict[str, Statement] = {}
    for line in text.splitlines():
        job, _, rest = line.partition("|")
        if job not in jobs:
            continue  # of somebody else's doing, perhaps with `|` in its name
        indices, name, word, start, end, node, reason = rest.split("|", 6)
        if jobs[job] and name != jobs[job]:
            continue  # another job that was given the same id
        statement = Statement(*state_and_reason(word, reason), _time(start), _time(end), node)
        if indices == "N/A":
            bare[job] = statement
        for index in read_indices(indices):
            found[job][index] = statement
    for job, statement in bare.items():
        # A job that is no array is like its index 0; an array of which each index was cancelled has such a row as well.
        found[job].setdefault(0, statement)
    return found


def accounting_command(jobs: Iterable[str]) -> list[str]:
    """The `sacct` call about jobs; without a window of time, which would hide some of them."""
    return ["sacct", "-X", "-n", "-P", "-j", ",".join(jobs), "-o", ACCOUNTING_COLUMNS]


def read_accounting(text: str, jobs: Mapping[str, str]) -> Jobs:
    """What accounting says of jobs; see `read_queue`.

    A row without an index is, for a moment after the end of a job, that of its last index; only a cancelled one tells
    of all that have no row of their own.
    """
    found: Jobs = {job: {} for job in jobs}
    lists: list[tuple[str, str, Statement]] = []
    for line in text.splitlines():
        job, _, indices = line.partition("|")[0].partition("_")
        if job not in jobs:
            continue  # a greeting of the site's, or a blank line
        _, name, word, code, start, end, node = line.split("|", 6)
        if jobs[job] and name != jobs[job]:
            continue
        word, _, by = word.partition(" ")
        state = STATES.get(word, State.UNKNOWN)
        if state.is_final and _time(end) is None:
            state = State.RUNNING  # it has not come to its end: the code is not known yet
        statement = Statement(state, word, by, _time(start), _time(end), "" if node == "None assigned" else node, code)
        if not indices:
            if state is State.CANCELLED:
                found[job][REST] = statement
        elif indices.isdecimal():
            found[job][int(indices)] = statement
        else:
            lists.append((job, indices, statement))
    for job, indices, statement in lists:
        for index in read_indices(indices):
            found[job].setdefault(index, statement)  # a row of its own knows better
    return found


def present_command(names: Iterable[str]) -> list[str]:
    """The `squeue` call that looks for jobs by name."""
    return ["squeue", "-h", "--me", "-t", "all", "-n", ",".join(names), "-o", "%F|%j|%T|%r"]


def past_command(names: Mapping[str, float]) -> list[str]:
    """The `sacct` call that looks for jobs by name, from a day before they were submitted."""
    since = datetime.fromtimestamp(min(names.values()) - 86_400).strftime("%Y-%m-%d")
    return ["sacct", "-X", "-n", "-P", "-S", since, "--name", ",".join(names), "-o", "JobID,JobName"]


def read_names(text: str, names: Iterable[str]) -> dict[str, str]:
    """Name → job id, from rows of id and name, perhaps with state and reason; a job that was refused is none."""
    wanted = set(names)
    found = {}
    for place, name, *rest in (line.split("|", 3) for line in text.splitlines() if "|" in line):
        if name in wanted and rest != ["FAILED", REJECTED]:
            found[name] = place.partition("_")[0]
    return found


def read_indices(text: str) -> Iterator[int]:
    """The indices of ``[2-4,7,10-20:5%3]``."""
    text = text.strip("[]").partition("%")[0]
    for part in text.split(",") if text and text != "N/A" else ():
        bounds, _, step = part.partition(":")
        first, dash, last = bounds.partition("-")
        yield from range(int(first), int(last if dash else first) + 1, int(step or 1))


def read_limits(text: str) -> Limits:
    """The limits in the output of `scontrol show config`."""
    from sciflow.model.profile import Limits  # it takes its time, and the status of a run needs none of it

    values = dict(re.findall(r"^(\w+)\s*=\s*(\S+)", text, re.MULTILINE))
    largest = int(values.get("MaxArraySize", 1001))
    kill = re.match(r"\d+", values.get("KillWait", ""))
    return Limits(highest_index=max(0, largest - 1), seconds_to_kill=float(kill[0]) if kill and int(kill[0]) else None)


def is_told(seen: Mapping[int, Statement], wanted: set[int] | None) -> bool:
    """Whether accounting has nothing to add: all that is wanted of a job waits or runs, or at least it is known."""
    if wanted is None:
        return bool(seen)
    return all(index in seen and not seen[index].state.is_final for index in wanted)


def _heard(answer: Answer) -> Answer:
    if answer.code:
        raise SchedulerError(re.sub(r"\b(\w+): error: ", "", answer.complaint), hint=way_out(answer.complaint))
    if answer.out and not answer.out.endswith("\n"):
        # What is missing is not what is not there: nobody may be taken for gone because of it.
        raise SchedulerError(
            f"Slurm's answer breaks off after {answer.out[-60:]!r}", hint="the same command asks again"
        )
    return answer


def _time(text: str) -> float | None:
    return float(text) if text.isdecimal() else None
