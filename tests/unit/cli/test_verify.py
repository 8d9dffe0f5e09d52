"""`sciflow verify`."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from unit.cli.conftest import Command
from unit.package.bags import small_bag
from unit.package.checks.test_verify import files_of, with_environment


@pytest.fixture
def package(tmp_path: Path) -> Path:
    """Return a small package that is valid."""
    return small_bag(tmp_path / "small", files_of())


def test_a_valid_package_is_said_to_be_one(package: Path, sciflow: Command) -> None:
    """What it is, what was looked at, and what was left out; the exit code is 0."""
    answer = sciflow("verify", package)
    assert answer.code == 0
    lines = answer.out.splitlines()
    assert lines[0] == f"package {package}: valid"
    assert lines[1] == "run run-1 of small, packed by sciflow 0.1.0; 2 of 2 combinations completed"
    assert "ok  7 files of the package" in lines
    assert "left out: run/work: scratch" in lines


def test_what_is_wrong_is_told_by_file(package: Path, sciflow: Command) -> None:
    """A damaged package has the exit code 3, and as JSON each problem has its file."""
    (package / "data/README.md").write_text("other")
    answer = sciflow("verify", package)
    assert answer.code == 3
    assert answer.out.startswith(f"package {package}: damaged\n")
    assert "BAD 7 files of the package" in answer.out
    assert "changed: data/README.md: its bytes are not those that were packed" in answer.out
    answer = sciflow("verify", package, "--json")
    assert answer.code == 3
    assert [(one["kind"], one["path"]) for one in answer.json["problems"]] == [("changed", "data/README.md")]
    (package / "data/README.md").unlink()
    answer = sciflow("verify", package, "--json")
    assert (answer.code, answer.json["verdict"]) == (3, "incomplete")


def test_many_problems_are_told_in_part(package: Path, sciflow: Command) -> None:
    """The first of them, and how many more there are."""
    shutil.copytree(package / "data/run", package / "data/again")
    for number in range(25):
        (package / f"data/{number}").write_text("x")
    answer = sciflow("verify", package)
    assert "… and 8 more (`--json` has all)" in answer.out


def test_what_cannot_be_checked_is_an_error(tmp_path: Path, sciflow: Command) -> None:
    """No package, or one of a newer format: exit code 1; no file at all: 2."""
    assert sciflow("verify", tmp_path / "none.zip").code == 1
    answer = sciflow("verify", small_bag(tmp_path / "newer", files_of(format=7)))
    assert answer.code == 1
    assert "has format 7, and this sciflow knows formats up to 1" in answer.err
    assert "hint: install a newer sciflow" in answer.err
    assert sciflow("verify").code == 2


def test_how_this_machine_differs_is_told(tmp_path: Path, sciflow: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is missing or different by name, with what it may affect; it is no failure."""
    captured = {"distributions": {"no-such-thing": "1.0"}}
    monkeypatch.setattr("sciflow.package.checks.verify.present", dict)
    answer = sciflow("verify", small_bag(tmp_path / "small", with_environment(captured)))
    assert answer.code == 0
    assert "environment: missing (1 missing)" in answer.out
    assert "missing: distribution no-such-thing: 1.0 there, nothing here; code that imports" in answer.out
