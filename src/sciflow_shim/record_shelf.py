"""Finds the record of an array index among those of a run, also where it is a part of another index's."""

from __future__ import annotations

import os

from sciflow_shim import files
from sciflow_shim.array import attempts_of
from sciflow_shim.record_reader import RecordGroup, read_record, verify_seal

TYPE_CHECKING = False  # as type checkers know it; importing `typing` takes longer than reading a record
if TYPE_CHECKING:
    from typing import Any, Optional

    Opened = tuple[tuple[int, int], Optional[RecordGroup], Optional[RecordGroup]]

PACKED = "packed"  # the attribute of a record that tells of several indices: how many
MEMBERS = "members"


class FoundRecord:
    """The record of one array index: a file, or a group of one.

    Attributes
    ----------
    path
        The file.
    attempt
        Which attempt left it.
    group
        What holds metrics, results and so on; None where the file is torn.
    """

    __slots__ = ("_root", "attempt", "group", "path")

    def __init__(self, path: str, attempt: int, root: RecordGroup | None, group: RecordGroup | None) -> None:
        self.path = path
        self.attempt = attempt
        self._root = root
        self.group = group

    @property
    def facts(self) -> dict[str, Any]:
        """The attributes: its own, and those of the file that holds it."""
        if self.group is None or self._root is None:
            return {}
        return dict(self.group.attributes) if self.group is self._root else joined(self._root, self.group)

    @property
    def state(self) -> str:
        """The state that it tells, or `torn`."""
        return str(self.facts.get("state", "torn"))


def joined(root: RecordGroup, member: RecordGroup) -> dict[str, Any]:
    """The attributes of one of several in a record: what is its own goes before what all have in common."""
    facts = {**root.attributes, **member.attributes}
    facts.pop(PACKED, None)  # it is about the whole
    return facts


class RecordShelf:
    """The records of a run as the node sees them; a file that holds many is opened once.

    Parameters
    ----------
    run
        The run directory.
    """

    def __init__(self, run: str) -> None:
        self.run = run
        self._opened: dict[str, Opened] = {}
        self._process = os.getpid()
        self._sealed: dict[str, tuple[tuple[int, int], bool]] = {}

    def find(self, array: str, index: int, pack: int = 1, attempts: list[int] | None = None) -> FoundRecord | None:
        """The record of the last attempt of an index; None where there is none.

        Parameters
        ----------
        array, index
            Whose.
        pack
            How many indices of the array job run together.
        attempts
            The attempts of the index, or of the one in which it runs, that have left records, where that is known.
        """
        element = index // pack
        if attempts is None:
            attempts = attempts_of(self.run, array, element).get(element, [])
        if pack == 1:
            return self._whole(array, index, max(attempts)) if attempts else None
        torn = None
        for attempt in sorted(attempts, reverse=True):
            found = self._part(array, element, index, attempt) if attempt else None
            if found is not None and found.group is not None:
                return found
            torn = torn or found
        # What was taken over from another run has a file of its own.
        return self._whole(array, index, 0) or torn

    def is_sealed(self, found: FoundRecord) -> bool:
        """Whether every byte of a record's file is as it was written."""
        stamp = _stamp(found.path)
        known = self._sealed.get(found.path)
        if known is None or known[0] != stamp:
            known = self._sealed[found.path] = (stamp, verify_seal(found.path) == "sealed")
        return known[1]

    def _whole(self, array: str, index: int, attempt: int) -> FoundRecord | None:
        path = os.path.join(self.run, files.record(array, index, attempt))
        try:
            root = read_record(path)
        except FileNotFoundError:
            return None
        except ValueError:
            root = None
        return FoundRecord(path, attempt, root, root)

    def _part(self, array: str, element: int, index: int, attempt: int) -> FoundRecord | None:
        path = os.path.join(self.run, files.record(array, element, attempt))
        try:
            stamp = _stamp(path)
        except FileNotFoundError:
            return None
        if self._process != os.getpid():
            self._process = os.getpid()
            self._opened = {
                path: (stamp, root and root.reopened(), members and members.reopened())
                for path, (stamp, root, members) in self._opened.items()
            }
        known = self._opened.get(path)
        if known is None or known[0] != stamp:
            known = self._opened[path] = (stamp, *_open(path))
        _, root, members = known
        if root is None or members is None:
            return FoundRecord(path, attempt, None, None)
        return FoundRecord(path, attempt, root, members[str(index)]) if str(index) in members else None


def _open(path: str) -> tuple[RecordGroup | None, RecordGroup | None]:
    try:
        root = read_record(path)
        return root, root[MEMBERS]
    except (ValueError, KeyError):
        return None, None


def _stamp(path: str) -> tuple[int, int]:
    facts = os.stat(path)
    return facts.st_mtime_ns, facts.st_size
