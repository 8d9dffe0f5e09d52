"""The combinations as a file that other programs read."""

import csv
import datetime
import json
import math
from pathlib import Path
from typing import Any

import openpyxl
import pandas as pd
import pyarrow.parquet
import pytest

from sciflow.analysis.cells import plain
from sciflow.analysis.export import check_format, export_combinations, export_frame
from sciflow.errors import ResultError
from sciflow.results import Results


def test_csv_has_a_line_for_each_combination(results: Results, tmp_path: Path) -> None:
    """Parameters, metrics, state; a failed combination has empty fields."""
    export_combinations(results, tmp_path / "table.csv")
    with (tmp_path / "table.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["state"] for row in rows] == ["COMPLETED", "COMPLETED", "FAILED", "COMPLETED"]
    assert rows[0] == {
        **{"rate": "0.1", "layers": "1", "accuracy": "0.8", "loss": "0.3", "label": "a"},
        **{"first.time": "1.0", "second.time": "5.0", "state": "COMPLETED"},
    }
    assert (rows[2]["accuracy"], rows[2]["label"], rows[2]["layers"]) == ("", "", "1")


def test_json_is_a_list_of_combinations(results: Results, tmp_path: Path) -> None:
    """What is missing or no number is null."""
    export_combinations(results, tmp_path / "table.json")
    rows = json.loads((tmp_path / "table.json").read_text())
    assert [row["accuracy"] for row in rows] == [0.8, 0.9, None, 0.9]
    assert rows[1]["loss"] is None
    assert list(rows[0]) == list(results.to_dataframe())


def test_nothing_half_made_is_left(results: Results, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An export that fails leaves the old file, and none beside it."""
    (tmp_path / "table.csv").write_text("old")

    def full(self: object, path: Path, index: bool) -> None:
        path.write_text("half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("pandas.DataFrame.to_csv", full)
    with pytest.raises(OSError, match="No space"):
        export_combinations(results, tmp_path / "table.csv")
    assert [path.name for path in tmp_path.iterdir()] == ["table.csv"]
    assert (tmp_path / "table.csv").read_text() == "old"


@pytest.mark.parametrize("name", ["table", "table.xls", "table.csv.gz", "csv"])
def test_other_formats_are_refused(tmp_path: Path, name: str) -> None:
    """An ending that says nothing is an error which says what is known."""
    with pytest.raises(ResultError, match="ends in no known format") as caught:
        check_format(tmp_path / name)
    assert caught.value.hint == "known are .csv, .tsv, .json, .md, .tex, .parquet, .xlsx"
    check_format(tmp_path / "table.csv")


ODD: dict[str, list[Any]] = {
    "text": ["=1+1", "#N/A", "a|b\n\\c_d", None],
    "whole": [1, 2, 3, 4],
    "large": [2**60 + 1, 1, None, 2],
    "number": [0.1 + 0.2, math.inf, math.nan, 1e-300],
    "truth": [True, False, None, True],
    "pair": [(1, 2), (3, 4), None, ()],
    "mixed": ["a", 1, 2.5, True],
    "date": pd.to_datetime(["2025-01-02T03:04:05+01:00", None, None, None], utc=True).tolist(),
}


def odd() -> pd.DataFrame:
    """A table of all that there is."""
    frame = pd.DataFrame({name: pd.Series(values, dtype=object) for name, values in ODD.items()})
    return frame.astype({"whole": int, "number": float, "date": "datetime64[ns, UTC]"})


def test_parquet_keeps_what_values_are(tmp_path: Path) -> None:
    """Whole numbers, truth values, lists and times come back as such; a column of several kinds as text."""
    export_frame(odd(), tmp_path / "table.parquet")
    table = pyarrow.parquet.read_table(tmp_path / "table.parquet")
    back = table.to_pydict()
    assert back["text"] == ODD["text"]
    assert back["whole"] == ODD["whole"]
    assert back["large"] == ODD["large"]
    assert back["number"] == [0.1 + 0.2, math.inf, None, 1e-300]
    assert back["truth"] == ODD["truth"]
    assert back["pair"] == [[1, 2], [3, 4], None, []]
    assert back["mixed"] == ["a", "1", "2.5", "True"]
    assert back["date"][0] == datetime.datetime(2025, 1, 2, 2, 4, 5, tzinfo=datetime.timezone.utc)


def test_excel_never_gets_a_formula(tmp_path: Path) -> None:
    """A text that begins with `=` stays one; numbers that Excel would spoil are texts, times are in UTC."""
    export_frame(odd(), tmp_path / "table.xlsx")
    sheet = openpyxl.load_workbook(tmp_path / "table.xlsx")["table"]
    header, *rows = [[cell.value for cell in row] for row in sheet.iter_rows()]
    assert header == list(ODD)
    back = dict(zip(header, zip(*rows, strict=True), strict=True))
    assert [cell.data_type for cell in sheet["A"][1:4]] == ["s", "s", "s"]
    assert back["text"] == ("=1+1", "#N/A", "a|b\n\\c_d", None)
    assert back["large"] == (str(2**60 + 1), 1, None, 2)
    assert back["number"] == (0.3, "inf", None, 1e-300)  # it has 16 digits
    assert back["truth"] == (True, False, None, True)
    assert back["pair"] == ("[1, 2]", "[3, 4]", None, "[]")
    assert back["mixed"] == ("a", 1, 2.5, True)
    assert back["date"][0] == datetime.datetime(2025, 1, 2, 2, 4, 5)


def test_a_sheet_has_its_limits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Too many rows, columns, or letters in a cell: a clear error, and no file."""
    monkeypatch.setattr("sciflow.analysis.workbook._ROWS", 4)
    with pytest.raises(ResultError, match="4 rows, and a sheet of Excel at most 4 with the header"):
        export_frame(odd(), tmp_path / "table.xlsx")
    monkeypatch.setattr("sciflow.analysis.workbook._ROWS", 5)
    monkeypatch.setattr("sciflow.analysis.workbook._COLUMNS", 7)
    with pytest.raises(ResultError, match="8 columns, and a sheet of Excel at most 7"):
        export_frame(odd(), tmp_path / "table.xlsx")
    with pytest.raises(ResultError, match="40,000 letters, and a cell of Excel at most 32,767"):
        export_frame(pd.DataFrame({"text": ["x" * 40_000]}), tmp_path / "table.xlsx")
    assert list(tmp_path.iterdir()) == []


def test_letters_that_excel_has_not_are_replaced(tmp_path: Path) -> None:
    """A control character would make the file one that cannot be opened."""
    export_frame(pd.DataFrame({"text": ["a\x01b"]}), tmp_path / "table.xlsx")
    assert openpyxl.load_workbook(tmp_path / "table.xlsx")["table"]["A2"].value == "a\N{REPLACEMENT CHARACTER}b"


def test_json_loses_no_digit(tmp_path: Path) -> None:
    """Floats as they are, lists as lists, nothing that is no JSON."""
    export_frame(odd(), tmp_path / "table.json")
    rows = json.loads((tmp_path / "table.json").read_text())
    assert [row["number"] for row in rows] == [0.1 + 0.2, None, None, 1e-300]
    assert rows[0]["pair"] == [1, 2]
    assert rows[0]["large"] == 2**60 + 1
    assert rows[0]["date"] == "2025-01-02T02:04:05+00:00"


def test_text_tables_are_separated_by_tabs_or_set_by_markdown(tmp_path: Path) -> None:
    """Bars and line breaks do not break a row of Markdown."""
    export_frame(odd(), tmp_path / "table.tsv")
    with (tmp_path / "table.tsv").open(newline="") as file:
        rows = list(csv.reader(file, delimiter="\t"))
    assert rows[1][:4] == ["=1+1", "1", str(2**60 + 1), repr(0.1 + 0.2)]
    export_frame(odd().reindex(columns=["text", "whole"]), tmp_path / "table.md")
    assert (tmp_path / "table.md").read_text() == (
        "| text        | whole |\n"
        "| ----------- | ----: |\n"
        "| =1+1        |     1 |\n"
        "| #N/A        |     2 |\n"
        "| a\\|b \\\\c\\_d |     3 |\n"
        "|             |     4 |\n"
    )


def test_latex_is_escaped_and_of_a_sensible_size(tmp_path: Path) -> None:
    """Whatever is in a cell; ten thousand rows are refused with a way out."""
    export_frame(odd().reindex(columns=["text", "whole"]), tmp_path / "table.tex")
    assert (tmp_path / "table.tex").read_text() == "\n".join(
        [
            r"% needs \usepackage{booktabs}",
            r"\begin{tabular}{lr}",
            r"\toprule",
            r"text & whole \\",
            r"\midrule",
            r"=1+1 & 1 \\",
            r"\#N/A & 2 \\",
            r"a\textbar{}b \textbackslash{}c\_d & 3 \\",
            r" & 4 \\",
            r"\bottomrule",
            r"\end{tabular}",
            "",
        ]
    )
    (tmp_path / "table.tex").write_text("old")
    with pytest.raises(ResultError, match="a table of 10,000 rows is too large for LaTeX") as caught:
        export_frame(pd.DataFrame({"x": range(10_000)}), tmp_path / "table.tex")
    assert "export .csv" in (caught.value.hint or "")
    assert (tmp_path / "table.tex").read_text() == "old"


def test_a_missing_extra_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Before anything is collected."""
    monkeypatch.setattr("sciflow.analysis.export.find_spec", lambda name: None)
    with pytest.raises(ResultError, match="needs openpyxl") as caught:
        check_format(tmp_path / "table.xlsx")
    assert caught.value.hint == "pip install 'sciflow[tables]'"
    check_format(tmp_path / "table.csv")


def test_an_empty_table_is_written(tmp_path: Path) -> None:
    """With its header, in every format."""
    for ending in ("csv", "tsv", "json", "md", "tex", "parquet", "xlsx"):
        export_frame(odd().iloc[:0], tmp_path / f"table.{ending}")
    assert pyarrow.parquet.read_table(tmp_path / "table.parquet").column_names == list(ODD)
    assert plain(pd.NaT) is None
