"""One index of a run: what it printed, and running it again by hand."""

from __future__ import annotations

import json
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sciflow.errors import RunError
from sciflow.model.nearest import nearest
from sciflow.model.plan import ArrayJob
from sciflow.model.state import State
from sciflow.run.seal import unseal
from sciflow.run.status import IndexStatus
from sciflow.run.track import observe, read_plan
from sciflow.store import sealed
from sciflow.store.layout import RunDirectory
from sciflow.store.lock import hold
from sciflow.store.records import read_states, read_summary
from sciflow_shim import files

_PLACES = re.compile(r"([A-Za-z0-9_-]+)(?:\.(\d+))?(?:\[(\d+(?:-\d+)?(?:,\d+(?:-\d+)?)*)\])?")
_PLACE = re.compile(r"([A-Za-z0-9_-]+)(?:\.(\d+))?\[(\d+)\]")


@dataclass(frozen=True)
class Log:
    """What one attempt of one array index printed, and what its job script and the scheduler said around it."""

    array: str
    index: int
    attempt: int
    state: State
    error: str
    text: str
    job_text: str = ""

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to be read."""
        return not (self.text or self.job_text)

    def to_document(self) -> dict[str, Any]:
        """The log as JSON has it."""
        return {
            "array": self.array,
            "index": self.index,
            "attempt": self.attempt,
            "state": self.state.value,
            "error": self.error,
            "log": self.text,
            "job_log": self.job_text,
        }


def locate(run: RunDirectory, place: str) -> tuple[str, int]:
    """Find the array index that ``task[17]``, the task's 17th instance, or ``task.0[17]`` means.

    Raises
    ------
    RunError
        Where the run has no such index.
    """
    match = _PLACE.fullmatch(place)
    if not match:
        raise RunError(f"`{place}` names no index", hint="write it like `train_model[17]`")
    plan = read_plan(run)
    task, chunk, number = match[1], match[2], int(match[3])
    if task not in plan.tasks:
        raise RunError(f"run `{run.run_id}` has no task `{task}`", hint=nearest(task, plan.tasks))
    arrays = [array for array in plan.arrays if array.task == task]
    if chunk is not None:
        for array in arrays:
            if array.name == f"{task}.{chunk}" and number < array.count:
                return array.name, number
        raise RunError(
            f"run `{run.run_id}` has no `{place}`", hint=", ".join(f"{a.name}[0-{a.count - 1}]" for a in arrays)
        )
    for array in arrays:
        with run.lines(array.name).open("rb") as lines:
            for index, text in enumerate(lines):
                if json.loads(text)["instance"] == number:
                    return array.name, index
    last = plan.instances[task] - 1
    raise RunError(f"task `{task}` has the instances 0-{last}, not {number}")


def locate_all(run: RunDirectory, text: str) -> dict[str, set[int]]:
    """Find the array indices that ``task``, ``task[3-7,9]`` or ``task.0[3-7]`` means; array job → indices.

    Raises
    ------
    RunError
        Where the run has no such task, array job or index.
    """
    match = _PLACES.fullmatch(text)
    if not match:
        raise RunError(f"`{text}` names no task or indices", hint="write it like `train_model` or `train_model[3-7,9]`")
    plan = read_plan(run)
    task, chunk, listed = match[1], match[2], match[3]
    if task not in plan.tasks:
        raise RunError(f"run `{run.run_id}` has no task `{task}`", hint=nearest(task, plan.tasks))
    arrays = [a for a in plan.arrays if a.task == task and (chunk is None or a.name == f"{task}.{chunk}")]
    if not arrays:
        raise RunError(f"run `{run.run_id}` has no array job `{task}.{chunk}`")
    if listed is None:
        return {array.name: set(range(array.count)) for array in arrays}
    wanted = set(files.parse_ranges(listed))
    if not wanted:
        raise RunError(f"`{text}` names no index", hint="write ranges upwards, like `3-7`")
    found: dict[str, set[int]] = {}
    for array in arrays:
        with run.lines(array.name).open("rb") as lines:
            for index, line in enumerate(lines):
                if (index if chunk is not None else json.loads(line)["instance"]) in wanted:
                    found.setdefault(array.name, set()).add(index)
    if (count := sum(map(len, found.values()))) < len(wanted):
        indices = "index" if len(wanted) == 1 else "indices"
        raise RunError(f"`{text}` names {len(wanted)} {indices}, of which run `{run.run_id}` has {count}")
    return found


def read_log(run: RunDirectory, array: str, index: int, attempt: int | None) -> Log:
    """What an attempt printed; of the last one by default.

    Raises
    ------
    RunError
        Where there was no such attempt.
    """
    status = observe(run)
    known = status.indices[array][index]
    job = status.plan.array(array)
    element = job.element(index)
    earlier = _earlier(run, job, index, attempt) if attempt is not None and attempt < known.attempt else None
    if earlier is not None:
        known, jobs = earlier, [earlier.record.job] if earlier.record and earlier.record.job else []
    else:
        submitted = status.submissions.round_of(array, element, index)
        jobs = [one.job for one in submitted.since(known.record.job if known.record else "")] if submitted else []
    held = [one.array for one in status.submissions.holding(array) if one.job and one.job in jobs[:1]]
    job_text = _read(run.job_log(held[0] if held else array, element, jobs[0])) if jobs else ""
    if job.pack > 1:
        return _log_of_member(run, known, job, index, attempt, job_text)
    wanted = attempt or max(known.attempt, _last_log(run, array, index))
    has_started = wanted <= known.attempt or wanted in _logged(run, array, index)
    if not job_text and (not has_started or (wanted == 0 and known.state is not State.COMPLETED)):
        why = f": {known.error or known.reason}" if known.error or known.reason else ""
        raise RunError(f"{array}[{index}] is {known.state} and was started {known.attempt} times so far{why}")
    return Log(array, index, wanted, known.state, known.error, _read(run.log(array, index, wanted)), job_text)


def _earlier(run: RunDirectory, job: ArrayJob, index: int, attempt: int) -> IndexStatus | None:
    """What the record of an attempt tells that was not the last; None where it has left none."""
    records = read_states(str(run.record(job.name, job.element(index), attempt)), index) or {}
    record = records.get(index)
    if record is None:
        return None
    if record.state.is_final:
        return IndexStatus(record.state, attempt, record.error, record=record)
    return IndexStatus(State.UNKNOWN, attempt, "it was killed before it could say how it ended", record=record)


def _log_of_member(
    run: RunDirectory, known: IndexStatus, job: ArrayJob, index: int, attempt: int | None, job_text: str
) -> Log:
    """What one of several that ran as one array index printed: its part of that index's log."""
    element = job.element(index)
    # How each of the others ended is said there too.
    others = tuple(f"{job.name}[{one}] " for one in job.of_element(element) if one != index)
    job_text = "".join(line for line in job_text.splitlines(keepends=True) if not line.startswith(others))
    wanted = attempt or known.attempt
    live = sorted(run.log(job.name, element, 0).parent.glob(f"{element}.{attempt or '*'}.{index}.part"))
    summary = read_summary(str(run.record(job.name, element, wanted)), index)
    if summary is not None and summary.facts["log_length"]:
        start = summary.facts["log_start"]
        text = _text(_bytes(run.log(job.name, element, wanted))[start : start + summary.facts["log_length"]])
    elif live:  # it runs, or was killed with all the others
        text, wanted = _read(live[-1]), int(live[-1].name.split(".")[1])
    elif wanted == known.attempt and (job_text or known.state is State.COMPLETED or summary is not None):
        text = ""
    else:
        why = f": {known.error or known.reason}" if known.error or known.reason else ""
        raise RunError(f"{job.name}[{index}] is {known.state} and was started {known.attempt} times so far{why}")
    return Log(job.name, index, wanted, known.state, known.error, text, job_text)


def _read(path: Path) -> str:
    return _text(_bytes(path))


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return sealed.read_log(str(path)) or b""


def _text(data: bytes) -> str:
    return data.decode(errors="replace").replace("\r\n", "\n")


def _last_log(run: RunDirectory, array: str, index: int) -> int:
    """The last attempt that has printed something; one that runs has left no record yet."""
    return max(_logged(run, array, index), default=0)


def _logged(run: RunDirectory, array: str, index: int) -> list[int]:
    """The attempts that have printed something."""
    names = [one.name for one in run.log(array, index, 0).parent.glob(f"{index}.*.out")]
    names += [name.rpartition("/")[2] for name in sealed.names(str(run.path), files.sealed_logs(array))]
    return [int(name.split(".")[1]) for name in names if name.startswith(f"{index}.") and name.endswith(".out")]


def execute(run: RunDirectory, array: str, index: int) -> State:
    """Run an index by its script, here and now; gives the state in which it ended.

    Raises
    ------
    RunError
        When another process drives the run, or the index is in a queue, where it would be run as well.
    """
    known = observe(run).indices[array][index]
    if known.said is not None and not known.is_over:
        raise RunError(
            f"{array}[{index}] is {known.state} in the queue, and would be run twice",
            hint=f"wait for it, or cancel it first: sciflow cancel {run.name_here} --only '{array}[{index}]'",
        )
    with hold(run.lock, patience=0.0) as lock:
        unseal(run)
        script = run.script(array)
        element = read_plan(run).array(array).element(index)
        subprocess.run(["bash", str(script), str(element)], check=False, pass_fds=(lock,))
        return observe(run).indices[array][index].state
