"""The files of the run directory that go into its package, and those that do not."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from sciflow.errors import PackageError
from sciflow.model.units import format_memory
from sciflow.package import layout
from sciflow.package.contents import Contents, LeftOut
from sciflow.package.packaged_run import PackagedRun
from sciflow.store.digests import file_digest
from sciflow.store.records import SEALED, members_of, open_record
from sciflow.store.results import INSTANCES
from sciflow_shim import files
from sciflow_shim.artifacts import describe_file

LARGEST = 100 << 20  # bytes of one result file, where nobody says
_LARGEST_LOG = 10 << 20
_WHOLE = {  # file or folder at the top of a run directory → what it is
    files.MANIFEST: "what was asked",
    files.PLAN: "array jobs, their dependencies and requests",
    files.WORKFLOW: "what was to be run, as a workflow file would say it",
    files.JOURNAL: "what happened, in order",
    files.OBSERVED: "what the scheduler last said",
    "load.json": "how busy the cluster was",
    files.COMBINATIONS: "the combinations",
    "arrays": "one line for each index of an array job",
    "scripts": "a job script",
    files.CODE: "what a task runs",
    files.SHIM: "the program around the user's program",
    files.RECORDS: "what one attempt was, used and gave",
    files.ENVIRONMENTS: "what was captured of an environment",
    files.SEALED: "records or logs of an array job in one file",
    files.BRAKES: "what held an array job back",
}
_PRIVATE = frozenset({files.COLLECTED, files.LOCK, files.RESULTS})  # of this machine, or made anew
_PROJECT = "project.zip"  # below `code/`; it is laid out as `project/`


class Result(NamedTuple):
    """A file or folder that a record names as a result: its name there, where it is, and what it was."""

    name: str
    path: str
    size: int
    sha256: str
    is_folder: bool


def gather_run_files(packaged: PackagedRun, contents: Contents, largest: int = LARGEST) -> None:
    """Take in the run directory: what was asked, planned and run, all records, and the files that are results.

    Parameters
    ----------
    largest
        Bytes above which a file that is a result is left out, with the digest that its record has.
    """
    run = packaged.run.path.resolve()
    try:
        _gather_own(run, contents)
    except PackageError as error:
        hint = "where tasks or files are named alike but for small and capital letters, rename one and run it again"
        raise PackageError(error.message, hint=error.hint or hint) from error
    if packaged.results.tables.path is not None:
        contents.add(f"{layout.RUN}/{files.RESULTS}", packaged.results.tables.path, "all that was collected")
    _gather_results(packaged, contents, largest)


def _gather_own(run: Path, contents: Contents) -> None:
    """Take in what sciflow itself has written."""
    for entry in sorted(run.iterdir(), key=lambda one: one.name):
        name, target = entry.name, f"{layout.RUN}/{entry.name}"
        if name in _PRIVATE or name.startswith("."):
            continue
        if name in _WHOLE:
            for path, inside in _files(entry, target):
                if _belongs(inside) and not _leads_out(path, inside, entry, contents):
                    contents.add(inside, path, _WHOLE[name])
        elif name == "logs":
            _gather_logs(entry, contents)
        elif name == "work":
            why = "what programs left in their working directories and no record names: scratch, decks, checkpoints"
            contents.left_out.append(LeftOut(target, name, why))
        elif name == files.JOINED_ARRAYS:
            why = "it holds arrays of the records once more: `sciflow collect --join-arrays` makes it"
            contents.left_out.append(_left(target, name, entry, why))
        else:
            contents.left_out.append(LeftOut(target, name, "it is no file of a run"))


def _belongs(inside: str) -> bool:
    """Whether it is one of the run's own files: not what Python compiles, what is being written, or lies elsewhere."""
    parts = inside.split("/")
    if inside == f"{layout.RUN}/{files.CODE}/{_PROJECT}" or "__pycache__" in parts:
        return False
    return not (parts[-1].startswith(".") or parts[-1].endswith(".partial"))


def _files(entry: Path, target: str) -> Iterator[tuple[Path, str]]:
    """All regular files there, by names, with their places in the package; links to folders are not followed."""
    if not entry.is_dir():
        if stat.S_ISREG(entry.stat().st_mode):
            yield entry, target
        return
    for folder, names, found in os.walk(entry):
        names.sort()
        inside = Path(folder).relative_to(entry).as_posix()
        place = target if inside == "." else f"{target}/{inside}"
        for name in sorted(found):
            path = Path(folder, name)
            if path.is_file():
                yield path, f"{place}/{name}"


def _leads_out(path: Path, inside: str, home: Path, contents: Contents) -> bool:
    """Whether a file is, by a link, one of elsewhere: nobody has said that it may be given away.

    The folder `home` may itself lie elsewhere, as where somebody has moved the logs to a larger disk.
    """
    if path.resolve().is_relative_to(home.resolve()):
        return False
    why = f"it is a link to somewhere outside the run directory: {path.resolve()}"
    contents.left_out.append(LeftOut(inside, inside.partition("/")[2], why))
    return True


def _gather_logs(logs: Path, contents: Contents) -> None:
    for path, inside in _files(logs, f"{layout.RUN}/logs"):
        if _leads_out(path, inside, logs, contents):
            continue
        if path.stat().st_size > _LARGEST_LOG:
            why = f"a log above {format_memory(_LARGEST_LOG)}"
            contents.left_out.append(_left(inside, inside.partition("/")[2], path, why))
        elif _belongs(inside) and not inside.endswith(".part"):
            contents.add(inside, path, "what was printed")


def _left(inside: str, original: str, path: Path, why: str) -> LeftOut:
    """A file of the run that is left out; where the run lies now is no fact about it."""
    return LeftOut(inside, original, why, path.stat().st_size, file_digest(path))


def _gather_results(packaged: PackagedRun, contents: Contents, largest: int) -> None:
    """Take in the files that the records name: artifacts, and declared outputs of commands."""
    run, taken = packaged.run.path.resolve(), set[str]()
    for one in results_of(packaged):
        if one.path in taken:
            continue
        taken.add(one.path)
        place, path = f"{layout.RUN}/{one.path}", run / one.path
        if Path(one.path).is_absolute() or ".." in Path(one.path).parts:
            why = f"the result `{one.name}` lies outside the run directory"
            place = f"{layout.RUN}/work/outside/{one.sha256[:16]}-{Path(one.path).name}"
            contents.left_out.append(LeftOut(place, one.path, why, one.size, one.sha256))
        elif not path.exists():
            why = f"the result `{one.name}` is not there any more"
            contents.left_out.append(LeftOut(place, one.path, why, one.size, one.sha256))
        elif one.size > largest:
            why = f"the result `{one.name}` is larger than {format_memory(largest)}"
            contents.left_out.append(LeftOut(place, one.path, why, one.size, one.sha256))
        elif not path.resolve().is_relative_to(run):
            why = f"the result `{one.name}` is a link to somewhere outside the run directory"
            contents.left_out.append(LeftOut(place, one.path, why, one.size, one.sha256))
        else:
            _take_result(one, path, place, run, contents)


def _take_result(one: Result, path: Path, place: str, run: Path, contents: Contents) -> None:
    found = list(_files(path, place))
    if describe_file(one.name, str(path))["sha256"] != one.sha256:
        text = f"`{one.path}` has changed since its record was written: it is in the package as it is now"
        contents.warnings.append(text)
    for file, inside in found:
        if inside in contents.entries or _leads_out(file, inside, run, contents):
            continue
        try:
            contents.add(inside, file, f"the result `{one.name}`")
        except PackageError as error:  # users' programs name files as they like
            contents.left_out.append(_left(inside, inside.partition("/")[2], file, error.message))
    _tell_links(one, path, place, contents)


def _tell_links(one: Result, path: Path, place: str, contents: Contents) -> None:
    """Tell of links within a folder which are not followed: to folders, and to nothing."""
    for folder, names, found in os.walk(path):
        for link in sorted(Path(folder, name) for name in (*names, *found) if Path(folder, name).is_symlink()):
            if not link.is_file():
                inside = f"{place}/{link.relative_to(path).as_posix()}"
                what = "folder" if link.is_dir() else "file that is not there"
                why = f"in the result `{one.name}`, it is a link to a {what}, which is not followed"
                contents.left_out.append(LeftOut(inside, inside.partition("/")[2], why))


def results_of(packaged: PackagedRun) -> Iterator[Result]:
    """The files and folders that are results, by the records that count, in their order."""
    table, seen = packaged.results.tables.table(INSTANCES), set[str]()
    columns = ("record", "index", "record_is")
    rows = zip(*(table[name] for name in columns), strict=True) if all(name in table for name in columns) else ()
    for record, index, seal in rows:
        if not record or record in seen or seal != SEALED:
            continue
        seen.add(record)
        for _, _, group in members_of(open_record(str(packaged.run.path / record)), index):
            for one in group.members["artifacts"].members.values():
                yield _result(one.attributes)


def _result(said: dict[str, Any]) -> Result:
    is_folder = int(said.get("files", 1)) != 1
    return Result(str(said["name"]), str(said["path"]), int(said["size"]), str(said["sha256"]), is_folder)
