"""Instances that need different amounts are split so that as little as possible is asked for in vain."""

from __future__ import annotations

from itertools import combinations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from sciflow.planning.projection import Ints
from sciflow.planning.strata import MOST, WORTH, Need, strata

AMOUNTS = st.lists(st.tuples(st.integers(0, 50), st.integers(0, 50), st.integers(1, 9)), min_size=1, max_size=30)


def needs_of(rows: list[tuple[int, int, int]]) -> list[Need]:
    """Memory and time of some instances, held for as long as the third number says."""
    table = np.array(rows, dtype=float)
    return [Need(table[:, 0], table[:, 2], "memory"), Need(table[:, 1], np.ones(len(table)), "time")]


def cost(needs: list[Need], codes: Ints) -> float:
    """What is asked for in vain, as shares of what is needed, and what every group costs after the first."""
    total = WORTH * (len(set(codes.tolist())) - 1)
    for need in needs:
        if needed := float(need.amounts @ need.weights):
            given_ = sum(
                need.amounts[codes == code].max() * need.weights[codes == code].sum() for code in set(codes.tolist())
            )
            total += (given_ - needed) / needed
    return total


@settings(deadline=None)
@given(AMOUNTS)
def test_groups_cost_no_more_than_one(rows: list[tuple[int, int, int]]) -> None:
    """There are at most four, those that need the same are together, and nobody is left out."""
    needs = needs_of(rows)
    codes = strata(needs)
    assert set(codes.tolist()) == set(range(int(codes.max()) + 1))
    assert codes.max() < MOST
    assert len({(row[:2], code) for row, code in zip(rows, codes.tolist(), strict=True)}) == len(
        {row[:2] for row in rows}
    )
    assert cost(needs, codes) <= cost(needs, np.zeros(len(rows), dtype=np.int64)) + 1e-9


@settings(deadline=None)
@given(st.lists(st.integers(1, 100), min_size=1, max_size=9, unique=True), st.data())
def test_no_other_cuts_are_better(amounts: list[int], data: st.DataObject) -> None:
    """Of one need, all ways to cut what is in order are tried."""
    weights = data.draw(st.lists(st.integers(1, 20), min_size=len(amounts), max_size=len(amounts)))
    needs = [Need(np.array(amounts, dtype=float), np.array(weights, dtype=float), "memory")]
    rank = np.argsort(np.argsort(amounts))
    others = [
        np.searchsorted(cuts, rank, side="right")
        for count in range(min(MOST, len(amounts)))
        for cuts in combinations(range(1, len(amounts)), count)
    ]
    best = min(cost(needs, other) for other in others)
    assert abs(cost(needs, strata(needs)) - best) < 1e-9
