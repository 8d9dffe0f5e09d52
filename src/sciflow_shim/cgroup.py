"""What the memory controller says about the cgroup of a process."""

from __future__ import annotations

import re
from collections.abc import Mapping

from sciflow_shim.kernel_files import read_file, read_pairs

JOB_MEMORY = ("cgroup_peak_bytes", "memory_limit_bytes")  # what `job_memory` tells
UNLIMITED_FROM = 1 << 60  # cgroup v1 writes "no limit" as a huge number of whole pages


def job_memory(pid: int, environ: Mapping[str, str], proc: str = "/proc") -> dict[str, int]:
    """Give what is known of the memory of a scheduler's job, from the cgroup that is the job's own.

    Parameters
    ----------
    pid
        A process of the job.
    environ
        The environment variables, which tell the job's number.
    proc
        Where /proc is mounted.

    Returns
    -------
    dict
        `cgroup_peak_bytes`, the most that all of it has held so far, page cache included, and `memory_limit_bytes`.
        Nothing outside of a job, nor where the process is in a cgroup that it shares with others, such as that of a
        login session.
    """
    job = environ.get("SLURM_JOB_ID") or environ.get("PBS_JOBID", "").partition(".")[0]
    if not job:
        return {}
    own = re.compile(rf"(?:job_|pbspro-)?{re.escape(job)}(?:\..*)?")
    for folder, top, is_v2 in _memory_cgroups(pid, proc):
        level, found = folder, {}
        # The step is looked at before the job; on some systems only the job is told of.
        while level.startswith(top) and any(own.fullmatch(part) for part in level[len(top) :].split("/")):
            peak = read_file(f"{level}/{'memory.peak' if is_v2 else 'memory.max_usage_in_bytes'}")
            if peak:
                found["cgroup_peak_bytes"] = int(peak)
                break
            level = level.rpartition("/")[0]
        if found:
            limit = cgroup_limits(pid, proc).get("memory_limit_bytes")
            return {**found, "memory_limit_bytes": limit} if limit is not None else found
    return {}


def oom_kills(pid: int, proc: str = "/proc") -> int:
    """Give how many processes of the cgroup of a process the kernel has killed for memory, as far as it tells."""
    for folder, _, is_v2 in _memory_cgroups(pid, proc):
        events = read_file(f"{folder}/{'memory.events' if is_v2 else 'memory.oom_control'}")
        kills = read_pairs(events).get(b"oom_kill")
        if kills is not None:
            return kills
    return 0


def cgroup_limits(pid: int, proc: str = "/proc") -> dict[str, int]:
    """Give what the memory controller says about the cgroup of a process.

    Parameters
    ----------
    pid
        The process.
    proc
        Where /proc is mounted.

    Returns
    -------
    dict
        `memory_peak_bytes` and `oom_kills` of its cgroup, and `memory_limit_bytes`, the tightest of it and those
        above it (Slurm limits the job and its steps, not the task). What cannot be read, or has no limit, is absent.
    """
    for folder, top, is_v2 in _memory_cgroups(pid, proc):
        peak = read_file(f"{folder}/{'memory.peak' if is_v2 else 'memory.max_usage_in_bytes'}")
        events = read_file(f"{folder}/{'memory.events' if is_v2 else 'memory.oom_control'}")
        limits: list[int] = []
        level = folder
        while level.startswith(top):
            text = read_file(f"{level}/{'memory.max' if is_v2 else 'memory.limit_in_bytes'}") or b"max"
            limits += [int(word) for word in text.split() if word.isdigit() and int(word) < UNLIMITED_FROM]
            level = level.rpartition("/")[0]
        found: dict[str, int] = {}
        if peak:
            found["memory_peak_bytes"] = int(peak)
        if limits:
            found["memory_limit_bytes"] = min(limits)
        kills = read_pairs(events).get(b"oom_kill")
        if kills is not None:
            found["oom_kills"] = kills
        if found:
            return found
    return {}


def _memory_cgroups(pid: int, proc: str) -> list[tuple[str, str, bool]]:
    """Give folder, mount point and version 2 or not of the cgroups that may hold the memory of a process."""
    paths: dict[bool, str] = {}
    for line in (read_file(f"{proc}/{pid}/cgroup") or b"").decode().splitlines():
        hierarchy, controllers, path = line.split(":", 2)
        if hierarchy == "0" or "memory" in controllers.split(","):
            paths[hierarchy == "0"] = path
    found: list[tuple[str, str, bool]] = []
    for line in (read_file(f"{proc}/self/mountinfo") or b"").decode().splitlines():
        left, _, right = line.partition(" - ")
        kind, options = right.split()[0], right.split()[-1].split(",")
        is_v2 = kind == "cgroup2"
        if is_v2 not in paths or not (is_v2 or (kind == "cgroup" and "memory" in options)):
            continue
        root, top = (word.replace("\\040", " ") for word in left.split(" ")[3:5])
        path = paths[is_v2]
        if (path + "/").startswith(root.rstrip("/") + "/"):
            found.append((f"{top}/{path[len(root.rstrip('/')) :].strip('/')}".rstrip("/"), top, is_v2))
    return sorted(found, key=lambda one: not one[2])
