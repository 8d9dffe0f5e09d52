"""Records become one table: joined, complete, and never a number that is none."""

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sciflow.engine import Engine
from sciflow.errors import RunError, WorkflowError
from sciflow.model.workflow import ExperimentalWorkflow
from sciflow.results import Results
from sciflow.run.collect import collect
from sciflow.store.journal import Journal
from sciflow.store.layout import RunDirectory
from sciflow.store.results import Tables, read_tables

LeaveRecord = Callable[..., Path]


def counts(tables: Tables) -> dict[str, int]:
    """What there is of records, without what there is not."""
    return {kind: count for kind, count in tables.facts["completeness"].items() if count}


def column(tables: Tables, name: str) -> list[Any]:
    """A column of the combinations."""
    return tables.combinations[name]


def test_a_row_has_what_all_its_tasks_left(staged: RunDirectory, leave_record: LeaveRecord) -> None:
    """Each combination gets the metrics of its own instance, and those of an instance that it shares."""
    for index in range(4):
        leave_record(staged, "square.0", index, y=(index + 1) ** 2)
    leave_record(staged, "total.0", 0, sum=30)
    tables = collect(staged)
    assert list(tables.combinations) == ["x", "y", "sum", "state"]
    assert column(tables, "x") == [1, 2, 3, 4]
    assert column(tables, "y") == [1, 4, 9, 16]
    assert column(tables, "sum") == [30] * 4
    assert column(tables, "state") == ["COMPLETED"] * 4
    assert tables.metrics == ["y", "sum"]
    assert counts(tables) == {"expected": 5, "sealed": 5}


def test_what_was_collected_is_what_is_read(staged: RunDirectory, leave_record: LeaveRecord) -> None:
    """The file holds the same tables as the answer, and tells a float that is missing from one that is NaN."""
    leave_record(staged, "square.0", 1, y=math.nan, label="é", n=3)
    tables = collect(staged)
    known = read_tables(staged.results)
    assert known.combinations["y"][0] is None
    assert math.isnan(known.combinations["y"][1])
    for table in ("combinations", "instances", "attempts", "environments", "metrics/square"):
        assert list(known.table(table)) == list(tables.table(table))
        assert repr(dict(known.table(table))) == repr(dict(tables.table(table)))
    assert known.facts == tables.facts


def test_failures_are_never_numbers(staged: RunDirectory, leave_record: LeaveRecord) -> None:
    """A metric of an attempt that failed does not look like a result, nor does one of what it holds back."""
    leave_record(staged, "square.0", 0, y=1)
    leave_record(staged, "square.0", 1, 1, "FAILED", "no good", y=999)
    leave_record(staged, "square.0", 2, 1, "CRITERIA_NOT_MET", y=888)
    leave_record(staged, "total.0", 0, 1, "UPSTREAM_FAILED")
    tables = collect(staged)
    assert column(tables, "y") == [1, None, None, None]
    assert column(tables, "state") == ["COMPLETED", "FAILED", "CRITERIA_NOT_MET", "PENDING"]
    assert Results(staged, tables).to_dataframe()["y"].isna().tolist() == [False, True, True, True]
    assert tables.metrics == ["y"]


def test_what_gathers_fails_no_combination(staged: RunDirectory, leave_record: LeaveRecord) -> None:
    """A task over all combinations belongs to none of them: when it fails, they keep their state and their numbers."""
    for index in range(4):
        leave_record(staged, "square.0", index, y=index)
    leave_record(staged, "total.0", 0, 1, "FAILED", sum=5)
    tables = collect(staged)
    assert column(tables, "state") == ["COMPLETED"] * 4
    assert column(tables, "y") == [0, 1, 2, 3]
    assert "sum" not in tables.combinations
    assert tables.instances["state"][-1] == "FAILED"
    results = Results(staged, tables)
    assert results.gathering == {"total": {"FAILED": 1}}
    assert results.described_count() == "4 of 4 combinations completed, but 1 of 1 instances of `total` is FAILED"
    assert results.find_optimal_parameters("y") == results.ranking("y")[0][0]


def test_what_gathers_and_has_not_run_is_said(staged: RunDirectory, leave_record: LeaveRecord) -> None:
    """While it waits nobody is told that all is there; when it is completed there is nothing to add."""
    for index in range(4):
        leave_record(staged, "square.0", index, y=index)
    waiting = Results(staged, collect(staged))
    assert repr(waiting).endswith("4 of 4 combinations completed, but 1 of 1 instances of `total` is PENDING>")
    leave_record(staged, "total.0", 0, sum=6)
    results = Results(staged, collect(staged))
    assert (results.gathering, results.described_count()) == ({}, "4 of 4 combinations completed")


def test_what_is_held_back_fails_its_combination(tmp_path: Path) -> None:
    """A combination of which a later task was held back is named by what failed first."""

    def first(x):
        if x == 2:
            raise ValueError("no")
        return {"y": x}

    workflow = ExperimentalWorkflow("chain", tmp_path)
    workflow.add_task("first", first)
    workflow.add_task("second", lambda first, x: {"z": first["y"]}, depends_on=["first"])
    workflow.add_parameter_space({"x": [1, 2]})
    frame = Engine(runs=tmp_path / "runs").execute_parameter_sweep(workflow).to_dataframe()
    assert frame["state"].tolist() == ["COMPLETED", "FAILED"]
    assert frame["z"].isna().tolist() == [False, True]


def test_the_worst_state_of_a_combination_counts(staged: RunDirectory, leave_record: LeaveRecord) -> None:
    """What failed comes before what is held back by it, that before what waits, and that before what is done."""
    leave_record(staged, "square.0", 0)
    leave_record(staged, "square.0", 1, 1, "TIMEOUT")
    Journal(staged.journal).append([{"event": "started", "array": "square.0", "index": 2, "attempt": 1}])
    leave_record(staged, "total.0", 0, 1, "COMPLETED", sum=1)
    assert column(collect(staged), "state") == ["COMPLETED", "TIMEOUT", "PENDING", "PENDING"]


def test_a_torn_record_is_not_counted(staged: RunDirectory, leave_record: LeaveRecord) -> None:
    """Where the journal says done and the record is torn or gone, nobody knows what came out."""
    events = []
    for index in range(4):
        path = leave_record(staged, "square.0", index, y=7)
        events.append({"event": "ended", "array": "square.0", "index": index, "attempt": 1, "state": "COMPLETED"})
        if index == 1:
            path.write_bytes(path.read_bytes()[:-1])
        if index == 2:
            data = bytearray(path.read_bytes())
            data[len(data) // 2] ^= 1
            path.write_bytes(data)
        if index == 3:
            path.unlink()
    Journal(staged.journal).append(events)
    tables = collect(staged)
    assert counts(tables) == {"expected": 5, "sealed": 1, "missing": 1, "torn": 2, "waiting": 1}
    assert column(tables, "y") == [7, None, None, None]
    assert tables.instances["state"] == ["COMPLETED", "UNKNOWN", "UNKNOWN", "UNKNOWN", "PENDING"]
    assert tables.instances["error"][1] == "its record is torn or missing"


def test_only_the_last_attempt_counts(staged: RunDirectory, leave_record: LeaveRecord) -> None:
    """An earlier attempt's numbers are replaced, also by a failure."""
    leave_record(staged, "square.0", 0, 1, "FAILED", y=1)
    leave_record(staged, "square.0", 0, 2, "COMPLETED", y=2)
    leave_record(staged, "square.0", 1, 1, "COMPLETED", y=3)
    leave_record(staged, "square.0", 1, 2, "FAILED", y=4)
    tables = collect(staged)
    assert column(tables, "y") == [2, None, None, None]
    assert tables.instances["attempt"] == [2, 2, 0, 0, 0]


def test_collecting_again_takes_what_is_new(staged: RunDirectory, leave_record: LeaveRecord) -> None:
    """It can be done while the run goes on, and repeated; each time all that is there is joined."""
    assert column(collect(staged), "state") == ["PENDING"] * 4
    leave_record(staged, "square.0", 2, y=9)
    assert column(collect(staged), "y") == [None, None, 9, None]
    assert dict(collect(staged).instances) == dict(collect(staged).instances)


def test_an_instance_has_its_story(staged: RunDirectory, leave_record: LeaveRecord) -> None:
    """One row per instance: where it ran, what it asked for and used, and why it failed."""
    leave_record(staged, "square.0", 3, 2, "FAILED", "no good")
    tables = collect(staged)
    row = {name: values[3] for name, values in tables.instances.items()}
    assert (row["task"], row["array"], row["index"], row["parameters.x"]) == ("square", "square.0", 3, 4)
    assert Results(staged, tables).instances()["parameters"].tolist()[3:] == [{"x": 4}, {}]
    assert (row["state"], row["attempt"], row["error"], row["seconds"]) == ("FAILED", 2, "no good", 2.0)
    assert (row["cpu_cores"], row["run"]) == (1, staged.run_id)
    assert row["host"]
    assert row["reason"]
    assert len(tables.instances["task"]) == 5


def test_a_metric_of_two_tasks_is_named_with_its_task(tmp_path: Path) -> None:
    """Names that several tasks, a parameter or the table itself have are told apart; parameters are never hidden."""
    workflow = ExperimentalWorkflow("names", tmp_path)
    workflow.add_task("first", lambda x: {"loss": x, "own": 1, "x": -x, "state": "solid"})
    workflow.add_task("second", lambda first: {"loss": -first["loss"]}, depends_on=["first"])
    workflow.add_parameter_space({"x": [1, 2]})
    results = Engine(runs=tmp_path / "runs").execute_parameter_sweep(workflow)
    assert results.metrics == ["first.loss", "own", "first.x", "first.state", "second.loss"]
    frame = results.to_dataframe()
    assert frame["x"].tolist() == [1, 2]
    assert frame["first.x"].tolist() == [-1, -2]
    assert frame["state"].tolist() == ["COMPLETED"] * 2
    assert frame["second.loss"].tolist() == [-1, -2]


def test_a_table_of_combinations_is_enough(tmp_path: Path) -> None:
    """A space that functions made is read back from the run, where the functions are not."""
    workflow = ExperimentalWorkflow("functions", tmp_path)
    workflow.add_task("task", lambda x, y, z: {"p": x * y})
    workflow.add_parameter_space({"x": [1, 2, 3], "y": [1, 2, 3]})
    workflow.add_constraint(lambda x, y: x + y == 4)
    workflow.add_derived_parameter("z", lambda x: (x, "t"))
    results = Engine(runs=tmp_path / "runs").execute_parameter_sweep(workflow)
    frame = results.to_dataframe()
    assert frame[["x", "y", "p"]].to_numpy().tolist() == [[1, 3, 3], [2, 2, 4], [3, 1, 3]]
    again = Results(results.run)
    assert again.get_metric({"x": 2, "y": 2, "z": (2, "t")}, "p") == 4


def test_units_are_kept(tmp_path: Path) -> None:
    """The unit of an extracted metric goes with the results."""
    workflow = ExperimentalWorkflow("units", tmp_path)
    extract = {"e": {"stdout": r"E=(\S+)", "unit": "eV"}}
    workflow.add_task("task", command="echo E=1.5", extract=extract)
    results = Engine(runs=tmp_path / "runs").execute_parameter_sweep(workflow)
    assert results.tables.facts["units"] == {"e": "eV"}
    assert results.to_dataframe()["e"].tolist() == [1.5]


@pytest.mark.parametrize("name", ["manifest.json", "plan.json"])
def test_a_newer_run_is_refused(staged: RunDirectory, name: str) -> None:
    """A run directory of a later sciflow is a clear error, and nothing is written into it."""
    path = staged / name
    path.write_text(path.read_text().replace('"format": 1', '"format": 7'))
    with pytest.raises(RunError, match="format 7"):
        collect(staged)
    assert not staged.results.exists()


def test_no_parameter_is_named_like_the_states(tmp_path: Path) -> None:
    """A parameter `state` would be hidden by the column of that name, so it is refused from the start."""
    workflow = ExperimentalWorkflow("names", tmp_path)
    with pytest.raises(WorkflowError, match="`state` cannot be the name of a parameter"):
        workflow.add_parameter_space({"state": ["solid", "liquid"]})


def test_no_column_replaces_another(tmp_path: Path) -> None:
    """A metric whose name is that of another task's column gets its task's name before it."""
    workflow = ExperimentalWorkflow("names", tmp_path)
    workflow.add_task("sim", lambda x: {"loss": x})
    workflow.add_task("eval", lambda sim, x: {"loss": -x, "sim.loss": 10 * x}, depends_on=["sim"])
    workflow.add_parameter_space({"x": [1, 2]})
    frame = Engine(runs=tmp_path / "runs").execute_parameter_sweep(workflow).to_dataframe()
    assert frame[["sim.loss", "eval.loss", "eval.sim.loss"]].to_numpy().tolist() == [[1, -1, 10], [2, -2, 20]]
