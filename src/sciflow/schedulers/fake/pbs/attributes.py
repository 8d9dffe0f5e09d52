"""The attributes of jobs and sub-jobs, in the order in which `qstat -f` prints them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import tzinfo
from typing import TYPE_CHECKING, Any

from sciflow.schedulers.fake.jobs import RUNS, WAITS, Index, Job
from sciflow.schedulers.fake.pbs import words
from sciflow.schedulers.fake.pbs.amounts import write_moment, write_walltime
from sciflow.schedulers.fake.pbs.depend import write_dependency
from sciflow.schedulers.fake.pbs.names import SERVER, name_of
from sciflow.schedulers.fake.pbs.paths import error_path, output_path
from sciflow.schedulers.fake.pbs.words import Record, record_of

if TYPE_CHECKING:
    from sciflow.schedulers.fake.cluster import VirtualCluster

Facts = dict[str, Any]
STARTING = 41  # the substate of one of which nothing is known from its node
PROJECT = "_pbs_project_default"
_NOT_OF_A_PART = {
    *("array", "array_state_count", "array_indices_submitted", "array_indices_remaining", "history_timestamp"),
    *("project", "Submit_Host", "max_run_subjobs", "depend"),
}
_NOT_OF_A_SUB_JOB = {"Checkpoint", "Hold_Types", "Submit_arguments", "executable", "argument_list", "depend"}


def of_job(cluster: VirtualCluster, job: Job, zone: tzinfo | None) -> Facts:
    """The attributes of a job as a whole."""
    state, substate = words.state_of(cluster, job)
    only = None if job.is_array else next(iter(job.indices.values()))
    has_run = only is not None and only.start is not None and only.word != WAITS
    is_known = has_run and substate != STARTING
    started = [one.start for one in job.indices.values() if one.start is not None]
    status = words.status_of_whole(cluster, job) if only is None else None
    if only is not None and only.is_over and has_run:
        status = words.status_of(only)
    elif only is not None and only.word == WAITS and only.restarts:
        status = words.CANNOT_START if job.notes.get("cannot start") else words.LOST
    details = job.ordered.details
    ended = job.last_end if state == "F" and started else _lost(cluster, only)
    facts = _common(cluster, job, state, substate, zone)
    facts |= {
        "resources_used": _used(cluster, only) if is_known and only is not None else None,
        "exec_host": _host(only) if has_run and only is not None else None,
        "exec_vnode": words.vnode_of(only) if has_run and only is not None else None,
        "depend": write_dependency(job, "s" in words.holds_of(cluster, job)) or None,
        "Error_Path": f"{SERVER}:{error_path(job, '^array_index^')}",
        "Output_Path": f"{SERVER}:{output_path(job, '^array_index^')}",
        "stime": write_moment(min(started), zone) if started else None,
        "obittime": write_moment(ended, zone) if ended is not None else None,
        "session_id": _session(only) if is_known and only is not None else None,
        "jobdir": details["home"] if is_known else None,
        "comment": words.comment_of_whole(cluster, job) or None,
        "run_count": _count(only) if only is not None and (has_run or only.restarts) else None,
        "Stageout_status": 1 if status is not None and (not job.open or job.is_array) else None,
        "Exit_status": status,
        "Submit_arguments": details["arguments"],
        "executable": details.get("executable"),
        "argument_list": details.get("argument list"),
        "history_timestamp": int(job.last_end) if state == "F" else None,
    }
    if job.is_array:
        facts |= _array(cluster, job)
    return _ordered(facts)


def of_sub_job(cluster: VirtualCluster, index: Index, zone: tzinfo | None, whole: Facts | None = None) -> Facts:
    """The attributes of a sub-job; one without a record of its own shows what stands in that of its array job."""
    job = index.job
    if record_of(cluster, index) is not Record.OWN:
        return _without_record(index, whole or of_job(cluster, job, zone))
    state = "R" if index.word == RUNS else "X" if job.open else "F"
    running = STARTING if index.start == cluster.clock() else 42
    facts = _common(cluster, job, state, running if state == "R" else words.substate_of_end(index), zone)
    facts |= {
        "mtime": write_moment(index.end or index.start or job.submitted, zone),
        "resources_used": _used(cluster, index) if facts["substate"] != STARTING else None,
        "exec_host": _host(index),
        "exec_vnode": words.vnode_of(index),
        "Error_Path": f"{SERVER}:{error_path(job, str(index.number))}",
        "Output_Path": f"{SERVER}:{output_path(job, str(index.number))}",
        "stime": write_moment(index.start or 0.0, zone),
        "obittime": write_moment(index.end, zone) if index.end is not None else None,
        "session_id": _session(index) if facts["substate"] != STARTING else None,
        "jobdir": job.ordered.details["home"] if facts["substate"] != STARTING else None,
        "comment": words.comment_of(index),
        "run_count": _count(index),
        "array_id": name_of(job),
        "array_index": index.number,
    }
    if index.is_over:
        status = words.status_of(index)
        facts |= {"Stageout_status": None if status is None else 1, "Exit_status": status}
        facts["history_timestamp"] = int(index.end or 0.0)
    return {name: value for name, value in _ordered(facts).items() if name not in _NOT_OF_A_SUB_JOB}


def _without_record(index: Index, whole: Facts) -> Facts:
    facts = {name: value for name, value in whole.items() if name not in _NOT_OF_A_PART}
    facts["job_state"], facts["substate"] = "Q", 10
    if index.is_over:
        state = "X" if index.job.open else "F"
        facts |= {"job_state": state, "substate": whole["substate"], "comment": "Subjob finished"}
    return _ordered(facts)


def _common(cluster: VirtualCluster, job: Job, state: str, substate: int, zone: tzinfo | None) -> Facts:
    """What jobs and sub-jobs have alike."""
    details, request = job.ordered.details, job.request
    letters = details["letters"]
    has_been_due = request.begin <= cluster.clock() and state not in ("H", "W")
    changed = max([job.submitted, job.last_end, *(one.start for one in job.indices.values() if one.start is not None)])
    return {
        "Job_Name": job.request.name,
        "Job_Owner": f"{job.user}@{SERVER}",
        "job_state": state,
        "queue": details["queue"],
        "server": SERVER,
        "Account_Name": request.account or None,
        "Checkpoint": "u",
        "ctime": write_moment(job.submitted, zone),
        "Execution_Time": write_moment(request.begin, zone) if request.begin > cluster.clock() else None,
        "Hold_Types": words.holds_of(cluster, job),
        "Join_Path": letters.get("j", "n"),
        "Keep_Files": letters.get("k", "n"),
        "Mail_Points": letters.get("m", "a"),
        "mtime": write_moment(changed, zone),
        "Priority": int(letters.get("p", 0)),
        "qtime": write_moment(job.submitted, zone),
        "Remove_Files": letters.get("R"),
        "Rerunable": "True" if request.is_requeued else "False",
        "Resource_List": _resources(details["resources"], request.seconds),
        "Shell_Path_List": letters.get("S"),
        "substate": substate,
        "umask": int(details["attributes"]["umask"]) if "umask" in details["attributes"] else None,
        "Variable_List": details["exported"],
        "etime": write_moment(max(job.submitted, request.begin), zone) if has_been_due else None,
        "project": letters.get("P", PROJECT),
        "Submit_Host": SERVER,
    }


def _resources(shown: Facts, seconds: float) -> Facts:
    found = {name: value for name, value in shown.items() if name not in ("first", "walltime")}
    if seconds:
        found["walltime"] = write_walltime(seconds)
    return dict(sorted(found.items()))


def _array(cluster: VirtualCluster, job: Job) -> Facts:
    over = [one for one in job.indices.values() if one.is_over]
    counts = {"Queued": len(job.waiting), "Running": job.running, "Exiting": 0, "Expired": len(over)}
    if not job.open:
        counts["Expired"] = sum(record_of(cluster, one) is not Record.OWN for one in over)
    return {
        "array": "True",
        "array_state_count": " ".join(f"{name}:{count}" for name, count in counts.items()),
        "array_indices_submitted": job.ordered.details["letters"]["J"].partition("%")[0],
        "array_indices_remaining": write_ranges(sorted(job.waiting)) or "-",
        "max_run_subjobs": job.request.throttle or (0 if job.notes.get("never") else None),
    }


def write_ranges(numbers: Iterable[int]) -> str:
    """Sorted numbers as ``4,8-9``."""
    found: list[list[int]] = []
    for number in numbers:
        if found and found[-1][-1] == number - 1:
            found[-1][1:] = [number]
        else:
            found.append([number])
    return ",".join("-".join(map(str, part)) for part in found)


def _used(cluster: VirtualCluster, index: Index) -> Facts:
    """What an index has used; it is measured by nobody here but for its time."""
    end = index.end if index.end is not None else cluster.clock()
    return {
        "cpupercent": 0,
        "cput": "00:00:00",
        "mem": "0kb",
        "ncpus": index.job.request.cores,
        "vmem": "0kb",
        "walltime": write_walltime(end - (index.start or end)),
    }


def _lost(cluster: VirtualCluster, index: Index | None) -> float | None:
    """When the last start of an index ended that waits again; None of all others."""
    if index is None or index.word != WAITS or not index.restarts:
        return None
    rows = cluster.accounting.history(index.job, cluster.clock()).get(index.number, [])
    return max((row.end for row in rows if row.end is not None), default=None)


def _host(index: Index) -> str:
    cores = index.job.request.cores
    return f"{index.node.name if index.node else SERVER}/0" + (f"*{cores}" if cores > 1 else "")


def _session(index: Index) -> int:
    return 1000 + index.job.order * 10 + index.number % 10


def _count(index: Index) -> int:
    """How often an index was started."""
    return index.restarts + (index.start is not None and index.word != WAITS)


_ORDER = (
    *("Job_Name", "Job_Owner", "resources_used", "job_state", "queue", "server", "Account_Name", "Checkpoint", "ctime"),
    *("depend", "Error_Path", "Execution_Time", "exec_host", "exec_vnode", "Hold_Types", "Join_Path", "Keep_Files"),
    *("Mail_Points", "mtime", "Output_Path", "Priority", "qtime", "Remove_Files", "Rerunable", "Resource_List"),
    *("stime", "obittime", "Shell_Path_List", "session_id", "jobdir", "substate", "Variable_List", "umask", "comment"),
    *("etime", "run_count", "Stageout_status", "Exit_status", "Submit_arguments", "executable", "argument_list"),
    *("array", "array_state_count", "array_indices_submitted", "array_indices_remaining", "array_id", "array_index"),
    *("history_timestamp", "project", "Submit_Host", "max_run_subjobs"),
)


def _ordered(facts: Facts) -> Facts:
    """Those that have a value, in order."""
    return {name: facts[name] for name in _ORDER if facts.get(name) is not None}


def all_of(cluster: VirtualCluster, job: Job, zone: tzinfo | None) -> Iterator[tuple[str, Facts]]:
    """Identifier and attributes of an array job and of each of its sub-jobs."""
    whole = of_job(cluster, job, zone)
    yield name_of(job), whole
    if job.is_array:
        for index in job.indices.values():
            yield name_of(job, index.number), of_sub_job(cluster, index, zone, whole)
