"""Which combinations each task really needs."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from sciflow.model.parameters import ParameterSpace
from sciflow.planning import projection
from sciflow.planning.projection import Projection, Relation


def space(axes: dict[str, Any], **rules: Any) -> ParameterSpace:
    """Make a space."""
    return ParameterSpace.from_document(axes, **rules)


def instances(made: Projection) -> list[dict[str, Any]]:
    """List the parameters of all instances."""
    return [made.parameters(one) for one in range(len(made))]


CUBE = space({"a": [1, 2, 3], "b": ["x", "y"], "c": [0.5, 1.5, 2.5]})


def test_a_task_of_no_parameter_has_one_instance() -> None:
    """Whatever the space, it runs once, at the first combination."""
    made = Projection(CUBE, ())
    assert instances(made) == [{}]
    assert (made.first.tolist(), set(made.of_combination.tolist())) == ([0], {0})
    assert list(made.rows(np.array([0]))) == [()]


def test_a_task_of_some_parameters_runs_once_for_each_of_their_values() -> None:
    """Two axes of three and two have six instances, in the order in which they first appear."""
    made = Projection(CUBE, ("a", "b"))
    assert instances(made) == [{"a": a, "b": b} for a in (1, 2, 3) for b in ("x", "y")]
    assert made.first.tolist() == [0, 3, 6, 9, 12, 15]
    assert made.of_combination.tolist() == [number // 3 for number in range(18)]


def test_a_task_of_all_parameters_has_every_combination() -> None:
    """Derived parameters beside all axes change nothing."""
    made = Projection(space({"a": [1, 2]}, derived={"d": "a * 2"}), ("a", "d"))
    assert instances(made) == [{"a": 1, "d": 2}, {"a": 2, "d": 4}]
    assert made.of_combination.tolist() == made.first.tolist() == [0, 1]


def test_derived_parameters_count_by_their_values() -> None:
    """Combinations with the same derived value share an instance; `1`, `1.0` and `True` are told apart."""
    made = Projection(space({"a": [1, 2, 3, 4]}, derived={"odd": "a % 2"}), ("odd",))
    assert instances(made) == [{"odd": 1}, {"odd": 0}]
    made = Projection(space({"a": [1, 2, 3]}, derived={"d": "1 if a == 1 else (1.0 if a == 2 else a == 3)"}), ("d",))
    assert repr(instances(made)) == "[{'d': 1}, {'d': 1.0}, {'d': True}]"


def test_conditional_axes_have_none_where_they_are_not_used() -> None:
    """The inactive combinations are one instance."""
    axes = {"method": ["cg", "lu"], "tolerance": {"values": [1e-3, 1e-6], "when": "method == 'cg'"}}
    made = Projection(space(axes), ("tolerance",))
    assert instances(made) == [{"tolerance": 1e-3}, {"tolerance": 1e-6}, {"tolerance": None}]


def test_zipped_axes_may_have_a_value_twice() -> None:
    """Equal values are one instance, wherever they stand in the group."""
    made = Projection(space({"a": [1, 2, 1], "b": [1, 2, 3]}, zip_groups=[["a", "b"]]), ("a",))
    assert instances(made) == [{"a": 1}, {"a": 2}]
    assert made.of_combination.tolist() == [0, 1, 0]


def test_constraints_and_included_combinations_are_followed() -> None:
    """Only what is left has instances; what was included comes last."""
    made = Projection(space({"a": [1, 2, 3], "b": [1, 2]}, constraints=["a != 2"], include=[{"a": 9, "b": 2}]), ("a",))
    assert instances(made) == [{"a": 1}, {"a": 3}, {"a": 9}]
    assert made.of_combination.tolist() == [0, 0, 1, 1, 2]


def test_rows_come_in_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    """The size of a block changes nothing."""
    made = Projection(CUBE, ("b", "a"))
    everyone = np.arange(len(made))
    expected = list(made.rows(everyone))
    monkeypatch.setattr(projection, "_BLOCK", 4)
    assert list(made.rows(everyone)) == expected == [(0, 0), (1, 0), (0, 1), (1, 1), (0, 2), (1, 2)]


def test_more_values_than_an_integer_can_number() -> None:
    """Seven axes of a thousand values would overflow a 64-bit key; groups are numbered on the way."""
    axes = {name: list(range(1000)) for name in "abcdefgh"}
    diagonal = space(axes, zip_groups=[list("abcdefgh")])
    made = Projection(diagonal, tuple("abcdefg"))
    assert made.first.tolist() == list(range(1000))
    assert made.parameters(999) == dict.fromkeys("abcdefg", 999)


def test_one_instance_needs_one_where_it_has_all_parameters_of_the_other() -> None:
    """Each later instance needs exactly one earlier instance."""
    relation = Relation(Projection(CUBE, ("a", "b")), Projection(CUBE, ("a",)))
    assert not relation.many
    assert [relation.needed(one).tolist() for one in range(6)] == [[0], [0], [1], [1], [2], [2]]
    assert relation.needed_by(np.array([5, 0])).tolist() == [2, 0]


def test_an_instance_needs_many_where_it_gathers() -> None:
    """The earlier instances of all its combinations, in the space's order, each once."""
    some = space({"a": [1, 2], "s": [1, 2, 3]}, constraints=["not (a == 1 and s == 2)"])
    relation = Relation(Projection(some, ("a",)), Projection(some, ("a", "s")))
    assert relation.many
    assert [relation.needed(one).tolist() for one in range(2)] == [[0, 1], [2, 3, 4]]
    assert relation.needed_by(np.array([1])).tolist() == [2, 3, 4]
    assert relation.needed_by(np.array([1, 0])).tolist() == [0, 1, 2, 3, 4]
