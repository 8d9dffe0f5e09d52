"""Observations as a dataset of xarray."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import xarray

from sciflow.analysis.dataset import dataset_of
from sciflow.analysis.observations import STATE, Metric, Observations
from sciflow.answers.selection import Selection
from sciflow.errors import ResultError
from unit.figures.observed import grid, observed, on_a_grid, on_drawn_points, with_failures, with_repeats


def made(observations: Observations, layout: Any = "auto") -> xarray.Dataset:
    """Only the dataset."""
    return dataset_of(observations, layout)[0]


def test_parameters_of_a_grid_are_dimensions() -> None:
    """With their levels as coordinates; metrics lie where their combination is, with task, unit and coverage."""
    dataset = made(on_a_grid())
    assert dict(dataset.sizes) == {"size": 4, "field": 5}
    assert dataset["field"].values.tolist() == [0.0, 0.25, 0.5, 0.75, 1.0]
    assert dataset["energy"].dims == ("size", "field")
    assert float(dataset["energy"].sel(size=16, field=0.5)) == pytest.approx(1.6 + 0.01)
    assert dataset["energy"].attrs == {"task": "solve", "coverage": "20 of 20", "units": "J"}
    assert dataset.attrs == {"workflow": "solving", "runs": "20250101-000000-aa", "completed": "20 of 20"}
    assert (dataset["state"] == "COMPLETED").all()


def test_what_is_missing_is_nan() -> None:
    """What failed, and what was never one of the combinations, which has no state either."""
    dataset = made(with_failures())
    assert int(dataset["energy"].isnull().sum()) == 4
    assert dataset["state"].sel(size=64, field=1.0) == "FAILED"
    part = made(Selection(on_a_grid()).select("size < 64 or field > 0.2").observations)
    assert int(part["energy"].isnull().sum()) == 1
    assert part["state"].sel(size=64, field=0.0).item() == ""


def test_repeats_are_a_dimension() -> None:
    """So that means over it are one call."""
    dataset = made(with_repeats())
    assert dict(dataset.sizes) == {"size": 4, "field": 3, "seed": 5}
    assert dataset["energy"].mean("seed").dims == ("size", "field")


def test_a_metric_has_the_dimensions_it_depends_on() -> None:
    """One of a task that gathers lacks those over which it does; what depends on nothing is a single value."""
    columns = grid(x=[1, 2], seed=[1, 2])
    depends = {"mean": ["x"], "all": []}
    metrics = {"loss": [1, 2, 3, 4], "mean": [1.5, 1.5, 3.5, 3.5], "all": [9, 9, 9, 9]}
    dataset = made(observed(columns, metrics, depends=depends, states={0: "FAILED"}))
    assert dataset["mean"].dims == ("x",)
    assert dataset["mean"].values.tolist() == [1.5, 3.5]
    assert (dataset["all"].dims, dataset["all"].item()) == ((), 9)


def test_parameters_that_move_together_share_a_dimension() -> None:
    """As in `zip`; what is derived is a coordinate along the dimensions that it follows."""
    columns = grid(size=[8, 16, 32], rate=[0.1, 0.2])
    columns["sweeps"] = [10 * size for size in columns["size"]]
    columns["cells"] = [size**2 for size in columns["size"]]
    columns["work"] = [a * b for a, b in zip(columns["size"], columns["rate"], strict=True)]
    metrics = {"loss": list(range(6)), "area": [1.0, 1.0, 2.0, 2.0, 3.0, 3.0]}
    behind = {"cells": ["sweeps"], "work": ["size", "rate"]}
    dataset = made(observed(columns, metrics, behind=behind, depends={"area": ["cells"]}))
    assert dict(dataset.sizes) == {"size": 3, "rate": 2}
    assert dataset["sweeps"].dims == dataset["cells"].dims == ("size",)
    assert dataset["cells"].values.tolist() == [64, 256, 1024]
    assert dataset["work"].dims == ("size", "rate")
    assert (dataset["area"].dims, dataset["area"].values.tolist()) == (("size",), [1.0, 2.0, 3.0])


@pytest.mark.parametrize(
    ("observations", "why"),
    [
        (on_drawn_points(), "`size` was sampled"),
        (observed({"s": ["a", "b", "b"], "t": [None, 1, 2]}, {"y": [1, 2, 3]}), "`t` is not used everywhere"),
        (observed({"a": [1, 1], "b": [1, 1]}, {"y": [1, 2]}), "several of them are at the same place"),
    ],
)
def test_what_is_no_grid_has_one_dimension(observations: Observations, why: str) -> None:
    """Parameters are coordinates along it then; a grid that is asked for all the same is refused, with the reason."""
    dataset = made(observations)
    count = len(observations)
    assert dict(dataset.sizes) == {"combination": count}
    for name in (*observations.parameters, *observations.metrics):
        assert dataset[name].dims == ("combination",)
    with pytest.raises(ResultError, match=f"these combinations make no grid: {why}"):
        made(observations, "grid")


def test_a_sparse_grid_is_one_only_when_asked_for() -> None:
    """Where less than half of the cells have a combination; either layout can be named."""
    observations = observed({"a": [1, 2, 3, 1], "b": [1, 2, 3, 3]}, {"y": [1, 2, 3, 4]})
    assert dict(made(observations).sizes) == {"combination": 4}
    dataset = made(observations, "grid")
    assert dict(dataset.sizes) == {"a": 3, "b": 3}
    assert int(dataset["y"].notnull().sum()) == 4
    assert dict(made(on_a_grid(), "combinations").sizes) == {"combination": 20}
    huge = {"a": list(range(20_000)), "b": list(range(1, 20_001))}
    huge["b"][0] = 2
    with pytest.raises(ResultError, match=r"it would have \d+ cells for 20000 combinations"):
        made(observed(huge, {}), "grid")
    with pytest.raises(ResultError, match="`layout` is 'cube'"):
        made(observations, "cube")


def test_kinds_of_values() -> None:
    """Whole numbers and truth values stay such where none is missing; texts and tuples are objects."""
    columns = {"shape": [(1, 2), (2, 2)], "flag": [True, True]}
    metrics = {"n": [1, 2], "ok": [True, False], "label": ["a", "b"], "gap": [3, None], "maybe": [True, None]}
    dataset = made(observed(columns, metrics))
    assert dataset["shape"].values.tolist() == [(1, 2), (2, 2)]
    assert [dataset[name].dtype.kind for name in ("n", "ok", "label", "gap", "maybe", "flag")] == [*"ibOffb"]
    assert np.isnan(dataset["gap"].values[1]).all()
    part = made(observed(columns, {"label": ["a", None]}))
    assert part["label"].isnull().values.ravel().tolist() == [False, True]


def test_names_may_be_those_of_xarray() -> None:
    """A parameter called `combination` leaves the dimension another name."""
    observations = observed({"combination": [0.1, 0.2]}, {"y": [1, 2]}, sampled=["combination"])
    assert dict(made(observations).sizes) == {"combination_": 2}


def test_without_parameters_there_are_single_values() -> None:
    """A workflow without parameters has no dimension."""
    frame = pd.DataFrame({"y": [2.0], STATE: ["COMPLETED"]})
    dataset = made(Observations(frame, {}, {"y": Metric("y", "solve", ())}))
    assert (dict(dataset.sizes), dataset["y"].item(), dataset["state"].item()) == ({}, 2.0, "COMPLETED")


def test_a_dataset_is_kept_as_netcdf(tmp_path: Path) -> None:
    """Written and read again it is the same, states and texts included."""
    observations = with_failures()
    dataset = made(replace(observations, frame=observations.frame.assign(run="20250101-000000-aa")))
    dataset.to_netcdf(tmp_path / "d.nc", engine="h5netcdf")
    with xarray.open_dataset(tmp_path / "d.nc", engine="h5netcdf") as again:
        xarray.testing.assert_equal(again.load(), dataset)
    assert set(dataset["run"].values.ravel()) == {"20250101-000000-aa"}


def test_too_little_and_no_xarray_are_said(monkeypatch: pytest.MonkeyPatch) -> None:
    """How much there is; and how to install what is missing."""
    with pytest.raises(ResultError, match="16 of 20 values of combinations are there, 80%"):
        Selection(with_failures()).to_xarray(minimum_coverage=0.9)
    monkeypatch.setitem(sys.modules, "xarray", None)
    with pytest.raises(ResultError, match=r"xarray is not installed\nhint: pip install 'sciflow\[xarray\]'"):
        Selection(on_a_grid()).to_xarray()
