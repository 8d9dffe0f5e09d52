"""Programs that are made up: how long they run and how they end is a function, and their records are real."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from sciflow.schedulers.fake.cluster import VirtualCluster
from sciflow.schedulers.fake.jobs import Index, Job
from sciflow.schedulers.fake.programs import Course, Program, Sight, leave_checkpoint, sight_of, tell_outcome
from sciflow_shim import files
from sciflow_shim.__main__ import code_without_start, exit_code
from sciflow_shim.array import Array
from sciflow_shim.attempt import FAILURES, Attempt, claim_attempt
from sciflow_shim.packed import Member, Pack

__all__ = ["Course", "Errand", "Program", "Sight", "SimulatedBody"]

LINGER = 1.0  # seconds between the record of an index and the end of its job
STOPPED = "stopped by a signal"

Start = tuple[int, int, int]
Errand = Callable[[Job], int]


@dataclass
class _Life:
    """One start of an array index, until its end.

    Attributes
    ----------
    index
        Whose start it is.
    variables
        What the scheduler has told it.
    number
        Which attempt it is.
    left
        The indices that are still to run in it: itself, or those that are packed into it.
    following
        The array jobs whose same index runs after that.
    pack
        What these have in common, if they are packed.
    attempt, course, done
        Of the program that runs, and the seconds of work that it began with.
    is_over
        Whether that has ended.
    is_stopped, is_oom
        Whether it was told to stop, and whether the kernel has killed one of its programs for its memory.
    """

    index: Index
    variables: dict[str, str]
    number: int
    left: list[int] = field(default_factory=list)
    following: list[Array] = field(default_factory=list)
    pack: Pack | None = None
    attempt: Attempt | None = None
    course: Course = field(default_factory=lambda: Course(0.0))
    done: float = 0.0
    is_over: bool = True
    is_stopped: bool = False
    is_oom: bool = False

    def __post_init__(self) -> None:
        self.run = self.index.run_of


class SimulatedBody:
    """Runs programs that are made up, one in each array index, or one after another those that are packed into it.

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
        self._print_what_fails(cluster, index, lambda: self._start(cluster, index))

    def stop(self, cluster: VirtualCluster, index: Index) -> None:
        """Let a program end as one that is told to stop; nothing more that is packed with it is started."""
        life = self._lives.get(index.run_of)
        if life is not None and life.attempt is not None and not life.is_over:
            life.is_stopped = True
            life.attempt.state, life.attempt.error = "CANCELLED", {"message": STOPPED}
            self._end_after(cluster, life, LINGER, signal=15)

    def kill(self, cluster: VirtualCluster, index: Index) -> None:
        """Let all of it be gone; the record that was there stays, and so does the last checkpoint."""
        self._gone.add(index.run_of)
        life = self._lives.pop(index.run_of, None)
        if life is not None and not life.is_over:
            _leave_checkpoint(life, cluster.clock())

    def wait(self, _cluster: VirtualCluster) -> bool:
        """Nothing of it runs outside of virtual time."""
        return False

    def end_program(self, cluster: VirtualCluster, index: Index, signal: int, is_oom: bool = False) -> None:
        """Let the program of an index be killed now, and nothing else of it; perhaps by the kernel, for its memory."""
        life = self._lives.get(index.run_of)
        if life is not None:
            self._end(cluster, life, life.attempt, None, signal, is_oom)

    def _do_errand(self, cluster: VirtualCluster, index: Index, run: Start) -> None:
        code = self.errand(index.job) if self.errand is not None else 0
        if cluster.is_current(index, run):
            cluster.exited(index, code)

    def _print_what_fails(self, cluster: VirtualCluster, index: Index, act: Callable[[], None]) -> None:
        """Start something; where its record cannot be written, that is what the job prints before its end."""
        try:
            act()
        except OSError as error:
            _print(cluster, index, f"OSError: {error}")
            self._exit_soon(cluster, index, 1)

    def _start(self, cluster: VirtualCluster, index: Index) -> None:
        array = Array(str(index.job.directory), index.job.array_on_node)
        variables = cluster.face.variables(cluster, index)
        self._start_one(cluster, index, array, [array.follower(name) for name in array.then], variables)

    def _start_one(
        self,
        cluster: VirtualCluster,
        index: Index,
        array: Array,
        following: list[Array],
        variables: dict[str, str],
        is_oom: bool = False,
    ) -> None:
        """Start an array job's part of an index, and where that is not to start, what comes after it."""
        element = element_of(index)
        indices = array.of_element(element)
        code = code_without_start(array, indices, variables)
        if code is not None:
            if code == files.HELD_CODE:
                _print(cluster, index, f"{array.name}[{files.format_ranges(indices)}] {array.held_back()}")
            if code == 0 and following:
                self._start_one(cluster, index, following[0], following[1:], variables, is_oom)
            else:
                self._exit_soon(cluster, index, code, is_oom)
            return
        cluster.tell("opening", index)
        number = claim_attempt(array.run, array.name, element)
        life = _Life(index, variables, number, [element], following, is_oom=is_oom)
        self._lives[life.run] = life
        if array.pack > 1:
            life.pack = _Pack(array, element, life.number, clock=cluster.clock, now=cluster.clock)
            life.pack.remove_leftovers()
            life.left = list(life.pack.indices)
        self._go_on(cluster, life, array)

    def _go_on(self, cluster: VirtualCluster, life: _Life, array: Array) -> None:
        """Start the next program; where there is none, let the job end."""
        while life.left and not life.is_stopped and not (life.pack and life.pack.is_held_back()):
            number = life.left.pop(0)
            attempt = (
                Member(array, number, life.number, life.pack) if life.pack else Attempt(array, number, life.number)
            )
            attempt.variables, attempt.start = life.variables, cluster.clock()
            attempt.clear()
            life.attempt = attempt
            if not attempt.is_held_back():
                self._begin(cluster, life, attempt)
                return
            self._close(cluster, life, attempt)
            if life.run in self._gone:
                return
        if life.pack is not None:
            code = life.pack.close(life.is_stopped)
        else:
            assert life.attempt is not None
            code = exit_code(array, life.attempt.index, life.attempt.state)
        if code == 0 and life.following and not life.is_stopped:
            first, *rest = life.following
            start = partial(self._start_one, cluster, life.index, first, rest, life.variables, life.is_oom)
            self._print_what_fails(cluster, life.index, start)
            return
        self._exit_soon(cluster, life.index, code, life.is_oom)

    def _begin(self, cluster: VirtualCluster, life: _Life, attempt: Attempt) -> None:
        """Let a program run, and know how it will end."""
        if life.pack is None or not life.pack.states:  # of those that are packed, the first leaves a record at once
            _write(attempt, cluster.clock())
        sight = sight_of(attempt, life.index.node.name if life.index.node else "")
        life.course, life.done, life.is_over = self.program(sight), sight.done, False
        course = life.course
        if sight.memory and course.memory > sight.memory:
            self._end_after(cluster, life, course.seconds / 2, signal=9, is_oom=True)
        elif sight.seconds and course.seconds > sight.seconds:
            cluster.clock.after(sight.seconds, lambda: self._is_late(cluster, life, attempt, sight.seconds))
        elif course.signal:
            self._end_after(cluster, life, course.seconds, signal=course.signal)
        else:
            self._end_after(cluster, life, course.seconds, code=1 if course.error else 0)
        cluster.tell("running", life.index)

    def _end_after(
        self,
        cluster: VirtualCluster,
        life: _Life,
        seconds: float,
        code: int | None = None,
        signal: int | None = None,
        is_oom: bool = False,
    ) -> None:
        attempt = life.attempt
        cluster.clock.after(seconds, lambda: self._end(cluster, life, attempt, code, signal, is_oom))

    def _is_late(self, cluster: VirtualCluster, life: _Life, attempt: Attempt, limit: float) -> None:
        if self._runs(life, attempt) and attempt.state == "RUNNING":
            attempt.state = "TIMEOUT"
            attempt.error = {"message": f"ran longer than the {limit:g} s it asked for"}
            self._end(cluster, life, attempt, None, 15)

    def _runs(self, life: _Life, attempt: Attempt) -> bool:
        return self._lives.get(life.run) is life and life.attempt is attempt and not life.is_over

    def _end(
        self,
        cluster: VirtualCluster,
        life: _Life,
        attempt: Attempt | None,
        code: int | None,
        signal: int | None,
        is_oom: bool = False,
    ) -> None:
        """Take in that a program has ended: its outcome, what it has used, its record, and what comes after it."""
        if attempt is None or not self._runs(life, attempt):
            return
        life.is_over = True
        course, now = life.course, cluster.clock()
        _leave_checkpoint(life, now)
        tell_outcome(attempt, course, code)
        attempt.judge(code, signal)
        most = attempt.array.header["request"]["memory_bytes"] or course.memory
        attempt.resources.peak_rss_bytes = min(course.memory, most)
        attempt.resources.wall_seconds = now - attempt.start
        if is_oom:
            life.is_oom = True
            _print(cluster, life.index, cluster.face.out_of_memory(life.index))
        self._close(cluster, life, attempt)
        if life.run not in self._gone:
            self._go_on(cluster, life, attempt.array)

    def _close(self, cluster: VirtualCluster, life: _Life, attempt: Attempt) -> None:
        """Leave the record of one that has ended."""
        index = life.index
        try:
            cluster.tell("writing", index)
            if life.run in self._gone:
                return
            attempt.end = cluster.clock()
            _write(attempt, attempt.end)
        except OSError as error:
            name = f"{attempt.array.name}[{attempt.index}]"
            _print(cluster, index, f"{name} FAILED: its record cannot be written: {error}")
            attempt.state = "FAILED" if attempt.state == "COMPLETED" else attempt.state
        log = Path(attempt.log)
        if log.exists() and not log.stat().st_size:
            log.unlink()
        if attempt.array.brake and attempt.state in FAILURES:
            attempt.apply_brake()
        cluster.tell("written", index)

    def _exit_soon(self, cluster: VirtualCluster, index: Index, code: int, is_oom: bool = False) -> None:
        run = index.run_of

        def leave() -> None:
            self._lives.pop(run, None)
            if run not in self._gone and cluster.is_current(index, run):
                cluster.exited(index, code, is_oom=is_oom)

        cluster.clock.after(LINGER, leave)


class _Pack(Pack):
    """What is packed into an array index; its record is as old as virtual time says."""

    def write(self, running: Member | None = None) -> None:
        """Write what is known so far."""
        super().write(running)
        now = self.now()
        os.utime(self.path, (now, now))


def element_of(index: Index) -> int:
    """Return the index of the array job that an index of its submission stands for: a map may say which."""
    path = index.job.directory / files.index_map(index.job.name)
    return int(path.read_text().split()[index.number]) if path.exists() else index.number


def _write(attempt: Attempt, now: float) -> None:
    attempt.write()
    if not isinstance(attempt, Member):
        os.utime(attempt.array.path(files.record(attempt.array.name, attempt.index, attempt.attempt)), (now, now))


def _leave_checkpoint(life: _Life, now: float) -> None:
    assert life.attempt is not None
    leave_checkpoint(life.attempt, life.course, life.done, now - life.attempt.start)


def _print(cluster: VirtualCluster, index: Index, text: str) -> None:
    """Add a line to what the job has printed.

    Where the scheduler knows no job ids in the names of files, the job script renames what it prints, as it does here.
    """
    path, job = cluster.face.output(index), index.job
    if path.name == f"{index.number}.{job.name}.job":
        path = path.with_name(f"{element_of(index)}.{cluster.face.label(job)}.job")
    with path.open("a", encoding="utf-8") as log:
        log.write(text + "\n")
