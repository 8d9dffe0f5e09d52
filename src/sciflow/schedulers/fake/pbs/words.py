"""What PBS says of jobs and sub-jobs: states, substates, exit statuses and comments."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING

from sciflow.schedulers.fake.dependencies import HOPELESS
from sciflow.schedulers.fake.jobs import RUNS, WAITS, Index, Job
from sciflow.schedulers.fake.pbs.amounts import write_minute
from sciflow.schedulers.fake.pbs.names import SERVER

if TYPE_CHECKING:
    from sciflow.schedulers.fake.cluster import VirtualCluster

ENDED, FAILED, DELETED, BEGUN = 92, 93, 91, 70
_STATUS = {"TIMEOUT": -29, "OUT_OF_MEMORY": -27, "NODE_FAIL": -20, "CANCELLED": 256 + 15}
LOST, CANNOT_START = -20, -3  # of one whose node was lost, and of one that cannot be started


class Record(Enum):
    """What record there is of an index: its own, none any more, or none since it never ran."""

    OWN = "own"
    GONE = "gone"
    NONE = "none"


def record_of(cluster: VirtualCluster, index: Index) -> Record:
    """What record there is of an index; one that waits has none in an array job.

    Those that were over when their array job was deleted have lost theirs; a server without history keeps none.
    """
    if index.word == RUNS:
        return Record.OWN
    if index.start is None or index.word == WAITS:
        return Record.NONE
    is_lost = index.number in index.job.notes.get("erased", ()) or not cluster.rules.remembered
    return Record.GONE if index.job.is_array and is_lost else Record.OWN


def status_of(index: Index) -> int | None:
    """The exit status of an index that has run; None of one that was deleted by force."""
    if index.number in index.job.notes.get("forced", ()):
        return None
    if index.word in _STATUS:
        return _STATUS[index.word]
    return 256 + index.signal if index.signal else index.code


def status_of_whole(cluster: VirtualCluster, job: Job) -> int | None:
    """The exit status of an array job: that of the sub-job that changed last, with 2 in place of negative ones."""
    last = job.last
    if not job.open:  # at the end they all change once more, in order
        own = [one for one in job.indices.values() if record_of(cluster, one) is Record.OWN]
        last = max(own, key=lambda one: one.number, default=None)
    status = status_of(last) if last is not None else None
    if status is None:
        return None
    return (status > 0) + 2 * (status < 0)


def substate_of_end(index: Index) -> int:
    """The substate of one that is over."""
    if index.word == "CANCELLED":
        return ENDED if index.reason == HOPELESS else DELETED
    return ENDED if index.word == "COMPLETED" else FAILED


def state_of(cluster: VirtualCluster, job: Job) -> tuple[str, int]:
    """State and substate of a job as a whole."""
    indices = job.indices.values()
    if not job.open:
        return "F", _end_of_whole(job)
    if not job.is_array and job.running:
        [only] = indices
        return ("R", 42) if only.start != cluster.clock() else ("R", 41)
    if holds_of(cluster, job) != "n" and not job.notes.get("never"):
        return "H", 22 if cluster.queue.is_tied(job) else 20
    if job.is_array and any(one.word == RUNS or (one.is_over and one.start is not None) for one in indices):
        return "B", BEGUN
    if job.request.begin > cluster.clock():
        return "W", 30
    return "Q", 10


def _end_of_whole(job: Job) -> int:
    if job.notes.get("deleted"):
        return DELETED
    ran = [one for one in job.indices.values() if one.start is not None]
    ends = {substate_of_end(one) for one in ran or job.indices.values()}
    return next(one for one in (DELETED, FAILED, ENDED) if one in ends)


def holds_of(cluster: VirtualCluster, job: Job) -> str:
    """Who holds a job: `u` its owner, `s` the server, since it waits for other jobs; `n` nobody."""
    first = next((job.indices[number] for number in job.waiting), next(iter(job.indices.values())))
    if first.is_over:
        return "s" if first.reason == HOPELESS else "n"
    is_tied = first.word == WAITS and cluster.queue.is_tied(job)
    own = "u" if job.request.is_held and not job.notes.get("never") else ""
    if own and job.notes.get("cannot start"):
        return "s"
    return own + ("s" if is_tied else "") or "n"


def comment_of(index: Index) -> str:
    """The comment on an index that has started."""
    text = f"Job run at {write_minute(index.start or 0.0)} on {vnode_of(index)}"
    if index.word == RUNS:
        return text + (_killed_by(index) if index.fate == "CANCELLED" else "")
    ends = {
        "COMPLETED": " and finished",
        "TIMEOUT": " and exceeded resource walltime",
        "OUT_OF_MEMORY": " and exceeded resource mem",
        "CANCELLED": _killed_by(index),
    }
    return text + ends.get(index.word, " and failed")


def comment_of_whole(cluster: VirtualCluster, job: Job) -> str:
    """The comment on a job as a whole; empty where there is none."""
    started = [one.start for one in job.indices.values() if one.start is not None]
    if job.is_array and started:
        words = {ENDED: " and finished", FAILED: " and failed", DELETED: " and terminated"}
        return f"Job Array Began at {write_minute(min(started))}" + ("" if job.open else words[_end_of_whole(job)])
    if started and not job.waiting:
        return comment_of(next(iter(job.indices.values())))
    if job.request.is_held and job.notes.get("cannot start"):
        return "job held, too many failed attempts to run"
    if state_of(cluster, job)[0] != "Q" or cluster.clock() <= job.submitted:
        return ""
    if job.notes.get("never"):
        return "Not Running: Number of concurrent running subjobs limit reached"
    return why_it_waits(cluster, job)


def why_it_waits(cluster: VirtualCluster, job: Job) -> str:
    """Say why a job that could start does not."""
    request, partition = job.request, cluster.rules.partition(job.request.partition)
    if partition is not None and not partition.is_up:
        return "Not Running: Queue not started."
    up = [node for node in cluster.nodes.values() if node.is_up]
    if not up:
        return "Not Running: Not enough free nodes available"
    amounts = {
        "ncpus": (request.cores, max(one.free_cores for one in up), max(one.cores for one in up)),
        "mem": (request.memory, max(one.free_memory for one in up), max(one.memory for one in up)),
        "ngpus": (request.gpus, max(one.free_gpus for one in up), max(one.gpus for one in up)),
    }
    for name, (asked, _, most) in amounts.items():
        if asked > most:
            return f"Can Never Run: Insufficient amount of resource: {name} (R: {asked} A: {most} T: {most})"
    for name, (asked, free, most) in amounts.items():
        if asked > free:
            return f"Not Running: Insufficient amount of resource: {name} (R: {asked} A: {free} T: {most})"
    return "Not Running: Not enough free nodes available"


def vnode_of(index: Index) -> str:
    """Where an index runs or ran, with what it has there."""
    request, node = index.job.request, index.node.name if index.node else ""
    memory = f":mem={request.memory // 1024}kb" if request.memory else ""
    gpus = f":ngpus={request.gpus}" if request.gpus else ""
    return f"({node}{memory}:ncpus={request.cores}{gpus})"


def _killed_by(index: Index) -> str:
    job = index.job
    if index.number in job.notes.get("forced", ()):
        return " and terminated"
    return f" and terminated by {job.notes.get('deleted by', 'root')}@{SERVER}"
