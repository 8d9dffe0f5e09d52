"""Result arrays of one name, joined into one dataset where all have the same shape and type: `arrays.h5`.

The rows are those of the task's instances, by number; beside each dataset, `<name> is there` tells which rows hold one.
HDF5 lays the file out, and the data is copied into it piece by piece: memory stays small, and a disk without room is an
error, where HDF5 might take the process down.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sciflow.errors import RunError
from sciflow.store.layout import RunDirectory
from sciflow.store.records import open_record, record_place
from sciflow.store.results import INSTANCES
from sciflow_shim import files

if TYPE_CHECKING:
    from sciflow.store.results import Tables

_TEXT = "str"
_BLOCK = 1 << 22
Row = tuple[int, str, str]  # number of the instance, record, dataset


def join_arrays(run: RunDirectory, tables: Tables) -> dict[str, Any]:
    """Write `arrays.h5`.

    Returns
    -------
    dict
        ``joined``: place in the file → how many rows hold an array; ``apart``: place → why its arrays stay where
        they are.

    Raises
    ------
    RunError
        Where it cannot be written.
    """
    found = _by_place(tables)
    joined: dict[str, int] = {}
    apart: dict[str, str] = {}
    chosen: dict[str, tuple[str, tuple[int, ...], list[Row]]] = {}
    for place, one in found.items():
        kinds = {(dtype, shape) for dtype, shape, _ in one}
        dtype, shape = one[0][:2]
        if len(kinds) > 1:
            examples = " and ".join(f"{shape or 'a single value'} of {dtype}" for dtype, shape in sorted(kinds)[:2])
            apart[place] = f"they differ: {examples}"
        elif dtype == _TEXT or "U" in dtype:
            apart[place] = "they are texts, whose lengths differ"
        else:
            extent = tuple(int(part) for part in shape.split("×")) if shape else ()
            chosen[place] = (dtype, extent, [row for _, _, row in one])
            joined[place] = len(one)
    counts: dict[str, int] = {}
    for task in tables.instances["task"]:
        counts[task] = counts.get(task, 0) + 1
    path = run / files.JOINED_ARRAYS
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    try:
        if chosen:
            _write(run, partial, chosen, counts)
            partial.replace(path)
        else:
            path.unlink(missing_ok=True)
    except OSError as error:
        raise RunError(f"`{path}` cannot be written: {error.strerror or error}") from error
    finally:
        partial.unlink(missing_ok=True)
    return {"joined": joined, "apart": apart}


def _by_place(tables: Tables) -> dict[str, list[tuple[str, str, Row]]]:
    """Task and name → dtype, shape and row of each array that belongs to a completed instance."""
    table = tables.table(INSTANCES)
    if "record" not in table:
        return {}
    number = {
        (record, index): number
        for record, index, number, state in zip(
            *(table[n] for n in ("record", "index", "number", "state")), strict=True
        )
        if state == "COMPLETED"
    }
    records = tables.attempts["record"] if tables.attempts.count else []
    found: dict[str, list[tuple[str, str, Row]]] = {}
    arrays = tables.table("arrays")
    names = ("record", "index", "task", "name", "dtype", "stored_as", "shape", "dataset")
    for row, index, task, name, dtype, meant, shape, dataset in zip(*(arrays.get(n, []) for n in names), strict=True):
        record = records[row]
        if (record, index) in number:
            place = f"{task}/{name}"
            found.setdefault(place, []).append((meant or dtype, shape, (number[record, index], record, dataset)))
    return found


def _write(
    run: RunDirectory,
    path: Path,
    chosen: dict[str, tuple[str, tuple[int, ...], list[Row]]],
    counts: dict[str, int],
) -> None:
    starts = _lay_out(path, chosen, counts)
    with path.open("r+b") as file:
        os.posix_fallocate(file.fileno(), 0, path.stat().st_size)
        for place, (_, _, rows) in chosen.items():
            start, size = starts[place]
            for number, record, dataset in rows if size else ():
                _copy(file.fileno(), start + number * size, run, record, dataset)
        os.fsync(file.fileno())


def _lay_out(
    path: Path, chosen: dict[str, tuple[str, tuple[int, ...], list[Row]]], counts: dict[str, int]
) -> dict[str, tuple[int, int]]:
    """Make the file with datasets that have room and no data yet; place → where it starts, and bytes of a row."""
    import h5py
    import numpy as np

    starts = {}
    with h5py.File(path, "w", libver=("v110", "v110")) as file:
        for place, (dtype, shape, rows) in chosen.items():
            count = counts[place.partition("/")[0]]
            kind, meant = np.dtype("?" if dtype == "|b1" else dtype), dtype
            if kind.kind in "mM":
                kind = np.dtype("<i8")  # as in the records: HDF5 has no dates
            settings = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
            settings.set_alloc_time(h5py.h5d.ALLOC_TIME_EARLY)
            is_float = kind.kind in "fc"
            # Rows without an array are NaN, or zero: a file's new bytes are zeros.
            settings.set_fill_time(h5py.h5d.FILL_TIME_ALLOC if is_float else h5py.h5d.FILL_TIME_NEVER)
            dataset = file.create_dataset(
                place, (count, *shape), kind, dcpl=settings, fillvalue=np.array(np.nan, kind) if is_float else None
            )
            there = np.zeros(count, dtype=np.int8)
            there[[number for number, _, _ in rows]] = 1
            file.create_dataset(f"{place} is there", data=there).attrs["dtype"] = "bool"
            dataset.attrs["long_name"] = "a row per instance of the task, by number"
            if kind != np.dtype(meant):
                dataset.attrs["stored_as"] = meant
            starts[place] = (dataset, kind.itemsize * int(np.prod(shape, dtype=np.int64)))
        file.flush()
        return {place: (dataset.id.get_offset() or 0, size) for place, (dataset, size) in starts.items()}


def _copy(target: int, position: int, run: RunDirectory, record: str, dataset: str) -> None:
    path = str(run / record)
    stored: Any = open_record(path)[dataset]
    source, offset, _ = record_place(path)
    left = stored.length
    with open(source, "rb") as file:  # noqa: PTH123 - beside a path that may be a zip's
        file.seek(offset + stored.offset)
        while left:
            block = file.read(min(left, _BLOCK))
            if not block:
                raise OSError(f"`{record}` ends too early")
            position += os.pwrite(target, block, position)
            left -= len(block)
