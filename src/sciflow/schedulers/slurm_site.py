"""What a Slurm cluster allows: its partitions, limits, accounts and QOS, as a cluster profile."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from typing import Any

from sciflow.errors import ProfileError, SciflowError
from sciflow.model.profile import ClusterProfile, Limits, Partition
from sciflow.model.units import parse_duration
from sciflow.schedulers.slurm import read_limits
from sciflow.transport.base import Transport

_UNLIMITED = ("UNLIMITED", "INFINITE", "infinite", "n/a", "")
# Partition, its longest time, CPUs, MB and generic resources of its nodes, how many of these, whether it is up.
NODES_COMMAND = ["sinfo", "-h", "-e", "-o", "%P|%l|%c|%m|%G|%D|%a"]


def detect_site(transport: Transport, name: str) -> tuple[ClusterProfile, list[str]]:
    """Ask Slurm's commands and make a profile of their answers.

    Returns
    -------
    tuple
        The profile, and what could not be found out.

    Raises
    ------
    ProfileError
        Where there is no Slurm here, or it does not answer.
    """
    notes: list[str] = []
    answer = transport.run(["scontrol", "show", "config"])
    if answer.code:
        raise ProfileError(f"Slurm does not answer: {answer.complaint}", hint="try again when its controller is up")
    cluster = re.search(r"^ClusterName\s*=\s*(\S+)", answer.out, re.MULTILINE)
    limits = read_limits(answer.out)
    sizes = transport.run(NODES_COMMAND)
    if sizes.code:
        raise ProfileError(f"`sinfo` does not answer: {sizes.complaint}")
    accounts, qualities, most = _associations(transport, notes)
    made = {
        "name": name,
        "description": f"the Slurm cluster {cluster[1]}" if cluster else "a Slurm cluster",
        "scheduler": "slurm",
        "partitions": read_partitions(sizes.out),
        "accounts": tuple(accounts),
        "qos_names": tuple(qualities),
        "limits": Limits(**{**limits.model_dump(), "submitted_indices": most}),
    }
    return ClusterProfile(**made), notes


def read_partitions(text: str) -> dict[str, Partition]:
    """Partition → what the largest of its nodes has, how many nodes there are, and how long a job may run."""
    found: dict[str, dict[str, Any]] = {}
    for line in text.splitlines():
        label, longest, cores, memory, gres, count, is_up = line.split("|", 6)
        if is_up.strip() != "up":
            continue
        one = found.setdefault(
            label.rstrip("*"), {"cpu_cores": 1, "memory_gb": 0.0, "gpus": 0, "nodes": 0, "default": label.endswith("*")}
        )
        one["cpu_cores"] = max(one["cpu_cores"], _number(cores))
        one["memory_gb"] = max(one["memory_gb"], round(_number(memory) / 1024, 3))
        one["gpus"] = max(one["gpus"], _gpus(gres))
        one["nodes"] += _number(count)
        if longest not in _UNLIMITED:
            one["max_runtime"] = _clock(longest)
    return {name: Partition(**one) for name, one in found.items() if one["nodes"]}


def _associations(transport: Transport, notes: list[str]) -> tuple[list[str], list[str], int | None]:
    """The accounts and QOS that this user may name, and how many indices may be queued."""
    user = os.environ.get("USER") or str(os.getuid())
    try:
        command = ["sacctmgr", "-nP", "show", "associations", f"user={user}", "format=Account,QOS,MaxSubmitJobs"]
        answer = transport.run(command)
    except SciflowError as error:
        notes.append(f"accounts are not known: {error.message}")
        return [], [], None
    if answer.code:
        notes.append(f"accounts are not known: {answer.complaint}")
        return [], [], None
    rows = [line.split("|") for line in answer.out.splitlines() if line.count("|") >= 2]
    accounts = _distinct(row[0] for row in rows)
    qualities = _distinct(name for row in rows for name in row[1].split(","))
    most = [_number(row[2]) for row in rows if row[2]]
    return accounts, qualities, max(most) if most else None


def _distinct(words: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(word for word in words if word))


def _gpus(text: str) -> int:
    """The GPUs in ``gpu:a100:4(S:0-1),gpu:2``."""
    return sum(int(count) for count in re.findall(r"\bgpu(?::[\w.-]+)?:(\d+)", text))


def _number(text: str) -> int:
    """The number in ``64+``, as `sinfo` writes the least of several."""
    match = re.match(r"\d+", text.strip())
    return int(match[0]) if match else 0


def _clock(text: str) -> str:
    """Slurm's ``days-hh:mm:ss`` or ``mm:ss`` as a profile writes it."""
    days, dash, clock = text.rpartition("-")
    parts = clock.split(":")
    if not dash and len(parts) == 2:  # minutes and seconds
        parts = ["0", *parts]
    hours, minutes, seconds = (int(part) for part in [*parts, "0", "0"][:3])
    total = (int(days) if days else 0) * 86_400 + hours * 3600 + minutes * 60 + seconds
    shown = f"{total // 86_400}-{total % 86_400 // 3600:02d}:{total % 3600 // 60:02d}:{total % 60:02d}"
    assert parse_duration(shown) == total
    return shown
