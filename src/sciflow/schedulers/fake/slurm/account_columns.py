"""The fields of `sacct`."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sciflow.schedulers.fake.face import Call
from sciflow.schedulers.fake.jobs import RUNS, WAITS
from sciflow.schedulers.fake.slurm.account_rows import Entry
from sciflow.schedulers.fake.slurm.sizes import write_memory
from sciflow.schedulers.fake.slurm.times import write_limit, write_moment, write_span
from sciflow.schedulers.fake.slurm.words import (
    CLUSTER,
    cut_list,
    exit_in_accounting,
    raw_id,
    state_in_accounting,
    written_list,
)

if TYPE_CHECKING:
    from sciflow.schedulers.fake.cluster import VirtualCluster

# State of a job → state and exit code of its script, which the scheduler has ended.
_ENDED = {
    "CANCELLED": ("CANCELLED", "0:15"),
    "TIMEOUT": ("CANCELLED", "0:15"),
    "PREEMPTED": ("CANCELLED", "0:9"),
    "REQUEUED": ("CANCELLED", "0:15"),
    "NODE_FAIL": ("CANCELLED", ""),
}


class Glance:
    """How rows look to who calls: with the time zone and the time format of the call."""

    def __init__(self, cluster: VirtualCluster, call: Call) -> None:
        self.cluster, self.call = cluster, call

    def time(self, seconds: float | None, otherwise: str = "Unknown") -> str:
        """A time as who calls wants it."""
        return write_moment(seconds, self.call, otherwise)

    def id(self, entry: Entry) -> str:
        """The id of a row."""
        job, numbers = entry.job, entry.numbers
        if not job.is_array or not numbers:
            return job.id
        if not entry.is_rest:
            return f"{job.id}_{numbers[0]}"
        return f"{job.id}_[{cut_list(written_list(job, numbers), self.call.variables.get('SLURM_BITSTR_LEN', ''))}]"

    def spent(self, entry: Entry) -> float:
        """For how long it runs, or has run."""
        start, end = entry.row.start, entry.row.end
        return 0.0 if start is None else (self.cluster.clock() if end is None else end) - start

    def limit(self, entry: Entry) -> float:
        """The time limit; 0 for none."""
        seconds = self.cluster.seconds_of(entry.job)
        return seconds if math.isfinite(seconds) else 0.0


Text = Callable[[Glance, Entry], str]


@dataclass(frozen=True)
class Field:
    """One field: its name, its width, below zero where it is aligned to the left, and what stands in it."""

    name: str
    width: int
    text: Text


def _raw(_glance: Glance, entry: Entry) -> str:
    return raw_id(entry.job, entry.numbers[0]) if len(entry.numbers) == 1 and entry.has_run else entry.job.id


def _state(_glance: Glance, entry: Entry) -> str:
    if not entry.is_step:
        return state_in_accounting(entry.row)
    if entry.row.word == "FAILED" and entry.row.signal:
        return "CANCELLED"
    return _ENDED.get(entry.row.word, (entry.row.word, ""))[0]


def _exit(_glance: Glance, entry: Entry) -> str:
    if entry.is_step and entry.row.word in _ENDED:
        return _ENDED[entry.row.word][1]
    return exit_in_accounting(entry.row)


def _start(glance: Glance, entry: Entry) -> str:
    return glance.time(entry.row.start, "Unknown" if entry.row.word in (WAITS, RUNS) else "None")


def _limit(glance: Glance, entry: Entry) -> str:
    return write_limit(glance.limit(entry), is_short=False)


def _raw_limit(glance: Glance, entry: Entry) -> str:
    limit = glance.limit(entry)
    return str(int(limit / 60)) if limit else "UNLIMITED"


def _eligible(glance: Glance, entry: Entry) -> str:
    since = max(entry.job.submitted, entry.job.request.begin)
    return glance.time(since if entry.is_eligible else None)


def _of_job(text: Text) -> Text:
    """What stands in the row of a job only, and not in that of its script."""
    return lambda glance, entry: "" if entry.is_step else text(glance, entry)


def _option(name: str) -> Text:
    return _of_job(lambda _, entry: entry.job.ordered.details.get(name, ""))


def _cores(_glance: Glance, entry: Entry) -> str:
    return str(entry.job.request.cores)


def _tres(_glance: Glance, entry: Entry) -> str:
    request = entry.job.request
    parts = [f"billing={request.cores}"] * (not entry.is_step) + [f"cpu={request.cores}"]
    parts += [f"gres/gpu={request.gpus}"] * bool(request.gpus)
    return ",".join([*parts, f"mem={write_memory(request.memory)}", "node=1"])


_ALL = (
    Field("Account", 10, _of_job(lambda _, entry: entry.job.request.account)),
    Field("AllocCPUS", 10, _cores),
    Field("AllocTRES", 10, lambda glance, entry: _tres(glance, entry) if entry.has_run else ""),
    Field("Cluster", 10, lambda *_: CLUSTER),
    Field("Comment", 14, lambda *_: ""),  # `AccountingStoreFlags` does not name it
    Field("Constraints", 19, _option("constraint")),
    Field("CPUTime", 10, lambda g, entry: write_span(g.spent(entry) * entry.job.request.cores)),
    Field("CPUTimeRAW", 10, lambda g, entry: str(int(g.spent(entry)) * entry.job.request.cores)),
    Field("DerivedExitCode", 15, _of_job(lambda *_: "0:0")),
    Field("Elapsed", 10, lambda g, entry: write_span(g.spent(entry))),
    Field("ElapsedRaw", 10, lambda g, entry: str(int(g.spent(entry)))),
    Field("Eligible", 19, lambda g, e: g.time(e.row.start) if e.is_step else _eligible(g, e)),
    Field("End", 19, lambda g, entry: g.time(entry.row.end)),
    Field("ExitCode", 8, _exit),
    Field("Group", 9, _of_job(lambda _, entry: entry.job.ordered.user)),
    Field("GID", 6, _of_job(lambda _, entry: str(entry.job.ordered.number))),
    Field("JobID", -12, lambda g, entry: g.id(entry) + ".batch" * entry.is_step),
    Field("JobIDRaw", -12, lambda g, entry: _raw(g, entry) + ".batch" * entry.is_step),
    Field("JobName", 10, lambda _, entry: "batch" if entry.is_step else entry.job.name),
    Field("MaxRSS", 10, lambda *_: ""),  # nothing is measured
    Field("NCPUS", 10, _cores),
    Field("NNodes", 8, lambda *_: "1"),
    Field("NodeList", 15, lambda _, entry: entry.row.node or "None assigned"),
    Field("NTasks", 8, lambda _, entry: "1" * entry.is_step),
    Field("Partition", 10, _of_job(lambda g, entry: g.cluster.partition_of(entry.job).name)),
    Field("QOS", 10, _of_job(lambda _, entry: entry.job.request.qos or "normal")),
    Field("Reason", 22, _of_job(lambda _, entry: entry.row.reason if entry.row.word == WAITS else "None")),
    Field("ReqCPUS", 8, _cores),
    Field("ReqMem", 10, _of_job(lambda _, entry: write_memory(entry.job.request.memory))),
    Field("ReqTRES", 10, _of_job(_tres)),
    Field("Reservation", 20, _of_job(lambda _, entry: entry.job.request.reservation)),
    Field("Start", 19, _start),
    Field("State", 10, _state),
    Field("Submit", 19, lambda g, e: g.time(e.row.start if e.is_step else e.job.submitted)),
    Field("SubmitLine", 20, _of_job(lambda _, entry: entry.job.ordered.call)),
    Field("Timelimit", 10, _of_job(_limit)),
    Field("TimelimitRaw", 10, _of_job(_raw_limit)),
    Field("UID", 6, _of_job(lambda _, entry: str(entry.job.ordered.number))),
    Field("User", 9, _of_job(lambda _, entry: entry.job.ordered.user)),
    Field("WorkDir", 20, _of_job(lambda _, e: e.job.ordered.details.get("chdir") or str(e.job.directory))),
)
FIELDS: Mapping[str, Field] = {field.name.lower(): field for field in _ALL}
