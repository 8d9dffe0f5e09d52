"""One file for each distinct environment."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import h5py
import pytest

import sciflow_shim
from sciflow_shim.environment_record import code_revision
from sciflow_shim.record_reader import read_record, verify_seal

SOURCE = str(Path(sciflow_shim.__file__).parents[1])
CAPTURE = """
import os, sys
from sciflow_shim.fingerprint import ensure_captured
mark, pid = ensure_captured(sys.argv[1])
if pid: os.waitpid(pid, 0)
print(mark, bool(pid))
"""


def capture(run: Path, **variables: str) -> tuple[str, bool]:
    """Capture in a process of its own: the mark, and whether there was anything to do."""
    found = subprocess.run(
        [sys.executable, "-c", CAPTURE, str(run)],
        env={**os.environ, "PYTHONPATH": SOURCE, **variables},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    mark, done = found.stdout.split()
    return mark, done == "True"


def test_an_environment_is_captured_once(tmp_path: Path) -> None:
    """The second one finds the file of the first; another environment gets another file."""
    mark, first = capture(tmp_path)
    assert (capture(tmp_path), first) == ((mark, False), True)
    other, _ = capture(tmp_path, LOADEDMODULES="gcc/12")
    assert other != mark
    assert {one.name for one in (tmp_path / "environments").iterdir()} == {f"{mark}.h5", f"{other}.h5"}


def test_what_was_captured_can_be_read(tmp_path: Path) -> None:
    """It is a sealed record: system, Python, distributions, modules; nothing secret."""
    mark, _ = capture(tmp_path, LOADEDMODULES="gcc/12:fftw/3", MY_TOKEN="hunter2", OMP_PLACES="x" * 5_000)
    path = tmp_path / "environments" / f"{mark}.h5"
    assert verify_seal(path) == "sealed"
    members = read_record(path).members
    assert members["python"].attributes["version"] == ".".join(map(str, sys.version_info[:3]))
    assert "numpy" in members["distributions"].attributes
    assert b"hunter2" not in path.read_bytes()


@pytest.mark.parametrize("place", ["file", "nowhere"])
def test_a_capture_that_fails_says_so_and_harms_nothing(tmp_path: Path, place: str) -> None:
    """A run goes on without it."""
    run = tmp_path / "run"
    if place == "file":
        run.mkdir()
        (run / "environments").write_text("no folder")
    else:
        run.write_text("no folder")
    found = subprocess.run(
        [sys.executable, "-c", CAPTURE, str(run)],
        env={**os.environ, "PYTHONPATH": SOURCE},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert found.returncode == 0
    assert "sciflow_shim: the environment cannot be captured: " in found.stderr


ASK = """
import json, os, sys
from sciflow_shim.fingerprint import ensure_captured
mark, pid = ensure_captured(sys.argv[1], json.loads(sys.argv[2]))
if pid: os.waitpid(pid, 0)
print(mark, bool(pid))
"""


def ask(run: Path, commands: dict[str, str]) -> tuple[str, bool]:
    """Capture for a task that asks for commands."""
    found = subprocess.run(
        [sys.executable, "-c", ASK, str(run), json.dumps(commands)],
        env={**os.environ, "PYTHONPATH": SOURCE},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    mark, done = found.stdout.split()
    return mark, done == "True"


def test_tasks_that_ask_for_different_commands_get_theirs(tmp_path: Path) -> None:
    """Each once; what they print is kept without secrets, also a long text."""
    plain, _ = capture(tmp_path)
    first, _ = ask(tmp_path, {"one": "echo 1; echo token=hunter2"})
    second, _ = ask(tmp_path, {"one": "echo 2", "long": "seq 1000"})
    assert len({plain, first, second}) == 3
    assert ask(tmp_path, {"one": "echo 1; echo token=hunter2"}) == (first, False)
    assert ask(tmp_path, {}) == (plain, False)
    commands = read_record(tmp_path / "environments" / f"{first}.h5").members["commands"].members
    assert commands["one"].attributes == {
        "command": "echo 1; echo token=[redacted]",
        "output": "1\ntoken=[redacted]",
        "exit_code": 0,
    }
    with h5py.File(tmp_path / "environments" / f"{second}.h5") as file:
        told: Any = file["commands"]
        assert told["one"].attrs["output"] == "2"
        assert told["long/output"][()].splitlines()[-1] == b"1000"
    assert "commands" not in read_record(tmp_path / "environments" / f"{plain}.h5").members


def test_the_code_of_the_run_is_told(tmp_path: Path) -> None:
    """Revision and whether it was changed; lists of files stay in the manifest."""
    code = {"commit": "ab12", "branch": "main", "remote": "", "dirty": True, "changed": ["a"], "more_changed": 7}
    (tmp_path / "manifest.json").write_text(json.dumps({"format": 1, "code": code}))
    mark, _ = capture(tmp_path)
    told = read_record(tmp_path / "environments" / f"{mark}.h5").members["code"].attributes
    assert told == {"commit": "ab12", "branch": "main", "remote": "", "dirty": True}


@pytest.mark.parametrize("manifest", [None, "{", "{}", "[]", '{"format": 99, "code": {}}'])
def test_a_manifest_that_says_nothing_does_no_harm(tmp_path: Path, manifest: str | None) -> None:
    """The environment is captured without the code."""
    if manifest is not None:
        (tmp_path / "manifest.json").write_text(manifest)
    assert code_revision(str(tmp_path)) == {}
