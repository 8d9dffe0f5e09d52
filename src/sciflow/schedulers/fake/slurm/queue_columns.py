"""The columns of `squeue`, by the letters of its formats."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING

from sciflow.schedulers.fake.face import Call
from sciflow.schedulers.fake.jobs import WAITS
from sciflow.schedulers.fake.slurm.dependency import write_dependency
from sciflow.schedulers.fake.slurm.hosts import read_hosts, write_hosts
from sciflow.schedulers.fake.slurm.queue_rows import Row, is_bare
from sciflow.schedulers.fake.slurm.sizes import write_memory
from sciflow.schedulers.fake.slurm.times import write_limit, write_moment, write_span, zone
from sciflow.schedulers.fake.slurm.words import SHORT, cut_list, raw_id, written_list

if TYPE_CHECKING:
    from sciflow.schedulers.fake.cluster import VirtualCluster

_HIGHEST = 4_294_901_760  # of the priorities that Slurm gives by the order of submission
_LONGEST_ID = 31  # characters of `%i`, unless `SLURM_BITSTR_LEN` says otherwise


class View:
    """How rows look to who calls.

    Parameters
    ----------
    cluster
        The cluster.
    call
        The call, with time zone and time format.
    """

    def __init__(self, cluster: VirtualCluster, call: Call) -> None:
        self.cluster, self.call = cluster, call

    def now(self) -> datetime:
        """The time."""
        return datetime.fromtimestamp(self.cluster.clock(), zone(self.call))

    def time(self, seconds: float | None, otherwise: str = "N/A") -> str:
        """A time as who calls wants it."""
        return write_moment(seconds, self.call, otherwise)

    def list(self, row: Row) -> str:
        """The indices of a row, as long as `SLURM_BITSTR_LEN` lets it be."""
        if not row.job.is_array:
            return "N/A"
        if row.first.has_vanished and is_bare(row.job, row.numbers):
            return "N/A"
        if row.is_split:
            return str(row.numbers[0])
        return cut_list(written_list(row.job, row.numbers), self.call.variables.get("SLURM_BITSTR_LEN", ""))

    def id(self, row: Row) -> str:
        """The id of a row, with its indices."""
        list_ = self.list(row)
        if list_ == "N/A":
            return row.job.id
        if row.is_split:
            return f"{row.job.id}_{list_}"
        text = f"{row.job.id}_[{list_}]"
        is_free = self.call.variables.get("SLURM_BITSTR_LEN")
        return text if is_free or len(list_) < 64 else text[:_LONGEST_ID]

    def limit(self, row: Row) -> float:
        """The time limit of a row; 0 for none."""
        seconds = self.cluster.seconds_of(row.job)
        return seconds if math.isfinite(seconds) else 0.0

    def left(self, row: Row) -> float:
        """How much of the time limit is left; 0 for no limit."""
        limit = self.limit(row)
        return limit and max(1.0, limit - self.spent(row))

    def spent(self, row: Row) -> float:
        """For how long it runs, or has run."""
        start, end = row.first.start, row.first.end
        return 0.0 if start is None else (self.cluster.clock() if end is None else end) - start

    def start(self, row: Row) -> float | None:
        """When it has started, or may start at the earliest where that is said."""
        if row.word == WAITS:
            begin = max(row.job.request.begin, row.first.eligible)
            return begin if begin > self.cluster.clock() else None
        return row.first.start if row.first.start is not None else row.first.end

    def planned(self, row: Row) -> float | None:
        """When it has started, or when the first of its partition that waits for room is to start."""
        start, last = self.start(row), self.cluster.queue.last
        turn = last.turns.get(self.cluster.partition_of(row.job).name) if last is not None else None
        if start is not None or row.word != WAITS or turn is None or turn.job is not row.job:
            return start
        return turn.time if self.cluster.clock() < turn.time < math.inf else None

    def end(self, row: Row) -> str:
        """When it has ended, or must at the latest."""
        if row.first.end is not None and row.word != WAITS:
            return self.time(row.first.end)
        start, limit = self.start(row), self.limit(row)
        return "N/A" if start is None else self.time(start + limit if limit else None, "NONE")

    def priority(self, row: Row) -> int:
        """The priority: what is held has none."""
        if row.job.request.is_held:
            return 0
        points = self.cluster.users.points(row.job, self.cluster.clock())
        return max(1, _HIGHEST - row.job.order + int(points))

    def place(self, row: Row) -> str:
        """Where it runs, or why it does not."""
        reason = row.reason if row.word != "FAILED" or not row.node else ""
        is_told = row.word in (WAITS, "CANCELLED", "DEADLINE") and not row.node
        return f"({reason})" if is_told else row.node


def _raw(row: Row) -> str:
    return row.job.id if len(row.numbers) != 1 else raw_id(row.job, row.first.number)


def _least_cores(row: Row) -> str:
    given = row.job.ordered.details
    return str(int(given.get("cpus-per-task", 1)) * int(given.get("ntasks-per-node", 1)))


def _memory(row: Row) -> str:
    given, request = row.job.ordered.details, row.job.request
    return write_memory(request.memory // (request.cores if "mem-per-cpu" in given else 1))


def _gres(row: Row) -> str:
    given = row.job.ordered.details
    text = given.get("gres", "") or (f"gpu:{given['gpus-per-node']}" if "gpus-per-node" in given else "")
    return (
        ",".join(f"gres:{one.removeprefix('gres:')}" for one in text.split(",")) if text not in ("", "none") else "N/A"
    )


def _option(name: str) -> Callable[[View, Row], str]:
    return lambda _, row: row.job.ordered.details.get(name) or "(null)"


def _nodes(name: str) -> Callable[[View, Row], str]:
    return lambda _, row: write_hosts(read_hosts(row.job.ordered.details.get(name, "")))


def _state(_view: View, row: Row) -> str:
    return row.word


# Letter → what its column is called, and what stands in it.
COLUMNS: Mapping[str, tuple[str, Callable[[View, Row], str]]] = {
    "A": ("JOBID", lambda _, row: _raw(row)),
    "a": ("ACCOUNT", lambda _, row: row.job.request.account or "(null)"),
    "b": ("TRES_PER_NODE", lambda _, row: _gres(row)),
    "B": ("EXEC_HOST", lambda _, row: row.node or "n/a"),
    "C": ("CPUS", lambda _, row: str(row.job.request.cores)),
    "c": ("MIN_CPUS", lambda _, row: _least_cores(row)),
    "D": ("NODES", lambda *_: "1"),
    "d": ("MIN_TMP_DISK", lambda *_: "0"),
    "E": ("DEPENDENCY", lambda view, row: write_dependency(view.cluster, row.job) or "(null)"),
    "e": ("END_TIME", lambda view, row: view.end(row)),
    "F": ("ARRAY_JOB_ID", lambda _, row: row.job.id),
    "f": ("FEATURES", _option("constraint")),
    "i": ("JOBID", lambda view, row: view.id(row)),
    "j": ("NAME", lambda _, row: row.job.name),
    "K": ("ARRAY_TASK_ID", lambda view, row: view.list(row)),
    "k": ("COMMENT", _option("comment")),
    "L": ("TIME_LEFT", lambda view, row: write_limit(view.left(row))),
    "l": ("TIME_LIMIT", lambda view, row: write_limit(view.limit(row))),
    "M": ("TIME", lambda view, row: write_span(view.spent(row), is_short=True)),
    "m": ("MIN_MEMORY", lambda _, row: _memory(row)),
    "N": ("NODELIST", lambda _, row: row.node),
    "n": ("REQ_NODES", _nodes("nodelist")),
    "o": ("COMMAND", lambda _, row: "(null)" if row.job.ordered.details.get("wrap") else str(row.job.script)),
    "P": ("PARTITION", lambda view, row: view.cluster.partition_of(row.job).name),
    "p": ("PRIORITY", lambda view, row: f"{view.priority(row) / (1 << 32):.14f}"),
    "Q": ("PRIORITY", lambda view, row: str(view.priority(row))),
    "q": ("QOS", lambda _, row: row.job.request.qos or "normal"),
    "R": ("NODELIST(REASON)", lambda view, row: view.place(row)),
    "r": ("REASON", lambda _, row: row.reason),
    "S": ("START_TIME", lambda view, row: view.time(view.planned(row))),
    "T": ("STATE", _state),
    "t": ("ST", lambda _, row: SHORT[row.word]),
    "U": ("UID", lambda _, row: str(row.job.ordered.number)),
    "u": ("USER", lambda _, row: row.job.ordered.user),
    "V": ("SUBMIT_TIME", lambda view, row: view.time(row.job.submitted)),
    "v": ("RESERVATION", lambda _, row: row.job.request.reservation or "(null)"),
    "x": ("EXC_NODES", _nodes("exclude")),
    "y": ("NICE", lambda _, row: str(row.job.request.nice)),
    "Y": ("SCHEDNODES", lambda *_: "(null)"),
    "Z": ("WORK_DIR", lambda _, row: row.job.ordered.details.get("chdir") or str(row.job.directory)),
}  # fmt: skip
