"""What a run came to, in short."""

import math

import pytest

from sciflow.analysis.overview import described, extremes, span_of, states_by_task
from sciflow.errors import ResultError
from sciflow.model.state import State
from sciflow.results import Results
from sciflow.store.layout import RunDirectory
from unit.figures.observed import grid, observed, on_a_grid, with_failures, with_repeats
from unit.lists_as_tables import tables_of


def test_both_ends_of_a_metric() -> None:
    """The smallest and the largest value are told with their place, and how many places share them."""
    low, high = extremes(on_a_grid(), ["time"])
    assert (low.value, low.parameters["size"], low.is_largest, low.ties) == (32.0, 8, False, 4)
    assert (high.value, high.parameters["size"], high.is_largest, high.ties) == (2048.0, 64, True, 4)


def test_repeats_are_one_value() -> None:
    """Where seeds only repeat, the smallest value is the smallest mean, and not the luckiest seed."""
    best, _ = extremes(with_repeats(), ["energy"])
    assert best.parameters == {"size": 8, "field": 0.5}
    assert best.count == 5
    assert best.value == pytest.approx(0.81)
    assert best.sd > 0


def test_a_metric_that_is_shared_counts_once() -> None:
    """The metric of a task that depends on less than the space is no tie with itself."""
    shared = observed(grid(size=[1, 2], field=[0, 1, 2]), {"cost": lambda size, **_: size}, depends={"cost": ["size"]})
    _, best = extremes(shared, ["cost"])
    assert (best.parameters, best.ties) == ({"size": 2}, 0)
    assert described(shared, "cost").coverage.total == 2


def test_what_has_no_number_has_no_end() -> None:
    """Words have no largest value: they are passed over, and refused where they are asked for."""
    words = observed(grid(size=[1, 2]), {"colour": ["red", "blue"], "nothing": [None, None]})
    assert extremes(words) == []
    assert described(words, "colour").example == "red"
    assert math.isnan(described(words, "nothing").mean)
    with pytest.raises(ResultError, match="is no number"):
        extremes(words, ["colour"])


def test_what_is_missing_is_counted() -> None:
    """Numbers are those of what was measured, with how many of how many."""
    found = described(with_failures(), "time")
    assert str(found.coverage) == "16 of 20"
    assert (found.smallest, found.largest) == (32.0, 2048.0)


def test_states_and_times() -> None:
    """Each task has its instances counted by state, and a run goes from its first start to its last end."""
    instances = {"task": ["a", "a", "b"], "state": ["FAILED", "COMPLETED", "RUNNING"]}
    tables = tables_of({"x": [1], "state": ["FAILED"]}, instances, ["x"], [], {})
    results = Results(RunDirectory("nowhere"), tables)
    assert states_by_task(results) == {"a": {State.COMPLETED: 1, State.FAILED: 1}, "b": {State.RUNNING: 1}}
    assert list(states_by_task(results)["a"]) == [State.COMPLETED, State.FAILED]
    assert math.isnan(span_of(results).seconds)
