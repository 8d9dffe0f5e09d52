"""A package in one file: a folder becomes an archive, the same bytes each time."""

from __future__ import annotations

import errno
import gzip
import os
import shutil
import stat
import tarfile
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timezone
from pathlib import Path
from typing import BinaryIO

from sciflow.errors import PackageError
from sciflow.package.bags.opening import opened

__all__ = ["check_target", "is_archive", "is_bag", "opened", "require_space", "write_archive"]

Writer = Callable[[BinaryIO, Path, list[Path], datetime], None]
_LEVEL = 6
_BLOCK = 1 << 20
# Compressing these again takes long and saves nothing.
_COMPRESSED = frozenset(
    (
        *(".7z", ".bz2", ".gz", ".tgz", ".xz", ".zip", ".zst", ".whl"),
        *(".jpeg", ".jpg", ".npz", ".parquet", ".pdf", ".png", ".webp", ".xlsx"),
    )
)
_NOT_WRITTEN = frozenset([".tar", ".7z", ".rar", ".bz2", ".xz", ".zst", ".gz", ".tbz2", ".txz"])
_EARLIEST = datetime(1980, 1, 1, tzinfo=timezone.utc)  # that a zip file can say


def write_archive(folder: Path, target: Path, when: datetime, *, overwrite: bool = False) -> None:
    """Put a package into one file, or into its place as a folder.

    The same files give the same bytes: sorted, with modes 0644 and 0755, of no user, and all of one time. The
    archive is written beside its place and renamed, so that what stands there is whole.

    Parameters
    ----------
    folder
        The package. Its name is that of the one folder in the archive.
    target
        Where to: `.zip`, `.tar.gz` or `.tgz`; any other name is that of a folder, to which `folder` itself is moved.
    when
        The time of all files.
    overwrite
        Whether what is there already is replaced.

    Raises
    ------
    PackageError
        Where something is there already, the ending is that of another kind of archive, or the disk is too small;
        nothing is left behind then.
    """
    check_target(target, overwrite=overwrite)
    write = _writer_of(target)
    target.parent.mkdir(parents=True, exist_ok=True)
    files = sorted(_files(folder), key=lambda path: path.relative_to(folder).parts)
    partial = target.with_name(f".{target.name}.{os.getpid()}.partial")
    with _nothing_left(partial, target):
        if write is None:
            _move(folder, partial, files, when)
        else:
            require_space(target.parent, sum(path.stat().st_size for path in files if _is_compressed(path)), target)
            with partial.open("xb") as file:
                write(file, folder, files, max(when.astimezone(timezone.utc), _EARLIEST))
                file.flush()
                os.fsync(file.fileno())
        _refuse_existing(target, overwrite)
        _put(partial, target)


def is_archive(target: Path) -> bool:
    """Whether the name is that of an archive, and not of a folder."""
    return _writer_of(target) is not None


def check_target(target: Path, *, overwrite: bool = False) -> None:
    """Refuse a place where no package can be written; nothing is written for that.

    Parameters
    ----------
    target, overwrite
        As for `write_archive`.

    Raises
    ------
    PackageError
        Where something is there already, or the ending is that of another kind of archive.
    """
    if not is_archive(target) and target.suffix.lower() in _NOT_WRITTEN:
        way_out = "end it in `.zip` or `.tar.gz`; any other name is that of a folder"
        raise PackageError(f"`{target}` ends in `{target.suffix}`, which sciflow does not write", hint=way_out)
    _refuse_existing(target, overwrite)


def is_bag(folder: Path) -> bool:
    """Whether a folder is that of a package, or of another bag."""
    return (folder / "bagit.txt").is_file()


def _writer_of(target: Path) -> Writer | None:
    return next((write for end, write in _WRITERS.items() if target.name.lower().endswith(end)), None)


def require_space(folder: Path, needed: int, target: Path) -> None:
    """Refuse to begin what the disk has no room for.

    Parameters
    ----------
    folder
        A folder on that disk.
    needed
        Bytes.
    target
        What is to be written, to be named in the message.

    Raises
    ------
    PackageError
        Where less is free.
    """
    free = shutil.disk_usage(folder).free
    if needed > free:
        raise PackageError(
            f"`{target}` needs {needed:,} bytes, and `{folder}` has {free:,} left",
            hint="free some space, or choose a place on another disk with `-o`",
        )


def _refuse_existing(target: Path, overwrite: bool) -> None:
    if not overwrite and os.path.lexists(target):
        way_out = "choose another name, or replace it: `--overwrite`, or `overwrite=True` in Python"
        raise PackageError(f"`{target}` is there already", hint=way_out)
    if overwrite and target.is_dir() and any(target.iterdir()) and not is_bag(target):
        raise PackageError(f"`{target}` is a folder that is no package: it is not replaced", hint="choose another name")


def _files(folder: Path) -> Iterator[Path]:
    for where, folders, names in os.walk(folder):
        for name in [*folders, *names]:
            path = Path(where, name)
            if path.is_symlink() or not (path.is_file() or path.is_dir()):
                raise PackageError(f"`{path}` is no file: a package holds only files")
        yield from (Path(where, name) for name in names)


@contextmanager
def _nothing_left(partial: Path, target: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        way_out = "free some space, or choose a place on another disk with `-o`"
        raise PackageError(f"`{target}` could not be written: {error.strerror}", hint=way_out) from error
    finally:
        if partial.is_dir():
            shutil.rmtree(partial)
        else:
            partial.unlink(missing_ok=True)


def _put(partial: Path, target: Path) -> None:
    """Rename; a folder takes no other's place by itself."""
    if not target.is_dir() or (partial.is_dir() and not any(target.iterdir())):
        partial.replace(target)
        return
    before = target.with_name(f".{target.name}.{os.getpid()}.before")
    target.rename(before)
    try:
        partial.rename(target)
    except BaseException:
        before.rename(target)
        raise
    shutil.rmtree(before)


def _mode(path: Path) -> int:
    return 0o755 if path.stat().st_mode & stat.S_IXUSR else 0o644


def _is_compressed(path: Path) -> bool:
    return path.suffix.lower() in _COMPRESSED


def _move(folder: Path, partial: Path, files: list[Path], when: datetime) -> None:
    try:
        folder.rename(partial)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        require_space(partial.parent, sum(path.stat().st_size for path in files), partial)
        shutil.copytree(folder, partial)
        shutil.rmtree(folder)
    stamp = when.timestamp()
    for path in files:
        placed = partial / path.relative_to(folder)
        placed.chmod(_mode(placed))
        os.utime(placed, (stamp, stamp))


def _write_zip(file: BinaryIO, folder: Path, files: list[Path], when: datetime) -> None:
    with zipfile.ZipFile(file, "w", compresslevel=_LEVEL) as archive:
        for path in files:
            member = zipfile.ZipInfo(_member_name(folder, path), when.timetuple()[:6])
            member.create_system = 3  # Unix, wherever it is written
            member.external_attr = (stat.S_IFREG | _mode(path)) << 16
            member.compress_type = zipfile.ZIP_STORED if _is_compressed(path) else zipfile.ZIP_DEFLATED
            member.file_size = path.stat().st_size
            with path.open("rb") as source, archive.open(member, "w") as packed:
                shutil.copyfileobj(source, packed, _BLOCK)


def _write_tar(file: BinaryIO, folder: Path, files: list[Path], when: datetime) -> None:
    with (
        gzip.GzipFile("", "wb", _LEVEL, file, mtime=0) as packed,
        tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as archive,
    ):
        for path in files:
            member = tarfile.TarInfo(_member_name(folder, path))
            member.size = path.stat().st_size
            member.mtime = int(when.timestamp())
            member.mode = _mode(path)
            with path.open("rb") as source:
                archive.addfile(member, source)


def _member_name(folder: Path, path: Path) -> str:
    return f"{folder.name}/{path.relative_to(folder).as_posix()}"


_WRITERS: dict[str, Writer] = {
    ".zip": _write_zip,
    ".tar.gz": _write_tar,
    ".tgz": _write_tar,
}
