"""What Slurm prints of an index: words, ids and exit codes."""

from __future__ import annotations

from collections.abc import Sequence

from sciflow.schedulers.fake.accounting import Row
from sciflow.schedulers.fake.jobs import Index, Job
from sciflow.schedulers.fake.slurm.arguments import Wrong
from sciflow.schedulers.fake.slurm.lists import write_list

VERSION = "slurm-wlm 22.05.8"
CLUSTER = "virtual"
HOST = "virtual"
SILENT = "Unable to contact slurm controller (connect failure)"
UNKNOWN_JOB = "Invalid job id specified"
SHORT = {
    "PENDING": "PD", "RUNNING": "R", "SUSPENDED": "S", "COMPLETED": "CD", "CANCELLED": "CA", "FAILED": "F",
    "TIMEOUT": "TO", "NODE_FAIL": "NF", "PREEMPTED": "PR", "BOOT_FAIL": "BF", "DEADLINE": "DL", "OUT_OF_MEMORY": "OOM",
    "COMPLETING": "CG", "CONFIGURING": "CF", "RESIZING": "RS", "RESV_DEL_HOLD": "RD", "REQUEUED": "RQ",
    "REQUEUE_FED": "RF", "REQUEUE_HOLD": "RH", "REVOKED": "RV", "SIGNALING": "SI", "SPECIAL_EXIT": "SE",
    "STAGE_OUT": "SO", "STOPPED": "ST",
}  # fmt: skip
_RAW = 1_000_000  # of the ids of array indices: those of jobs are smaller


def read_states(text: str) -> set[str] | None:
    """The states in a list of long and short words; None where one is not known."""
    words = {short: word for word, short in SHORT.items()} | {word: word for word in SHORT}
    states = {words.get(one.upper(), "") for one in text.split(",") if one}
    return None if "" in states else states


def raw_id(job: Job, number: int) -> str:
    """The id that an index has as a job of its own: that of its array job for the last one.

    A real one is given when the index starts, and follows on the last id that was given to anything.
    """
    if not job.is_array or number == max(job.indices):
        return job.id
    return str(int(job.id) * _RAW + number)


def written_id(job: Job, numbers: Sequence[int] = ()) -> str:
    """``84``, ``84_3`` or ``84_[3-49%3]``."""
    if not job.is_array or not numbers:
        return job.id
    return f"{job.id}_{numbers[0]}" if len(numbers) == 1 else f"{job.id}_[{written_list(job, numbers)}]"


def written_list(job: Job, numbers: Sequence[int]) -> str:
    """The indices of an array job, with its throttle."""
    throttle = f"%{job.request.throttle}" if job.request.throttle else ""
    return write_list(numbers) + throttle


def cut_list(text: str, longest: str) -> str:
    """A list of indices as `SLURM_BITSTR_LEN` lets it be: 64 characters without it, any number for 0."""
    most = int(longest) if longest.isdecimal() else 64
    return text if not most or len(text) < most else f"{text[: most - 4]}..."


def state_in_accounting(row: Row) -> str:
    """The state as `sacct` has it, with the number of who has cancelled it."""
    return f"CANCELLED by {row.by}" if row.word == "CANCELLED" and row.by is not None else row.word


def exit_in_accounting(row: Row) -> str:
    """The exit code as `sacct` has it: of codes from 128 on it takes 128 away."""
    if row.word in ("CANCELLED", "TIMEOUT", "PREEMPTED", "NODE_FAIL"):
        return "0:0"
    code = row.code - 128 if row.code >= 128 else row.code
    return f"{code}:{row.signal}"


def exit_in_controller(index: Index) -> str:
    """The exit code as the controller has it."""
    signal = 15 if index.word in ("CANCELLED", "TIMEOUT") and index.start is not None else index.signal
    return f"{index.code}:{signal}"


def unknown(program: str, option: str, value: str) -> Wrong:
    """A complaint about what there is not."""
    return Wrong(f"{program}: error: Invalid {option}: {value}")
