"""Stretches of time."""

from __future__ import annotations

import itertools
from datetime import datetime, timedelta, timezone

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sciflow.planning.spans import Span, first_free, joined, last_free, without

ZERO = datetime(2031, 1, 1, tzinfo=timezone.utc)


def at(minute: int) -> datetime:
    """Return a moment by its minute."""
    return ZERO + timedelta(minutes=minute)


SPANS = st.lists(st.tuples(st.integers(0, 40), st.integers(1, 9)), max_size=6).map(
    lambda pairs: sorted((at(start), at(start + length)) for start, length in pairs)
)


def minutes(spans: list[Span]) -> set[int]:
    """Return the minutes that spans cover."""
    return {minute for minute in range(60) if any(start <= at(minute) < end for start, end in spans)}


@settings(deadline=None)
@given(SPANS)
def test_joined_spans_cover_the_same_and_stand_apart(spans: list[Span]) -> None:
    """In order, with a gap between each two."""
    found = list(joined(spans))
    assert minutes(found) == minutes(spans)
    assert all(one[1] < other[0] for one, other in itertools.pairwise(found))


@settings(deadline=None)
@given(SPANS, SPANS)
def test_what_is_cut_out_is_covered_no_more(spans: list[Span], cut: list[Span]) -> None:
    """All else is."""
    left = list(without(joined(spans), joined(cut)))
    assert minutes(left) == minutes(spans) - minutes(cut)
    assert all(start < end for start, end in left)


@settings(deadline=None)
@given(SPANS, st.integers(0, 50), st.integers(0, 9))
def test_the_first_free_moment_is_the_first(taken: list[Span], minute: int, length: int) -> None:
    """Nothing of that length fits between it and the moment from which it is looked for."""
    taken = list(joined(taken))
    first = first_free(at(minute), timedelta(minutes=length), taken)
    covered = minutes(taken)
    free = [n for n in range(minute, 120) if not covered & set(range(n, n + max(length, 1)))]
    assert first == at(free[0])


@settings(deadline=None)
@given(SPANS, st.integers(0, 50), st.integers(1, 9))
def test_the_last_free_moment_is_the_last(taken: list[Span], minute: int, length: int) -> None:
    """Nothing of that length fits between it and the moment up to which it is looked for."""
    taken = list(joined(taken))
    last = last_free(at(minute), timedelta(minutes=length), taken)
    covered = minutes(taken)
    free = [n for n in range(-60, minute + 1) if not covered & set(range(n, n + length))]
    assert last == at(free[-1])


@pytest.mark.parametrize(("moment", "expected"), [(5, 5), (10, 20), (19, 20), (20, 20)])
def test_what_takes_no_time_does_not_begin_in_a_taken_span(moment: int, expected: int) -> None:
    """Which holds its first moment and not its last."""
    assert first_free(at(moment), timedelta(), [(at(10), at(20))]) == at(expected)
