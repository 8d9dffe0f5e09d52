"""The records of a run as rows, of which only those that are new or changed are read."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from sciflow.model.plan import Plan
from sciflow.run.known_records import KnownRecords
from sciflow.store.collected import Collected, KnownFile
from sciflow.store.columns import Table, TableBuilder
from sciflow.store.inventory import Stamp, place_of
from sciflow.store.layout import RunDirectory
from sciflow.store.record_rows import RecordFacts, read_rows
from sciflow.store.records import TORN
from sciflow.store.results import ARRAYS, ATTEMPTS, METRICS, Tables


@dataclass
class Rows:
    """All that records tell, by columns.

    Attributes
    ----------
    attempts
        One row per attempt.
    metrics
        Task → one row per attempt of it, in the same order.
    arrays
        One row per array; ``record`` is the row of its attempt.
    """

    attempts: Table
    metrics: dict[str, Table]
    arrays: Table


class Catalog(KnownRecords):
    """What the records of a run tell: states, and rows.

    Parameters
    ----------
    run, plan
        The run, and what it does.
    run_id
        The id that its records state.
    listed
        The files that are there.
    known
        What is known of them from the last time.
    stored
        The tables that `known` is about.
    """

    def __init__(
        self, run: RunDirectory, plan: Plan, run_id: str, listed: dict[str, Stamp], known: Collected, stored: Tables
    ) -> None:
        super().__init__(run, plan, run_id, {})
        self._tasks = {array.name: array.task for array in plan.arrays}
        self._order = {array.name: number for number, array in enumerate(plan.arrays)}
        self.read_count = 0
        self._stored = stored
        self._new: dict[str, KnownFile] = {}
        self._attempts, self._arrays = TableBuilder(), TableBuilder()
        self._metrics: dict[str, TableBuilder] = {}
        fresh: list[str] = []
        for name, stamp in listed.items():
            one = known.files.get(name)
            if one is not None and one.stamp == stamp:
                self.files[name] = one
            else:
                fresh.append(name)

        for name, facts in self._read_all(fresh):
            self._take_in(name, listed[name], facts)

    def rows(self) -> Rows:
        """All rows, ordered by array job, index and attempt; those of records that do not count are left out."""
        old = self._stored_rows() if len(self._new) < len(self.files) else Rows(Table(), {}, Table())
        shift = old.attempts.count
        attempts = TableBuilder(old.attempts)
        attempts.extend(self._attempts.finish())
        names = sorted(self.files, key=self._key)
        chosen: list[int] = []
        for name in names:
            one = self.files[name]
            first = one.first + (shift if name in self._new else 0)
            chosen += range(first, first + one.count)
        whole = attempts.finish()
        order = np.array(chosen, dtype=np.int64)
        metrics = {task: self._metrics_of(task, old, whole, order) for task in dict.fromkeys(self._tasks.values())}
        arrays = self._arrays_of(old, order, shift, whole.count)
        position = 0
        files = {}
        for name in names:
            files[name] = one = self.files[name]
            one.first, position = position, position + one.count
        self.files, self._new = files, {}
        return Rows(whole.take(order), metrics, arrays)

    def _stored_rows(self) -> Rows:
        tasks = dict.fromkeys(self._tasks.values())
        metrics = {task: self._stored.table(f"{METRICS}/{task}") for task in tasks}
        return Rows(self._stored.table(ATTEMPTS), metrics, self._stored.table(ARRAYS))

    def _metrics_of(self, task: str, old: Rows, whole: Table, order: Any) -> Table:
        builder = TableBuilder(old.metrics.get(task))
        if task in self._metrics:
            builder.extend(self._metrics[task].finish())
        table = builder.finish()
        if not whole.count:
            return table
        is_its = whole.columns["task"].values == task
        place = np.cumsum(is_its) - 1  # a row of all attempts → one of the task's, which are in the same order
        taken = table.take(place[order[is_its[order]]])
        # In the order in which they first appear, however little by little they came.
        return Table(dict(sorted(taken.columns.items(), key=lambda one: one[1].first)), taken.count)

    def _arrays_of(self, old: Rows, order: Any, shift: int, count: int) -> Table:
        parts = []
        for table, more in ((old.arrays, 0), (self._arrays.finish(), shift)):
            if table.count:
                parts.append((table, table.columns["record"].values + more))
        if not parts:
            return Table()
        builder = TableBuilder()
        for table, _ in parts:
            builder.extend(table)
        now = np.full(count, -1, dtype=np.int64)
        now[order] = np.arange(len(order))
        records = now[np.concatenate([records for _, records in parts])]
        sequence = np.argsort(records, kind="stable")
        sequence = sequence[records[sequence] >= 0]
        table = builder.finish().take(sequence)
        table.columns["record"] = type(table.columns["record"])("int", records[sequence])
        return table

    def _key(self, name: str) -> tuple[int, int, int, str]:
        array, index, attempt = place_of(name)
        return self._order.get(array, len(self._order)), index, attempt, name

    def _take_in(self, name: str, stamp: Stamp, facts: RecordFacts) -> None:
        states = {row.index: row.state for row in facts.rows}
        known = KnownFile(stamp, facts.seal, facts.says, states, len(self._attempts))
        self.files[name] = self._new[name] = known
        self.read_count += 1
        if facts.seal == TORN or not self.is_own(name, known):
            return
        array, _, attempt = place_of(name)
        task = self._tasks[array]
        builder = self._metrics.setdefault(task, TableBuilder())
        for row in facts.rows:
            if row.index >= self._jobs[array].count:
                continue
            for one in row.arrays:
                self._arrays.append({"record": len(self._attempts), "task": task, **one})
            self._attempts.append({**row.facts, "task": task, "array": array, "index": row.index, "attempt": attempt})
            builder.append(row.metrics)
            known.count += 1

    def _read_all(self, names: Iterable[str]) -> Iterator[tuple[str, RecordFacts]]:
        # One after another: on two cores a pool of processes took as long, with its starts and its answers.
        for name in names:
            try:
                yield name, read_rows(f"{self._root}/{name}", name, place_of(name)[1])
            except FileNotFoundError:
                continue  # an interim record, replaced by nothing: its index runs anew
            except OSError:
                yield name, RecordFacts(TORN)
