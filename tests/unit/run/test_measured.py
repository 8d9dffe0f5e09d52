"""What was measured of instances and of their neighbours."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from sciflow.engine import Engine
from sciflow.model.state import State
from sciflow.model.workflow import ExperimentalWorkflow
from sciflow.run.measured import MEMORY, SECONDS, Measured, Measurement
from sciflow.run.status import RunStatus
from sciflow.run.track import observe, read_plan
from sciflow.store import records
from sciflow.store.layout import RunDirectory
from sciflow_shim.record import Group, write_record

SIZES, KINDS = [1, 10, 100, 1000, 10_000], ["a", "b"]


@pytest.fixture
def run(tmp_path: Path) -> RunDirectory:
    """Return a run over five sizes of two kinds: index 2·i+k has size i and kind k."""
    workflow = ExperimentalWorkflow("fit", tmp_path)
    workflow.add_task("fit", command="echo {{ size }} {{ kind }}")
    workflow.add_parameter_space({"size": SIZES, "kind": KINDS})
    engine = Engine(runs=tmp_path / "runs")
    return RunDirectory(engine.write_plan(engine.compile(workflow), tmp_path / "runs" / "fit" / "20310514-120000-aa"))


def leave(run: RunDirectory, index: int, peak: int = 0, state: str = "COMPLETED", **facts: Any) -> None:
    """Leave the record of the first attempt of an index, which took as many seconds as its index says."""
    usage = {"peak_rss_bytes": peak, "wall_seconds": 0.5, **{k: v for k, v in facts.items() if "_" in k}}
    end = 100.0 + index if state != "RUNNING" else float("nan")
    root = Group({"state": state, "start": 100.0, "end": end}, {"resources": Group(usage)})
    path = run.record("fit.0", index, 1)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_record(str(path), root, seal=state != "RUNNING")


def measured(run: RunDirectory) -> tuple[Measured, RunStatus]:
    """Return what was measured, and the status."""
    status = observe(run)
    return Measured(run, read_plan(run), status), status


def test_neighbours_are_near_in_the_order_of_numbers(run: RunDirectory) -> None:
    """A size that is next in order is near, however much larger it is; another kind is as far as all sizes are."""
    for index in (0, 1, 2, 4, 8, 9):
        leave(run, index, peak=1000 + index)
    leave(run, 6, peak=5, state="FAILED")
    found, status = measured(run)
    assert status.indices["fit.0"][6].state is State.FAILED
    # Index 6 has size 1000 of kind a: its neighbours of that kind are 8 and 4, then 2, 0, and 9 of the other.
    assert found.neighbours("fit.0", 6, MEMORY) == [1004, 1008, 1002, 1000, 1009, 1001]
    assert found.neighbours("fit.0", 6, MEMORY, count=2) == [1004, 1008]
    assert found.neighbours("fit.0", 6, SECONDS, count=3) == [4.0, 8.0, 2.0]


def test_an_instance_is_no_neighbour_of_its_own(run: RunDirectory) -> None:
    """One that is completed is compared with others; where there are none, nothing is known."""
    leave(run, 3, peak=7)
    found, _ = measured(run)
    assert found.neighbours("fit.0", 3, MEMORY) == []
    assert found.neighbours("fit.0", 0, MEMORY) == [7]


def test_what_was_not_measured_is_passed_over(run: RunDirectory) -> None:
    """The next one counts in its place."""
    leave(run, 4, peak=0)
    leave(run, 2, peak=9)
    assert measured(run)[0].neighbours("fit.0", 6, MEMORY, count=1) == [9]


def test_the_larger_of_two_measurements_counts(run: RunDirectory) -> None:
    """Of the processes' peak and the job's, with its limit and the time; an interim record tells how far it came."""
    leave(run, 0, peak=5, state="OUT_OF_MEMORY", cgroup_peak_bytes=8, memory_limit_bytes=10)
    leave(run, 1, peak=5, state="TIMEOUT", cgroup_peak_bytes=3)
    leave(run, 2, peak=6, state="RUNNING")
    found, _ = measured(run)
    assert found.own("fit.0", 0) == Measurement(8, 10, 0.0)
    assert found.own("fit.0", 1) == Measurement(5, 0, 1.0)
    assert found.own("fit.0", 2) == Measurement(6, 0, 0.5)


def test_without_a_record_nothing_is_measured(run: RunDirectory) -> None:
    """One that was never there and a torn one say nothing."""
    leave(run, 0, peak=5)
    found, _ = measured(run)
    run.record("fit.0", 0, 1).write_bytes(b"torn")
    assert found.own("fit.0", 0) == found.own("fit.0", 5) == Measurement()


def test_few_records_are_read_and_each_once(run: RunDirectory, monkeypatch: pytest.MonkeyPatch) -> None:
    """Time needs none, as the status knows it; memory needs those of the neighbours."""
    for index in range(9):
        leave(run, index, peak=1 + index)
    found, _ = measured(run)
    opened: list[str] = []

    def counted(path: str, is_verified: bool = False) -> Any:
        opened.append(path)
        return records.open_record(path, is_verified)

    monkeypatch.setattr("sciflow.run.measured.open_record", counted)
    found.neighbours("fit.0", 9, SECONDS, count=2)
    assert opened == []
    found.neighbours("fit.0", 9, MEMORY, count=2)
    found.neighbours("fit.0", 9, MEMORY, count=2)
    assert len(opened) == 2


def test_members_of_a_pack_are_measured_one_by_one(run: RunDirectory) -> None:
    """Each has its own processes; what the job's memory was is that of all."""
    members = {
        str(index): Group({"state": "FAILED", "end": 101.0}, {"resources": Group({"peak_rss_bytes": peak})})
        for index, peak in ((0, 5), (1, 9))
    }
    root = Group({"state": "FAILED", "start": 100.0, "end": 103.0, "packed": 2})
    root.members = {"members": Group({}, members), "resources": Group({"cgroup_peak_bytes": 7})}
    path = run.record("fit.0", 0, 1)
    path.parent.mkdir(parents=True)
    write_record(str(path), root, seal=True)
    found, status = measured(run)
    for index in (0, 1):
        status.indices["fit.0"][index].path = str(path)
    assert [found.own("fit.0", index) for index in (0, 1)] == [Measurement(7, 0, 1.0), Measurement(9, 0, 1.0)]
