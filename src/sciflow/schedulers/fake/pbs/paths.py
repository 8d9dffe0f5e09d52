"""Where the output of jobs goes."""

from __future__ import annotations

from pathlib import Path

from sciflow.schedulers.fake.jobs import Job
from sciflow.schedulers.fake.pbs.names import SERVER, name_of

PLACE = "^array_index^"


def output_path(job: Job, index: str) -> str:
    """Where what a job prints goes; `index` stands for that of a sub-job."""
    return _path(job, "o", "OU", index)


def error_path(job: Job, index: str) -> str:
    """Where what a job prints as errors goes, if that is not joined with the rest."""
    return _path(job, "e", "ER", index)


def is_joined(job: Job) -> str:
    """Into which of both the other goes: `o`, `e`, or empty for none."""
    value = job.ordered.details["letters"].get("j", "n")
    return "" if value == "n" else value[0]


def _path(job: Job, letter: str, suffix: str, index: str) -> str:
    details = job.ordered.details
    letters = details["letters"]
    kept = letters.get("k", "n")
    number = f".{index}" if job.is_array else ""
    name = f"{job.name}.{letter}{job.id}{number}"
    given = letters.get(letter, "")
    if letter in kept and "d" not in kept:
        return str(Path(details["home"], name))
    if not given:
        return str(Path(job.directory, name))
    host, colon, rest = given.partition(":")
    path = Path(job.directory, rest if colon and "/" not in host else given)
    if given.endswith("/") or path.is_dir():
        path /= f"{job.id}[{PLACE}].{SERVER}.{suffix}" if job.is_array else f"{name_of(job)}.{suffix}"
    return str(path).replace(PLACE, index)
