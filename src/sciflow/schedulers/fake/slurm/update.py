"""`scontrol update`: what can be changed of jobs, nodes and partitions."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from sciflow.schedulers.fake.face import Call
from sciflow.schedulers.fake.jobs import RUNS, WAITS
from sciflow.schedulers.fake.request import Refused
from sciflow.schedulers.fake.slurm.arguments import Wrong
from sciflow.schedulers.fake.slurm.dependency import PROBLEM, read_dependency
from sciflow.schedulers.fake.slurm.hosts import read_hosts
from sciflow.schedulers.fake.slurm.targets import Target, find_target
from sciflow.schedulers.fake.slurm.times import read_limit, read_moment, zone
from sciflow.schedulers.fake.slurm.words import UNKNOWN_JOB, written_id
from sciflow.transport.base import Answer

if TYPE_CHECKING:
    from sciflow.schedulers.fake.cluster import VirtualCluster

_DENIED = "Access/permission denied"


def update(cluster: VirtualCluster, call: Call, words: list[str]) -> Answer:
    """Change a job, nodes or a partition, as ``Name=value`` words say."""
    changes: dict[str, str] = {}
    for word in words:
        name, equals, value = word.partition("=")
        if not equals:
            raise Wrong(f"Invalid input: {word}\nRequest aborted")
        changes[name.lower()] = value
    if "jobid" in changes or "job" in changes:
        for word in words:
            if word.partition("=")[0].lower() not in (*_CHANGES, "jobid", "job"):
                raise Wrong(f"Update of this parameter is not supported: {word}\nRequest aborted")
        return _update_job(cluster, call, changes)
    if "nodename" in changes:
        return _update_nodes(cluster, call, changes)
    if "partitionname" in changes:
        return _update_partition(cluster, call, changes)
    raise Wrong(
        "No valid entity in update command\n"
        'Input line must include "NodeName", "PartitionName", "Reservation", "JobId", or "SlurmctldDebug"'
    )


def _update_job(cluster: VirtualCluster, call: Call, changes: dict[str, str]) -> Answer:
    name = changes.pop("jobid", "") or changes.pop("job", "")
    target = find_target(cluster, name)
    if not changes:
        raise Wrong("No changes specified")
    if target is None:
        raise Wrong(f"{UNKNOWN_JOB} for job {name}")
    if target.job.ordered.number != call.number and call.number:
        raise _complaint(target, _DENIED)
    if not any(index.word in (WAITS, RUNS) for index in target.indices):
        raise _complaint(target, "Job has already finished")
    try:
        for one, value in changes.items():
            _CHANGES[one](cluster, call, target, value)
    except Refused as refused:
        raise _complaint(target, PROBLEM) from refused
    return Answer(0, "", "")


def _complaint(target: Target, words: str) -> Wrong:
    """A complaint about a job; of an array job it begins with the indices."""
    job, numbers = target.job, sorted(index.number for index in target.indices)
    if not job.is_array:
        return Wrong(f"{words} for job {job.id}")
    return Wrong(f"{written_id(job, numbers).replace('[', '').replace(']', '')}: {words}")


def _depend(cluster: VirtualCluster, _call: Call, target: Target, value: str) -> None:
    if not target.job.waiting:
        raise _complaint(target, "Job is no longer pending execution")
    try:
        dependency = read_dependency(value)
    except Wrong as wrong:
        raise _complaint(target, str(wrong)) from wrong
    cluster.depend(target.job, dependency)


def _begin(cluster: VirtualCluster, call: Call, target: Target, value: str) -> None:
    if not target.job.waiting:
        raise _complaint(target, "Job is no longer pending execution")
    moment = read_moment(value, cluster.clock(), zone(call))
    for index in target.indices:
        # One that was put back waits for a time of its own, which this takes the place of.
        index.eligible = min(index.eligible, moment)
    cluster.alter(target.job, replace(target.job.request, begin=moment if moment > cluster.clock() else 0.0))


def _throttle(cluster: VirtualCluster, _call: Call, target: Target, value: str) -> None:
    if not value.isdecimal():
        raise Wrong(f"Invalid ArrayTaskThrottle value: {value}\nRequest aborted")
    cluster.alter(target.job, replace(target.job.request, throttle=int(value)))


def _limit(cluster: VirtualCluster, call: Call, target: Target, value: str) -> None:
    now = cluster.seconds_of(target.job)
    try:
        sign, text = (value[0], value[1:]) if value[:1] in "+-" and value != "-1" else ("", value)
        seconds = read_limit(text) or float("inf")
    except ValueError as error:
        raise Wrong("scontrol: error: Invalid TimeLimit value") from error
    seconds = {"+": now + seconds, "-": now - seconds, "": seconds}[sign]
    is_running = any(index.word == RUNS for index in target.indices)
    if seconds > now and is_running and call.number:
        raise _complaint(target, _DENIED)
    longest = cluster.partition_of(target.job).longest
    cluster.alter(target.job, replace(target.job.request, seconds=min(seconds, longest)))
    for index in target.indices:
        if index.word == RUNS and index.start is not None:
            _end_at(cluster, target, index.number, index.start + seconds)


def _end(cluster: VirtualCluster, call: Call, target: Target, value: str) -> None:
    moment = read_moment(value, cluster.clock(), zone(call))
    for index in target.indices:
        if index.word == RUNS:
            _end_at(cluster, target, index.number, moment)


def _end_at(cluster: VirtualCluster, target: Target, number: int, moment: float) -> None:
    index = target.job.indices[number]
    run = index.run_of
    due = max(moment + cluster.rules.late, cluster.clock())
    if index.timer is not None:
        index.timer.call_off()
    index.timer = cluster.clock.at(due, lambda: cluster.time_out(index) if cluster.is_current(index, run) else None)


def _nice(cluster: VirtualCluster, call: Call, target: Target, value: str) -> None:
    if not re.fullmatch(r"-?\d+", value):
        raise Wrong(f"Invalid nice value: {value}\nRequest aborted")
    if int(value) < 0 and call.number:
        raise _complaint(target, _DENIED)
    cluster.alter(target.job, replace(target.job.request, nice=int(value)))


def _rename(cluster: VirtualCluster, _call: Call, target: Target, value: str) -> None:
    target.job.name = value
    cluster.alter(target.job, replace(target.job.request, name=value))


def _move(cluster: VirtualCluster, _call: Call, target: Target, value: str) -> None:
    if cluster.rules.partition(value) is None:
        raise _complaint(target, "Invalid partition name specified")
    if not target.job.waiting:
        raise _complaint(target, "Job is no longer pending execution")
    cluster.alter(target.job, replace(target.job.request, partition=value))


_CHANGES: Mapping[str, Callable[[VirtualCluster, Call, Target, str], None]] = {
    "arraytaskthrottle": _throttle,
    "dependency": _depend,
    "endtime": _end,
    "jobname": _rename,
    "name": _rename,
    "nice": _nice,
    "partition": _move,
    "starttime": _begin,
    "timelimit": _limit,
}


def _update_nodes(cluster: VirtualCluster, call: Call, changes: dict[str, str]) -> Answer:
    if call.number:
        raise Wrong("slurm_update error: Invalid user id")
    names = read_hosts(changes["nodename"])
    for name in names:
        if name not in cluster.nodes:
            raise Wrong("slurm_update error: Invalid node name specified")
    state = changes.get("state", "").lower()
    reason = changes.get("reason", "")
    if state in ("down", "drain", "fail") and not reason:
        raise Wrong("You must specify a reason when DOWNING or DRAINING a node. Request denied")
    if state not in ("down", "drain", "resume", "idle", "undrain"):
        raise Wrong(f"Invalid input: State={state}\nRequest aborted")
    for name in names:
        if state == "down":
            cluster.kill_node(name)
        elif state == "drain":
            cluster.drain_node(name, reason)
        else:
            cluster.drain_node(name, "")
            if not cluster.nodes[name].is_up:
                cluster.revive_node(name)
    return Answer(0, "", "")


def _update_partition(cluster: VirtualCluster, call: Call, changes: dict[str, str]) -> Answer:
    if call.number:
        raise Wrong("slurm_update error: Invalid user id")
    name, state = changes["partitionname"], changes.get("state", "").lower()
    if not any(one.name == name for one in cluster.rules.partitions):
        raise Wrong("slurm_update error: Invalid partition name specified")
    ways = {"up": (True, True), "down": (False, True), "drain": (True, False), "inactive": (False, False)}
    if state not in ways:
        raise Wrong(f"Invalid input: State={state}\nRequest aborted")
    is_up, is_open = ways[state]
    partition = next(one for one in cluster.rules.partitions if one.name == name)
    cluster.set_partition(replace(partition, is_up=is_up, is_open=is_open))
    return Answer(0, "", "")
