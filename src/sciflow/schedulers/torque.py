"""Torque: PBS's commands with other options and answers. All of it was read in Torque's sources, and never run."""

from __future__ import annotations

import getpass
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from sciflow.errors import SchedulerError, TransportError
from sciflow.schedulers.base import Errand, Submission
from sciflow.schedulers.pbs import PbsScheduler
from sciflow.schedulers.pbs_answers import Facts
from sciflow.schedulers.pbs_server import PbsServer
from sciflow.schedulers.pbs_words import is_over, is_too_late, way_out
from sciflow.schedulers.torque_answers import array_of, read_xml
from sciflow.schedulers.torque_submission import dependency, errand_command, submit_command
from sciflow.transport.base import Answer, Transport
from sciflow_shim import files

if TYPE_CHECKING:
    from sciflow.model.profile import Limits
    from sciflow.schedulers.pbs_why import TorqueExplainer

_SILENT = re.compile(r"cannot connect|[Cc]onnection refused|[Cc]ommunication failure|[Tt]imed? ?out|trqauthd")


class TorqueServer(PbsServer):
    """The server, by its commands; it keeps jobs that are over for some minutes at most."""

    def __init__(self, transport: Transport) -> None:
        super().__init__(transport)
        self.keeps_history = False

    def known(self, ids: Sequence[str], is_whole: bool = False) -> dict[str, Facts]:  # noqa: ARG002
        """Job id → attributes; see `PbsServer`. It tells of sub-jobs alone, so that `is_whole` saves nothing."""
        return self._told(["qstat", "-x", "-t", *ids]) if ids else {}

    def all_known(self) -> dict[str, Facts]:
        """Job id → attributes, of all jobs that may be seen.

        Raises
        ------
        SchedulerError, TransportError
            Where it does not answer.
        """
        return self._told(["qstat", "-x", "-t"], may_be_empty=True)

    def heard(self, answer: Answer) -> Answer:
        """Return the answer of a command that has done what it was to do; no server is known by what is said."""
        if answer.code and _SILENT.search(answer.complaint):
            raise TransportError(f"Torque does not answer: {answer.complaint}", way_out("cannot connect"))
        return super().heard(answer)

    def _told(self, command: Sequence[str], may_be_empty: bool = False) -> dict[str, Facts]:
        answer = self.run(command)
        if answer.code and not is_too_late(answer):
            self.heard(answer)
        try:
            found = read_xml(answer.out)
        except ValueError as error:
            raise SchedulerError(
                f"`qstat -x` answered what is no XML: {error}", hint="the same command asks again"
            ) from None
        if not (found or answer.code or may_be_empty):
            raise SchedulerError(f"`qstat` tells of no job: {answer.complaint}", hint="the same command asks again")
        return found


class TorqueScheduler(PbsScheduler):
    """Torque, by its commands; see `PbsScheduler`."""

    name = "torque"
    kind_of_server = TorqueServer
    server: TorqueServer

    def find(self, names: Mapping[str, float]) -> dict[str, str]:
        """Name → job id, of those that were submitted and that it still knows; see `QueueScheduler`."""
        known = self.server.all_known()
        return {str(facts["Job_Name"]): array_of(job) for job, facts in known.items() if facts.get("Job_Name") in names}

    def queued(self) -> int:
        """How many array indices of this user are queued or running."""
        mine = f"{getpass.getuser()}@"
        jobs = self.server.all_known().values()
        return sum(str(facts.get("Job_Owner", "")).startswith(mine) and not is_over(facts) for facts in jobs)

    def explainer(self) -> TorqueExplainer:
        """Who tells why something waits."""
        from sciflow.schedulers.pbs_why import TorqueExplainer

        return TorqueExplainer(self.server, self.clock())

    def limits(self) -> Limits:
        """What it accepts, by the server and its default queue."""
        from sciflow.schedulers.torque_site import read_limits

        return read_limits(self.server)

    def _nodes(self) -> Iterable[Facts]:
        from sciflow.schedulers.torque_site import all_nodes

        return all_nodes(self.server)

    def _throttle_command(self, job: str, at_once: int) -> list[str]:
        return ["qalter", "-t", f"%{at_once}", job]

    def _submit_command(self, submission: Submission, after: Sequence[str]) -> list[str]:
        return submit_command(submission, self.directory, after)

    def _errand_command(self, errand: Errand) -> list[str]:
        return errand_command(errand, self.directory)

    def _dependency(self, after: Sequence[str]) -> str:
        return dependency(after)

    def _write_map(self, submission: Submission) -> None:
        """It takes lists, so that there is nothing to write down."""

    def _cancel_commands(self, job: str, elements: Sequence[int]) -> Iterator[list[str]]:
        """It takes a list of indices."""
        yield ["qdel", "-t", files.format_ranges(elements), job]
