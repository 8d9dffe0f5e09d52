"""What a record says of the files and records that an attempt was given."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from sciflow_shim.inputs import changed_files, inputs_group
from sciflow_shim.record_shelf import MEMBERS

if TYPE_CHECKING:
    from shim.conftest import Prepare, PreparedRun, Serve

TASK = {"name": "work", "command": "true", "inputs": ["data"]}


def described(run: PreparedRun) -> dict[str, dict[str, Any]]:
    """Give path → what is said of each input file, as things are now."""
    array = run.array()
    members = inputs_group(array, {}, changed_files(array.task)).members.values()
    return {one.attributes["path"]: one.attributes for one in members}


def prepared(prepare: Prepare, folder: Path, count: int = 2) -> PreparedRun:
    """Compile a task with some input files."""
    (folder / "data").mkdir()
    for number in range(count):
        (folder / "data" / f"{number:02}").write_text(f"content {number}")
    return prepare("", TASK)


def test_inputs_are_told_by_what_was_read_when_the_run_was_made(prepare: Prepare, tmp_path: Path) -> None:
    """Path, size and digest, and that they are still the same; the record has them."""
    run = prepared(prepare, tmp_path)
    assert run.execute().returncode == 0
    group = run.record().members["inputs"]
    assert (group.attributes["count"], group.attributes["size"]) == (2, 18)
    assert group.attributes["upstream"] == "{}"
    assert group.members["1"].attributes == {
        "path": "data/01",
        "size": 9,
        "sha256": hashlib.sha256(b"content 1").hexdigest(),
        "is_unchanged": True,
    }


def test_a_file_that_is_no_longer_the_same_is_told(prepare: Prepare, tmp_path: Path) -> None:
    """By its size, by what stands in it, or because it is gone; one that was only touched is the same."""
    run = prepared(prepare, tmp_path, 5)
    data = tmp_path / "data"
    before = (data / "01").stat()
    os.utime(data / "00", ns=(1, 1))
    (data / "01").write_text("longer than it was")
    os.utime(data / "01", ns=(before.st_atime_ns, before.st_mtime_ns))
    (data / "02").unlink()
    (data / "03").write_text("content 4")
    (data / "04").chmod(0)
    assert {path: one["is_unchanged"] for path, one in described(run).items()} == {
        "data/00": True,
        "data/01": False,
        "data/02": False,
        "data/03": False,
        "data/04": True,
    }


@pytest.mark.parametrize("is_packed", [False, True])
def test_a_program_that_has_changed_is_not_run(prepare: Prepare, tmp_path: Path, is_packed: bool) -> None:
    """It fails at once, with the name of the file and the way out; put back, with another time, it runs."""
    script = tmp_path / "program.sh"
    script.write_text("echo y=1\n")
    more = {"resources": {"combinations_per_index": 2}} if is_packed else {}
    task = {"name": "work", "command": "bash {{ workflow_dir }}/program.sh {{ x }}", **more}
    run = prepare("", task, parameters={"x": [1, 2]}, profile="generic-slurm" if is_packed else "local")
    script.write_text("echo y=2\n")
    assert run.execute().returncode == 1
    group = run.record().members[MEMBERS].members["0"] if is_packed else run.record()
    facts = group.attributes
    assert (facts["state"], facts["error_type"]) == ("FAILED", "FileChanged")
    assert facts["error"].startswith("`program.sh` has changed since the run was planned; put it back as it was, or ")
    assert f"`sciflow submit` again (`{script}`)" in facts["error"]
    assert "y=" not in run.log()
    script.write_text("echo y=1\n")
    assert run.execute().returncode == 0
    assert run.log(attempt=2).startswith("y=1\n")


def test_inputs_of_a_function_are_looked_at_too(prepare: Prepare, tmp_path: Path, serve: Serve) -> None:
    """What a function declares is part of what its results depend on, whoever starts it."""
    (tmp_path / "data.txt").write_text("1")
    run = prepare("def work(): return 1", {"name": "work", "python": "work", "inputs": ["data.txt"]})
    (tmp_path / "data.txt").write_text("2")
    [ended] = serve(run).run_to_end(0)
    assert (ended["state"], ended["error"][:23]) == ("FAILED", "FileChanged: `data.txt`")


def test_a_file_that_changes_while_it_runs_is_noted(prepare: Prepare, tmp_path: Path) -> None:
    """What came out then is of nobody knows which of the two."""
    (tmp_path / "data.txt").write_text("1")
    task = {"name": "work", "command": "echo 2 > {{ workflow_dir }}/data.txt", "inputs": ["data.txt"]}
    run = prepare("", task)
    assert run.execute().returncode == 0
    assert run.facts()["state"] == "COMPLETED"
    assert run.facts()["note_changed"] == "data.txt"
    assert not run.record().members["inputs"].members["0"].attributes["is_unchanged"]


def test_thousands_of_inputs_are_one_digest(prepare: Prepare, tmp_path: Path) -> None:
    """Each record stays small, and nothing is looked at on the node."""
    run = prepared(prepare, tmp_path, 500)
    group = inputs_group(run.array(), {}, {})
    assert (group.attributes["count"], group.members) == (500, {})
    manifest = json.loads((run.path / "manifest.json").read_text())
    assert len(manifest["tasks"]["work"]["inputs"]) == 500
    assert (run.path / "code" / "work.json").stat().st_size < 2_000


def test_earlier_records_are_told(prepare: Prepare) -> None:
    """Which attempts of which indices a task was given."""
    program = "def work(x): return x\ndef join(work): return 1"
    join = {"name": "join", "python": "join", "depends_on": ["work"], "over": "all"}
    run = prepare(program, {"name": "work", "python": "work"}, join, parameters={"x": [1, 2, 3]})
    for index in range(3):
        assert run.execute(index=index).returncode == 0
    assert run.execute("join").returncode == 0
    upstream = run.record("join").members["inputs"].attributes["upstream"]
    assert json.loads(upstream) == {"work": [["work.0", "0-2", 1]]}


def test_a_run_of_an_earlier_sciflow_has_none(prepare: Prepare) -> None:
    """Its task files say nothing of inputs."""
    run = prepare("def work(): pass")
    array = run.array()
    del array.task["inputs"], array.task["metadata"]
    assert changed_files(array.task) == {}
    assert inputs_group(array, {}, {}).attributes == {"count": 0, "size": 0, "sha256": "", "upstream": "{}"}
    assert (array.metadata, array.commands) == ({}, {})
