"""Observations as data frames."""

from __future__ import annotations

import pandas as pd
import pytest

from sciflow.analysis.forms import frame_of
from sciflow.errors import ResultError
from unit.figures.observed import observed


def test_the_wide_form_is_a_copy() -> None:
    """One row per combination; whatever is done with it, the observations stay as they are."""
    observations = observed({"x": [1, 2]}, {"y": [3.0, 4.0]})
    frame = frame_of(observations)
    frame["y"] = 0.0
    assert frame_of(observations)["y"].tolist() == [3.0, 4.0]
    assert list(frame) == ["x", "y", "state"]


def test_the_long_form_has_a_row_per_value() -> None:
    """Metric by metric, with task and unit; what is missing has a row as well, and texts stay texts."""
    observations = observed(
        {"x": [1, 2]}, {"y": [3.0, 4.0], "label": ["a", "b"]}, states={1: "FAILED"}, units={"y": "J"}
    )
    frame = frame_of(observations, "long")
    assert list(frame) == ["x", "metric", "task", "unit", "value", "state"]
    assert frame[["x", "metric", "task", "unit", "state"]].to_numpy().tolist() == [
        [1, "y", "solve", "J", "COMPLETED"],
        [2, "y", "solve", "J", "FAILED"],
        [1, "label", "solve", "", "COMPLETED"],
        [2, "label", "solve", "", "FAILED"],
    ]
    assert frame["value"].isna().tolist() == [False, True, False, True]
    assert frame["value"].tolist()[::2] == [3.0, "a"]
    numbers = frame_of(observed({"x": [1, 2]}, {"y": [3.0, 4.0], "z": [1, 2]}), "long")
    assert pd.api.types.is_float_dtype(numbers["value"])


def test_forms_that_there_are_not() -> None:
    """Another word, a name that is taken; without metrics it has no rows."""
    with pytest.raises(ResultError, match="`form` is 'tall'"):
        frame_of(observed({"x": [1]}, {}), "tall")  # pyright: ignore[reportArgumentType]
    with pytest.raises(ResultError, match="`unit` is a parameter and a column of it"):
        frame_of(observed({"unit": [1]}, {"y": [1.0]}), "long")
    empty = frame_of(observed({"x": [1]}, {}), "long")
    assert (len(empty), list(empty)) == (0, ["x", "metric", "task", "unit", "value", "state"])
