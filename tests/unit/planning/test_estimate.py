"""What to ask for the next time."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sciflow.model.resources import GIB
from sciflow.planning.estimate import GROWTH, SPARE, more_memory, more_time

MIB = 1024**2
SIZES = st.integers(0, 2**42)


@pytest.mark.parametrize(
    ("asked", "own", "neighbours", "cap", "next_one"),
    [
        (4 * GIB, 4 * GIB, [], None, 6 * GIB),
        (4 * GIB, 0, [GIB], None, 6 * GIB),
        (4 * GIB, 4 * GIB, [5 * GIB], None, 6 * GIB),
        (4 * GIB, 4 * GIB, [5 * GIB, 6 * GIB], None, 9 * GIB),
        (4 * GIB, 4 * GIB, [8 * GIB], None, round(13.5 * GIB)),
        (4 * GIB, 5 * GIB, [], None, 6 * GIB),
        (4 * GIB, 4 * GIB, [8 * GIB], 8 * GIB, 8 * GIB),
        (4 * GIB, 4 * GIB, [], 5 * GIB, 5 * GIB),
        (4 * GIB, 4 * GIB, [], 4 * GIB, None),
        (4 * GIB, 4 * GIB, [], 3 * GIB, None),
        (0, GIB, [], None, round(1.5 * GIB)),
        (0, 0, [GIB], None, round(1.5 * GIB)),
        (0, 100 * MIB, [], None, 203 * MIB),
        (0, GIB, [], GIB, None),
        (0, 0, [], None, None),
    ],
)
def test_the_next_request_for_memory(
    asked: int, own: int, neighbours: list[int], cap: int | None, next_one: int | None
) -> None:
    """Half as much again, or as much as neighbours needed and some more, by steps, up to what there is."""
    assert more_memory(asked, own, neighbours, cap) == next_one


@pytest.mark.parametrize(
    ("asked", "own", "neighbours", "cap", "next_one"),
    [
        (3600, 3601.0, [], None, 5400),
        (3600, 3601.0, [7000.5], None, 12180),
        (600, 600.0, [], 800, 800),
        (600, 600.0, [], 600, None),
        (10, 10.2, [], None, 15),
        (100, 100.0, [], None, 180),
        (0, 3600.0, [], None, 5400),
        (0, 0.0, [], 600, None),
    ],
)
def test_the_next_request_for_time(
    asked: int, own: float, neighbours: list[float], cap: int | None, next_one: int | None
) -> None:
    """As for memory, in whole minutes, or seconds where it is less than one."""
    assert more_time(asked, own, neighbours, cap) == next_one


@given(SIZES, SIZES, st.lists(SIZES, max_size=8), st.none() | st.integers(1, 2**43))
def test_a_request_is_enough_or_all_there_is(asked: int, own: int, neighbours: list[int], cap: int | None) -> None:
    """It grows, covers what was measured, and stays within the cap; else there is none."""
    grown = more_memory(asked, own, neighbours, cap)
    base = asked or own
    if grown is None:
        assert (cap is not None and cap <= base) or not max(base, *neighbours, 0)
        return
    assert grown > base
    if cap is None or grown < cap:
        assert grown >= GROWTH * base * (1 - 1e-6)
        assert grown >= SPARE * max(own, *neighbours, 0) * (1 - 1e-6)
    else:
        assert grown == cap


@given(st.integers(1, 2**36), st.integers(0, 2**36), st.lists(st.integers(0, 2**36), max_size=4))
def test_a_request_is_not_too_much(asked: int, own: int, neighbours: list[int]) -> None:
    """It is at most one step more than what is needed, and a unit for rounding."""
    grown = more_memory(asked, own, neighbours, None)
    assert grown is not None
    needed = max(GROWTH * asked, SPARE * max(own, *neighbours, 0))
    assert grown <= GROWTH * needed * (1 + 1e-6) + MIB


@given(st.lists(st.integers(GIB, 64 * GIB), min_size=50, max_size=50))
def test_similar_needs_are_the_same_request(peaks: list[int]) -> None:
    """Whatever fifty indices need, they become few requests, said or not."""
    assert len({more_memory(2 * GIB, 2 * GIB, [peak], None) for peak in peaks}) <= 10
    assert len({more_memory(0, 0, [peak], None) for peak in peaks}) <= 12
