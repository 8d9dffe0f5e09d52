"""Times whole commands, in turn with their floor, as the kernel accounts for them."""

from __future__ import annotations

import os
import statistics
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Cost:
    """What one run of a command took: seconds by the clock, seconds of all its processes, and peak memory."""

    wall: float
    cpu: float
    peak_mb: float


def run(command: Sequence[str], directory: Path) -> Cost:
    """Run a command to its end; its output is thrown away, its failure is not."""
    begin = time.perf_counter()
    process = subprocess.Popen(command, cwd=directory, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    assert process.stderr is not None
    complaint = process.stderr.read()
    _, status, usage = os.wait4(process.pid, 0)
    wall = time.perf_counter() - begin
    code = os.waitstatus_to_exitcode(status)
    process.returncode = code
    if code:
        raise RuntimeError(f"{command} ended with {code}: {complaint.decode()[-2000:]}")
    return Cost(wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)


def in_turn(
    first: Sequence[str], second: Sequence[str], directory: Path, times: int = 5
) -> tuple[list[Cost], list[Cost]]:
    """Run two commands alternately, after one run of each that does not count: a drifting machine hits both."""
    costs: tuple[list[Cost], list[Cost]] = ([], [])
    for turn in range(times + 1):
        for command, kept in zip((first, second), costs, strict=True):
            cost = run(command, directory)
            if turn:
                kept.append(cost)
    return costs


def median(costs: Sequence[Cost], what: str) -> float:
    """The median of one figure."""
    return statistics.median(getattr(cost, what) for cost in costs)


def show(what: str, figure: float, unit: str, budget: float | None = None) -> None:
    """Print one figure, and beside it its budget."""
    verdict = "" if budget is None else f"   budget {budget:g} {unit}: {'met' if figure <= budget else 'MISSED'}"
    print(f"{what:<58} {figure:10.3g} {unit}{verdict}")
