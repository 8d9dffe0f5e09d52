"""Two values beside each other: metrics, arrays, stored objects, files."""

from __future__ import annotations

import json
import math
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sciflow.package.again.compared_values import (
    DIFFERENT,
    REPRODUCED,
    WITHIN,
    compare_datasets,
    compare_files,
    compare_scalars,
)
from sciflow.package.again.tolerances import DEFAULT, Rule
from sciflow_shim.outcome import Outcome, read_outcome
from sciflow_shim.packing import pack
from sciflow_shim.record import Dataset, FileSlice, Group, write_record
from sciflow_shim.record_reader import RecordDataset, read_record

Keep = Callable[[Any], RecordDataset]


@pytest.fixture
def keep(tmp_path: Path) -> Keep:
    """Return a function that puts a value into a record, as a task's result is, and reads it back."""

    def kept(value: Any) -> RecordDataset:
        outcome = Outcome()
        pack(outcome, "it", value, str(tmp_path))
        path = tmp_path / f"{len(list(tmp_path.iterdir()))}.h5"
        outcome.write(f"{path}.out")
        [one] = (read_outcome(f"{path}.out") or outcome).results
        data = FileSlice(f"{path}.out", one["offset"], one["length"]) if one["length"] else b""
        write_record(str(path), Group({}, {"it": Dataset(data, one["dtype"], tuple(one["shape"]), one["attributes"])}))
        return read_record(path)["it"]

    return kept


@pytest.mark.parametrize(
    ("there", "here", "verdict"),
    [
        (1, 1, REPRODUCED),
        (1, 2, DIFFERENT),
        (True, True, REPRODUCED),
        (True, 1, DIFFERENT),
        ("a", "a", REPRODUCED),
        ("a", "b", DIFFERENT),
        (1.0, 1.0 + 1e-12, WITHIN),
        (1.0, 1.0 + 1e-6, DIFFERENT),
        (0.0, 1e-300, DIFFERENT),
        (1.0, 1, REPRODUCED),
        (math.nan, math.nan, REPRODUCED),
        (math.nan, 1.0, DIFFERENT),
        (math.inf, math.inf, REPRODUCED),
        (math.inf, -math.inf, DIFFERENT),
        (1e300, math.inf, DIFFERENT),
        ("1", 1, DIFFERENT),
    ],
)
def test_metrics_by_default(there: Any, here: Any, verdict: str) -> None:
    """Whole numbers, texts and truth values are the same or not; floats may differ in their last digits."""
    assert compare_scalars(there, here, DEFAULT).verdict == verdict


def test_how_much_a_metric_differs_is_told() -> None:
    """The difference is told as it is and relative to what the package holds; a given rule counts for integers too."""
    found = compare_scalars(2.0, 2.5, Rule(absolute=0.1))
    assert (found.verdict, found.absolute, found.relative, found.there, found.here) == (DIFFERENT, 0.5, 0.25, 2.0, 2.5)
    assert compare_scalars(2.0, 2.5, Rule(absolute=0.5)).verdict == WITHIN
    assert compare_scalars(2, 3, Rule(absolute=1)).verdict == WITHIN
    assert compare_scalars(0.0, 1e-3, Rule(relative=0.5)).relative == math.inf


@given(st.floats(allow_nan=True), st.floats(allow_nan=True), st.floats(0, 10), st.floats(0, 10))
def test_a_wider_tolerance_takes_what_a_narrow_one_takes(a: float, b: float, first: float, second: float) -> None:
    """Whatever the values: what is within a tolerance is within each that is wider."""
    narrow, wide = sorted((first, second))
    if compare_scalars(a, b, Rule(narrow, narrow)).verdict != DIFFERENT:
        assert compare_scalars(a, b, Rule(wide, wide)).verdict != DIFFERENT


def test_arrays_are_compared_by_their_norm(keep: Keep) -> None:
    """The largest difference is told, and that of all elements relative to the norm of what the package holds."""
    there = np.array([[3.0, 0.0], [0.0, 4.0]])
    here = there + np.array([[0.0, 0.05], [0.0, 0.0]])
    found = compare_datasets(keep(there), keep(here), DEFAULT)
    assert found.verdict == DIFFERENT
    assert found.absolute == pytest.approx(0.05)
    assert found.relative == pytest.approx(0.01)
    assert found.why == "1 of 4 elements differ"
    assert compare_datasets(keep(there), keep(here), Rule(relative=0.011)).verdict == WITHIN
    assert compare_datasets(keep(there), keep(here), Rule(absolute=0.051)).verdict == WITHIN
    assert compare_datasets(keep(there), keep(there.copy()), Rule()).verdict == REPRODUCED
    small = compare_datasets(keep(np.array([1e6, 1e-3])), keep(np.array([1e6, 5e-4])), DEFAULT)
    assert small.verdict == WITHIN
    assert "of which 1 by more than is allowed for their own size" in small.why


@pytest.mark.parametrize(
    ("there", "here", "why"),
    [
        (np.zeros(3), np.zeros(4), "shape 3 became 4"),
        (np.zeros((2, 2)), np.zeros(4), "shape 2×2 became 4"),
        (np.zeros(3), np.zeros(3, int), "elements of floats became whole numbers"),
        (np.array([1, 2, 3]), np.array([1, 2, 4]), "1 of 3 elements differ"),
        (np.array([1.0, math.nan]), np.array([1.0, 2.0]), "1 elements are not finite"),
        (np.array([True, False]), np.array([True, True]), "1 elements differ"),
        (np.array(["a", "bc"]), np.array(["a", "bd"]), "1 elements differ"),
        (np.array(["2024-01-01"], "M8[D]"), np.array(["2024-01-02"], "M8[D]"), "1 elements differ"),
        (np.array([2**63], "u8"), np.array([2**63 + 1], "u8"), "1 of 1 elements differ"),
        ({"a": [1, {"b": 2.0}]}, {"a": [1, {"b": 3.0}]}, "at a[1].b"),
        ({"a": None}, {"b": None}, ""),
        ({1, 2}, {1, 3}, "other bytes of a stored object"),
        ({1, 2}, [1, 2], "pickle became an array"),
        ({"a": None}, {1, 2}, "json became pickle"),
    ],
)
def test_results_that_differ_say_how(keep: Keep, there: Any, here: Any, why: str) -> None:
    """Another shape, kind, element, entry or byte is told, at its place where it has one."""
    found = compare_datasets(keep(there), keep(here), DEFAULT)
    assert found.verdict == DIFFERENT
    assert why in found.why


@pytest.mark.parametrize(
    "value",
    [
        np.array([1.0, math.nan, math.inf]),
        np.array([1 + 2j]),
        np.array([], float),
        np.array(["ä", ""]),
        [1, 2, 3],
        (1.5, 2.5),
        {"a": [1, {"b": 2.0}, None]},
        {1, 2},
    ],
)
def test_results_that_are_the_same_are_reproduced(keep: Keep, value: Any) -> None:
    """Arrays, lists, what is JSON and stored objects are each the same as themselves."""
    assert compare_datasets(keep(value), keep(value), Rule()).verdict == REPRODUCED


def test_leaves_of_json_may_differ_within_a_tolerance(keep: Keep) -> None:
    """Floats deep in lists and dictionaries have tolerances as metrics have; the worst of them counts."""
    there, here = {"a": [1.0, 2.0], "n": 1}, {"a": [1.0, 2.0 + 1e-12], "n": 1}
    found = compare_datasets(keep(there), keep(here), DEFAULT)
    assert (found.verdict, found.why) == (WITHIN, "at a[1]")


def test_nothing_is_unpickled(keep: Keep) -> None:
    """Two stored objects that would end the program when they are loaded are compared by their bytes."""

    class Trap:
        def __reduce__(self) -> Any:
            return exec, ("raise SystemExit('it was loaded')",)

    assert pickle.dumps(Trap())
    assert compare_datasets(keep([Trap()]), keep([Trap()]), DEFAULT).verdict == REPRODUCED


def test_large_arrays_are_compared_in_parts(keep: Keep) -> None:
    """A difference in the last of a million elements is found."""
    there = np.ones(1_000_003)
    here = there.copy()
    here[-1] = 2.0
    found = compare_datasets(keep(there), keep(here), DEFAULT)
    assert (found.verdict, found.absolute) == (DIFFERENT, 1.0)
    assert found.relative == pytest.approx(1 / math.sqrt(1_000_003))


def test_files_are_the_same_byte_for_byte_or_not() -> None:
    """A file is known by its digest; that of another one is told with both sizes."""
    there = {"name": "note", "size": 4, "sha256": "aa", "files": 1}
    assert compare_files(there, {**there, "path": "/elsewhere"}).verdict == REPRODUCED
    found = compare_files(there, {**there, "size": 5, "sha256": "bb"})
    assert (found.verdict, found.why) == (DIFFERENT, "different bytes: 4 bytes there, 5 here")
    assert json.dumps([found.there, found.here]) == '["aa", "bb"]'
