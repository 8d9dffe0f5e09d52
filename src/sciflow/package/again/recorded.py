"""The task instances of a run as two runs are compared: what became of each, and all values that it left."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sciflow.errors import DamagedError
from sciflow.store.layout import RunDirectory, read_document
from sciflow.store.records import members_of, open_record
from sciflow.store.results import ENVIRONMENTS, Tables
from sciflow_shim import files
from sciflow_shim.record_reader import RecordDataset, RecordGroup, read_record

Key = tuple[str, str]  # task, id of the instance
_FACTS = ("number", "state", "error_type", "error", "record", "index")


@dataclass(frozen=True)
class Instance:
    """What became of a task instance.

    Attributes
    ----------
    parameters
        Those on which its task depends.
    record, index
        The path of its record from the run directory, empty without one, and which of those in it.
    gathers
        A digest of what it, or a task before it, gathers; empty where that is nothing.
    """

    task: str
    number: int
    parameters: Mapping[str, Any]
    state: str
    error_type: str
    error: str
    record: str
    index: int
    gathers: str = ""


@dataclass(frozen=True)
class Values:
    """What an instance left.

    Attributes
    ----------
    metrics, results
        By name; a column of a table is ``table/column``.
    files
        Name → what is known of a file: its size, its SHA-256, of how many files it consists.
    seed
        What random numbers started from, where the program asked sciflow for that; None of an early version.
    """

    metrics: Mapping[str, Any]
    results: Mapping[str, RecordDataset]
    files: Mapping[str, dict[str, Any]]
    seed: int | None


NOTHING = Values({}, {}, {}, None)


class RecordedRun:
    """The instances of a run, of which the records are opened one at a time.

    Parameters
    ----------
    run, tables
        The run, and what was collected of it.
    """

    def __init__(self, run: RunDirectory, tables: Tables) -> None:
        self.run = run
        self.tables = tables
        self.manifest = read_document(run.manifest)
        self._open: tuple[str, dict[int, tuple[dict[str, Any], RecordGroup]]] | None = None
        table = tables.instances
        own = tables.facts["task_parameters"]
        keys = list(zip(table["task"], table["instance"], strict=True)) if table.count else []
        self._rows: dict[Key, int] = {key: row for row, key in enumerate(keys)}
        self._columns = {name: table.get(name) for name in _FACTS}
        self._parameters = {
            task: {name: table[f"parameters.{name}"] for name in names if f"parameters.{name}" in table}
            for task, names in own.items()
        }
        self._gathers = self._read_gathers()

    def __contains__(self, key: object) -> bool:
        return key in self._rows

    def __iter__(self) -> Iterator[Key]:
        return iter(self._rows)

    def __len__(self) -> int:
        return len(self._rows)

    def instance(self, key: Key) -> Instance:
        """One of the instances."""
        row = self._rows[key]
        facts = {name: None if column is None else column[row] for name, column in self._columns.items()}
        return Instance(
            key[0],
            int(facts["number"] or 0),
            {name: column[row] for name, column in self._parameters.get(key[0], {}).items()},
            str(facts["state"]),
            str(facts["error_type"] or ""),
            str(facts["error"] or ""),
            str(facts["record"] or ""),
            int(facts["index"] or 0),
            self._gathers.get(key, ""),
        )

    def parameter_values(self) -> dict[str, list[Any]]:
        """Parameter → the values that it has in the combinations, each once."""
        table = self.tables.combinations
        return {
            name: list({json.dumps(value): value for value in table[name]}.values())
            for name in self.tables.parameters
            if name in table
        }

    def environment(self, name: str = "") -> dict[str, dict[str, Any]]:
        """What was captured of an environment, by group and name; by default of that of most attempts.

        Nothing where it was not captured.
        """
        table = self.tables.table(ENVIRONMENTS)
        counts = dict(zip(table["environment"], table["attempts"], strict=True)) if table.count else {}
        name = name or max(counts, key=lambda one: counts[one] or 0, default="")
        try:
            root: Any = read_record(self.run / files.environment(name))
        except (OSError, ValueError):  # its capture was cut off
            return {}
        groups = {group: one for group, one in root.members.items() if isinstance(one, RecordGroup)}
        return {
            group: {**one.attributes, **{n: d.value for n, d in one.members.items() if isinstance(d, RecordDataset)}}
            for group, one in groups.items()
        }

    def values(self, instance: Instance) -> Values:
        """All that an instance left; nothing where it has no record.

        Raises
        ------
        DamagedError
            Where its record cannot be read.
        """
        if not instance.record:
            return NOTHING
        try:
            found = self._members(instance).get(instance.index)
            return NOTHING if found is None else _values(*found)
        except (OSError, ValueError, KeyError) as error:
            raise DamagedError(f"`{self.run / instance.record}` cannot be read: {error}") from error

    def _members(self, instance: Instance) -> dict[int, tuple[dict[str, Any], RecordGroup]]:
        """The groups of a record, which is kept open until another one is asked for: it may hold many instances."""
        if self._open is None or self._open[0] != instance.record:
            self._open = None
            root = open_record(str(self.run / instance.record))
            self._open = (instance.record, {i: (facts, group) for i, facts, group in members_of(root, instance.index)})
        return self._open[1]

    def _read_gathers(self) -> dict[Key, str]:
        found: dict[Key, str] = {}
        for array in dict.fromkeys(self.tables.instances["array"] if self.tables.instances.count else ()):
            task = array.rpartition(".")[0]
            with self.run.lines(array).open("rb") as file:
                for text in file:
                    line = json.loads(text)
                    if "gathers" not in line:
                        break  # either all instances of a task gather, or none does
                    found[task, line["id"]] = line["gathers"]
        return found


def _values(facts: dict[str, Any], group: RecordGroup) -> Values:
    members = group.members
    results: dict[str, RecordDataset] = {}
    for name, one in members["results"].members.items():
        if isinstance(one, RecordGroup):
            results |= {f"{name}/{column}": data for column, data in one.members.items()}
        else:
            results[name] = one
    left = {str(one.attributes["name"]): dict(one.attributes) for one in members["artifacts"].members.values()}
    return Values(dict(members["metrics"].attributes), results, left, facts.get("seed"))
