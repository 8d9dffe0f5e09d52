import subprocess
from pathlib import Path

from sciflow.engine import Engine
from sciflow.model.workflow import ExperimentalWorkflow
from sciflow.testing import Course, FakeCluster, MovableClock, Sight

DAY = 86_400.0


def test_days_of_a_run_that_tends_itself_are_over_at_once(
    fake_slurm: FakeCluster, virtual_clock: MovableClock, squares: ExperimentalWorkflow, tmp_path: Path
) -> None:
    """Functions say how long programs take and how they end; what failed is tried again while nobody is there."""
    seen: list[Sight] = []

    def program(sight: Sight) -> Course:
        seen.append(sight)
        is_bad = sight.array == "square.0" and sight.index == 2 and sight.attempt == 1
        return Course(DAY, error="RuntimeError: no licence" if is_bad else "", metrics={"y": 1})

    fake_slurm.setup(nodes=4)
    fake_slurm.pretend(program)
    began = virtual_clock()
    run = Engine(fake_slurm.profile, runs=tmp_path / "runs").submit(squares, autonomous=True)
    fake_slurm.run_until_idle()
    status = run.status()
    assert status.is_complete
    assert status.indices["square.0"][2].attempt == 2
    assert 3 * DAY < virtual_clock() - began < 4 * DAY
    assert seen[0].parameters == {"x": 1}


def test_so_are_those_of_other_jobs(fake_slurm: FakeCluster, tmp_path: Path) -> None:
    """By name and index: how long they run, how they end, what they print as an error."""
    fake_slurm.pretend(
        lambda sight: {
            1: Course(10 * DAY),
            2: Course(3600.0, error="ValueError: no convergence"),
            3: Course(3600.0, signal=11),
            4: Course(3600.0, memory=2 << 30),
            5: Course(60.0),
        }[sight.index]
    )
    script = tmp_path / "job.sh"
    script.write_text("#!/bin/bash\n#SBATCH --array=1-5\n#SBATCH --mem=1024M\n#SBATCH --time=24:00:00\nexit 9\n")
    subprocess.run(["sbatch", "job.sh"], cwd=tmp_path, check=True, capture_output=True)
    began = fake_slurm.clock()
    fake_slurm.advance(minutes=2)
    assert fake_slurm.job("job.sh").states[5] == "COMPLETED"
    fake_slurm.run_until_idle()
    job = fake_slurm.job("job.sh")
    assert job.states == {1: "TIMEOUT", 2: "FAILED", 3: "FAILED", 4: "OUT_OF_MEMORY", 5: "COMPLETED"}
    assert (job.codes[2], job.signals[3]) == (1, 11)
    assert (tmp_path / "slurm-101_2.out").read_text() == "ValueError: no convergence\n"
    assert DAY < fake_slurm.clock() - began < DAY + 60.0


def test_things_go_wrong_by_chance(tmp_path: Path) -> None:
    """And the same ones for the same seed."""
    (tmp_path / "job.sh").write_text("#!/bin/bash\n#SBATCH --array=0-99\n#SBATCH --output=/dev/null\n")
    seen = []
    for _ in range(2):
        cluster = FakeCluster("slurm", tmp_path)
        try:
            cluster.pretend(lambda sight: Course(3600.0))
            cluster.let_loose(seed=5, job_killed=0.2)
            subprocess.run([cluster.commands / "sbatch", "job.sh"], cwd=tmp_path, check=True, capture_output=True)
            cluster.run_until_idle()
            seen.append([index for index, state in cluster.job("*").states.items() if state == "FAILED"])
        finally:
            cluster.close()
    assert 2 < len(seen[0]) < 50
    assert seen[0] == seen[1]
