"""Tables of a run that never was."""

import math
from collections.abc import Callable
from pathlib import Path

import pytest

from sciflow.results import Results
from sciflow.store.layout import RunDirectory
from sciflow.store.results import Tables
from unit.lists_as_tables import tables_of


@pytest.fixture
def tables() -> Tables:
    """Return four combinations, of which one failed and one has a loss that is no number."""
    return tables_of(
        combinations={
            "rate": [0.1, 0.1, 0.5, 0.5],
            "layers": [1, 2, 1, 2],
            "accuracy": [0.8, 0.9, 0.99, 0.9],
            "loss": [0.3, math.nan, 0.01, 0.2],
            "label": ["a", "b", "c", "d"],
            "first.time": [1.0, 2.0, 3.0, 4.0],
            "second.time": [5.0, 6.0, 7.0, 8.0],
            "state": ["COMPLETED", "COMPLETED", "FAILED", "COMPLETED"],
        },
        instances={
            "task": ["first", "first"],
            "index": [0, 1],
            "state": ["COMPLETED", "FAILED"],
            "start": [1_700_000_000.5, None],
            "end": [1_700_000_001.5, None],
            "error": ["", "no good"],
        },
        parameters=["rate", "layers"],
        metrics=["accuracy", "loss", "label", "first.time", "second.time"],
        facts={"metric_tasks": {"accuracy": "second", "loss": "second", "label": "first"}},
    )


@pytest.fixture
def results(tables: Tables, tmp_path: Path) -> Results:
    """Return the results of these tables."""
    return Results(RunDirectory(tmp_path / "20250101-000000-aa"), tables)


@pytest.fixture
def results_of(tmp_path: Path) -> Callable[..., Results]:
    """Return a function that makes results of columns: parameters `x`, metrics `y`, states."""

    def make(x: list, y: list, states: list[str] | None = None) -> Results:
        combinations = {"x": x, "y": y, "state": states or ["COMPLETED"] * len(x)}
        return Results(RunDirectory(tmp_path), tables_of(combinations, {}, ["x"], ["y"], {}))

    return make
