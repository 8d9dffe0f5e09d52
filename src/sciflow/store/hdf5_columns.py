"""A table as a group of an HDF5 file: a dataset per column, which netCDF's readers find as well.

A column's dataset has its name. Its rows are counted by a dimension scale, so that xarray opens the group. What is
missing is NaN among floats, `_FillValue` among integers, and the attribute `missing` among texts.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import h5py
import numpy as np

from sciflow.store.columns import BOOL, FLOAT, INT, JSON, TEXT, Column, Table, is_plain
from sciflow.store.space import hashable

_LOWEST = -(2**63)  # no column of integers holds it, so that it may stand for none
# A NaN of its own for what is missing: every reader sees NaN, and here it is told from a NaN that was computed.
_NOTHING_BITS = 0x7FF8_0000_5C1F_1077
_NOTHING = np.array(_NOTHING_BITS, dtype=np.uint64).view(np.float64)
_TEXT_DTYPE = h5py.string_dtype()


def write_table(
    file: Any,
    name: str,
    table: Table,
    rows: str,
    numbers: Any = None,
    described: Mapping[str, Mapping[str, Any]] | None = None,
) -> None:
    """Write a table as a group.

    Parameters
    ----------
    file
        The open file.
    name
        The group's name.
    table
        What to write.
    rows
        The name of the dimension that counts its rows.
    numbers
        What the dimension scale holds; by default it counts from 0.
    described
        Column → further attributes.
    """
    group = file.create_group(name, track_order=True)
    places = _places([rows, *table])
    scale = group.create_dataset(places[0], data=np.arange(table.count) if numbers is None else numbers)
    scale.make_scale(places[0])
    for place, (column_name, column) in zip(places[1:], table.columns.items(), strict=True):
        dataset = _write_column(group, place, column)
        if place != column_name:
            dataset.attrs["name"] = column_name
        for key, value in ((described or {}).get(column_name) or {}).items():
            dataset.attrs[key] = value
        dataset.dims[0].attach_scale(scale)


def _places(names: Sequence[str]) -> list[str]:
    """Names of datasets: those of the columns, where HDF5 can have them and none has it already."""
    taken: set[str] = set(names[1:])
    places: list[str] = []
    for position, name in enumerate(names):
        place = name.replace("/", "|")
        if place in ("", ".", "..") or (place != name and place in taken) or place in places:
            place += "|"
        while place in places or (place != name and place in taken) or (not position and place in taken):
            place += "_"
        places.append(place)
    return places


def _write_column(group: Any, place: str, column: Column) -> Any:
    kind, missing = column.kind, column.missing
    attributes: dict[str, Any] = {}
    if kind == FLOAT:
        values = column.values if missing is None else np.where(missing, _NOTHING, column.values)
    elif kind == INT:
        values = column.values
        if missing is not None:
            values, attributes["_FillValue"] = np.where(missing, _LOWEST, values), np.int64(_LOWEST)
    elif kind == BOOL:
        values = column.values.astype(np.int8)
        if missing is None:
            attributes["dtype"] = "bool"  # as xarray writes and reads it; netCDF has no truth values
        else:
            values, attributes["_FillValue"] = np.where(missing, np.int8(-1), values), np.int8(-1)
    elif kind == TEXT:
        values = column.values
        if missing is not None:
            attributes["missing"] = mark = _free_text(column.values)
            values = np.where(missing, mark, values)
    else:
        values = np.array([_json(value) for value in column.tolist()], dtype=object)
    dtype = _TEXT_DTYPE if kind in (TEXT, JSON) else values.dtype
    dataset = group.create_dataset(place, data=values, dtype=dtype, shape=(len(values),))
    dataset.attrs["kind"] = kind
    for name, value in attributes.items():
        dataset.attrs[name] = value
    return dataset


def _free_text(values: Any) -> str:
    known, mark = set(values.tolist()), ""
    if mark in known - {""} or any(value == "" for value in values):
        mark = "(none)"
    while mark in known:
        mark += ")"
    return mark


def _json(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if is_plain(text) else json.dumps(value)


def read_columns(group: Any) -> Table:
    """Read a table back."""
    columns, count = {}, 0
    for place, dataset in group.items():
        if dataset.attrs.get("CLASS") == b"DIMENSION_SCALE":
            count = len(dataset)
        else:
            columns[str(dataset.attrs.get("name", place))] = _read_column(dataset)
    return Table(columns, count)


def read_first_format(group: Any) -> Table:
    """Read a table of the first format, whose datasets were numbered."""
    return Table({str(dataset.attrs["name"]): _read_column(dataset) for dataset in group.values()})


def _read_column(dataset: Any) -> Column:
    kind = str(dataset.attrs["kind"])
    if kind in (TEXT, JSON):
        values = np.empty(len(dataset), dtype=object)
        values[:] = dataset.asstr()[()]
        if kind == JSON:
            decoded = [hashable(json.loads(text)) for text in values]
            for position, value in enumerate(decoded):
                values[position] = value
            return Column(JSON, values)
        mark = dataset.attrs.get("missing")
        return Column(TEXT, values, None if mark is None else values == mark)
    values = dataset[()]
    fill = dataset.attrs.get("_FillValue")
    missing = None if fill is None else values == fill
    if kind == FLOAT:
        absent = values.view(np.uint64) == _NOTHING_BITS
        missing = absent if absent.any() else None
    return Column(kind, values.astype(bool) if kind == BOOL else values, missing)
