"""The best of many."""

import math
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sciflow.analysis.optima.optimum import optimum, ranked

values = st.lists(st.none() | st.text(max_size=2) | st.booleans() | st.integers() | st.floats())


@given(values, st.booleans())
def test_the_ranking_is_all_numbers_in_order(values: list[Any], maximize: bool) -> None:
    """Every number is there once, the best first, equal ones in their order; nothing else is."""
    found = ranked(values, maximize)
    numbers = [i for i, one in enumerate(values) if isinstance(one, int | float) and not math.isnan(one)]
    assert sorted(found) == numbers
    for one, other in pairwise(found):
        assert values[one] >= values[other] if maximize else values[one] <= values[other]
        assert values[one] != values[other] or one < other


@given(values, st.booleans())
def test_the_optimum_leads_the_ranking(values: list[Any], maximize: bool) -> None:
    """The optimum is the first of the ranking, or None where there is no number."""
    found = ranked(values, maximize)
    assert optimum(values, maximize) == (found[0] if found else None)


@pytest.mark.parametrize("values", [[], [None], [math.nan, None], ["1", "2"]])
def test_without_a_number_there_is_no_best(values: list[Any]) -> None:
    """Nothing, NaN and texts have no best."""
    assert optimum(values) is None
    assert ranked(values) == []


def test_not_a_number_is_never_the_best() -> None:
    """NaN wins in neither direction, wherever it stands."""
    for values in ([math.nan, 1.0, 2.0], [1.0, math.nan, 2.0], [1.0, 2.0, math.nan]):
        assert values[optimum(values) or 0] == 2.0
        assert values[optimum(values, maximize=False) or 0] == 1.0


def test_infinity_is_a_number() -> None:
    """A loss that has diverged is worse than every other."""
    assert ranked([1.0, math.inf, -math.inf]) == [1, 0, 2]
