"""What a PBS server is asked, and when what comes back is an answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from sciflow.errors import SchedulerError, TransportError
from sciflow.schedulers import pbs_answers
from sciflow.schedulers.pbs_answers import Facts
from sciflow.schedulers.pbs_words import NO_SERVER, way_out
from sciflow.transport.base import Answer, Transport

PATIENCE = 60.0  # seconds; commands of PBS wait for ever where the server hangs
UNKNOWN, FINISHED = 153, 35  # exit codes: no such job, and one that is over
_NO_HISTORY = "not configured to maintain job history"
_PLAIN = {"LC_ALL": "C"}
_IN_UTC = {**_PLAIN, "TZ": "UTC"}  # `qstat` itself writes times, on the clock of whoever calls it


class PbsServer:
    """The server, by its commands.

    Parameters
    ----------
    transport
        Runs them.

    Attributes
    ----------
    keeps_history : bool
        Whether it knows jobs that are over; true until it says otherwise.
    """

    def __init__(self, transport: Transport) -> None:
        self.transport = transport
        self.keeps_history = True

    def known(self, ids: Sequence[str], is_whole: bool = False) -> dict[str, Facts]:
        """Job id → attributes; those that PBS does not know are left out.

        Parameters
        ----------
        ids
            The full job ids.
        is_whole
            Whether the array jobs themselves are enough, without what is in them.

        Raises
        ------
        SchedulerError, TransportError
            Where it does not answer.
        """
        if not ids:
            return {}  # without one it would tell of all jobs of all users
        answer = self._ask(ids, "json", is_whole)
        try:
            found = pbs_answers.read_json(answer.out)
        except ValueError:  # one odd value of one variable spoils the answer about all jobs
            answer = self._ask(ids, "dsv", is_whole)
            found = self._read_lines(answer)
        if not found and answer.code != UNKNOWN:
            raise SchedulerError(f"`qstat` tells of no job: {answer.complaint}", hint="the same command asks again")
        return found

    def select(self, *options: str) -> list[str]:
        """The ids of jobs, also of those that are over where the server knows them.

        Raises
        ------
        SchedulerError, TransportError
            Where it does not answer.
        """
        if self.keeps_history:
            answer = self.heard(self.run(["qselect", "-x", *options]))
            if _NO_HISTORY not in answer.err:  # it exits with 0 then, and lists nothing at all
                return answer.out.split()
            self.keeps_history = False
        return self.heard(self.run(["qselect", *options])).out.split()

    def run(self, command: Sequence[str], cwd: Path | None = None, variables: Mapping[str, str] = _PLAIN) -> Answer:
        """Run a command, which has its time."""
        return self.transport.run(command, cwd, variables=variables, seconds=PATIENCE)

    def heard(self, answer: Answer) -> Answer:
        """Return the answer of a command that has done what it was to do.

        Raises
        ------
        SchedulerError, TransportError
            Where it has not, or has found no server.
        """
        if answer.code in NO_SERVER:
            raise TransportError(f"PBS does not answer: {answer.complaint}", way_out("cannot connect"))
        if answer.code:
            raise SchedulerError(answer.complaint, hint=way_out(answer.complaint))
        return answer

    @staticmethod
    def _read_lines(answer: Answer) -> dict[str, Facts]:
        try:
            return pbs_answers.read_dsv(answer.out)
        except ValueError as error:
            raise SchedulerError(
                f"the answer of `qstat` cannot be read: {error}", hint="the same command asks again"
            ) from None

    def _ask(self, ids: Sequence[str], form: str, is_whole: bool) -> Answer:
        answer = self._stat(ids, form, is_whole)
        if self.keeps_history and _NO_HISTORY in answer.err:
            # It tells of no job at all then, not even of those that run, and exits with 0.
            self.keeps_history = False
            answer = self._stat(ids, form, is_whole)
        elif not self.keeps_history and answer.code == FINISHED:
            self.keeps_history = True  # from now on
            answer = self._stat(ids, form, is_whole)
        return answer if answer.code == UNKNOWN else self.heard(answer)

    def _stat(self, ids: Sequence[str], form: str, is_whole: bool) -> Answer:
        command = pbs_answers.query_command(ids, form, self.keeps_history, is_whole)
        return self.run(command, variables=_IN_UTC)
