"""Digests of files, remembered by size and time, so that large files are read once and not at every plan."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

SMALLEST = 65_536  # bytes; what is smaller is read as quickly as looked up
RACY = 2.0  # seconds; a file that was changed so lately may change again within the same tick of its clock
MOST = 20_000  # files that are remembered
_FORMAT = 1
_BLOCK = 1 << 20


class FileDigest(NamedTuple):
    """What a file was when it was read."""

    size: int
    mtime_ns: int
    sha256: str


def cache_file() -> Path | None:
    """Where digests are remembered: `sciflow/digests.json` in the user's cache folder; None for one without a home."""
    given = os.environ.get("XDG_CACHE_HOME", "")
    try:
        folder = Path(given) if given.startswith("/") else Path("~/.cache").expanduser()
    except RuntimeError:  # neither a variable nor the system tells of a home
        return None
    return folder / "sciflow" / "digests.json"


def file_digest(path: Path) -> str:
    """SHA-256 of a file's bytes."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            digest.update(block)
    return digest.hexdigest()


class KnownDigests:
    """Digests of files, of this process and of those before it.

    A file counts as the same when path, size, inode and both of its times (of content and of inode) are. What is
    remembered is a convenience: where it cannot be read or written, files are read again.

    Parameters
    ----------
    path
        The file in which digests are remembered; `cache_file()` by default.
    clock
        Seconds since the epoch.
    """

    def __init__(self, path: Path | None = None, clock: Callable[[], float] = time.time) -> None:
        self._path = path or cache_file()
        self._clock = clock
        self._known: dict[str, list[int | str]] | None = None
        self._new: dict[str, list[int | str]] = {}

    def digest(self, path: Path) -> FileDigest:
        """Size, time and SHA-256 of a file.

        Raises
        ------
        OSError
            Where it cannot be read.
        """
        before = path.stat()
        key, stamp = str(path.absolute()), _stamp(before)
        if before.st_size >= SMALLEST:
            if self._known is None:
                self._known = _read(self._path)
            found = self._new.get(key) or self._known.get(key, [])
            if found[:-1] == stamp:
                return FileDigest(before.st_size, before.st_mtime_ns, str(found[-1]))
        now = self._clock()
        sha256 = file_digest(path)
        is_old = max(before.st_mtime_ns, before.st_ctime_ns) / 1e9 < now - RACY
        if before.st_size >= SMALLEST and is_old and _stamp(path.stat()) == stamp:
            self._new[key] = [*stamp, sha256]
        return FileDigest(before.st_size, before.st_mtime_ns, sha256)

    def save(self) -> None:
        """Remember what is new, beside what other processes have remembered meanwhile."""
        if not self._new or self._path is None:
            return
        kept = {key: value for key, value in _read(self._path).items() if key not in self._new} | self._new
        document = {"format": _FORMAT, "files": dict(list(kept.items())[-MOST:])}
        partial = self._path.with_name(f".{self._path.name}.{os.getpid()}.{threading.get_ident()}")
        try:
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            with os.fdopen(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
                json.dump(document, file, separators=(",", ":"))
            partial.replace(self._path)
        except OSError:  # read-only, or full: the files are read again then
            with contextlib.suppress(OSError):
                partial.unlink()
            return
        self._known, self._new = kept, {}


def _stamp(status: os.stat_result) -> list[int | str]:
    return [status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino]


def _read(path: Path | None) -> dict[str, list[int | str]]:
    """What is remembered; nothing where the file is not there, torn, or of another format."""
    if path is None:
        return {}
    try:
        document = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return {}
    files = document.get("files") if isinstance(document, dict) and document.get("format") == _FORMAT else None
    if not isinstance(files, dict):
        return {}
    return {key: value for key, value in files.items() if isinstance(value, list) and len(value) == 5}
