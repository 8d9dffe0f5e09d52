"""Several runs as one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import pytest

from sciflow.analysis.joined import joined
from sciflow.analysis.observations import VALUE, Metric, Observations
from sciflow.errors import ResultError
from unit.figures.observed import observed


def run(
    number: int, columns: Mapping[str, Sequence[Any]], metrics: Mapping[str, Sequence[Any]], **more: Any
) -> Observations:
    """Return the observations of the run of that number; higher ones are newer."""
    return replace(observed(columns, metrics, **more), runs=(f"2025010{number}-000000-aa",))


def ids(observations: Observations) -> list[str]:
    """The numbers of the runs that rows are from."""
    return [str(one)[7] for one in observations.frame["run"]]


def test_runs_of_other_combinations_are_one_table() -> None:
    """Whatever their order: rows of the older run come first, levels are those of all, and each row says its run."""
    first = run(1, {"x": [1, 3], "name": ["b", "b"]}, {"y": [1.0, 9.0]}, units={"y": "J"}, repeats=["name"])
    second = run(2, {"x": [2, 4], "name": ["a", "b"]}, {"y": [4.0, 16.0]}, repeats=["name"])
    for parts in ([first, second], [second, first]):
        whole = joined(parts)
        assert list(whole.frame) == ["x", "name", "y", "state", "run"]
        assert whole.frame["y"].tolist() == [1.0, 9.0, 4.0, 16.0]
        assert ids(whole) == ["1", "1", "2", "2"]
        assert whole.runs == (*first.runs, *second.runs)
        assert whole.parameters["x"].levels == (1, 2, 3, 4)
        assert whole.parameters["name"].levels == ("a", "b")
        assert whole.parameters["name"].is_repeat
        assert (whole.metrics["y"].unit, whole.notes) == ("J", ())


def test_a_completed_combination_counts_and_the_newest_of_them() -> None:
    """A newer failure takes nothing away; where values differ it is noted; where none completed the newest stands."""
    columns = {"x": [1, 2, 3, 4]}
    first = run(1, columns, {"y": [1.0, 2.0, 3.0, 4.0]}, states={0: "FAILED", 3: "FAILED"})
    second = run(2, columns, {"y": [10.0, 20.0, 3.0, 4.0]}, states={3: "TIMEOUT"})
    third = run(3, {"x": [2.0]}, {"y": [200.0]}, states={0: "FAILED"})
    whole = joined([third, first, second])
    assert whole.frame["y"].tolist()[:3] == [10.0, 20.0, 3.0]
    assert (ids(whole), whole.frame["state"].tolist()[3]) == (["2", "2", "2", "2"], "TIMEOUT")
    assert whole.notes == ("y: 1 value differs between runs; the newest counts",)
    assert whole.frame["x"].tolist() == [1, 2, 3, 4]


def test_what_is_shared_is_the_newest() -> None:
    """A metric of a task that gathers may differ between runs that gather over other seeds: one value counts."""
    depends = {"mean": ["x"]}
    first = run(1, {"x": [1, 1], "seed": [1, 2]}, {"mean": [5.0, 5.0]}, depends=depends)
    second = run(2, {"x": [1, 1], "seed": [3, 4]}, {"mean": [6.0, 6.0]}, depends=depends)
    whole = joined([first, second])
    assert whole.sample("mean").frame[VALUE].tolist() == [6.0]
    assert whole.frame["mean"].tolist() == [6.0] * 4
    assert whole.notes == ("mean: 1 value differs between runs; the newest counts",)


def test_a_run_with_other_parameters_needs_their_values() -> None:
    """An axis that was added later: the value of before is said, or the error says how to."""
    first = run(1, {"x": [1, 2]}, {"y": [1.0, 2.0]})
    second = run(2, {"x": [1, 2], "tolerance": [0.1, 0.01]}, {"y": [1.5, 2.5]})
    with pytest.raises(ResultError, match=r'has no parameter `tolerance`\nhint: .*absent=\{"tolerance": …\}') as caught:
        joined([first, second])
    assert first.runs[0] in caught.value.message
    whole = joined([first, second], {"tolerance": 0.1})
    assert whole.frame[["x", "tolerance", "y"]].to_numpy().tolist() == [[1, 0.1, 1.5], [2, 0.1, 2.0], [2, 0.01, 2.5]]
    assert whole.notes[0] == f"tolerance = 0.1 in run {first.runs[0]}, which does not vary it"
    assert whole.metrics["y"].parameters == ("x", "tolerance")
    with pytest.raises(ResultError, match="`tol` is no parameter of any of these runs"):
        joined([first, second], {"tolerance": 0.1, "tol": 1})


def test_none_and_truth_values_are_what_they_are() -> None:
    """None of one run is that of another, and True is not 1."""
    first = run(1, {"x": [None, 1]}, {"y": [1.0, 2.0]})
    second = run(2, {"x": [None, True]}, {"y": [1.0, 3.0]})
    whole = joined([first, second])
    assert whole.parameters["x"].levels == (1, "True", None)
    assert whole.frame["y"].tolist() == [1.0, 2.0, 3.0]


def test_a_name_that_another_task_has_as_well() -> None:
    """A metric that was unique in one run carries its task where it is not in all."""
    first = run(1, {"x": [1]}, {"time": [1.0]})
    second = run(2, {"x": [2]}, {"a.time": [2.0], "b.time": [3.0]})
    known = {f"{task}.time": Metric(f"{task}.time", task, ("x",)) for task in ("a", "b")}
    second = replace(second, metrics=known)
    first = replace(first, metrics={"time": Metric("time", "a", ("x",))})
    whole = joined([first, second])
    assert list(whole.metrics) == ["a.time", "b.time"]
    assert whole.frame["a.time"].tolist() == [1.0, 2.0]
    assert whole.frame["b.time"].isna().tolist() == [True, False]


def test_what_cannot_be_joined_is_said() -> None:
    """Other workflows, other units, and nothing at all."""
    first = run(1, {"x": [1]}, {"y": [1.0]}, units={"y": "m"})
    with pytest.raises(ResultError, match=r"different workflows: `solving` .*, `growing`"):
        joined([first, replace(first, workflow="growing")])
    with pytest.raises(ResultError, match=r"`solve\.y` has different units in these runs: m and mm"):
        joined([first, run(2, {"x": [1]}, {"y": [1.0]}, units={"y": "mm"})])
    with pytest.raises(ResultError, match="there is no run to join"):
        joined([])


def test_joined_runs_can_be_joined_again() -> None:
    """Rows keep the run that they are from, and a parameter may be called `run` itself."""
    parts = [run(number, {"x": [number]}, {"y": [1.0]}) for number in (1, 2, 3)]
    assert ids(joined([joined(parts[:2]), parts[2]])) == ["1", "2", "3"]
    named = [run(number, {"run": [number]}, {"y": [1.0]}) for number in (1, 2)]
    assert list(joined(named).frame) == ["run", "y", "state", "run_id"]


def test_the_design_is_that_of_all() -> None:
    """Points that were drawn by one method stay so; by several there is none."""
    drawn = [replace(run(number, {"x": [0.1 * number]}, {}, sampled=["x"]), design="sobol") for number in (1, 2)]
    assert joined(drawn).design == "sobol"
    assert joined([drawn[0], replace(drawn[1], design=None)]).design is None
    assert joined([drawn[0], replace(drawn[1], design=None)]).parameters["x"].is_sampled
