"""One attempt of one array index: what is known of it, and how its end is judged."""

from __future__ import annotations

import os
import time

from sciflow_shim import files
from sciflow_shim.array import Array, last_attempt
from sciflow_shim.outcome import PARTIAL, Outcome
from sciflow_shim.record_format import sha256
from sciflow_shim.usage import Resources, Series

TYPE_CHECKING = False  # as type checkers know it; importing `typing` takes as long as a record
if TYPE_CHECKING:
    from typing import Any

    from sciflow_shim.gpu_use import GpuUse

    # When an attempt started, its state, whether it leaves a checkpoint where time was too short, and its complaint.
    Ending = tuple[float, str, bool, str]

FAILURES = ("FAILED", "OUT_OF_MEMORY", "TIMEOUT", "CRITERIA_NOT_MET")  # states that are an attempt's own fault


class Attempt:
    """What is known of one attempt, as it grows from its start to its record.

    Parameters
    ----------
    array
        The array job.
    index, attempt
        Which index, started for the how-manieth time.
    """

    def __init__(self, array: Array, index: int, attempt: int) -> None:
        self.array = array
        self.index = index
        self.attempt = attempt
        self.line = array.line(index)
        self.task: str = array.header["task"]
        self.instance: str = self.line["id"]
        self.work = array.path(files.work(self.task, self.instance))
        self.log = array.path(files.log(array.name, index, attempt))
        self.outcome_path = array.path(files.outcome(array.name, index, attempt))
        self.state = "RUNNING"
        self._error: dict[str, str] = {}
        self.exit_code: int | None = None
        self.signal: int | None = None
        self.start = time.time()
        self.end: float | None = None
        self.environment = ""
        self.variables: dict[str, str] = {}  # that the program gets besides those of this process
        self.upstream: dict[str, list[list[Any]]] = {}
        self.gpus: GpuUse | None = None
        self.resources = Resources()
        self.series = Series()
        self.outcome = Outcome()
        self.mark = f"{index}.{attempt}"
        self.checkpoint: dict[str, Any] = {}  # that it found
        self.changed: dict[str, str] = {}  # files that are not what they were planned with, at the end

    @property
    def error(self) -> dict[str, str]:
        """What went wrong: `type`, `message` and `traceback`, as far as there are such; without secrets."""
        return self._error

    @error.setter
    def error(self, error: dict[str, str]) -> None:
        if error:
            from sciflow_shim.redaction import redact_values

            error = {name: redact_values(text, os.environ) for name, text in error.items()}
        self._error = error

    @property
    def complaint(self) -> str:
        """What went wrong, with its type."""
        return (self.error.get("type", "") + ": " + self.error.get("message", "")).strip(": ")

    @property
    def ending(self) -> Ending:
        """What counts of it for a brake."""
        left = self.state == "TIMEOUT" and bool(self.left_checkpoint())
        return self.start, self.state, left, self.complaint

    def apply_brake(self) -> None:
        """Hold back what has not begun, if others have failed like this one."""
        from sciflow_shim import brake  # only for one that has failed

        brake.apply(self.array, self.index, self.attempt, [self.ending])

    @property
    def facts(self) -> dict[str, Any]:
        """What a function may know of where it runs."""
        return {
            "task": self.task,
            "instance": self.instance,
            "run": self.array.run,
            "array": self.array.name,
            "index": self.index,
            "attempt": self.attempt,
            "seed": self.seed,
        }

    @property
    def seconds(self) -> float:
        """From start to end."""
        return (self.end or time.time()) - self.start

    @property
    def seed(self) -> int:
        """31 bits of SHA-256 over task and instance: independent of order, machine and attempt."""
        text = f"{self.task}:{self.instance}".encode()
        digest = sha256(len(text))  # without loading OpenSSL
        digest.update(text)
        return int.from_bytes(digest.digest()[:4], "big") >> 1

    def is_held_back(self) -> bool:
        """Whether it cannot start because of what it needs; its state says so then."""
        if not self.array.header["upstream"]:
            return False
        from sciflow_shim.upstream import Upstream  # only for those that need something

        upstream = Upstream(self.array, self.line, self.index)
        failures = upstream.failures()
        self.upstream = upstream.used()
        if not failures:
            return False
        shown = ", ".join(f"{where} is {state}" for where, state in failures[:5])
        if self.array.task["missing"] == "skip":
            self.outcome.notes["skipped"] = f"{len(failures)} upstream: {shown}"
            return False
        self.state = "UPSTREAM_FAILED"
        self.error = {"message": shown + (f" and {len(failures) - 5} more" if len(failures) > 5 else "")}
        return True

    def judge(self, code: int | None, number: int | None) -> None:
        """Give the state that an exit code or a signal and the outcome mean."""
        self.exit_code, self.signal = code, number
        if self.state != "RUNNING":
            return
        self.error = self.outcome.error
        if code == 0 and not self.error and self.outcome.notes.get("stopped"):
            self.state = "TIMEOUT"
            self.error = {"message": "it ended because `should_stop()` said so; the next attempt can go on"}
        elif code == 0 and not self.error:
            self.state = self._criteria()
        else:
            from sciflow_shim.memory_words import of_program, tells_of_memory  # only for those that fail

            words = self.error.get("message", "") if self.error else of_program(_last_lines(self.log))
            self.state = "OUT_OF_MEMORY" if tells_of_memory(self.error.get("type", ""), words) else "FAILED"
            if not self.error:
                self.error = {"type": "", "message": self.last_words(code, number)}

    def last_words(self, code: int | None, number: int | None) -> str:
        """How it ended, and the last it printed."""
        tail = next(iter(_last_lines(self.log)), "")
        how = how_it_ended(code, number)
        return f"{how}; the last it printed: {tail}" if tail else how

    def _criteria(self) -> str:
        rule, declared = self.array.task["success"], self.array.task.get("results")
        if declared:
            from sciflow_shim.declared import judge  # only for tasks that declare what they give

            try:
                self.error = judge(declared, rule, self.outcome, self.outcome_path)
            except (OSError, ValueError) as error:
                self.error = {"type": type(error).__name__, "message": f"its results cannot be judged: {error}"}
            if self.error:
                return "CRITERIA_NOT_MET"
        if rule is None:
            return "COMPLETED"
        try:
            from sciflow_shim.success import is_met  # what it takes to read a rule is only for those who have one

            met = is_met(rule, self.line["parameters"], self.outcome.metrics)
        except Exception as error:  # an expression over what a program left may fail in any way
            self.error = {"type": type(error).__name__, "message": f"`{rule}` cannot be judged: {error}"}
            return "CRITERIA_NOT_MET"
        if met:
            return "COMPLETED"
        self.error = {"type": "", "message": f"`{rule}` does not hold"}
        return "CRITERIA_NOT_MET"

    def clear(self) -> None:
        """Make its folders, remove what a killed attempt of the same number left there, and look for a checkpoint."""
        for path in (self.log, self.outcome_path):
            os.makedirs(os.path.dirname(path), exist_ok=True)
        if _size(self.log):  # an empty one claims the number of this attempt
            _remove(self.log)
        self._remove_outcome()
        if self._has_checkpoint_folder():
            from sciflow_shim import checkpoints  # most have none

            self.checkpoint = checkpoints.found(self.array, self.index, self.attempt, self.work)

    def left_checkpoint(self) -> dict[str, Any]:
        """What is known of the checkpoint that is there now; nothing where there is none."""
        if not self._has_checkpoint_folder():
            return {}
        from sciflow_shim import checkpoints  # most have none

        return checkpoints.look(self.work)

    def _has_checkpoint_folder(self) -> bool:
        return os.path.isdir(os.path.join(self.work, files.CHECKPOINT))

    def write(self) -> None:
        """Write the record, beside and renamed."""
        from sciflow_shim.attempt_record import tree  # loaded while the program runs, and not before it starts
        from sciflow_shim.record import write_record

        path = self.array.path(files.record(self.array.name, self.index, self.attempt))
        write_record(path, tree(self, path), seal=self.end is not None)

    def close(self) -> None:
        """Write the last record; what cannot be recorded is a failure, and no reason to leave others without one."""
        self.end = time.time()
        if self.array.has_files:
            from sciflow_shim.inputs import changed_files  # as its record needs it too

            self.changed = changed_files(self.array.task)
            if self.changed and self.state == "COMPLETED":
                self.outcome.notes["changed"] = ", ".join(map(os.path.basename, self.changed))
        try:
            try:
                self.write()
            except ValueError as error:
                self._fail(f"its results cannot be recorded: {error}")
                self.outcome = Outcome()
                self.write()
        except OSError as error:
            self._fail(f"its record cannot be written: {error}")
        self._remove_outcome()
        _remove_if_empty(self.log)
        _remove_folder_if_empty(os.path.join(self.work, files.CHECKPOINT))
        _remove_folder_if_empty(self.work)

    def _remove_outcome(self) -> None:
        for path in (self.outcome_path, self.outcome_path + PARTIAL):
            _remove(path)

    def _fail(self, message: str) -> None:
        self.state = "FAILED" if self.state == "COMPLETED" else self.state
        self.error = {"type": "", "message": message}


def claim_attempt(run: str, array: str, index: int) -> int:
    """Give an index's next attempt a number that nobody else gives to one: its log is made, and must be new.

    A job that was put back into the queue may start while another of it still runs on a node that was thought lost.
    """
    attempt = last_attempt(run, array, index) + 1
    os.makedirs(os.path.join(run, files.logs(array)), exist_ok=True)
    while True:
        try:
            log = os.open(
                os.path.join(run, files.log(array, index, attempt)), os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o644
            )
        except FileExistsError:
            attempt += 1
        else:
            os.close(log)
            return attempt


def how_it_ended(code: int | None, number: int | None) -> str:
    """Say in words what an exit code or a signal tells."""
    return f"was killed by signal {number} ({_signal_name(number)})" if number else f"ended with exit code {code}"


def _signal_name(number: int) -> str:
    import signal

    try:
        return signal.Signals(number).name
    except ValueError:
        return "unknown"


def _last_lines(path: str, limit: int = 400) -> list[str]:
    """The lines that end a file and are not empty, the last one first."""
    try:
        with open(path, "rb") as file:
            file.seek(0, os.SEEK_END)
            file.seek(max(0, file.tell() - 4_000))
            lines = file.read().decode(errors="replace").split("\n")
    except FileNotFoundError:
        return []
    return [line.strip()[:limit] for line in reversed(lines) if line.strip()]


def _remove(path: str) -> None:
    try:
        os.unlink(path)
    except FileNotFoundError:
        pass


def _size(path: str) -> int:
    try:
        return os.path.getsize(path)
    except FileNotFoundError:
        return 0


def _remove_if_empty(path: str) -> None:
    try:
        if os.path.getsize(path) == 0:
            os.unlink(path)
    except FileNotFoundError:
        pass


def _remove_folder_if_empty(path: str) -> None:
    try:
        os.rmdir(path)
    except OSError:  # it holds something, or was never made
        pass
