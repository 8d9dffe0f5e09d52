"""What a person reads and types who has a package, and may never have heard of sciflow."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import sciflow
from sciflow.package import layout
from sciflow.package.gathered.instructions import cell, code, fenced


@pytest.fixture(scope="module")
def readme(unpacked: Path) -> str:
    """Return the README of the package."""
    return (unpacked / layout.README).read_text(encoding="utf-8")


def test_the_readme_says_what_was_computed_by_whom_and_with_what_result(readme: str) -> None:
    """Somebody who knows nothing of sciflow learns what it is, what was varied, what was run and what came out."""
    assert readme.startswith("# spins\n\nEnergies of small spins\n")
    assert "made by Ada Lovelace on " in readme
    assert "| `temperature` | 1.5, 2 | varied |" in readme
    assert "| `analyse` | `spins_code:analyse` | `simulate` | 4 | 4 |" in readme
    assert "| `heat` |  | 4 |" in readme
    assert "| `energy` | J | 2 | 8.5 | size = 4 | 16.5 | size = 8 |" in readme
    assert "Licence: CC-BY-4.0, see `LICENSE`." in readme
    assert "- secrets were taken out of the project's code, which may need them" in readme
    assert " at 0x" not in readme


def test_every_path_that_the_readme_names_is_there(readme: str, unpacked: Path) -> None:
    """What it says of files and folders is true of this package."""
    table = readme.partition("## What is where")[2].partition("\n## ")[0]
    named = re.findall(r"^\| `([^`]+)`", table, re.M)
    assert len(named) > 10
    assert [path for path in named if not (unpacked / path).exists()] == []


def test_the_checksums_are_checked_as_the_readme_says(readme: str, unpacked: Path, tmp_path: Path) -> None:
    """The command works without sciflow, prints nothing, and finds a byte that was changed."""
    [command] = re.findall(r"^sha256sum .*$", readme, re.M)
    done = subprocess.run(["bash", "-c", command], cwd=unpacked.parent, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "")
    copy = tmp_path / "copy"
    shutil.copytree(unpacked.parent, copy)
    with (copy / "data" / layout.TABLE).open("a") as file:
        file.write("1")
    done = subprocess.run(["bash", "-c", command], cwd=copy, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert f"data/{layout.TABLE}: FAILED" in done.stdout


def test_an_index_runs_by_hand_as_the_readme_says(readme: str, unpacked: Path, tmp_path: Path) -> None:
    """In a copy of the package, Python and what is in it are enough, and the new record has the same result."""
    [command] = re.findall(r"^PYTHONPATH=.*$", readme, re.M)
    copy = tmp_path / "copy"
    shutil.copytree(unpacked, copy)
    shutil.rmtree(copy / "run" / "records" / "simulate.0")
    environment = {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}", "HOME": str(tmp_path)}
    done = subprocess.run(
        ["bash", "-c", command], cwd=copy, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert len(list((copy / "run" / "records" / "simulate.0" / "0000").glob("1.*.h5"))) == 1


def test_the_script_is_right_and_finds_its_package_from_anywhere(unpacked: Path, tmp_path: Path) -> None:
    """Called from anywhere, with spaces in the path, it hands the package to sciflow, and works outside of it."""
    bag = tmp_path / "with a space" / "spins v1"
    shutil.copytree(unpacked.parent, bag)
    script = bag / "data" / layout.REPRODUCE
    subprocess.run(["bash", "-n", script], check=True)
    if shutil.which("shellcheck"):
        subprocess.run(["shellcheck", script], check=True)
    python = tmp_path / "python"
    python.write_text('#!/bin/bash\n[[ $1 == -c ]] && exec test "$3" = "$VERSION"\nprintf "<%s>" "$@"; pwd\n')
    python.chmod(0o755)
    environment = {**os.environ, "PYTHON": str(python), "VERSION": sciflow.__version__}
    for where, works_in in ((tmp_path, tmp_path), (bag / "data", bag.parent)):
        done = subprocess.run(
            ["bash", script, "--sample", "3 4"], cwd=where, env=environment, capture_output=True, text=True, check=True
        )
        assert done.stdout == f"<-m><sciflow><reproduce><{bag}><--sample><3 4>{works_in}\n"


@given(st.text(alphabet="`|\\<a b\n*", max_size=30))
def test_no_text_of_a_run_breaks_the_tables_of_a_readme(text: str) -> None:
    """A cell has no line break and no bar of its own, and code ends where it began."""
    for made in (cell(text), code(text)):
        assert "\n" not in made
        assert all(len(before) % 2 for before in re.findall(r"(\\*)\|", made))
    made = code(text)
    if made.startswith("`"):
        fence = re.match("`+", made)
        assert fence
        assert made.endswith(fence[0])
        assert fence[0] not in made[len(fence[0]) : -len(fence[0])]
    lines = fenced(text).split("\n")
    assert lines[0] == lines[-1]
    assert lines[0] not in lines[1:-1]
