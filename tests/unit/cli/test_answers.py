"""Verbs on results: collect, best."""

import csv
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Command = Callable[..., Any]


def test_collect_says_how_complete_it_is(sciflow: Command, finished: Path) -> None:
    """Combinations, records and where the results are; some failed, so 3."""
    answer = sciflow("collect")
    assert (answer.code, answer.err) == (3, "")
    assert answer.out == (
        "3 of 4 combinations completed; records: 8 expected, 8 sealed, 0 missing, 0 torn\n"
        f"results: {finished / 'results.h5'}\n"
    )
    document = sciflow("collect", finished.name, "--json").json
    assert document["combinations"] == {"completed": 3, "total": 4}
    assert {kind: count for kind, count in document["records"].items() if count} == {"expected": 8, "sealed": 8}
    assert document["apart"] == {}


def test_collect_before_the_end_is_4(sciflow: Command, finished: Path) -> None:
    """What is there is collected, and the code says that something is missing."""
    for path in (finished / "records" / "half.0").rglob("*.h5"):
        path.unlink()
    (finished / "journal.jsonl").unlink()
    answer = sciflow("collect")
    assert answer.code == 4
    assert "0 of 4 combinations completed" in answer.out


def test_collect_of_a_complete_run_is_0(sciflow: Command, project: Path) -> None:
    """All there, all completed."""
    text = (project / "workflow.yaml").read_text().replace("test {{ x }} -ne 3", "true")
    (project / "workflow.yaml").write_text(text)
    sciflow("run", "workflow.yaml")
    assert sciflow("collect").code == 0


def test_collect_exports(sciflow: Command, finished: Path, tmp_path: Path) -> None:
    """The combinations as CSV or JSON; a format that is not known is refused before anything is done."""
    answer = sciflow("collect", "--export", tmp_path / "table.csv")
    assert answer.out.endswith(f"exported: {tmp_path / 'table.csv'}\n")
    with (tmp_path / "table.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(row["x"], row["y"], row["state"]) for row in rows] == [
        ("1", "1.0", "COMPLETED"),
        ("2", "4.0", "COMPLETED"),
        ("3", "", "FAILED"),
        ("4", "16.0", "COMPLETED"),
    ]
    answer = sciflow("collect", "--export", tmp_path / "table.json", "--json")
    assert answer.json["exported"] == str(tmp_path / "table.json")
    assert json.loads((tmp_path / "table.json").read_text())[2]["y"] is None
    (finished / "results.h5").unlink()
    answer = sciflow("collect", "--export", tmp_path / "table.xls")
    assert (answer.code, answer.out) == (1, "")
    assert "known are .csv, .tsv, .json" in answer.err
    assert not (finished / "results.h5").exists()


def test_collect_tells_what_is_apart(sciflow: Command, finished: Path) -> None:
    """What is torn, missing or foreign is shown with its place; the document has all of it."""
    folder = finished / "records" / "square.0" / "0000"
    data = (folder / "0.1.h5").read_bytes()
    (folder / "0.1.h5").write_bytes(data[:-1])
    (folder / "1.1.h5").unlink()
    (folder / "notes.txt").write_text("x")
    answer = sciflow("collect")
    first, *rest = answer.out.splitlines()
    assert first.endswith("records: 8 expected, 6 sealed, 1 missing, 1 torn, 1 foreign")
    assert "foreign: square.0 (it is no record) records/square.0/0000/notes.txt" in rest
    assert any(line.startswith("torn: square.0[0]") for line in rest)
    document = sciflow("collect", "--json").json
    assert [one["indices"] for one in document["apart"]["missing"]] == ["1"]
    assert document["apart"]["foreign"][0]["paths"] == ["records/square.0/0000/notes.txt"]


def test_collect_seals_and_gives_back(sciflow: Command, finished: Path) -> None:
    """A run that has ended becomes few files, of which every verb knows, and back."""
    answer = sciflow("collect", "--seal")
    assert answer.code == 3
    assert "files are folded; the run has" in answer.out
    assert not (finished / "records").exists()
    assert sciflow("best", "y").out.splitlines()[1].split() == ["4", "16"]
    assert sciflow("logs", "square[1]").out == "y=4\n"
    assert sciflow("status").code == 3
    document = sciflow("collect", "--unseal", "--json").json
    assert document["unsealed"] > 8
    assert len(list((finished / "records").rglob("*.h5"))) == 8
    assert sciflow("collect", "--seal", "--unseal").code == 2


def test_collect_does_not_seal_what_goes_on(sciflow: Command, finished: Path) -> None:
    """What has not ended is refused, with what is still to come."""
    (finished / "journal.jsonl").unlink()
    for path in (finished / "records" / "half.0").rglob("*.h5"):
        path.unlink()
    answer = sciflow("collect", "--seal")
    assert answer.code == 1
    assert "has not ended: 4 PENDING" in answer.err


def test_collect_joins_arrays(sciflow: Command, project: Path) -> None:
    """What was joined and what was not is told."""
    (project / "arrays.py").write_text(
        "import sciflow\nimport numpy\n"
        "def task(x):\n    return {'same': numpy.zeros(2) + x, 'other': numpy.zeros(x)}\n"
        "workflow = sciflow.ExperimentalWorkflow('arrays')\nworkflow.add_task('task', task)\n"
        "workflow.add_parameter_space({'x': [1, 2]})\n"
    )
    assert sciflow("run", "arrays.py").code == 0
    lines = sciflow("collect", "--join-arrays").out.splitlines()
    assert lines[2].endswith("arrays.h5: task/same (2 rows)")
    assert lines[3] == "arrays of task/other stay in their records: they differ: 1 of <f8 and 2 of <f8"


def test_collect_where_it_was_copied_to(
    sciflow: Command, finished: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Far from where it ran, without the workflow, the run gives the same."""
    there = sciflow("collect", "--json").json
    shutil.move(finished, tmp_path / "a copy, elsewhere")
    monkeypatch.chdir("/")
    here = sciflow("collect", tmp_path / "a copy, elsewhere", "--json").json
    assert here["combinations"] == there["combinations"]
    assert here["records"] == there["records"]


def test_best_shows_the_best(sciflow: Command, finished: Path) -> None:
    """Parameters and value of the best completed combination, and of how many."""
    answer = sciflow("best", "y")
    assert (answer.code, answer.err) == (0, "")
    assert [line.split() for line in answer.out.splitlines()[:2]] == [["x", "y"], ["4", "16"]]
    assert "(of the 3 combinations that are completed, of 4)" in answer.out
    smallest = sciflow("best", finished.name, "y", "--minimize", "-n", "2")
    assert [line.split() for line in smallest.out.splitlines()[1:3]] == [["1", "1"], ["2", "4"]]


def test_best_as_json(sciflow: Command, finished: Path) -> None:
    """The same as a document; as many as were asked for, or as there are."""
    document = sciflow("best", "half.h", "-n", "9", "--json").json
    assert document["comparison"] == {"test": None, "not_told_apart": None}
    assert document == document | {
        "run": finished.name,
        "metric": "half.h",
        "maximize": True,
        "completed": 3,
        "combinations": 4,
        "gathering": {},
        "best": [{"parameters": {"x": x}, "value": value} for x, value in [(4, 8), (2, 2), (1, 0)]],
    }


def test_best_of_what_gathers(sciflow: Command, project: Path) -> None:
    """A metric of a task that gathers has its own parameters only, and each value is there once."""
    document = json.loads((project / "workflow.yaml").read_text())
    document["parameters"] = {"x": [1, 2], "seed": [1, 2]}
    document["tasks"] = [
        {"name": "draw", "command": "echo {{ x }} {{ seed }}"},
        {
            "name": "mean",
            "command": "echo m={{ x }}",
            "depends_on": ["draw"],
            "over": ["seed"],
            "extract": {"m": {"stdout": "m=(.*)", "type": "int"}},
        },
    ]
    (project / "workflow.yaml").write_text(json.dumps(document))
    sciflow("run", "workflow.yaml")
    assert sciflow("best", "m", "-n", "9").out == "x  m\n2  2\n1  1\n"
    best = sciflow("best", "m", "-n", "9", "--json").json["best"]
    assert best == [{"parameters": {"x": 2}, "value": 2}, {"parameters": {"x": 1}, "value": 1}]


def test_best_collects_where_nobody_has(sciflow: Command, finished: Path) -> None:
    """Without results the records are collected first."""
    (finished / "results.h5").unlink()
    assert sciflow("best", "y").code == 0
    assert (finished / "results.h5").is_file()


def test_an_unknown_metric_is_told(sciflow: Command, finished: Path) -> None:
    """The error offers the nearest."""
    answer = sciflow("best", "yy")
    assert (answer.code, answer.out) == (1, "")
    assert answer.err.startswith("error: there is no metric `yy`\nhint: ")
    assert "`y`" in answer.err
