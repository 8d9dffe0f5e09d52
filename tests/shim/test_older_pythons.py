"""The staged shim runs, from start to sealed record, on every Python of a node that can be found here.

Looked for are `python3.9` to `python3.14` on PATH, then the interpreters that the environment variable
`SCIFLOW_PYTHONS` lists, separated by colons.
"""

from __future__ import annotations

import functools
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import h5py
import pytest

from sciflow_shim import files
from sciflow_shim.record_reader import read_record, verify_seal

if TYPE_CHECKING:
    from shim.conftest import Prepare, PreparedRun

VERSIONS = [(3, minor) for minor in range(9, 15)]
PROGRAM = """
def work(x, context):
    context.log_metric("steps", x, step=1)
    return {"y": x * 0.5, "curve": [1.0, 2.0], "text": "ü"}


def fail(work):
    raise ValueError("on purpose")
"""
TASKS = (
    {
        "name": "work",
        "python": "work",
        "results": {"y": {"type": "float"}, "curve": {"type": "array", "shape": [2], "finite": True}},
        "success": "y >= 0",
    },
    {
        "name": "print",
        "command": "echo Y={{ inputs.work.y }} > out.txt",
        "depends_on": ["work"],
        "outputs": ["out.txt"],
        "extract": {"z": {"log": "out.txt", "pattern": r"Y=(\S+)"}},
        "results": {"z": {"type": "float"}},
    },
    {"name": "fail", "python": "fail", "depends_on": ["work"]},
)


@functools.cache
def found() -> dict[tuple[int, ...], str]:
    """Version → an interpreter of it that starts; those of PATH come first."""
    names = [shutil.which(f"python{major}.{minor}") or "" for major, minor in VERSIONS]
    names += os.environ.get("SCIFLOW_PYTHONS", "").split(os.pathsep)
    interpreters: dict[tuple[int, ...], str] = {sys.version_info[:2]: sys.executable}
    for name in filter(None, names):
        # What is called so may be a switch that starts nothing.
        question = [name, "-c", "import sys; print(*sys.version_info[:2])"]
        try:
            answer = subprocess.run(question, capture_output=True, text=True, timeout=60, check=True).stdout.split()
        except (OSError, subprocess.CalledProcessError):
            continue
        interpreters.setdefault(tuple(map(int, answer)), name)
    return interpreters


def run_staged(run: PreparedRun, interpreter: str, task: str) -> subprocess.CompletedProcess[str]:
    """Run index 0 of a task with the shim of the run directory, and nothing else to import; warnings are errors."""
    environment = {**run.environment, "PYTHONPATH": str(run.path / files.SHIM)}
    command = [interpreter, "-S", "-W", "error", "-m", "sciflow_shim", str(run.path), f"{task}.0", "0"]
    return subprocess.run(
        command, env=environment, cwd=run.path.parent, capture_output=True, text=True, timeout=120, check=False
    )


@pytest.mark.parametrize("version", VERSIONS, ids=lambda version: ".".join(map(str, version)))
def test_the_staged_shim_runs_on(prepare: Prepare, version: tuple[int, int]) -> None:
    """A function, a command that reads its result and one that fails leave sealed records, the environment too."""
    if version not in found():
        pytest.skip(f"no Python {version[0]}.{version[1]} was found here")
    run = prepare(PROGRAM, *TASKS, parameters={"x": [3]})
    (run.path / files.ENVIRONMENTS).unlink()
    for task, code in (("work", 0), ("print", 0), ("fail", 1)):
        done = run_staged(run, found()[version], task)
        assert done.returncode == code, done.stderr
        assert ("on purpose" in done.stderr) == bool(code)
    states = [run.facts(task)["state"] for task in ("work", "print", "fail")]
    assert states == ["COMPLETED", "COMPLETED", "FAILED"]
    assert run.results("work") == {"y": 1.5, "curve": [1.0, 2.0], "text": "ü", "steps": 3}
    assert run.record("print")["metrics"].attributes == {"z": 1.5}
    assert run.facts("fail")["error_type"] == "ValueError"
    (environment,) = (run.path / files.ENVIRONMENTS).glob("*.h5")
    assert verify_seal(environment) == "sealed"
    assert any(str(value).startswith(".".join(map(str, version))) for value in everything(environment))
    for path in [environment, *run.path.glob(f"{files.RECORDS}/**/*.h5")]:
        with h5py.File(path) as file:
            file.visititems(lambda _, one: dict(one.attrs))


def everything(path: Path) -> list[object]:
    """All attributes of all groups of a record."""
    values: list[object] = []
    groups = [read_record(path)]
    while groups:
        group = groups.pop()
        values += group.attributes.values()
        groups += [one for one in group.members.values() if hasattr(one, "members")]
    return values
