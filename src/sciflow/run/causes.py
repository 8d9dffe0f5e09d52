"""Why each index that has ended without success has done so, by its record, the scheduler and what its job printed."""

from __future__ import annotations

import builtins
import pwd
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache

from sciflow.model.cause import Cause
from sciflow.model.plan import ArrayJob, Plan
from sciflow.model.state import State
from sciflow.run.job_logs import JobLogs
from sciflow.run.signatures import normalised
from sciflow.run.status import IndexStatus, RunStatus
from sciflow.store.layout import RunDirectory
from sciflow.store.records import RecordState, read_states
from sciflow.store.submitted import Submitted
from sciflow_shim.files import HELD_BACK, HELD_CODE, format_ranges

LONGEST = 200  # characters of an error
MISSING = "ResultMissing"
FILE_CHANGED = "FileChanged"
NOT_STARTED = 70  # the exit code of a program's process in which the program could not be started
_SIGKILL, _SIGKILL_CODE = 9, 137
_NO_RECORD_POSSIBLE = "record cannot be written: "
_MEMORY = re.compile(r"oom-kill|oom_kill event|Out Of Memory|exceeded memory limit|job killed: mem \S+ exceeded limit")
_DISK = re.compile(r"\[Errno (?:28|30|122)\]")  # full, read-only, over quota
_MISSING_TEXTS = re.compile(
    r"nothing in .* matches `|its output `.*` is not there|has no (?:column |dataset )?`|rows, no row|"
    r"ended without leaving a result"
)
_BY_STATE = {
    State.OUT_OF_MEMORY: Cause.OUT_OF_MEMORY,
    State.TIMEOUT: Cause.TIMEOUT,
    State.NODE_FAIL: Cause.NODE_FAILURE,
    State.PREEMPTED: Cause.PREEMPTED,
    State.CRITERIA_NOT_MET: Cause.CRITERIA_NOT_MET,
    State.UPSTREAM_FAILED: Cause.UPSTREAM_FAILED,
    State.UNKNOWN: Cause.LOST,
}
# What an index was overtaken by. Whether its program still found time to say so is chance, and no kind of failure.
_FROM_OUTSIDE = (Cause.NODE_FAILURE, Cause.PREEMPTED)
# What the scheduler's exit code tells of a job that has not come as far as its program.
_LAUNCH = {
    "0:53": "its log folder is missing or cannot be written",
    "2:0": "wrong usage, or a file that cannot be opened",
    "126:0": "a command cannot be executed",
    "127:0": "a command was not found",
}


@dataclass(frozen=True)
class Failure:
    """Why an index has not completed.

    Attributes
    ----------
    signature
        What those have in common that have failed in the same way.
    detail
        The error, in one line.
    node
        Where it ran; empty where that is not known.
    by
        Who or what has cancelled it.
    """

    cause: Cause
    signature: str = ""
    detail: str = ""
    node: str = ""
    by: str = ""
    state: State = State.FAILED


def classify(run: RunDirectory, status: RunStatus) -> dict[tuple[str, int], Failure]:
    """Array job and index → why, of each index that has failed or is lost.

    What a job printed is read only where its record does not tell the end, or a program was killed without a word.
    """
    logs = JobLogs(run)
    found: dict[tuple[str, int], Failure] = {}
    for array in status.plan.arrays:
        failures = _ArrayFailures(run, status, array, logs)
        for index, one in status.indices[array.name].items():
            if one.state.is_failure or one.state is State.UNKNOWN:
                found[array.name, index] = failures.failure(index, one)
    return found


@dataclass
class FailureGroup:
    """The failures of one task that have the same cause and signature.

    Attributes
    ----------
    error
        The error of the first of them.
    are_alike
        Whether all have that error, to the letter.
    count
        How many there are.
    places
        Array job → which indices, as text.
    nodes
        Node → how many failed there; those of which that is not known are left out.
    by
        Who or what has cancelled them.
    """

    task: str
    cause: Cause
    state: State
    signature: str
    error: str
    by: str = ""
    count: int = 0
    are_alike: bool = True
    places: dict[str, str] = field(default_factory=dict)
    nodes: dict[str, int] = field(default_factory=dict)


def group(failures: Mapping[tuple[str, int], Failure], plan: Plan) -> list[FailureGroup]:
    """Put failures of the same kind together, the most frequent first; what was held back upstream comes last."""
    groups: dict[tuple[str, Cause, State, str], FailureGroup] = {}
    places: dict[tuple[str, Cause, State, str], dict[str, list[int]]] = {}
    for (array, index), one in failures.items():
        key = (plan.array(array).task, one.cause, one.state, one.signature)
        if key not in groups:
            groups[key] = FailureGroup(*key, one.detail, one.by)
            places[key] = {}
        found = groups[key]
        found.count += 1
        found.are_alike = found.are_alike and one.detail == found.error
        if one.node:
            found.nodes[one.node] = found.nodes.get(one.node, 0) + 1
        places[key].setdefault(array, []).append(index)
    for key, found in groups.items():
        found.places = {array: format_ranges(sorted(indices)) for array, indices in places[key].items()}
        found.nodes = dict(sorted(found.nodes.items(), key=lambda one: (-one[1], one[0])))
    return sorted(groups.values(), key=lambda one: (one.cause is Cause.UPSTREAM_FAILED, -one.count))


class _ArrayFailures:
    """Classifies the failures of one array job."""

    def __init__(self, run: RunDirectory, status: RunStatus, array: ArrayJob, logs: JobLogs) -> None:
        self._run = run
        self._array = array
        self._logs = logs
        self._submissions = status.submissions
        # Job → the array job that it was submitted as: another one where this one rides in it.
        self._jobs = {one.job: one.array for one in status.submissions.holding(array.name)}
        self._read: dict[str, dict[int, RecordState] | None] = {}

    def failure(self, index: int, one: IndexStatus) -> Failure:
        """Why an index has failed."""
        record = self._record(index, one)
        node = record.node if record is not None and record.node else one.said.node if one.said is not None else ""
        if one.state is State.FAILED:
            cause, signature, detail = self._failed(index, one, record)
        elif one.state is State.CANCELLED:
            return self._cancellation(index, one, record, node)
        else:
            cause, signature, detail = _by_state(one, record)
        return Failure(cause, signature, detail, node, state=one.state)

    def _record(self, index: int, one: IndexStatus) -> RecordState | None:
        """The last record, unless it is of a job before the last one."""
        record = one.record
        jobs = [link.job for link in self._links(index) if link.job]
        if not jobs:
            return record if record is not None or not one.attempt else self._read_record(index, one)
        is_of_job = record is not None and (record.job in ("", *jobs) or record.job not in self._jobs)
        return record if is_of_job else None

    def _links(self, index: int) -> tuple[Submitted, ...]:
        """The submissions in which an index was run last."""
        found = self._submissions.round_of(self._array.name, self._array.element(index), index)
        return found.links if found is not None else ()

    def _read_record(self, index: int, one: IndexStatus) -> RecordState | None:
        """The record of an index whose end the journal has told, so that nobody has read it yet."""
        element = self._array.element(index)
        path = one.path or str(self._run.record(self._array.name, element, one.attempt))
        if path not in self._read:
            self._read[path] = read_states(path, element)
        return (self._read[path] or {}).get(index)

    def _failed(self, index: int, one: IndexStatus, record: RecordState | None) -> tuple[Cause, str, str]:
        has_ended = record is not None and record.state.is_final
        error = _first_line(one.error)
        log = "" if has_ended and not _was_killed(record) else self._log(index, record)
        if log or _was_killed(record):
            memory = next((line for line in f"{log}\n{error}".splitlines() if _MEMORY.search(line)), "")
            if memory:
                return Cause.OUT_OF_MEMORY, "the kernel killed it because the memory was used up", _first_line(memory)
        if record is None or not has_ended:
            return self._without_end(index, one, record, log)
        if record.error_type == FILE_CHANGED and not record.origin:
            return Cause.FILE_CHANGED, normalised(error), error
        if _has_not_started(record):
            return Cause.LAUNCH_FAILURE, normalised(error), error
        cause = Cause.RESULT_MISSING if self._lacks_result(record) else Cause.APPLICATION_ERROR
        return cause, _signature(record, error), error

    def _without_end(
        self, index: int, one: IndexStatus, record: RecordState | None, log: str
    ) -> tuple[Cause, str, str]:
        """Why an index has failed that has left no final record."""
        error = _first_line(one.error)
        lines = [line.strip() for line in log.splitlines() if line.strip()]
        place = f"{self._array.name}[{index}] "
        exit_code = one.said.exit if one.said is not None else ""
        held = [line for line in lines if line.startswith(place + HELD_BACK)]
        if held or exit_code == f"{HELD_CODE}:0":
            text = held[-1].removeprefix(place) if held else "held back"
            return Cause.HELD, normalised(text), _first_line(text)
        # What cannot be recorded is said on standard error, and to the driver of a run on this machine.
        unwritten = next((line for line in [*reversed(lines), error] if _NO_RECORD_POSSIBLE in line), "")
        if unwritten:
            text = f"its {_NO_RECORD_POSSIBLE}{unwritten.partition(_NO_RECORD_POSSIBLE)[2]}"
        elif record is not None or not self._jobs:
            return Cause.APPLICATION_ERROR, normalised(error), error
        else:
            last = next((line for line in lines if "couldn't chdir to" in line), lines[-1] if lines else "")
            code = f" (exit code {exit_code})" if exit_code else ""
            known = f"{_LAUNCH.get(exit_code, 'it has left no record')}{code}"
            text = f"{known}: {last}" if last else known
        return Cause.LAUNCH_FAILURE, normalised(text), _first_line(text)

    def _lacks_result(self, record: RecordState) -> bool:
        """Whether a program has ended well, and has not left what it was to leave."""
        if record.exit_code == 0:
            return record.error_type == "FileNotFoundError" or bool(_MISSING_TEXTS.search(record.error))
        # A path that a function has returned is looked at outside of the user's code.
        is_returned = record.error_type == "FileNotFoundError" and record.exit_code == 1 and not record.origin
        return is_returned and f"{self._run.path}/code/" not in record.error

    def _cancellation(self, index: int, one: IndexStatus, record: RecordState | None, node: str) -> Failure:
        for text in (one.error, one.reason):
            if text.startswith(HELD_BACK):
                return Failure(Cause.HELD, normalised(text), _first_line(text), node, state=one.state)
        since = max((link.since for link in self._links(index)), default=0.0)
        by = ""
        reason = one.said.reason if one.said is not None else one.reason
        if self._submissions.cancelled.get((self._array.name, index), -1.0) >= since:
            by = "sciflow cancel"
        elif one.said is not None and one.said.word.startswith("DEADLINE"):
            by = "the scheduler, since its deadline could not be met"
        elif match := re.search(r"\bby (\d+)$", reason):
            by = _user(int(match[1]))
        elif match := re.fullmatch(r"by (\S+)", reason):  # some schedulers tell the name
            by = match[1]
        elif record is not None and record.state is State.CANCELLED and record.error.startswith("stopped by a signal"):
            by = "a signal"
        error = _first_line(one.error)
        return Failure(Cause.CANCELLED, f"by {by}" if by else normalised(error), error, node, by, one.state)

    def _log(self, index: int, record: RecordState | None) -> str:
        element = self._array.element(index)
        jobs = [link.job for link in self._links(index) if link.job]
        job = (record.job if record is not None else "") or (jobs[0] if jobs else "")
        return self._logs.tail(self._jobs.get(job, self._array.name), element, job) if job else ""


def _by_state(one: IndexStatus, record: RecordState | None) -> tuple[Cause, str, str]:
    cause, error = _BY_STATE[one.state], _first_line(one.error)
    if cause is Cause.NODE_FAILURE and one.said is not None and one.said.word.startswith("LAUNCH_FAILED"):
        cause = Cause.LAUNCH_FAILURE
    if cause is Cause.CRITERIA_NOT_MET and error.startswith(f"{MISSING}: "):
        cause = Cause.RESULT_MISSING
    if cause is Cause.UPSTREAM_FAILED:  # what stands upstream differs from index to index; the cause is shown there
        return cause, "", error
    return cause, "" if cause in _FROM_OUTSIDE else _signature(record, error), error


def _signature(record: RecordState | None, error: str) -> str:
    if record is not None and record.origin and record.error_type:
        return f"{record.error_type} in {record.origin.partition(' in ')[0]}"
    return normalised(error)


def _was_killed(record: RecordState | None) -> bool:
    return record is not None and (record.signal == _SIGKILL or record.exit_code == _SIGKILL_CODE)


def _has_not_started(record: RecordState) -> bool:
    """Whether it was the shim that could not do something, and not the program."""
    if record.error.startswith(f"its {_NO_RECORD_POSSIBLE}"):
        return True
    kind = getattr(builtins, record.error_type, None) if record.error_type else None
    if record.origin or not (isinstance(kind, type) and issubclass(kind, OSError)):
        return False
    return record.exit_code == NOT_STARTED or bool(_DISK.search(record.error))


def _first_line(text: str) -> str:
    return text.partition("\n")[0][:LONGEST]


@lru_cache
def _user(number: int) -> str:
    try:
        return f"{pwd.getpwuid(number).pw_name} (uid {number})"
    except KeyError:
        return f"uid {number}"
