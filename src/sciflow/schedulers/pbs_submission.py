"""How jobs are handed to PBS: the `qsub` calls, their answers, and maps for indices that `-J` cannot name."""

from __future__ import annotations

import re
import time
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

from sciflow.errors import QueueFullError, SchedulerError, TransportError, UnreadableAnswerError
from sciflow.schedulers.base import Errand, Submission
from sciflow.schedulers.pbs_words import NO_SERVER, way_out
from sciflow.transport.base import Answer
from sciflow_shim import files

# `-f`: else a process of its own stays for a minute, with all that it was given to hold, such as the lock of a run.
_QSUB = ("qsub", "-f")
_UNREADABLE = re.compile(r"""["'\\\n\x7f]""")
_FULL = r"would exceed .* limit|Maximum number of jobs already in queue"
_SILENT = r"cannot connect|Connection refused|timed out"


def submit_command(submission: Submission, directory: Path, after: Sequence[str]) -> list[str]:
    """The `qsub` call for an array job, or for some of its indices, in the run directory.

    Parameters
    ----------
    submission
        What is submitted.
    directory
        The run directory.
    after
        The jobs to wait for: those of its own that PBS still knows and that are not over. One that it does not know
        would make it delete the job.
    """
    array = submission.array
    command = [*_QSUB, "-N", submission.name or array.name]
    if submission.names_indices:
        command += ["-J", f"{_indices(sorted(submission.attempts))}{submission.most}"]
    if after:
        command += ["-W", dependency(after)]
    command += begin_option(submission)
    logs = directory / files.logs(array.name) / f"^array_index^.{submission.name or array.name}.job"
    return [*command, "-o", str(logs), str(submission.script.relative_to(directory))]


def errand_command(errand: Errand, directory: Path) -> list[str]:
    """The `qsub` call for a small job. PBS knows no "or": it waits for the first of the jobs."""
    command = [*_QSUB, "-N", errand.name]
    if errand.after:
        command += ["-W", dependency(errand.after[:1])]
    if errand.begin is not None:
        command += ["-a", clock(errand.begin)]
    return [*command, "-o", str(directory / "logs" / f"{errand.name}.out"), str(errand.script.relative_to(directory))]


def dependency(after: Sequence[str]) -> str:
    """What waits for jobs waits until all of them have ended; the shim looks at the records then."""
    return f"depend=afterany:{':'.join(after)}"


def check_directory(directory: Path) -> None:
    """Refuse a run directory whose name PBS does not hand on to the job as it is.

    Raises
    ------
    SchedulerError
        With the way out.
    """
    odd = _UNREADABLE.search(str(directory))
    if odd or "^array_index^" in str(directory):
        what = "^array_index^" if odd is None else odd[0]
        raise SchedulerError(
            f"`{directory}` has {what!r} in it, which PBS does not hand on to jobs as it is",
            hint="run it from a folder of another name, or name one with `--runs`",
        )


def read_job_id(answer: Answer, what: str) -> str:
    """The job id that `qsub` printed.

    Raises
    ------
    SchedulerError
        Where it refused, or printed something else.
    """
    if answer.code:
        said = answer.complaint.removeprefix("qsub: ")
        if answer.code in NO_SERVER or re.search(_SILENT, said):
            raise TransportError(f"PBS did not answer for {what}: {said}", way_out("cannot connect"))
        kind = QueueFullError if re.search(_FULL, said) else SchedulerError
        raise kind(f"PBS refuses {what}: {said}", hint=way_out(said))
    ids = re.findall(r"^(\d+(?:\[\])?(?:\.\S+)?)$", answer.out, re.MULTILINE)
    if len(ids) != 1:
        raise UnreadableAnswerError(
            f"`qsub` answered {answer.out!r} for {what}, which holds no job id",
            hint="the same command looks for the job before it submits anything again",
        )
    return ids[0]


def needs_map(elements: Sequence[int]) -> bool:
    """Whether `-J` cannot name these: it takes a first, a last and a step."""
    return len({later - one for one, later in pairwise(elements)}) > 1


def _indices(elements: Sequence[int]) -> str:
    """What stands behind `-J`: the indices themselves where they are evenly spaced, else their places in the map."""
    if needs_map(elements):
        return f"0-{len(elements) - 1}"
    first = elements[0]
    if len(elements) == 1:
        # PBS takes no `3-3`, but a step that leaves one. A plain job would not do: what waits for one that is deleted
        # before it has started waits for ever.
        return f"{first}-{first + 1}:2"
    step = elements[1] - first
    return f"{first}-{elements[-1]}" + (f":{step}" if step > 1 else "")


def begin_option(submission: Submission) -> list[str]:
    """When it may begin. What the script says of it was written on the clock of another machine, perhaps."""
    begin = submission.begin
    if begin is None and submission.array.begin is not None:
        begin = submission.array.begin.timestamp()
    return [] if begin is None else ["-a", clock(begin)]


def clock(seconds: float) -> str:
    """A moment as `-a` takes it, on the clock of this machine."""
    return time.strftime("%Y%m%d%H%M.%S", time.localtime(seconds))
