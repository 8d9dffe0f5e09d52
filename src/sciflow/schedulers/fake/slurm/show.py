"""`scontrol show`: how the site is set up, and all about jobs, nodes and partitions."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from sciflow.schedulers.fake.face import Call
from sciflow.schedulers.fake.jobs import WAITS
from sciflow.schedulers.fake.nodes import Node
from sciflow.schedulers.fake.slurm.arguments import Wrong
from sciflow.schedulers.fake.slurm.asked import MIB
from sciflow.schedulers.fake.slurm.dependency import write_dependency
from sciflow.schedulers.fake.slurm.environment import folder, log_path
from sciflow.schedulers.fake.slurm.hosts import read_hosts, write_hosts
from sciflow.schedulers.fake.slurm.node_states import state_of
from sciflow.schedulers.fake.slurm.queue_columns import COLUMNS, View
from sciflow.schedulers.fake.slurm.queue_rows import Row, rows_of
from sciflow.schedulers.fake.slurm.sizes import write_memory
from sciflow.schedulers.fake.slurm.targets import find_target
from sciflow.schedulers.fake.slurm.times import write_limit, write_moment, write_span
from sciflow.schedulers.fake.slurm.words import (
    CLUSTER,
    HOST,
    UNKNOWN_JOB,
    exit_in_controller,
    raw_id,
)

if TYPE_CHECKING:
    from sciflow.schedulers.fake.cluster import VirtualCluster

Lines = list[Mapping[str, object]]
NULL = "(null)"


def show_config(cluster: VirtualCluster, call: Call) -> str:
    """The configuration, as far as this cluster has any."""
    rules = cluster.rules
    values = {
        "AccountingStorageType": "accounting_storage/slurmdbd",
        "ClusterName": CLUSTER,
        "InactiveLimit": "0 sec",
        "KillWait": f"{int(rules.kill_wait)} sec",
        "MaxArraySize": rules.highest_index + 1,
        "MinJobAge": f"{int(rules.remembered)} sec",
        "PriorityType": "priority/multifactor",
        "SchedulerType": "sched/backfill",
        "SelectType": "select/cons_tres",
        "SLURM_VERSION": "22.05.8",
        "SlurmctldHost[0]": f"{HOST}(127.0.0.1)",
    }
    lines = [f"Configuration data as of {write_moment(cluster.clock(), call, '')}"]
    lines += [f"{name:<23} = {value}" for name, value in values.items()]
    return "".join(f"{line}\n" for line in [*lines, "", f"Slurmctld(primary) at {HOST} is UP"])


def show_jobs(cluster: VirtualCluster, call: Call, name: str, is_one_line: bool) -> str:
    """All about a job, one record for each row that `squeue` has of it; about all jobs without a name."""
    view = View(cluster, call)
    if not name:
        rows = [row for job in cluster.known() for row in rows_of(cluster, job)]
        return _records((_job(view, row) for row in rows), is_one_line) if rows else "No jobs in the system\n"
    target = find_target(cluster, name)
    if target is None:
        raise Wrong(f"slurm_load_jobs error: {UNKNOWN_JOB}")
    rows = [
        row for row in rows_of(cluster, target.job) if target.numbers is None or set(target.numbers) & set(row.numbers)
    ]
    if not rows:
        raise Wrong(f"Job {name} not found")
    return _records((_job(view, row) for row in rows), is_one_line)


def _job(view: View, row: Row) -> Lines:
    cluster, job, first = view.cluster, row.job, row.first
    request, given = job.request, job.ordered.details
    is_one = len(row.numbers) == 1
    array = {"ArrayJobId": job.id, "ArrayTaskId": view.list(row)} if job.is_array else {}
    throttle = {"ArrayTaskThrottle": request.throttle} if job.is_array and request.throttle else {}
    user, number = job.ordered.user, job.ordered.number
    waits = row.word == WAITS
    eligible = max(job.submitted, request.begin)
    end = first.end if first.end is not None and not waits else None
    tres = f"cpu={request.cores},mem={write_memory(request.memory)},node=1,billing={request.cores}"
    tres += f",gres/gpu={request.gpus}" if request.gpus else ""
    memory = ("MinMemoryNode" if "mem" in given else "MinMemoryCPU", COLUMNS["m"][1](view, row))
    return [
        {"JobId": raw_id(job, row.numbers[0]) if is_one else job.id, **array, **throttle, "JobName": job.name},
        {"UserId": f"{user}({number})", "GroupId": f"{user}({number})", "MCS_label": "N/A"},
        {"Priority": view.priority(row), "Nice": request.nice, "Account": request.account or NULL}
        | {"QOS": request.qos or "normal"},
        {
            "JobState": row.word,
            "Reason": row.reason.replace(" ", "_"),
            "Dependency": write_dependency(cluster, job) or NULL,
        },
        {"Requeue": int(request.is_requeued), "Restarts": first.restarts, "BatchFlag": 1, "Reboot": 0}
        | {"ExitCode": exit_in_controller(first)},
        {"RunTime": write_span(view.spent(row)), "TimeLimit": write_limit(view.limit(row), is_short=False)}
        | {"TimeMin": "N/A"},
        {
            "SubmitTime": view.time(job.submitted),
            "EligibleTime": view.time(None if request.is_held else eligible, "Unknown"),
        },
        {"StartTime": view.time(view.planned(row), "Unknown"), "EndTime": view.time(end, "Unknown"), "Deadline": "N/A"},
        {"Partition": cluster.partition_of(job).name, "AllocNode:Sid": f"{HOST}:1"},
        {"ReqNodeList": COLUMNS["n"][1](view, row) or NULL, "ExcNodeList": COLUMNS["x"][1](view, row) or NULL},
        {"NodeList": row.node},
        *([{"BatchHost": row.node}] if row.node else []),
        {"NumNodes": 1, "NumCPUs": request.cores, "NumTasks": given.get("ntasks", 1)}
        | {"CPUs/Task": given.get("cpus-per-task", 1), "ReqB:S:C:T": "0:0:*:*"},
        {"TRES": tres},
        {"MinCPUsNode": given.get("cpus-per-task", 1), memory[0]: memory[1], "MinTmpDiskNode": 0},
        {"Features": given.get("constraint") or NULL, "DelayBoot": "00:00:00"},
        {"OverSubscribe": "NO" if "exclusive" in given else "OK", "Contiguous": 0, "Licenses": NULL, "Network": NULL},
        {"Command": COLUMNS["o"][1](view, row)},
        {"WorkDir": folder(first)},
        *([{"Comment": given["comment"]}] if given.get("comment") else []),
        {"StdErr": log_path(first, request.error or request.output)},
        {"StdIn": "/dev/null"},
        {"StdOut": log_path(first, request.output)},
        {"Power": ""},
    ]


def show_limits(cluster: VirtualCluster, call: Call, words: Iterable[str]) -> str:
    """What `assoc_mgr` knows: the limits of the one QOS that there is, with what is used; accounts have none."""
    flags = next((word.partition("=")[2] for word in words if word.lower().startswith("flags=")), "qos,assoc")
    lines = ["Current Association Manager state"]
    if "qos" in flags:
        rules = cluster.rules
        users = {job.ordered.number: cluster.users.by_name[job.user] for job in cluster.jobs.values()}
        users.setdefault(call.number, cluster.users.by_name[call.user])
        own = [
            f"{number}={{MaxJobsPU={_most(rules.running_indices)}({user.running}) "
            f"MaxSubmitJobsPU={_most(rules.submitted_indices)}({user.queued}) "
            f"MaxTRESPU=cpu={_most(rules.running_cores)}({user.cores})}}"
            for number, user in users.items()
        ]
        lines += ["QOS Records", f"QOS=normal(1) MaxWallPJ= MaxTRESPJ= User Limits= {' '.join(own)}"]
    if "assoc" in flags:
        mine = f"ClusterName={CLUSTER} Account=project UserName={call.user}({call.number}) GrpJobs=N(0) MaxJobs="
        lines += ["Association Records", mine]
    return "".join(f"{line}\n" for line in lines)


def _most(limit: int | None) -> str:
    return "N" if limit is None else str(limit)


def show_nodes(cluster: VirtualCluster, _call: Call, names: str, is_one_line: bool) -> str:
    """All about nodes."""
    wanted = read_hosts(names) if names else list(cluster.nodes)
    for name in wanted:
        if name not in cluster.nodes:
            raise Wrong(f"Node {name} not found")
    return _records((_node(cluster, cluster.nodes[name]) for name in wanted), is_one_line)


def _node(cluster: VirtualCluster, node: Node) -> Lines:
    memory, used = node.memory // MIB, (node.memory - node.free_memory) // MIB
    gres = f"gpu:{node.gpus}" if node.gpus else NULL
    partitions = ",".join(one.name for one in cluster.rules.partitions if node.is_of(one))
    features = ",".join(node.features) or NULL
    busy = node.cores - node.free_cores
    tres = f"cpu={node.cores},mem={memory}M,billing={node.cores}" + (f",gres/gpu={node.gpus}" if node.gpus else "")
    lines: Lines = [
        {"NodeName": node.name, "Arch": "x86_64", "CoresPerSocket": 1},
        {"CPUAlloc": busy, "CPUEfctv": node.cores, "CPUTot": node.cores, "CPULoad": f"{busy:.2f}"},
        {"AvailableFeatures": features},
        {"ActiveFeatures": features},
        {"Gres": gres},
        {"NodeAddr": node.name, "NodeHostName": node.name, "Version": "22.05.8"},
        {"RealMemory": memory, "AllocMem": used, "FreeMem": memory - used, "Sockets": node.cores, "Boards": 1},
        {"State": state_of(node).upper().replace("DRAINED", "IDLE+DRAIN").replace("DRAINING", "MIXED+DRAIN")}
        | {"ThreadsPerCore": 1, "TmpDisk": 0, "Weight": 1, "Owner": "N/A", "MCS_label": "N/A"},
        {"Partitions": partitions},
        {"CfgTRES": tres},
        {"AllocTRES": f"cpu={busy},mem={used}M" if busy else ""},
    ]
    return [*lines, {"Reason": node.drained}] if node.drained else lines


def show_partitions(cluster: VirtualCluster, _call: Call, name: str, is_one_line: bool) -> str:
    """All about partitions."""
    wanted = [one for one in cluster.rules.partitions if name in ("", one.name)]
    if not wanted:
        raise Wrong(f"Partition {name} not found")
    records = []
    for one in wanted:
        nodes = [node for node in cluster.nodes.values() if node.is_of(one)]
        cores, memory = sum(node.cores for node in nodes), sum(node.memory for node in nodes) // MIB
        longest = write_limit(one.longest if math.isfinite(one.longest) else 0.0, is_short=False)
        state = {(True, True): "UP", (False, True): "DOWN", (True, False): "DRAIN", (False, False): "INACTIVE"}
        records.append(
            [
                {"PartitionName": one.name},
                {"AllowGroups": "ALL", "AllowAccounts": "ALL", "AllowQos": "ALL"},
                {"AllocNodes": "ALL", "Default": "YES" if one.is_default else "NO", "QoS": "N/A"},
                {"DefaultTime": "NONE", "DisableRootJobs": "NO", "ExclusiveUser": "NO", "GraceTime": 0, "Hidden": "NO"},
                {"MaxNodes": 1, "MaxTime": longest, "MinNodes": 0, "LLN": "NO", "MaxCPUsPerNode": "UNLIMITED"},
                {"Nodes": write_hosts(node.name for node in nodes)},
                {"PriorityJobFactor": 1, "PriorityTier": one.tier, "RootOnly": "NO", "ReqResv": "NO"}
                | {"OverSubscribe": "NO"},
                {"OverTimeLimit": "NONE", "PreemptMode": one.preempted.upper()},
                {"State": state[one.is_up, one.is_open], "TotalCPUs": cores, "TotalNodes": len(nodes)}
                | {"SelectTypeParameters": "NONE"},
                {"TRES": f"cpu={cores},mem={memory}M,node={len(nodes)},billing={cores}"},
            ]
        )
    return _records(records, is_one_line)


def _records(records: Iterable[Lines], is_one_line: bool) -> str:
    texts = []
    for record in records:
        lines = [" ".join(f"{name}={value}" for name, value in line.items()) for line in record]
        texts.append(" ".join(lines) + "\n" if is_one_line else "\n   ".join(lines) + "\n\n")
    return "".join(texts)
