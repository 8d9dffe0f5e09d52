"""Task instances to array jobs, within the site's limits."""

from __future__ import annotations

import numpy as np
import pytest

from sciflow.model.parameters import ParameterSpace
from sciflow.model.plan import Dependency
from sciflow.model.profile import Limits
from sciflow.model.resources import Resources
from sciflow.planning.arrays import Placement, chunk_length, dependency, same_index
from sciflow.planning.layout import Layout
from sciflow.planning.projection import Projection, Relation

SPACE = ParameterSpace.from_document({"a": [1, 2, 3], "s": [1, 2]})
SMALL, LARGE = Resources(1), Resources(8)


def placed(task: str, codes: list[int], limits: Limits | None = None) -> Placement:
    """Place instances of a task with small or large requests."""
    return Placement(task, Layout(np.array(codes), [SMALL, LARGE], [1, 1]), limits or Limits())


@pytest.mark.parametrize(
    ("limits", "expected"),
    [
        (Limits(), 0),
        (Limits(highest_index=0), 1),
        (Limits(highest_index=1000), 1001),
        (Limits(indices_per_array=10), 10),
        (Limits(highest_index=9, indices_per_array=500), 10),
        (Limits(highest_index=999, indices_per_array=500), 500),
    ],
)
def test_the_highest_index_caps_the_index(limits: Limits, expected: int) -> None:
    """From the highest index follows a count of one more, and the smaller limit counts."""
    assert chunk_length(limits) == expected


def test_different_requests_are_different_arrays() -> None:
    """Indices start at 0 in each; without limits there is one for each request."""
    placement = placed("t", [0, 1, 0, 1, 1])
    assert [(array.name, array.count, array.resources) for array in placement.arrays] == [
        ("t.0", 2, SMALL),
        ("t.1", 3, LARGE),
    ]
    assert [members.tolist() for members in placement.members] == [[0, 2], [1, 3, 4]]


def test_limits_cut_arrays() -> None:
    """Seven instances with highest index 2 are 3 + 3 + 1."""
    placement = placed("t", [0] * 7, Limits(highest_index=2))
    assert [array.count for array in placement.arrays] == [3, 3, 1]
    assert placement.index_of.tolist() == [0, 1, 2, 0, 1, 2, 0]
    assert [(name, places.tolist()) for name, places in placement.where(np.array([1, 2, 3, 6, 0]))] == [
        ("t.0", [1, 2]),
        ("t.1", [0]),
        ("t.2", [0]),
        ("t.0", [0]),
    ]
    assert placement.where(np.array([], dtype=np.int64)) == []


def test_the_same_instances_on_both_sides_are_element_wise() -> None:
    """Index 17 waits for index 17, also where both were cut in the same places."""
    both = Projection(SPACE, ("a", "s"))
    limits = Limits(highest_index=3)
    earlier, later = placed("e", [0] * 6, limits), placed("l", [1] * 6, limits)
    for number, members in enumerate(later.members):
        assert dependency(members, Relation(both, both), earlier) == (Dependency(f"e.{number}", "element"),)


def test_other_cuts_wait_for_whole_arrays() -> None:
    """Each array that holds something needed is waited for, and no other."""
    both = Projection(SPACE, ("a", "s"))
    earlier, later = placed("e", [0] * 6, Limits(highest_index=1)), placed("l", [0] * 6, Limits(highest_index=2))
    after = [dependency(members, Relation(both, both), earlier) for members in later.members]
    assert [[one.array for one in group] for group in after] == [["e.0", "e.1"], ["e.1", "e.2"]]
    assert {one.kind for group in after for one in group} == {"whole"}


def test_one_earlier_instance_for_all_is_whole() -> None:
    """Several indices that need the same one are not element-wise; one that needs one is."""
    relation = Relation(Projection(SPACE, ("a",)), Projection(SPACE, ()))
    earlier = placed("e", [0])
    assert dependency(np.array([0, 1, 2]), relation, earlier) == (Dependency("e.0", "whole"),)
    assert dependency(np.array([1]), relation, earlier) == (Dependency("e.0", "element"),)


def test_gathering_is_whole() -> None:
    """An index that gathers has no twin."""
    relation = Relation(Projection(SPACE, ("a",)), Projection(SPACE, ("a", "s")))
    earlier = placed("e", [0] * 6)
    members = np.array([0, 1, 2])
    assert same_index(members, relation, earlier) == ""
    assert dependency(members, relation, earlier) == (Dependency("e.0", "whole"),)
