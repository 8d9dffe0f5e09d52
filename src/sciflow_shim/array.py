"""An array job as the node sees it: its header, its task and its lines."""

from __future__ import annotations

import json
import os

from sciflow_shim import files

TYPE_CHECKING = False  # as type checkers know it; importing `typing` takes as long as a record
if TYPE_CHECKING:
    from typing import Any

    from sciflow_shim.record_shelf import RecordShelf


class Array:
    """One array job of a run directory.

    Parameters
    ----------
    run
        The run directory.
    name
        The array job's name, or `name@variant` for one that is tried again.

    Attributes
    ----------
    only
        The indices that are to run of those that are packed together; None for all.
    goes_on
        Whether an index starts only where its last attempt was stopped before its end.
    then
        The array jobs whose same index runs after that of this one, in the same job.
    rides
        Whether it runs so after another one.
    links
        How many of it follow each other, each from the checkpoint of the one before.
    members
        Among how many the time of one of the scheduler's indices is shared.
    brake
        How many must have ended, nearly all in failure, before no more are started; 0 for never.
    """

    def __init__(self, run: str, name: str) -> None:
        self.run = run
        self.name, _, self.variant = name.partition("@")
        self.header: dict[str, Any] = files.read_json(self.path(files.array_header(self.name)))
        self.task: dict[str, Any] = files.read_json(self.path(files.task_file(self.header["task"])))
        self.pack: int = self.header.get("pack", 1)
        self.links: int = self.header.get("links", 1)
        self.brake: int = self.header.get("brake", 0)
        self.members = self.pack
        self.only: set[int] | None = None
        self.goes_on = False
        self.then: list[str] = []
        self.rides = False
        if self.variant:
            self._become_variant(files.read_json(self.path(files.array_variant(self.name, self.variant))))
        self._shelf: RecordShelf | None = None
        self._offsets: dict[int, list[int]] = {}

    def _become_variant(self, document: dict[str, Any]) -> None:
        self.header["request"] = {**self.header["request"], **document.get("request", {})}
        self.members = document.get("members", self.members)
        self.goes_on = document.get("goes_on", False)
        self.then = document.get("then", [])
        if "only" in document:
            self.only = set(files.parse_ranges(document["only"]))

    def path(self, name: str) -> str:
        """The full path of one of the run's files."""
        return os.path.join(self.run, name)

    @property
    def metadata(self) -> dict[str, Any]:
        """What the task wants to be recorded besides; nothing in a run of an earlier sciflow."""
        return self.task.get("metadata") or {}

    @property
    def commands(self) -> dict[str, str]:
        """What the task wants to be asked of the node: name → line for bash."""
        return self.metadata.get("commands") or {}

    @property
    def has_files(self) -> bool:
        """Whether files are listed on which the task's results depend."""
        return bool((self.task.get("inputs") or {}).get("files"))

    @property
    def shelf(self) -> RecordShelf:
        """The records of the run."""
        if self._shelf is None:
            from sciflow_shim.record_shelf import RecordShelf  # most indices need no other's record

            self._shelf = RecordShelf(self.run)
        return self._shelf

    def line(self, index: int) -> dict[str, Any]:
        """What index `index` is to do.

        Raises
        ------
        IndexError
            For an index that the array job does not have.
        """
        if not 0 <= index < self.header["count"]:
            raise IndexError(f"array `{self.name}` has indices 0-{self.header['count'] - 1}, not {index}")
        with open(self.path(files.array_lines(self.name)), "rb") as file:
            block, place = divmod(index, files.BLOCK)
            if block not in self._offsets:
                self._offsets[block] = _line_offsets(file, self.header["offsets"][block])
            file.seek(self._offsets[block][place])
            return json.loads(file.readline())

    def of_element(self, element: int) -> range:
        """The indices that run in one of the scheduler's.

        Raises
        ------
        IndexError
            For one that the array job does not have.
        """
        last = -(-self.header["count"] // self.pack) - 1
        if not 0 <= element <= last:
            raise IndexError(f"array `{self.name}` has indices 0-{last}, not {element}")
        return range(element * self.pack, min((element + 1) * self.pack, self.header["count"]))

    def follower(self, name: str) -> Array:
        """An array job whose same index runs after that of this one, in the same job."""
        found = Array(self.run, name)
        found.rides = True
        return found

    def held_back(self) -> str:
        """Why nothing more of it is to be started; empty where nothing holds it back."""
        if not self.brake or not os.path.exists(self.path(files.brake(self.name))):
            return ""
        from sciflow_shim import brake  # most array jobs have none

        return brake.why(self)

    def upstream(self, line: dict[str, Any], index: int) -> dict[str, list[list[Any]]]:
        """Earlier task → the array indices whose results an index needs, in the space's order."""
        found: dict[str, list[list[Any]]] = {}
        for task, facts in self.header["upstream"].items():
            if facts["array"]:
                found[task] = [[facts["array"], index]]
            else:
                found[task] = [[array, i] for array, text in line["upstream"][task] for i in files.parse_ranges(text)]
        return found


def _line_offsets(file: Any, position: int) -> list[int]:
    """Where the lines of a block begin; only so much of a file is read, which may have a million of them."""
    offsets = []
    file.seek(position)
    for line in file:
        offsets.append(position)
        if len(offsets) == files.BLOCK:
            break
        position += len(line)
    return offsets


def attempts_of(run: str, array: str, index: int) -> dict[int, list[int]]:
    """The attempts that left records, of each index whose records lie in the same folder as those of `index`."""
    folder = os.path.dirname(os.path.join(run, files.record(array, index, 0)))
    found: dict[int, list[int]] = {}
    try:
        names = os.listdir(folder)
    except FileNotFoundError:
        return found
    for i, attempt in map(files.split_attempt, names):
        found.setdefault(i, []).append(attempt)
    return found


def last_attempt(run: str, array: str, index: int) -> int:
    """The highest attempt of an index that left a record; 0 if none did."""
    return max(attempts_of(run, array, index).get(index, [0]))
