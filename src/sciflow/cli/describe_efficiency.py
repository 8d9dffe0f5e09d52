"""How much was used of what was asked for, in words and as a document."""

from __future__ import annotations

import math
from dataclasses import asdict
from typing import Any

from sciflow.analysis.efficiency import Efficiency, RunEfficiency
from sciflow.cli.output import table
from sciflow.model.units import format_duration, format_memory

_LITTLE = 0.5  # of what was asked for: below that there is something to gain


def efficiency_document(found: RunEfficiency) -> dict[str, Any]:
    """An efficiency as JSON has it; a ratio that is not known is null."""
    return {
        "run": found.run,
        "tasks": {task: _document(one) for task, one in found.tasks.items()},
        "total": _document(found.total),
    }


def _document(one: Efficiency) -> dict[str, Any]:
    lost = {state.value: asdict(what) for state, what in one.lost.items()}
    return {
        **asdict(one),
        "idle_core_hours": one.idle_core_hours,
        "lost_core_hours": one.lost_core_hours,
        "lost": lost,
    }


def describe_efficiency(found: RunEfficiency, name: str) -> str:
    """An efficiency in words: a row for each task, then what was lost, and what to type next."""
    if not found.tasks:
        return f"run {found.run}: no attempt has left a record, so nothing is known of what was used"
    named = {**found.tasks, **({"all": found.total} if len(found.tasks) > 1 else {})}
    header = ["task", "attempts", "CPU", "memory", "walltime", "core-hours", "used", "idle", "lost"]
    has_gpus = found.total.gpu_hours > 0
    if has_gpus:
        header.insert(5, "GPU")
    rows = []
    for task, one in named.items():
        ratios = [_percent(one.cpu), _percent(one.memory), _percent(one.walltime)]
        hours = [one.core_hours, one.cpu_hours, one.idle_core_hours, one.lost_core_hours]
        gpu = [_percent(one.gpu)] if has_gpus else []
        rows.append([task, one.attempts, *ratios, *gpu, *map(_hours, hours)])
    lines = [f"run {found.run}: what was used of what was asked for", table(header, rows)]
    for task, one in found.tasks.items():
        lines += ["", *_like_seff(task, one)]
    lines.append("")
    if _has_to_gain(found.total):
        lines.append(f"next: sciflow advise {name}")
    return "\n".join(lines).rstrip()


def _like_seff(task: str, one: Efficiency) -> list[str]:
    """What `seff` prints of a job, of a task."""
    held = one.core_hours * 3600
    lines = [
        f"{task}: {one.completed} of {one.attempts} attempts completed, {_cores(one.cores)} each",
        f"  CPU utilized: {'unknown' if math.isnan(one.cpu_hours) else format_duration(one.cpu_hours * 3600)}",
        f"  CPU efficiency: {_percent(one.cpu)} of {format_duration(held)} core-walltime",
        f"  memory utilized: {format_memory(one.memory_bytes)} at most",
    ]
    if one.asked_memory_bytes:
        asked = f"{_percent(one.memory)} on average, {_percent(one.memory_most)} at most"
        lines.append(f"  memory efficiency: {asked}, of {format_memory(one.asked_memory_bytes)}")
    else:
        lines.append("  memory efficiency: none was asked for")
    if one.asked_seconds:
        asked = f"{_percent(one.walltime)} on average, {_percent(one.walltime_most)} at most"
        lines.append(f"  walltime used: {asked}, of {format_duration(one.asked_seconds)}")
    else:
        lines.append("  walltime used: none was asked for")
    if one.gpu_hours:
        lines.append(f"  GPU efficiency: {_percent(one.gpu)} of {_hours(one.gpu_hours)} GPU-hours")
    for state, lost in one.lost.items():
        attempts = f"{lost.attempts} attempt{'s' * (lost.attempts > 1)}"
        lines.append(f"  lost to {attempts} that ended {state}: {_hours(lost.core_hours)} core-hours")
    return lines


def _has_to_gain(total: Efficiency) -> bool:
    return any(one < _LITTLE for one in (total.cpu, total.memory, total.walltime)) or bool(total.lost)


def _hours(hours: float) -> str:
    return "unknown" if math.isnan(hours) else f"{hours:.3g}" if hours < 1000 else f"{hours:,.0f}"


def _percent(share: float) -> str:
    return "unknown" if math.isnan(share) else "< 0.1%" if 0 < share < 0.0005 else f"{share:.1%}"


def _cores(count: int) -> str:
    return f"{count} core{'s' * (count != 1)}"
