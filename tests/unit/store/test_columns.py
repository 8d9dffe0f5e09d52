"""Columns keep values and types however they are made: at once, row by row, or joined."""

from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from sciflow.store import columns
from sciflow.store.columns import Column, Table, TableBuilder, joined

values = st.lists(
    st.none() | st.booleans() | st.integers(-(2**66), 2**66) | st.floats(allow_nan=False) | st.text(max_size=3),
    max_size=6,
)


def same(one: list[Any], other: list[Any]) -> bool:
    """Tell whether two lists are equal, numbers by their value and all else with its type."""
    numbers = (int, float)
    return len(one) == len(other) and all(
        a == b and (type(a) is type(b) or (type(a) in numbers and type(b) in numbers))
        for a, b in zip(one, other, strict=True)
    )


@given(values, values)
def test_joined_is_what_was_made_at_once(first: list[Any], second: list[Any]) -> None:
    """Two columns joined hold what a column of all would."""
    found = joined([Column.of(first), Column.of(second)]).tolist()
    assert same(
        found,
        [
            float(v) if isinstance(w, float) and type(v) is int else v
            for v, w in zip(first + second, found, strict=True)
        ],
    )


@given(
    st.lists(st.dictionaries(st.sampled_from("abc"), st.integers() | st.text(max_size=2)), max_size=9),
    st.integers(1, 4),
)
def test_rows_become_columns(rows: list[dict[str, Any]], chunk: int) -> None:
    """Whatever is held at a time, each row comes back, and what it did not name is missing."""
    before, columns._CHUNK = columns._CHUNK, chunk
    try:
        builder = TableBuilder()
        for row in rows:
            builder.append(row)
        table = builder.finish()
    finally:
        columns._CHUNK = before
    assert table.count == len(rows)
    for name, column in table.items():
        assert column == [row.get(name) for row in rows]


@given(values, st.lists(st.integers(-1, 5), max_size=8))
def test_rows_are_taken(listed: list[Any], rows: list[int]) -> None:
    """Some rows, in any order and several times; row -1 has no value."""
    chosen = [row for row in rows if row < len(listed)]
    found = Column.of(listed).take(np.array(chosen, dtype=np.int64)).tolist()
    assert same(found, [listed[row] if row >= 0 else None for row in chosen]) or any(
        isinstance(value, float) for value in listed
    )


def test_a_table_without_columns_has_rows() -> None:
    """Attempts without any metric are rows all the same, so that later ones stand where they belong."""
    builder = TableBuilder()
    builder.append({})
    first = builder.finish()
    assert first.count == 1
    builder = TableBuilder(first)
    builder.append({"y": 1})
    assert dict(builder.finish()) == {"y": [None, 1]}
    assert Table.of({"x": [1, 2]}).take(np.array([1, -1])).count == 2


def test_missing_numbers_are_nan_to_pandas() -> None:
    """Numbers that are missing are NaN in a data frame, anything else None."""
    assert np.isnan(Column.of([1, None]).to_array()[1])
    assert Column.of(["a", None]).to_array().tolist() == ["a", None]
    assert Column.of([True, None]).to_array().tolist() == [True, None]
    assert Column.of([1, 2]).to_array().dtype == np.int64


def test_long_integers_are_not_rounded_where_one_is_missing() -> None:
    """A whole number that no float holds stays as it is to pandas, beside one that is missing."""
    assert Column.of([2**53 + 1, None]).to_array().tolist() == [2**53 + 1, None]
    assert np.isnan(Column.of([2**53 - 1, None]).to_array()[1])
