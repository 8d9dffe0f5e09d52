"""Which inputs of a run go into its package, and what is said of the others."""

from __future__ import annotations

import errno
import hashlib
import os
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
import yaml

from sciflow.engine import Engine
from sciflow.model.plan import Plan
from sciflow.model.workflow import ExperimentalWorkflow
from sciflow.package import layout
from sciflow.package.contents import Contents, LeftOut
from sciflow.package.gathered import inputs as module
from sciflow.package.gathered.inputs import gather_inputs
from sciflow.package.gathered.project import gather_project
from sciflow.package.gathered.workflow_document import gather_workflow
from sciflow.package.packaged_run import PackagedRun
from sciflow.run.stage import stage
from sciflow.store.digests import file_digest
from sciflow.store.layout import RunDirectory, read_document
from unit.scripted import blank_scripts

Gather = Callable[..., tuple[Contents, Any]]


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """Return the folder of a project with inputs in it, beside a folder of others."""
    for name, text in {
        "home/data/a b.csv": "a",
        "home/data/ü\n.csv": "u",
        "shared/set/x.csv": "x",
        "shared/set/inner/y.csv": "y",
        "other/set/z.csv": "z",
    }.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return tmp_path / "home"


@pytest.fixture
def run_of(home: Path) -> Callable[..., RunDirectory]:
    """Return a function that stages a run with these inputs and this metadata."""

    def make(*inputs: str, command: str = "echo 1", **metadata: Any) -> RunDirectory:
        engine = Engine(runs=home.parent / "runs")
        workflow = ExperimentalWorkflow("one", home)
        workflow.metadata.update(metadata)
        workflow.add_task("task", command=command, inputs=list(inputs))
        return stage(engine.compile(workflow), engine.runs, blank_scripts())

    return make


def gathered(
    run: RunDirectory, largest: int = 1000, contents: Contents | None = None, moved: dict[str, str] | None = None
) -> tuple[Contents, dict[str, str]]:
    """Gather the inputs of a run: what is in the package then, and what was moved."""
    contents, project = contents or Contents(), cast("Any", SimpleNamespace(moved=moved or {}))
    nothing = cast("Any", None)
    gather_inputs(
        PackagedRun("p", run, read_document(run.manifest), nothing, nothing, nothing), contents, project, largest
    )
    return contents, project.moved


def gathered_lacking(run: RunDirectory, contents: Contents) -> list[str]:
    """What is said to stand against running it again."""
    project, nothing = cast("Any", SimpleNamespace(moved={})), cast("Any", None)
    packaged = PackagedRun("p", run, read_document(run.manifest), nothing, nothing, nothing)
    return gather_inputs(packaged, contents, project, 1000)


def _texts(contents: Contents) -> dict[str, str]:
    return {
        place: (one.source if isinstance(one.source, bytes) else one.source.read_bytes()).decode()
        for place, one in contents.entries.items()
    }


def test_inputs_are_where_they_were_in_the_project(run_of: Callable[..., RunDirectory]) -> None:
    """Folders are taken in file by file, whatever their names."""
    contents, moved = gathered(run_of("data"))
    assert _texts(contents) == {"project/data/a b.csv": "a", "project/data/ü\n.csv": "u"}
    assert (contents.left_out, moved) == ([], {})


def test_inputs_from_elsewhere_get_a_folder_of_their_own(home: Path, run_of: Callable[..., RunDirectory]) -> None:
    """What lies within a folder stays together, folders of one name are told apart, and all is told as moved."""
    shared, other = home.parent / "shared" / "set", home.parent / "other" / "set"
    contents, moved = gathered(run_of("../shared/set", str(other / "z.csv")))
    assert _texts(contents) == {
        "project/outside/inputs/1-set/z.csv": "z",
        "project/outside/inputs/2-set/inner/y.csv": "y",
        "project/outside/inputs/2-set/x.csv": "x",
    }
    assert moved == {
        str(shared): "outside/inputs/2-set",
        str(shared / "x.csv"): "outside/inputs/2-set/x.csv",
        str(shared / "inner" / "y.csv"): "outside/inputs/2-set/inner/y.csv",
        str(other / "z.csv"): "outside/inputs/1-set/z.csv",
    }


def test_what_cannot_be_had_as_it_was_is_left_out(home: Path, run_of: Callable[..., RunDirectory]) -> None:
    """Too large, gone, changed, or a key: each is told once with the digest that the run has noted, and not moved."""
    shared = home.parent / "shared" / "set"
    (home / "data" / "large").write_bytes(b"l" * 21)
    (home / "data" / "my.key").write_text("k")
    run = run_of("data", "../shared/set")
    (home / "data" / "a b.csv").write_text("A")  # of the same size
    (home / "data" / "ü\n.csv").unlink()
    (shared / "x.csv").write_text("longer")
    contents, moved = gathered(run, largest=20)
    assert list(contents.entries) == ["project/outside/inputs/1-set/inner/y.csv"]
    assert moved == {str(shared / "inner" / "y.csv"): "outside/inputs/1-set/inner/y.csv"}
    told = {one.original: (one.path, one.why, one.size, one.sha256) for one in contents.left_out}
    assert len(told) == len(contents.left_out)
    assert told == {
        str(home / "data" / "a b.csv"): (
            "project/data/a b.csv",
            "it has changed since the run was made",
            1,
            _sha256(b"a"),
        ),
        str(home / "data" / "large"): ("project/data/large", "it is larger than 20 B", 21, _sha256(b"l" * 21)),
        str(home / "data" / "my.key"): (
            "project/data/my.key",
            "its name is one that keys and passwords have",
            1,
            _sha256(b"k"),
        ),
        str(home / "data" / "ü\n.csv"): ("project/data/ü\n.csv", "it is not there any more", 1, _sha256(b"u")),
        str(shared / "x.csv"): (
            "project/outside/inputs/1-set/x.csv",
            "it has changed since the run was made",
            1,
            _sha256(b"x"),
        ),
    }


def _sha256(text: bytes) -> str:
    return hashlib.sha256(text).hexdigest()


def test_a_declared_input_that_opens_doors_is_told_as_missing(run_of: Callable[..., RunDirectory], home: Path):
    """It is left out though a command names it, with the tasks that need it; what is only hidden is packed."""
    for name in (".env", ".netrc", ".settings"):
        (home / name).write_text("A=1")
    contents = Contents()
    lacking = gathered_lacking(run_of(".env", ".netrc", ".settings", command="cat .env"), contents)
    assert list(contents.entries) == ["project/.settings"]
    key = "its name is one that keys and passwords have"
    assert [(one.path, one.why) for one in contents.left_out] == [("project/.env", key), ("project/.netrc", key)]
    assert lacking == [
        f"the input `{name}`, which `task` reads, is not in the package: {key}" for name in (".env", ".netrc")
    ]
    assert contents.warnings == lacking


def test_all_together_have_a_limit(run_of: Callable[..., RunDirectory], monkeypatch: pytest.MonkeyPatch) -> None:
    """What comes after the room is filled is left out."""
    monkeypatch.setattr(module, "MOST_BYTES", 1)
    contents, _ = gathered(run_of("data"))
    assert list(contents.entries) == ["project/data/a b.csv"]
    assert [one.why for one in contents.left_out] == ["the inputs before it fill the 1 B that there are for all"]


def test_what_the_snapshot_has_is_not_taken_twice(home: Path, run_of: Callable[..., RunDirectory]) -> None:
    """The same bytes stay; other ones give way to what ran, or to nothing where that is not to be had any more."""
    run = run_of("data", "../other/set/z.csv")
    place = "project/outside/1-set/z.csv"
    moved = {str(home.parent / "other" / "set" / "z.csv"): "outside/1-set/z.csv"}
    same = Contents()
    for name, text in {"project/data/a b.csv": b"a", "project/data/ü\n.csv": b"other", place: b"z"}.items():
        same.add(name, text, "a file of the project")
    (home / "data" / "a b.csv").unlink()
    contents, now = gathered(run, contents=same, moved=dict(moved))
    assert _texts(contents) == {"project/data/a b.csv": "a", "project/data/ü\n.csv": "u", place: "z"}
    assert (contents.left_out, now) == ([], moved)

    (home / "data" / "ü\n.csv").unlink()
    other = Contents()
    other.add("project/data/ü\n.csv", b"other")
    contents, _ = gathered(run, contents=other)
    assert "project/data/ü\n.csv" not in contents.entries


def test_what_is_too_large_is_left_out_of_the_project_too(home: Path, run_of: Callable[..., RunDirectory]) -> None:
    """An input that lay near the code was kept with it; a program that a command names is no such input."""
    (home / "run.sh").write_text("echo 1234567890\n")
    run = run_of("data/a b.csv", command="bash {{ workflow_dir }}/run.sh")
    project = Contents()
    for name in ("run.sh", "data/a b.csv"):
        project.add(f"project/{name}", (home / name).read_bytes())
    contents, _ = gathered(run, largest=0, contents=project)
    assert list(contents.entries) == ["project/run.sh"]
    assert [(one.path, one.why) for one in contents.left_out] == [("project/data/a b.csv", "it is larger than 0 B")]


def test_what_the_project_has_left_out_is_told_once(home: Path, run_of: Callable[..., RunDirectory]) -> None:
    """An input that the snapshot had no room for is taken in, or told with where it can be had."""
    run = run_of("data/a b.csv", data_sources={"data": "https://example.org/data"})
    before = LeftOut("project/data/a b.csv", str(home / "data" / "a b.csv"), "larger than 5 MB", 1, "")
    contents, _ = gathered(run, contents=Contents(left_out=[before]))
    assert (list(contents.entries), contents.left_out) == (["project/data/a b.csv"], [])
    contents, _ = gathered(run, largest=0, contents=Contents(left_out=[before]))
    assert [(one.why, one.where) for one in contents.left_out] == [
        ("it is larger than 0 B", "https://example.org/data")
    ]


def test_names_that_a_package_refuses_are_left_out(home: Path, run_of: Callable[..., RunDirectory]) -> None:
    """Two names that some file system cannot tell apart, and one that is no text, do not stop it."""
    (home / "data" / "A B.csv").write_text("A")
    Path(os.fsdecode(os.fsencode(home / "data") + b"/\xff")).write_text("b")
    contents, _ = gathered(run_of("data/A B.csv", "data/a b.csv"))
    assert list(contents.entries) == ["project/data/A B.csv"]
    assert ["one" in one.why for one in contents.left_out] == [True]


def test_what_cannot_be_read_is_left_out(
    home: Path, run_of: Callable[..., RunDirectory], monkeypatch: pytest.MonkeyPatch
) -> None:
    """An input that was locked since does not stop it."""
    run = run_of("data")

    def locked(path: Path) -> str:
        if path.name == "a b.csv":
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))
        return file_digest(path)

    monkeypatch.setattr(module, "file_digest", locked)
    contents, _ = gathered(run)
    assert [one.why for one in contents.left_out] == ["it cannot be read: Permission denied"]


def test_where_inputs_can_be_had_is_said_in_the_metadata(home: Path, run_of: Callable[..., RunDirectory]) -> None:
    """By path, folder or pattern, the closest first; users and tokens are taken out of the addresses."""
    run = run_of(
        "data",
        "../shared/set",
        data_sources={
            "data/*.csv": "https://ada:pw12345678@example.org/all?token=abcdefgh12345",
            "data/a b.csv": "doi:10.5281/zenodo.1",
            str(home.parent / "shared"): "ftp://example.org/shared",
        },
    )
    contents, _ = gathered(run, largest=0)
    assert {Path(one.original).name: one.where for one in contents.left_out} == {
        "a b.csv": "doi:10.5281/zenodo.1",
        "ü\n.csv": "https://example.org/all?token=[redacted]",
        "x.csv": "ftp://example.org/shared",
        "y.csv": "ftp://example.org/shared",
    }


@pytest.mark.parametrize("said", ["https://example.org", {"data": 7}])
def test_sources_that_are_no_mapping_are_told(said: Any, run_of: Callable[..., RunDirectory]) -> None:
    """A run cannot be made anew for it: the package is made, with a warning."""
    contents, _ = gathered(run_of("data", data_sources=said), largest=0)
    assert {one.where for one in contents.left_out} == {""}
    assert ["data_sources" in one for one in contents.warnings] == [True]


def test_sources_are_named_as_inputs_are_written(home: Path, run_of: Callable[..., RunDirectory]) -> None:
    """A path by `..` or `./` means the same file as in `inputs`; what means none of them is told."""
    sources = {"../shared/set/x.csv": "doi:10.1/x", "./data/": "doi:10.1/data", "data.csv": "doi:10.1/none"}
    contents, _ = gathered(run_of("data/a b.csv", "../shared/set/x.csv", data_sources=sources), largest=0)
    assert {Path(one.original).name: one.where for one in contents.left_out} == {
        "a b.csv": "doi:10.1/data",
        "x.csv": "doi:10.1/x",
    }
    assert ["names `data.csv`, which is none" in one for one in contents.warnings] == [True]


def test_very_many_inputs_have_their_sizes_from_the_disk(home: Path, run_of: Callable[..., RunDirectory]) -> None:
    """Of more than twenty the run notes digests alone; that is enough to take them in or to see a change."""
    for number in range(25):
        (home / "data" / f"{number:02}").write_text(str(number))
    run = run_of("data")
    (home / "data" / "07").write_text("other")
    contents, _ = gathered(run)
    assert len(contents.entries) == 26
    assert [(Path(one.original).name, one.size) for one in contents.left_out] == [("07", -1)]


def test_the_packaged_workflow_reads_them_from_the_package(home: Path, run_of: Callable[..., RunDirectory]) -> None:
    """However a folder from elsewhere was written; one that is not whole is read from where it was."""
    folder, file = home.parent / "shared" / "set", home.parent / "other" / "set" / "z.csv"
    line = f"cat {{{{ workflow_dir }}}}/../shared/set/x.csv {folder}/x.csv {{{{workflow_dir}}}}/../other/set/z.csv"
    run = run_of("data", "../shared/set/", str(file), command=line)
    place, other = "outside/2-set", "outside/1-set/z.csv"  # where the project has what the command names
    task = _packaged_task(run)
    assert task["inputs"] == ["data", place, other]
    inside = "{{ workflow_dir }}"
    assert task["command"] == f"cat {inside}/{place}/x.csv {inside}/{place}/x.csv {inside}/{other}"
    (folder / "inner" / "y.csv").write_text("changed")
    assert _packaged_task(run)["inputs"] == ["data", str(folder), other]


def _packaged_task(run: RunDirectory) -> dict[str, Any]:
    contents, nothing = Contents(), cast("Any", None)
    plan = Plan.from_document(read_document(run.plan))
    packaged = PackagedRun("p", run, read_document(run.manifest), plan, nothing, nothing)
    project = gather_project(packaged, contents)
    gather_inputs(packaged, contents, project, 1000)
    gather_workflow(packaged, contents, project)
    text = contents.entries[layout.WORKFLOW].source
    assert isinstance(text, bytes)
    [task] = yaml.safe_load(text)["tasks"]
    return task
