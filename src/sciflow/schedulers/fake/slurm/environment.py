"""What Slurm tells a job script in its environment, and the patterns in the names of its logs."""

from __future__ import annotations

import re
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

from sciflow.schedulers.fake.jobs import Index
from sciflow.schedulers.fake.slurm.asked import MIB
from sciflow.schedulers.fake.slurm.words import CLUSTER, HOST, raw_id

if TYPE_CHECKING:
    from sciflow.schedulers.fake.cluster import VirtualCluster


def variables(cluster: VirtualCluster, index: Index) -> dict[str, str]:
    """All variables of a job script that Slurm sets."""
    job, node = index.job, index.node.name if index.node else ""
    request, given, raw = job.request, job.ordered.details, raw_id(job, index.number)
    user, number = job.ordered.user, str(job.ordered.number)
    tasks = given.get("ntasks", given.get("ntasks-per-node", ""))
    found = {
        "ENVIRONMENT": "BATCH",
        "HOSTNAME": node,
        "SLURMD_NODENAME": node,
        "SLURM_CLUSTER_NAME": CLUSTER,
        # Where Slurm's programs find their configuration; those of this cluster need none.
        "SLURM_CONF": "/etc/slurm/slurm.conf",
        "SLURM_CPUS_ON_NODE": str(request.cores),
        "SLURM_GTIDS": "0",
        "SLURM_JOBID": raw,
        "SLURM_JOB_CPUS_PER_NODE": str(request.cores),
        "SLURM_JOB_GID": number,
        "SLURM_JOB_ID": raw,
        "SLURM_JOB_NAME": job.name,
        "SLURM_JOB_NODELIST": node,
        "SLURM_JOB_NUM_NODES": "1",
        "SLURM_JOB_PARTITION": cluster.partition_of(job).name,
        "SLURM_JOB_QOS": request.qos or "normal",
        "SLURM_JOB_UID": number,
        "SLURM_JOB_USER": user,
        "SLURM_LOCALID": "0",
        "SLURM_NNODES": "1",
        "SLURM_NODEID": "0",
        "SLURM_NODELIST": node,
        "SLURM_NODE_ALIASES": "(null)",
        "SLURM_PRIO_PROCESS": "0",
        "SLURM_PROCID": "0",
        "SLURM_SUBMIT_DIR": str(job.directory),
        "SLURM_SUBMIT_HOST": HOST,
        "SLURM_TASKS_PER_NODE": str(request.cores) if "exclusive" in given else tasks or "1",
        "SLURM_TOPOLOGY_ADDR": node,
        "SLURM_TOPOLOGY_ADDR_PATTERN": "node",
        "SLURM_WORKING_CLUSTER": f"{CLUSTER}:127.0.0.1:6817:9728:109",
        "TMPDIR": "/tmp",  # noqa: S108 - where Slurm's is
    }
    found |= {"SLURM_NPROCS": tasks, "SLURM_NTASKS": tasks} if tasks else {}
    found |= _where_given(index) | _array(index) | _memory(index) | _gpus(index)
    return found


def _where_given(index: Index) -> dict[str, str]:
    """What is there only where it was asked for."""
    given = index.job.ordered.details
    found = {
        "SLURM_CPUS_PER_TASK": given.get("cpus-per-task", ""),
        "SLURM_NTASKS_PER_NODE": given.get("ntasks-per-node", ""),
        "SLURM_JOB_ACCOUNT": index.job.request.account,
        "SLURM_JOB_DEPENDENCY": given.get("dependency", ""),
        "SLURM_JOB_RESERVATION": index.job.request.reservation,
        "SLURM_RESTART_COUNT": str(index.restarts or ""),
    }
    return {name: value for name, value in found.items() if value}


def _array(index: Index) -> dict[str, str]:
    job = index.job
    if not job.is_array:
        return {}
    numbers = sorted(job.indices)
    steps = {later - one for one, later in pairwise(numbers)}
    return {
        "SLURM_ARRAY_JOB_ID": job.id,
        "SLURM_ARRAY_TASK_ID": str(index.number),
        "SLURM_ARRAY_TASK_COUNT": str(len(numbers)),
        "SLURM_ARRAY_TASK_MIN": str(numbers[0]),
        "SLURM_ARRAY_TASK_MAX": str(numbers[-1]),
        "SLURM_ARRAY_TASK_STEP": str(steps.pop() if len(steps) == 1 else 1),
    }


def _memory(index: Index) -> dict[str, str]:
    request, given = index.job.request, index.job.ordered.details
    if "mem" in given:
        return {"SLURM_MEM_PER_NODE": str(request.memory // MIB)}
    if "mem-per-cpu" in given:
        return {"SLURM_MEM_PER_CPU": str(request.memory // MIB // request.cores)}
    return {}


def _gpus(index: Index) -> dict[str, str]:
    """The numbers of its GPUs: those that no other job of its node has."""
    count, node = index.job.request.gpus, index.node
    if not count or node is None:
        return {}
    notes = [one.job.notes.get("gpus", {}).get(one.number, ()) for one in node.running.values() if one is not index]
    taken = {number for numbers in notes for number in numbers}
    mine = [one for one in range(node.gpus) if one not in taken][:count]
    index.job.notes.setdefault("gpus", {})[index.number] = mine
    numbers = ",".join(str(one) for one in mine)
    names = ("CUDA_VISIBLE_DEVICES", "GPU_DEVICE_ORDINAL", "ROCR_VISIBLE_DEVICES", "ZE_AFFINITY_MASK", "SLURM_JOB_GPUS")
    given = index.job.ordered.details
    total = {"SLURM_GPUS": given["gpus"]} if "gpus" in given else {}
    return {**dict.fromkeys(names, numbers), "SLURM_GPUS_ON_NODE": str(count), **total}


def log_path(index: Index, pattern: str) -> Path:
    """Where a log with patterns in its name is."""
    job = index.job
    values = {
        "%": "%",
        "a": str(index.number) if job.is_array else str((1 << 32) - 2),
        "A": job.id,
        "j": raw_id(job, index.number),
        "x": job.name,
        "N": index.node.name if index.node else "",
        "n": "0",
        "t": "0",
        "s": "batch",
        "u": job.ordered.user,
    }

    def fill(match: re.Match[str]) -> str:
        value = values.get(match[2])
        if value is None:
            return match[0]
        return value.zfill(int(match[1])) if match[1] and value.isdecimal() else value

    return Path(folder(index), re.sub(r"%(\d*)(.)", fill, pattern))


def folder(index: Index) -> Path:
    """Where a job script starts: where it was submitted, or where it wants to; in `/tmp` where there is no such."""
    job = index.job
    wanted = Path(job.directory, job.ordered.details.get("chdir", ""))
    return wanted if wanted.is_dir() or not job.ordered.details.get("chdir") else Path("/tmp")  # noqa: S108 - as Slurm
