"""Packages as folders: an archive is looked through first, then unpacked to a private place."""

from __future__ import annotations

import errno
import gzip
import os
import shutil
import stat
import struct
import tarfile
import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, BinaryIO, cast

from sciflow.errors import DamagedError, PackageError
from sciflow.package.bags.members import (
    BAG_INFO,
    LONGEST_TAG_FILE,
    Limits,
    Member,
    Names,
    checked_name,
    payload_size,
    require_bag,
)

_BLOCK = 1 << 20
_LOCAL_HEADER = 30  # bytes before the name
_DAMAGED = (zipfile.BadZipFile, tarfile.TarError, EOFError, zlib.error, struct.error, gzip.BadGzipFile, ValueError)


@contextmanager
def opened(path: Path, into: Path | None = None) -> Iterator[Path]:
    """Give a package's folder.

    A folder is used as it is. An archive is looked through before anything is written, unpacked into a private
    temporary folder, and that is removed in the end.

    Parameters
    ----------
    path
        A folder, a `.zip` or a `.tar.gz`; what it is, is seen by its bytes.
    into
        Where the temporary folder is made; else where the system makes such.

    Raises
    ------
    PackageError
        Where there is nothing, what is there is no archive, or the disk is too small.
    DamagedError
        Where the archive is damaged, would write outside its folder, holds what a package cannot hold, or unpacks to
        more than it says; the file in it is named.
    """
    path = Path(path)
    if path.is_dir():
        refuse_links(path)
        yield path
        return
    kind = _kind(path)
    try:
        folder = Path(tempfile.mkdtemp(prefix="sciflow-package-", dir=into))
    except OSError as error:
        raise PackageError(f"`{path}` cannot be unpacked: {error.strerror}: `{error.filename}`") from error
    try:
        with _explained(path):
            unpacked = _unpack_zip(path, folder) if kind == "zip" else _unpack_tar(path, folder)
        yield unpacked
    finally:
        shutil.rmtree(folder)


def refuse_links(folder: Path) -> None:
    """Let a folder hold nothing but files and folders.

    Raises
    ------
    DamagedError
        Naming the link, or what else is there.
    """
    for where, folders, names in os.walk(folder):
        for name in [*folders, *names]:
            mode = os.lstat(os.path.join(where, name)).st_mode  # noqa: PTH118  # thousands of files
            if not stat.S_ISREG(mode) and not stat.S_ISDIR(mode):
                what = "a symbolic link" if stat.S_ISLNK(mode) else "neither a file nor a folder"
                raise DamagedError(f"`{Path(where, name).relative_to(folder)}` in `{folder}` is {what}")


def _kind(path: Path) -> str:
    try:
        with path.open("rb") as file:
            begin = file.read(4)
    except FileNotFoundError:
        raise PackageError(f"there is no package `{path}`") from None
    except OSError as error:
        raise PackageError(f"`{path}` cannot be read: {error.strerror}") from None
    if begin[:2] == b"\x1f\x8b":
        return "tar"
    if begin == b"PK\x03\x04":
        return "zip"
    what = (
        "it is empty" if not begin else "it is no folder, and its bytes are neither those of a zip nor of a gzip file"
    )
    raise PackageError(f"`{path}` is no package: {what}")


@contextmanager
def _explained(path: Path) -> Iterator[None]:
    try:
        yield
    except _DAMAGED as error:
        raise DamagedError(f"`{path}` is damaged, or cut off: {str(error) or type(error).__name__}") from error
    except NotImplementedError as error:  # of zipfile, for what it cannot unpack
        raise DamagedError(f"`{path}` cannot be unpacked: {error}") from error
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            way_out = "free some space, or let TMPDIR point to another disk"
            raise PackageError(f"`{path}` could not be unpacked: {error.strerror}", hint=way_out) from error
        raise


def _unpack_zip(path: Path, folder: Path) -> Path:
    with zipfile.ZipFile(path) as archive:
        members = _zip_members(archive, path, shutil.disk_usage(folder).free)
        for info, member in members:
            with archive.open(info) as source:
                _write(source, member, folder, path)
    return folder / members[0][1].name.partition("/")[0]


def _zip_members(archive: zipfile.ZipFile, path: Path, free: int) -> list[tuple[zipfile.ZipInfo, Member]]:
    limits, names = Limits(path.name, path.stat().st_size, free), Names(path.name)
    found = []
    _refuse_overlap(archive, path)
    for info in archive.infolist():
        # `filename` is cut at a NUL, and has slashes where there were others.
        name = checked_name(info.orig_filename, path.name)
        mode = info.external_attr >> 16
        if stat.S_IFMT(mode) not in (0, stat.S_IFREG, stat.S_IFDIR):
            what = "a symbolic link" if stat.S_ISLNK(mode) else "neither a file nor a folder"
            raise DamagedError(f"`{path.name}` is not unpacked: `{name}` in it is {what}")
        if info.flag_bits & 1:
            raise DamagedError(f"`{path.name}` is not unpacked: `{name}` in it is encrypted")
        if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise DamagedError(f"`{path.name}` is not unpacked: `{name}` in it is packed in an uncommon way")
        names.add(name, not info.is_dir())
        limits.add(info.file_size)
        if not info.is_dir():
            found.append((info, Member(name, info.file_size, bool(mode & stat.S_IXUSR))))
    require_bag((member for _, member in found), path.name)
    bag_info = next(info for info, member in found if str(member.path) == BAG_INFO)
    with archive.open(bag_info) as file:
        limits.declare(*payload_size(file.read(LONGEST_TAG_FILE), path.name))
    return found


def _refuse_overlap(archive: zipfile.ZipFile, path: Path) -> None:
    """Members that share their bytes are how a small archive unpacks to a huge one."""
    end = archive.start_dir
    for info in sorted(archive.infolist(), key=lambda info: info.header_offset, reverse=True):
        if info.header_offset < 0 or info.header_offset + _LOCAL_HEADER + info.compress_size > end:
            raise DamagedError(f"`{path.name}` is not unpacked: `{info.filename}` in it overlaps with another file")
        end = info.header_offset


class _Blocks:
    """A gzip file of which nobody reads more than a block at once, whatever a header in it says."""

    def __init__(self, packed: gzip.GzipFile) -> None:
        self._packed = packed
        self._last = b""
        self._is_back = False  # by one byte, as `tarfile` goes; a gzip file would begin anew

    def read(self, size: int = -1) -> bytes:
        if not 0 <= size <= _BLOCK:
            raise tarfile.ReadError("a header in it is too long")
        begin = self._last if self._is_back and size else b""
        self._is_back = self._is_back and not begin
        read = begin + self._packed.read(size - len(begin))
        self._last = read[-1:] or self._last
        return read

    def tell(self) -> int:
        return self._packed.tell() - self._is_back

    def seek(self, place: int) -> int:
        self._is_back = bool(self._last) and place == self._packed.tell() - 1
        return place if self._is_back else self._packed.seek(place)


@contextmanager
def _opened_tar(path: Path) -> Iterator[tuple[tarfile.TarFile, gzip.GzipFile]]:
    with (
        gzip.GzipFile(path, "rb") as packed,
        tarfile.open(fileobj=cast("IO[bytes]", _Blocks(packed)), mode="r:", errorlevel=2) as archive,
    ):
        yield archive, packed


def _unpack_tar(path: Path, folder: Path) -> Path:
    # Twice through: what is refused is refused before anything is written.
    members = _tar_members(path, shutil.disk_usage(folder).free)
    with _opened_tar(path) as (archive, _):
        for info in archive:
            if not info.isdir():
                member = members[info.offset]
                _write(cast("BinaryIO", archive.extractfile(info)), member, folder, path)
    return folder / next(iter(members.values())).name.partition("/")[0]


def _tar_members(path: Path, free: int) -> dict[int, Member]:
    limits, names = Limits(path.name, path.stat().st_size, free), Names(path.name)
    found: dict[int, Member] = {}
    with _opened_tar(path) as (archive, packed):
        for info in archive:
            name = checked_name(info.name, path.name)
            if info.type not in (tarfile.REGTYPE, tarfile.AREGTYPE, tarfile.DIRTYPE) or info.sparse is not None:
                raise DamagedError(f"`{path.name}` is not unpacked: `{name}` in it is {_tar_kind(info)}")
            names.add(name, not info.isdir())
            limits.add(info.size)
            if not info.isdir():
                member = found[info.offset] = Member(name, info.size, bool(info.mode & stat.S_IXUSR))
                if str(member.path) == BAG_INFO:
                    file = cast("IO[bytes]", archive.extractfile(info))
                    limits.declare(*payload_size(file.read(LONGEST_TAG_FILE), path.name))
        _to_the_end(packed)
    require_bag(found.values(), path.name)
    return found


def _tar_kind(info: Any) -> str:
    return (
        "a symbolic link"
        if info.issym()
        else "a hard link"
        if info.islnk()
        else "a file with holes"
        if info.isreg()
        else "neither a file nor a folder"
    )


def _to_the_end(packed: gzip.GzipFile) -> None:
    """Read what comes after the last file: only then the checksum has been looked at."""
    rest = packed.read(_BLOCK)
    if rest.strip(b"\0") or len(rest) == _BLOCK:
        raise tarfile.ReadError("something comes after its last file")


def _write(source: IO[bytes], member: Member, folder: Path, path: Path) -> None:
    target = folder.joinpath(*member.name.split("/"))
    target.parent.mkdir(parents=True, exist_ok=True)
    left = member.size
    try:
        with target.open("xb") as file:
            while block := source.read(_BLOCK):
                left -= len(block)
                if left < 0:
                    break
                file.write(block)
    except (*_DAMAGED, RuntimeError) as error:
        raise DamagedError(f"`{member.path}` in `{path.name}` is damaged, or cut off: {error}") from error
    if left:
        raise DamagedError(f"`{member.path}` in `{path.name}` is not as long as the archive says")
    target.chmod(0o755 if member.is_program else 0o644)
