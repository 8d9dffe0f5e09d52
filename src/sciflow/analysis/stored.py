"""What stays in the records, read on demand: result arrays, and time series of what was used."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from sciflow.errors import ResultError
from sciflow.model.nearest import nearest
from sciflow.model.state import State
from sciflow.store.layout import RunDirectory
from sciflow.store.records import members_of, open_record
from sciflow_shim.record_reader import RecordDataset, RecordGroup

if TYPE_CHECKING:
    import pandas as pd

    from sciflow.store.results import Tables


def read_array(run: RunDirectory, tables: Tables, task: str, number: int, name: str) -> NDArray[Any]:
    """One result array of a completed instance; large ones are mapped from its record, not read at once.

    Raises
    ------
    ResultError
        Where there is none of that name.
    """
    table, arrays, records = tables.instances, tables.table("arrays"), tables.attempts
    columns = (table.get(one, []) for one in ("task", "number", "state", "record", "index"))
    for its_task, its_number, state, record, index in zip(*columns, strict=True):
        if (its_task, its_number) == (task, number):
            place = (record, index)
            if state != "COMPLETED":
                raise ResultError(f"instance {number} of `{task}` is {state}: it has no `{name}`")
            break
    else:
        raise ResultError(f"there is no instance {number} of `{task}`")
    paths = records["record"]
    columns = (arrays.get(one, []) for one in ("record", "index", "name", "dataset"))
    own = {its: where for row, i, its, where in zip(*columns, strict=True) if (paths[row], i) == place}
    if name not in own:
        raise ResultError(f"instance {number} of `{task}` has no array `{name}`", hint=nearest(name, list(own)))
    return read_dataset(run, place[0], own[name])


def read_dataset(run: RunDirectory, record: str, dataset: str) -> NDArray[Any]:
    """One dataset of a record; a large one is mapped, not read at once."""
    return _array(open_record(str(run / record))[dataset])


def read_arrays(run: RunDirectory, tables: Tables, task: str, name: str) -> Iterator[tuple[int, NDArray[Any]]]:
    """The result arrays of a name, of all completed instances of a task that have one: number of the instance, array.

    They are read one after the other, as they are asked for.
    """
    table, arrays, records = tables.instances, tables.table("arrays"), tables.attempts
    columns = (table.get(one, []) for one in ("task", "number", "state", "record", "index"))
    numbers = {
        (record, index): number
        for its, number, state, record, index in zip(*columns, strict=True)
        if its == task and state == State.COMPLETED.value
    }
    paths = records.get("record", [])
    columns = (arrays.get(one, []) for one in ("record", "index", "name", "dataset"))
    opened: tuple[str, RecordGroup] | None = None  # a record may be of many instances
    for row, index, its, dataset in zip(*columns, strict=True):
        if its == name and (paths[row], index) in numbers:
            path = paths[row]
            if opened is None or opened[0] != path:
                opened = (path, open_record(str(run / path)))
            yield numbers[path, index], _array(opened[1][dataset])


def read_series(run: RunDirectory, array: str, index: int, element: int, attempt: int | None) -> pd.DataFrame:
    """What an attempt has used over time, by default the last: a row per point.

    Raises
    ------
    ResultError
        Where it has left no record that can be read.
    """
    import pandas as pd

    there = [one for one in run.records(array) if one.index in (element, index) and attempt in (None, one.attempt)]
    for one in sorted(there, key=lambda one: -one.attempt):
        try:
            groups = {i: group for i, _, group in members_of(open_record(one.path), index)}
        except ValueError:
            continue  # torn; an earlier one may be whole
        if index in groups:
            members: dict[str, Any] = groups[index]["resources"].members
            columns = {name: _array(data) for name, data in members.items() if isinstance(data, RecordDataset)}
            return pd.DataFrame(columns)
    which = f"attempt {attempt} has left no record" if attempt is not None else "none of its attempts has left a record"
    raise ResultError(f"{array}[{index}]: {which} that can be read")


def _array(stored: RecordDataset | RecordGroup) -> NDArray[Any]:
    assert isinstance(stored, RecordDataset)
    if stored.dtype == "str":
        return np.array(stored.value, dtype=object)
    dtype = np.dtype("?" if stored.dtype == "|b1" else stored.dtype)
    values = np.frombuffer(stored.read(), dtype).reshape(stored.shape)
    meant = str(stored.attributes.get("stored_as", ""))  # texts and dates, which HDF5 has not as NumPy has them
    if "U" in meant:
        return np.char.decode(values, "utf-8").astype(meant)
    return values.view(meant) if meant else values
