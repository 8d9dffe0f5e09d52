"""Instances that need different amounts, split into few groups."""

from __future__ import annotations

import numpy as np

from sciflow.planning.strata import Need, strata


def memory(*amounts: float) -> Need:
    """Memory of some instances, all held for as long."""
    return Need(np.array(amounts, dtype=float), np.ones(len(amounts)), "memory")


def test_what_is_far_apart_is_split() -> None:
    """One group for each cluster of amounts, whatever the order of the instances."""
    assert strata([memory(100, 1, 2, 101, 1, 50)]).tolist() == [2, 0, 0, 2, 0, 1]


def test_what_is_close_together_stays_so() -> None:
    """A group more has to save a twentieth of what is needed."""
    assert strata([memory(100, 101, 102)]).tolist() == [0, 0, 0]
    assert strata([memory(100, 200)]).tolist() == [0, 1]


def test_what_is_held_for_longer_counts_for_more() -> None:
    """Two instances of ten are cut off where they would waste much for long, and not where they hold it for seconds."""
    amounts = np.array([1.0, 1.0, 2.0, 2.0])
    assert strata([Need(amounts, np.array([9.0, 9, 1, 1]), "memory")]).tolist() == [0, 0, 1, 1]
    assert strata([Need(amounts, np.array([0.1, 0.1, 9, 9]), "memory")]).tolist() == [0, 0, 0, 0]


def test_there_are_few() -> None:
    """However many amounts there are; thousands of them take no time."""
    assert len(set(strata([memory(*range(1, 5001))]).tolist())) == 4
    assert len(set(strata([memory(*range(1, 5001))], most=2).tolist())) == 2


def test_several_needs_count_together() -> None:
    """Groups are ranges of the one need that wastes least; the other is of another order here and matters less."""
    time = Need(np.array([5.0, 6, 5, 6]), np.ones(4), "time")
    assert strata([time, memory(1, 1, 9, 9)]).tolist() == [0, 0, 1, 1]


def test_what_nobody_needs_splits_nothing() -> None:
    """Where all amounts are nothing there is one group."""
    assert strata([memory(0, 0, 0)]).tolist() == [0, 0, 0]
