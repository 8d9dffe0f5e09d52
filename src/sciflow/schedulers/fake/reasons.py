"""Why an array index waits, in Slurm's words: those of the model, whatever the face makes of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sciflow.schedulers.fake import dependencies
from sciflow.schedulers.fake.backfill import Backfill
from sciflow.schedulers.fake.dependencies import HOPELESS, Wait
from sciflow.schedulers.fake.jobs import Index, Job

if TYPE_CHECKING:
    from sciflow.schedulers.fake.cluster import VirtualCluster

NOT_AVAILABLE = "ReqNodeNotAvail"


def why(cluster: VirtualCluster, index: Index) -> str:
    """What an index waits for that is no matter of room; empty where that is nothing."""
    job, now = index.job, cluster.clock()
    if job.request.is_held:
        return "JobHeldUser"
    waits = (
        Wait.MET if job.eligible is not None else cluster.queue.stands(job),
        dependencies.of_index(job, index.number, cluster.rules.customs),
    )
    if Wait.NEVER in waits:
        return HOPELESS
    if Wait.WAITS in waits:
        return "Dependency"
    if max(job.request.begin, index.eligible) > now:
        return "BeginTime"
    if not cluster.partition_of(job).is_up:
        return "PartitionDown"
    return limit(cluster, job)


def limit(cluster: VirtualCluster, job: Job) -> str:
    """Which limit lets no more of a job run now; empty for none."""
    rules, user = cluster.rules, cluster.users.by_name[job.user]
    if job.request.throttle and job.running >= job.request.throttle:
        return "JobArrayTaskLimit"
    if rules.running_indices is not None and user.running >= rules.running_indices:
        return "QOSMaxJobsPerUserLimit"
    if rules.running_cores is not None and user.cores + job.request.cores > rules.running_cores:
        return "QOSMaxCpuPerUserLimit"
    return ""


def of_room(cluster: VirtualCluster, job: Job, look: Backfill) -> str:
    """Why a job finds no room, as of the last look at the queue."""
    nodes = look.nodes_for(job)
    there = [node for node in nodes if node.takes_jobs]
    if not there:
        names = ",".join(node.name for node in nodes)
        return f"{NOT_AVAILABLE}, UnavailableNodes:{names}"
    now, name = cluster.clock(), job.request.reservation
    end = now + cluster.seconds_of(job)
    ways = [cluster.reservations.in_the_way(node, now, end, name) for node in there]
    blocks = [one for one in ways if one is not None]
    if len(blocks) == len(there):
        if any(one.name == name for one in blocks):
            return "Reservation"
        if all(one.is_maintenance for one in blocks):
            return f"{NOT_AVAILABLE}, Reserved for maintenance"
        return f"{NOT_AVAILABLE}, May be reserved for other job"
    return "Resources" if _is_first(cluster, job) else "Priority"


def _is_first(cluster: VirtualCluster, job: Job) -> bool:
    """Whether no other job of its partition comes before it that could start, were there room."""
    partition = cluster.partition_of(job)
    for one in cluster.queue.startable():
        if one is job:
            return True
        if cluster.partition_of(one) is partition and not limit(cluster, one):
            return False
    return True
