"""`results.h5`: the collected tables, by columns."""

from __future__ import annotations

import errno
import json
import math
import warnings
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sciflow.errors import RunError, SciflowWarning
from sciflow.store.layout import write_whole
from sciflow.store.space import hashable
from sciflow_shim import files

Columns = dict[str, list[Any]]
_READ_ONLY = (errno.EACCES, errno.EPERM, errno.EROFS)


@dataclass
class Tables:
    """What is collected of a run.

    Attributes
    ----------
    combinations : dict of list
        One entry per combination: parameters, metrics, then ``state``.
    instances : dict of list
        One entry per task instance.
    parameters, metrics : list of str
        Which columns of `combinations` are which.
    facts : dict
        Run, workflow, and how complete the tables are.
    is_kept : bool
        Whether the results file holds them.
    """

    combinations: Columns
    instances: Columns
    parameters: list[str]
    metrics: list[str]
    facts: dict[str, Any] = field(default_factory=dict)
    is_kept: bool = True


def write_tables(path: Path, tables: Tables) -> None:
    """Write the tables, whole or not at all.

    Where only reading is allowed, as in an archive, they are not kept, with a warning: they can still be used.

    Raises
    ------
    RunError
        Where they cannot be written for another reason.
    """
    import h5py

    # Made in memory, because HDF5 may take the process down where it finds no room on the disk.
    with h5py.File(path.name, "w", driver="core", backing_store=False) as file:
        file.attrs["format"] = files.FORMAT
        file.attrs["parameters"] = json.dumps(tables.parameters)
        file.attrs["metrics"] = json.dumps(tables.metrics)
        file.attrs["facts"] = json.dumps(tables.facts)
        for name in ("combinations", "instances"):
            columns: Columns = getattr(tables, name)
            group = file.create_group(name, track_order=True)
            for column, values in columns.items():
                _write_column(group, column, values, is_exact=column in tables.parameters)
        file.flush()
        image = file.id.get_file_image()
    try:
        write_whole(path, image)
    except OSError as error:
        message = f"`{path}` cannot be written: {error.strerror}"
        if error.errno not in _READ_ONLY:
            raise RunError(message) from error
        tables.is_kept = False
        warnings.warn(f"{message}; the results were read, but are not kept", SciflowWarning, stacklevel=3)


def read_tables(path: Path) -> Tables:
    """Read the tables back.

    Raises
    ------
    RunError
        Where they are missing, damaged or of a newer format.
    """
    import h5py

    if not path.is_file():
        raise RunError(f"`{path.parent}` has no collected results", hint=f"sciflow collect {path.parent}")
    try:
        with h5py.File(path, "r") as file:
            attributes: Any = file.attrs
            if int(attributes["format"]) > files.FORMAT:
                raise RunError(f"`{path}` has format {attributes['format']}, which is newer than this sciflow knows")
            columns = {
                name: {column: _read_column(dataset) for column, dataset in _items(file, name)}
                for name in ("combinations", "instances")
            }
            return Tables(
                columns["combinations"],
                columns["instances"],
                json.loads(str(attributes["parameters"])),
                json.loads(str(attributes["metrics"])),
                json.loads(str(attributes["facts"])),
            )
    except (OSError, KeyError, ValueError) as error:
        raise RunError(f"`{path}` cannot be read: {error}", hint="collect it again") from None


def _items(file: Any, name: str) -> Iterable[tuple[str, Any]]:
    group = file[name]
    return [(dataset.attrs["name"], dataset) for dataset in group.values()]


def _write_column(group: Any, name: str, values: Sequence[Any], is_exact: bool) -> None:
    """Numbers as numbers, texts as texts; anything mixed as JSON, so that nothing changes its type."""
    import h5py

    kind = _kind(values, is_exact)
    place = f"{len(group):04d} {name.replace('/', '|')}"
    if kind == "float":
        data: Any = [math.nan if value is None else float(value) for value in values]
        dataset = group.create_dataset(place, data=data, dtype="f8")
    elif kind in ("int", "bool"):
        dataset = group.create_dataset(place, data=values, dtype="i8" if kind == "int" else "?")
    else:
        texts = list(values) if kind == "str" else [_json(value) for value in values]
        dataset = group.create_dataset(place, data=texts, dtype=h5py.string_dtype())
    dataset.attrs["name"] = name
    dataset.attrs["kind"] = kind


def _kind(values: Sequence[Any], is_exact: bool) -> str:
    """How a column is stored; what is missing among floats is NaN, except where values must come back as they were."""
    kinds = {type(value) for value in values}
    if kinds == {float} or (not is_exact and kinds and kinds <= {float, int, type(None)} and kinds != {int}):
        return "json" if kinds == {int, type(None)} else "float"
    if kinds == {int}:
        return "int" if all(abs(value) < 2**63 for value in values) else "json"
    if kinds == {str}:
        return "str" if all(map(_is_plain, values)) else "json"
    return "bool" if kinds == {bool} else "json"


def _is_plain(text: str) -> bool:
    """Whether HDF5 can hold a text as it is: no NUL, no half of a surrogate pair."""
    return "\0" not in text and text == text.encode(errors="replace").decode()


def _json(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if _is_plain(text) else json.dumps(value)


def _read_column(dataset: Any) -> list[Any]:
    kind = dataset.attrs["kind"]
    if kind in ("str", "json"):
        texts = dataset.asstr()[()].tolist()
        return texts if kind == "str" else [hashable(json.loads(text)) for text in texts]
    return dataset[()].tolist()
