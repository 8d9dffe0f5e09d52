"""The record of an attempt, as the tree of groups that is written."""

from __future__ import annotations

import json
import os

from sciflow_shim import files
from sciflow_shim.array import Array
from sciflow_shim.cgroup import job_memory
from sciflow_shim.record import Dataset, ExternalLink, FileSlice, Group

TYPE_CHECKING = False  # as type checkers know it; importing `typing` takes as long as a record
if TYPE_CHECKING:
    from typing import Any

    from sciflow_shim.attempt import Attempt

# What differs between the indices of an array, so that no capture that they share can hold it.
_SCHEDULER_VARIABLES = (
    *("SLURM_JOB_ID", "SLURM_ARRAY_JOB_ID", "SLURM_ARRAY_TASK_ID", "SLURM_RESTART_COUNT", "SLURM_CLUSTER_NAME"),
    *("SLURM_JOB_PARTITION", "SLURM_JOB_ACCOUNT", "SLURM_JOB_QOS", "SLURM_JOB_NODELIST", "SLURM_CPUS_ON_NODE"),
    *("SLURM_MEM_PER_NODE", "SLURM_JOB_GPUS", "PBS_JOBID", "CUDA_VISIBLE_DEVICES"),
)
# What is the same for all that run in one array index.
OF_THE_INDEX = ("format", "run", "task", "array", "variant", "attempt", "recipe", "host", *_SCHEDULER_VARIABLES)


def tree(attempt: Attempt, path: str) -> Group:
    """All that the record at a path says of an attempt."""
    root = Group(attributes(attempt))
    usage = Group({**attempt.resources.as_dict(), **job_memory(os.getpid(), os.environ)})
    if attempt.array.rides:
        usage.attributes.pop("cgroup_peak_bytes", None)  # it may be that of what ran before it in the same job
    usage.attributes.update(attempt.gpus.as_dict() if attempt.gpus else {})
    for name, column in attempt.series.columns().items():
        usage.members[name] = Dataset(column, "<f8")
    members: dict[str, Any] = {
        "parameters": Group({name: _attribute(value) for name, value in attempt.line["parameters"].items()}),
        "metrics": Group(dict(attempt.outcome.metrics)),
        "results": _results(attempt),
        "resources": usage,
        "artifacts": Group(
            {}, {str(number): Group(_file(attempt, one)) for number, one in enumerate(attempt.outcome.artifacts)}
        ),
        "inputs": _inputs(attempt),
    }
    if checkpoint := _checkpoint_facts(attempt):
        members["checkpoint"] = Group(checkpoint)
    if any(attempt.array.metadata.values()):
        from sciflow_shim.requested import requested_group

        variables = {**os.environ, **attempt.variables, **attempt.array.task["environment"]}
        work = attempt.work if attempt.end is not None else None
        members["metadata"] = requested_group(attempt.array.metadata, variables, work)
    if attempt.environment:
        members["environment"] = environment_link(attempt.array, attempt.environment, path)
    root.members.update(members)
    return root


def attributes(attempt: Attempt) -> dict[str, Any]:
    """The attributes of its root."""
    found = {
        "format": files.FORMAT,
        **attempt.facts,
        "run": attempt.array.header["run"],
        "recipe": attempt.array.task["recipe"],
        "parameters": json.dumps(attempt.line["parameters"], ensure_ascii=False),
        "state": attempt.state,
        "exit_code": -1 if attempt.exit_code is None else attempt.exit_code,
        "signal": attempt.signal or 0,
        "error_type": attempt.error.get("type", ""),
        "error": attempt.error.get("message", ""),
        "traceback": attempt.error.get("traceback", ""),
        "start": attempt.start,
        "end": attempt.end if attempt.end is not None else float("nan"),
        "host": os.uname().nodename,
        "returned": attempt.outcome.returned,
        "order": json.dumps(attempt.outcome.order, ensure_ascii=False),
    }
    if units := attempt.array.task.get("units"):
        found["units"] = json.dumps({n: u for n, u in units.items() if n in attempt.outcome.metrics})
    if attempt.array.variant:
        found["variant"] = attempt.array.variant
    variables = {**os.environ, **attempt.variables}
    found.update({name: variables[name] for name in _SCHEDULER_VARIABLES if name in variables})
    found.update({f"note_{name}": note for name, note in attempt.outcome.notes.items()})
    return found


def environment_link(array: Array, fingerprint: str, record: str) -> ExternalLink:
    """What stands in a record for the environment that it was made in."""
    target = array.path(files.environment(fingerprint))
    return ExternalLink(os.path.relpath(target, os.path.dirname(record)), "/")


def _inputs(attempt: Attempt) -> Group:
    if not (attempt.upstream or (attempt.array.task.get("inputs") or {}).get("count")):
        return Group({"count": 0, "size": 0, "sha256": "", "upstream": "{}"})
    from sciflow_shim.inputs import changed_files, inputs_group  # only for those that were given something

    # While it runs, nothing large is read: what it says then counts only if it is killed.
    changed = attempt.changed if attempt.end is not None else changed_files(attempt.array.task, read=False)
    return inputs_group(attempt.array, attempt.upstream, changed)


def _checkpoint_facts(attempt: Attempt) -> dict[str, Any]:
    """What it found and what is there now; nothing where there neither was nor is a checkpoint."""
    left = {f"left_{name}": value for name, value in attempt.left_checkpoint().items()}
    return {"found": bool(attempt.checkpoint), **attempt.checkpoint, **left} if attempt.checkpoint or left else {}


def _results(attempt: Attempt) -> Group:
    results = Group()
    units = attempt.array.task.get("units", {})
    for one in attempt.outcome.results:
        if one["name"] in units and one["attributes"].get("kind") in ("array", "list", "tuple"):
            one["attributes"].setdefault("units", units[one["name"]])
        data = FileSlice(attempt.outcome_path, one["offset"], one["length"]) if one["length"] else b""
        stored = Dataset(data, one["dtype"], tuple(one["shape"]), one["attributes"])
        table, slash, column = one["name"].partition("/")
        if slash:
            results.members.setdefault(table, Group({"kind": "table"})).members[column] = stored
        else:
            results.members[one["name"]] = stored
    return results


def _file(attempt: Attempt, described: dict[str, Any]) -> dict[str, Any]:
    inside = os.path.relpath(described["path"], attempt.array.run)
    path = described["path"] if inside.startswith("..") else inside
    return {**described, "path": path}


def _attribute(value: Any) -> Any:
    return json.dumps(value) if isinstance(value, list) else value
