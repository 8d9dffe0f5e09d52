"""The folder in which a package is run again."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import pytest

from sciflow.errors import DamagedError, PackageError
from sciflow.package.again.workplace import Missing, Workplace, tasks_without, without_tasks


@pytest.fixture
def payload(tmp_path: Path) -> Path:
    """Return the payload of a package with a small project, that nobody may change."""
    folder = tmp_path / "data"
    (folder / "project" / "sub").mkdir(parents=True)
    (folder / "project" / "model.py").write_text("x = 1\n")
    (folder / "project" / "sub" / "run.sh").write_text("true\n")
    (folder / "project" / "sub" / "run.sh").chmod(0o555)
    (folder / "project" / "sub").chmod(0o555)
    return folder


def _left_out(original: Path, **more: Any) -> dict[str, Any]:
    data = original.read_bytes() if original.is_file() else b""
    facts = {"size": len(data), "sha256": hashlib.sha256(data).hexdigest(), "where": "", "why": "too large"}
    return {"path": "project/big.dat", "original": str(original), **facts, **more}


def test_the_project_is_laid_out_to_be_written_in(payload: Path, tmp_path: Path) -> None:
    """All files are there, programs may be run, and what was read-only in the package is not any more."""
    place = Workplace(tmp_path / "again", "aa")
    place.check()
    place.prepare(payload)
    assert (place.project / "model.py").read_text() == "x = 1\n"
    assert (place.project / "sub" / "run.sh").stat().st_mode & 0o777 == 0o755
    (place.project / "sub" / "output").write_text("")
    assert not list(place.folder.glob("*.partial"))


def test_the_same_package_goes_on_in_its_folder(payload: Path, tmp_path: Path) -> None:
    """A folder that was laid out for the same package is taken as it is: what was run there stays."""
    Workplace(tmp_path / "again", "aa").prepare(payload)
    (tmp_path / "again" / "project" / "made").write_text("by the run")
    place = Workplace(tmp_path / "again", "aa")
    place.check()
    place.prepare(payload)
    assert (place.project / "made").read_text() == "by the run"


def test_other_folders_are_refused_and_left_alone(payload: Path, tmp_path: Path) -> None:
    """A folder with anything in it, that of another package, and a file are refused by name."""
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "thesis.tex").write_text("")
    with pytest.raises(PackageError, match="full` is not empty"):
        Workplace(tmp_path / "full", "aa").check()
    assert [one.name for one in (tmp_path / "full").iterdir()] == ["thesis.tex"]
    Workplace(tmp_path / "other", "bb").prepare(payload)
    with pytest.raises(PackageError, match="holds what was made of another package"):
        Workplace(tmp_path / "other", "aa").check()
    with pytest.raises(PackageError, match="is no folder"):
        Workplace(tmp_path / "full" / "thesis.tex", "aa").check()


def test_an_input_that_was_left_out_is_taken_from_where_it_was(payload: Path, tmp_path: Path) -> None:
    """It is copied where it is still the same, by its checksum; and not again, where it is there already."""
    (tmp_path / "big.dat").write_bytes(b"1,2,3")
    place = Workplace(tmp_path / "again", "aa")
    place.prepare(payload)
    one = _left_out(tmp_path / "big.dat")
    assert list(place.fetch([one])) == []
    assert (place.project / "big.dat").read_bytes() == b"1,2,3"
    (tmp_path / "big.dat").unlink()
    assert list(place.fetch([one])) == []


@pytest.mark.parametrize("lacks", ["changed", "gone", "without a checksum"])
def test_an_input_that_cannot_be_had_is_told_with_where_it_can_be(payload: Path, tmp_path: Path, lacks: str) -> None:
    """One that has changed, is gone, or has no known checksum is not taken; why, and where it can be had, is told."""
    original = tmp_path / "big.dat"
    original.write_bytes(b"1,2,3")
    one = _left_out(original, where="https://example.org/big.dat")
    if lacks == "changed":
        original.write_bytes(b"1,2,4")
    elif lacks == "gone":
        original.unlink()
    else:
        one["sha256"] = ""
    place = Workplace(tmp_path / "again", "aa")
    place.prepare(payload)
    [missing] = place.fetch([one])
    words = {"changed": "has changed since", "gone": "is not there", "without a checksum": "noted the checksum"}
    assert words[lacks] in missing.why
    assert "https://example.org/big.dat" in missing.why
    assert not (place.project / "big.dat").exists()


def test_a_path_that_leads_out_is_refused(payload: Path, tmp_path: Path) -> None:
    """What `package.json` says of left-out files cannot make anything be written outside the folder."""
    (tmp_path / "big.dat").write_bytes(b"1,2,3")
    place = Workplace(tmp_path / "again", "aa")
    place.prepare(payload)
    with pytest.raises(DamagedError, match="leads out of the package"):
        list(place.fetch([_left_out(tmp_path / "big.dat", path="project/../../evil")]))
    assert not (tmp_path / "evil").exists()
    assert list(place.fetch([_left_out(tmp_path / "big.dat", path="run/logs/x")])) == []


def test_tasks_that_lack_a_file_are_left_out_with_those_that_need_them() -> None:
    """Without a file, the tasks that read it do not run, nor do those after them; the rest does."""
    tasks: dict[str, Any] = {
        "report": {"inputs": [], "depends_on": ["train"]},
        "train": {"inputs": ["big.dat"], "depends_on": []},
        "look": {"inputs": ["/data/other"], "depends_on": []},
    }
    manifest = {"directory": "/home/me/exp", "tasks": tasks}
    cut = tasks_without([Missing("/home/me/exp/big.dat", "gone")], manifest)
    assert cut == ["report", "train"]
    assert tasks_without([Missing("/data/other", "gone")], manifest) == ["look"]
    document = {"name": "w", "tasks": [{"name": name} for name in tasks]}
    assert without_tasks(document, cut) == {"name": "w", "tasks": [{"name": "look"}]}
