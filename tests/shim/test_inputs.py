"""What a record says of the files and records that an attempt was given."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sciflow_shim.inputs import inputs_group

if TYPE_CHECKING:
    from shim.conftest import Prepare, PreparedRun

TASK = {"name": "work", "command": "true", "inputs": ["data"]}


def described(run: PreparedRun) -> dict[str, dict[str, Any]]:
    """Give path → what is said of each input file, as things are now."""
    members = inputs_group(run.array(), {}).members.values()
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
    """By another time, another size, or because it is gone; nothing is read for that."""
    run = prepared(prepare, tmp_path, 4)
    data = tmp_path / "data"
    before = (data / "01").stat()
    os.utime(data / "00", ns=(1, 1))
    (data / "01").write_text("longer than it was")
    os.utime(data / "01", ns=(before.st_atime_ns, before.st_mtime_ns))
    (data / "02").unlink()
    (data / "03").chmod(0)
    assert {path: one["is_unchanged"] for path, one in described(run).items()} == {
        "data/00": False,
        "data/01": False,
        "data/02": False,
        "data/03": True,
    }


def test_thousands_of_inputs_are_one_digest(prepare: Prepare, tmp_path: Path) -> None:
    """Each record stays small, and nothing is looked at on the node."""
    run = prepared(prepare, tmp_path, 500)
    group = inputs_group(run.array(), {})
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
    assert inputs_group(array, {}).attributes == {"count": 0, "size": 0, "sha256": "", "upstream": "{}"}
    assert (array.metadata, array.commands) == ({}, {})
