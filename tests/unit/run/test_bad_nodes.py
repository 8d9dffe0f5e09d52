"""Nodes on which more fails than chance explains."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from sciflow.model.cause import Cause
from sciflow.model.plan import ArrayJob, Plan
from sciflow.model.resources import Resources
from sciflow.model.state import State
from sciflow.run.bad_nodes import FEWEST, count_trials, suspects, tail
from sciflow.run.causes import Failure
from sciflow.run.status import IndexStatus, untouched
from sciflow.store.records import RecordState

DONE = RecordState(State.COMPLETED, "", 1.0, node="n1")


@pytest.mark.parametrize("scale", [10, 300, 100_000])
def test_the_probability_is_that_of_fishers_exact_test(scale: int) -> None:
    """It is what SciPy computes, for few and for many attempts, below and above what is expected."""
    chance = random.Random(scale)
    for _ in range(200):
        attempts, others = chance.randint(1, scale), chance.randint(1, 10 * scale)
        failed, others_failed = chance.randint(0, attempts), chance.randint(0, others)
        table = [[failed, attempts - failed], [others_failed, others - others_failed]]
        expected = stats.fisher_exact(table, alternative="greater")[1]
        found = tail(failed, attempts, failed + others_failed, attempts + others)
        assert found == pytest.approx(expected, rel=1e-6, abs=1e-200)


def test_the_lady_who_tastes_tea() -> None:
    """Four of four out of four among eight is one in seventy, and three or more seventeen in seventy."""
    assert tail(4, 4, 4, 8) == 1 / 70
    assert tail(3, 4, 4, 8) == 17 / 70


def test_a_bad_node_is_named_with_the_evidence() -> None:
    """What failed there, what elsewhere, and how likely that is."""
    [one] = suspects({"n1": (8, 10), "n2": (1, 30), "n3": (0, 30)})
    assert (one.node, one.failures, one.attempts, one.others_failures, one.others_attempts) == ("n1", 8, 10, 1, 60)
    assert one.p == pytest.approx(stats.fisher_exact([[8, 2], [1, 59]], alternative="greater")[1])


@pytest.mark.parametrize(
    "trials",
    [
        {},
        {"n1": (50, 50)},
        {"n1": (FEWEST - 1, FEWEST - 1), "n2": (0, 1000)},
        {"n1": (50, 100), "n2": (50, 100)},
        {"n1": (0, 100), "n2": (0, 1)},
        {"n1": (5, 5), "n2": (0, 0)},
    ],
)
def test_nothing_is_said_without_evidence(trials: dict[str, tuple[int, int]]) -> None:
    """One node has none to be compared with, few failures are chance, and what fails everywhere is not the node."""
    assert suspects(trials) == []


def test_most_nodes_are_never_bad() -> None:
    """At most half are named, the least likely first."""
    trials = {f"n{i}": (90 + i, 100) for i in range(4)} | {"n8": (0, 300), "n9": (0, 300)}
    assert [one.node for one in suspects(trials)] == ["n3", "n2", "n1"]
    assert [one.node for one in suspects({"a": (9, 9), "b": (9, 9), "c": (0, 99)})] == ["a"]


@given(st.dictionaries(st.text(max_size=3), st.tuples(st.integers(0, 60), st.integers(0, 60)), max_size=8))
def test_suspects_are_worse_than_the_others(counts: dict[str, tuple[int, int]]) -> None:
    """Whatever was seen: enough failures, a higher share than elsewhere, at most half of the nodes, sorted."""
    trials = {node: (bad, bad + well) for node, (bad, well) in counts.items()}
    found = suspects(trials)
    assert len(found) <= len(trials) // 2
    assert [one.p for one in found] == sorted(one.p for one in found)
    for one in found:
        assert one.failures >= FEWEST
        assert one.failures / one.attempts > one.others_failures / one.others_attempts
        assert one.p <= 0.01 / len(trials)


@pytest.mark.parametrize("rate", [0.02, 0.2, 0.5, 0.95])
def test_a_false_alarm_is_as_rare_as_was_asked(rate: float) -> None:
    """Where all nodes are alike, one is named in at most five of a hundred runs at a level of five per cent."""
    chance, alarms, rounds = random.Random(5), 0, 1000
    for _ in range(rounds):
        trials = {}
        for node in range(12):
            attempts = chance.randint(1, 40)
            trials[f"n{node}"] = (sum(chance.random() < rate for _ in range(attempts)), attempts)
        alarms += bool(suspects(trials, level=0.05))
    assert alarms <= rounds * 0.05


def test_a_bad_node_among_many_is_found() -> None:
    """One on which four of five fail, where elsewhere one of ten does, is named and nearly always alone."""
    chance, found, wrong = random.Random(7), 0, 0
    for _ in range(200):
        trials = {}
        for node in range(20):
            share = 0.8 if node == 3 else 0.1
            trials[f"n{node}"] = (sum(chance.random() < share for _ in range(15)), 15)
        names = [one.node for one in suspects(trials)]
        found += "n3" in names
        wrong += any(name != "n3" for name in names)
    assert found >= 195
    assert wrong <= 2


def failed(cause: Cause, node: str = "n2") -> Failure:
    """Return a failure on a node."""
    return Failure(cause, node=node)


@pytest.mark.parametrize("cause", list(Cause))
def test_what_a_bad_node_causes_counts_against_it(cause: Cause) -> None:
    """Its own failure and errors do; the request, the parameters and people do not, and are no trial at all."""
    array = ArrayJob("a.0", "a", 2, Resources())
    status = untouched(Plan("w", "site", 2, (array,), tasks=("a",)))
    status.indices["a.0"] = {0: IndexStatus(State.COMPLETED, 1, record=DONE), 1: IndexStatus(State.FAILED, 1)}
    counts = cause in (Cause.NODE_FAILURE, Cause.LAUNCH_FAILURE, Cause.APPLICATION_ERROR, Cause.LOST)
    expected = {"n1": (0, 1), **({"n2": (1, 1)} if counts else {})}
    assert count_trials(status, {("a.0", 1): failed(cause)}) == expected
    assert count_trials(status, {("a.0", 1): failed(cause, "")}) == {"n1": (0, 1)}


def test_what_was_taken_over_tells_nothing_of_nodes() -> None:
    """Attempt 0 is one of another run, which may be long ago."""
    array = ArrayJob("a.0", "a", 2, Resources())
    status = untouched(Plan("w", "site", 2, (array,), tasks=("a",)))
    status.indices["a.0"] = {0: IndexStatus(State.COMPLETED, 0, record=DONE), 1: IndexStatus(State.RUNNING, 1)}
    assert count_trials(status, {}) == {}


def test_what_ran_as_one_is_one_trial() -> None:
    """A pack has failed where nothing in it was completed, however many it holds."""
    array = ArrayJob("a.0", "a", 6, Resources(), pack=3)
    status = untouched(Plan("w", "site", 6, (array,), tasks=("a",)))
    for index in range(6):
        status.indices["a.0"][index] = IndexStatus(State.FAILED, 1)
    failures = {("a.0", index): failed(Cause.LAUNCH_FAILURE) for index in range(6)}
    assert count_trials(status, failures) == {"n2": (2, 2)}
    del failures["a.0", 1]
    status.indices["a.0"][1] = IndexStatus(State.COMPLETED, 1, record=replace(DONE, node="n2"))
    assert count_trials(status, failures) == {"n2": (1, 2)}
