"""Which record files a run has, by name, size and time; nothing is opened for that."""

from __future__ import annotations

import os
from pathlib import Path

from sciflow.store import sealed
from sciflow.store.layout import RunDirectory
from sciflow_shim import files

Stamp = tuple[int, int, int]  # size, time of change in nanoseconds, inode; of a folded one size, CRC-32, -1
NONE: Stamp = (0, 0, 0)


def inventory(run: RunDirectory) -> dict[str, Stamp]:
    """Path from the run directory → stamp, of everything below `records/`, also of what was folded.

    What is being written, and what a program hands over, is left out.
    """
    found: dict[str, Stamp] = {}
    for path in sealed.archives(str(run.path)):
        if path.endswith(".records.zip"):
            found.update({name: (one.size, one.crc, -1) for name, one in sealed.entries(path).items()})
    _scan(str(run.path / files.RECORDS), files.RECORDS, found)
    return found


def _scan(folder: str, name: str, found: dict[str, Stamp]) -> None:
    try:
        listed = list(os.scandir(folder))
    except FileNotFoundError:
        return
    for entry in listed:
        if entry.is_dir(follow_symlinks=False):
            _scan(entry.path, f"{name}/{entry.name}", found)
        elif not (entry.name.startswith(".") or entry.name.endswith(".partial")):
            try:
                facts = entry.stat()
            except FileNotFoundError:  # replaced by a later one, or a link to nothing
                continue
            found[f"{name}/{entry.name}"] = (facts.st_size, facts.st_mtime_ns, facts.st_ino)


def stamp_of(path: str | os.PathLike[str]) -> Stamp:
    """The stamp of one file; that of nothing where there is none."""
    try:
        facts = Path(path).stat()
    except FileNotFoundError:
        return NONE
    return facts.st_size, facts.st_mtime_ns, facts.st_ino


def place_of(name: str) -> tuple[str, int, int]:
    """Array job, index and attempt that a path stands for; index -1 where no record has such a path."""
    array, _, rest = name.removeprefix(f"{files.RECORDS}/").partition("/")
    index, attempt = files.split_attempt(rest.rpartition("/")[2])
    return (array, index, attempt) if name == files.record(array, index, attempt) else (array, -1, -1)
