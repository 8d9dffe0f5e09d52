"""Folds the records and logs of a run that has ended into few files, and gives them back before it goes on.

Killed at any instant, nothing is lost: a zip appears whole, holds what it replaces byte for byte before that is
removed, and whoever seals again goes on.
"""

from __future__ import annotations

import json
import os
import shutil
import time
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from sciflow.errors import RunError
from sciflow.model.plan import Plan
from sciflow.model.state import State
from sciflow.run.status import RunStatus
from sciflow.store import sealed
from sciflow.store.collected import read_collected, write_collected
from sciflow.store.inventory import Stamp, inventory, stamp_of
from sciflow.store.layout import RunDirectory
from sciflow.store.lock import hold
from sciflow.store.records import TORN
from sciflow_shim import files
from sciflow_shim.record_reader import verify_seal

_BLOCK = 1 << 20
_SHIM = f"{files.SEALED}/shim.zip"
# What the job scripts find then; a folder of the same name, once it is back, comes first.
_STAND_IN = f"{files.SHIM}/sciflow_shim.py"
_REFUSAL = """import sys

sys.exit("this run is sealed: `sciflow collect --unseal` gives back its files, as `sciflow run` and `submit` do")
"""


@dataclass
class Sealed:
    """What sealing did.

    Attributes
    ----------
    folded
        How many files went into zips.
    stamps
        Path → stamp that it had, of the records among them.
    left
        Files that stayed, since a zip holds another one of the same name.
    files, bytes
        What the run directory has now.
    """

    folded: int = 0
    stamps: dict[str, Stamp] = field(default_factory=dict)
    left: list[str] = field(default_factory=list)
    files: int = 0
    bytes: int = 0


def seal(run: RunDirectory, plan: Plan, status: RunStatus) -> Sealed:
    """Fold records, logs and the staged shim into one zip each, verify these, and remove what they hold.

    Raises
    ------
    RunError
        Where the run has not ended, somebody drives it, or the zips cannot be written; nothing is lost then.
    """
    _refuse_unsettled(run, status)
    done = Sealed()
    try:
        with hold(run.lock, patience=0.0):
            (run / files.SEALED).mkdir(exist_ok=True)
            for array in plan.arrays:
                _fold(run, files.sealed_records(array.name), f"{files.RECORDS}/{array.name}", True, done)
                _fold(run, files.sealed_logs(array.name), files.logs(array.name), False, done)
            if (run / files.SHIM / "sciflow_shim").is_dir():
                (run / _STAND_IN).write_text(_REFUSAL, encoding="utf-8")
                shutil.rmtree(run / files.SHIM / "sciflow_shim" / "__pycache__", ignore_errors=True)
                _fold(run, _SHIM, f"{files.SHIM}/sciflow_shim", False, done)
            _restamp(run, done.stamps)
            _remove_idle_folders(run, plan)
    except OSError as error:
        text = error.strerror or str(error)
        raise RunError(f"`{run.path}` cannot be sealed: {text}", hint="nothing is lost; seal it again") from error
    for path in run.path.rglob("*"):
        if path.is_file() and not path.is_symlink():
            done.files += 1
            done.bytes += path.stat().st_size
    return done


def _refuse_unsettled(run: RunDirectory, status: RunStatus) -> None:
    going = [one for one in status.everyone() if not (one.is_over and one.is_settled)]
    if not going and not status.is_driven:
        return
    counts = {state: sum(one.state is state for one in going) for state in State}
    told = ", ".join(f"{count} {state}" for state, count in counts.items() if count) or "a process drives it"
    raise RunError(
        f"run `{run.run_id}` has not ended: {told}",
        hint="wait for it, or cancel it; what is PENDING and in no queue goes on with `sciflow run`",
    )


def _fold(run: RunDirectory, archive: str, folder: str, is_record: bool, done: Sealed) -> None:
    names = sorted(_regular(run, folder, is_record))
    if not names:
        return
    target = run / archive
    known = sealed.entries(str(target))
    new = [name for name in names if name not in known]
    if new:
        partial = target.with_name(f".{target.name}.partial")
        partial.unlink(missing_ok=True)
        if known:
            shutil.copyfile(target, partial)
        method = zipfile.ZIP_STORED if is_record else zipfile.ZIP_DEFLATED
        with zipfile.ZipFile(partial, "a" if known else "w", method) as opened:
            for name in new:
                _add(opened, run / name, name, method)
        _to_disk(partial)
        same = _same(run, partial, names, is_record)
        missing = [name for name in new if name not in same]
        if missing:
            partial.unlink()
            raise OSError(f"`{missing[0]}` has changed while it was folded")
        if known:
            _check_old(partial)
        partial.replace(target)
        _to_disk(target.parent)
    else:
        same = _same(run, target, names, is_record)
    done.left += [name for name in names if name not in same]
    done.folded += len(same)
    if is_record:
        done.stamps.update(same)
    for name, stamp in same.items():
        path = run / name
        if stamp_of(path) == stamp:
            path.unlink()
    _remove_empty_folders(run / folder)


def _check_old(archive: Path) -> None:
    """Check what was folded earlier, by its checksums; what is new was compared."""
    with zipfile.ZipFile(archive) as opened:
        if (damaged := opened.testzip()) is not None:
            raise OSError(f"`{damaged}` is not in `{archive}` as it was")


def _regular(run: RunDirectory, folder: str, is_record: bool) -> Iterator[str]:
    """The files to be folded, by their paths from the run directory; what is none of a run's records stays."""
    for place, _, names in os.walk(run / folder):
        for name in names:
            path = Path(place, name)
            inside = path.relative_to(run.path).as_posix()
            if path.is_symlink() or name.startswith(".") or "__pycache__" in inside:
                continue
            index, attempt = files.split_attempt(name)
            if not is_record or inside == files.record(folder.rpartition("/")[2], index, attempt):
                yield inside


def _add(opened: zipfile.ZipFile, path: Path, name: str, method: int) -> None:
    facts = path.stat()
    when = time.localtime(max(facts.st_mtime, 315_619_200.0))[:6]  # a zip knows no time before 1980
    entry = zipfile.ZipInfo(name, when)
    entry.compress_type = method
    entry.external_attr = (facts.st_mode & 0xFFFF) << 16
    entry.file_size = facts.st_size
    with path.open("rb") as source, opened.open(entry, "w") as target:
        shutil.copyfileobj(source, target, _BLOCK)


def _same(run: RunDirectory, archive: Path, names: list[str], is_record: bool) -> dict[str, Stamp]:
    """Name → stamp, of the files that the zip holds byte for byte; of records the seal is as it was, too."""
    same = {}
    with zipfile.ZipFile(archive) as opened:
        for name in names:
            path = run / name
            before = stamp_of(path)
            with path.open("rb") as one, opened.open(name) as other:
                is_same = _equal(one, other)
            if is_same and is_record:
                offset, size = sealed.data_of(str(archive), opened.getinfo(name).header_offset), before[0]
                # One that is torn is kept as it is.
                is_same = verify_seal(archive, offset, size) != TORN or verify_seal(path) == TORN
            if is_same:
                same[name] = before
    return same


def _equal(one: IO[bytes], other: IO[bytes]) -> bool:
    while True:
        first, second = one.read(_BLOCK), other.read(_BLOCK)
        if first != second:
            return False
        if not first:
            return True


def _to_disk(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _restamp(run: RunDirectory, stamps: dict[str, Stamp]) -> None:
    """Let the results know that the records they were made of are the same, where they lie now."""
    known, listed = read_collected(run), inventory(run)
    for name, one in known.files.items():
        if name in listed and stamps.get(name) == one.stamp:
            one.stamp = listed[name]
    if known.files:
        write_collected(run, known)


def _remove_idle_folders(run: RunDirectory, plan: Plan) -> None:
    """Remove working directories that hold nothing but what the shim writes there again."""
    for array in plan.arrays:
        with run.lines(array.name).open("rb") as lines:
            for text in lines:
                line = json.loads(text)
                folder = run / files.work(array.task, line["id"])
                if not folder.is_dir():
                    continue
                parameters = folder / "parameters.json"
                written = json.dumps(line["parameters"], ensure_ascii=False, indent=1)
                if [one.name for one in folder.iterdir()] == [parameters.name] and parameters.read_text() == written:
                    parameters.unlink()
        _remove_empty_folders(run / f"work/{array.task}")
    for name in ("work", "logs", files.RECORDS):
        _remove_empty_folders(run / name)


def _remove_empty_folders(folder: Path) -> None:
    for place, _, _ in os.walk(folder, topdown=False):
        if not os.listdir(place):  # noqa: PTH208 - one call for each of thousands
            os.rmdir(place)  # noqa: PTH106


def unseal(run: RunDirectory) -> int:
    """Give back all that was folded; whoever holds the run's lock may do that. Gives how many files came back.

    Raises
    ------
    RunError
        Where a file is there already and differs, or a zip is damaged or cannot be unpacked.
    """
    count = 0
    for archive in sealed.archives(str(run.path)):
        try:
            with zipfile.ZipFile(archive) as opened:
                for entry in opened.infolist():
                    count += _give_back(run, opened, entry)
            os.sync()
            Path(archive).unlink()
        except (OSError, zipfile.BadZipFile) as error:
            text = getattr(error, "strerror", None) or str(error)
            raise RunError(f"`{archive}` cannot be unpacked: {text}", hint="nothing of it was removed") from error
    (run / _STAND_IN).unlink(missing_ok=True)
    folder = run / files.SEALED
    if folder.is_dir() and not any(folder.iterdir()):
        folder.rmdir()
    return count


def _give_back(run: RunDirectory, opened: zipfile.ZipFile, entry: zipfile.ZipInfo) -> bool:
    path = run / entry.filename
    if not path.resolve().is_relative_to(run.path):
        raise OSError(f"it holds `{entry.filename}`, which lies outside the run")
    if path.exists():
        with path.open("rb") as one, opened.open(entry) as other:
            if not _equal(one, other):
                raise OSError(f"`{entry.filename}` is there, and is another one")
        return False
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    with opened.open(entry) as source, partial.open("wb") as target:
        shutil.copyfileobj(source, target, _BLOCK)
    partial.chmod(entry.external_attr >> 16 & 0o777 or 0o600)
    changed = time.mktime((*entry.date_time, 0, 0, -1))
    os.utime(partial, (changed, changed))
    partial.replace(path)
    return True
