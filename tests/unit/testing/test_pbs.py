"""The same words for a PBS."""

import subprocess
from pathlib import Path

import pytest

from sciflow.engine import Engine
from sciflow.model.workflow import ExperimentalWorkflow
from sciflow.testing import Course, FakeCluster, MovableClock
from sciflow.testing.failures import How

ARRAY = "#!/bin/bash\n#PBS -J 1-3\n#PBS -l walltime=00:10:00\n#PBS -j oe\n#PBS -o out.^array_index^\n"


@pytest.fixture
def lab(tmp_path: Path) -> Path:
    """Return a folder with a job script."""
    (tmp_path / "array.sh").write_text(
        f"{ARRAY}cd $PBS_O_WORKDIR; sleep 0.1; echo $PBS_ARRAY_INDEX > value.$PBS_ARRAY_INDEX\n"
    )
    return tmp_path


@pytest.mark.parametrize(
    ("how", "state"),
    [("killed", "FAILED"), ("error", "FAILED"), ("time limit", "TIMEOUT"), ("node", "COMPLETED")],
)
def test_scripts_of_a_lab(fake_pbs: FakeCluster, lab: Path, how: How, state: str) -> None:
    """They wait, run, fail as was said, and leave what they leave."""
    fake_pbs.fail("array.sh", 2, how=how)
    done = subprocess.run(["qsub", "array.sh"], cwd=lab, check=True, capture_output=True, text=True)
    assert fake_pbs.job("array*").id == done.stdout.strip()
    assert fake_pbs.job("array*").state == "PENDING"
    fake_pbs.run_until_idle()
    assert fake_pbs.job("array*").states[2] == state
    assert (lab / "value.1").read_text() == "1\n"


def test_a_run_of_sciflow_really_runs(
    fake_pbs: FakeCluster, virtual_clock: MovableClock, squares: ExperimentalWorkflow, tmp_path: Path
) -> None:
    """Through the adapter of PBS and its commands, in virtual time."""
    fake_pbs.fail("square*", 1, how="node")
    run = Engine(fake_pbs.profile, runs=tmp_path / "runs").submit(squares)
    assert run.wait().is_complete
    assert run.collect().to_dataframe()["sum"].tolist() == [30] * 4


def test_days_of_a_run_that_tends_itself(
    fake_pbs: FakeCluster, virtual_clock: MovableClock, squares: ExperimentalWorkflow, tmp_path: Path
) -> None:
    """What failed is tried again while nobody is there."""
    fake_pbs.pretend(
        lambda sight: Course(
            86_400.0,
            error="RuntimeError: no licence" if (sight.index, sight.attempt) == (2, 1) else "",
            metrics={"y": 1},
        )
    )
    run = Engine(fake_pbs.profile, runs=tmp_path / "runs").submit(squares, autonomous=True)
    fake_pbs.run_until_idle()
    assert run.status().is_complete
    assert run.status().indices["square.0"][2].attempt == 2
