"""The results of a run, and questions to them."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from sciflow.analysis.table import Results
from sciflow.errors import ResultError, RunError
from sciflow.store.layout import RunDirectory
from sciflow.store.results import Tables, write_tables


def test_a_table_has_a_row_for_each_combination(results: Results) -> None:
    """Parameters, metrics and state, in this order; a failed combination has no metrics."""
    frame = results.to_dataframe()
    assert list(frame) == [
        *("rate", "layers", "accuracy", "loss", "label", "first.time", "second.time"),
        "state",
    ]
    assert frame["accuracy"].tolist()[:2] == [0.8, 0.9]
    assert [frame[name].isna().tolist()[2] for name in results.metrics] == [True] * 5
    assert (frame["rate"].dtype, frame["layers"].dtype) == (float, int)
    assert len(frame) == len(results) == 4


def test_a_frame_is_a_copy(results: Results) -> None:
    """Whatever is done with a frame, the results stay as they are."""
    frame = results.to_dataframe()
    frame["accuracy"] = 0.0
    assert results.get_metric({"rate": 0.1, "layers": 1}, "accuracy") == 0.8


def test_results_say_what_they_are(results: Results) -> None:
    """The run, and how many combinations are completed."""
    assert repr(results) == "<Results of run 20250101-000000-aa: 3 of 4 combinations completed>"
    assert (results.parameters, results.completed) == (["rate", "layers"], 3)
    assert results.path == results.run.path / "results.h5"


def test_names_that_are_given_away_are_copies(results: Results) -> None:
    """The lists of names can be changed without changing the results."""
    results.parameters.clear()
    results.metrics.clear()
    assert results.parameters == ["rate", "layers"]
    assert len(results.metrics) == 5


def test_instances_have_times(results: Results) -> None:
    """Start and end are points in time, missing where an instance has not run."""
    frame = results.instances()
    assert frame["start"].tolist()[0] == pd.Timestamp("2023-11-14 22:13:20.5", tz="UTC")
    assert frame["end"].isna().tolist() == [False, True]


def test_failures_are_what_ended_without_success(results: Results, tables: Tables) -> None:
    """Failed instances with their errors; what still waits is no failure."""
    assert results.failures()[["task", "error"]].to_numpy().tolist() == [["first", "no good"]]
    tables.instances["state"] = ["COMPLETED", "PENDING"]
    assert len(results.failures()) == 0
    assert list(results.failures()) == list(results.instances())


def test_the_best_combination_is_a_completed_one(results: Results) -> None:
    """A failed combination is never the best, whatever number it left; of equal ones the first is given."""
    assert results.find_optimal_parameters("accuracy") == {"rate": 0.1, "layers": 2}
    assert results.find_optimal_parameters("accuracy", maximize=False) == {"rate": 0.1, "layers": 1}
    assert results.find_optimal_parameters("loss", maximize=False) == {"rate": 0.5, "layers": 2}


def test_the_ranking_is_best_first(results: Results) -> None:
    """As many as were asked for, or as there are; NaN is not ranked."""
    assert results.ranking("accuracy", count=2) == [
        ({"rate": 0.1, "layers": 2}, 0.9),
        ({"rate": 0.5, "layers": 2}, 0.9),
    ]
    assert [value for _, value in results.ranking("loss", maximize=False, count=99)] == [0.2, 0.3]


def test_a_metric_is_found_by_its_combination(results: Results) -> None:
    """In any order of the parameters; the best one's parameters lead to the best value."""
    assert results.get_metric({"layers": 2, "rate": 0.5}, "label") == "d"
    best = results.find_optimal_parameters("accuracy")
    assert results.get_metric(best, "accuracy") == 0.9


@pytest.mark.parametrize(
    ("parameters", "told"),
    [
        ({"rate": 0.3, "layers": 1}, "is no combination of this run$"),
        ({"rate": 0.1}, r"missing: \['layers'\]"),
        ({"rate": 0.1, "layers": 1, "size": 2}, r"unknown: \['size'\]"),
        ({"rate": 0.1, "layers": "1"}, "is no combination"),
        ({"rate": 0.5, "layers": 1}, "is FAILED: it has no `accuracy`"),
    ],
)
def test_a_combination_that_has_no_value_says_why(results: Results, parameters: dict[str, Any], told: str) -> None:
    """What is unknown, missing, not in the space or not completed is named."""
    with pytest.raises(ResultError, match=told):
        results.get_metric(parameters, "accuracy")


def test_an_unknown_metric_offers_the_nearest(results: Results) -> None:
    """A typing mistake is answered by what was meant."""
    with pytest.raises(ResultError, match="there is no metric `acuracy`") as caught:
        results.find_optimal_parameters("acuracy")
    assert "`accuracy`" in caught.value.hint


def test_a_metric_of_several_tasks_must_be_told_apart(results: Results) -> None:
    """The bare name is ambiguous, and the full names are offered; where only one task has it, both names do."""
    with pytest.raises(ResultError) as caught:
        results.find_optimal_parameters("time")
    assert caught.value.hint == "several tasks have it: `first.time` or `second.time`"
    assert results.find_optimal_parameters("second.time") == {"rate": 0.5, "layers": 2}
    assert results.find_optimal_parameters("second.accuracy") == {"rate": 0.1, "layers": 2}
    with pytest.raises(ResultError, match=r"no metric `first\.accuracy`"):
        results.find_optimal_parameters("first.accuracy")


@pytest.mark.parametrize(
    ("y", "states"),
    [([1.0, 2.0], ["FAILED", "PENDING"]), ([float("nan")] * 2, None), (["a", "b"], None), ([None, None], None)],
)
def test_without_a_number_there_is_no_best(
    results_of: Callable[..., Results], y: list[Any], states: list[str] | None
) -> None:
    """Failures, NaN and texts give an error that says how many are completed, and where to look."""
    results = results_of([1, 2], y, states)
    for ask in (results.find_optimal_parameters, results.ranking):
        with pytest.raises(ResultError, match="no completed combination has a number for `y`") as caught:
            ask("y")
        assert caught.value.hint.startswith("sciflow status ")


@pytest.mark.parametrize(
    "x", [[1, 0.5], [None, 0.5], [None, None], [True, 1], ["1", 1], [(1, "a"), (2, "b")], ["é", "\N{SNOWMAN}"]]
)
def test_every_kind_of_parameter_finds_its_value(results_of: Callable[..., Results], x: list[Any]) -> None:
    """Before and after they were written, combinations are told apart by value and type."""
    results = results_of(x, [10, 20])
    results.run.path.mkdir(exist_ok=True)
    write_tables(results.path, results.tables)
    for one in (results, Results(results.run)):
        if x[0] is not None or x[1] is not None:
            assert one.get_metric({"x": x[0]}, "y") == 10
            assert one.get_metric({"x": x[1]}, "y") == 20
            best = one.find_optimal_parameters("y")
            assert one.get_metric(best, "y") == 20
        else:
            assert one.get_metric({"x": None}, "y") in (10, 20)


def test_a_workflow_without_parameters_has_one_row(tmp_path: Path) -> None:
    """Its combination is the empty one."""
    results = Results(RunDirectory(tmp_path), Tables({"y": [3], "state": ["COMPLETED"]}, {}, [], ["y"], {}))
    assert results.find_optimal_parameters("y") == {}
    assert results.get_metric({}, "y") == 3
    with pytest.raises(ResultError, match=r"unknown: \['x'\]"):
        results.get_metric({"x": 1}, "y")


def test_results_that_were_not_collected_are_an_error(tmp_path: Path) -> None:
    """The error says what to type."""
    with pytest.raises(RunError, match="no collected results"):
        Results(RunDirectory(tmp_path))
