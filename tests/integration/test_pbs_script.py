"""The job script of PBS, run as PBS runs it: in the home folder, with the variables that it sets."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from sciflow.engine import Engine
from sciflow.model.state import State
from sciflow.model.workflow import ExperimentalWorkflow
from sciflow.run.stage import stage
from sciflow.run.track import observe
from sciflow.schedulers.pbs_logs import read_ends
from sciflow.store.layout import RunDirectory
from sciflow.store.records import read_state
from sciflow_shim import files

NAME = "square.0.20260105-101500-4a3f1.1"


@pytest.fixture(params=["pbs"])
def run(tmp_path: Path, request: pytest.FixtureRequest) -> RunDirectory:
    """Return a run for PBS, or for another that is like it, of which nothing was submitted."""
    workflow = ExperimentalWorkflow("squares", tmp_path)
    workflow.add_task("square", command="echo y={{ x }} && test {{ x }} -ne 3", extract={"y": {"stdout": r"y=(\d+)"}})
    workflow.add_parameter_space({"x": [0, 1, 2, 3]})
    (tmp_path / "site.yaml").write_text(f"name: site\nscheduler: {request.param}\n")
    engine = Engine(str(tmp_path / "site.yaml"), tmp_path / "runs")
    compiled = engine.compile(workflow)
    return stage(compiled, engine.runs, engine.scripts(compiled))


def start(run: RunDirectory, home: Path, index: int, job: str) -> subprocess.CompletedProcess[bytes]:
    """Run the script as PBS does, which writes what it prints to where `-o` says."""
    spooled = home / "spooled.SC"
    spooled.write_bytes(run.script("square.0").read_bytes())
    array = {"PBS_ARRAY_INDEX": str(index), "PBS_ARRAY_ID": "7[].srv"}
    told = {"HOME": str(home), "PATH": os.environ["PATH"], "PBS_O_WORKDIR": str(run.path), "PBS_JOBNAME": NAME}
    logs = run / files.logs("square.0")
    logs.mkdir(parents=True, exist_ok=True)
    with (logs / f"{index}.{NAME}.job").open("wb") as log:
        return subprocess.run(
            ["bash", str(spooled)],
            cwd=home,
            env={**told, **array, "PBS_JOBID": job},
            stdout=log,
            stderr=log,
            timeout=60,
        )


def test_an_index_runs_and_its_record_tells_the_array_job(run: RunDirectory, tmp_path: Path) -> None:
    """By the sub-job's id; nothing is left of an empty log."""
    assert start(run, tmp_path, 2, "7[2].srv").returncode == 0
    known = read_state(str(run.record("square.0", 2, 1)))
    assert known is not None
    assert (known.state, known.job) == (State.COMPLETED, "7[].srv")
    assert list((run / files.logs("square.0")).glob("*.job")) == []


def test_a_map_tells_the_index_and_the_log_goes_with_it(run: RunDirectory, tmp_path: Path) -> None:
    """The place is PBS's index; what the shim says of a failure stands where `logs` looks for it."""
    (run / files.index_map(NAME)).write_text("0\n3\n")
    assert start(run, tmp_path, 1, "7[1].srv").returncode == 1
    assert observe(run).indices["square.0"][3].state is State.FAILED
    assert "square.0[3] FAILED" in run.job_log("square.0", 3, "7[].srv").read_text()
    assert [one.name for one in (run / files.logs("square.0")).glob("*.job")] == ["3.7[].srv.job"]


def test_why_pbs_ends_a_job_is_found_in_its_log(run: RunDirectory, tmp_path: Path) -> None:
    """PBS opens it by the name that it was given, which is there as long as the job has not come to its own end."""
    script = run.script("square.0")
    script.write_text(script.read_text().replace("\nPYTHONPATH=", "\nkill -KILL $$\nPYTHONPATH="))
    assert start(run, tmp_path, 2, "7[2].srv").returncode == -9
    with (run / files.logs("square.0") / f"2.{NAME}.job").open("r+") as log:
        log.write("=>> PBS: job killed: walltime 11 exceeded limit 10\n")
    assert "walltime 11" in run.job_log("square.0", 2, "7[].srv").read_text()
    assert read_ends(run.path, NAME, "7[].srv", [2])[2].state is State.TIMEOUT


@pytest.mark.parametrize("run", ["torque"], indirect=True)
def test_a_log_of_torque_stands_where_it_is_looked_for_at_once(run: RunDirectory, tmp_path: Path) -> None:
    """Torque itself brings one when all is over, which holds nothing then."""
    spooled = tmp_path / "spooled.SC"
    spooled.write_bytes(run.script("square.0").read_bytes())
    (run / files.logs("square.0")).mkdir(parents=True, exist_ok=True)
    told = {"HOME": str(tmp_path), "PATH": os.environ["PATH"], "PBS_O_WORKDIR": str(run.path)}
    codes = []
    for index in (2, 3):
        own = {"PBS_JOBNAME": f"{NAME}-{index}", "PBS_ARRAYID": str(index), "PBS_JOBID": f"7[{index}].srv"}
        done = subprocess.run(
            ["bash", str(spooled)], cwd=tmp_path, env={**told, **own}, capture_output=True, timeout=60, check=False
        )
        assert (done.stdout, done.stderr) == (b"", b"")
        codes.append(done.returncode)
    assert codes == [0, 1]
    known = read_state(str(run.record("square.0", 2, 1)))
    assert known is not None
    assert (known.state, known.job) == (State.COMPLETED, "7[].srv")
    assert [one.name for one in (run / files.logs("square.0")).glob("*.job")] == ["3.7[].srv.job"]
    assert "square.0[3] FAILED" in run.job_log("square.0", 3, "7[].srv").read_text()
