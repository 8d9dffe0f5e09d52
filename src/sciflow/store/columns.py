"""Tables by columns, in memory: typed arrays, with what is missing apart."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

INT, FLOAT, BOOL, TEXT, JSON = "int", "float", "bool", "str", "json"
_DTYPES = {INT: np.int64, FLOAT: np.float64, BOOL: np.bool_, TEXT: object, JSON: object}
_FILL = {INT: 0, FLOAT: np.nan, BOOL: False, TEXT: "", JSON: None}
_CHUNK = 4096  # rows that are held as Python's objects at a time


@dataclass(frozen=True)
class Column:
    """One column.

    Attributes
    ----------
    kind
        What it holds: ``int``, ``float``, ``bool``, ``str``, or ``json`` for anything mixed, or nothing at all.
    values
        An array; of a missing value it holds any.
    missing
        Where there is no value; None where there is one everywhere.
    """

    kind: str
    values: NDArray[Any]
    missing: NDArray[np.bool_] | None = None

    def __len__(self) -> int:
        return len(self.values)

    @classmethod
    def of(cls, values: Sequence[Any], is_exact: bool = False) -> Column:
        """Make a column; with `is_exact`, an integer among floats stays one."""
        kind = _kind(values, is_exact)
        missing = None
        if kind != JSON and None in values:
            missing = np.array([value is None for value in values], dtype=bool)
            values = [_FILL[kind] if value is None else value for value in values]
        return cls(kind, _array(kind, values), missing)

    @classmethod
    def empty(cls, count: int) -> Column:
        """A column without any value."""
        return cls(JSON, np.full(count, None, dtype=object))

    def tolist(self) -> list[Any]:
        """The values as Python has them; None for one that is missing."""
        values: list[Any] = self.values.tolist()
        if self.missing is not None:
            for position in np.flatnonzero(self.missing).tolist():
                values[position] = None
        return values

    def to_array(self) -> NDArray[Any]:
        """The values as pandas takes them: NaN for a number that is missing, None for anything else.

        Whole numbers that floats cannot tell apart stay Python's where one of them is missing.
        """
        if self.missing is None:
            return self.values
        if self.kind == FLOAT or (self.kind == INT and not has_long_integers(self.values)):
            return np.where(self.missing, np.nan, self.values)
        values = self.values.astype(object)
        values[self.missing] = None
        return values

    def take(self, rows: NDArray[np.int64]) -> Column:
        """The values of some rows, in that order; none for row -1."""
        absent = rows < 0
        if not len(self):
            return Column(self.kind, np.full(len(rows), _FILL[self.kind], dtype=_DTYPES[self.kind]), absent)
        if self.kind == JSON and absent.any():  # what was of another kind may be left out
            return Column.of([None if row < 0 else self.values[row] for row in rows.tolist()])
        values = self.values[rows]
        missing = absent if self.missing is None else absent | self.missing[rows]
        values[absent] = _FILL[self.kind]
        return Column(self.kind, values, missing if self.kind != JSON and missing.any() else None)

    @property
    def first(self) -> int:
        """The first row that has a value; the number of rows where there is none."""
        if self.kind == JSON:
            return next((row for row, value in enumerate(self.values) if value is not None), len(self))
        return 0 if self.missing is None else int(np.argmin(self.missing)) if not self.missing.all() else len(self)

    @property
    def is_empty(self) -> bool:
        """Whether there is no value at all."""
        if self.kind == JSON:
            return all(value is None for value in self.values)
        return self.missing is not None and bool(self.missing.all())


def has_long_integers(values: NDArray[Any]) -> bool:
    """Whether there are whole numbers that would be rounded as floats."""
    return values.dtype == np.int64 and bool(len(values)) and bool((np.abs(values.astype(float)) >= 2.0**53).any())


def joined(columns: Sequence[Column]) -> Column:
    """Some columns, one after another."""
    if len(columns) == 1:
        return columns[0]
    kinds = {column.kind for column in columns if not column.is_empty}
    if kinds == {INT, FLOAT}:
        kinds = {FLOAT}
    if len(kinds) != 1 or kinds == {JSON}:
        values = [value for column in columns for value in column.tolist()]
        return Column.of(values) if not kinds else Column(JSON, _array(JSON, values))
    kind = kinds.pop()
    parts, missing = [], []
    for column in columns:
        if column.is_empty:
            parts.append(np.full(len(column), _FILL[kind], dtype=_DTYPES[kind]))
            missing.append(np.ones(len(column), dtype=bool))
        else:
            parts.append(column.values.astype(_DTYPES[kind], copy=False))
            missing.append(np.zeros(len(column), dtype=bool) if column.missing is None else column.missing)
    absent = np.concatenate(missing)
    return Column(kind, np.concatenate(parts), absent if absent.any() else None)


def _kind(values: Sequence[Any], is_exact: bool) -> str:
    kinds = set(map(type, values)) - {type(None)}
    if not kinds:
        return FLOAT if values and not is_exact else JSON
    if kinds == {float} or (kinds == {float, int} and not is_exact):
        return FLOAT
    if kinds == {int}:
        return INT if all(abs(value) < 2**63 for value in values if value is not None) else JSON
    if kinds == {str}:
        return TEXT if all(is_plain(value) for value in values if value is not None) else JSON
    return BOOL if kinds == {bool} else JSON


def is_plain(text: str) -> bool:
    """Whether HDF5 can hold a text as it is: no NUL, no half of a surrogate pair."""
    if text.isascii():
        return "\0" not in text
    return "\0" not in text and text == text.encode(errors="replace").decode()


def _array(kind: str, values: Sequence[Any]) -> NDArray[Any]:
    if kind in (TEXT, JSON):  # NumPy would make two dimensions of tuples
        array = np.empty(len(values), dtype=object)
        for position, value in enumerate(values):
            array[position] = value
        return array
    return np.array(values, dtype=_DTYPES[kind])


class Table(Mapping[str, list[Any]]):
    """Columns of the same length, by name; each is given as a list when it is asked for.

    Parameters
    ----------
    columns
        Name → column, in order.
    count
        How many rows there are; taken from the columns where it is not given.
    """

    def __init__(self, columns: Mapping[str, Column] | None = None, count: int | None = None) -> None:
        self.columns: dict[str, Column] = dict(columns or {})
        self.count: int = len(next(iter(self.columns.values()), ())) if count is None else count
        self._lists: dict[str, list[Any]] = {}

    def __getitem__(self, name: str) -> list[Any]:
        if name not in self._lists:
            self._lists[name] = self.columns[name].tolist()
        return self._lists[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.columns)

    def __len__(self) -> int:
        return len(self.columns)

    def __repr__(self) -> str:
        return f"<Table of {self.count} rows: {', '.join(self.columns)}>"

    @classmethod
    def of(cls, lists: Mapping[str, Sequence[Any]], exact: Sequence[str] = ()) -> Table:
        """Make a table of lists."""
        return cls({name: Column.of(values, name in exact) for name, values in lists.items()})

    def take(self, rows: NDArray[np.int64]) -> Table:
        """Some rows, in that order; row -1 has no values."""
        return Table({name: column.take(rows) for name, column in self.columns.items()}, len(rows))


class TableBuilder:
    """Makes a table row by row, of which only the last few thousand are Python's objects.

    Parameters
    ----------
    base
        The rows that come first.
    """

    def __init__(self, base: Table | None = None) -> None:
        self._parts: list[dict[str, Column]] = [base.columns] if base is not None and base.count else []
        self._counts: list[int] = [base.count] if base is not None and base.count else []
        self._rows: list[Mapping[str, Any]] = []
        self._texts: dict[str, str] = {}  # the same text is held once

    def __len__(self) -> int:
        return sum(self._counts) + len(self._rows)

    def append(self, row: Mapping[str, Any]) -> None:
        """Add a row; what it does not name is missing."""
        self._rows.append(row)
        if len(self._rows) >= _CHUNK:
            self._flush()

    def extend(self, table: Table) -> None:
        """Add all rows of a table."""
        self._flush()
        if table.count:
            self._parts.append(table.columns)
            self._counts.append(table.count)

    def finish(self) -> Table:
        """The table of all rows."""
        self._flush()
        names = dict.fromkeys(name for part in self._parts for name in part)
        return Table(
            {
                name: joined(
                    [
                        part[name] if name in part else Column.empty(count)
                        for part, count in zip(self._parts, self._counts, strict=True)
                    ]
                )
                for name in names
            },
            sum(self._counts),
        )

    def _flush(self) -> None:
        if not self._rows:
            return
        names = dict.fromkeys(name for row in self._rows for name in row)
        part = {name: Column.of([self._once(row.get(name)) for row in self._rows]) for name in names}
        self._parts.append(part)
        self._counts.append(len(self._rows))
        self._rows = []

    def _once(self, value: Any) -> Any:
        return self._texts.setdefault(value, value) if type(value) is str and len(value) < 64 else value
