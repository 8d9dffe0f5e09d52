"""The cells of the matrix that are played on the virtual cluster."""

from __future__ import annotations

import errno
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import partial
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pandas as pd

from faults import matrix as m
from faults.traps import Killed, trap
from faults.virtual_site import VirtualSite, completions
from sciflow.errors import RunError, SciflowError
from sciflow.execution import Run, open_run
from sciflow.model.recovery import RecoveryPolicy
from sciflow.model.state import State
from sciflow.model.statement import ACCOUNTING, CONTROLLER
from sciflow.model.workflow import ExperimentalWorkflow
from sciflow.schedulers.fake.jobs import Index
from sciflow.schedulers.fake.simulated import Course, Sight
from sciflow.schedulers.pbs import PbsScheduler
from sciflow.schedulers.slurm import SlurmScheduler
from sciflow_shim import files

HOUR, GIB = 3600.0, 1 << 30
COUNT = 5
PATIENT, EAGER, TEND = PERSONS = ("patient", "eager", "tend")
PACKED = 2  # combinations in an array index, where they are packed
STRUCK = ("work.0", 2)  # the index that it hits
# What bodies tell at each moment, and how many seconds after that it strikes.
_TOLD = {
    m.START: ("running", 0.0),
    m.RUNNING: ("running", HOUR / 2),
    m.WRITING: ("writing", 0.0),
    m.FINISHING: ("written", 0.0),
}
ADAPTERS = {"slurm": SlurmScheduler, "pbs": PbsScheduler}
_NO_ROOM = OSError(errno.ENOSPC, "No space left on device")


def workflow(folder: Path, pack: int = 1, fuse: bool = False) -> ExperimentalWorkflow:
    """Return a workflow of five indices, five after them one by one, and one over all; perhaps packed, or fused."""

    def work(x):
        return {"y": x * x}

    def after(work):
        return {"z": work["y"] + 1}

    def total(after):
        return {"sum": sum(one["z"] for one in after)}

    made = ExperimentalWorkflow("matrix", folder)
    request = {"max_runtime": "02:00:00", "memory_gb": 2, "combinations_per_index": pack}
    made.add_task("work", work, resources=request)
    made.add_task("after", after, depends_on=["work"], resources=request, fuse=fuse)
    made.add_task("total", total, depends_on=["after"], over="all", resources=request)
    made.add_parameter_space({"x": list(range(COUNT))})
    made.recovery = RecoveryPolicy(retries=3, max_attempts=8)
    return made


class Scene:
    """One play: a run on a virtual cluster, what strikes it, and the person who looks after it.

    Parameters
    ----------
    folder
        Where it is played.
    cell
        What is played; None for a run in which nothing goes wrong.
    person
        Who looks after it: `PATIENT` comes when nothing happens any more, `EAGER` every twenty minutes, and with
        `TEND` only the jobs do that tend it.
    scheduler, rules
        What the cluster looks like, and how it is set up.
    pack
        How many combinations run one after another in each array index.
    fused
        Which of two tasks is hit that run one after another in each array index; empty where they do not.
    """

    def __init__(
        self,
        folder: Path,
        cell: m.Cell | None,
        person: str = PATIENT,
        scheduler: str = "slurm",
        pack: int = 1,
        fused: str = "",
        **rules: Any,
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.cell = cell
        self.person = person
        self.folder = folder
        self.has_struck = False
        self.attempts = 0  # of the index that is hit
        self.site = VirtualSite(folder, self._program, nodes=3, cores=4, scheduler=scheduler, **rules)
        self.cluster = self.site.cluster
        self.workflow = workflow(folder, pack, bool(fused))
        self.place = (f"{fused}.0", STRUCK[1]) if fused else STRUCK
        self.struck = (self.place[0], STRUCK[1] // pack)  # as the scheduler and the records count
        self._turn = ""  # whose program runs in the index, or is about to
        if person == TEND:
            self.site.around_tending = self._retrying
        self.run: Run | None = None

    def play(self, submitting: Callable[[], AbstractContextManager[Any]] = nullcontext) -> pd.DataFrame:
        """Submit, let it go wrong, look after it, and give the table at the end."""
        with self.site.in_place():
            if self.cell is not None and self.cell.moment not in (m.SUBMIT, m.COLLECTING):
                self.cluster.listeners.append(self._listen)
            with submitting():
                self._try(self._submit)
            if self.cell is not None and self.cell.moment == m.PENDING:
                self._strike(None)
            self.look_after()
            if self.cell is not None and self.cell.moment == m.COLLECTING:
                self._strike_collection()
                self.look_after()
            assert self.run is not None
            return self.run.collect().to_dataframe("combinations")

    def look_after(self) -> None:
        """Do what a person does: look, give the same command again, and retry, until all is completed."""
        for _ in range(80 if self.person == EAGER else 8):
            self.cluster.run(seconds=1200.0 if self.person == EAGER else float("inf"))
            self.cluster.clock.sleep(20.0 if self.person == EAGER else 600.0)
            self._try(self._submit)
            if self.run is not None and self._is_complete():
                return
            if self.run is not None and self.person != TEND:
                with self._retrying():
                    self._try(self.run.retry)

    def check(self) -> None:
        """Nothing is lost, and nothing was completed twice."""
        assert self.run is not None
        assert self.cell is None or self.has_struck, "it never came to that"
        with self.site.in_place():
            assert {one.state for one in self.run.status(offline=True).everyone()} == {State.COMPLETED}
        counts = completions(self.run)
        assert len(counts) == 2 * COUNT + 1
        assert set(counts.values()) == {1}, counts

    def _submit(self) -> None:
        self.run = self.site.submit(self.workflow, autonomous=self.person == TEND)

    def _is_complete(self) -> bool:
        assert self.run is not None
        status = self.run.status()
        return all(one.state is State.COMPLETED for one in status.everyone())

    def _try(self, act: Callable[[], Any]) -> None:
        """Do something that may fail, and tell why; a process that is killed is gone, and somebody starts another."""
        try:
            act()
        except (SciflowError, OSError, Killed):
            self._note_run()

    def _note_run(self) -> None:
        try:
            self.run = open_run(runs=self.site.engine.runs)
        except RunError:
            self.run = None

    def _program(self, sight: Sight) -> Course:
        x = sight.parameters.get("x", 0)
        metrics = {
            "work": {"y": x * x},
            "after": {"z": x * x + 1},
            "total": {"sum": sum(i * i + 1 for i in range(COUNT))},
        }
        course = Course(HOUR, memory=GIB, metrics=metrics[sight.array.partition(".")[0]])
        if sight.index == STRUCK[1]:
            self._turn = sight.array
        if (sight.array, sight.index) != self.place or self.cell is None:
            return course
        self.attempts += 1
        if self.cell.moment == m.RETRYING and self.attempts == 1:
            return Course(HOUR, error="ValueError: a first failure")
        return self._changed(course) if self._is_now(m.RUNNING) else course

    def _changed(self, course: Course) -> Course:
        """The program, where it is its own course that goes wrong while it runs."""
        assert self.cell is not None
        changed = {
            m.MEMORY: Course(HOUR, memory=3 * GIB),
            m.TIME: Course(2.5 * HOUR, metrics=course.metrics),
            m.DISK: Course(HOUR, error="OSError: [Errno 28] No space left on device"),
            m.PROGRAM: Course(HOUR, signal=9),
        }
        if self.cell.fault in changed and not self.has_struck:
            self.has_struck = True
            return changed[self.cell.fault]
        return course

    def _is_now(self, moment: str) -> bool:
        """Whether the fault strikes at a moment of the attempt that runs."""
        assert self.cell is not None
        return self.cell.moment == moment or (
            self.cell.moment == m.RETRYING and self.attempts == 2 and moment == m.RUNNING
        )

    def _listen(self, what: str, index: Index) -> None:
        assert self.cell is not None
        array, _, variant = index.job.array_on_node.partition("@")
        if variant == files.FUSED and index.number == self.struck[1]:
            if what == "opening":
                self._turn = "after.0" if self._turn == "work.0" else "work.0"
            array = self._turn
        if (array, index.number) != self.struck or self.has_struck:
            return
        moment = m.RUNNING if self.cell.moment == m.RETRYING else self.cell.moment
        if self.cell.moment == m.RETRYING and self.attempts < 2:
            return
        if self.cell.fault == m.DISK and moment == m.START:
            if what == "opening":
                self._strike(index)
        elif moment in _TOLD and _TOLD[moment][0] == what:
            if self.cell.fault == m.TORN and self.cell.moment == m.RETRYING:
                return
            wait = _TOLD[moment][1]
            if wait:
                self.cluster.clock.after(wait, partial(self._strike, index))
            else:
                self._strike(index)
        elif self.cell.fault == m.TORN and self.cell.moment == m.RETRYING and what == "written":
            self._strike(index)

    def _strike(self, index: Index | None) -> None:
        """Let the fault happen, once."""
        assert self.cell is not None
        if self.has_struck or (index is not None and index.word != "RUNNING"):
            return
        if self.cell.fault in (m.CONTROLLER, m.ACCOUNTING):
            self.has_struck = True
            self._silence()
        elif index is None:
            self.has_struck = True
            self._all_nodes_die()
        elif action := self._actions().get(self.cell.fault):
            self.has_struck = True
            action(index)

    def _actions(self) -> dict[str, Callable[[Index], None]]:
        assert self.cell is not None
        program = self.site.body.end_program
        found: dict[str, Callable[[Index], None]] = {
            m.NODE: self._node_dies,
            m.PROGRAM: lambda index: program(self.cluster, index, 9),
            m.SHIM: self.cluster.kill_job,
            m.MEMORY: lambda index: program(self.cluster, index, 9, is_oom=True),
            m.TIME: self.cluster.time_out,
            m.DISK: self._no_room,
            m.TORN: self._tear,
            m.PREEMPTED: self.cluster.preempt,
        }
        return found

    def _node_dies(self, index: Index) -> None:
        assert index.node is not None
        name = index.node.name
        self.cluster.kill_node(name)
        self.cluster.clock.after(HOUR, lambda: self.cluster.revive_node(name))

    def _all_nodes_die(self) -> None:
        for name in self.cluster.nodes:
            self.cluster.kill_node(name)
            self.cluster.clock.after(HOUR, partial(self.cluster.revive_node, name))

    def _silence(self) -> None:
        """Let a witness be silent for a while, in which a person looks."""
        assert self.cell is not None
        self.cluster.faults.silence(CONTROLLER if self.cell.fault == m.CONTROLLER else ACCOUNTING, 1800.0)
        for minutes in (1, 10, 25, 40):
            self.cluster.clock.after(minutes * 60.0, self._look)

    def _look(self) -> None:
        """Look at the run: nothing is lost only because somebody does not answer."""
        assert self.run is not None
        states = {one.state for one in self.run.status().everyone()}
        assert not states & {State.UNKNOWN, State.FAILED, State.CANCELLED, State.UPSTREAM_FAILED} or self.attempts > 1

    def _no_room(self, index: Index) -> None:
        raise _NO_ROOM

    def _tear(self, index: Index) -> None:
        assert self.run is not None
        path = max((self.run.path / files.RECORDS / self.place[0]).glob(f"*/{self.struck[1]}.*.h5"), key=_attempt)
        path.write_bytes(path.read_bytes()[:100])
        if self.cell is not None and self.cell.moment == m.WRITING:
            self.cluster.kill_job(index)

    def _strike_collection(self) -> None:
        assert self.cell is not None
        assert self.run is not None
        self.has_struck = True
        if self.cell.fault in (m.CONTROLLER, m.ACCOUNTING):
            self.cluster.faults.silence(CONTROLLER if self.cell.fault == m.CONTROLLER else ACCOUNTING, 1800.0)
            self.run.collect()
        elif self.cell.fault == m.TORN:
            path = max((self.run.path / files.RECORDS / self.place[0]).glob(f"*/{self.struck[1]}.*.h5"), key=_attempt)
            path.write_bytes(path.read_bytes()[:100])
            self.run.collect()
        else:
            error = Killed() if self.cell.fault == m.SUBMITTER else _NO_ROOM
            with trap("os.rename", rf"/{files.RESULTS}$", error) as passed:
                self._try(self.run.collect)
            assert passed

    @contextmanager
    def _retrying(self) -> Iterator[None]:
        """What strikes while a person retries for the first time."""
        if self.cell is None or self.cell.moment != m.RETRYING or self.has_struck:
            yield
            return
        fault, faults = self.cell.fault, self.cluster.faults
        if fault in (m.SUBMITTER, m.DISK):
            error = Killed() if fault == m.SUBMITTER else _NO_ROOM
            passed: list[str] = []
            try:
                with trap("open", r"/journal\.jsonl$", error) as passed:
                    yield
            finally:
                self.has_struck = bool(passed)
            return
        strikes = {
            m.REPLY: faults.lose_replies,
            m.REFUSED: faults.refuse,
            m.CONTROLLER: partial(faults.silence, CONTROLLER, 300.0),
            m.ACCOUNTING: partial(faults.silence, ACCOUNTING, 300.0),
        }
        if fault in strikes and self.attempts:
            self.has_struck = True
            strikes[fault]()
        yield


def _attempt(path: Path) -> int:
    return files.split_attempt(path.name)[1]


def play(
    cell: m.Cell,
    folder: Path,
    person: str = PATIENT,
    scheduler: str = "slurm",
    pack: int = 1,
    fused: str = "",
    **rules: Any,
) -> Iterator[tuple[Scene, pd.DataFrame]]:
    """Play a cell; who submits is killed at every step of it, each in a play of its own."""
    if cell.moment != m.SUBMIT:
        scene = Scene(folder, cell, person, scheduler, pack, fused, **rules)
        yield scene, scene.play()
        return
    for number in range(100):
        scene = Scene(folder / str(number), cell, person, scheduler, pack, fused, **rules)
        last = [False]
        table = scene.play(partial(_submitting, scene, number, last))
        if last[0]:
            assert number > 0
            return
        yield scene, table


@contextmanager
def _submitting(scene: Scene, number: int, last: list[bool]) -> Iterator[None]:
    """Let something strike at the so-manieth step of a submission; `last` says that there are no more steps."""
    assert scene.cell is not None
    fault, faults = scene.cell.fault, scene.cluster.faults
    scene.has_struck = True
    if fault in (m.SUBMITTER, m.DISK):
        error = Killed() if fault == m.SUBMITTER else _NO_ROOM
        with trap("open", r"/journal\.jsonl$", error, skip=number) as passed:
            yield
        last[0] = len(passed) <= number
        return
    done = [0]
    adapter = ADAPTERS[scene.cluster.face.name]
    submit = adapter.submit

    def counted(self: Any, submission: Any) -> str:
        done[0] += 1
        if done[0] == number + 1:
            if fault == m.REPLY:
                faults.lose_replies()
            elif fault == m.REFUSED:
                faults.refuse()
            else:
                faults.silence(CONTROLLER, 300.0)
        return submit(self, submission)

    with patch.object(adapter, "submit", counted):
        yield
    last[0] = done[0] <= number
