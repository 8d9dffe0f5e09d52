"""PBS (OpenPBS, PBS Professional): pairs of pure functions, made of commands and answers, over a transport."""

from __future__ import annotations

import os
import shlex
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from sciflow.errors import SchedulerError, SciflowError, TransportError
from sciflow.model.state import State
from sciflow.model.statement import ACCOUNTING, CONTROLLER, REST, Testimony
from sciflow.schedulers import pbs_answers
from sciflow.schedulers.base import After, Errand, Submission
from sciflow.schedulers.pbs_answers import Facts
from sciflow.schedulers.pbs_submission import NO_SERVER, errand_command, needs_map, read_job_id, submit_command
from sciflow.schedulers.pbs_words import way_out
from sciflow.store.layout import write_whole
from sciflow.transport.base import Answer, Transport
from sciflow_shim import files

if TYPE_CHECKING:
    from sciflow.model.profile import Limits

PATIENCE = 60.0  # seconds; commands of PBS wait for ever where the server hangs
_UNKNOWN, _FINISHED = 153, 35  # exit codes: no such job, and one that is over
_TOO_LATE = (_UNKNOWN, _FINISHED, 55, 156)  # … and sub-jobs that are over or were never there
_CALENDAR = {"LC_ALL": "C"}


class PbsScheduler:
    """PBS, by its commands.

    Parameters
    ----------
    transport
        Runs the commands.
    directory
        The run directory, from which jobs are submitted.
    clock
        Seconds since the epoch.
    """

    name = "pbs"
    avoids_nodes = False

    def __init__(self, transport: Transport, directory: Path, clock: Callable[[], float] = time.time) -> None:
        self.transport = transport
        self.directory = directory
        self.clock = clock

    def submit(self, submission: Submission) -> str:
        """Hand an array job over; gives its job id.

        Raises
        ------
        SchedulerError
            In PBS's own words, with the task's name and the way out.
        """
        elements = sorted(submission.attempts)
        if needs_map(elements):
            # The job finds it by its name, since values are mangled on their way into a job's environment.
            path = self.directory / files.index_map(submission.name)
            write_whole(path, "".join(f"{element}\n" for element in elements))
        command = submit_command(submission, self.directory, self._alive(one.job for one in submission.after))
        return read_job_id(self._run(command, self.directory), submission.describe())

    def send(self, errand: Errand) -> str:
        """Hand over a small job; gives its job id."""
        alive = self._alive(errand.after)
        command = errand_command(Errand(errand.script, errand.name, tuple(alive), errand.begin), self.directory)
        return read_job_id(self._run(command, self.directory), errand.name)

    def postpone(self, job: str, after: Sequence[After]) -> None:
        """Let a job that waits wait for other jobs; see `QueueScheduler`."""
        alive = self._alive(one.job for one in after)
        if alive:
            self._heard(self._run(["qalter", "-W", f"depend=afterany:{':'.join(alive)}", job]))

    def call(self, submission: Submission) -> str:
        """The call by which it would be submitted."""
        return shlex.join(submit_command(submission, self.directory, [one.job for one in submission.after]))

    def query(self, job_ids: Iterable[str]) -> dict[str, dict[int, State]]:
        """Job id → index → state."""
        answers = self.testify(dict.fromkeys((job for job in job_ids if job), ""), {}).answers.get(CONTROLLER, {})
        found = {job: {i: one.state for i, one in known.items() if i != REST} for job, known in answers.items()}
        return {job: states for job, states in found.items() if states}

    def cancel(self, job_id: str, indices: Iterable[int] | None = None) -> None:
        """Cancel some indices of a job, or all of it; what has ended already is left as it is.

        Raises
        ------
        SchedulerError
            Where PBS refuses.
        """
        if indices is None or "[]" not in job_id:
            targets = [job_id]
        else:
            places = self._places(job_id, sorted(indices))
            # It takes ranges and no lists.
            targets = [job_id.replace("[]", f"[{part}]") for part in files.format_ranges(places).split(",") if part]
        for target in targets:
            answer = self._run(["qdel", target])
            if answer.code and answer.code not in _TOO_LATE:
                raise SchedulerError(f"PBS does not cancel {target}: {answer.complaint}", way_out(answer.complaint))

    def limits(self) -> Limits:
        """What it accepts; what the profile does not say is found out when it refuses."""
        from sciflow.model.profile import Limits

        return Limits()

    def testify(self, jobs: Mapping[str, str], wanted: Mapping[str, set[int]]) -> Testimony:  # noqa: ARG002
        """Ask the server once about all jobs; it is the only witness, and knows the past where the site lets it."""
        testimony = Testimony(errors={ACCOUNTING: "it is off"})
        if not jobs:
            return testimony
        try:
            known = self._known(list(jobs))
        except SciflowError as error:
            testimony.errors[CONTROLLER] = error.message
            return testimony
        maps = {job: places for job, name in jobs.items() if (places := self._map(name or _name(known, job)))}
        testimony.answers[CONTROLLER] = pbs_answers.read_statements(known, jobs, maps)
        return testimony

    def find(self, names: Mapping[str, float]) -> dict[str, str]:
        """Name → job id, of those that were submitted; see `QueueScheduler`."""
        found = {}
        for name in names:
            answer = self._heard(self._run(["qselect", "-x", "-N", name]))
            ids = answer.out.split()
            if ids:
                found[name] = ids[-1]
        return found

    def parts(self, indices: Sequence[int]) -> Iterator[Sequence[int]]:
        """All of them: a map holds any number."""
        yield indices

    def queued(self) -> int:
        """How many array indices of this user are queued or running."""
        user = os.environ.get("USER") or str(os.getuid())
        ids = self._heard(self._run(["qselect", "-u", user])).out.split()
        return sum(_unfinished(facts) for facts in self._known(ids, is_whole=True).values()) if ids else 0

    def _known(self, ids: Sequence[str], is_whole: bool = False) -> dict[str, Facts]:
        """Job id → attributes; those that PBS does not know are left out.

        Raises
        ------
        SchedulerError, TransportError
            Where it does not answer.
        """
        command = pbs_answers.query_command(ids)
        if is_whole:
            command.remove("-t")
        answer = self._run(command)
        if answer.code and answer.code != _UNKNOWN:
            self._heard(answer)
        try:
            return pbs_answers.read_json(answer.out)
        except ValueError:  # one odd value of one variable spoils the answer about all jobs
            answer = self._run([*pbs_answers.query_command(ids, "dsv")])
            return pbs_answers.read_dsv(self._heard(answer).out) if answer.code != _UNKNOWN else {}

    def _alive(self, jobs: Iterable[str]) -> list[str]:
        """Those that are not over, in order: PBS deletes what depends on a job that it has forgotten."""
        wanted = list(dict.fromkeys(jobs))
        known = self._known(wanted, is_whole=True) if wanted else {}
        return [job for job in wanted if job in known and known[job]["job_state"] not in ("F", "X")]

    def _places(self, job: str, elements: Sequence[int]) -> list[int]:
        """The places of elements in an array job of PBS."""
        known = self._known([job], is_whole=True)
        places = self._map(_name(known, job))
        if not places:
            return list(elements)
        at = {element: place for place, element in enumerate(places)}
        return [at[element] for element in elements if element in at]

    def _map(self, name: str) -> list[int]:
        """The element at each place of a job; nothing where its indices are its elements."""
        try:
            return [int(line) for line in (self.directory / files.index_map(name)).read_text().split()] if name else []
        except FileNotFoundError:
            return []

    def _run(self, command: Sequence[str], cwd: Path | None = None) -> Answer:
        return self.transport.run(command, cwd, variables=_CALENDAR, seconds=PATIENCE)

    def _heard(self, answer: Answer) -> Answer:
        if answer.code in NO_SERVER:
            raise TransportError(f"PBS does not answer: {answer.complaint}", way_out("cannot connect"))
        if answer.code:
            raise SchedulerError(answer.complaint, hint=way_out(answer.complaint))
        return answer


def _name(known: Mapping[str, Facts], job: str) -> str:
    return str(known.get(job, {}).get("Job_Name", ""))


def _unfinished(facts: Facts) -> int:
    """How many indices of a job are queued or running."""
    counts = str(facts.get("array_state_count", ""))
    if not counts:
        return int(facts["job_state"] not in ("F", "X"))
    pairs = dict(part.split(":") for part in counts.split())
    return sum(int(pairs.get(word, 0)) for word in ("Queued", "Running", "Exiting"))
