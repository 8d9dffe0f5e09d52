"""What goes into a package, and what was left out."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from sciflow.errors import PackageError


@dataclass(frozen=True)
class Entry:
    """One file of the payload.

    Attributes
    ----------
    path
        Its place in the payload.
    source
        The file that it is a copy of, or what stands in it.
    about
        What it is, in a few words for people.
    is_program
        Whether it can be started; of a file of the project or a result, its own mode tells so as well.
    """

    path: str
    source: Path | bytes
    about: str = ""
    is_program: bool = False


@dataclass(frozen=True)
class LeftOut:
    """One file that belongs to the run and is not in the package.

    Attributes
    ----------
    path
        Its place in the payload, had it been taken in.
    original
        Where it was.
    why
        In words.
    size, sha256
        Bytes and digest; -1 and empty where it is not there any more and nobody noted them.
    where
        Where it can be had; empty where nobody said.
    """

    path: str
    original: str
    why: str
    size: int = -1
    sha256: str = ""
    where: str = ""


@dataclass
class Contents:
    """What goes into a package, what was left out, and what there is to say about it."""

    entries: dict[str, Entry] = field(default_factory=dict)
    left_out: list[LeftOut] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    _taken: dict[str, str] = field(default_factory=dict)

    def add(self, path: str, source: Path | bytes, about: str = "", is_program: bool = False) -> None:
        """Take in a file.

        Raises
        ------
        PackageError
            For a path that leaves the payload, and for one that some file system cannot tell from another.
        """
        parts = PurePosixPath(path)
        if parts.is_absolute() or not parts.parts or ".." in parts.parts or "\\" in path or "\0" in path:
            raise PackageError(f"`{path}` cannot be a path within a package")
        same = self._taken.setdefault(plain_name(path), path)
        if same in self.entries:
            raise PackageError(f"`{path}` and `{same}` cannot both be in a package: on some file systems they are one")
        self.entries[path] = Entry(path, source, about, is_program)


def plain_name(path: str) -> str:
    """The path as a file system sees it that knows no case, and writes accents in one way."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", path).casefold())
