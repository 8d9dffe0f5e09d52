"""Tables to be printed: metrics at the levels of parameters, each with its uncertainty."""

import math
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from sciflow.answers.selection import Selection
from sciflow.errors import ResultError
from sciflow.report.tables import result_table
from unit.figures.observed import grid, observed


def seen(**more: Any) -> Any:
    """Two rates of two kinds, each with three seeds, of which one has failed."""
    made = {"states": {0: "FAILED"}, "units": {"time_s": "s"}, "depends": {"once": ["rate"]}, **more}
    return observed(
        grid(rate=[0.1, 0.2], kind=["a_b", None], seed=[1, 2, 3]),
        {
            "time_s": lambda rate, kind, seed: 10 * rate + len(kind or "") + 0.0123 * seed,
            "once": lambda rate, **_: 2 * rate,
        },
        repeats=["seed"],
        **made,
    )


def test_a_metric_is_rounded_by_its_uncertainty() -> None:
    """Markdown has a row for each combination of levels, and below what is to be known."""
    assert result_table(seen(), ["time_s"]).to_markdown() == (
        "| rate | kind | time\\_s (s) |   n |\n"
        "| ---: | ---- | ----------: | --: |\n"
        "|  0.1 | a\\_b |  4.0308(61) |   2 |\n"
        "|  0.1 | none |  1.0246(71) |   3 |\n"
        "|  0.2 | a\\_b |  5.0246(71) |   3 |\n"
        "|  0.2 | none |  2.0246(71) |   3 |\n"
        "\n"
        "Mean over seed (3 repeats). time_s: 1 of 12 have no value (1 FAILED). "
        "In parentheses: standard uncertainty of the mean, in units of the last digit.\n"
    )


def test_the_frame_has_all_digits() -> None:
    """The mean, its uncertainty by the textbook, and the count."""
    frame = result_table(seen(), ["time_s"], ["rate", "kind"]).frame()
    assert list(frame) == ["rate", "kind", "time_s", "time_s_uncertainty", "time_s_count"]
    values = [1 + 0.0123 * seed for seed in (1, 2, 3)]
    assert frame["time_s"].tolist()[1] == pytest.approx(sum(values) / 3)
    assert frame["time_s_uncertainty"].tolist()[1] == pytest.approx(
        0.0123 / 3**0.5
    )  # seeds 1, 2, 3 have a deviation of 1
    assert frame["time_s_count"].tolist() == [2, 3, 3, 3]


@pytest.mark.parametrize(
    ("uncertainty", "half"), [("sd", 0.0123), ("interval", 4.302652729911275 * 0.0123 / 3**0.5), ("none", None)]
)
def test_other_uncertainties(uncertainty: Any, half: float | None) -> None:
    """The deviation of the values, half of an interval by Student's t with two degrees of freedom, or none."""
    table = result_table(seen(), ["time_s"], ["rate", "kind"], uncertainty)
    got = table.frame()["time_s_uncertainty"].tolist()[1]
    assert got == pytest.approx(math.nan if half is None else half, nan_ok=True)
    assert ("(" in table.to_latex().split("midrule")[1]) == (half is not None)


def test_a_metric_that_other_parameters_do_not_touch_stands_once_for_each() -> None:
    """And has no more values than were measured: no repeats are made of it."""
    frame = result_table(seen(states={}), by=["rate", "kind"]).frame()
    assert frame["once"].tolist() == [0.2, 0.2, 0.4, 0.4]
    assert frame["once_count"].tolist() == [1, 1, 1, 1]
    assert frame["time_s_count"].tolist() == [3, 3, 3, 3]


def test_what_nobody_measured_is_empty() -> None:
    """A combination of levels without any value has a row, and no number."""
    table = result_table(seen(states=dict.fromkeys(range(3), "TIMEOUT")), ["time_s"])
    assert table.to_latex().count("&  & 0") == 1
    assert "3 of 12 have no value (3 TIMEOUT)" in " ".join(table.notes)


def test_latex_has_a_caption_with_its_notes(tmp_path: Path) -> None:
    """All of it escaped; without a caption the notes are comments."""
    table = Selection(seen()).to_table("time_s", "rate")
    text = table.to_latex("Times of 100%", "tab:times")
    assert r"\caption{Times of 100\%. Mean over kind (2 values), seed (3 repeats). time\_s: 1 of 12" in text
    assert r"$0.1$ & $2.23(74)$ & 5 \\" in text
    assert r"\label{tab:times}" in text
    assert table.to_latex().startswith("% Mean over kind (2 values)")
    assert table.save(tmp_path / "a.tex", caption="Times of 100%", label="tab:times").read_text() == text
    assert table.save(tmp_path / "a.md").read_text() == str(table)
    pd.testing.assert_frame_equal(pd.read_csv(table.save(tmp_path / "a.csv")), table.frame())


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"metrics": ["tim_s"]}, "there is no metric `tim_s`"),
        ({"by": ["rat"]}, "`rat` is no parameter"),
        ({"metrics": ["once"], "by": ["kind"]}, "`once` depends on none of `kind`"),
        ({"uncertainty": "error"}, "`uncertainty` is 'error'"),
    ],
)
def test_what_is_not_there_is_refused(asked: dict[str, Any], message: str) -> None:
    """With the nearest that is."""
    with pytest.raises(ResultError, match=message) as caught:
        result_table(seen(), **asked)
    assert caught.value.hint


def test_nothing_measured_is_said() -> None:
    """No table of nothing."""
    with pytest.raises(ResultError, match="no metric has a number: 0 of 12 combinations are completed"):
        result_table(seen(states=dict.fromkeys(range(12), "FAILED")))


def test_what_cannot_be_written_is_said(tmp_path: Path) -> None:
    """A folder that is a file, an ending that is none."""
    table = result_table(seen(), ["time_s"])
    with pytest.raises(ResultError, match="there is no folder"):
        table.save(tmp_path / "nowhere" / "a.tex")
    with pytest.raises(ResultError, match="known format"):
        table.save(tmp_path / "a.doc")
