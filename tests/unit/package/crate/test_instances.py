"""Which instances a crate tells one by one, and which stand in the table of attempts alone."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from sciflow.engine import Engine
from sciflow.model.workflow import ExperimentalWorkflow
from sciflow.package import layout
from sciflow.package.contents import Contents
from sciflow.package.crate.attempts import COLUMNS, DESCRIPTION, gather_attempts
from sciflow.package.crate.instances import MOST, told_instances
from sciflow.package.crate.write import write_crate
from sciflow.package.gathered.people import People
from sciflow.package.opened_run import opened_run
from sciflow.package.packaged_run import PackagedRun
from sciflow.store.layout import RunDirectory

COUNT, FAILED = 130, 60  # more of each than are told
WAITING = {7, 8}


@pytest.fixture
def sweep(tmp_path: Path, leave_record: Callable[..., Path]) -> Iterator[PackagedRun]:
    """Return a run of many instances: the last ones have failed, one runs, some wait, one has been tried twice."""
    workflow = ExperimentalWorkflow("sweep", tmp_path)
    workflow.add_task("start", lambda: {"zero": 0})
    workflow.add_task("halve", lambda start, x: {"half": x / 2}, depends_on=["start"])
    workflow.add_parameter_space({"x": list(range(COUNT))})
    workflow.add_visualization("halves", {"type": "line", "x_axis": "x", "value": "half"})
    engine = Engine(runs=tmp_path / "runs")
    run = RunDirectory(engine.write_plan(engine.compile(workflow), tmp_path / "runs" / "sweep" / "20260101-000000-aa"))
    leave_record(run, "start.0", 0, zero=0)
    for index in set(range(COUNT)) - WAITING:
        if index >= COUNT - FAILED:
            leave_record(run, "halve.0", index, state="FAILED", error=f"{index} is too large")
        elif index == 3:
            leave_record(run, "halve.0", index, state="FAILED", error="not yet")
            leave_record(run, "halve.0", index, attempt=2, half=1.5)
        else:
            leave_record(run, "halve.0", index, state="RUNNING" if index == 5 else "COMPLETED", half=_half(index))
    with opened_run(run, "sweep") as packaged:
        yield packaged


def _half(index: int) -> float:
    """The metric: the largest is at 20, and the smallest twice, first at 30."""
    return {20: 1000.0, 30: -1.0, 31: -1.0}.get(index, index / 2)


def _rows(packaged: PackagedRun) -> list[dict[str, str]]:
    contents = Contents()
    gather_attempts(packaged, contents)
    source = contents.entries[layout.ATTEMPTS].source
    assert isinstance(source, bytes)
    return list(csv.DictReader(io.StringIO(source.decode())))


def test_of_many_the_first_the_last_and_the_best_are_told_and_failures_up_to_a_limit(sweep: PackagedRun) -> None:
    """Where nobody says which way a metric is better, both ends are told.

    What runs or waits is no action yet; of a task with few instances all are told.
    """
    told = told_instances(sweep)
    assert [one.index for one in told["start"].instances] == [0]
    done = [one.index for one in told["halve"].instances if one.is_success]
    failed = [one.index for one in told["halve"].instances if not one.is_success]
    assert done == [0, 20, 30, COUNT - FAILED - 1]
    assert failed == list(range(COUNT - FAILED, COUNT - FAILED + MOST))
    waiting = len(WAITING) + 1  # what ran when its driver was lost waits again
    assert told["halve"].states == {"COMPLETED": COUNT - FAILED - waiting, "PENDING": waiting, "FAILED": FAILED}


def test_an_instance_has_its_own_parameters_metrics_and_needs(sweep: PackagedRun) -> None:
    """Of the attempt that counts."""
    one = told_instances(sweep)["halve"].instances[3]
    assert (one.parameters, one.metrics) == ({"x": one.index}, {"half": one.index / 2})
    assert list(one.needs) == [("start.0", 0)]


def test_the_table_has_every_attempt_and_every_instance_without_one(sweep: PackagedRun) -> None:
    """In the order of the plan; its description names the same columns."""
    rows = _rows(sweep)
    places = [(row["array"], int(row["index"]), int(row["attempt"])) for row in rows]
    assert places[0] == ("start.0", 0, 1)
    assert places[1:] == sorted(
        [("halve.0", index, 0 if index in WAITING else 1) for index in range(COUNT)] + [("halve.0", 3, 2)]
    )
    by_place = dict(zip(places, rows, strict=True))
    assert by_place["halve.0", 7, 0]["state"] == "PENDING"
    assert by_place["halve.0", 7, 0]["start"] == ""
    assert (by_place["halve.0", 3, 1]["state"], by_place["halve.0", 3, 1]["error"]) == ("FAILED", "not yet")
    assert by_place["halve.0", 3, 2]["state"] == "COMPLETED"
    assert by_place["halve.0", 0, 1]["start"].endswith("+00:00")
    contents = Contents()
    gather_attempts(sweep, contents)
    source = contents.entries[DESCRIPTION].source
    assert isinstance(source, bytes)
    assert [one["name"] for one in json.loads(source)["tableSchema"]["columns"]] == list(rows[0]) == list(COLUMNS)


def test_a_crate_of_a_partial_run_says_so_and_stays_small(sweep: PackagedRun, tmp_path: Path) -> None:
    """The run is no success and not over; its metadata grows with what is told, not with the run."""
    folder = tmp_path / "data"
    (folder / layout.RUN).mkdir(parents=True)
    (folder / layout.RUN / "manifest.json").write_text("{}")
    path = write_crate(sweep, Contents(), folder, People(user="ada"))
    entities = {one["@id"]: one for one in json.loads(path.read_text())["@graph"]}
    total = COUNT + 1
    assert f"PARTIAL, {COUNT - FAILED - 2} of {total} task instances are completed" in entities["./"]["description"]
    assert "It was not finished" in entities[f"#run/{sweep.run.run_id}"]["description"]
    failed = [one for one in entities.values() if one.get("error") == f"FAILED: {COUNT - FAILED} is too large"]
    assert [one["@id"] for one in failed] == [f"#action/halve.0/{COUNT - FAILED}"]
    assert f"; {MOST + 4} of {COUNT} are told here" in entities["#step/halve"]["description"]
    assert path.stat().st_size < 200_000
