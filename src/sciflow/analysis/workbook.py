"""Tables as Excel has them: within its limits, and no text ever a formula."""

from __future__ import annotations

import datetime
import math
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from sciflow.analysis.cells import text_of
from sciflow.errors import ResultError

_ROWS, _COLUMNS, _LETTERS = 1_048_576, 16_384, 32_767  # "Excel specifications and limits"
_EXACT = 2**53  # Excel has floats only: larger whole numbers lose their last digits
_FIRST = datetime.datetime(1900, 3, 1)  # before that Excel counts a day that there was not


def write_workbook(header: Sequence[str], rows: Iterable[Sequence[Any]], count: int, path: Path) -> None:
    """Write one sheet: numbers, truth values and dates as such, what is missing empty, all else as text.

    Raises
    ------
    ResultError
        For more rows, columns or letters in a cell than a sheet can have.
    """
    from openpyxl import Workbook

    if count + 1 > _ROWS:
        raise ResultError(
            f"the table has {count:,} rows, and a sheet of Excel at most {_ROWS:,} with the header",
            hint="export .parquet or .csv, or some of the rows",
        )
    if len(header) > _COLUMNS:
        raise ResultError(
            f"the table has {len(header):,} columns, and a sheet of Excel at most {_COLUMNS:,}",
            hint="export .parquet or .csv",
        )
    book = Workbook(write_only=True)
    sheet = book.create_sheet("table")
    sheet.freeze_panes = "A2"
    try:
        sheet.append([_cell(sheet, name) for name in header])
        for row in rows:
            sheet.append([_cell(sheet, value) for value in row])
    finally:
        sheet.close()
    with path.open("wb") as file:
        book.save(file)


def _cell(sheet: Any, value: Any) -> Any:
    from openpyxl.cell import WriteOnlyCell
    from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE

    if value is None or isinstance(value, bool):
        return value
    if (isinstance(value, int) and abs(value) <= _EXACT) or (isinstance(value, float) and math.isfinite(value)):
        return value
    if isinstance(value, datetime.datetime):
        there = value.astimezone(datetime.timezone.utc).replace(tzinfo=None) if value.tzinfo else value
        if there >= _FIRST:
            return there
    text = ILLEGAL_CHARACTERS_RE.sub("\N{REPLACEMENT CHARACTER}", text_of(value))
    if len(text) > _LETTERS:
        raise ResultError(
            f"`{text[:30]}…` has {len(text):,} letters, and a cell of Excel at most {_LETTERS:,}",
            hint="export .parquet or .csv",
        )
    cell = WriteOnlyCell(sheet, text)
    cell.data_type = "s"  # also what begins as a formula does, or is called as an error of Excel
    return cell
