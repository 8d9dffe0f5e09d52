"""One index of a run: what it printed, and running it again by hand."""

from __future__ import annotations

import json
import re
import subprocess
from dataclasses import dataclass
from typing import Any

from sciflow.errors import RunError
from sciflow.model.nearest import nearest
from sciflow.model.state import State
from sciflow.run.track import observe, read_plan
from sciflow.store.layout import RunDirectory
from sciflow.store.lock import hold

_PLACE = re.compile(r"([A-Za-z0-9_-]+)(?:\.(\d+))?\[(\d+)\]")


@dataclass(frozen=True)
class Log:
    """What one attempt of one array index printed."""

    array: str
    index: int
    attempt: int
    state: State
    error: str
    text: str

    @property
    def is_empty(self) -> bool:
        """Whether it has printed nothing."""
        return not self.text

    def to_document(self) -> dict[str, Any]:
        """The log as JSON has it."""
        return {
            "array": self.array,
            "index": self.index,
            "attempt": self.attempt,
            "state": self.state.value,
            "error": self.error,
            "log": self.text,
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


def read_log(run: RunDirectory, array: str, index: int, attempt: int | None) -> Log:
    """What an attempt printed; of the last one by default.

    Raises
    ------
    RunError
        Where there was no such attempt.
    """
    known = observe(run).indices[array][index]
    wanted = attempt or known.attempt
    if wanted > known.attempt or (known.attempt == 0 and known.state is not State.COMPLETED):
        raise RunError(f"{array}[{index}] is {known.state} and was started {known.attempt} times so far")
    path = run.log(array, index, wanted)
    text = path.read_text(encoding="utf-8", errors="replace") if path.exists() else ""
    return Log(array, index, wanted, known.state, known.error, text)


def execute(run: RunDirectory, array: str, index: int) -> State:
    """Run an index by its script, here and now; gives the state in which it ended.

    Raises
    ------
    RunError
        When another process drives the run.
    """
    with hold(run.lock, patience=0.0) as lock:
        script = run.script(array)
        subprocess.run(["bash", str(script), str(index)], check=False, pass_fds=(lock,))
        return observe(run).indices[array][index].state
