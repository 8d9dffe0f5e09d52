"""`sciflow verify`."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from sciflow.package.bags.bag import make_bag
from sciflow.package.build import create_package
from unit.cli.conftest import Command
from unit.package.bags import WHEN, small_bag


@pytest.fixture(scope="module")
def made(run_once: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the package of a run, as a folder that no test changes."""
    run = create_package("latest", "small", runs=run_once / "sciflow-runs", with_figures=False)
    return run.export(tmp_path_factory.mktemp("verify") / "small")


@pytest.fixture
def package(made: Path, tmp_path: Path) -> Path:
    """Return a copy of it."""
    return Path(shutil.copytree(made, tmp_path / "small"))


def test_a_valid_package_is_said_to_be_one(made: Path, sciflow: Command) -> None:
    """What it is, what was looked at, and what was left out; the exit code is 0."""
    answer = sciflow("verify", made)
    assert answer.code == 0
    lines = answer.out.splitlines()
    assert lines[0] == f"package {made}: valid"
    assert "of squares, packed by sciflow" in lines[1]
    assert any(line.endswith(" cells of tables by the records") and line.startswith("ok ") for line in lines)
    assert any(line.startswith("note: by their digests alone") for line in lines)


def test_texts_of_a_package_do_not_steer_the_terminal(package: Path, sciflow: Command) -> None:
    """Neither its title, nor the look of what follows, nor lines that look like those of `verify`."""
    path = package / "data/package.json"
    facts = json.loads(path.read_bytes())
    facts["workflow"] = "\x1b]0;title\x07\u202e"
    facts["left_out"] = [
        {"path": "a", "original": "a", "why": "x\r\nok  everything\u2028\x9b2J", "size": 0, "sha256": "", "where": ""}
    ]
    path.write_text(json.dumps(facts))
    shutil.move(package / "data", package.parent / "again")
    make_bag(package.parent / "again", {"External-Identifier": "small"}, WHEN)
    answer = sciflow("verify", package.parent / "again")
    assert "of \\x1b]0;title\\x07\\u202e, packed" in answer.out
    assert "left out: a: x\\r\\nok  everything\\u2028\\x9b2J" in answer.out.split("\n")
    assert answer.code == 3


def test_what_is_wrong_is_told_by_file(package: Path, sciflow: Command) -> None:
    """A damaged package has the exit code 3, and as JSON each problem has its file."""
    (package / "data/README.md").write_text("other")
    answer = sciflow("verify", package)
    assert answer.code == 3
    assert answer.out.startswith(f"package {package}: damaged\n")
    assert " files of the package\n" in answer.out.partition("BAD ")[2]
    assert "changed: data/README.md: its bytes are not those that were packed" in answer.out
    answer = sciflow("verify", package, "--json")
    assert answer.code == 3
    assert [(one["kind"], one["path"]) for one in answer.json["problems"]] == [("changed", "data/README.md")]
    (package / "data/README.md").unlink()
    answer = sciflow("verify", package, "--json")
    assert (answer.code, answer.json["verdict"]) == (3, "incomplete")


def test_many_problems_are_told_in_part(package: Path, sciflow: Command) -> None:
    """The first of them, and how many more there are."""
    for number in range(28):
        (package / f"data/{number}").write_text("x")
    answer = sciflow("verify", package)
    assert "… and 8 more (`--json` has all)" in answer.out


def test_what_cannot_be_checked_is_an_error(tmp_path: Path, sciflow: Command) -> None:
    """No package, or one of a newer format: exit code 1; no file at all: 2."""
    assert sciflow("verify", tmp_path / "none.zip").code == 1
    answer = sciflow("verify", small_bag(tmp_path / "newer", {"package.json": b'{"format": 7}'}))
    assert answer.code == 1
    assert "has format 7, and this sciflow knows formats up to 1" in answer.err
    assert "hint: install a newer sciflow" in answer.err
    assert sciflow("verify").code == 2


def test_how_this_machine_differs_is_told(made: Path, sciflow: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is missing or different by name, with what it may affect; it is no failure."""
    monkeypatch.setattr("sciflow.package.checks.verify.present", lambda: {"distributions": {}})
    answer = sciflow("verify", made)
    assert answer.code == 0
    assert "environment: missing (" in answer.out
    assert "missing: distribution " in answer.out
