"""The schedulers under test, each behind the same handful of words."""

import os
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from pathlib import Path
from typing import Any, Protocol

import pytest

from contract.fake_site import FakeSite
from sciflow import assets
from sciflow.loading import load_profile
from sciflow.model.plan import ArrayJob, Plan
from sciflow.model.profile import Capacity
from sciflow.model.resources import GIB
from sciflow.model.state import State
from sciflow.model.workflow import ExperimentalWorkflow
from sciflow.planning.build import build_plan
from sciflow.planning.render import ScriptRenderer
from sciflow.run.stage import stage
from sciflow.schedulers.base import Scheduler, Submission
from sciflow.schedulers.fake.pbs.face import PBS
from sciflow.schedulers.fake.slurm.face import SLURM
from sciflow.schedulers.local import LocalScheduler
from sciflow.schedulers.machine import Machine
from sciflow.store.layout import RunDirectory

CAPACITY = Capacity(cpu_cores=4, memory_gb=4, gpus=2)
FACES = {"virtual slurm": SLURM, "virtual pbs": PBS}
Event = dict[str, Any]


class Site(Protocol):
    """A scheduler with a machine of 4 cores, 4 GB and 2 GPUs behind it, and one run directory.

    `waits_by_index` says whether an index can start while others of the array job before it still run.
    """

    run: RunDirectory
    plan: Plan
    waits_by_index: bool

    @property
    def scheduler(self) -> Scheduler:
        """What is under test."""
        ...

    def submit(self, array: ArrayJob, attempts: Mapping[int, int]) -> str:
        """Submit some indices of an array job, which may start at once."""
        ...

    def submit_all(self) -> dict[str, str]:
        """Submit every array job of the plan; gives array → job id. Nothing starts before `finish`."""
        ...

    def cancel(self, array: str, job: str, indices: Iterable[int] | None = None) -> None:
        """Cancel some indices of a job, or all of it."""
        ...

    def states(self, jobs: Mapping[str, str]) -> dict[str, list[State]]:
        """Array → the states by index."""
        ...

    def finish(self, hear: Callable[[Event], None] = ...) -> None:
        """Let all that was submitted come to its end; `hear` is called when an index has started or ended."""
        ...


class LocalSite:
    """The local scheduler on a machine that is made up, but for its core."""

    waits_by_index = True

    def __init__(self, run: RunDirectory, plan: Plan) -> None:
        self.run, self.plan = run, plan
        core = min(os.sched_getaffinity(0))
        self.scheduler = LocalScheduler(run, Machine([core] * 4, 4 * GIB, ["gpu-a", "gpu-b"]))

    def submit(self, array: ArrayJob, attempts: Mapping[int, int]) -> str:
        """Submit as the driver does."""
        return self.scheduler.submit(Submission(array, self.run.script(array.name), attempts))

    def submit_all(self) -> dict[str, str]:
        """Submit one after another."""
        return {array.name: self.submit(array, dict.fromkeys(range(array.count), 1)) for array in self.plan.arrays}

    def cancel(self, array: str, job: str, indices: Iterable[int] | None = None) -> None:
        """Cancel by the scheduler itself."""
        self.scheduler.cancel(job, indices)

    def states(self, jobs: Mapping[str, str]) -> dict[str, list[State]]:
        """Ask the scheduler, once for all jobs."""
        known = self.scheduler.query(jobs.values())
        return {name: [known[job][index] for index in sorted(known[job])] for name, job in jobs.items()}

    def finish(self, hear: Callable[[Event], None] = lambda _event: None) -> None:
        """Drive until the end."""
        self.scheduler.drive(hear)


MakeSite = Callable[[ExperimentalWorkflow], Site]


@pytest.fixture(params=["local", "virtual slurm", "virtual pbs"])
def make_site(request: pytest.FixtureRequest, tmp_path: Path) -> MakeSite:
    """Return a function that stages a workflow and gives a site that knows nothing of it yet.

    Whoever adds a scheduler gives this fixture anew, where its tests are, and runs all tests of this folder with it.
    """

    def make(workflow: ExperimentalWorkflow) -> Site:
        profile = load_profile("local", workflow.directory).model_copy(update={"capacity": CAPACITY})
        compiled = build_plan(workflow, profile, strict=True)
        find = partial(assets.read_template, workflow.directory)
        run = stage(compiled, tmp_path / "runs", ScriptRenderer(profile, sys.executable, find))
        return LocalSite(run, compiled.plan)

    def make_virtual(workflow: ExperimentalWorkflow) -> Site:
        return FakeSite(workflow, tmp_path / "runs", time.time(), FACES[request.param])

    return make if request.param == "local" else make_virtual


class Notebook:
    """What programs on the node write down and wait for; it crosses to them by its folder alone."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        where = str(folder)

        def note(text: str) -> None:
            with open(f"{where}/lines", "a") as file:  # noqa: PTH123 - one write, which is whole
                file.write(text + "\n")

        def signal(name: str) -> None:
            Path(f"{where}/{name}").touch()

        def wait_for(name: str, patience: float = 60.0) -> None:
            import time

            until = time.monotonic() + patience
            while not Path(f"{where}/{name}").exists():
                if time.monotonic() > until:
                    raise TimeoutError(f"{name} did not happen")
                time.sleep(0.002)

        self.note, self.signal, self.wait_for = note, signal, wait_for

    def lines(self) -> list[str]:
        """All that was noted, in order."""
        path = self.folder / "lines"
        return path.read_text().splitlines() if path.exists() else []


@pytest.fixture
def impossible() -> list[dict[str, int]]:
    """Return requests that the machine can never meet."""
    return [{"cpu_cores": 5}, {"memory_bytes": 5 << 30}, {"gpus": 3}]


@pytest.fixture
def desk(tmp_path: Path) -> Path:
    """Return a folder in which programs on the node and the tests can write."""
    return tmp_path


@pytest.fixture
def notebook(desk: Path) -> Notebook:
    """Return an empty notebook."""
    (desk / "notebook").mkdir()
    (desk / "notebook").chmod(0o777)
    return Notebook(desk / "notebook")
