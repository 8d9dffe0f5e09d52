"""An array job as the node sees it: its header, its task and its lines."""

from __future__ import annotations

import json
import os

from sciflow_shim import files

TYPE_CHECKING = False  # as type checkers know it; importing `typing` takes as long as a record
if TYPE_CHECKING:
    from typing import Any


class Array:
    """One array job of a run directory.

    Parameters
    ----------
    run
        The run directory.
    name
        The array job's name.
    """

    def __init__(self, run: str, name: str) -> None:
        self.run = run
        self.name = name
        self.header: dict[str, Any] = files.read_json(self.path(files.array_header(name)))
        self.task: dict[str, Any] = files.read_json(self.path(files.task_file(self.header["task"])))
        self._offsets: list[int] = []

    def path(self, name: str) -> str:
        """The full path of one of the run's files."""
        return os.path.join(self.run, name)

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
            if not self._offsets:
                self._offsets = _line_offsets(file)
            file.seek(self._offsets[index])
            return json.loads(file.readline())

    def upstream(self, line: dict[str, Any], index: int) -> dict[str, list[list[Any]]]:
        """Earlier task → the array indices whose results an index needs, in the space's order."""
        found: dict[str, list[list[Any]]] = {}
        for task, facts in self.header["upstream"].items():
            if facts["array"]:
                found[task] = [[facts["array"], index]]
            else:
                found[task] = [[array, i] for array, text in line["upstream"][task] for i in files.parse_ranges(text)]
        return found


def _line_offsets(file: Any) -> list[int]:
    offsets, position = [], 0
    for line in file:
        offsets.append(position)
        position += len(line)
    return offsets


def last_attempt(run: str, array: str, index: int) -> int:
    """The highest attempt that left a record; 0 if none did."""
    return last_attempts(run, array, index).get(index, 0)


def last_attempts(run: str, array: str, index: int) -> dict[int, int]:
    """The highest attempt of each index whose records lie in the same folder as those of `index`."""
    folder = os.path.dirname(os.path.join(run, files.record(array, index, 0)))
    found: dict[int, int] = {}
    try:
        names = os.listdir(folder)
    except FileNotFoundError:
        return found
    for i, attempt in map(files.split_attempt, names):
        found[i] = max(attempt, found.get(i, 0))
    return found
