"""Points that nothing beats."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from sciflow.analysis.optima.dominance import undominated

small = st.tuples(st.integers(0, 40), st.integers(1, 5))
numbers = st.integers(0, 4).map(float) | st.just(np.inf) | st.just(-np.inf)


def dominates(one: np.ndarray, other: np.ndarray) -> bool:
    """Whether one is nowhere larger and somewhere smaller."""
    return bool((one <= other).all() and (one < other).any())


@given(small.flatmap(lambda shape: arrays.arrays(float, shape, elements=numbers)))
def test_no_member_is_dominated_and_every_other_point_is(costs: np.ndarray) -> None:
    """Also with ties, equal points, infinities and any number of columns; others are dominated by a member."""
    members = undominated(costs)
    for row, is_member in zip(costs, members, strict=True):
        assert is_member == (not any(dominates(other, row) for other in costs))
        assert is_member or any(dominates(other, row) for other in costs[members])


@pytest.mark.parametrize("columns", [1, 2, 3, 4, 6])
def test_many_points_have_the_front_that_comparing_all_pairs_finds(columns: int) -> None:
    """Where points are divided, and where the strong ones are asked first, nothing is lost."""
    costs = np.random.default_rng(columns).integers(0, 12, (1200, columns)).astype(float)
    pairs = (costs[:, None] <= costs[None]).all(axis=2) & (costs[:, None] < costs[None]).any(axis=2)
    assert (undominated(costs) == ~pairs.any(axis=0)).all()


def test_points_on_a_sphere_are_all_members() -> None:
    """The hardest case, in which nothing can be left out early, holds for ten thousand points."""
    points = np.abs(np.random.default_rng(1).normal(size=(10_000, 3)))
    assert undominated(points / np.linalg.norm(points, axis=1)[:, None]).all()


def test_nothing_has_no_front() -> None:
    """No points are no members."""
    assert undominated(np.empty((0, 3))).tolist() == []
