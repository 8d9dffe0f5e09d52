"""All of an array index is killed at any instant: its record stays as it was, and the next attempt does the work."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import sciflow_shim
from sciflow.engine import Engine
from sciflow.model.state import State
from sciflow.model.workflow import ExperimentalWorkflow
from sciflow.run.track import observe
from sciflow.store.layout import RunDirectory

PROGRAM = Path(__file__).with_name("kill_shim.py")
SHIM = Path(sciflow_shim.__file__).parents[1]


def kill_often(run: RunDirectory, count: int) -> dict[str, int]:
    """Kill so many attempts; gives what their records said → how often."""
    done = subprocess.run(
        [sys.executable, PROGRAM, run.path, "work.0", str(count), "20310514"],
        env={**os.environ, "PYTHONPATH": str(SHIM)},
        capture_output=True,
        text=True,
        timeout=60 + count,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)["seen"]


@pytest.fixture
def run(tmp_path: Path) -> RunDirectory:
    """Return a run of one index, which computes and prints a little."""
    workflow = ExperimentalWorkflow("killed", tmp_path)
    workflow.add_task("work", command="echo result=5; sleep 0.01", extract={"y": {"stdout": r"result=(\d)"}})
    engine = Engine(runs=tmp_path / "runs")
    folder = tmp_path / "runs" / "killed" / "20310514-120000-aa"
    return RunDirectory(engine.write_plan(engine.compile(workflow), folder))


@pytest.mark.parametrize("count", [150, pytest.param(5000, marks=pytest.mark.slow)])
def test_killed_at_random_instants(run: RunDirectory, count: int) -> None:
    """No record is torn, none is lost, no number is given twice; in the end the index is completed."""
    seen = kill_often(run, count)
    assert sum(seen.values()) == count
    assert seen["RUNNING"] > count / 20
    status = observe(run)
    assert status.indices["work.0"][0].state is State.COMPLETED
    assert not status.notes
