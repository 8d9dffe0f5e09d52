"""Axes: the forms in which values are written."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from sciflow.errors import ExpressionError, WorkflowError
from sciflow.model import axes
from sciflow.model.axes import check_distinct, read_axis


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ([1, "a", None, 0.5], (1, "a", None, 0.5)),
        ((1, 2), (1, 2)),
        (range(3), (0, 1, 2)),
        (np.array([0.5, 1.5]), (0.5, 1.5)),
        (np.array([1, 2], dtype=np.int8), (1, 2)),
        (np.array(["a", 1], dtype=object), ("a", 1)),
        (pd.Series([1, 2]), (1, 2)),
        (pd.Index(["a", "b"]), ("a", "b")),
        ([(1, 2), {"tuple": [3]}], ((1, 2), (3,))),
        ({"values": [1, 2]}, (1, 2)),
        ({"linspace": [1.5, 3.0, 4]}, (1.5, 2.0, 2.5, 3.0)),
        ({"linspace": [0, 1, 11]}, (0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0)),
        ({"linspace": [0, 1, 4]}, (0.0, 1 / 3, 2 / 3, 1.0)),
        ({"linspace": [2, 5, 1]}, (2.0,)),
        ({"logspace": [1e-3, 1e3, 7]}, (0.001, 0.01, 0.1, 1.0, 10.0, 100.0, 1000.0)),
        ({"logspace": [100, 1, 3]}, (100.0, 10.0, 1.0)),
        ({"logspace": [5, 7, 1]}, (5.0,)),
        ({"range": [3]}, (0, 1, 2)),
        ({"range": [1, 3]}, (1, 2)),
        ({"range": [10, 0, -5]}, (10, 5)),
        ({"range": [0, 1, 0.1]}, (0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)),
        ({"range": [0.3, 0.0, -0.1]}, (0.3, 0.2, 0.1)),
        ({"range": [0, 1.05, 0.5]}, (0, 0.5, 1.0)),
        ({"range": [1, 2, 1 / 3]}, (1.0, 1 + 1 / 3, 1 + 2 / 3)),
    ],
    ids=str,
)
def test_values_of_each_form(written: Any, expected: tuple[Any, ...]) -> None:
    """Lists stay as they are; steps come out as the decimals that were meant, without drift."""
    axis = read_axis("a", written, "parameters")
    assert axis.values == expected
    assert {type(value) for value in axis.values or ()} <= {int, float, str, tuple, type(None)}


@pytest.mark.parametrize(
    ("written", "reason", "hint"),
    [
        (3, "is the single value 3", "[3]"),
        ("cg", "is the single value 'cg'", "['cg']"),
        (None, "is the single value None", "[None]"),
        (np.float64(1.5), "is the single value", "list of one"),
        ({3, 4}, "is a set", "sorted"),
        pytest.param(
            (i for i in range(3)), "is generator", "list of values", id="a generator"
        ),  # its repr has an address
        ([], "has no values", "leave the axis out"),
        (np.zeros((2, 2)), "has 2 dimensions", ""),
        (np.array(["2020-01-01"], dtype="datetime64[ns]"), "of type datetime64", "function looks up"),
        ([1, float("nan")], "value 1 is nan", ""),
        ([[1, 2]], "value 0 is [1, 2], an unhashable value", "use a tuple"),
        (range(10**30), "has more than", ""),
        ({"range": [10**30]}, "has more than", ""),
        ({"range": [0, 1e300, 1e-300]}, "has more than", ""),
        ({"range": [1, 0]}, "has no values", ""),
        ({"range": [1.0, 0, 1]}, "has no values", ""),
        ({"range": [0, 1, 0]}, "a step of 0", ""),
        ({"range": 3}, "has 3", "range: [start, stop, step]"),
        ({"range": [1, 2, 3, 4]}, "has [1, 2, 3, 4]", "range: [start, stop, step]"),
        ({"linspace": [0, 1]}, "has [0, 1]", "linspace: [first, last, count]"),
        ({"linspace": [0, "1", 3]}, "has [0, '1', 3]", "in numbers"),
        ({"linspace": [0, 10**400, 3]}, "has [0, 1", "in numbers"),
        ({"linspace": [0, True, 3]}, "has [0, True, 3]", "in numbers"),
        ({"linspace": [0, 1, 0]}, "the number of values is 0", "from 1"),
        ({"linspace": [0, 1, 2.0]}, "the number of values is 2.0", "from 1"),
        ({"logspace": [0, 1, 3]}, "logarithmic range [0, 1, 3]", "above 0"),
        ({"logspace": [1, -1, 3]}, "logarithmic range", "above 0"),
        ({"repeat": 0}, "the number of values is 0", "from 1"),
        ({"repeat": 3, "seed": -1}, "`seed` is -1", "from 0"),
        ({"repeat": [1, 2], "seed": 3}, "repeats the seeds [1, 2] and has a `seed`", "leave one of them out"),
        ({"repeat": []}, "has no values", "at least one"),
        ({"repeat": "many"}, "the number of values is 'many'", "from 1"),
        ({"values": 3}, "is the single value 3", ""),
        ({"values": [1], "seed": 3}, "has the keys `values`, `seed`", "exactly one of"),
        ({"values": [1], "range": [3]}, "has the keys `values`, `range`", "exactly one of"),
        ({"linspce": [1, 2, 3]}, "has the keys `linspce`", "linspace"),
        ({"when": "b > 1"}, "has the keys `when`", "exactly one of"),
    ],
    ids=str,
)
def test_what_is_no_axis(written: Any, reason: str, hint: str) -> None:
    """The message names the axis and the value, the hint the right form."""
    with pytest.raises(WorkflowError) as caught:
        read_axis("a", written, "parameters")
    assert caught.value.message.startswith("parameters: axis `a`")
    assert reason in caught.value.message
    assert hint in caught.value.hint


def test_a_condition_is_an_expression() -> None:
    """It is read with the axis, and errors say where it is."""
    axis = read_axis("a", {"values": [1, 2], "when": "b > 1"}, "parameters")
    assert axis.when is not None
    assert axis.when.names == {"b"}
    with pytest.raises(ExpressionError, match="axis `a`: `when`: expression `b >`"):
        read_axis("a", {"values": [1, 2], "when": "b >"}, "parameters")


def test_repeats_have_recorded_seeds() -> None:
    """The seeds are fixed for ever, differ with the seed, and 0 is the default."""
    three = read_axis("s", {"repeat": 3}, "parameters").values
    assert three == (1610069009, 673228719, 1093961225)
    assert read_axis("s", {"repeat": 3, "seed": 0}, "parameters").values == three
    assert read_axis("s", {"repeat": 3, "seed": 1}, "parameters").values != three


@pytest.mark.parametrize("seeds", [[5, 6, 7], (5, 6, 7), ["a", "b"]])
def test_repeats_may_be_named(seeds: Any) -> None:
    """The seeds are those that are listed, and what repeats is known as such, as with a number of them."""
    axis = read_axis("s", {"repeat": seeds, "when": "x > 1"}, "parameters")
    assert (axis.values, axis.is_repeat) == (tuple(seeds), True)
    assert read_axis("s", {"repeat": 3}, "parameters").is_repeat
    assert not read_axis("s", {"values": [5, 6]}, "parameters").is_repeat
    assert not read_axis("s", [5, 6], "parameters").is_repeat


def test_repeats_that_meet_by_chance_take_the_next_word(monkeypatch: pytest.MonkeyPatch) -> None:
    """Seeds differ even where the generator gives the same word twice."""

    class Same:
        def __init__(self, seed: int, spawn_key: tuple[int, ...]) -> None:
            pass

        def generate_state(self, words: int) -> np.ndarray:
            return np.arange(7, 7 + words, dtype=np.uint32) | np.uint32(1 << 31)

    monkeypatch.setattr("numpy.random.SeedSequence", Same)
    assert read_axis("s", {"repeat": 3}, "parameters").values == (7, 8, 9)


def test_long_axes_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """One value more than the bound is refused, the bound itself is not."""
    monkeypatch.setattr(axes, "MOST_VALUES", 3)
    assert read_axis("a", [1, 2, 3], "parameters").values == (1, 2, 3)
    with pytest.raises(WorkflowError, match="more than 3 values"):
        read_axis("a", [1, 2, 3, 4], "parameters")


@pytest.mark.parametrize("values", [[1, 2, 1], [0, 1, 0.0], [1, 0, True], ["a", (1,), "a"]])
def test_equal_values_are_refused_with_their_positions(values: list[Any]) -> None:
    """Whether of one type or of two."""
    with pytest.raises(WorkflowError, match=r"equal values at positions 0 and 2: .* and ") as caught:
        check_distinct(values, "parameters: axis `a`")
    assert "repeat" in caught.value.hint
