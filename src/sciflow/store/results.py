"""`results.h5`: the collected tables, each a group of columns that share a dimension."""

from __future__ import annotations

import errno
import json
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sciflow.errors import RunError, SciflowWarning
from sciflow.store.layout import write_whole

if TYPE_CHECKING:
    from sciflow.store.columns import Table  # which takes a while to load, and is not always needed

FORMAT = 2  # of this file; 1 had two tables, whose datasets were numbered
COMBINATIONS, INSTANCES, ATTEMPTS, ENVIRONMENTS = "combinations", "instances", "attempts", "environments"
ARRAYS, APART, METRICS = "arrays", "apart", "metrics"
# What the rows of a table are counted by; xarray calls it a dimension.
_ROWS = {
    COMBINATIONS: "combination",
    INSTANCES: "task_instance",
    ATTEMPTS: "record",
    ENVIRONMENTS: "environment",
    ARRAYS: "stored_array",
    APART: "place",
}
_READ_ONLY = (errno.EACCES, errno.EPERM, errno.EROFS)


class Tables:
    """What is collected of a run; what lies in the results file is read when it is asked for.

    Parameters
    ----------
    tables
        Name → table, of those at hand.
    facts
        Run, workflow, names of parameters and metrics, and how complete the tables are.
    path
        The results file; None where nothing is kept.
    """

    def __init__(self, tables: Mapping[str, Table], facts: dict[str, Any], path: Path | None = None) -> None:
        self.by_name: dict[str, Table] = dict(tables)
        self.facts = facts
        self.path = path

    def table(self, name: str) -> Table:
        """One of the tables: ``combinations``, ``instances``, ``attempts``, ``metrics/<task>``, …"""
        if name not in self.by_name:
            self.by_name[name] = read_table(self.path, name)
        return self.by_name[name]

    @property
    def is_kept(self) -> bool:
        """Whether the results file holds them."""
        return self.path is not None

    @property
    def combinations(self) -> Table:
        """One row per combination: parameters, metrics, then ``state``."""
        return self.table(COMBINATIONS)

    @property
    def instances(self) -> Table:
        """One row per task instance."""
        return self.table(INSTANCES)

    @property
    def attempts(self) -> Table:
        """One row per attempt that left a record."""
        return self.table(ATTEMPTS)

    @property
    def parameters(self) -> list[str]:
        """The columns of `combinations` that are parameters."""
        return list(self.facts["parameters"])

    @property
    def metrics(self) -> list[str]:
        """The columns of `combinations` that are metrics."""
        return list(self.facts["metrics"])


def write_tables(
    path: Path,
    tables: Tables,
    described: Mapping[tuple[str, str], Mapping[str, Any]] | None = None,
    numbers: Mapping[str, Any] | None = None,
    links: Mapping[str, tuple[str, str]] | None = None,
) -> None:
    """Write the tables, whole or not at all.

    Where only reading is allowed, as in an archive, they are not kept, with a warning: they can still be used.

    Parameters
    ----------
    path
        The file.
    tables
        All of them.
    described
        (Table, column) → further attributes, such as ``units``.
    numbers
        Table → what counts its rows, where that is not their position.
    links
        Place → file and place in that, for which a link is to stand.

    Raises
    ------
    RunError
        Where they cannot be written for another reason.
    """
    import h5py

    from sciflow.store.hdf5_columns import write_table

    # Made in memory, because HDF5 may take the process down where it finds no room on the disk.
    with h5py.File(path.name, "w", driver="core", backing_store=False, libver=("v110", "v110")) as file:
        file.attrs["format"] = FORMAT
        file.attrs["run"] = str(tables.facts.get("run", ""))
        file.attrs["facts"] = json.dumps(tables.facts)
        for name, table in tables.by_name.items():
            more = {column: facts for (owner, column), facts in (described or {}).items() if owner == name}
            write_table(file, name, table, _ROWS.get(name, "record"), (numbers or {}).get(name), more)
        for place, (target, inside) in (links or {}).items():
            file.require_group(place.rpartition("/")[0])  # which, unlike one that comes by itself, says no time
            file[place] = h5py.ExternalLink(target, inside)
        file.flush()
        image = file.id.get_file_image()
    try:
        write_whole(path, image)
        tables.path = path
    except OSError as error:
        message = f"`{path}` cannot be written: {error.strerror}"
        if error.errno not in _READ_ONLY:
            raise RunError(message) from error
        tables.path = None
        warnings.warn(f"{message}; the results were read, but are not kept", SciflowWarning, stacklevel=3)


def read_tables(path: Path) -> Tables:
    """Open the results file: its facts are read now, its tables when they are asked for.

    Raises
    ------
    RunError
        Where it is missing, damaged or of a newer format.
    """
    import h5py

    from sciflow.store.hdf5_columns import read_first_format

    if not path.is_file():
        raise RunError(f"`{path.parent}` has no collected results", hint=f"sciflow collect {path.parent}")
    try:
        with h5py.File(path, "r") as file:
            form = int(_attribute(file, "format"))
            if form > FORMAT:
                raise RunError(f"`{path}` has format {form}, which is newer than this sciflow knows")
            facts: dict[str, Any] = json.loads(str(_attribute(file, "facts")))
            if form == FORMAT:
                for name in (COMBINATIONS, INSTANCES):
                    file[name]  # a file without its tables is damaged
                return Tables({}, facts, path)
            facts |= {name: json.loads(str(_attribute(file, name))) for name in ("parameters", "metrics")}
            return Tables({name: read_first_format(file[name]) for name in (COMBINATIONS, INSTANCES)}, facts, path)
    except (OSError, KeyError, ValueError) as error:
        raise RunError(f"`{path}` cannot be read: {error}", hint="collect it again") from None


def read_table(path: Path | None, name: str) -> Table:
    """Read one table; an empty one where there is no file, or it does not have that.

    Raises
    ------
    RunError
        Where the file is damaged.
    """
    import h5py

    from sciflow.store.columns import Table
    from sciflow.store.hdf5_columns import read_columns

    if path is None:
        return Table()
    try:
        with h5py.File(path, "r") as file:
            return read_columns(file[name]) if name in file else Table()
    except (OSError, KeyError, ValueError) as error:
        raise RunError(f"`{path}` cannot be read: {error}", hint="collect it again") from None


def _attribute(file: Any, name: str) -> Any:
    return file.attrs[name]
