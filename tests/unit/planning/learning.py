"""Small workflows that are planned by something that was learned."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sciflow.model.advice import Advice, Seen, Wanted
from sciflow.model.profile import ClusterProfile
from sciflow.model.workflow import ExperimentalWorkflow
from sciflow.planning.build import build_plan
from sciflow.planning.compiled import Compiled

__all__ = ["GIB", "MIB", "Seen", "Wanted", "planned"]
MIB, GIB = 1024**2, 1024**3
HABIT = {"memory_gb": 8, "max_runtime": "4 h"}


def planned(
    n: Sequence[int] = (1, 2, 3, 4),
    seeds: int = 1,
    draw: Callable[..., Wanted] | None = None,
    melt: Callable[..., Wanted] | None = None,
    resources: Mapping[str, Any] | None = None,
    partition: Mapping[str, Any] | None = None,
    names: Mapping[str, tuple[str, ...]] | None = None,
    seen: Mapping[str, Mapping[str, Seen]] | None = None,
    has_draw: bool = False,
    fuse: bool = False,
    **site: Any,
) -> Compiled:
    """Plan `melt` over n and seeds, after `draw` where that is wanted, by functions of some of the parameters."""
    workflow = ExperimentalWorkflow("melting")
    workflow.add_parameter_space({"n": list(n), **({"seed": list(range(seeds))} if seeds > 1 else {})})
    command = "echo {{ n }} {{ seed }}" if seeds > 1 else "echo {{ n }}"
    if has_draw or draw:
        workflow.add_task("draw", command=command, resources=HABIT)
    before = ["draw"] if has_draw or draw else []
    asked = {**HABIT, **(resources or {})}
    workflow.add_task("melt", command=command, depends_on=before, resources=asked, fuse=fuse)
    given = {task: one for task, one in (("draw", draw), ("melt", melt)) if one is not None}
    known = {
        task: (lambda parameters, one=one: one(*(parameters[name] for name in one.__code__.co_varnames if name)))
        for task, one in given.items()
    }
    partitions = {"main": {"default": True, **(partition or {})}}
    profile = ClusterProfile.model_validate({"name": "site", "scheduler": "slurm", "partitions": partitions, **site})
    names = names or {task: one.__code__.co_varnames for task, one in given.items()}
    return build_plan(workflow, profile, advice=Advice("r", known, names, seen or {}))
