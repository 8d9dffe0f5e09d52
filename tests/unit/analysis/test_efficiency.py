"""Efficiency is what `seff` says it is, over all attempts."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from sciflow.cli.describe_efficiency import describe_efficiency
from sciflow.model.state import State
from unit.analysis.measured_run import GIB, MeasuredRun


@pytest.fixture
def run(tmp_path: Path) -> MeasuredRun:
    """Return a run of three instances, each with four cores, 8 GB and two hours."""
    return MeasuredRun(tmp_path, {"x": [1, 2, 3]})


def test_the_ratios_are_those_of_seff(run: MeasuredRun) -> None:
    """CPU time by cores and time, peak by request, time by walltime; means go by how long it was held."""
    run.add(0, memory=4096, seconds=3600.0, cpu=7200.0)
    run.add(1, memory=2048, seconds=1800.0, cpu=1800.0)
    found = run.results().efficiency().tasks["solve"]
    assert found.cpu == pytest.approx(9000 / (4 * 5400))
    assert found.memory == pytest.approx((0.5 * 3600 + 0.25 * 1800) / 5400)
    assert found.memory_most == 0.5
    assert found.walltime == pytest.approx(5400 / 14400)
    assert (found.core_hours, found.cpu_hours, found.idle_core_hours) == pytest.approx((6.0, 2.5, 3.5))
    assert found.gigabyte_hours == pytest.approx(12.0)
    assert (found.asked_memory_bytes, found.asked_seconds, found.cores) == (8 * GIB, 7200, 4)
    assert math.isnan(found.gpu)


def test_what_failed_has_cost_what_it_held(run: MeasuredRun) -> None:
    """By how it ended; what went on from a checkpoint later was not in vain, and what still runs is not lost."""
    run.add(0, "TIMEOUT", start=100.0, seconds=7200.0, cpu=100.0)
    run.add(0, attempt=2, start=9000.0, seconds=3600.0, cpu=100.0, checkpoint_found=True)
    run.add(1, "OUT_OF_MEMORY", seconds=900.0, cpu=100.0)
    run.add(2, "RUNNING", seconds=900.0, cpu=100.0)
    results = run.results()
    found = results.efficiency().total
    assert (found.attempts, found.completed) == (4, 1)
    assert {state: (lost.attempts, lost.core_hours) for state, lost in found.lost.items()} == {
        State.OUT_OF_MEMORY: (1, 1.0)
    }
    assert found.lost_core_hours == 1.0


def test_gpus_count_by_time(tmp_path: Path) -> None:
    """Their mean utilisation, each attempt by how long it ran; what was not sampled is left out."""
    run = MeasuredRun(tmp_path, {"x": [1, 2, 3]}, {"cpu_cores": 1, "gpus": 2})
    run.add(0, seconds=300.0, mean_gpu_utilisation_percent=90.0)
    run.add(1, seconds=100.0, mean_gpu_utilisation_percent=10.0)
    run.add(2, seconds=3200.0)
    found = run.results().efficiency().tasks["solve"]
    assert found.gpu == pytest.approx(0.7)
    assert found.gpu_hours == pytest.approx(2.0)


def test_what_was_not_asked_for_has_no_efficiency(tmp_path: Path) -> None:
    """Without a request nothing is a share of it; without attempts there is no task."""
    run = MeasuredRun(tmp_path, {"x": [1]}, {"cpu_cores": 1})
    assert run.results().efficiency().tasks == {}
    run.add(0, memory=100, seconds=10.0, cpu=5.0)
    found = run.results().efficiency().tasks["solve"]
    assert found.cpu == 0.5
    assert math.isnan(found.memory)
    assert math.isnan(found.walltime)
    assert math.isnan(found.memory_most)


def test_what_is_fused_holds_its_job(tmp_path: Path) -> None:
    """A task of one core and 1 GB before one of four cores and 8 GB holds these four and 8 GB; tried again, its own."""
    small = {"cpu_cores": 1, "memory_gb": 1, "max_runtime_hours": 1}
    run = MeasuredRun(
        tmp_path, {"x": [1, 2]}, tasks=("prepare", "solve"), is_fused=True, other_resources={"prepare": small}
    )
    for number, task in enumerate(("prepare", "solve")):
        run.add(0, task=task, memory=512, seconds=1800.0, cpu=1800.0, start=100.0 + number)
    found = run.results().efficiency().tasks
    assert (found["prepare"].core_hours, found["solve"].core_hours) == (2.0, 2.0)
    assert (found["prepare"].gigabyte_hours, found["prepare"].memory_most) == (4.0, 0.0625)
    assert found["prepare"].asked_seconds == 3600
    array, _ = run.places["prepare"][1]
    asked = {"variant": "", "memory": 0, "seconds": 0, "cause": "killed", "error": "", "counts": True}
    run.note(event="retry", time=50.0, array=array, indices="1", **asked)
    run.add(1, task="prepare", memory=512, seconds=3600.0, cpu=1800.0, start=100.0, attempt=2)
    assert run.results().efficiency().tasks["prepare"].core_hours == 3.0


def test_cores_whose_use_was_not_measured_are_not_idle(run: MeasuredRun) -> None:
    """What was used is unknown without any measurement; with some, idle is what these did not use."""
    run.add(0, seconds=3600.0)
    found = run.results().efficiency()
    assert found.total.core_hours == 4.0
    assert math.isnan(found.total.cpu_hours)
    assert math.isnan(found.total.idle_core_hours)
    assert "CPU utilized: unknown" in describe_efficiency(found, "")
    run.add(1, seconds=1800.0, cpu=3600.0)
    assert run.results().efficiency().total.idle_core_hours == pytest.approx(1.0)


def test_what_has_not_ended_is_not_lost(run: MeasuredRun) -> None:
    """The last attempt of an index of which nobody knows an end may still run; one before it is lost."""
    run.add(0, "UNKNOWN", seconds=900.0)
    run.add(1, "UNKNOWN", seconds=900.0)
    run.add(1, attempt=2, start=2e9, seconds=900.0)
    lost = run.results().efficiency().total.lost
    assert {state: one.attempts for state, one in lost.items()} == {State.UNKNOWN: 1}
