"""Verbs on the site: profile, template."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from sciflow.loading import load_profile
from unit.fake_slurm import FakeSlurm

Command = Callable[..., Any]


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return an empty folder, which is the current one, of a user without a configuration."""
    folder = tmp_path / "here"
    folder.mkdir()
    monkeypatch.chdir(folder)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "configuration"))
    return folder


def test_profiles_are_listed_with_their_files(sciflow: Command, here: Path) -> None:
    """Those that are bundled, and those of the project, which win."""
    (here / "cluster_profiles").mkdir()
    for name in ("mine", "local"):
        (here / "cluster_profiles" / f"{name}.yaml").write_text(f"name: {name}\nscheduler: slurm\n")
    answer = sciflow("profile", "list")
    assert (answer.code, answer.err) == (0, "")
    rows = [line.split(maxsplit=2) for line in answer.out.splitlines()]
    assert rows[0] == ["profile", "scheduler", "file"]
    assert ["mine", "slurm", str(here / "cluster_profiles" / "mine.yaml")] in rows
    assert ["local", "slurm", str(here / "cluster_profiles" / "local.yaml")] in rows
    assert [row[0] for row in rows[1:]] == ["generic-pbs", "generic-slurm", "generic-torque", "local", "mine"]
    document = sciflow("profile", "list", "--json").json
    assert document[4] == {"name": "mine", "scheduler": "slurm", "file": str(here / "cluster_profiles" / "mine.yaml")}


def test_a_profile_is_shown_without_its_defaults(sciflow: Command, here: Path) -> None:
    """As YAML that could stand in its file, or as JSON."""
    (here / "cluster_profiles").mkdir()
    text = "name: mine\nscheduler: slurm\npartition: short\nlimits: {highest_index: 9}\nsetup: a\n"
    (here / "cluster_profiles" / "mine.yaml").write_text(text)
    answer = sciflow("profile", "show", "mine")
    assert answer.code == 0
    expected = {
        "name": "mine",
        "scheduler": "slurm",
        "partition": "short",
        "limits": {"highest_index": 9},
        "setup": ["a"],
    }
    assert yaml.safe_load(answer.out) == expected
    assert sciflow("profile", "show", "mine", "--json").json == expected


def test_a_profile_that_is_not_there_is_told(sciflow: Command, here: Path) -> None:
    """With the nearest that is."""
    answer = sciflow("profile", "show", "locl")
    assert (answer.code, answer.out) == (1, "")
    assert "`locl`" in answer.err
    assert "`local`" in answer.err


@pytest.fixture
def lab(slurm: FakeSlurm) -> FakeSlurm:
    """Return a Slurm that tells what there is."""
    slurm.says("scontrol", "ClusterName = lab\nMaxArraySize = 10001\nKillWait = 30 sec\n")
    slurm.says("sinfo", "main*|1-00:00:00|64|256000|gpu:a100:4|10|up\n")
    slurm.says("sacctmgr", "project|normal|500\n")
    return slurm


def test_a_site_is_found_out(sciflow: Command, here: Path, lab: FakeSlurm) -> None:
    """What is printed is a profile."""
    answer = sciflow("profile", "detect")
    assert (answer.code, answer.err) == (0, "")
    size = {"cpu_cores": 64, "memory_gb": 250.0, "gpus": 4, "nodes": 10}
    assert yaml.safe_load(answer.out) == {
        "name": "detected",
        "description": "the Slurm cluster lab",
        "scheduler": "slurm",
        "partitions": {"main": {**size, "max_runtime": "1-00:00:00", "default": True}},
        "accounts": ["project"],
        "qos_names": ["normal"],
        "limits": {"highest_index": 10000, "submitted_indices": 500, "seconds_to_kill": 30.0},
    }
    assert sciflow("profile", "detect", "--json").json == yaml.safe_load(answer.out)


def test_what_was_found_out_can_be_used(sciflow: Command, here: Path, lab: FakeSlurm) -> None:
    """Written to a file, under a name of one's own; what could not be found out is said."""
    lab.works("sacctmgr")
    answer = sciflow("profile", "detect", "--name", "mine", "-o", "cluster_profiles/mine.yaml")
    assert answer.code == 0
    assert answer.err.splitlines() == [
        "note: accounts are not known: sacctmgr: error: Slurm accounting storage is disabled",
        "wrote cluster_profiles/mine.yaml",
    ]
    assert yaml.safe_load(answer.out)["name"] == "mine"
    assert load_profile("mine", here).default_partition == "main"


def test_a_file_that_is_there_is_not_overwritten(sciflow: Command, here: Path, lab: FakeSlurm) -> None:
    """Somebody may have changed it."""
    (here / "mine.yaml").write_text("mine")
    answer = sciflow("profile", "detect", "-o", "mine.yaml")
    assert (answer.code, answer.out) == (1, "")
    assert answer.err.splitlines() == [
        "error: `mine.yaml` is there already",
        "hint: give another place, or remove it first",
    ]
    assert (here / "mine.yaml").read_text() == "mine"


def test_a_profile_is_compared_with_the_site(sciflow: Command, here: Path, lab: FakeSlurm) -> None:
    """Line by line, with an exit code of its own; what was detected a moment ago fits."""
    sciflow("profile", "detect", "--name", "mine", "-o", "mine.yaml")
    answer = sciflow("profile", "check", "mine.yaml")
    assert (answer.code, answer.out) == (
        0,
        "profile `mine.yaml` promises nothing that the Slurm cluster lab does not have\n",
    )
    lab.works("sacctmgr")
    (here / "mine.yaml").write_text("name: mine\nscheduler: slurm\npartition: man\nlimits: {highest_index: 10000}\n")
    answer = sciflow("profile", "check", "mine.yaml")
    line = "it names the partition `man`, which is not open to you here; did you mean `main`?"
    assert (answer.code, answer.out) == (3, f"{line}\n")
    assert answer.err == "note: accounts are not known: sacctmgr: error: Slurm accounting storage is disabled\n"
    assert sciflow("profile", "check", "mine.yaml", "--json").json == {
        "profile": "mine.yaml",
        "site": "the Slurm cluster lab",
        "differences": [line],
    }


def test_without_slurm_there_is_nothing_to_find_out(
    sciflow: Command, here: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The command that is missing is named."""
    (tmp_path / "empty").mkdir()
    monkeypatch.setenv("PATH", str(tmp_path / "empty"))
    answer = sciflow("profile", "detect")
    assert answer.code == 1
    assert "there is no command `scontrol` on this machine" in answer.err


def test_what_a_site_answers_is_shown_and_kept_when_asked(sciflow: Command, here: Path, lab: FakeSlurm) -> None:
    """All of it stands on the terminal first; without a yes nothing is written."""
    answer = sciflow("profile", "record", "ours")
    assert answer.code == 1
    assert "== scontrol-config: `scontrol show config` ended with 0" in answer.err
    assert "Keep these 6 answers in `ours`?" in answer.err
    assert not (here / "ours").exists()
    answer = sciflow("profile", "record", "ours", "--yes", "--json")
    assert answer.code == 0
    assert {Path(path).name for path in answer.json["written"]} == {path.name for path in (here / "ours").iterdir()}
    assert len(answer.json["written"]) == 6


def test_a_template_is_exported(sciflow: Command, here: Path) -> None:
    """Into the project's templates, where it wins; a second time nothing is overwritten."""
    answer = sciflow("template", "export", "slurm")
    assert (answer.code, answer.out) == (0, "wrote templates/slurm/array.sh.j2\n")
    text = (here / "templates" / "slurm" / "array.sh.j2").read_text()
    assert text.endswith('{% extends "bundled/slurm/array.sh.j2" %}\n')
    assert "#SBATCH --kill-on-invalid-dep=yes" in text
    answer = sciflow("template", "export", "slurm")
    assert answer.code == 1
    assert "is there already" in answer.err
    assert (here / "templates" / "slurm" / "array.sh.j2").read_text() == text
    assert sciflow("template", "export", "local", "ours", "--json").json == {"written": "ours/local/array.sh.j2"}


@pytest.mark.parametrize("name", ["slrum", "job", "experiment"])
def test_what_is_no_template_of_a_scheduler_is_told(sciflow: Command, here: Path, name: str) -> None:
    """What all of them have in common is none of them."""
    answer = sciflow("template", "export", name)
    assert (answer.code, answer.out) == (1, "")
    assert f"there is no template for `{name}`" in answer.err
    assert list(here.iterdir()) == []
