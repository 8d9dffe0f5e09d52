from pathlib import Path

import pytest

from sciflow.schedulers.fake.__main__ import main


def test_a_command_runs_where_a_scheduler_seems_to_be(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """Its exit code is passed on; what it has submitted comes to its end, and is listed."""
    monkeypatch.chdir(tmp_path)
    Path("job.sh").write_text(
        "#!/bin/bash\n#SBATCH --array=0-2\n#SBATCH --output=%a.txt\n(( SLURM_ARRAY_TASK_ID < 2 ))\n"
    )
    assert main(["--nodes", "1", "--cores", "1", "slurm", "bash", "-c", "sbatch job.sh; exit 5"]) == 5
    said = capfd.readouterr()
    assert said.out == "Submitted batch job 101\n"
    assert said.err == "101 job.sh: 2 COMPLETED\n101 job.sh: 1 FAILED\n"
    assert sorted(path.name for path in Path().iterdir()) == ["0.txt", "1.txt", "2.txt", "job.sh"]


def test_without_a_command_it_is_a_shell(monkeypatch: pytest.MonkeyPatch) -> None:
    """That of who starts it."""
    monkeypatch.setenv("SHELL", "false")
    assert main(["slurm"]) == 1
