"""How jobs are handed to Torque, in those of its words that are not PBS's: lists of indices, and orders on arrays."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from sciflow.schedulers.base import Errand, Submission
from sciflow.schedulers.pbs_submission import begin_option, clock
from sciflow_shim import files


def submit_command(submission: Submission, directory: Path, after: Sequence[str]) -> list[str]:
    """The `qsub` call for an array job, or for some of its indices, in the run directory; see `pbs_submission`.

    Torque puts the index behind the name of the log.
    """
    array = submission.array
    name = submission.name or array.name
    command = ["qsub", "-N", name]
    if submission.names_indices:
        command += ["-t", f"{files.format_ranges(sorted(submission.attempts))}{submission.most}"]
    if after:
        command += ["-W", dependency(after)]
    command += begin_option(submission)
    logs = directory / files.logs(array.name) / f"{name}.torque"
    return [*command, "-o", str(logs), str(submission.script.relative_to(directory))]


def errand_command(errand: Errand, directory: Path) -> list[str]:
    """The `qsub` call for a small job, which waits for the first of the jobs."""
    command = ["qsub", "-N", errand.name]
    if errand.after:
        command += ["-W", dependency(errand.after[:1])]
    if errand.begin is not None:
        command += ["-a", clock(errand.begin)]
    return [*command, "-o", str(directory / "logs" / f"{errand.name}.out"), str(errand.script.relative_to(directory))]


def dependency(after: Sequence[str]) -> str:
    """Orders on array jobs have a word of their own."""
    arrays = [job for job in after if "[]" in job]
    others = [job for job in after if "[]" not in job]
    kinds = {"afteranyarray": arrays, "afterany": others}
    return "depend=" + ",".join(":".join([kind, *jobs]) for kind, jobs in kinds.items() if jobs)
