"""Run directories made by the real compiler, and the shim run in them as schedulers run it."""

from __future__ import annotations

import json
import os
import select
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

import sciflow_shim
from sciflow.engine import Engine
from sciflow.loading import load_workflow
from sciflow.run.stage import write_run
from sciflow_shim import files
from sciflow_shim.array import Array
from sciflow_shim.attempt import Attempt
from sciflow_shim.outcome import Outcome, read_outcome
from sciflow_shim.packing import pack_returned
from sciflow_shim.record_reader import RecordGroup, read_record, verify_seal
from sciflow_shim.record_shelf import RecordShelf
from sciflow_shim.upstream import load_results
from unit.scripted import blank_scripts

SOURCE = Path(sciflow_shim.__file__).parents[1]
PATIENCE = 30.0  # seconds after which a program that should have ended is a failure


class PreparedRun:
    """A run directory, as the compiler has written it, and its shim."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.environment = {
            **os.environ,
            "PYTHONPATH": str(SOURCE),
            "SCIFLOW_GRACE_SECONDS": "0.3",
        }

    def array(self, task: str = "work") -> Array:
        """The first array job of a task, as the node sees it."""
        return Array(str(self.path), f"{task}.0")

    def command(self, *arguments: str) -> list[str]:
        """The command that runs the shim."""
        return [sys.executable, "-m", "sciflow_shim", str(self.path), *arguments]

    def execute(self, task: str = "work", index: int = 0, variant: str = "") -> subprocess.CompletedProcess[str]:
        """Run one index as a job script does."""
        return subprocess.run(
            self.command(files.variant_name(f"{task}.0", variant), str(index)),
            env=self.environment,
            cwd=self.path.parent,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )

    def change_header(self, **changed: Any) -> None:
        """Give the array job of `work` what the compiler gives others."""
        path = self.path / files.array_header("work.0")
        path.write_text(json.dumps({**json.loads(path.read_text()), **changed}))

    def put_variant(self, variant: str, **document: Any) -> None:
        """Write the document of a variant of the array job of `work`."""
        path = self.path / files.array_variant("work.0", variant)
        path.write_text(json.dumps({"format": files.FORMAT, **document}))

    def leave(self, state: str, error: str = "", index: int = 0, attempt: int = 1, start: float | None = None) -> None:
        """Leave the record of an attempt of `work` that has ended, or was killed if it is still RUNNING."""
        one = Attempt(self.array(), index, attempt)
        one.clear()
        one.state, one.error = state, {"type": error.partition(": ")[0], "message": error.partition(": ")[2]}
        one.start = one.start if start is None else start
        if state == "RUNNING":
            one.write()
        else:
            one.close()

    def traces(self) -> list[str]:
        """Return the names of all that lies among records and logs."""
        return sorted(one.name for one in [*self.path.glob("records/*/*/*"), *self.path.glob("logs/*/*")])

    def record(self, task: str = "work", index: int = 0, attempt: int = 1) -> RecordGroup:
        """The sealed record of an attempt."""
        path = self.path / files.record(f"{task}.0", index, attempt)
        assert verify_seal(path) == "sealed"
        return read_record(path)

    def facts(self, task: str = "work", index: int = 0, attempt: int = 1) -> dict[str, Any]:
        """The attributes of an attempt's record."""
        return dict(self.record(task, index, attempt).attributes)

    def results(self, task: str = "work", index: int = 0, attempt: int = 1) -> Any:
        """What the next task would get."""
        found = RecordShelf(str(self.path)).find(f"{task}.0", index, attempts=[attempt])
        assert found is not None
        return load_results(found)

    def log(self, task: str = "work", index: int = 0, attempt: int = 1) -> str:
        """What an attempt printed."""
        path = self.path / files.log(f"{task}.0", index, attempt)
        return path.read_text(encoding="utf-8", errors="replace") if path.exists() else ""


class ServedArray:
    """A running ``python -m sciflow_shim RUN ARRAY --serve``, as a driver sees it."""

    def __init__(self, run: PreparedRun, task: str, variant: str) -> None:
        self.run, self.task = run, task
        self.process = subprocess.Popen(
            run.command(files.variant_name(f"{task}.0", variant), "--serve"),
            env=run.environment,
            cwd=run.path.parent,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            start_new_session=True,
        )
        self._pending: list[dict[str, Any]] = []
        self._text = b""

    def start(self, *indices: int, attempt: int = 1) -> None:
        """Ask for indices to be started."""
        for index in indices:
            self._say({"do": "start", "index": index, "attempt": attempt, "cores": [], "gpus": []})

    def cancel(self, index: int) -> None:
        """Ask for an index to be stopped."""
        self._say({"do": "cancel", "index": index})

    def wait_for(self, event: str, index: int) -> dict[str, Any]:
        """Wait until an index has started or ended."""
        while True:
            for one in self._pending:
                if (one["event"], one["index"]) == (event, index):
                    self._pending.remove(one)
                    return one
            self._read()

    def run_to_end(self, *indices: int) -> list[dict[str, Any]]:
        """Start indices at once and give how each ended."""
        self.start(*indices)
        return [self.wait_for("ended", index) for index in indices]

    def close(self) -> int:
        """Hang up, and give the exit code."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.close()
        code = self.process.wait(PATIENCE)
        self.process.stdout.close()
        return code

    def _say(self, request: dict[str, Any]) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(request).encode() + b"\n")
        self.process.stdin.flush()

    def _read(self) -> None:
        assert self.process.stdout is not None
        ready, _, _ = select.select([self.process.stdout], [], [], PATIENCE)
        assert ready, "the shim says nothing"
        data = os.read(self.process.stdout.fileno(), 1 << 16)
        assert data, "the shim has gone"
        *lines, self._text = (self._text + data).split(b"\n")
        self._pending += [json.loads(line) for line in lines]


def is_gone(pid: int) -> bool:
    """Wait until a process has ended; whether it has."""
    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    try:
        return bool(select.select([descriptor], [], [], PATIENCE)[0])
    finally:
        os.close(descriptor)


Prepare = Callable[..., PreparedRun]
Serve = Callable[..., ServedArray]


@pytest.fixture(scope="session")
def environments(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give one folder of captured environments for all runs, so that each is captured once."""
    return tmp_path_factory.mktemp("environments")


@pytest.fixture
def prepare(tmp_path: Path, environments: Path) -> Iterator[Prepare]:
    """Give a function that compiles tasks into a run directory.

    It takes the text of a module `programs`, and tasks as a workflow file has them; a task's `python` may leave out
    the module.
    """
    path = list(sys.path)

    def make(
        program: str,
        *tasks: Mapping[str, Any],
        parameters: Mapping[str, Any] | None = None,
        name: str = "run",
        profile: str = "local",
    ) -> PreparedRun:
        (tmp_path / "programs.py").write_text(program, encoding="utf-8")
        described = [
            {**one, "python": f"programs:{one['python']}"} if "python" in one else dict(one)
            for one in tasks or ({"name": "work", "python": "work"},)
        ]
        document = {"name": "test", "parameters": dict(parameters or {}), "tasks": described}
        (tmp_path / "workflow.yaml").write_text(json.dumps(document), encoding="utf-8")
        compiled = Engine(profile=profile, runs=tmp_path / "runs").compile(
            load_workflow(str(tmp_path / "workflow.yaml"))
        )
        folder = tmp_path / name
        folder.mkdir()
        write_run(compiled, folder, name, blank_scripts())
        (folder / files.ENVIRONMENTS).symlink_to(environments)
        return PreparedRun(folder)

    yield make
    sys.path[:] = path
    sys.modules.pop("programs", None)


@pytest.fixture
def serve() -> Iterator[Callable[..., ServedArray]]:
    """Give a function that serves an array job; at the end, all are closed."""
    served: list[ServedArray] = []

    def make(run: PreparedRun, task: str = "work", variant: str = "") -> ServedArray:
        served.append(ServedArray(run, task, variant))
        return served[-1]

    yield make
    for one in served:
        try:
            one.close()
        finally:
            one.process.kill()


@pytest.fixture
def gone() -> Callable[[int], bool]:
    """Give a function that waits until a process has ended."""
    return is_gone


@pytest.fixture
def kept(prepare: Prepare, tmp_path: Path) -> Callable[[Any], Any]:
    """Give a function that takes a value through a record, as what a function returned, and back."""
    run = prepare("def work(): pass")
    attempts = iter(range(1, 1000))

    def through_a_record(value: Any) -> Any:
        attempt = Attempt(run.array(), 0, next(attempts))
        attempt.clear()
        outcome = Outcome()
        pack_returned(outcome, value, str(tmp_path))
        outcome.write(attempt.outcome_path)
        found = read_outcome(attempt.outcome_path)
        assert found is not None
        attempt.outcome = found
        attempt.judge(0, None)
        attempt.close()
        assert attempt.state == "COMPLETED", attempt.error
        return run.results(attempt=attempt.attempt)

    return through_a_record
