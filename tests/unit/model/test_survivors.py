"""What constraints, exclusions and conditions leave."""

from __future__ import annotations

import tracemalloc
from typing import Any

import pytest

from sciflow.errors import ExpressionError, WorkflowError
from sciflow.model import survivors
from sciflow.model.parameters import ParameterSpace

AXES = {"a": [0, 1, 2, 3], "b": [0, 1, 2], "c": [0, 1]}


def test_constraints_remove_by_expression_and_by_function() -> None:
    """Each may be over axes and derived parameters."""
    space = ParameterSpace.from_document(
        AXES, constraints=["a < b", lambda total: total != 3], derived={"total": "a + b + c"}
    )
    assert [(row["a"], row["b"], row["c"]) for row in space] == [(0, 1, 0), (0, 1, 1), (0, 2, 0), (1, 2, 1)]
    assert space.raw_positions().tolist() == [2, 3, 4, 11]
    with pytest.raises(ValueError, match="read-only"):
        space.raw_positions()[0] = 1


def test_a_constraint_sees_only_what_those_before_it_left() -> None:
    """So one can guard the next."""
    axes = {"x": [0, 1, 2], "y": [1, 2]}
    assert len(ParameterSpace.from_document(axes, constraints=["x != 0", "1 / x < 1"])) == 2
    with pytest.raises(ExpressionError, match="division by zero, with x = 0"):
        len(ParameterSpace.from_document(axes, constraints=["1 / x < 1", "x != 0"]))


def test_a_constraint_is_asked_once_for_each_choice_of_its_axes() -> None:
    """The other axes do not multiply the work."""
    asked: list[tuple[int, int]] = []
    space = ParameterSpace.from_document(
        {"a": range(10), "b": range(10), "c": range(100)}, constraints=lambda a, b: not asked.append((a, b))
    )
    assert len(space) == 10_000
    assert len(asked) == 100


@pytest.mark.parametrize("memory", [0, 10, survivors.LARGEST_MEMORY])
@pytest.mark.parametrize("chunk", [1, 5, survivors.CHUNK])
def test_chunks_and_memory_change_nothing(monkeypatch: pytest.MonkeyPatch, memory: int, chunk: int) -> None:
    """Whatever is remembered, and however the search is cut, the same survives."""
    monkeypatch.setattr(survivors, "LARGEST_MEMORY", memory)
    monkeypatch.setattr(survivors, "CHUNK", chunk)
    axes = {**AXES, "d": {"values": [5, 6], "when": "a > 1"}}
    space = ParameterSpace.from_document(axes, constraints=["a >= b", "b + c < 3"], exclude=[{"a": 3, "d": 6}])
    rows = [
        (a, b, c, d)
        for a in range(4) for b in range(3) for c in range(2) for d in ([5, 6] if a > 1 else [None])
        if a >= b and b + c < 3 and (a, d) != (3, 6)
    ]  # fmt: skip
    assert [tuple(row.values()) for row in space] == rows


def test_exclusions_remove_all_that_match() -> None:
    """By axis, by derived parameter, by an inactive axis; what two match is no error."""
    axes: dict[str, Any] = {**AXES, "d": {"values": [5, 6], "when": "a > 1"}}
    space = ParameterSpace.from_document(
        axes, derived={"s": "a + b"}, exclude=[{"a": 1}, {"a": 1, "c": 0}, {"s": 5}, {"d": None, "b": 2}]
    )
    rows = list(space)
    assert not any(row["a"] == 1 or row["s"] == 5 or (row["d"] is None and row["b"] == 2) for row in rows)
    assert len(rows) == 4 + 24 - 4


def test_an_exclusion_that_matches_nothing_is_an_error() -> None:
    """A value that is not there is found at once, a pair that does not occur when the space is searched."""
    with pytest.raises(WorkflowError, match="`a` has no value 9") as caught:
        ParameterSpace.from_document(AXES, exclude=[{"a": 9}])
    assert "nearest are 2, 3" in caught.value.hint
    zipped = ParameterSpace.from_document(
        {"a": [1, 2], "b": [3, 4]}, zip_groups=[["a", "b"]], exclude=[{"a": 1, "b": 4}]
    )
    with pytest.raises(WorkflowError, match=r"the exclusion \{'a': 1, 'b': 4\} matches no combination"):
        len(zipped)


def test_when_nothing_is_left_the_error_says_what_removed_how_many() -> None:
    """In the order in which they are applied."""
    space = ParameterSpace.from_document(AXES, constraints=["a > 1", "b > 5", "c > 5"], exclude=[{"a": 0}])
    with pytest.raises(WorkflowError) as caught:
        len(space)
    assert caught.value.message == (
        "parameters: no combination is left of 24: exclusion {'a': 0} removes 6, "
        "constraint `a > 1` removes 6, constraint `b > 5` removes 12"
    )


def test_a_space_too_large_to_search_says_so() -> None:
    """Unconstrained it is no trouble."""
    axes = {name: range(10_000) for name in "abc"}
    space = ParameterSpace.from_document(axes)
    assert len(space) == 10**12
    assert space[-1] == {"a": 9999, "b": 9999, "c": 9999}
    with pytest.raises(WorkflowError, match="too many to search") as caught:
        len(space.with_constraint("a < b"))
    assert "sample" in caught.value.hint


def test_the_search_needs_bounded_memory() -> None:
    """Nothing grows with the raw size but the array of what survives."""
    space = ParameterSpace.from_document({"a": range(300), "b": range(300)}, constraints=["(a + b) % 2 == 0"])
    tracemalloc.start()
    positions = space.raw_positions()
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(positions) == 45_000
    assert peak < 6e6
