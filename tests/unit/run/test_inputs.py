"""The files that a task reads, as the manifest and the node get to know them."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest

from sciflow.engine import Engine
from sciflow.errors import WorkflowError
from sciflow.model.workflow import ExperimentalWorkflow
from sciflow.run.inputs import MOST_LISTED, describe_inputs, for_the_node, path_in
from sciflow.run.stage import note_modules, stage
from sciflow.store.digests import FileDigest, KnownDigests
from sciflow.store.layout import read_document
from sciflow_shim import files
from unit.scripted import blank_scripts


def test_paths_start_from_the_workflow_where_they_can(tmp_path: Path) -> None:
    """Inside its folder they are relative, also through a link to it; outside they start from the root."""
    home = tmp_path / "home"
    (home / "data").mkdir(parents=True)
    (tmp_path / "link").symlink_to(home)
    assert path_in(home, home / "data" / "a") == "data/a"
    assert path_in(tmp_path / "link", tmp_path / "link" / "data" / ".." / "data" / "a") == "data/a"
    assert path_in(home, home / ".." / "b") == str(tmp_path / "b")


def test_a_few_files_are_listed_and_many_are_not() -> None:
    """Of more than twenty, each record holds how many, how large, and the digest of what `sha256sum` prints."""
    few = {f"f{n:02}": FileDigest(2, 5, f"{n:064x}") for n in range(MOST_LISTED)}
    told = for_the_node(few)
    assert (told["count"], told["size"], len(told["files"])) == (20, 40, 20)
    assert told["files"][3] == {"path": "f03", "size": 2, "mtime_ns": 5, "sha256": f"{3:064x}"}
    many = for_the_node({**few, "g": FileDigest(1, 5, "0" * 64)})
    assert (many["count"], many["size"], many["files"]) == (21, 41, [])
    assert many["sha256"] != told["sha256"]
    assert for_the_node({}) == {"count": 0, "size": 0, "sha256": "", "files": []}


def command(folder: Path, **details: Any) -> ExperimentalWorkflow:
    """Make a workflow of one command."""
    workflow = ExperimentalWorkflow("one", folder)
    workflow.add_task("task", command="bash {{ workflow_dir }}/run.sh", **details)
    return workflow


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Return a folder with a script, and two files in a folder."""
    (tmp_path / "data").mkdir()
    for name in ("run.sh", "data/a", "data/b"):
        (tmp_path / name).write_text(name)
    return tmp_path


def test_the_digest_is_that_of_sha256sum(engine: Engine, project: Path) -> None:
    """Anybody can check a list of inputs with what every system has."""
    compiled = engine.compile(command(project, inputs=["data"]))
    told = for_the_node(describe_inputs(compiled.uses, project, KnownDigests())["task"])
    assert [one["path"] for one in told["files"]] == ["data/a", "data/b", "run.sh"]
    by_hand = subprocess.run(
        "sha256sum data/a data/b run.sh | sha256sum",
        shell=True,
        cwd=project,
        capture_output=True,
        text=True,
        check=True,
    )
    assert by_hand.stdout.split()[0] == told["sha256"]


def test_the_manifest_has_all_of_them(engine: Engine, project: Path) -> None:
    """However many there are: by path and digest, and for each task which ones are its own; nodes look at programs."""
    for number in range(30):
        (project / "data" / f"{number}.dat").write_text(str(number))
    compiled = engine.compile(command(project, inputs=["data"]))
    run = stage(compiled, engine.runs, blank_scripts())
    manifest, task = read_document(run.manifest), read_document(run.path / files.task_file("task"))
    assert len(manifest["inputs"]) == len(manifest["tasks"]["task"]["inputs"]) == task["inputs"]["count"] == 33
    assert [one["path"] for one in task["inputs"]["files"]] == ["run.sh"]


def test_a_run_that_goes_on_knows_its_files_as_they_are_now(engine: Engine, project: Path) -> None:
    """A file that was written again with the same content is the same work, and unchanged from then on."""
    workflow = command(project, inputs=["data"])
    run = stage(engine.compile(workflow), engine.runs, blank_scripts())
    path = run.path / files.task_file("task")
    before = read_document(path)
    note_modules(engine.compile(workflow), run)
    assert read_document(path) == before
    (project / "data" / "a").write_text("data/a")
    after = command(project, inputs=["data"], metadata={"variables": ["A"]})
    note_modules(engine.compile(after), run)
    now = read_document(path)
    assert now["inputs"]["files"][0]["mtime_ns"] > before["inputs"]["files"][0]["mtime_ns"]
    assert now["metadata"]["variables"] == ["A"]
    assert now["recipe"] == before["recipe"]


def test_a_missing_input_is_named(engine: Engine, project: Path) -> None:
    """There is no run then."""
    compiled = engine.compile(command(project, inputs=["nothing"]))
    with pytest.raises(WorkflowError, match="the input `nothing` cannot be read"):
        stage(compiled, engine.runs, blank_scripts())
    assert list((engine.runs / "one").iterdir()) == []
