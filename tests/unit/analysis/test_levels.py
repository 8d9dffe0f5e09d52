"""Levels, and which of them each row has."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sciflow.analysis.levels import codes_of, groups_of, is_absent, kind_of, levels_of, told_apart

NUMBERS = st.one_of(st.integers(-5, 5), st.sampled_from([0.5, 1.0, 2.5]), st.none())
TEXTS = st.one_of(st.sampled_from(["a", "b", "1", "µ"]), st.none())


@pytest.mark.parametrize(
    ("column", "levels", "kind"),
    [
        ([3, 1, 2, 1], (1, 2, 3), "number"),
        ([0.3, None, 0.1], (0.1, 0.3, None), "number"),
        ([1, 1.0, 2], (1, 2), "number"),
        (["b", "a", "b"], ("b", "a"), "category"),
        ([True, False], (True, False), "category"),
        ([2, "a", None, 1], (2, "a", 1, None), "category"),
        ([(1, 2), (0, 1)], ((1, 2), (0, 1)), "category"),
        ([None, float("nan"), pd.NA], (None,), "category"),
        ([], (), "category"),
    ],
)
def test_levels_are_in_order(column: list[Any], levels: tuple[Any, ...], kind: str) -> None:
    """Numbers are from the smallest up, others as they come; None is last, and NaN is none as well."""
    assert levels_of(column) == levels
    assert kind_of(levels) == kind


def test_levels_may_have_an_order_of_their_own() -> None:
    """What is left of levels keeps their order."""
    assert levels_of(["a", "c", None], ("c", "b", "a", None)) == ("c", "a", None)


def test_truth_values_beside_numbers_are_texts() -> None:
    """1, 1.0 and True are one key to Python, and yet True is another level than 1."""
    assert told_apart([1, True, 1.0, None, False]) == [1, "True", 1.0, None, "False"]
    for values in ([True, False, None], [1, 1.0], ["True", 1]):
        assert told_apart(values) is values


@given(st.one_of(st.lists(NUMBERS), st.lists(TEXTS)))
def test_a_code_leads_to_the_value(values: list[Any]) -> None:
    """Whatever the column is made of: the level at its code is the row's value."""
    levels = levels_of(values)
    for column in (values, pd.Series(values), pd.Series(values, dtype=object)):
        codes = codes_of(column, levels)
        assert [levels[code] for code in codes] == [None if is_absent(one) else one for one in values]


@pytest.mark.parametrize(
    "column",
    [
        pd.Series([1.0, np.nan, 3.0]),
        pd.array([1, None, 3], dtype="Int64"),
        pd.Series([1, pd.NA, 3], dtype=object),
        [1, float("nan"), 3],
    ],
)
def test_whole_numbers_beside_none_have_their_codes(column: Any) -> None:
    """Also where pandas has made floats of them, or has types of its own."""
    assert codes_of(column, (1, 3, None)).tolist() == [0, 2, 1]


def test_other_values_have_no_code() -> None:
    """A value that is no level, an absent one included, is -1; tuples are values like others."""
    assert codes_of([5, None, 7], (5,)).tolist() == [0, -1, -1]
    assert codes_of([(1, 2), (0, 1)], ((0, 1), (1, 2))).tolist() == [1, 0]


@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 2))))
def test_groups_are_of_equal_codes(rows: list[tuple[int, int]]) -> None:
    """Every row is in one group, with all that are like it, as they came; groups are in order."""
    columns = [np.array([row[place] for row in rows], dtype=np.int64) for place in (0, 1)]
    order, starts = groups_of(columns, len(rows))
    groups = [one.tolist() for one in np.split(order, starts[1:])] if rows else []
    keys = [rows[group[0]] for group in groups]
    assert keys == sorted(set(rows))
    assert groups == [[place for place, row in enumerate(rows) if row == key] for key in keys]


def test_without_columns_all_rows_are_one_group() -> None:
    """Nothing tells them apart; of no rows there is no group."""
    order, starts = groups_of([], 3)
    assert (order.tolist(), starts.tolist()) == ([0, 1, 2], [0])
    assert [one.tolist() for one in groups_of([], 0)] == [[], []]
