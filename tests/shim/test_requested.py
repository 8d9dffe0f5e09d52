"""What a task wants in its record besides: variables, and files that its program leaves."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import h5py
import pytest

from sciflow_shim import files, requested
from sciflow_shim.requested import requested_group

if TYPE_CHECKING:
    from shim.conftest import Prepare


def kept(work: Path, name: str) -> tuple[dict[str, Any], Any]:
    """Keep one file: what is said of it, and its content."""
    one = requested_group({"files": [name]}, {}, str(work)).members["files"].members["0"]
    return one.attributes, one.members["content"].data if one.members else None


def test_variables_are_those_that_are_named() -> None:
    """No others, however harmless; a value is redacted by its name or its shape."""
    environ = {"FFTW_A": "1", "FFTW_KEY": "hush", "MINE": "--token=hush", "PATH": "/bin", "FFT": "2"}
    group = requested_group({"variables": ["FFTW_*", "MINE", "NOT_SET"]}, environ, None)
    assert group.members["variables"].attributes == {
        "FFTW_A": "1",
        "FFTW_KEY": "[redacted]",
        "MINE": "--token=[redacted]",
    }
    assert "files" not in group.members


def test_files_are_kept_when_the_program_has_ended(tmp_path: Path) -> None:
    """While it runs, they are not there yet."""
    assert requested_group({"files": ["log"]}, {}, None).members == {}


def test_a_text_is_kept_without_its_secrets(tmp_path: Path) -> None:
    """Size and digest are those of the file as it was."""
    content = "début\npassword=hunter2\n".encode()
    (tmp_path / "log").write_bytes(content)
    facts, text = kept(tmp_path, "log")
    assert text == "début\npassword=[redacted]\n"
    assert facts == {
        "path": "log",
        "size": len(content),
        "sha256": hashlib.sha256(content).hexdigest(),
        "is_redacted": True,
    }


@pytest.mark.parametrize("content", [b"", b"a\0b", b"\xff\xfe\x00"])
def test_bytes_are_kept_as_they_are(tmp_path: Path, content: bytes) -> None:
    """An empty file is an empty text; what is no text is a dataset of bytes."""
    (tmp_path / "raw").write_bytes(content)
    facts, stored = kept(tmp_path, "raw")
    assert (facts["size"], facts["is_redacted"]) == (len(content), False)
    assert stored == (content or "")


def test_a_secret_among_bytes_keeps_the_file_out(tmp_path: Path) -> None:
    """Without it the rest could not be read by anything."""
    (tmp_path / "raw").write_bytes(b"\xff\0password=hunter2 \xff")
    facts, stored = kept(tmp_path, "raw")
    assert stored is None
    assert facts["problem"] == "it is no text, and holds what looks like a secret"
    assert (facts["size"], facts["is_redacted"]) == (20, True)


def test_a_large_file_is_told_by_size_and_digest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A record is no place for it."""
    monkeypatch.setattr(requested, "LARGEST", 3)
    (tmp_path / "large").write_bytes(b"abcd")
    facts, stored = kept(tmp_path, "large")
    assert stored is None
    assert (facts["size"], facts["sha256"]) == (4, hashlib.sha256(b"abcd").hexdigest())
    assert facts["problem"] == "it is larger than 3 bytes"
    (tmp_path / "large").write_bytes(b"abc")
    assert kept(tmp_path, "large")[1] == "abc"


@pytest.mark.parametrize(
    ("name", "problem"),
    [("none", "No such file or directory"), ("folder", "it is no file"), ("pipe", "it is no file")],
)
def test_what_cannot_be_kept_is_said(tmp_path: Path, name: str, problem: str) -> None:
    """A folder, a pipe that nobody writes to, and what is not there are no failures."""
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "pipe")
    assert kept(tmp_path, name) == ({"path": name, "problem": problem}, None)


def test_a_failed_program_leaves_its_files_too(prepare: Prepare) -> None:
    """That is when they are needed most; those of a function lie in its working directory."""
    program = """
def work(context):
    (context.working_directory / "trace.txt").write_text("step 17")
    raise ValueError("login with --password hunter2 failed")
"""
    task = {"name": "work", "python": "work", "metadata": {"files": ["trace.txt"], "variables": ["SCIFLOW_CPU_CORES"]}}
    run = prepare(program, task)
    assert run.execute().returncode == 1
    metadata = run.record().members["metadata"].members
    assert metadata["variables"].attributes == {"SCIFLOW_CPU_CORES": "1"}
    with h5py.File(run.path / files.record("work.0", 0, 1)) as file:
        content: Any = file["metadata/files/0/content"]
        assert content[()] == b"step 17"
    facts = run.facts()
    assert facts["error"] == "login with --password [redacted] failed"
    assert "hunter2" not in facts["traceback"]
