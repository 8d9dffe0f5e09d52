"""Result arrays of one shape become one dataset; others stay where they are, and it is said why."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
import xarray

from sciflow.engine import Engine
from sciflow.errors import ResultError, RunError
from sciflow.execution import Run
from sciflow.model.workflow import ExperimentalWorkflow


@pytest.fixture
def sweep(tmp_path: Path) -> Callable[[Callable[..., Any]], Run]:
    """Return a function that runs a function over four values of x."""

    def make(function: Callable[..., Any]) -> Run:
        workflow = ExperimentalWorkflow("arrays", tmp_path)
        workflow.add_task("task", function)
        workflow.add_parameter_space({"x": [1, 2, 3, 4]})
        engine = Engine(runs=tmp_path / "runs")
        return engine.run(engine.compile(workflow)).run

    return make


def test_equal_arrays_become_one(sweep: Callable[..., Run]) -> None:
    """A row per instance, by number; rows without an array are NaN, or zero among integers, and are told apart."""

    def task(x):
        import numpy

        if x == 3:
            raise ValueError("no")
        return {"field": numpy.full((2, 3), x / 2), "counts": numpy.array([x, -x], dtype="int32")}

    run = sweep(task)
    results = run.collect(join_arrays=True)
    assert results.tables.facts["joined"] == {"joined": {"task/field": 3, "task/counts": 3}, "apart": {}}
    file: Any
    with h5py.File(run.path / "arrays.h5") as file:
        assert file["task/field"].shape == (4, 2, 3)
        assert file["task/field"][3].tolist() == [[2.0] * 3] * 2
        assert np.isnan(file["task/field"][2]).all()
        assert file["task/counts"][:].tolist() == [[1, -1], [2, -2], [0, 0], [4, -4]]
        assert file["task/field is there"][:].tolist() == [1, 1, 0, 1]
    with h5py.File(run.path / "results.h5") as file:
        assert file["joined/task/counts"][1].tolist() == [2, -2]
    assert results.array("task", 1, "counts").tolist() == [2, -2]
    with pytest.raises(ResultError, match="is FAILED: it has no `field`"):
        results.array("task", 2, "field")
    with xarray.open_dataset(run.path / "results.h5", group="combinations", engine="h5netcdf") as table:
        assert table["x"].values.tolist() == [1, 2, 3, 4]


def test_unequal_arrays_stay(sweep: Callable[..., Run]) -> None:
    """Where shapes or types differ, or they are texts, each stays in its record, with the reason."""

    def task(x):
        import numpy

        mixed, days = numpy.zeros(2, "f4" if x % 2 else "f8"), numpy.array(["2026-01-02"], "M8[D]")
        return {"a": numpy.zeros(x), "b": mixed, "c": numpy.array(["é", "b"]), "d": [x], "days": days}

    results = sweep(task).collect(join_arrays=True)
    joined = results.tables.facts["joined"]
    assert list(joined["joined"]) == ["task/d", "task/days"]
    assert results.array("task", 0, "c").tolist() == ["é", "b"]
    assert str(results.array("task", 0, "days")[0]) == "2026-01-02"
    assert joined["apart"]["task/a"] == "they differ: 1 of <f8 and 2 of <f8"
    assert joined["apart"]["task/b"] == "they differ: 2 of <f4 and 2 of <f8"
    assert results.array("task", 3, "a").tolist() == [0.0] * 4
    with pytest.raises(ResultError, match="has no array `nothing`"):
        results.array("task", 3, "nothing")


def test_no_room_is_an_error_that_leaves_nothing(sweep: Callable[..., Run], monkeypatch: pytest.MonkeyPatch) -> None:
    """A disk without room ends in an error, with no half-made file."""
    run = sweep(lambda x: {"a": [float(x)] * 100})

    def full(*_arguments: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "posix_fallocate", full)
    with pytest.raises(RunError, match=r"arrays\.h5` cannot be written: No space left"):
        run.collect(join_arrays=True)
    assert not list(run.path.glob("*arrays.h5*"))
    assert run.collect().completed == 4
