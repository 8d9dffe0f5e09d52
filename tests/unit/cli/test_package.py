"""`sciflow package`."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import pytest

from unit.cli.conftest import Command


def test_it_writes_a_file_and_says_what_is_in_it(finished: Path, sciflow: Command) -> None:
    """Without a name it is that of workflow and run; as JSON it tells how complete the run is and what was left out."""
    answer = sciflow("package", "--no-figures", "--author", "Ada Lovelace", "--license", "MIT", "--json")
    assert answer.code == 0
    told = answer.json
    assert told["package"] == f"squares-{finished.name}.zip"
    assert (told["state"]["completed"], told["state"]["combinations"]) == (3, 4)
    with zipfile.ZipFile(told["package"]) as package:
        citation = package.read(f"squares-{finished.name}/data/CITATION.cff").decode()
        facts = json.loads(package.read(f"squares-{finished.name}/data/package.json"))
    assert "family-names: Lovelace" in citation
    assert "license: MIT" in citation
    assert [one["path"] for one in facts["left_out"]] == [one["path"] for one in told["left_out"]]


def test_it_says_where_the_package_is(finished: Path, sciflow: Command) -> None:
    """In words it tells how complete the run is, what was left out and why, and where the package is."""
    answer = sciflow("package", finished, "-o", "out/mine.tar.gz", "--name", "mine", "--no-figures")
    assert answer.code == 0
    assert "3 of 4 combinations completed" in answer.out
    assert "left out: run/work: what programs left" in answer.out
    assert "package: out/mine.tar.gz (" in answer.out
    assert Path("out/mine.tar.gz").is_file()


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["--largest", "much"], "`--largest much` is no size"),
        (["--name", "a/b"], "cannot name a package"),
        (["--author", "<a@b.c>"], "cannot be read as an author"),
        (["-o", "a.rar"], "which sciflow does not write"),
        (["-o", ""], "names no file"),
        (["nowhere"], "there is no run `nowhere`"),
    ],
)
def test_what_cannot_be_done_changes_nothing(
    finished: Path, sciflow: Command, arguments: list[str], complaint: str
) -> None:
    """A wrong option is an error with a way out, before anything is written."""
    before = sorted(Path().rglob("*"))
    answer = sciflow("package", *arguments)
    assert answer.code == 1
    assert complaint in answer.err
    assert sorted(Path().rglob("*")) == before


def test_what_is_stopped_leaves_nothing(finished: Path, sciflow: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    """After Ctrl-C while it is written nothing is at its place or beside it, and that is what it says."""

    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("sciflow.package.build.make_bag", interrupted)
    before = sorted(Path().rglob("*"))
    answer = sciflow("package", "--no-figures", "-o", "out/mine.zip")
    assert answer.code == 130
    assert "nothing is left behind" in answer.err
    assert sorted(Path().rglob("*")) == before
