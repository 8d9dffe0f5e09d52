"""Records and logs folded into few files: one zip per array job and kind, below `sealed/`.

Names in a zip are paths from the run directory, so that `unzip` there restores everything. Records are stored as they
are: each can be read where it lies, by offset and size, and its seal still holds. Logs are deflated.
"""

from __future__ import annotations

import os
import struct
import zipfile
from dataclasses import dataclass
from pathlib import Path

from sciflow_shim import files

_LOCAL_HEADER = struct.Struct("<4s22xHH")  # its signature, and how long the name and what follows it are
_RECORDS, _LOGS = f"/{files.RECORDS}/", "/logs/"


@dataclass(frozen=True)
class Entry:
    """One file in a zip: where its header is, its size and CRC-32."""

    header: int
    size: int
    crc: int


_known: dict[str, tuple[tuple[int, int, int], dict[str, Entry]]] = {}


def entries(path: str) -> dict[str, Entry]:
    """Name → entry, of all files in a zip; empty where there is none.

    Raises
    ------
    OSError
        For a zip that is damaged; it names the file.
    """
    try:
        facts = Path(path).stat()
    except FileNotFoundError:
        return {}
    stamp = (facts.st_size, facts.st_mtime_ns, facts.st_ino)
    known = _known.get(path)
    if known is None or known[0] != stamp:
        try:
            with zipfile.ZipFile(path) as archive:
                found = {one.filename: Entry(one.header_offset, one.file_size, one.CRC) for one in archive.infolist()}
        except zipfile.BadZipFile as error:
            raise OSError(f"`{path}` is damaged: {error}") from None
        known = _known[path] = (stamp, found)
    return known[1]


def names(run: str, archive: str) -> dict[str, Entry]:
    """What one of a run's zips holds."""
    return entries(f"{run}/{archive}")


def locate(path: str) -> tuple[str, int, int] | None:
    """Where the record that belongs at a path lies now: zip, offset and size; None where it was not folded."""
    run, _, rest = path.rpartition(_RECORDS)
    archive = f"{run}/{files.sealed_records(rest.partition('/')[0])}"
    entry = entries(archive).get(f"{files.RECORDS}/{rest}")
    if entry is None:
        return None
    return archive, data_of(archive, entry.header), entry.size


def data_of(archive: str | os.PathLike[str], header: int) -> int:
    """Where in a zip the bytes of a file lie whose header is there.

    Raises
    ------
    OSError
        Where there is no such header.
    """
    with Path(archive).open("rb") as file:
        file.seek(header)
        data = file.read(_LOCAL_HEADER.size)
    if len(data) < _LOCAL_HEADER.size or data[:4] != b"PK\3\4":
        raise OSError(f"`{os.fspath(archive)}` is damaged: there is no file at {header}")
    _, name, extra = _LOCAL_HEADER.unpack(data)
    return header + _LOCAL_HEADER.size + name + extra


def read_log(path: str) -> bytes | None:
    """What the log that belongs at a path holds; None where it was not folded."""
    run, _, rest = path.rpartition(_LOGS)
    archive, name = f"{run}/{files.sealed_logs(rest.partition('/')[0])}", f"logs/{rest}"
    if name not in entries(archive):
        return None
    with zipfile.ZipFile(archive) as opened:
        return opened.read(name)


def restore(path: str, target: str) -> bool:
    """Write the record that belongs at a path as a file of its own; whether it was folded."""
    found = locate(path)
    if found is None:
        return False
    archive, offset, size = found
    partial = Path(f"{target}.{os.getpid()}.partial")
    with Path(archive).open("rb") as source, partial.open("wb") as file:
        source.seek(offset)
        while size:
            block = source.read(min(size, 1 << 20))
            if not block:
                raise OSError(f"`{archive}` ends too early")
            file.write(block)
            size -= len(block)
    partial.replace(target)
    return True


def archives(run: str) -> list[str]:
    """The zips that a run has been folded into."""
    try:
        found = sorted(Path(run, files.SEALED).iterdir())
    except FileNotFoundError:
        return []
    return [str(one) for one in found if one.suffix == ".zip" and not one.name.startswith(".")]
