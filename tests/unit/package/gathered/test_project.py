"""The project that a run has kept is laid out in its package, without what packages have of their own."""

from __future__ import annotations

import json
import stat
import zipfile
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from sciflow.errors import PackageError
from sciflow.package import layout
from sciflow.package.contents import Contents
from sciflow.package.gathered.project import Project, gather_project
from sciflow.package.packaged_run import PackagedRun
from sciflow.store.layout import PROJECT, PROJECT_FACTS, RunDirectory

_FACTS = {"import_path": ["outside/1-lib", "lib"], "moved": {"/lib/a.py": "outside/1-lib/a.py"}, "left_out": []}


def _gathered(folder: Path, names: dict[str, int], facts: dict[str, Any] | None = None) -> tuple[Project, Contents]:
    path = folder / PROJECT
    path.parent.mkdir(parents=True)
    with zipfile.ZipFile(path, "w") as archive:
        for name, mode in names.items():
            info = zipfile.ZipInfo(name)
            info.external_attr = (stat.S_IFREG | mode) << 16
            archive.writestr(info, name)
        archive.writestr(PROJECT_FACTS, json.dumps(facts or _FACTS))
    contents = Contents()
    return gather_project(_packaged(folder), contents), contents


def _packaged(folder: Path) -> PackagedRun:
    return cast("PackagedRun", SimpleNamespace(run=RunDirectory(folder)))


def test_files_lie_as_they_did_and_modules_are_found(tmp_path: Path) -> None:
    """Every file has its place below `project`, programs can be started, and the import path is in order."""
    project, contents = _gathered(tmp_path, {"a.py": 0o644, "bin/go": 0o755, "outside/1-lib/a.py": 0o644})
    assert {path: one.is_program for path, one in contents.entries.items()} == {
        "project/a.py": False,
        "project/bin/go": True,
        "project/outside/1-lib/a.py": False,
    }
    assert project.import_path == ("project", "project/outside/1-lib", "project/lib")
    assert project.moved == _FACTS["moved"]


def test_what_a_package_makes_anew_is_not_taken_from_the_project(tmp_path: Path) -> None:
    """The workflow and the functions of an earlier package give way, however they are written, and it is told."""
    own = ("packaged-workflow.yaml", "Packaged_Functions.py", "stored_functions/f.pickle")
    _, contents = _gathered(tmp_path, dict.fromkeys((*own, "a.py"), 0o644))
    assert list(contents.entries) == ["project/a.py"]
    assert len(contents.warnings) == len(own)
    contents.add(layout.WORKFLOW, b"")
    contents.add(layout.FUNCTIONS, b"")


def test_names_that_a_package_cannot_have_are_left_out(tmp_path: Path) -> None:
    """A name that leads out, and one that differs by case alone, is told with the reason."""
    left = {"path": "big.bin", "original": "/x/big.bin", "why": "larger than 5 MB", "size": 9, "sha256": "ab"}
    _, contents = _gathered(tmp_path, dict.fromkeys(("../b", "a.py", "A.py"), 0o644), {**_FACTS, "left_out": [left]})
    assert list(contents.entries) == ["project/a.py"]
    assert {one.path for one in contents.left_out} == {"project/../b", "project/A.py", "project/big.bin"}


def test_a_run_of_an_early_version_is_told_to_have_kept_no_code(tmp_path: Path) -> None:
    """Without the archive there is no project, and the package says why."""
    contents = Contents()
    project = gather_project(_packaged(tmp_path), contents)
    assert not project.is_whole
    assert "kept no code" in contents.warnings[0]


def test_a_damaged_archive_is_refused(tmp_path: Path) -> None:
    """What cannot be read is named."""
    (tmp_path / PROJECT).parent.mkdir(parents=True)
    (tmp_path / PROJECT).write_bytes(b"PK")
    with pytest.raises(PackageError, match=r"project\.zip` cannot be read"):
        gather_project(_packaged(tmp_path), Contents())
