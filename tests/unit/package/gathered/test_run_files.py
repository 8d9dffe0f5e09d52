"""Which files of a run go into its package, and what is said of the others."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from sciflow.engine import Engine
from sciflow.errors import PackageError
from sciflow.model.workflow import ExperimentalWorkflow
from sciflow.package.contents import Contents, LeftOut
from sciflow.package.gathered.run_files import gather_run_files
from sciflow.package.opened_run import opened_run
from sciflow.package.packaged_run import PackagedRun
from sciflow.run.stage import stage
from sciflow.store.layout import RunDirectory
from unit.scripted import blank_scripts


@pytest.fixture(scope="module")
def gathered(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Contents]:
    """Return a function that gathers a run with results of every kind, scratch, a large log and files of others."""
    folder = tmp_path_factory.mktemp("results")

    def work(x, context):
        where = context.working_directory
        (where / "scratch.bin").write_bytes(b"s" * 10)
        (where / "checkpoint").mkdir(exist_ok=True)
        (where / "large.bin").write_bytes(b"l" * 3000)
        (where / "fields").mkdir()
        (where / "fields" / "a.txt").write_text("a")
        (where / "fields" / "b.txt").write_text("b")
        (where / "fields" / "A.txt").write_text("as `a.txt` where a file system knows no capitals")
        (where / "fields" / "back\\slash.txt").write_text("a path elsewhere")
        (folder / "private.txt").write_text("of somebody else")
        (where / "fields" / "out.txt").symlink_to(folder / "private.txt")
        (where / "fields" / "in.txt").symlink_to("b.txt")
        (where / "fields" / "tree").symlink_to(folder)
        outside = folder / "outside.bin"
        outside.write_bytes(b"o" * 5)
        (where / "gone.txt").write_text("gone")
        (where / "later.txt").write_text("first")
        names = ("large.bin", "fields", "gone.txt", "later.txt")
        return {**{name.partition(".")[0]: where / name for name in names}, "outside": outside}

    workflow = ExperimentalWorkflow("results", folder)
    workflow.add_task("work", work)
    workflow.add_parameter_space({"x": [1]})
    run = Engine(runs=folder / "runs").execute_parameter_sweep(workflow).run
    [place] = (run.path / "work" / "work").iterdir()
    (place / "gone.txt").unlink()
    (place / "later.txt").write_text("second time")
    (run.path / "logs" / "work.0").mkdir(parents=True, exist_ok=True)
    with (run.path / "logs" / "work.0" / "0.1.out").open("wb") as file:
        file.truncate((10 << 20) + 1)
    (run.path / "notes of mine.txt").write_text("mine")
    (run.path / "arrays.h5").write_bytes(b"joined")
    (run.path / "shim" / "sciflow_shim" / "__pycache__").mkdir(exist_ok=True)
    (run.path / "shim" / "sciflow_shim" / "__pycache__" / "x.pyc").write_bytes(b"x")

    def gather(largest: int = 10_000) -> Contents:
        contents = Contents()
        with opened_run(RunDirectory(run.path), "results") as packaged:
            gather_run_files(packaged, contents, largest)
        return contents

    return gather


def _left_out(contents: Contents, end: str) -> LeftOut:
    [found] = [one for one in contents.left_out if one.path.endswith(end)]
    return found


def test_results_are_taken_in_and_scratch_is_not(gathered: Callable[..., Contents]) -> None:
    """Files and folders that a record names are in it; what else lies in working directories is told once."""
    contents = gathered()
    names = {path.rpartition("/")[2] for path in contents.entries if path.startswith("run/work/")}
    assert names == {"large.bin", "A.txt", "b.txt", "in.txt", "later.txt"}
    assert "no record names" in _left_out(contents, "run/work").why
    assert {"run/manifest.json", "run/plan.json", "run/journal.jsonl", "run/results.h5"} <= set(contents.entries)


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("fields/out.txt", "a link to somewhere outside the run directory: /"),
        ("fields/tree", "a link to a folder, which is not followed"),
        ("fields/a.txt", "cannot both be in a package"),
        ("fields/back\\slash.txt", "cannot be a path within a package"),
    ],
)
def test_what_lies_in_a_result_folder_and_cannot_be_packed_is_told(
    gathered: Callable[..., Contents], name: str, why: str
) -> None:
    """Links that lead out of the run, and names that a package cannot have, are left out with the reason."""
    contents = gathered()
    assert why in _left_out(contents, name).why
    assert not [path for path in contents.entries if path.endswith(f"/{name}")]


def test_a_folder_of_the_run_may_lie_elsewhere_and_its_files_may_not(tmp_path: Path) -> None:
    """Logs that were moved to another disk are taken in; a link among them that leads out is left out and told."""
    (tmp_path / "disk").mkdir()
    (tmp_path / "disk" / "0.1.out").write_text("printed")
    (tmp_path / "private").write_text("of somebody else")
    (tmp_path / "disk" / "0.2.out").symlink_to(tmp_path / "private")
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "logs").symlink_to(tmp_path / "disk")
    contents = Contents()
    tables = SimpleNamespace(path=None, table=lambda _: {})
    packaged = SimpleNamespace(run=RunDirectory(tmp_path / "run"), results=SimpleNamespace(tables=tables))
    gather_run_files(cast("PackagedRun", packaged), contents)
    assert list(contents.entries) == ["run/logs/0.1.out"]
    assert str(tmp_path / "private") in _left_out(contents, "0.2.out").why


def test_tasks_that_differ_by_capitals_alone_are_refused_with_a_way_out(tmp_path: Path) -> None:
    """On some file systems their scripts are one: the package is refused, and the error says what helps."""
    workflow = ExperimentalWorkflow("alike", tmp_path)
    workflow.add_task("f", command="echo 1")
    workflow.add_task("F", command="echo 1")
    engine = Engine(runs=tmp_path / "runs")
    run = stage(engine.compile(workflow), engine.runs, blank_scripts())
    packaged = cast("PackagedRun", SimpleNamespace(run=run))
    with pytest.raises(PackageError, match="cannot both be in a package") as refused:
        gather_run_files(packaged, Contents())
    assert "rename one" in str(refused.value.hint)


def test_what_python_compiled_and_what_is_of_this_machine_stays_out(gathered: Callable[..., Contents]) -> None:
    """Neither `__pycache__`, nor the lock, nor what was noted of collecting is in a package, and nobody misses them."""
    contents = gathered()
    told = [*contents.entries, *(one.path for one in contents.left_out)]
    assert not [path for path in told if "__pycache__" in path or path.endswith(("driver.lock", "collected.json"))]


def test_a_large_result_is_left_out_with_its_digest(gathered: Callable[..., Contents]) -> None:
    """Its digest is the one that its record has."""
    one = _left_out(gathered(largest=1000), "/large.bin")
    assert (one.size, one.sha256) == (3000, hashlib.sha256(b"l" * 3000).hexdigest())
    assert "larger than 1000 B" in one.why


def test_results_that_are_gone_or_elsewhere_are_told(gathered: Callable[..., Contents]) -> None:
    """Each with why, and with the digest of its record."""
    contents = gathered()
    gone, outside = _left_out(contents, "/gone.txt"), _left_out(contents, "-outside.bin")
    assert "not there any more" in gone.why
    assert gone.sha256 == hashlib.sha256(b"gone").hexdigest()
    assert "outside the run directory" in outside.why
    assert outside.original.endswith("/outside.bin")
    assert outside.sha256 == hashlib.sha256(b"ooooo").hexdigest()


def test_a_result_that_has_changed_since_is_told(gathered: Callable[..., Contents]) -> None:
    """It is in the package as it is, and a warning says that its record knows another one."""
    [text] = gathered().warnings
    assert "later.txt` has changed since its record was written" in text


def test_large_logs_joined_arrays_and_files_of_others_are_left_out(gathered: Callable[..., Contents]) -> None:
    """Each is told with why; what can be made again is told how."""
    contents = gathered()
    assert "a log above 10 MB" in _left_out(contents, "0.1.out").why
    assert "--join-arrays" in _left_out(contents, "arrays.h5").why
    assert _left_out(contents, "arrays.h5").sha256 == hashlib.sha256(b"joined").hexdigest()
    assert _left_out(contents, "notes of mine.txt").why == "it is no file of a run"


def test_nothing_tells_where_the_run_lies(gathered: Callable[..., Contents], tmp_path: Path) -> None:
    """What was left out is named from the run directory, wherever that is now."""
    inside = [one for one in gathered().left_out if not one.path.endswith("-outside.bin")]
    assert [one.original for one in inside if one.original.startswith("/")] == []
