"""`qdel`: deletes jobs, or some sub-jobs of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sciflow.schedulers.fake.face import Call
from sciflow.schedulers.fake.jobs import RUNS, Job
from sciflow.schedulers.fake.pbs import usage
from sciflow.schedulers.fake.pbs.amounts import Wrong
from sciflow.schedulers.fake.pbs.names import Target
from sciflow.schedulers.fake.pbs.replies import FINISHED, INVALID, for_each, no_server, split_options
from sciflow.schedulers.fake.pbs.words import Record, record_of
from sciflow.transport.base import Answer

if TYPE_CHECKING:
    from sciflow.schedulers.fake.cluster import VirtualCluster

_NODE_DOWN, _SUB_JOB_OVER = 222, 55


def qdel(cluster: VirtualCluster, call: Call) -> Answer:
    """Delete each job that is named, and tell of those that cannot be deleted."""
    try:
        options, ids = split_options(call.argv[1:], "W:x", "qdel", usage.QDEL)
    except Wrong as wrong:
        return Answer(wrong.code, "", str(wrong))
    if not ids:
        return Answer(2, "", usage.QDEL)
    silent = no_server(cluster, "qdel")
    if silent is not None:
        return silent
    is_forced = "force" in options.get("W", "")

    def delete(target: Target, job: Job) -> None:
        if "x" in options:
            cluster.jobs.pop(job.id, None)
        if not job.open:
            return
        if target.numbers is None:
            _delete_all(cluster, target, job, call.user, is_forced)
        else:
            _delete_some(cluster, target, job, call.user, is_forced)

    answer = for_each(cluster, "qdel", ids, delete, is_final="x" in options)
    if "Job has finished" not in answer.err:
        return answer
    # Of those that are not known it says nothing then.
    return Answer(FINISHED, "", "".join(one for one in answer.err.splitlines(True) if "Unknown Job Id" not in one))


def _cancel(cluster: VirtualCluster, job: Job, numbers: list[int], is_forced: bool) -> None:
    """Cancel indices; by force those that run are gone at once, and nothing is known of how they ended."""
    running = [job.indices[one] for one in numbers if job.indices[one].word == RUNS]
    cluster.cancel(job, numbers)
    if is_forced:
        job.notes.setdefault("forced", set()).update(one.number for one in running)
        for one in running:
            cluster.kill_job(one)


def _delete_all(cluster: VirtualCluster, target: Target, job: Job, user: str, is_forced: bool) -> None:
    """Delete a job; what has been noted down of its sub-jobs that are over is lost by that."""
    _check_nodes(job, list(job.indices), target, is_forced)
    over = {number for number, one in job.indices.items() if one.is_over}
    job.notes |= {"deleted": True, "deleted by": user}
    if job.is_array:
        job.notes.setdefault("erased", set()).update(over)
    _cancel(cluster, job, list(job.indices), is_forced)


def _delete_some(cluster: VirtualCluster, target: Target, job: Job, user: str, is_forced: bool) -> None:
    chosen = target.chosen(job)
    if not chosen:
        raise Wrong(f"Invalid request {target.full}", INVALID)
    only = job.indices[chosen[0]]
    if target.is_one and only.is_over:
        if record_of(cluster, only) is Record.OWN and only.word != "CANCELLED":
            raise Wrong(f"Job has finished {target.full}", FINISHED)
        raise Wrong(f"Request invalid for finished array subjob {target.full}", _SUB_JOB_OVER)
    _check_nodes(job, chosen, target, is_forced)
    job.notes["deleted by"] = user
    _cancel(cluster, job, chosen, is_forced)


def _check_nodes(job: Job, numbers: list[int], target: Target, is_forced: bool) -> None:
    """Refuse what cannot be told to a node that is down, unless that does not matter."""
    running = [job.indices[one] for one in numbers if job.indices[one].word == RUNS]
    if not is_forced and any(one.node is not None and not one.node.is_up for one in running):
        raise Wrong(f"Server could not connect to MOM {target.full}", _NODE_DOWN)
