"""What records hold is what the page says that they hold, field by field."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import h5py
import pytest

from record_fields import Found, differences, found, listed, met

Run = Callable[..., "subprocess.CompletedProcess[str]"]

PROGRAMS = """
import datetime
import numpy
import pandas


def analyse(simulate, context):
    context.checkpoint(1)
    context.restore()
    context.log_metric("loss", 0.5, step=1)
    context.save_array("field", numpy.ones((2, 3)), unit="T")
    path = context.working_directory / "notes.txt"
    path.write_text("made here")
    context.save_artifact(path)
    return {
        "mean": simulate["m"] / 2,
        "label": "some text",
        "names": numpy.array(["a", "b"]),
        "table": pandas.DataFrame({"a": [1, 2], "b": [0.5, 1.5]}),
        "when": datetime.date(2025, 1, 1),
        "nested": {"a": [1, "b"]},
        "many": [1, 2, 3],
    }


def fails(simulate):
    raise ValueError("cannot log in: https://anna:hunter2@example.org failed")


def gather(fails):
    return {"n": len(fails)}
"""
WORKFLOW = """
name: everything
parameters: {x: [1, 2], flag: [true]}
tasks:
  - name: simulate
    command: >-
      echo M={{ x }} {{ flag }}; echo made > made.txt; echo token=abcdef123456 > log.txt;
      head -c 300 /dev/urandom > raw.bin; head -c 1000001 /dev/zero > large.bin
    inputs: [data]
    outputs: [made.txt]
    extract: {m: {stdout: 'M=(\\d+)', type: int, unit: "1"}}
    environment: {SOLVER_MODE: fast, SOLVER_TOKEN: hush}
    metadata:
      variables: [SOLVER_*, NOT_SET]
      commands: {limits: "ulimit -a; echo password=hunter2", fails: "exit 3"}
      files: [log.txt, raw.bin, large.bin, missing.txt]
  - {name: analyse, python: "programs:analyse", depends_on: [simulate]}
  - {name: fails, python: "programs:fails", depends_on: [simulate]}
  - {name: gather, python: "programs:gather", depends_on: [fails], over: all, missing: skip}
"""
# What is said of records under *when* and is not so of these: they run here, with no GPU, and to their end.
ELSEWHERE = {
    *("on Slurm", "requeued by Slurm", "Slurm has accounts", "on PBS", "memory was asked of Slurm"),
    *("GPUs were asked of Slurm", "the job has a cgroup", "the job has a memory limit"),
    *("GPUs were sampled", "GPUs tell utilisation", "GPUs tell power", "`should_stop` said so"),
    *("it found a checkpoint", "it was started under another name", "a file changed while it ran"),
}


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the directory of a run of all kinds of tasks, from a repository with a change and a password."""
    folder = tmp_path_factory.mktemp("everything")
    (folder / "programs.py").write_text(PROGRAMS)
    (folder / "workflow.yaml").write_text(WORKFLOW)
    (folder / "data").mkdir()
    (folder / "data" / "a").write_text("1")
    (folder / "data" / "b").write_text("2")
    environment = {n: v for n, v in os.environ.items() if not n.startswith(("GIT_", "SLURM_", "PBS_", "CUDA_"))}
    environment["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"

    def call(*words: str, code: int = 0) -> None:
        done = subprocess.run(words, cwd=folder, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == code, done.stdout + done.stderr

    identity = ["-c", "user.name=n", "-c", "user.email=e", "-c", "init.defaultBranch=main"]
    call("git", "init")
    call("git", "remote", "add", "origin", "https://anna:hunter2@example.org/study.git")
    call("git", "add", ".")
    call("git", *identity, "commit", "-m", "first")
    (folder / "programs.py").write_text(PROGRAMS + "\n# changed; password=hunter2\n")
    call(sys.executable, "-m", "sciflow", "run", "workflow.yaml", code=3)
    return (folder / "sciflow-runs" / "latest").resolve()


def records(run: Path) -> list[Path]:
    """Return all records of a run."""
    return sorted(run.glob("records/*/*/*.h5"))


def test_every_record_holds_what_is_listed_and_nothing_else(run: Path) -> None:
    """Fields that are always there are in each of seven records, and each field of a record is on the page."""
    fields = listed("Record")
    assert len(records(run)) == 7
    assert [wrong for path in records(run) for wrong in differences(fields, found(path))] == []


def test_all_that_can_be_here_is_in_some_record(run: Path) -> None:
    """Each listed field was seen, but for those of schedulers, GPUs and programs that are stopped."""
    fields = listed("Record")
    seen = {field for path in records(run) for field in met(fields, found(path))}
    assert {field.when for field in set(fields) - seen} == ELSEWHERE


def test_every_environment_holds_what_is_listed_and_nothing_else(run: Path) -> None:
    """The task that asks for commands has a capture of its own, which says what they printed."""
    fields, paths = listed("Environment"), sorted(run.glob("environments/*.h5"))
    assert len(paths) == 2
    here = ["in a repository", "changed since the commit"]
    assert [wrong for path in paths for wrong in differences(fields, found(path), here)] == []
    [asked] = [path for path in paths if "commands" in h5py.File(path)]
    assert differences(fields, found(asked), ["it was run", "it ended", "something is installed"]) == []


def test_no_secret_comes_through(run: Path) -> None:
    """Not in an error message, a traceback, a variable, a kept file, a command's output, the remote or the changes."""
    paths = [*records(run), *run.glob("environments/*.h5"), run / "manifest.json", run / "code/working-tree.diff"]
    assert len(paths) == 11
    for path in paths:
        assert not [one for one in (b"hunter2", b"abcdef123456", b"hush") if one in path.read_bytes()], path
    with h5py.File(run / "records/fails.0/0000/0.1.h5") as file:
        assert file.attrs["error"] == "cannot log in: https://anna:[redacted]@example.org failed"
        assert "[redacted]" in str(file.attrs["traceback"])


def test_a_page_that_says_too_much_or_too_little_is_found_out() -> None:
    """A field that is not listed, one that is not there, and a type that is another are differences."""
    fields = listed("Record")
    things = [Found("/artifacts", "0", "group"), Found("/artifacts/0", "name", "integer")]
    wrong = differences([field for field in fields if field.group.startswith("/artifacts")], things)
    assert "`name` of `/artifacts/0`, a integer, is not listed" in wrong
    assert "`name` of `/artifacts/0` is not there" in wrong
    assert "`sha256` of `/artifacts/0` is not there" in wrong
    assert differences(fields, found_nothing := [], ["on Mars"])[0] == "no field is there when ['on Mars']"
    assert not found_nothing
