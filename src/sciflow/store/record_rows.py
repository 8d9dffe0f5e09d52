"""What a table takes of a record: one row per attempt that it tells of, its metrics, and where its arrays are."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import PurePath
from typing import Any

from sciflow.store.records import (
    CHANGED,
    SEALED,
    SKIPPED,
    TORN,
    RecordState,
    members_of,
    open_record,
    seal_of,
    state_of,
)
from sciflow_shim.record_reader import RecordDataset, RecordGroup
from sciflow_shim.record_shelf import PACKED

_NUMBERED = ("exit_code", "signal")
_TEXTS = ("host", "error_type", "error", "traceback", "run", "instance")
_JOB, _ARRAY_JOB, _PBS_JOB = "SLURM_JOB_ID", "SLURM_ARRAY_JOB_ID", "PBS_JOBID"
_OBJECTS = ("json", "pickle")


@dataclass
class RecordRow:
    """One attempt of one index, by its record."""

    index: int
    state: RecordState
    facts: dict[str, Any]
    metrics: dict[str, Any]
    arrays: list[dict[str, Any]]


@dataclass
class RecordFacts:
    """What a file tells.

    Attributes
    ----------
    seal
        ``sealed``, ``unsealed`` or ``torn``; ``torn`` also where it is no record at all.
    says
        Run, array job, index and attempt that it says it is of; index -1 for one that tells of several.
    rows
        What it tells; nothing where its seal is broken and its parts cannot be read.
    """

    seal: str
    says: tuple[str, str, int, int] = ("", "", -1, -1)
    rows: list[RecordRow] = field(default_factory=list)


def read_rows(path: str, name: str, index: int) -> RecordFacts:
    """Read a record, checking its seal, to rows.

    Parameters
    ----------
    path
        The file.
    name
        Its path from the run directory.
    index
        Of which index it is by its name.
    """
    seal = seal_of(path)
    try:
        root = open_record(path, is_verified=seal == SEALED)
        facts = root.attributes
        own = -1 if PACKED in facts else int(facts["index"])
        says = (str(facts["run"]), str(facts["array"]), own, int(facts.get("attempt", -1)))
        rows = [_row(one, own, group, root, seal, name) for one, own, group in members_of(root, index)]
    except (ValueError, KeyError, TypeError, AttributeError):
        return RecordFacts(TORN)
    return RecordFacts(seal, says, rows)


def _row(index: int, facts: dict[str, Any], group: RecordGroup, root: RecordGroup, seal: str, name: str) -> RecordRow:
    owner = group if "environment" in group else root
    link: Any = owner["environment"] if "environment" in owner else None  # noqa: SIM401 - it has no `get`
    start, end, state = facts["start"], facts["end"], state_of(facts, group)
    row: dict[str, Any] = {
        "task": facts["task"],
        "array": facts["array"],
        "index": index,
        "attempt": facts.get("attempt", -1),
        "state": facts["state"],
        "start": start,
        "end": None if end != end else end,
        "seconds": None if end != end else end - start,
        **{key: facts.get(key, "") for key in _TEXTS},
        **{key: facts.get(key) for key in _NUMBERED},
        "job": facts.get(_ARRAY_JOB, facts.get(_PBS_JOB, facts.get(_JOB, ""))),
        "job_id": facts.get(_JOB, facts.get(_PBS_JOB, "")),
        "node": state.node,
        "environment": PurePath(link.filename).stem if hasattr(link, "filename") else "",
        "skipped": facts.get(SKIPPED, ""),
        "changed": facts.get(CHANGED, ""),
        "seal": seal,
        "record": name,
        "place": "/" if group is root else f"/members/{index}",
        "digest": root.digest if seal == SEALED else "",
        **_scalars(group["resources"].attributes, ""),
    }
    if "checkpoint" in group:
        row.update(_scalars(group["checkpoint"].attributes, "checkpoint_"))
    arrays = [{**one, "index": index} for one in _arrays(group["results"], "/results", row["place"])]
    metrics = dict(group["metrics"].attributes)
    return RecordRow(index, state, row, metrics, arrays)


def _scalars(attributes: dict[str, Any], prefix: str) -> dict[str, Any]:
    return {
        f"{prefix}{name}": value for name, value in attributes.items() if isinstance(value, bool | int | float | str)
    }


def _arrays(group: RecordGroup, place: str, owner: str) -> list[dict[str, Any]]:
    """The datasets of a group, and of the tables in it, that hold arrays."""
    found: list[dict[str, Any]] = []
    for name, member in group.members.items():
        if isinstance(member, RecordGroup):
            found += [{**one, "name": f"{name}/{one['name']}"} for one in _arrays(member, f"{place}/{name}", owner)]
        elif isinstance(member, RecordDataset) and member.attributes.get("kind") not in _OBJECTS:
            found.append(
                {
                    "name": name,
                    "dtype": member.dtype,
                    "stored_as": str(member.attributes.get("stored_as", "")),
                    "shape": "×".join(map(str, member.shape)),
                    "dataset": f"{owner.rstrip('/')}{place}/{name}",
                }
            )
    return found
