"""PBS (OpenPBS, PBS Professional): pairs of pure functions, made of commands and answers, over a transport."""

from __future__ import annotations

import getpass
import re
import shlex
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from sciflow.errors import SchedulerError, SciflowError
from sciflow.model.state import State
from sciflow.model.statement import ACCOUNTING, CONTROLLER, REST, Statement, Testimony
from sciflow.schedulers import pbs_answers
from sciflow.schedulers.base import After, Errand, Submission
from sciflow.schedulers.pbs_answers import Facts
from sciflow.schedulers.pbs_logs import read_ends
from sciflow.schedulers.pbs_server import PbsServer
from sciflow.schedulers.pbs_submission import (
    check_directory,
    dependency,
    errand_command,
    needs_map,
    read_job_id,
    submit_command,
)
from sciflow.schedulers.pbs_words import NO_SERVER, is_over, is_too_late, way_out
from sciflow.store.layout import write_whole
from sciflow.transport.base import Transport
from sciflow_shim import files

if TYPE_CHECKING:
    from sciflow.model.load import Load
    from sciflow.model.profile import Limits
    from sciflow.schedulers.pbs_why import PbsExplainer

_JOB = re.compile(r"\d+(\[\])?(\.\S+)?")
AT_ONCE = 500  # jobs that one `qdel` names


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
    kind_of_server = PbsServer

    def __init__(self, transport: Transport, directory: Path, clock: Callable[[], float] = time.time) -> None:
        self.server = self.kind_of_server(transport)
        self.directory = directory
        self.clock = clock

    def submit(self, submission: Submission) -> str:
        """Hand an array job over; gives its job id.

        Raises
        ------
        SchedulerError
            In PBS's own words, with the task's name and the way out.
        """
        check_directory(self.directory)
        self._write_map(submission)
        return self._hand_over(
            lambda alive: self._submit_command(submission, alive),
            [one.job for one in submission.after],
            submission.describe(),
        )

    def send(self, errand: Errand) -> str:
        """Hand over a small job; gives its job id."""

        def command(alive: Sequence[str]) -> list[str]:
            return self._errand_command(Errand(errand.script, errand.name, tuple(alive), errand.begin))

        return self._hand_over(command, errand.after, errand.name)

    def postpone(self, job: str, after: Sequence[After]) -> None:
        """Let a job that waits wait for other jobs; see `QueueScheduler`."""
        alive = self._alive(one.job for one in after)
        if alive:
            self.server.heard(self.server.run(["qalter", "-W", self._dependency(alive), job]))

    def call(self, submission: Submission) -> str:
        """The call by which it would be submitted."""
        return shlex.join(self._submit_command(submission, [one.job for one in submission.after]))

    def query(self, job_ids: Iterable[str]) -> dict[str, dict[int, State]]:
        """Job id → index → state."""
        jobs = dict.fromkeys(filter(_JOB.fullmatch, job_ids), "")  # one odd word would spoil the question about all
        answers = self.testify(jobs, {}).answers.get(CONTROLLER, {})
        found = {job: {i: one.state for i, one in known.items() if i != REST} for job, known in answers.items()}
        return {job: states for job, states in found.items() if states}

    def cancel(self, job_id: str, indices: Iterable[int] | None = None) -> None:
        """Cancel some indices of a job, or all of it; what has ended already is left as it is.

        Raises
        ------
        SchedulerError, TransportError
            Where PBS refuses, or does not answer.
        """
        is_whole = indices is None or "[]" not in job_id
        for command in [["qdel", job_id]] if is_whole else self._cancel_commands(job_id, sorted(indices or ())):
            answer = self.server.run(command)
            if answer.code in NO_SERVER:
                self.server.heard(answer)
            elif answer.code and not is_too_late(answer):
                what = job_id if is_whole else f"some of {job_id}"
                raise SchedulerError(f"PBS does not cancel {what}: {answer.complaint}", way_out(answer.complaint))

    def explainer(self) -> PbsExplainer:
        """Who tells why something waits."""
        from sciflow.schedulers.pbs_why import PbsExplainer

        return PbsExplainer(self.server, self.clock())

    def limits(self) -> Limits:
        """What it accepts, by the server and its default queue."""
        from sciflow.schedulers.pbs_site import read_limits

        return read_limits(self.server)

    def testify(self, jobs: Mapping[str, str], wanted: Mapping[str, set[int]]) -> Testimony:
        """Ask the server once about all jobs; where it keeps a history, that stands for accounting."""
        testimony = Testimony()
        if not jobs:
            return testimony
        try:
            known = self.server.known(list(jobs))
        except SciflowError as error:
            testimony.errors[CONTROLLER] = error.message
            return testimony
        maps = {job: places for job, name in jobs.items() if (places := self._map(name or _name(known, job)))}
        told = pbs_answers.read_statements(known, jobs, maps, self.server.keeps_history)
        testimony.answers[CONTROLLER] = told
        if self.server.keeps_history:
            testimony.answers[ACCOUNTING] = {job: _ended(indices) for job, indices in told.items()}
        else:
            testimony.errors[ACCOUNTING] = "it is off"
            for job, name in jobs.items():
                gone = wanted.get(job, set()).difference(told[job])
                told[job].update(read_ends(self.directory, name, job, gone) if name else {})
        return testimony

    def find(self, names: Mapping[str, float]) -> dict[str, str]:
        """Name → job id, of those that were submitted; see `QueueScheduler`.

        Where PBS forgets jobs that are over, records are all that is left of these; the caller has looked at them.
        """
        found = {name: self.server.select("-N", name) for name in names}
        return {name: ids[-1] for name, ids in found.items() if ids}

    def parts(self, indices: Sequence[int]) -> Iterator[Sequence[int]]:
        """All of them: a map holds any number."""
        yield indices

    def queued(self) -> int:
        """How many array indices of this user are queued or running."""
        ids = self.server.heard(self.server.run(["qselect", "-u", getpass.getuser()])).out.split()
        return sum(_unfinished(facts) for facts in self.server.known(ids, is_whole=True).values())

    def throttle(self, job: str, at_once: int) -> bool:
        """Let so many of a job's indices run at once; see `QueueScheduler`."""
        answer = self.server.run(self._throttle_command(job, at_once))
        if answer.code and is_too_late(answer):
            return False
        try:
            self.server.heard(answer)
        except SchedulerError as error:
            raise SchedulerError(
                f"PBS does not change how many indices of job {job} run at once: {error.message}",
                hint="older versions cannot; what was said when it was submitted still holds",
            ) from None
        return True

    def load(self, is_of_others: bool) -> Load:
        """How many cores are up, and whether others wait for them; see `QueueScheduler`."""
        from sciflow.schedulers.pbs_load import OTHERS_COMMAND, read_load

        others = self.server.heard(self.server.run(OTHERS_COMMAND)).out if is_of_others else None
        return read_load(self._nodes(), others, getpass.getuser())

    def _nodes(self) -> Iterable[Facts]:
        from sciflow.schedulers.pbs_site import all_nodes

        return all_nodes(self.server)

    def _throttle_command(self, job: str, at_once: int) -> list[str]:
        return ["qalter", "-W", f"max_run_subjobs={at_once}", job]

    def _submit_command(self, submission: Submission, after: Sequence[str]) -> list[str]:
        return submit_command(submission, self.directory, after)

    def _errand_command(self, errand: Errand) -> list[str]:
        return errand_command(errand, self.directory)

    def _dependency(self, after: Sequence[str]) -> str:
        return dependency(after)

    def _write_map(self, submission: Submission) -> None:
        """Write down which element is at which place, where indices cannot be named.

        The job finds it by its own name, since values are mangled on their way into a job's environment.
        """
        elements = sorted(submission.attempts)
        if needs_map(elements):
            path = self.directory / files.index_map(submission.name)
            write_whole(path, "".join(f"{element}\n" for element in elements))

    def _cancel_commands(self, job: str, elements: Sequence[int]) -> Iterator[list[str]]:
        """The `qdel` calls for some elements of an array job: it takes ranges and no lists."""
        parts = files.format_ranges(self._places(job, elements)).split(",")
        targets = [job.replace("[]", f"[{part}]") for part in parts if part]
        for start in range(0, len(targets), AT_ONCE):
            yield ["qdel", *targets[start : start + AT_ONCE]]

    def _hand_over(self, command: Callable[[Sequence[str]], list[str]], after: Iterable[str], what: str) -> str:
        """Submit what waits for those of some jobs that are not over."""
        alive = self._alive(after)
        while True:
            job = read_job_id(self.server.run(command(alive), self.directory), what)
            if self.server.keeps_history or not alive or job in self.server.known([job], is_whole=True):
                return job
            # One that it waits for has ended in this moment: a server without history knows nothing of that one, and
            # deletes what waits for it, without a word.
            left = self._alive(alive)
            if left == alive:
                return job
            alive = left

    def _alive(self, jobs: Iterable[str]) -> list[str]:
        """Those that are not over, in order: PBS deletes what depends on a job that it has forgotten."""
        wanted = list(dict.fromkeys(jobs))
        known = self.server.known(wanted, is_whole=True)
        return [job for job in wanted if job in known and not is_over(known[job])]

    def _places(self, job: str, elements: Sequence[int]) -> list[int]:
        """The places of elements in an array job of PBS."""
        known = self.server.known([job], is_whole=True)
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


def _ended(indices: Mapping[int, Statement]) -> dict[int, Statement]:
    return {index: one for index, one in indices.items() if one.state.is_final}


def _name(known: Mapping[str, Facts], job: str) -> str:
    return str(known.get(job, {}).get("Job_Name", ""))


def _unfinished(facts: Facts) -> int:
    """How many indices of a job are queued or running."""
    counts = str(facts.get("array_state_count", ""))
    if not counts:
        return int(not is_over(facts))
    pairs = dict(part.split(":") for part in counts.split())
    return sum(int(pairs.get(word, 0)) for word in ("Queued", "Running", "Exiting"))
