import os
import shutil
import signal
import subprocess
import sys
import tempfile
from contextlib import suppress
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


@pytest.mark.parametrize(
    ("command", "code", "said"),
    [
        (["nosuchcommand"], 127, "nosuchcommand: command not found\n"),
        (["./plain.sh"], 126, "./plain.sh: Permission denied\n"),
        (["bash", "-c", "kill -9 $$"], 137, ""),
        (["bash", "-c", "sleep 0.3; kill -INT $PPID; sleep 9"], 130, ""),  # not while it is still being started
        (["srun", "hostname"], 127, "srun: command not found: the fake cluster (slurm) has none"),
        (["qrsh"], 127, "qrsh: command not found: the fake cluster (slurm) has none"),
    ],
)
def test_it_ends_as_a_shell_does(
    command: list[str], code: int, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    """Where there is no such command, it cannot be run, or a signal has ended it; and that of no other cluster is."""
    monkeypatch.chdir(tmp_path)
    Path("plain.sh").write_text("echo it runs\n")
    assert main(["slurm", *command]) == code
    found = capfd.readouterr().err
    assert found.startswith(said) if said else not found


@pytest.mark.parametrize(
    ("option", "value", "hint"),
    [
        ("--nodes", "0", "0: give a whole number, 1 or more"),
        ("--cores", "-1", "-1: give a whole number, 1 or more"),
        ("--memory-gb", "nan", "nan: give a number, more than 0"),
        ("--memory-gb", "inf", "inf: give a number, more than 0"),
        ("--gpus", "1.5", "1.5: give a number"),
    ],
)
def test_values_that_make_no_sense_are_refused(
    option: str, value: str, hint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Before anything runs, and with a way out."""
    with pytest.raises(SystemExit) as raised:
        main([option, value, "slurm", "true"])
    assert raised.value.code == 2
    assert hint in capsys.readouterr().err


def test_help_is_given_where_one_looks_for_it(capsys: pytest.CaptureFixture[str]) -> None:
    """Behind the scheduler, too."""
    assert main(["pbs", "--help"]) == 0
    assert "--memory-gb" in capsys.readouterr().out


def test_what_is_told_to_end_leaves_nothing_behind(tmp_path: Path) -> None:
    """Neither its folder nor its command; and what is killed without a word is cleaned up by the next."""
    command = [sys.executable, "-m", "sciflow.schedulers.fake", "slurm", "bash", "-c", "touch ready; exec sleep 600"]
    folder = Path(tempfile.mkdtemp(prefix="t-", dir="/tmp"))
    variables = {**os.environ, "TMPDIR": str(folder)}
    try:
        for sign, code, left in ((signal.SIGKILL, -9, 1), (signal.SIGTERM, 143, 0)):
            one = subprocess.Popen(command, cwd=tmp_path, env=variables, start_new_session=True)
            try:
                while not (tmp_path / "ready").exists():
                    assert one.poll() is None
                (tmp_path / "ready").unlink()
                one.send_signal(sign)
                assert one.wait(60) == code
            finally:
                with suppress(ProcessLookupError):
                    os.killpg(one.pid, signal.SIGKILL)
            assert len(list(folder.glob("sciflow-*/socket"))) == left
    finally:
        shutil.rmtree(folder)


def test_only_the_scheduler_that_it_plays_is_found(tmp_path: Path) -> None:
    """A Slurm that is installed on this machine is not asked beside a PBS."""
    line = f"{Path(sys.executable).parent}/sciflow profile record ours --yes >/dev/null; ls ours; qstat --version"
    done = subprocess.run(
        [sys.executable, "-m", "sciflow.schedulers.fake", "pbs", "bash", "-c", line],
        cwd=tmp_path, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stdout.split("\n") == [
        *("pbsnodes.json", "qstat-queues.json", "qstat-server.json", "pbs_version = 23.06.06", "")
    ]
