"""How Slurm is given array jobs and small jobs: the calls of `sbatch`, and what it answers."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from sciflow.errors import QueueFullError, SchedulerError, TransportError, UnreadableAnswerError
from sciflow.schedulers.base import After, Errand, Submission
from sciflow.schedulers.slurm_words import way_out
from sciflow.transport.base import Answer
from sciflow_shim import files

_FULL = r"MaxSubmitJob|Slurm temporarily unable to accept job"
_SILENT = r"Unable to contact|timed out|Zero Bytes|[Cc]ommunication|Unexpected message"
_OVER = r"already finished|Invalid job id|already completing"
_PERHAPS = "it may have been taken all the same: the same command looks for it before it submits anything"


def submit_command(submission: Submission, directory: Path) -> list[str]:
    """The `sbatch` call for an array job, or for some of its indices, in the run directory."""
    command = ["sbatch", "--parsable", f"--job-name={submission.name or submission.array.name}"]
    if submission.names_indices:
        command.append(f"--array={files.format_ranges(sorted(submission.attempts))}{submission.most}")
    if submission.after:
        command.append(f"--dependency={_dependency(submission.after)}")
    if submission.begin is not None:
        command.append(f"--begin=uts{int(submission.begin)}")
    if submission.avoided:
        command.append(f"--exclude={','.join([*_excluded(submission), *submission.avoided])}")
    if "%" in str(directory):  # Slurm would read it as part of the pattern that it makes of the script's relative one
        logs = directory / files.logs(submission.array.name)
        command.append(f"--output={str(logs).replace('%', '%%')}/%a.%A.job")
    return [*command, str(submission.script.relative_to(directory))]


def errand_command(errand: Errand, directory: Path) -> list[str]:
    """The `sbatch` call for a small job, in the run directory."""
    command = ["sbatch", "--parsable", f"--job-name={errand.name}"]
    if errand.after:
        command.append(f"--dependency={'?'.join(f'afterany:{job}' for job in errand.after)}")
    if errand.begin is not None:
        command.append(f"--begin=uts{int(errand.begin)}")
    if "%" in str(directory):
        command.append(f"--output={str(directory / 'logs').replace('%', '%%')}/{errand.name}.%j.out")
    return [*command, str(errand.script.relative_to(directory))]


def postpone_command(job: str, after: Sequence[After]) -> list[str]:
    """The `scontrol` call that lets a job which waits do so for other jobs than before."""
    return ["scontrol", "update", f"JobId={job}", f"Dependency={_dependency(after)}"]


def throttle_command(job: str, at_once: int) -> list[str]:
    """The `scontrol` call that lets so many indices of a job run at once."""
    return ["scontrol", "update", f"JobId={job}", f"ArrayTaskThrottle={at_once}"]


def read_throttled(answer: Answer, job: str) -> bool:
    """Whether a job goes on under another throttle; false where it is over.

    Raises
    ------
    SchedulerError, TransportError
        Where Slurm refuses, or does not answer.
    """
    if not answer.code:
        return True
    if re.search(_OVER, answer.complaint):
        return False
    said = re.sub(r"\b(\w+): error: ", "", answer.complaint)
    kind = TransportError if re.search(_SILENT, said) else SchedulerError
    raise kind(f"Slurm does not change the throttle of job {job}: {said}", way_out(said))


def read_job_id(answer: Answer, what: str) -> str:
    """The job id that `sbatch --parsable` printed.

    Raises
    ------
    SchedulerError
        Where it refused, or printed something else.
    """
    if answer.code:
        said = re.sub(r"sbatch: (error: )?", "", answer.complaint)
        if re.search(_SILENT, said):
            hint = way_out(said) if "Unable to contact" in said else _PERHAPS
            raise TransportError(f"Slurm did not answer for {what}: {said}", hint)
        kind = QueueFullError if re.search(_FULL, said) else SchedulerError
        raise kind(f"Slurm refuses {what}: {said}", hint=way_out(said))
    # Sites print greetings around it; with several clusters it is `616;lab`.
    ids = re.findall(r"^(\d+)(?:;\S+)?$", answer.out, re.MULTILINE)
    if len(ids) != 1:
        raise UnreadableAnswerError(
            f"`sbatch` answered {answer.out!r} for {what}, which holds no job id",
            hint="the same command looks for the job before it submits anything again",
        )
    return ids[0]


def _dependency(after: Sequence[After]) -> str:
    """Index by index where it can be; otherwise when all has ended: the shim looks at the records then."""
    kinds = {"element": "aftercorr", "whole": "afterany"}
    parts = []
    for kind, word in kinds.items():
        jobs = [one.job for one in after if one.kind == kind]
        if jobs:
            parts.append(":".join([word, *jobs]))
    return ",".join(parts)


def _excluded(submission: Submission) -> list[str]:
    """The nodes that the script's own directives exclude; the option of the call takes their place."""
    words = (re.split(r"[= ]+", one, maxsplit=1) for one in submission.array.options.directives)
    return [word[1] for word in words if word[0] in ("--exclude", "-x") and len(word) == 2]
