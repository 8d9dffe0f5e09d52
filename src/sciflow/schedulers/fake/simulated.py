"""Programs that are made up: how long they run and how they end is a function, and their records are real."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sciflow.schedulers.fake.cluster import VirtualCluster
from sciflow.schedulers.fake.jobs import Index, Job
from sciflow_shim import files
from sciflow_shim.__main__ import code_without_start, exit_code
from sciflow_shim.array import Array
from sciflow_shim.attempt import FAILURES, Attempt, claim_attempt

PROGRESS = "progress.json"  # the checkpoint of a program that is made up
LINGER = 1.0  # seconds between the record of an index and the end of its job
STOPPED = "stopped by a signal"


@dataclass(frozen=True)
class Sight:
    """What a program knows when it starts.

    `done` are the seconds of work that its checkpoint holds, `memory` and `seconds` what it was given.
    """

    array: str
    index: int
    attempt: int
    parameters: Mapping[str, Any]
    done: float
    node: str
    memory: int
    seconds: float


@dataclass(frozen=True)
class Course:
    """How a program would go on from there if nobody stopped it.

    Attributes
    ----------
    seconds
        How long it runs.
    memory
        How many bytes it needs at most: more than it was given, and it is killed half-way.
    error
        Its type and message, as ``ValueError: no convergence``, where it fails.
    signal
        By what it is killed at its end.
    metrics
        What it returns.
    checkpoint_every
        After how many seconds of work it leaves a checkpoint; 0 for never.
    """

    seconds: float
    memory: int = 0
    error: str = ""
    signal: int = 0
    metrics: Mapping[str, Any] = field(default_factory=dict)
    checkpoint_every: float = 0.0


Program = Callable[[Sight], Course]
Start = tuple[int, int, int]
Errand = Callable[[Job], int]


@dataclass
class _Life:
    """One start of a program, until its end."""

    attempt: Attempt
    course: Course
    begin: float
    done: float
    has_ended: bool = False


class SimulatedBody:
    """Runs programs that are made up, one in each array index; what is packed runs only for real.

    It does what the shim does on a node, with virtual times: looks at what is needed upstream, at brakes and at
    checkpoints, and writes the records.

    Parameters
    ----------
    program
        What a program knows → how it goes on.
    errand
        What jobs do that are no array jobs of a run; gives their exit code. It may sleep by the clock.
    """

    def __init__(self, program: Program, errand: Errand | None = None) -> None:
        self.program = program
        self.errand = errand
        self._lives: dict[Start, _Life] = {}
        self._gone: set[Start] = set()

    def start(self, cluster: VirtualCluster, index: Index) -> None:
        """Start an index; what has to be done before a program starts is done at once."""
        header = index.job.directory / files.array_header(index.job.array_on_node)
        if self.errand is not None and not header.exists():
            run = index.run_of
            cluster.clock.after(0.0, lambda: self._do_errand(cluster, index, run))
            return
        try:
            self._start(cluster, index)
        except OSError as error:
            _print(cluster, index, f"OSError: {error}")
            self._exit_soon(cluster, index, 1)

    def _do_errand(self, cluster: VirtualCluster, index: Index, run: Start) -> None:
        code = self.errand(index.job) if self.errand is not None else 0
        if cluster.is_current(index, run):
            cluster.exited(index, code)

    def _start(self, cluster: VirtualCluster, index: Index) -> None:
        array = Array(str(index.job.directory), index.job.array_on_node)
        if array.pack > 1:
            raise ValueError(f"`{array.name}` is packed, and programs that are made up run alone")
        variables = cluster.face.variables(cluster, index)
        number = element_of(index)
        code = code_without_start(array, range(number, number + 1), variables)
        if code is not None:
            if code == files.HELD_CODE:
                _print(cluster, index, f"{array.name}[{number}] {array.held_back()}")
            self._exit_soon(cluster, index, code)
            return
        cluster.tell("opening", index)
        attempt = Attempt(array, number, claim_attempt(array.run, array.name, number))
        attempt.variables, attempt.start = variables, cluster.clock()
        attempt.clear()
        if attempt.is_held_back():
            self._close(cluster, index, attempt)
            return
        _write(attempt, cluster.clock())
        request = array.header["request"]
        sight = Sight(
            array=array.name,
            index=number,
            attempt=attempt.attempt,
            parameters=attempt.line["parameters"],
            done=_done(attempt),
            node=index.node.name if index.node else "",
            memory=request["memory_bytes"],
            seconds=request["runtime_seconds"],
        )
        life = _Life(attempt, self.program(sight), cluster.clock(), sight.done)
        self._lives[index.run_of] = life
        self._plan_end(cluster, index, life, sight)
        cluster.tell("running", index)

    def stop(self, cluster: VirtualCluster, index: Index) -> None:
        """Let a program end as one that is told to stop."""
        life = self._lives.get(index.run_of)
        if life is not None and not life.has_ended:
            life.attempt.state, life.attempt.error = "CANCELLED", {"message": STOPPED}
            self._end_after(cluster, index, LINGER, signal=15)

    def kill(self, cluster: VirtualCluster, index: Index) -> None:
        """Let all of it be gone; the record that was there stays, and so does the last checkpoint."""
        self._gone.add(index.run_of)
        life = self._lives.pop(index.run_of, None)
        if life is not None and not life.has_ended:
            _leave_checkpoint(life, cluster.clock())

    def wait(self, _cluster: VirtualCluster) -> bool:
        """Nothing of it runs outside of virtual time."""
        return False

    def end_program(self, cluster: VirtualCluster, index: Index, signal: int, is_oom: bool = False) -> None:
        """Let the program of an index be killed now, and nothing else of it; perhaps by the kernel, for its memory."""
        self._end(cluster, index, index.run_of, None, signal, is_oom)

    def _plan_end(self, cluster: VirtualCluster, index: Index, life: _Life, sight: Sight) -> None:
        course = life.course
        if sight.memory and course.memory > sight.memory:
            self._end_after(cluster, index, course.seconds / 2, signal=9, is_oom=True)
        elif sight.seconds and course.seconds > sight.seconds:
            run = index.run_of
            cluster.clock.after(sight.seconds, lambda: self._is_late(cluster, index, run, sight.seconds))
        elif course.signal:
            self._end_after(cluster, index, course.seconds, signal=course.signal)
        else:
            self._end_after(cluster, index, course.seconds, code=1 if course.error else 0)

    def _end_after(
        self,
        cluster: VirtualCluster,
        index: Index,
        seconds: float,
        code: int | None = None,
        signal: int | None = None,
        is_oom: bool = False,
    ) -> None:
        run = index.run_of
        cluster.clock.after(seconds, lambda: self._end(cluster, index, run, code, signal, is_oom))

    def _is_late(self, cluster: VirtualCluster, index: Index, run: Start, limit: float) -> None:
        life = self._lives.get(run)
        if life is not None and life.attempt.state == "RUNNING":
            life.attempt.state = "TIMEOUT"
            life.attempt.error = {"message": f"ran longer than the {limit:g} s it asked for"}
            self._end(cluster, index, run, None, 15)

    def _end(
        self,
        cluster: VirtualCluster,
        index: Index,
        run: Start,
        code: int | None,
        signal: int | None,
        is_oom: bool = False,
    ) -> None:
        """Take in that a program has ended: its outcome, what it has used, its record, and the end of its job."""
        life = self._lives.get(run)
        if life is None or life.has_ended:
            return
        life.has_ended = True
        attempt, course, now = life.attempt, life.course, cluster.clock()
        _leave_checkpoint(life, now)
        if code == 0:
            attempt.outcome.metrics, attempt.outcome.order = dict(course.metrics), list(course.metrics)
            attempt.outcome.returned = "mapping"
        elif code is not None:
            kind, _, message = course.error.partition(": ")
            attempt.outcome.error = {"type": kind, "message": message, "traceback": ""}
        attempt.judge(code, signal)
        most = attempt.array.header["request"]["memory_bytes"] or course.memory
        attempt.resources.peak_rss_bytes = min(course.memory, most)
        attempt.resources.wall_seconds = now - attempt.start
        if is_oom:
            _print(cluster, index, cluster.face.out_of_memory(index))
        self._close(cluster, index, attempt, is_oom)

    def _close(self, cluster: VirtualCluster, index: Index, attempt: Attempt, is_oom: bool = False) -> None:
        run = index.run_of
        try:
            cluster.tell("writing", index)
            if run in self._gone:
                return
            attempt.end = cluster.clock()
            _write(attempt, attempt.end)
        except OSError as error:
            _print(
                cluster, index, f"{attempt.array.name}[{attempt.index}] FAILED: its record cannot be written: {error}"
            )
            attempt.state = "FAILED" if attempt.state == "COMPLETED" else attempt.state
        log = Path(attempt.log)
        if log.exists() and not log.stat().st_size:
            log.unlink()
        if attempt.array.brake and attempt.state in FAILURES:
            attempt.apply_brake()
        self._exit_soon(cluster, index, exit_code(attempt.array, attempt.index, attempt.state), is_oom)
        cluster.tell("written", index)

    def _exit_soon(self, cluster: VirtualCluster, index: Index, code: int, is_oom: bool = False) -> None:
        run = index.run_of

        def leave() -> None:
            self._lives.pop(run, None)
            if run not in self._gone and cluster.is_current(index, run):
                cluster.exited(index, code, is_oom=is_oom)

        cluster.clock.after(LINGER, leave)


def element_of(index: Index) -> int:
    """Return the index of the array job that an index of its submission stands for: a map may say which."""
    path = index.job.directory / files.index_map(index.job.name)
    return int(path.read_text().split()[index.number]) if path.exists() else index.number


def _write(attempt: Attempt, now: float) -> None:
    attempt.write()
    os.utime(attempt.array.path(files.record(attempt.array.name, attempt.index, attempt.attempt)), (now, now))


def _print(cluster: VirtualCluster, index: Index, text: str) -> None:
    """Add a line to what the job has printed."""
    with cluster.face.output(index).open("a", encoding="utf-8") as log:
        log.write(text + "\n")


def _progress(attempt: Attempt) -> Path:
    return Path(attempt.work) / files.CHECKPOINT / PROGRESS


def _done(attempt: Attempt) -> float:
    """The seconds of work in the checkpoint that is there; 0 where there is none."""
    path = _progress(attempt)
    return float(json.loads(path.read_text())["done"]) if path.exists() else 0.0


def _leave_checkpoint(life: _Life, now: float) -> None:
    """Leave the last checkpoint that a program has written until now."""
    every = life.course.checkpoint_every
    ran = int((now - life.begin) / every) * every if every else 0.0
    if ran > 0.0:
        path = _progress(life.attempt)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps({"done": life.done + ran}))
        os.utime(path, (life.begin + ran, life.begin + ran))
