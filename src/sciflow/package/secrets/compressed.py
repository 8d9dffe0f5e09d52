"""What is in compressed files, so that it can be looked through: never more than fits in memory easily."""

from __future__ import annotations

import bz2
import io
import lzma
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import PurePosixPath

_MOST = 64 << 20  # bytes of all that is in a file


def unpacked(path: str, data: bytes) -> Iterator[tuple[str, bytes]]:
    """Name and bytes of what is in a compressed file or a zip; nothing of other files, and of what is damaged.

    Parameters
    ----------
    path
        The file's name, without whose last ending it is told.
    data
        What is in it; its kind is seen by its first bytes.
    """
    name = PurePosixPath(path)
    inner = name.stem if name.suffix.lower() in (".gz", ".bz2", ".xz") else name.name
    try:
        if data[:2] == b"\x1f\x8b":
            yield inner, zlib.decompressobj(wbits=31).decompress(data, _MOST)
        elif data[:3] == b"BZh":
            yield inner, bz2.BZ2Decompressor().decompress(data, _MOST)
        elif data[:6] == b"\xfd7zXZ\0":
            yield inner, lzma.LZMADecompressor(memlimit=2 * _MOST).decompress(data, _MOST)
        elif data[:4] == b"PK\x03\x04":
            yield from _members(data)
    except (OSError, EOFError, ValueError, zlib.error, lzma.LZMAError, zipfile.BadZipFile, RuntimeError):
        return  # nobody unpacks it either


def _members(data: bytes) -> Iterator[tuple[str, bytes]]:
    left = _MOST
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        for member in archive.infolist():
            with archive.open(member) as file:
                read = file.read(left)
            left -= len(read)
            yield member.filename, read
