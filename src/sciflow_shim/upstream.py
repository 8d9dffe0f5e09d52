"""The results of earlier tasks, read from their records."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping

from sciflow_shim import files
from sciflow_shim.array import Array, last_attempts

TYPE_CHECKING = False  # as type checkers know it; importing `typing` takes as long as a record
if TYPE_CHECKING:
    from typing import Any


class ResultMapping(dict):
    """What an earlier task instance returned, and the `parameters` that it had."""

    parameters: dict[str, Any]


class ResultList(list):
    """What the instances of an earlier task returned, in the space's order, and the `parameters` of each."""

    parameters: list[dict[str, Any]]


class Upstream(Mapping):
    """Earlier task → its results, read when they are asked for.

    Parameters
    ----------
    array
        The array job that asks.
    line
        The line of the index that asks.
    index
        The index that asks.
    """

    def __init__(self, array: Array, line: dict[str, Any], index: int) -> None:
        self._array = array
        self._sources = array.upstream(line, index)
        self._records: dict[str, list[str | None]] = {}

    def __iter__(self) -> Iterator[str]:
        return iter(self._sources)

    def __len__(self) -> int:
        return len(self._sources)

    def failures(self) -> list[tuple[str, str]]:
        """Array index and state of every record that is not there or not completed."""
        failed = []
        # Listed once for all that lie in it: a folder has a thousand records.
        listed: dict[tuple[str, int], dict[int, int]] = {}
        for task, sources in self._sources.items():
            paths: list[str | None] = []
            for array, index in sources:
                shard = (array, index // files.SHARD)
                if shard not in listed:
                    listed[shard] = last_attempts(self._array.run, array, index)
                path, state = _completed(self._array.run, array, index, listed[shard].get(index, 0))
                paths.append(path)
                if path is None:
                    failed.append((f"{array}[{index}]", state))
            self._records[task] = paths
        return failed

    def __getitem__(self, task: str) -> Any:
        if task not in self._sources:
            raise KeyError(task)
        if task not in self._records:
            self.failures()
        found = [path for path in self._records[task] if path is not None]
        if not self._array.header["upstream"][task]["many"]:
            if not found:
                raise LookupError(f"task `{task}` left no completed record here")
            return load_results(found[0])
        results = ResultList(load_results(path) for path in found)
        results.parameters = [dict(read_parameters(path)) for path in found]
        return results


def completed_record(run: str, array: str, index: int) -> tuple[str | None, str]:
    """The record of the last attempt if it is completed, and its state; (None, "missing") without one."""
    return _completed(run, array, index, last_attempts(run, array, index).get(index, 0))


def _completed(run: str, array: str, index: int, attempt: int) -> tuple[str | None, str]:
    path = os.path.join(run, files.record(array, index, attempt))
    if not os.path.exists(path):
        return None, "missing"
    from sciflow_shim.record_reader import read_record

    try:
        state = str(read_record(path).attributes.get("state", "torn"))
    except ValueError:
        return None, "torn"
    return (path, state) if state == "COMPLETED" else (None, state)


def read_parameters(path: str) -> dict[str, Any]:
    """The parameters that a record was made with."""
    from sciflow_shim.record_reader import read_record

    return json.loads(read_record(path).attributes["parameters"])


def load_results(path: str) -> Any:
    """Give back what a function returned, or a command left, from its record."""
    from sciflow_shim.record_reader import read_record

    record = read_record(path)
    results = record.members["results"].members
    metrics = record.members["metrics"].attributes
    artifacts = {one.attributes["name"]: one for one in record.members["artifacts"].members.values()}
    values: dict[str, Any] = ResultMapping()
    for name in json.loads(record.attributes["order"]):
        if name in metrics:
            values[name] = metrics[name]
        elif name in artifacts:
            values[name] = _artifact(path, artifacts[name].attributes["path"])
        else:
            values[name] = _result(path, results[name])
    if record.attributes["returned"] == "value":
        return values["result"]
    if record.attributes["returned"] == "none" and not values:
        return None
    values.parameters = read_parameters(path)
    return values


def _artifact(record: str, path: str) -> Any:
    from pathlib import Path

    if os.path.isabs(path):
        return Path(path)
    run = record[: record.rindex(os.sep + files.RECORDS + os.sep)]
    return Path(run, path)


def _result(path: str, stored: Any) -> Any:
    if not hasattr(stored, "shape"):
        import pandas

        return pandas.DataFrame({name: _result(path, column) for name, column in stored.members.items()})
    from sciflow_shim import packing  # only for those who ask for results that are no metrics

    kind = stored.attributes.get("kind", "array")
    if kind in ("json", "pickle"):
        return packing.unpack_object(bytes(stored.read()), kind)
    return packing.unpack_array(path, stored.offset, stored.dtype, list(stored.shape), stored.attributes)
