"""The combinations as a file that other programs read."""

from __future__ import annotations

from pathlib import Path

from sciflow.analysis.table import RunTable
from sciflow.errors import ResultError

_FORMATS = (".csv", ".json")


def check_format(path: Path) -> None:
    """Refuse a file whose ending says nothing.

    Raises
    ------
    ResultError
        For endings other than ``.csv`` and ``.json``.
    """
    if path.suffix not in _FORMATS:
        raise ResultError(f"`{path}` ends in no known format", hint=f"known are {' and '.join(_FORMATS)}")
    if not path.parent.is_dir():
        raise ResultError(f"`{path}` cannot be written: there is no folder `{path.parent}`")


def export_combinations(results: RunTable, path: Path) -> None:
    """Write one row per combination: parameters, then metrics, then the state."""
    frame = results.to_dataframe()
    partial = path.with_name(f".{path.name}.partial")
    try:
        if path.suffix == ".csv":
            frame.to_csv(partial, index=False)
        else:
            frame.to_json(partial, orient="records", indent=1)
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
