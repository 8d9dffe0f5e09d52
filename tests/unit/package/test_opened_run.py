"""A run is opened to be packaged, and nothing in its own folder changes."""

from __future__ import annotations

import errno
import json
from pathlib import Path

import pytest

from sciflow.errors import PackageError, RunError
from sciflow.package.opened_run import default_name, opened_run
from sciflow.store.layout import RunDirectory


def test_its_time_is_that_of_the_last_thing_that_happened(finished: Path) -> None:
    """What the journal or a record tells last counts, not when it is opened, and not when files were copied."""
    with (finished / "journal.jsonl").open("a") as file:
        file.write(
            json.dumps({"time": 4102444800.7, "event": "void", "array": "x", "index": 0, "attempt": 1, "reason": "x"})
            + "\n"
        )
    with opened_run(RunDirectory(finished), "late") as packaged:
        assert packaged.when.isoformat() == "2100-01-01T00:00:00+00:00"
    lines = (finished / "journal.jsonl").read_text().splitlines()
    (finished / "journal.jsonl").write_text("\n".join(lines[:-1]) + "\n")
    with opened_run(RunDirectory(finished), "now") as packaged:
        ends = [end for end in packaged.results.tables.attempts["end"] if end]
        assert 0 <= packaged.when.timestamp() - int(max(ends)) <= 60


def test_it_is_collected_elsewhere_and_that_is_gone_afterwards(finished: Path) -> None:
    """Results come from a temporary folder that only the block knows."""
    with opened_run(RunDirectory(finished), "x") as packaged:
        beside = packaged.results.run.path
        assert packaged.run.path == finished
        assert beside != finished
        assert packaged.results.completed == 3
    assert not beside.exists()


def test_its_default_name_can_be_that_of_a_folder(finished: Path) -> None:
    """It is made of the workflow's name and the run's id."""
    assert default_name(RunDirectory(finished)) == f"squares-{finished.name}"


def test_no_room_for_temporary_files_is_told_with_the_way_out(finished: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The disk that is full is that of TMPDIR, not that of the package."""

    def full(path: Path, _: bytes) -> None:
        raise OSError(errno.ENOSPC, "No space left on device", str(path))

    monkeypatch.setattr("sciflow.store.results.write_whole", full)
    with pytest.raises(PackageError, match="No space left") as refused, opened_run(RunDirectory(finished), "x"):
        pass
    assert "TMPDIR" in refused.value.hint


def test_a_damaged_run_is_an_error(finished: Path) -> None:
    """A manifest that cannot be read is named."""
    (finished / "manifest.json").write_text("{")
    with pytest.raises(RunError, match=r"manifest\.json"), opened_run(RunDirectory(finished), "x"):
        pass
