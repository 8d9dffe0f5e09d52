"""What an archive says that it holds, before any of it is unpacked: what would reach out of its folder is refused."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import PurePosixPath

from sciflow.errors import DamagedError, PackageError
from sciflow.package.contents import plain_name

BAG_INFO = "bag-info.txt"
LONGEST_TAG_FILE = 1 << 20
_LONGEST_NAME = 255  # bytes, as file systems have it
_MOST_MEMBERS, _MORE_MEMBERS = 1_000_000, 1_000
# What comes beside the payload: manifests and a little more; also what somebody has added, so that it can be named.
_BESIDE, _BESIDE_EACH = 64 << 20, 1 << 10
_BOMB_FROM, _BOMB_RATIO = 256 << 20, 200
_DIRECTIONS = "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"  # make a name look like another


@dataclass(frozen=True)
class Member:
    """One file of an archive.

    Attributes
    ----------
    name
        As the archive has it, without what means nothing.
    size
        Bytes, as declared.
    is_program
        Whether it may be run.
    """

    name: str
    size: int
    is_program: bool = False

    @property
    def path(self) -> PurePosixPath:
        """Its place within the archive's one folder."""
        return PurePosixPath(*PurePosixPath(self.name).parts[1:])


def checked_name(name: str, archive: str) -> str:
    """The name of a member, where it stays below the folder that it is unpacked to.

    Raises
    ------
    DamagedError
        Where it does not, or could not be written everywhere.
    """
    if why := _wrong_name(name):
        raise DamagedError(f"`{archive}` is not unpacked: {_shown(name)} in it {why}")
    return name.removeprefix("./").rstrip("/")


def _wrong_name(name: str) -> str:
    parts = name.removeprefix("./").rstrip("/").split("/")
    if name.startswith("/"):
        return "is an absolute path"
    if re.match(r"[A-Za-z]:", name):
        return "names a drive"
    if "\\" in name:
        return "has a backslash, which some systems take for a folder's end"
    if ".." in parts:
        return "leaves its folder by `..`"
    if "" in parts or "." in parts:
        return "has an empty part"
    if any(unicodedata.category(sign) in ("Cc", "Cs", "Zl", "Zp") or sign in _DIRECTIONS for sign in name):
        return "has control characters"
    if any(len(part.encode()) > _LONGEST_NAME for part in parts):
        return f"has a part of more than {_LONGEST_NAME} bytes"
    return ""


def _shown(name: str) -> str:
    return f"`{name}`" if name.isprintable() else repr(name)


class Names:
    """The names that an archive has had so far: in one folder, and each a file of its own wherever it is unpacked.

    Parameters
    ----------
    archive
        What the archive is called in messages.
    """

    def __init__(self, archive: str) -> None:
        self._archive = archive
        self._taken: dict[str, tuple[str, bool]] = {}  # plain name → name, and whether it is a file
        self._top = ""

    def add(self, name: str, is_file: bool) -> None:
        """Take in a member's name.

        Raises
        ------
        DamagedError
            Where it is there already, cannot be told from another, or is in another folder than the first.
        """
        if plain_name(name) in self._taken and (is_file or self._taken[plain_name(name)][1]):
            self._refuse(name)
        parts = name.split("/")
        self._top = self._top or parts[0]
        if parts[0] != self._top:
            told = f"it has more than one folder at the top, `{self._top}` and `{parts[0]}`"
            raise DamagedError(f"`{self._archive}` is not unpacked: {told}")
        if is_file and len(parts) == 1:
            raise DamagedError(f"`{self._archive}` is not unpacked: `{name}` is not within a folder, as packages are")
        for end in range(1, len(parts) + 1):
            one, is_leaf = "/".join(parts[:end]), is_file and end == len(parts)
            before = self._taken.setdefault(plain_name(one), (one, is_leaf))
            if before != (one, is_leaf):
                self._refuse(one)

    def _refuse(self, name: str) -> None:
        other = self._taken[plain_name(name)][0]
        why = "is there twice" if other == name else f"and `{other}` are one file on some file systems"
        raise DamagedError(f"`{self._archive}` is not unpacked: `{name}` {why}")


def payload_size(bag_info: bytes, archive: str) -> tuple[int, int]:
    """Bytes and files of the payload, as the bag itself says.

    Raises
    ------
    DamagedError
        Where it says nothing, or nothing that can be read.
    """
    found = re.search(rb"^Payload-Oxum:[ \t]*(\d{1,18})\.(\d{1,9})[ \t]*\r?$", bag_info, re.MULTILINE | re.IGNORECASE)
    if not found:
        raise DamagedError(f"`{archive}` is not unpacked: its `{BAG_INFO}` does not say how large it is")
    return int(found[1]), int(found[2])


class Limits:
    """How much an archive may unpack to; asked with each member, before it is unpacked.

    Parameters
    ----------
    archive
        What the archive is called in messages.
    packed, free
        Bytes of the archive, and of the disk.
    """

    def __init__(self, archive: str, packed: int, free: int) -> None:
        self._archive = archive
        self._packed = packed
        self._free = free
        self._declared: tuple[int, int] | None = None
        self._size = 0
        self._count = 0

    def declare(self, size: int, count: int) -> None:
        """Take in what the bag says of its payload."""
        self._declared = (size, count)
        self._check()

    def add(self, size: int) -> None:
        """Take in a member.

        Raises
        ------
        DamagedError
            Where it is more than the bag says, or than anything that was packed in earnest comes to.
        PackageError
            Where the disk has no room for it.
        """
        self._size += size
        self._count += 1
        self._check()

    def _check(self) -> None:
        way_out = "unpack it yourself where there is room, and name the folder"
        if self._size > self._free:
            text = f"it would be {self._size:,} bytes or more, and {self._free:,} are left on the disk"
            raise PackageError(f"`{self._archive}` is not unpacked: {text}", hint="let TMPDIR point to a larger disk")
        if self._size > _BOMB_FROM and self._size > _BOMB_RATIO * self._packed:
            text = f"{self._packed:,} bytes would become {self._size:,}, as in an archive that is made to fill disks"
        elif self._count > _MOST_MEMBERS:
            text = f"it holds more than {_MOST_MEMBERS:,} files"
        elif self._declared and self._count > self._declared[1] + _MORE_MEMBERS:
            text = f"it holds {self._count:,} files or more, and its `{BAG_INFO}` tells of {self._declared[1]:,}"
            way_out = ""
        elif self._declared and self._size > self._declared[0] + _BESIDE + _BESIDE_EACH * self._declared[1]:
            text = f"it would be {self._size:,} bytes or more, and its `{BAG_INFO}` tells of {self._declared[0]:,}"
            way_out = ""
        else:
            return
        raise DamagedError(f"`{self._archive}` is not unpacked: {text}", hint=way_out)


def require_bag(members: Iterable[Member], archive: str) -> None:
    """Refuse what is no bag.

    Raises
    ------
    DamagedError
        Where that which says how large it is is missing.
    """
    if not any(str(member.path) == BAG_INFO for member in members):
        raise DamagedError(
            f"`{archive}` is not unpacked: it has no `{BAG_INFO}`, so that it is no package or no whole one"
        )
