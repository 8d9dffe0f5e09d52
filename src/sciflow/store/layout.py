"""Every path of a run directory."""

from __future__ import annotations

import os
import shlex
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sciflow.errors import RunError
from sciflow.store import sealed
from sciflow_shim import files

RUNS = "sciflow-runs"
LATEST = "latest"
LOAD = "load.json"
PROJECT = "code/project.zip"  # the project's code, as it was when the run was made
PROJECT_FACTS = ".sciflow/project.json"  # … and in it, what is where, and what was left out


@dataclass(frozen=True)
class RecordFile:
    """A record's place: which attempt of which array index.

    In a run whose records were folded, `path` is where the record was, and is again once they are unfolded;
    `sciflow.store.records` reads it by that.
    """

    array: str
    index: int
    attempt: int
    path: str


class RunDirectory:
    """The folder of one run.

    Parameters
    ----------
    path
        The folder.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path).resolve()

    def __repr__(self) -> str:
        return f"RunDirectory({str(self.path)!r})"

    @property
    def run_id(self) -> str:
        """The run's id, which names its folder."""
        return self.path.name

    @property
    def name_here(self) -> str:
        """What a command that is typed here calls the run: its id where that is enough, else its folder, quoted."""
        is_found = Path(RUNS).resolve() == self.path.parent.parent
        return self.run_id if is_found else shlex.quote(str(self.path))

    def __truediv__(self, name: str) -> Path:
        return self.path / name

    @property
    def manifest(self) -> Path:
        """What was asked."""
        return self.path / files.MANIFEST

    @property
    def plan(self) -> Path:
        """The plan."""
        return self.path / files.PLAN

    @property
    def journal(self) -> Path:
        """What happened."""
        return self.path / files.JOURNAL

    @property
    def observed(self) -> Path:
        """What the scheduler last said of the run's jobs."""
        return self.path / files.OBSERVED

    @property
    def load(self) -> Path:
        """How busy the cluster was when that was last asked."""
        return self.path / LOAD

    @property
    def combinations(self) -> Path:
        """The combinations, where the manifest cannot give them."""
        return self.path / files.COMBINATIONS

    @property
    def results(self) -> Path:
        """The collected results."""
        return self.path / files.RESULTS

    @property
    def collected(self) -> Path:
        """What was collected into the results, so that only what is new is read again."""
        return self.path / files.COLLECTED

    @property
    def lock(self) -> Path:
        """Held by whoever drives the run on this machine."""
        return self.path / files.LOCK

    def script(self, array: str) -> Path:
        """The job script of an array job."""
        return self.path / files.script(array)

    def log(self, array: str, index: int, attempt: int) -> Path:
        """What an attempt printed."""
        return self.path / files.log(array, index, attempt)

    def job_log(self, array: str, index: int, job: str) -> Path:
        """What the job script of an index printed around the program."""
        return self.path / files.job_log(array, index, job)

    def record(self, array: str, index: int, attempt: int) -> Path:
        """The record of an attempt."""
        return self.path / files.record(array, index, attempt)

    def lines(self, array: str) -> Path:
        """One line per index of an array job."""
        return self.path / files.array_lines(array)

    def header(self, array: str) -> Path:
        """What the indices of an array job have in common."""
        return self.path / files.array_header(array)

    def records(self, array: str) -> Iterator[RecordFile]:
        """All records of an array job, in no order, also those that were folded."""
        seen = set()
        folded = sealed.names(str(self.path), files.sealed_records(array))
        try:
            shards = list(os.scandir(self.path / files.RECORDS / array))
        except FileNotFoundError:
            shards = []
        for shard in shards:
            for entry in os.scandir(shard.path) if shard.is_dir() else ():
                index, attempt = files.split_attempt(entry.name)
                if index >= 0:
                    if folded:
                        seen.add(f"{files.RECORDS}/{array}/{shard.name}/{entry.name}")
                    yield RecordFile(array, index, attempt, entry.path)
        for name in folded:
            index, attempt = files.split_attempt(name.rpartition("/")[2])
            if index >= 0 and name not in seen:
                yield RecordFile(array, index, attempt, str(self.path / name))


def read_document(path: Path) -> dict[str, Any]:
    """Read one of a run's JSON files.

    Raises
    ------
    RunError
        Where it is missing, damaged or of a newer format.
    """
    try:
        document = files.read_json(str(path))
    except FileNotFoundError:
        raise RunError(f"`{path.parent}` is no run directory: it has no `{path.name}`") from None
    except ValueError as error:
        raise RunError(f"`{path}` cannot be read: {error}") from None
    if not isinstance(document, dict):
        raise RunError(f"`{path}` cannot be read: it holds no JSON object")
    return document


def write_whole(path: Path, data: str | bytes) -> None:
    """Write a file beside its place, flush it, and rename it."""
    partial = path.with_name(f".{path.name}.{os.getpid()}.{threading.get_ident()}.partial")
    try:
        with partial.open("wb") as file:
            file.write(data.encode() if isinstance(data, str) else data)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


def runs_of(runs: Path, workflow: str | None = None) -> list[RunDirectory]:
    """The runs below a folder, newest first; those of one workflow, or all."""
    pattern = f"{workflow or '*'}/*/{files.MANIFEST}"
    found = [path.parent for path in runs.glob(pattern)]
    # One that starts with a dot is being written, or was when its writer was killed.
    found = [path for path in found if not path.is_symlink() and not path.name.startswith(".")]
    return [RunDirectory(path) for path in sorted(found, key=lambda path: path.name, reverse=True)]


def find_run(name: str | Path | None, runs: str | Path | None = None) -> RunDirectory:
    """Find a run by its directory, its id, or `latest`, the default.

    Raises
    ------
    RunError
        Where there is none, naming what was looked for and where.
    """
    wanted, runs = str(name or LATEST), Path(runs or RUNS)
    if (Path(wanted) / files.MANIFEST).is_file():
        return RunDirectory(wanted)
    known = runs_of(runs)
    if wanted == LATEST:
        pointed = runs / LATEST
        if (pointed / files.MANIFEST).is_file():
            return RunDirectory(pointed.resolve())
        if known:
            return known[0]
        raise RunError(f"there is no run in `{runs}`", hint="start one with `sciflow run`, or name the run's directory")
    for run in known:
        if run.run_id == wanted:
            return run
    newest = ", ".join(f"`{run.run_id}`" for run in known[:5]) or "none"
    raise RunError(f"there is no run `{wanted}`: it is no run directory, and `{runs}` holds {newest}")
