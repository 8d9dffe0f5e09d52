"""Records as the host reads them."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from sciflow.model.state import State
from sciflow_shim.record_reader import RecordGroup, read_record, verify_seal
from sciflow_shim.record_shelf import MEMBERS, PACKED, joined

_KILLED = 128  # a shell whose program was killed ends with that and the signal's number
SEALED, TORN = "sealed", "torn"
SKIPPED = "note_skipped"  # the attribute of an attempt that went on without some of its upstream


@dataclass(frozen=True)
class RecordState:
    """How an attempt ended, by its record.

    Attributes
    ----------
    job
        The scheduler's id of the array job that it belonged to.
    was_killed
        Whether a signal ended the program, or what the program had started.
    """

    state: State
    error: str
    seconds: float
    has_skipped: bool = False
    job: str = ""
    end: float = 0.0
    host: str = ""
    was_killed: bool = False


@dataclass
class RecordSummary:
    """What a table needs of a record: scalars, and what else is there by name."""

    facts: dict[str, Any]
    parameters: dict[str, Any]
    metrics: dict[str, Any]
    resources: dict[str, Any]
    arrays: dict[str, tuple[int, ...]] = field(default_factory=dict)
    artifacts: list[dict[str, Any]] = field(default_factory=list)


def read_states(path: str, index: int) -> dict[int, RecordState] | None:
    """Index → how its attempt ended, of all that a record tells of: of `index`, or of those that ran as one.

    None for a record that is torn.
    """
    try:
        root = read_record(path)
        if PACKED not in root.attributes:
            return {index: _state(root.attributes)}
        members = root[MEMBERS].members
        return {int(name): _state(joined(root, member)) for name, member in members.items()}
    except (ValueError, KeyError, OSError):
        return None


def read_state(path: str, index: int = 0) -> RecordState | None:
    """How the attempt of one index ended; see `read_states`."""
    return (read_states(path, index) or {}).get(index)


def _state(facts: dict[str, Any]) -> RecordState:
    return RecordState(
        State(facts["state"]),
        error_text(facts),
        max(0.0, facts["end"] - facts["start"]),
        has_skipped=SKIPPED in facts,
        job=facts.get("SLURM_ARRAY_JOB_ID", ""),
        end=facts["end"],
        host=facts.get("host", ""),
        was_killed=bool(facts.get("signal", 0)) or facts.get("exit_code", 0) > _KILLED,
    )


def has_broken_seal(path: str) -> bool:
    """Whether a record is there and not as it was written; this reads all of it."""
    try:
        return verify_seal(path) != SEALED
    except FileNotFoundError:
        return False
    except OSError:
        return True


def error_text(facts: dict[str, Any]) -> str:
    """Type and message of a record's error, in one line."""
    return ": ".join(part for part in (facts.get("error_type", ""), facts.get("error", "")) if part)


def read_summaries(path: str, index: int) -> dict[int, RecordSummary] | None:
    """Index → scalars of a sealed record, of all that it tells of; None where it is torn, unsealed or no record.

    A record whose seal is broken is never counted, whatever of it can still be read.
    """
    try:
        if verify_seal(path) != SEALED:
            return None
        root = read_record(path)
        if PACKED not in root.attributes:
            return {index: _summary(root, dict(root.attributes))}
        members = root[MEMBERS].members
        return {int(name): _summary(member, joined(root, member)) for name, member in members.items()}
    except (ValueError, KeyError, OSError):
        return None


def read_summary(path: str, index: int = 0) -> RecordSummary | None:
    """Read the scalars of one index from a sealed record; see `read_summaries`."""
    return (read_summaries(path, index) or {}).get(index)


def _summary(record: RecordGroup, facts: dict[str, Any]) -> RecordSummary:
    members = record.members
    return RecordSummary(
        facts=facts,
        parameters=json.loads(facts.pop("parameters")),
        metrics=dict(members["metrics"].attributes),
        resources=dict(members["resources"].attributes),
        arrays={name: tuple(getattr(one, "shape", ())) for name, one in members["results"].members.items()},
        artifacts=[dict(one.attributes) for one in members["artifacts"].members.values()],
    )
