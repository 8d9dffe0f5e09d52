"""Workflows that are compiled for a small cluster, and plans with durations that are made by hand."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timezone
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sciflow.model.plan import ArrayJob, Plan
from sciflow.model.profile import ClusterProfile
from sciflow.model.resources import Resources
from sciflow.model.workflow import ExperimentalWorkflow
from sciflow.planning.build import build_plan
from sciflow.planning.compiled import Compiled
from sciflow.simulation.durations import Durations

NOW = datetime(2031, 5, 14, 16, 0, tzinfo=timezone.utc)
HOUR = 3600.0
Compile = Callable[..., Compiled]


def array(name: str, seconds: int, count: int = 1, cores: int = 1, **more: Any) -> ArrayJob:
    """Make an array job whose indices ask for so many cores and seconds."""
    return ArrayJob(name, name.partition(".")[0], count, Resources(cores, runtime_seconds=seconds), **more)


def plan_of(*arrays: ArrayJob) -> Plan:
    """Make a plan of array jobs."""
    return Plan("w", "site", 1, arrays, tasks=tuple(dict.fromkeys(one.task for one in arrays)))


def took(plan: Plan, seconds: Mapping[str, Sequence[float]] | None = None) -> Durations:
    """Let each index run as long as is said for its array job, or as it asks for."""
    seconds = seconds or {}
    return Durations(
        {},
        (),
        {},
        {
            one.name: (np.array(seconds.get(one.name, [one.resources.runtime_seconds] * one.elements), float),)
            * one.links
            for one in plan.arrays
        },
    )


def compile_tasks(
    folder: Path,
    x: Sequence[int] = (1, 2, 3, 4),
    schedule: dict[str, Any] | None = None,
    profile: dict[str, Any] | None = None,
    recovery: dict[str, Any] | None = None,
    **tasks: dict[str, Any],
) -> Compiled:
    """Compile tasks over some values of x for a small Slurm: task → its details."""
    workflow = ExperimentalWorkflow("w", folder)
    workflow.add_parameter_space({"x": list(x)})
    for name, details in tasks.items():
        workflow.add_task(name, **{"command": "echo {{ x }}", **details})
    if schedule:
        workflow.set_scheduling_policy(schedule.pop("policy"), {"timezone": "UTC", **schedule})
    if recovery:
        workflow.set_recovery_policy(recovery)
    made = ClusterProfile.model_validate({"name": "site", "scheduler": "slurm", **(profile or {})})
    return build_plan(workflow, made, now=NOW)


@pytest.fixture
def compiled(tmp_path: Path) -> Compile:
    """Return a function that compiles tasks; see `compile_tasks`."""
    return partial(compile_tasks, tmp_path)
