"""The combinations as a file that other programs read."""

import csv
import json
from pathlib import Path

import pytest

from sciflow.analysis.export import check_format, export_combinations
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
    assert caught.value.hint == "known are .csv and .json"
    check_format(tmp_path / "table.csv")
