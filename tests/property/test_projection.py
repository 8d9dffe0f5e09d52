"""Projections and relations against a naive reference of dicts."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sciflow.errors import WorkflowError
from sciflow.model.parameters import ParameterSpace
from sciflow.planning import projection
from sciflow.planning.projection import Projection, Relation

AXES = ("a", "b", "c", "d")
DERIVED = {"x": "(a or 0) % 2", "y": "x + (b or 0)", "z": "float(b or 0) if a == 1 else (b == 1 if d == 2 else b)"}


class Asked(NamedTuple):
    """A space, and what two tasks use of it."""

    space: ParameterSpace
    later: tuple[str, ...]
    earlier: tuple[str, ...]


@st.composite
def questions(draw: st.DrawFn) -> Asked:
    """Spaces with zip, constraints, derived parameters, conditional axes and included combinations."""
    length = draw(st.integers(1, 4))
    value = st.integers(0, 4) | st.sampled_from(["é '", "1", True, 1.0, 0.5, ("t", 1)])
    axes: dict[str, Any] = {}
    for name in AXES:
        axes[name] = draw(st.lists(st.integers(0, 4), min_size=length, max_size=length, unique=True))
    axes["c"] = draw(st.lists(value, min_size=1, max_size=4, unique=True))
    if draw(st.booleans()):
        axes["d"] = {"values": axes["d"], "when": "a is not None and a <= 2"}
    rules = {
        "zip_groups": draw(st.sampled_from([[], [["a", "b"]], [["b", "d"]]])),
        "derived": DERIVED,
        "constraints": draw(st.sampled_from([[], ["y <= 4"], ["a + b != 3", "x == 0 or b > 1"]])),
    }
    if isinstance(axes["d"], dict):
        rules["zip_groups"] = [group for group in rules["zip_groups"] if "d" not in group]
    if draw(st.booleans()):
        row = {"a": draw(st.integers(0, 9)), "b": draw(st.integers(0, 4)), "c": draw(st.sampled_from(axes["c"]))}
        inactive = isinstance(axes["d"], dict) and row["a"] > 2
        rules["include"] = [{**row, "d": None if inactive else draw(st.integers(0, 4))}]
    space = ParameterSpace.from_document(axes, **rules)
    names = [draw(st.sets(st.sampled_from(space.names))) for _ in range(2)]
    if draw(st.booleans()):
        names[1] &= names[0]
    later, earlier = (tuple(name for name in space.names if name in chosen) for chosen in names)
    return Asked(space, later, earlier)


def naive(space: ParameterSpace, names: tuple[str, ...]) -> tuple[list[dict[str, Any]], list[int], list[int]]:
    """Distinct parts of all combinations in order, where each is first, and to which each combination belongs."""
    parts, first, of_combination = {}, [], []
    for number, combination in enumerate(space):
        part = {name: combination[name] for name in names}
        if repr(part) not in parts:
            parts[repr(part)] = (len(first), part)
            first.append(number)
        of_combination.append(parts[repr(part)][0])
    return [part for _, part in parts.values()], first, of_combination


def _is_empty(space: ParameterSpace) -> bool:
    try:
        len(space)
    except WorkflowError:
        return True
    return False


@settings(max_examples=300, deadline=None)
@given(questions())
def test_projections_equal_a_naive_reference(asked: Asked) -> None:
    """Instances, their values with types, where they first appear, and which combination has which."""
    if _is_empty(asked.space):
        return
    for names in (asked.later, asked.earlier):
        parts, first, of_combination = naive(asked.space, names)
        made = Projection(asked.space, names)
        assert [repr(made.parameters(one)) for one in range(len(made))] == [repr(part) for part in parts]
        assert made.first.tolist() == first
        assert made.of_combination.tolist() == of_combination
        rows = list(made.rows(np.arange(len(made), dtype=np.int64)))
        assert [
            repr({column.name: column.values[code] for column, code in zip(made.columns, row, strict=True)})
            for row in rows
        ] == [repr(part) for part in parts]


@settings(max_examples=150, deadline=None)
@given(questions())
def test_keys_that_would_overflow_change_nothing(asked: Asked) -> None:
    """Where the product of all values does not fit an integer, groups are numbered on the way."""
    if _is_empty(asked.space):
        return
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(projection, "_LARGEST_KEY", 3)
        made = Projection(asked.space, asked.later)
        assert made.first.tolist() == naive(asked.space, asked.later)[1]
        assert made.of_combination.tolist() == naive(asked.space, asked.later)[2]


@settings(max_examples=300, deadline=None)
@given(questions(), st.data())
def test_relations_equal_a_naive_reference(asked: Asked, data: st.DataObject) -> None:
    """An instance needs the earlier instances of all combinations that it stands for, in the space's order."""
    if _is_empty(asked.space):
        return
    later, earlier = Projection(asked.space, asked.later), Projection(asked.space, asked.earlier)
    relation = Relation(later, earlier)
    needs: list[set[int]] = [set() for _ in range(len(later))]
    for mine, other in zip(naive(asked.space, asked.later)[2], naive(asked.space, asked.earlier)[2], strict=True):
        needs[mine].add(other)
    assert relation.many == (not set(asked.earlier) <= set(asked.later))
    assert [relation.needed(one).tolist() for one in range(len(later))] == [sorted(one) for one in needs]
    some = data.draw(st.lists(st.integers(0, len(later) - 1), unique=True, min_size=1).map(sorted))
    found = relation.needed_by(np.array(some, dtype=np.int64)).tolist()
    assert set(found) == set().union(*(needs[one] for one in some))
    assert len(found) == (len(some) if not relation.many else len(set(found)))
