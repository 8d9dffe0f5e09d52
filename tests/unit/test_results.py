"""The results of a run, as a user asks them."""

from __future__ import annotations

from pathlib import Path

import pytest

from sciflow.analysis.table import RunTable
from sciflow.answers.selection import Answers
from sciflow.results import Results
from sciflow.store.layout import RunDirectory
from unit.analysis.measured_run import MeasuredRun
from unit.lists_as_tables import tables_of


@pytest.fixture
def results(tmp_path: Path) -> Results:
    """Return the results of three combinations."""
    combinations = {"x": [1, 2, 3], "y": [1.0, 4.0, 9.0], "state": ["COMPLETED"] * 3}
    return Results(RunDirectory(tmp_path), tables_of(combinations, {}, ["x"], ["y"], {}))


def test_results_are_tables_and_answers(results: Results) -> None:
    """Questions to tables and to observations are asked of one object; observations are made once."""
    assert isinstance(results, RunTable)
    assert isinstance(results, Answers)
    assert results.observations is results.observations
    assert results.select(x=(2, None)).observations.frame["y"].tolist() == [4.0, 9.0]
    assert results.find_optimal_parameters("y") == {"x": 3}


def test_what_was_used_is_an_answer_too(tmp_path: Path) -> None:
    """Efficiency and advice come from the same tables."""
    run = MeasuredRun(tmp_path, {"n": [1, 2, 3]}).measure(lambda one: {"memory": 1000, "seconds": 60, "cpu": 60})
    results = run.results()
    assert list(results.efficiency().tasks) == ["solve"]
    assert results.advise(0.9).chance == 0.9
