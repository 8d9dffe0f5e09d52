"""The results of a run, and questions to them."""

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from sciflow.engine import Engine
from sciflow.errors import ResultError, RunError
from sciflow.model.workflow import ExperimentalWorkflow
from sciflow.results import Results
from sciflow.store.columns import Column
from sciflow.store.layout import RunDirectory
from sciflow.store.results import Tables, write_tables
from unit.lists_as_tables import tables_of


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
    tables.instances.columns["state"] = Column.of(["COMPLETED", "PENDING"])
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
        ({"rate": 0.3, "layers": 1}, "`rate` is never 0.3"),
        ({"rate": 0.1}, r"missing: \['layers'\]"),
        ({"rate": 0.1, "layers": 1, "size": 2}, r"unknown: \['size'\]"),
        ({"rate": 0.1, "layers": "1"}, "`layers` is never '1'"),
        ({"rate": 0.5, "layers": 1}, "is FAILED: it has no `accuracy`"),
    ],
)
def test_a_combination_that_has_no_value_says_why(results: Results, parameters: dict[str, Any], told: str) -> None:
    """What is unknown, missing, not in the space or not completed is named."""
    with pytest.raises(ResultError, match=told):
        results.get_metric(parameters, "accuracy")


@pytest.mark.parametrize("columns", [["rate", "layers"], ["rate", "layers", "state"]])
def test_a_row_of_a_frame_is_a_combination(results: Results, columns: list[str]) -> None:
    """NumPy's scalars are values like others, also where pandas has made floats of whole numbers."""
    frame = results.to_dataframe()
    for position in (0, 1, 3):
        row = frame[columns].iloc[position]
        found = results.get_metric({name: row[name] for name in ("rate", "layers")}, "label")
        assert found == frame["label"][position]
    assert results.get_metric(frame[["rate", "layers"]].iloc[0], "label") == "a"


def test_scalars_of_every_kind_are_values(results_of: Callable[..., Results]) -> None:
    """Integers, floats, bools and texts of NumPy; where a number is there as both kinds, each is itself."""
    results = results_of([1, 1.0, 2.5, True, "s", (1, 2), 7, 8.0], list(range(8)))
    asked = [np.int64(1), np.float64(1), np.float64(2.5), np.bool_(True), np.str_("s"), (np.int8(1), 2), 7.0, 8]
    assert [results.get_metric({"x": x}, "y") for x in asked] == list(range(8))
    with pytest.raises(ResultError, match="`x` is never False"):
        results.get_metric({"x": np.bool_(False)}, "y")


@pytest.mark.parametrize(
    ("value", "told"), [(math.nan, "is nan, which is not a finite"), (np.float64("nan"), "is nan"), ([1], "unhashable")]
)
def test_what_can_be_no_parameter_is_told(results_of: Callable[..., Results], value: Any, told: str) -> None:
    """The name and the value are in the message; where the parameter may be None, the hint says so."""
    for x, hint in (([1, None], "None, which pandas shows as NaN"), ([1, 2], "")):
        with pytest.raises(ResultError, match=f"parameter `x` {told}|parameter `x` is .*{told}") as caught:
            results_of(x, [1, 2]).get_metric({"x": value}, "y")
        assert hint in caught.value.hint


@pytest.mark.parametrize("parameters", [{1: 2}, {"x": 1, 2: 3, None: 4}, {"x": 1, math.nan: 1}])
def test_what_names_no_parameter_is_told(results_of: Callable[..., Results], parameters: dict[Any, Any]) -> None:
    """Names that are no names are unknown, whatever they are."""
    with pytest.raises(ResultError, match="is no combination of this run; unknown"):
        results_of([1, 2], [1, 2]).get_metric(parameters, "y")
    with pytest.raises(ResultError, match="there is no metric `nan`"):
        results_of([1, 2], [1, 2]).get_metric({"x": 1}, math.nan)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def gathered(tmp_path_factory: pytest.TempPathFactory) -> Results:
    """Return the results of a run with tasks that gather over `seed` and over everything, and a failure."""

    def measure(size, seed):
        if (size, seed) == (3, 1):
            raise ValueError("no")
        return {"y": size * seed}

    folder = tmp_path_factory.mktemp("gathered")
    workflow = ExperimentalWorkflow("gathered", folder)
    workflow.add_task("measure", measure)
    workflow.add_task(
        "mean",
        lambda measure: {"mean": sum(one["y"] for one in measure)},
        depends_on="measure",
        over="seed",
        missing="skip",
    )
    workflow.add_task("all", lambda mean: {"count": len(mean)}, depends_on="mean", over="all")
    workflow.add_parameter_space({"size": [1, 2, 3], "seed": [1, 2]})
    return Engine(runs=folder / "runs").execute_parameter_sweep(workflow)


def test_what_gathers_is_ranked_once(gathered: Results) -> None:
    """Each value is there once, with the parameters on which it depends, and nothing of what was gathered over."""
    assert gathered.parameters_of("y") == ["size", "seed"]
    assert gathered.parameters_of("mean.mean") == gathered.parameters_of("mean") == ["size"]
    assert gathered.parameters_of("count") == []
    assert gathered.ranking("mean", count=9) == [({"size": size}, value) for size, value in ((2, 6), (3, 6), (1, 3))]
    assert gathered.ranking("mean", maximize=False) == [({"size": 1}, 3)]
    assert gathered.ranking("count", count=9) == [({}, 3)]
    assert [value for _, value in gathered.ranking("y", count=9)] == [6, 4, 2, 2, 1]


def test_both_what_is_best_and_what_is_ranked_lead_to_the_value(gathered: Results) -> None:
    """The best parameters are a whole combination; those of a ranking are enough for their metric."""
    for again in (gathered, Results(gathered.run)):
        for metric, value in (("mean", 6), ("count", 3), ("y", 6)):
            best = again.find_optimal_parameters(metric)
            assert list(best) == ["size", "seed"]
            assert again.get_metric(best, metric) == value
            for parameters, known in again.ranking(metric, count=9):
                assert again.get_metric(parameters, metric) == known
    with pytest.raises(ResultError, match=r"missing: \['seed'\]"):
        gathered.get_metric({"size": 1}, "y")
    with pytest.raises(ResultError, match="is FAILED"):
        gathered.get_metric({"size": 3, "seed": 1}, "mean")


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
    results = Results(RunDirectory(tmp_path), tables_of({"y": [3], "state": ["COMPLETED"]}, {}, [], ["y"], {}))
    assert results.find_optimal_parameters("y") == {}
    assert results.get_metric({}, "y") == 3
    with pytest.raises(ResultError, match=r"unknown: \['x'\]"):
        results.get_metric({"x": 1}, "y")


def test_results_that_were_not_collected_are_an_error(tmp_path: Path) -> None:
    """The error says what to type."""
    with pytest.raises(RunError, match="no collected results"):
        Results(RunDirectory(tmp_path))


def test_without_anything_completed_there_is_no_metric_at_all(tmp_path: Path) -> None:
    """Nobody is sent to look for another spelling then."""
    tables = tables_of({"x": [1, 2], "state": ["FAILED", "PENDING"]}, {}, ["x"], [], {})
    with pytest.raises(ResultError, match="there is no metric `y`") as caught:
        Results(RunDirectory(tmp_path), tables).find_optimal_parameters("y")
    assert caught.value.hint == "no combination is completed, so there is no metric at all yet"


def test_rounding_is_no_difference(results_of: Callable[..., Results]) -> None:
    """A value that is only rounded otherwise is the same, as it is to `select`."""
    assert results_of([0.1 + 0.2, 0.4], [1, 2]).get_metric({"x": 0.3}, "y") == 1


def test_long_integers_are_not_rounded_where_a_combination_failed(
    results_of: Callable[[list, list, list[str]], Results],
) -> None:
    """The table has all digits of whole numbers that no float holds, as `get_metric` does."""
    results = results_of([1, 2], [2**53 + 1, 7], ["COMPLETED", "FAILED"])
    assert results.to_dataframe()["y"].tolist() == [2**53 + 1, None]
    assert results.get_metric({"x": 1}, "y") == 2**53 + 1
    assert results.observations.sample("y").coverage.present == 1
