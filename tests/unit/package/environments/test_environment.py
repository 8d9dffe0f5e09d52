"""What a run was made with is in its package: exact versions, and everything that was captured."""

from __future__ import annotations

import importlib.metadata
import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import yaml

from sciflow.errors import PackageError
from sciflow.package import layout
from sciflow.package.contents import Contents
from sciflow.package.environments.environment import (
    captured_environment,
    conda_file,
    gather_environment,
    locked_environment,
    modules_file,
    read_environments,
    recorded_environment,
    requirements,
    simple_variables,
)
from sciflow.package.environments.rebuild import read_lock
from sciflow.package.opened_run import opened_run
from sciflow.store.columns import Table
from sciflow.store.layout import RunDirectory

_CAPTURED: dict[str, Any] = {
    "python": {"version": "3.11.7", "implementation": "CPython"},
    "os": {"system": "Linux", "machine": "x86_64", "name": "Debian\n--index-url x"},
    "distributions": {
        "built": "2.2.0+cu118",
        "cloned": "2.0",
        "edited": "1.0",
        "fetched": "3.0",
        "numpy": "1.26.4",
        "Odd_Name": "1.0",
        "sciflow": "0.1.0",
        "strange": "1.0\n-e .",
        "unknown": "",
        "trailing": "1.0\n",
    },
    "sources": {
        "cloned": {"url": "https://e.org/c", "version_control": "git", "commit": "0123abc", "editable": False},
        "edited": {"url": "file:///home/ada/edited", "editable": True},
        "fetched": {"url": "https://e.org/f.whl\n-e .", "editable": False},
    },
    "modules": ["gcc/13.2", "bad; rm -rf x", "openmpi/4.1.6"],
    "conda": {"environment": "/opt/envs/spins", "packages": {"numpy": "1.26.4=py311", "zlib": "1.3=h1", "x": "- y=1"}},
    "variables": {"OMP_NUM_THREADS": "4", "MKL_X": "$(x)", "PATH": "/bin"},
}


@pytest.fixture(scope="module")
def gathered(spins: Path) -> Contents:
    """Return what is gathered of a real run."""
    contents = Contents()
    with opened_run(RunDirectory(spins), "spins") as packaged:
        gather_environment(packaged, contents)
    return contents


def _payload(contents: Contents, folder: Path) -> Path:
    for path, entry in contents.entries.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(entry.source if isinstance(entry.source, bytes) else entry.source.read_bytes())
    return folder


def test_a_run_is_locked_with_what_was_installed(gathered: Contents, tmp_path: Path) -> None:
    """All that was installed stands in the lock with its version, sciflow as a wheel, and all captured facts beside."""
    payload = _payload(gathered, tmp_path)
    recorded = recorded_environment(payload)
    lock = read_lock(payload / layout.REQUIREMENTS)
    assert lock["numpy"] == importlib.metadata.version("numpy")
    assert {*lock, "sciflow"} == set(recorded["distributions"])
    [wheel] = (payload / layout.WHEELS).iterdir()
    assert wheel.name.startswith("sciflow-")
    document = read_environments(payload)
    [facts] = document["environments"].values()
    assert (facts["attempts"], len(facts["hosts"])) == (6, 1)
    assert {"os", "cpu", "python", "distributions", "variables"} <= set(facts["captured"])
    assert "sciflow" in document["not_on_index"]
    assert gathered.warnings == []


def test_it_is_the_same_each_time(gathered: Contents, spins: Path) -> None:
    """The same run gives the same bytes."""
    again = Contents()
    with opened_run(RunDirectory(spins), "spins") as packaged:
        gather_environment(packaged, again)
    assert again == gathered


def test_what_is_on_no_index_is_told_and_not_dropped() -> None:
    """It stands as a comment with where it is from; nothing of it can be read as an option."""
    locked = locked_environment("d", _CAPTURED)
    lines = requirements(locked, 2).splitlines()
    assert [line for line in lines if not line.startswith("#")] == ["built==2.2.0", "numpy==1.26.4", "trailing==1.0"]
    for told in (
        "# What was installed where 2 attempts of the run were made:",
        "# CPython 3.11.7 on Linux x86_64 Debian --index-url x.",
        "# built was 2.2.0+cu118: built elsewhere, from the sources of this version",
        "# not on an index: cloned 2.0 (from git: git+https://e.org/c@0123abc)",
        "# not on an index: edited 1.0 (from the folder file:///home/ada/edited, as it was at any time)",
        "# not on an index: fetched 3.0 (from https://e.org/f.whl -e .)",
        "# not on an index: Odd_Name 1.0 (no index has a distribution of such a name)",
        "# not on an index: sciflow 0.1.0 (sciflow itself: its wheel is in `environment/wheels`)",
        "# not on an index: strange 1.0 -e . (`1.0 -e .` is no version that an index has)",
        "# not on an index: unknown (its version is not known)",
    ):
        assert told in lines


def test_conda_and_modules_have_files_of_their_own() -> None:
    """Conda's has versions and builds, and what pip has installed besides; nothing is made where there were none."""
    locked = locked_environment("d", _CAPTURED)
    document = yaml.safe_load(conda_file(locked))
    assert document["name"] == "spins"
    assert document["dependencies"] == [
        "numpy=1.26.4=py311",
        "zlib=1.3=h1",
        {"pip": ["built==2.2.0+cu118", "trailing==1.0"]},
    ]
    assert modules_file(locked) == "module load gcc/13.2\nmodule load openmpi/4.1.6\n"
    assert conda_file(locked_environment("d", {})) == modules_file(locked_environment("d", {})) == ""
    assert (dict(locked.variables), simple_variables(locked)) == (
        {"MKL_X": "$(x)", "OMP_NUM_THREADS": "4"},
        {"OMP_NUM_THREADS": "4"},
    )


def test_a_run_without_a_captured_environment_says_so(spins: Path, tmp_path: Path) -> None:
    """There is no lock then, and a warning; a file that is torn is as one that is not there."""
    copy = tmp_path / spins.name
    copy.mkdir()
    for entry in spins.iterdir():
        if entry.name not in ("environments", "records", "sealed", "results.h5", "collected.json"):
            (copy / entry.name).symlink_to(entry)
    contents = Contents()
    with opened_run(RunDirectory(copy), "spins") as packaged:
        locked = gather_environment(packaged, contents)
    assert (locked.digest, locked.python, dict(locked.versions)) == ("", "", {})
    assert layout.REQUIREMENTS not in contents.entries
    assert len(contents.warnings) == 1
    assert recorded_environment(_payload(contents, tmp_path / "payload")) == {}
    (copy / "environments").mkdir()
    (copy / "environments" / "d.h5").write_bytes(b"torn")
    assert captured_environment(RunDirectory(copy), "d") == {}


def test_the_environment_of_most_attempts_is_locked(spins: Path, tmp_path: Path) -> None:
    """The others are listed, those that were not captured too, and a warning says how many there are."""
    (tmp_path / "environments").mkdir()
    [captured] = (spins / "environments").glob("*.h5")
    for name in ("few", "most"):
        (tmp_path / "environments" / f"{name}.h5").symlink_to(captured)
    attempts = Table.of(
        {
            "environment": ["lost", "few", "lost", "most", "lost", "most", ""],
            "host": ["a", "a", "b", "c", "b", "b", "d"],
        }
    )
    results = SimpleNamespace(tables=SimpleNamespace(table=lambda _: attempts))
    packaged: Any = SimpleNamespace(run=RunDirectory(tmp_path), results=results, manifest={"sciflow": "0.0.1"})
    contents = Contents()
    assert gather_environment(packaged, contents).digest == "most"
    document = read_environments(_payload(contents, tmp_path / "payload"))
    found = {name: (facts["attempts"], facts["hosts"]) for name, facts in document["environments"].items()}
    assert found == {"most": (2, ["b", "c"]), "few": (1, ["a"]), "lost": (3, ["a", "b"])}
    assert document["environments"]["lost"]["captured"] == {}
    assert [text for text in contents.warnings if "3 environments" in text]
    assert [text for text in contents.warnings if "made by sciflow 0.0.1" in text]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("{", "cannot be read"),
        ("[" * 100_000, "cannot be read"),
        ("[]", "does not say"),
        ('{"format": "1", "environments": {}}', "does not say"),
        ('{"format": 1, "environments": []}', "does not say"),
        ('{"format": 2, "environments": {}}', "has format 2"),
    ],
)
def test_a_file_that_is_another_is_refused(tmp_path: Path, text: str, told: str) -> None:
    """What is torn, no such file, or of a newer format."""
    path = tmp_path / layout.ENVIRONMENT_FACTS
    path.parent.mkdir()
    path.write_text(text)
    with pytest.raises(PackageError, match=told):
        read_environments(tmp_path)


def test_a_lock_of_no_environment_has_recorded_nothing(tmp_path: Path) -> None:
    """What is named and is not there counts as nothing."""
    path = tmp_path / layout.ENVIRONMENT_FACTS
    path.parent.mkdir()
    path.write_text(json.dumps({"format": 1, "locked": ["d"], "environments": {"d": 3}}))
    assert recorded_environment(tmp_path) == {}
