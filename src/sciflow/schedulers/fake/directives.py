"""What a job script asks of the scheduler: its `#SBATCH` lines, read as Slurm reads them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from sciflow.schedulers.slurm import read_indices

MIB = 1 << 20
_IGNORED = ("open-mode", "kill-on-invalid-dep", "signal", "account", "qos", "ntasks-per-node", "mail-type", "hold")
_KNOWN = (
    *("job-name", "array", "output", "requeue", "no-requeue", "cpus-per-task", "mem", "gres", "time", "partition"),
    *("begin", "ntasks", "nodes", "exclude", *_IGNORED),
)


class Unrecognized(Exception):
    """An option that `sbatch` does not know, in its own words."""


@dataclass(frozen=True)
class Asked:
    """What one array index asks for, and what holds for all of them.

    `seconds` is 0 for the longest time of the partition, `throttle` 0 for none, and `indices` None for no array job.
    """

    name: str = "sbatch"
    indices: tuple[int, ...] | None = None
    throttle: int = 0
    output: str = "slurm-%j.out"
    is_requeued: bool = True
    cores: int = 1
    memory: int = 0
    gpus: int = 0
    seconds: float = 0.0
    begin: float = 0.0
    partition: str = ""
    excluded: tuple[str, ...] = ()


def read_script(script: Path) -> Asked:
    """Read the directives of a job script.

    Raises
    ------
    Unrecognized
        For an option that Slurm does not have, or that this queue does not know.
    """
    given: dict[str, str] = {}
    for line in script.read_text(encoding="utf-8").splitlines():
        if line.startswith("#SBATCH "):
            name, value = _option(line.removeprefix("#SBATCH ").strip())
            given[name] = value
        elif line and not line.startswith("#"):
            break  # Slurm reads no further than the first command
    tasks = int(given.get("ntasks", 1))
    text = given.get("array", "")
    gpus = re.search(r"gpu(?::[\w.-]+)?:(\d+)", given.get("gres", ""))
    return Asked(
        name=given.get("job-name", script.name),
        indices=tuple(read_indices(text)) if text else None,
        throttle=int(text.partition("%")[2] or 0),
        output=given.get("output", "slurm-%j.out"),
        is_requeued="no-requeue" not in given,
        cores=int(given.get("cpus-per-task", 1)) * tasks,
        memory=_mebibytes(given.get("mem", "0")),
        gpus=int(gpus[1]) if gpus else 0,
        seconds=_seconds(given.get("time", "0")),
        begin=float(given.get("begin", "0").removeprefix("uts")),
        partition=given.get("partition", ""),
        excluded=tuple(given["exclude"].split(",")) if given.get("exclude") else (),
    )


def _option(text: str) -> tuple[str, str]:
    name, _, value = text.partition("=")
    known = name.removeprefix("--")
    if not name.startswith("--") or known not in _KNOWN:
        raise Unrecognized(f"sbatch: unrecognized option '{name}'")
    return known, value


def _mebibytes(text: str) -> int:
    return int(text.removesuffix("M")) * MIB


def _seconds(text: str) -> float:
    total = 0
    for part in text.split(":"):
        total = total * 60 + int(part)
    return float(total)
