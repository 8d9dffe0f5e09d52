"""Result arrays, read when they are asked for, and in a dataset."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from sciflow.analysis.stored import read_dataset
from sciflow.engine import Engine
from sciflow.errors import ResultError
from sciflow.model.workflow import ExperimentalWorkflow
from sciflow.results import Results
from sciflow.store.layout import RunDirectory


@pytest.fixture(scope="module")
def waves(tmp_path_factory: pytest.TempPathFactory) -> Results:
    """Return the results of two lengths by two seeds, of which one failed, and of what gathers over seeds."""
    folder = tmp_path_factory.mktemp("waves")

    def wave(x, seed):
        import numpy

        if (x, seed) == (2, 6):
            raise ValueError("too rough")
        return {"signal": x * numpy.arange(3) + seed, "ragged": numpy.zeros(seed), "y": x}

    def spectrum(x):
        import numpy

        return {"power": numpy.array([[x, 0.5], [0.25, 1]])}

    workflow = ExperimentalWorkflow("waves", folder)
    workflow.add_task("wave", wave, results={"signal": {"type": "array", "unit": "V"}})
    workflow.add_task("spectrum", spectrum)
    workflow.add_parameter_space({"x": [1, 2], "seed": {"repeat": [5, 6]}})
    return Engine(runs=folder / "runs").execute_parameter_sweep(workflow)


def test_arrays_are_read_one_by_one(waves: Results, monkeypatch: pytest.MonkeyPatch) -> None:
    """By number or by parameters; none is read before it is asked for; a failed instance has none."""
    read: list[str] = []

    def noted(run: RunDirectory, record: str, dataset: str) -> Any:
        read.append(dataset)
        return read_dataset(run, record, dataset)

    monkeypatch.setattr("sciflow.analysis.arrays.read_dataset", noted)
    signals = waves.arrays("wave", "signal")
    assert repr(signals) == "<ResultArrays signal of wave: 3, 3>"
    assert signals.parameters == {0: {"x": 1, "seed": 5}, 1: {"x": 1, "seed": 6}, 2: {"x": 2, "seed": 5}}
    assert (len(signals), list(signals), 3 in signals, signals.unit) == (3, [0, 1, 2], False, "V")
    assert read == []
    assert signals[2].tolist() == [5, 7, 9]
    assert signals.at(x=1, seed=6).tolist() == [6, 7, 8]
    assert len(read) == 2
    assert {number: array.sum() for number, array in signals.items()} == {0: 18, 1: 21, 2: 21}


def test_arrays_of_one_shape_are_stacked(waves: Results) -> None:
    """A row for each instance; others are told apart by their shapes."""
    assert waves.arrays("wave", "signal").stack().tolist() == [[5, 6, 7], [6, 7, 8], [5, 7, 9]]
    ragged = waves.arrays("wave", "ragged")
    assert repr(ragged) == "<ResultArrays ragged of wave: 3, of 2 shapes>"
    with pytest.raises(ResultError, match="the arrays `ragged` of `wave` have different shapes: 5 and 6"):
        ragged.stack()


def test_what_is_no_array_is_said(waves: Results) -> None:
    """Tasks, names, instances and values that there are not, and too few values to tell one apart."""
    for task, name, told in [("wav", "signal", "did you mean `wave`"), ("wave", "signals", "did you mean `signal`")]:
        with pytest.raises(ResultError, match=told):
            waves.arrays(task, name)
    with pytest.raises(ResultError, match="`wave` has no array `y` in this run"):
        waves.arrays("wave", "y")
    signals = waves.arrays("wave", "signal")
    with pytest.raises(ResultError, match="instance 3 of `wave` has no array `signal`"):
        _ = signals[3]
    with pytest.raises(ResultError, match="2 instances of `wave` with x=1 have an array"):
        signals.at(x=1)
    with pytest.raises(ResultError, match="no instances of `wave` with x=2, seed=6"):
        signals.at(x=2, seed=6)
    with pytest.raises(ResultError, match="does not depend on `y`"):
        signals.at(y=1)


def test_arrays_lie_in_a_dataset(waves: Results) -> None:
    """Along the dimensions of their task, then their own; what failed is NaN."""
    dataset = waves.to_xarray(arrays=["wave.signal", "spectrum.power"])
    assert dataset["signal"].dims == ("x", "seed", "signal_0")
    assert dataset["signal"].sel(x=2, seed=5).values.tolist() == [5, 7, 9]
    assert np.isnan(dataset["signal"].sel(x=2, seed=6)).all()
    assert dataset["signal"].attrs == {"task": "wave", "units": "V"}
    assert dataset["power"].dims == ("x", "power_0", "power_1")
    assert dataset["power"].sel(x=2).values.tolist() == [[2, 0.5], [0.25, 1]]
    flat = waves.to_xarray("combinations", arrays=["spectrum.power"])
    assert flat["power"].dims == ("combination", "power_0", "power_1")
    assert flat["power"][:, 0, 0].values.tolist() == [1, 1, 2, 2]
    with pytest.raises(ResultError, match="different shapes"):
        waves.to_xarray(arrays=["wave.ragged"])
