"""The verb that draws figures."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Command = Callable[..., Any]


@pytest.fixture
def declared(finished: Path) -> Path:
    """Return a finished run whose manifest declares two figures, one of which cannot be made."""
    manifest = json.loads((finished / "manifest.json").read_text())
    manifest["visualizations"] = {
        "ys": {"type": "line", "value": "y", "x_axis": "x"},
        "zs": {"type": "line", "value": "zz", "x_axis": "x"},
    }
    (finished / "manifest.json").write_text(json.dumps(manifest))
    return finished


def test_declared_figures_are_drawn_into_the_run(sciflow: Command, declared: Path) -> None:
    """What was written is told with its notes; what could not be made with the reason, and the code is 3."""
    answer = sciflow("plot")
    assert answer.code == 3
    path = declared / "figures" / "ys.png"
    assert path.read_bytes().startswith(b"\x89PNG")
    first, *notes, missing, coverage = answer.out.splitlines()
    assert first == f"ys: {path}"
    assert "  y: 1 of 4 have no value (1 FAILED)" in notes
    assert missing == "zs: not made: there is no metric `zz`; known are `y`, `h`"
    assert coverage == "(3 of 4 combinations completed)"
    document = sciflow("plot", declared.name, "ys", "--json").json
    [figure] = document["figures"]
    assert (figure["name"], figure["type"], figure["files"]) == ("ys", "line", [str(path)])
    assert [f"  {note}" for note in figure["notes"]] == notes
    assert document["missing"] == {}
    assert sciflow("plot", "ys").code == 0


def test_one_figure_by_its_options(sciflow: Command, finished: Path, tmp_path: Path) -> None:
    """It and its numbers go where they are asked for; only what is selected is shown."""
    options = ("--type", "line", "--value", "y", "--x", "x", "--select", "x=1", "--select", "x=2")
    answer = sciflow("plot", *options, "-o", tmp_path / "one.svg", "--data", tmp_path / "one.csv")
    assert (answer.code, answer.err) == (0, "")
    assert (tmp_path / "one.svg").read_text().startswith("<?xml")
    rows = (tmp_path / "one.csv").read_text().splitlines()
    assert [row.split(",")[2:4] for row in rows[1:]] == [["1", "1.0"], ["2", "4.0"]]
    assert not (finished / "figures").exists()


def test_a_kind_with_options_is_one_figure_of_that_kind(sciflow: Command, finished: Path) -> None:
    """Whether `--type` stands before it or not."""
    options = ("--value", "y", "--x", "x", "--json")
    asked = sciflow("plot", "--type", "line", *options)
    assert sciflow("plot", "line", *options).json == asked.json
    assert asked.code == 0


def test_figures_are_chosen_where_none_is_declared(sciflow: Command, finished: Path) -> None:
    """Each with the reason; also where some are declared, if that is asked for."""
    answer = sciflow("plot", "--json")
    assert [one["type"] for one in answer.json["figures"]][:1] == ["line"]
    assert all(one["reason"] for one in answer.json["figures"])
    only = sciflow("plot", "--automatic", "--value", "y", "--select", "x=1", "--json").json
    assert only["figures"] == []
    assert "there is nothing to show" in sciflow("plot", "--value", "y", "--select", "x=1").out


WRONG: list[tuple[list[str], int, str]] = [
    (["--x", "x"], 2, "--x is of a figure of one kind: give --type, too"),
    (["line", "--value", "y"], 1, "a line needs `--x`, the name of a parameter"),
    (["line", "box", "--value", "y"], 2, "a figure that is named has its own options"),
    (["line", "--type", "line"], 2, "--type draws one figure, and line names others"),
    (["--type", "line", "--automatic"], 2, "--type says what to draw"),
    (["--type", "lin", "--value", "y", "--x", "x"], 1, "did you mean `line`"),
    (["--type", "heatmap", "--value", "y", "--x", "x", "--y", "x"], 1, "`x` is `--x` and `--y`"),
    (["--type", "line", "--value", "yy", "--x", "x"], 1, "could not be made: there is no metric `yy`"),
    (["--type", "line", "--value", "y", "--x", "x", "-o", "a.docx"], 1, "`.docx` is no format of figures"),
    (["--select", "x=9"], 1, "`x` is never `9`"),
    (["spiral"], 1, "`spiral` is no run, no figure of this workflow, and no kind of figure"),
]


def test_what_cannot_be_drawn(sciflow: Command, finished: Path) -> None:
    """It is said before anything is written."""
    for arguments, code, reason in WRONG:
        answer = sciflow("plot", *arguments)
        assert (answer.code, answer.out) == (code, ""), arguments
        assert reason in answer.err
        assert not (finished / "figures").exists()
