"""Records as the host reads them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sciflow.model.state import State
from sciflow.store import sealed
from sciflow_shim.record_reader import RecordGroup, read_record, verify_seal
from sciflow_shim.record_shelf import MEMBERS, PACKED, joined

# Attempts that may have left a checkpoint from which the next one goes on.
_GOES_ON = ("TIMEOUT", "CANCELLED", "NODE_FAIL", "PREEMPTED", "RUNNING")
_FRAME = re.compile(r'^[ |]*File "([^"\n]+)", line (\d+)(?:, in (.+))?$', re.MULTILINE)
_NOT_THE_USERS = re.compile(r"/(?:site|dist)-packages/|/lib(?:64)?/python3[^/]*/|^<frozen |/sciflow_shim/")
_SUB_JOB = re.compile(r"\[\d+\]")  # what tells a sub-job of PBS from its array job
_ONE_NODE = re.compile(r"[A-Za-z0-9._-]+")
_KILLED = 128  # a shell whose program was killed ends with that and the signal's number
SEALED, UNSEALED, TORN = "sealed", "unsealed", "torn"
SKIPPED = "note_skipped"  # of an attempt that went on without some of its upstream: how much, and what
CHANGED = "note_changed"  # of an attempt that completed, while files changed that its results depend on: which


@dataclass(frozen=True)
class RecordState:
    """How an attempt ended, by its record.

    Attributes
    ----------
    changed
        Which of the files that its results depend on changed while it ran; only of one that is completed.
    job
        The scheduler's id of the array job that it belonged to.
    skipped
        Without how much of its upstream it went on.
    was_killed
        Whether a signal ended the program, or what the program had started.
    node
        On which of the scheduler's nodes it ran; empty without a scheduler, and where these were several.
    error_type, origin
        The type of the error, and where in the user's own code it was raised: ``train.py:88 in fit``.
    exit_code, signal
        How the program ended; -1 and 0 for none.
    start
        When it started.
    checkpoint_left, left_time, found_time
        Whether there was a checkpoint when the record was written, when that was last changed, and when the one was
        that the attempt had found. Only of attempts that may go on from it.
    """

    state: State
    error: str
    seconds: float
    skipped: int = 0
    changed: str = ""
    job: str = ""
    end: float = 0.0
    host: str = ""
    was_killed: bool = False
    node: str = ""
    error_type: str = ""
    origin: str = ""
    exit_code: int = -1
    signal: int = 0
    start: float = 0.0
    checkpoint_left: bool = False
    left_time: float = 0.0
    found_time: float = 0.0

    @property
    def has_progressed(self) -> bool:
        """Whether it leaves a checkpoint that is newer than the one it found."""
        return self.checkpoint_left and self.left_time > self.found_time


@dataclass
class RecordSummary:
    """What a table needs of a record: scalars, and what else is there by name."""

    facts: dict[str, Any]
    parameters: dict[str, Any]
    metrics: dict[str, Any]
    resources: dict[str, Any]
    arrays: dict[str, tuple[int, ...]] = field(default_factory=dict)
    artifacts: list[dict[str, Any]] = field(default_factory=list)
    are_inputs_unchanged: bool = True


def read_states(path: str, index: int) -> dict[int, RecordState] | None:
    """Index → how its attempt ended, of all that a record tells of: of `index`, or of those that ran as one.

    None for a record that is torn.
    """
    try:
        return {one: state_of(facts, group) for one, facts, group in members_of(open_record(path), index)}
    except (ValueError, KeyError, OSError):
        return None


def read_state(path: str, index: int = 0) -> RecordState | None:
    """How the attempt of one index ended; see `read_states`."""
    return (read_states(path, index) or {}).get(index)


def open_record(path: str, is_verified: bool = False) -> RecordGroup:
    """Open a record by the path where it belongs, also where it was folded."""
    return read_record(*record_place(path), is_verified=is_verified)


def seal_of(path: str) -> str:
    """Check every byte of a record: ``sealed``, ``unsealed`` or ``torn``."""
    return verify_seal(*record_place(path))


def record_place(path: str) -> tuple[str, int, int | None]:
    """The file that holds a record, where in it, and its size, which is None for all of the file."""
    try:
        Path(path).stat()
    except FileNotFoundError:
        if (found := sealed.locate(path)) is not None:
            return found
        raise
    return path, 0, None


def members_of(root: RecordGroup, index: int) -> Iterator[tuple[int, dict[str, Any], RecordGroup]]:
    """Index, attributes and group of each that a record tells of: of `index`, or of those that ran as one."""
    if PACKED not in root.attributes:
        yield index, root.attributes, root
        return
    for name, member in root[MEMBERS].members.items():
        yield int(name), joined(root, member), member


def state_of(facts: dict[str, Any], group: RecordGroup) -> RecordState:
    """How an attempt ended, by its record's attributes, and by the group that holds them."""
    code, number, state = facts.get("exit_code", -1), facts.get("signal", 0), facts["state"]
    host, nodes, traceback = facts.get("host", ""), facts.get("SLURM_JOB_NODELIST", ""), facts.get("traceback")
    checkpoint: dict[str, Any] = {}
    if state in _GOES_ON and "checkpoint" in group:
        checkpoint = group["checkpoint"].attributes
    return RecordState(
        State(state),
        error_text(facts),
        max(0.0, facts["end"] - facts["start"]),
        skipped=int(facts[SKIPPED].partition(" ")[0]) if SKIPPED in facts else 0,
        changed=facts.get(CHANGED, ""),
        job=facts.get("SLURM_ARRAY_JOB_ID", "") or _SUB_JOB.sub("[]", facts.get("PBS_JOBID", "")),
        end=facts["end"],
        host=host,
        was_killed=bool(number) or code > _KILLED,
        node=nodes if _ONE_NODE.fullmatch(nodes) else "",
        error_type=facts.get("error_type", ""),
        origin=origin_of(traceback) if traceback else "",
        exit_code=code,
        signal=number,
        start=facts["start"],
        checkpoint_left=checkpoint.get("left_files", 0) > 0,
        left_time=checkpoint.get("left_time", 0.0),
        found_time=checkpoint.get("time", 0.0),
    )


def origin_of(traceback: str) -> str:
    """Where an error was raised: the innermost line that is neither of Python, nor of a package, nor of the shim."""
    for path, line, function in reversed(_FRAME.findall(traceback)):
        if not _NOT_THE_USERS.search(path):
            place = f"{path.rpartition('/')[2]}:{line}"
            return f"{place} in {function}" if function else place
    return ""


def has_broken_seal(path: str) -> bool:
    """Whether a record is there and not as it was written; this reads all of it."""
    try:
        return seal_of(path) != SEALED
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
        if seal_of(path) != SEALED:
            return None
        root = open_record(path, is_verified=True)
        return {one: _summary(member, dict(facts)) for one, facts, member in members_of(root, index)}
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
        are_inputs_unchanged=all(one.attributes["is_unchanged"] for one in _files_of(members)),
    )


def _files_of(members: Mapping[str, Any]) -> list[RecordGroup]:
    """What a record says of the files that the attempt was given; those of earlier versions say nothing."""
    return list(members["inputs"].members.values()) if "inputs" in members else []
