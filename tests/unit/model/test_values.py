"""Names and values of parameters, and the ids of combinations."""

from __future__ import annotations

import enum
import hashlib
from collections import namedtuple
from typing import Any

import numpy as np
import pandas as pd
import pytest

from sciflow.errors import WorkflowError
from sciflow.model.values import (
    checked_name,
    checked_value,
    combination_id,
    is_number,
    nearest_values,
    read_value,
    unknown_name,
    value_document,
    whole_number,
)

Level = enum.IntEnum("Level", ["LOW"])
Method = enum.Enum("Method", {"CG": "cg"}, type=str)
Point = namedtuple("Point", "x y")


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (None, None),
        (True, True),
        (2**4000, 2**4000),
        (0.5, 0.5),
        ("µ 😀", "µ 😀"),
        ((1, ("a", None)), (1, ("a", None))),
        (np.float64(0.5), 0.5),
        (np.float32(0.5), 0.5),
        (np.longdouble(0.5), 0.5),
        (np.int8(3), 3),
        (np.uint64(3), 3),
        (np.bool_(True), True),
        (np.str_("a"), "a"),
        (np.array(3), 3),
        ((np.int64(1),), (1,)),
        (Level.LOW, 1),
        (Method.CG, "cg"),
        (Point(1, 2), (1, 2)),
    ],
)
def test_allowed_values_become_plain_python(given: Any, expected: Any) -> None:
    """NumPy scalars and subclasses become the plain type, exactly."""
    value = checked_value(given, "x")
    assert value == expected
    assert type(value) is type(expected)


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (float("nan"), "nan, which is not a finite number"),
        (np.float32("inf"), "inf, which is not a finite number"),
        (1 << 4096, "more than 4096 binary digits"),
        ("\ud800", "no valid text"),
        ("a\x02run\x03", "holds a control character (\\x02 or \\x03)"),
        ([1, 2], "[1, 2], an unhashable value (list)"),
        ({"a": 1}, "an unhashable value (dict)"),
        ({1}, "an unhashable value (set)"),
        ((1, [2]), "[2], an unhashable value"),
        (b"x", "of type bytes"),
        (1j, "of type complex"),
        (np.complex64(1), "of type complex64"),
        (np.datetime64("2020-01-01"), "of type datetime64"),
        (np.array([1]), "of type ndarray"),
        (pd.Timestamp(0), "of type Timestamp"),
        (pd.NA, "of type NAType"),
        (list(range(1000)), "…, an unhashable value"),
    ],
    ids=lambda value: str(type(value).__name__),
)
def test_other_values_are_refused(value: Any, reason: str) -> None:
    """The message says whose value it is and what it is."""
    with pytest.raises(WorkflowError) as caught:
        checked_value(value, "axis `a`: value 3")
    assert caught.value.message.startswith("axis `a`: value 3 is ")
    assert reason in caught.value.message


def test_tuples_are_written_so_that_json_keeps_them() -> None:
    """Nested tuples become marked lists, and come back."""
    value = (1, ("a", ()))
    document = {"tuple": [1, {"tuple": ["a", {"tuple": []}]}]}
    assert value_document(value) == document
    assert read_value(document, "x") == value
    with pytest.raises(WorkflowError, match="unhashable value"):
        read_value({"tuple": 3}, "x")


@pytest.mark.parametrize("name", ["", "1a", "a b", "a-b", "for", "None", "params", "ctx", "self", "pi", 3, None])
def test_names_that_are_none(name: Any) -> None:
    """What cannot be an argument, or means something already, is no parameter's name."""
    with pytest.raises(WorkflowError, match="cannot be the name of a parameter"):
        checked_name(name, "here")


def test_names_are_in_the_form_in_which_python_reads_them() -> None:
    """The micro sign of a keyboard is the Greek letter of a function's signature."""
    assert checked_name("\u00b5", "here") == "\u03bc"
    assert checked_name("match", "here") == "match"


def test_an_unknown_name_is_offered_its_nearest() -> None:
    """The error names it, the hint what is close."""
    error = unknown_name("siz", ["size", "seed"], "constraint")
    assert error.message == "constraint names `siz`, which is no parameter"
    assert "`size`" in error.hint


def test_numbers_are_told_from_what_looks_like_them() -> None:
    """Bools, texts and what no float can hold are no numbers."""
    assert is_number(3)
    assert is_number(0.5)
    assert not any(is_number(value) for value in (True, "3", None, 10**400))


def test_whole_numbers_are_bounded() -> None:
    """NumPy's integers pass; bools, fractions and what is out of bounds do not."""
    assert whole_number(np.int64(3), 1, 5, "count") == 3
    for value in (True, 2.0, "2", 0, 6):
        with pytest.raises(WorkflowError, match="from 1 to 5"):
            whole_number(value, 1, 5, "count")


@pytest.mark.parametrize(
    ("value", "known", "hint"),
    [
        (1.55, [1.0, 1.5, 1.6, "1.5"], "the nearest are 1.5, 1.6"),
        (4, [1], "the nearest are 1"),
        ("cgs", ["lu", "cg", None], "the nearest are 'cg'"),
        ("x", [1, 2, 3, 4, 5, 6], "known are [1, 2, 3, 4, 5]"),
        (True, [(1,), None], "known are [(1,), None]"),
    ],
)
def test_nearest_values(value: Any, known: list[Any], hint: str) -> None:
    """Numbers are compared by distance, texts by likeness; else a few are shown."""
    assert nearest_values(value, known) == hint


def test_an_id_is_the_hash_of_canonical_json() -> None:
    """The recipe is fixed: ids in old runs stay valid."""
    text = '{"b":[1,"µ"],"c":0.5}'
    assert combination_id({"c": 0.5, "b": (1, "µ")}) == hashlib.sha256(text.encode()).hexdigest()[:16]
    assert combination_id({}) == "44136fa355b3678a"


def test_ids_tell_types_apart() -> None:
    """One, 1.0, True and "1" are four values."""
    assert len({combination_id({"a": value}) for value in (1, 1.0, True, "1", None)}) == 5
