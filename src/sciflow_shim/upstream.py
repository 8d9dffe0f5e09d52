"""The results of earlier tasks, read from their records."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping

from sciflow_shim import files
from sciflow_shim.array import Array, attempts_of

TYPE_CHECKING = False  # as type checkers know it; importing `typing` takes as long as a record
if TYPE_CHECKING:
    from typing import Any

    from sciflow_shim.record_shelf import FoundRecord


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
        self._packs: dict[str, int] = array.header.get("packs", {})
        self._records: dict[str, list[FoundRecord | None]] = {}

    def __iter__(self) -> Iterator[str]:
        return iter(self._sources)

    def __len__(self) -> int:
        return len(self._sources)

    def failures(self) -> list[tuple[str, str]]:
        """Array index and state of every record that is not there or not completed."""
        failed = []
        # Listed once for all that lie in it: a folder has a thousand records.
        listed: dict[tuple[str, int], dict[int, list[int]]] = {}
        for task, sources in self._sources.items():
            records: list[FoundRecord | None] = []
            for array, index in sources:
                pack = self._packs.get(array, 1)
                element = index // pack
                shard = (array, element // files.SHARD)
                if shard not in listed:
                    listed[shard] = attempts_of(self._array.run, array, element)
                found = self._array.shelf.find(array, index, pack, listed[shard].get(element, []))
                state = found.state if found else "missing"
                records.append(found if state == "COMPLETED" else None)
                if state != "COMPLETED":
                    failed.append((f"{array}[{index}]", state))
            self._records[task] = records
        return failed

    def used(self) -> dict[str, list[list[Any]]]:
        """Earlier task → the records that were found completed: array, its indices as ranges, and which attempt."""
        used: dict[str, list[list[Any]]] = {}
        for task, sources in self._sources.items():
            found: dict[tuple[str, int], list[int]] = {}
            for (array, index), record in zip(sources, self._records.get(task, ())):
                if record is not None:
                    found.setdefault((array, record.attempt), []).append(index)
            used[task] = [[array, files.format_ranges(found[array, n]), n] for array, n in found]
        return used

    def __getitem__(self, task: str) -> Any:
        if task not in self._sources:
            raise KeyError(task)
        if task not in self._records:
            self.failures()
        found = [record for record in self._records[task] if record is not None]
        if not self._array.header["upstream"][task]["many"]:
            if not found:
                raise LookupError(f"task `{task}` left no completed record here")
            return load_results(found[0])
        results = ResultList(load_results(record) for record in found)
        results.parameters = [_parameters(record) for record in found]
        return results


def _parameters(found: FoundRecord) -> dict[str, Any]:
    assert found.group is not None
    return json.loads(found.group.attributes["parameters"])


def load_results(found: FoundRecord) -> Any:
    """Give back what a function returned, or a command left, from its record."""
    record = found.group
    assert record is not None
    results = record.members["results"].members
    metrics = record.members["metrics"].attributes
    artifacts = {one.attributes["name"]: one for one in record.members["artifacts"].members.values()}
    values: dict[str, Any] = ResultMapping()
    for name in json.loads(record.attributes["order"]):
        if name in metrics:
            values[name] = metrics[name]
        elif name in artifacts:
            values[name] = _artifact(found.path, artifacts[name].attributes["path"])
        else:
            values[name] = _result(found.path, results[name])
    if record.attributes["returned"] == "value":
        return values["result"]
    if record.attributes["returned"] == "none" and not values:
        return None
    values.parameters = _parameters(found)
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
