"""A run is opened to be packaged: collected elsewhere, so that nothing in its own folder changes."""

from __future__ import annotations

import errno
import math
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from sciflow.errors import PackageError, RunError
from sciflow.execution import Run
from sciflow.package.packaged_run import PackagedRun
from sciflow.results import Results
from sciflow.run.collect import collect
from sciflow.store.journal import Journal
from sciflow.store.layout import RunDirectory, read_document
from sciflow.store.results import ATTEMPTS
from sciflow_shim import files

# What is made of everything else, and is made anew beside the run: the same run gives the same bytes, wherever it lies
# and whatever was collected before.
_MADE = frozenset({files.RESULTS, files.COLLECTED, files.JOINED_ARRAYS})
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.+-]{0,99}")


def checked_name(name: str) -> str:
    """A package's name, which is that of a folder on any file system.

    Raises
    ------
    PackageError
        For any other.
    """
    if not isinstance(name, str) or not _NAME.fullmatch(name) or name.endswith("."):
        raise PackageError(
            f"`{name}` cannot name a package",
            hint="use up to 100 letters, digits, `_`, `-`, `+` and `.`, the first of them a letter, a digit or `_`",
        )
    return name


def default_name(run: RunDirectory) -> str:
    """What the package of a run is called where nobody says: its workflow and its id."""
    manifest = read_document(run.manifest)
    workflow = str(manifest.get("workflow", ""))
    name = f"{workflow}-{named(run, manifest).run_id}"
    return re.sub(r"[^A-Za-z0-9_.+-]+", "_", name).lstrip(".+-")[:100].rstrip(".")


@contextmanager
def opened_run(run: RunDirectory, name: str) -> Iterator[PackagedRun]:
    """The run with what its records tell now, by its directory alone: no scheduler is asked.

    It is collected into a temporary folder that is gone after the block. The run may lie where nothing can be written.

    Raises
    ------
    RunError
        Where the run directory is damaged or of a newer format.
    PackageError
        Where there is no room for temporary files.
    """
    manifest, plan = read_document(run.manifest), Run(run).plan
    run = named(run, manifest)
    with tempfile.TemporaryDirectory(prefix="sciflow-package-") as folder:
        beside = _mirror(run, Path(folder))
        try:
            results = Results(beside, collect(beside))
        except RunError as error:
            cause = error.__cause__
            if not isinstance(cause, OSError) or cause.errno not in (errno.ENOSPC, errno.EDQUOT):
                raise
            text = f"the run cannot be collected in `{folder}`: {cause.strerror}"
            raise PackageError(text, hint="free some space, or let TMPDIR point to another disk") from error
        yield PackagedRun(name, run, manifest, plan, results, _last(manifest, run, results))


class _Named(RunDirectory):
    """A run by its id, whatever its folder is called, and be it gone when what is said of it is read."""

    def __init__(self, path: Path, run_id: str) -> None:
        super().__init__(path)
        self._id = run_id

    @property
    def run_id(self) -> str:
        return self._id

    @property
    def name_here(self) -> str:
        return self._id


def named(run: RunDirectory, manifest: dict[str, Any]) -> RunDirectory:
    """The run by the id that it was made with; its folder may have been copied to another name."""
    run_id = str(manifest.get("run") or "")
    return _Named(run.path, run_id if _NAME.fullmatch(run_id) else run.run_id)


def _mirror(run: RunDirectory, folder: Path) -> RunDirectory:
    """A folder that has all of the run by links, and nothing that was collected."""
    mirror = folder / run.run_id
    mirror.mkdir()
    for entry in sorted(run.path.iterdir()):
        if entry.name not in _MADE:
            (mirror / entry.name).symlink_to(entry)
    return _Named(mirror, run.run_id)


def _last(manifest: dict[str, Any], run: RunDirectory, results: Results) -> datetime:
    """When the last thing happened in the run, to the second."""
    times = [datetime.fromisoformat(str(manifest["created"])).timestamp()]
    times += [float(event["time"]) for event in Journal(run.journal).events() if _is_time(event.get("time"))]
    attempts = results.tables.table(ATTEMPTS)
    for column in (name for name in ("start", "end") if name in attempts):
        times += [float(time) for time in attempts[column] if _is_time(time)]
    return datetime.fromtimestamp(math.floor(max(times)), timezone.utc)


def _is_time(value: Any) -> bool:
    return isinstance(value, int | float) and math.isfinite(value)
