"""Tables as files that other programs read: whole or not at all, and with each value as what it is."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Callable, Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sciflow.analysis.cells import plain, rows_of, text_of
from sciflow.analysis.table import RunTable
from sciflow.errors import ResultError

if TYPE_CHECKING:
    import pandas as pd

# Ending → the packages that it needs, of the extra `tables`.
_NEEDED: Mapping[str, tuple[str, ...]] = {
    ".csv": (),
    ".tsv": (),
    ".json": (),
    ".md": (),
    ".tex": (),
    ".parquet": ("pyarrow",),
    ".xlsx": ("openpyxl",),
}


def check_format(path: Path) -> None:
    """Refuse a file whose ending says nothing, or that cannot be written here.

    Raises
    ------
    ResultError
        For other endings than those known, for one that needs a package which is not installed, and where there is no
        such folder.
    """
    if path.suffix not in _NEEDED:
        raise ResultError(f"`{path}` ends in no known format", hint=f"known are {', '.join(_NEEDED)}")
    for package in _NEEDED[path.suffix]:
        if find_spec(package) is None:
            raise ResultError(f"`{path}` needs {package}, which is not installed", hint="pip install 'sciflow[tables]'")
    if not path.parent.is_dir():
        raise ResultError(f"`{path}` cannot be written: there is no folder `{path.parent}`")


def export_combinations(results: RunTable, path: Path) -> None:
    """Write one row per combination: parameters, then metrics, then the state.

    Raises
    ------
    ResultError
        As for `export_frame`.
    """
    export_frame(results.to_dataframe(), path)


def export_frame(frame: pd.DataFrame, path: Path) -> None:
    """Write a table; its ending says how.

    Raises
    ------
    ResultError
        As for `check_format`; and for a table that is too large for what was asked for.
    """
    check_format(path)
    writers: dict[str, Callable[[pd.DataFrame, Path], None]] = {
        ".csv": lambda table, file: table.to_csv(file, index=False),
        ".tsv": lambda table, file: table.to_csv(file, index=False, sep="\t"),
        ".json": _write_json,
        ".md": _write_markdown,
        ".tex": _write_latex,
        ".parquet": _write_parquet,
        ".xlsx": _write_excel,
    }
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    try:
        writers[path.suffix](frame, partial)
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


def _write_json(frame: pd.DataFrame, path: Path) -> None:
    names = [str(name) for name in frame.columns]
    rows = [dict(zip(names, map(_for_json, row), strict=True)) for row in rows_of(frame)]
    path.write_text(json.dumps(rows, indent=1, ensure_ascii=False, default=text_of, allow_nan=False), encoding="utf-8")


def _for_json(value: Any) -> Any:
    # JSON has no infinities.
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, (list, tuple)):
        return [_for_json(one) for one in value]
    return {str(key): _for_json(one) for key, one in value.items()} if isinstance(value, dict) else value


def _write_markdown(frame: pd.DataFrame, path: Path) -> None:
    from sciflow.analysis.typeset import markdown_table, plain_cell

    rows = [[plain_cell(value) for value in row] for row in rows_of(frame)]
    path.write_text(markdown_table([str(name) for name in frame.columns], rows), encoding="utf-8")


def _write_latex(frame: pd.DataFrame, path: Path) -> None:
    from sciflow.analysis.typeset import escaped_latex, latex_cell, latex_table

    header = [escaped_latex(str(name)) for name in frame.columns]
    rows = [[latex_cell(value) for value in row] for row in rows_of(frame)]
    path.write_text(latex_table(header, rows), encoding="utf-8")


def _write_parquet(frame: pd.DataFrame, path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    columns = {str(name): _arrow(list(map(plain, frame[name])), frame[name].dtype) for name in frame.columns}
    table = pa.table(columns)
    pq.write_table(table, path)


def _arrow(values: Sequence[Any], dtype: Any) -> Any:
    """A column; of values of several kinds, which Parquet has not, one of texts."""
    import pyarrow as pa

    kinds = {type(value) for value in values} - {type(None)}
    if not kinds and dtype.kind in "fi":
        return pa.array(values, pa.float64())
    if bool in kinds and kinds != {bool}:  # Arrow would make numbers of truth values
        return pa.array([None if value is None else text_of(value) for value in values], pa.string())
    try:
        return pa.array(values)
    except (pa.ArrowInvalid, pa.ArrowTypeError, OverflowError):
        return pa.array([None if value is None else text_of(value) for value in values], pa.string())


def _write_excel(frame: pd.DataFrame, path: Path) -> None:
    from sciflow.analysis.workbook import write_workbook

    write_workbook([str(name) for name in frame.columns], rows_of(frame), len(frame), path)
