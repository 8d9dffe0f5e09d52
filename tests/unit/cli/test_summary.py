"""The verb that shows metrics in numbers."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Command = Callable[..., Any]


def test_all_metrics_in_numbers(sciflow: Command, finished: Path) -> None:
    """Of the latest run, or of one that is named: how many of how many, and what is missing and why."""
    answer = sciflow("summary")
    assert answer.code == 0
    header, row, _, *notes = answer.out.splitlines()
    assert header.split()[:6] == ["metric", "task", "unit", "count", "of", "mean"]
    assert row.split()[:4] == ["y", "square", "3", "4"]
    assert notes == [
        "(y: 1 of 4 have no value (1 FAILED))",
        "(h: 1 of 4 have no value (1 FAILED))",
        "(3 of 4 combinations completed)",
    ]
    document = sciflow("summary", finished.name, "--json").json
    assert document["coverage"] == {"present": 3, "total": 4}
    assert (document["run"], document["rows"][0]["mean"]) == (finished.name, 7.0)


@pytest.mark.parametrize("named", [["y"], ["latest", "y"], ["square.y"]])
def test_a_metric_by_a_parameter(sciflow: Command, finished: Path, named: list[str]) -> None:
    """A row for each of its values, also where there is nothing; what is no number is null."""
    document = sciflow("summary", *named, "--by", "x", "--interval", "sd", "--json").json
    rows = [(one["x"], one["count"], one["of"], one["mean"], one["low"]) for one in document["rows"]]
    assert rows == [(1, 1, 1, 1.0, None), (2, 1, 1, 4.0, None), (3, 0, 1, None, None), (4, 1, 1, 16.0, None)]
    assert (document["metric"], document["by"]) == ("y", ["x"])


def test_too_little_and_unknown_names_are_errors(sciflow: Command, finished: Path) -> None:
    """What is there is said; a word that is neither run nor metric, too many of them, and a parameter alone."""
    answer = sciflow("summary", "y", "--minimum-coverage", "0.9")
    assert answer.code == 1
    assert "3 of 4 values of `y` are there, 75%, and at least 90% are asked for" in answer.err
    answer = sciflow("summary", "z")
    assert (answer.code, "there is no metric `z`, and no such run" in answer.err) == (1, True)
    assert sciflow("summary", "a", "b", "c").code == 2
    assert "is that of one metric" in sciflow("summary", "--by", "x").err
