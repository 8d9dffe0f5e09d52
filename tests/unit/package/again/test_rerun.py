"""A workflow is run by another Python, as a program of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from sciflow.errors import PackageError
from sciflow.package.again import rerun as module
from sciflow.package.again.rerun import Program, clean_variables, rerun


def _program(tmp_path: Path, script: str, **more: Any) -> Program:
    """A program whose Python is a script that does as it is told."""
    python = tmp_path / "python"
    python.write_text(f"#!/bin/sh\n{script}\n")
    python.chmod(0o755)
    facts = {"profile": "local", "has_queue": False, "variables": {"PATH": os.defpath}, **more}
    return Program(python, tmp_path / "workflow.yaml", tmp_path, **facts)


def test_variables_are_clean_and_numbers_come_out_as_recorded(tmp_path: Path) -> None:
    """What a machine and its user need stays; what changes numbers is as recorded; everything else is gone."""
    own = {
        "PATH": "/usr/bin",
        "HOME": "/home/me",
        "SLURM_CONF": "/etc/slurm.conf",
        "PYTHONPATH": "/home/me/other",
        "OMP_NUM_THREADS": "16",
        "MY_MODEL_SIZE": "large",
        "VIRTUAL_ENV": "/home/me/venv",
        "SCIFLOW_RUNS": "/scratch",
    }
    recorded = {"OMP_NUM_THREADS": "4", "MKL_CBWR": "COMPATIBLE", "PATH": "/cluster/bin", "LANG": "[redacted]"}
    found = clean_variables(own, recorded, tmp_path / "bin" / "python", [tmp_path / "project", tmp_path / "sub"])
    assert found == {
        "PATH": f"{tmp_path}/bin:/usr/bin",
        "HOME": "/home/me",
        "SLURM_CONF": "/etc/slurm.conf",
        "OMP_NUM_THREADS": "4",
        "MKL_CBWR": "COMPATIBLE",
        "PYTHONPATH": f"{tmp_path}/project:{tmp_path}/sub",
    }


def test_modules_of_the_project_are_not_taken_for_those_of_sciflow(tmp_path: Path) -> None:
    """A `click.py` beside the workflow, which breaks nothing when it is run, breaks nothing when it is run again."""
    for name in ("click.py", "yaml.py", "json.py"):
        (tmp_path / name).write_text("raise RuntimeError('the project was taken for a library')")
    program = _program(tmp_path, "")
    command = [sys.executable, *program.command[1:3], "--version"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("sciflow")


def test_a_profile_with_a_queue_is_submitted_and_waited_for(tmp_path: Path) -> None:
    """Here the workflow is run; with a queue it is submitted, waited for, and nobody is asked."""
    here = _program(tmp_path, "").command
    assert here[1] == "-c"
    assert here[3:] == ["--runs", f"{tmp_path}/runs", "run", here[-4], "--profile", "local", "--json"]
    there = _program(tmp_path, "", profile="big", has_queue=True).command
    assert there[5:8] == ["submit", "--wait", "--yes"]
    assert there[-3:] == ["--profile", "big", "--json"]


@pytest.mark.parametrize(
    ("script", "why"),
    [
        (
            """echo '{"error": "there is no module `model`", "hint": "write one"}'; exit 1""",
            "there is no module `model`",
        ),
        ("echo Killed by somebody >&2; exit 137", "the program ended with exit code 137: Killed by somebody"),
        ("kill -KILL $$", "the program ended with signal 9: it has said nothing"),
    ],
)
def test_a_program_that_makes_no_run_says_why(tmp_path: Path, script: str, why: str) -> None:
    """Its own error is told, or the last line that it printed with how it ended."""
    ran = rerun(_program(tmp_path, script))
    assert ran.run is None
    assert why in ran.why


def test_the_run_that_was_made_is_found(tmp_path: Path) -> None:
    """The program tells where its run is; one that is not finished yet is told as such."""
    answer = json.dumps({"path": str(tmp_path)})
    ran = rerun(_program(tmp_path, f"echo '{answer}'; echo and a word >&2; exit 3"))
    assert ran.run is not None
    assert (ran.run.path, ran.why) == (tmp_path, "")
    assert (tmp_path / "run.log").read_text() == "and a word\n"
    assert "not finished yet" in rerun(_program(tmp_path, f"echo '{answer}'; exit 4")).why


def test_an_interrupt_reaches_the_program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who is interrupted lets the program end what it has started, and waits for that."""
    os.mkfifo(tmp_path / "ready")
    script = (
        f"trap 'echo ended > {tmp_path}/ended; exit 130' TERM; echo > {tmp_path}/ready; while :; do sleep 0.01; done"
    )
    processes: list[subprocess.Popen[bytes]] = []

    def interrupted(process: subprocess.Popen[bytes], *_: Any) -> int:
        processes.append(process)
        (tmp_path / "ready").read_text()
        raise KeyboardInterrupt

    monkeypatch.setattr(module, "_end_of", interrupted)
    with pytest.raises(KeyboardInterrupt):
        rerun(_program(tmp_path, script))
    assert (tmp_path / "ended").read_text() == "ended\n"
    assert processes[0].returncode == 130


def test_a_python_that_is_not_there_is_named(tmp_path: Path) -> None:
    """Where the Python cannot be started, it is named."""
    program = Program(tmp_path / "none", tmp_path / "workflow.yaml", tmp_path, "local", False, {})
    with pytest.raises(PackageError, match="none` cannot be started: No such file"):
        rerun(program)
