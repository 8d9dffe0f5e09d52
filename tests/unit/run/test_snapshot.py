"""The code of a run's project, kept in the run as one file."""

from __future__ import annotations

import errno
import hashlib
import importlib
import json
import os
import shutil
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sciflow.engine import Engine
from sciflow.model.workflow import ExperimentalWorkflow
from sciflow.run import snapshot
from sciflow.run.project_files import project_files
from sciflow.run.snapshot import write_snapshot
from sciflow.run.stage import note_modules, stage
from sciflow.store.layout import PROJECT, PROJECT_FACTS, RunDirectory
from unit.scripted import blank_scripts

DEMO = Path(__file__).parents[3] / "examples" / "neural_network"


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """Return the folder of a project with a script."""
    _write(tmp_path / "project", {"run.sh": "echo 1\n"})
    return tmp_path / "project"


@pytest.fixture
def fresh_modules() -> Iterator[None]:
    """Forget the modules that a test has imported."""
    known = set(sys.modules)
    yield
    for name in set(sys.modules) - known:
        del sys.modules[name]


def _write(folder: Path, texts: dict[str, str]) -> None:
    for name, text in texts.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def kept(home: Path, command: str = "bash {{ workflow_dir }}/run.sh", **details: Any) -> Path:
    """Keep the project of a workflow of one command; the archive."""
    workflow = ExperimentalWorkflow("one", home)
    workflow.add_task("task", command=command, **details)
    folder = home.parent / "runs" / "one" / "1"
    (folder / "code").mkdir(parents=True, exist_ok=True)
    write_snapshot(Engine(runs=home.parent / "runs").compile(workflow), folder)
    assert [path.name for path in (folder / "code").iterdir()] == ["project.zip"]
    return folder / PROJECT


def names(archive: Path) -> list[str]:
    """The files in an archive, but for the list of them."""
    with zipfile.ZipFile(archive) as opened:
        return sorted(name for name in opened.namelist() if name != PROJECT_FACTS)


def facts(archive: Path) -> dict[str, Any]:
    """The list of what is where."""
    with zipfile.ZipFile(archive) as opened:
        return json.loads(opened.read(PROJECT_FACTS))


def test_files_are_where_they_were(home: Path) -> None:
    """With their bytes, whether they can be executed, and what is known of them."""
    _write(home, {"a b.txt": "a", "ü\n.dat": "u", "code/main.sh": "m"})
    (home / "code" / "main.sh").chmod(0o750)
    archive = kept(home, "bash {{ workflow_dir }}/run.sh; {{ workflow_dir }}/code/main.sh")
    assert names(archive) == ["a b.txt", "code/main.sh", "run.sh", "ü\n.dat"]
    with zipfile.ZipFile(archive) as opened:
        assert opened.read("ü\n.dat") == b"u"
        modes = {name: oct(opened.getinfo(name).external_attr >> 16) for name in ("code/main.sh", "run.sh")}
    assert modes == {"code/main.sh": "0o100755", "run.sh": "0o100644"}
    assert facts(archive) == {
        "format": 1,
        "directory": str(home),
        "import_path": [],
        "moved": {},
        "used": ["code/main.sh", "run.sh"],
        "left_out": [],
        "more_left_out": 0,
    }


def test_the_same_files_are_the_same_bytes(home: Path) -> None:
    """Neither the time nor the order in which files were made is in it."""
    _write(home, {"b.txt": "b", "a.txt": "a"})
    first = kept(home).read_bytes()
    for name in ("a.txt", "b.txt"):
        (home / name).unlink()
    _write(home, {"a.txt": "a", "b.txt": "b"})
    os.utime(home / "a.txt", (0, 0))
    assert kept(home).read_bytes() == first


def test_files_from_elsewhere_are_told_by_where_they_were(home: Path) -> None:
    """Each folder has a number, and one that the project has itself is not mixed with it."""
    _write(home.parent, {"x/lib/a.sh": "a", "y/lib/b.sh": "b"})
    _write(home, {"outside/1-lib/mine.sh": "m"})
    mine, a, b = home / "outside" / "1-lib" / "mine.sh", home.parent / "x/lib/a.sh", home.parent / "y/lib/b.sh"
    archive = kept(home, files={"m": str(mine), "a": str(a), "b": str(b)})
    moved = facts(archive)["moved"]
    assert set(moved) == {str(a), str(b)}
    assert len(set(moved.values())) == 2
    with zipfile.ZipFile(archive) as opened:
        assert {opened.read(name) for name in moved.values()} == {b"a", b"b"}
        assert opened.read("outside/1-lib/mine.sh") == b"m"
    assert len(names(archive)) == 4


def test_large_files_are_left_out(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One that is used may be larger, and is told with its digest; nothing else that is large is read."""
    monkeypatch.setattr(snapshot, "_LARGEST_USED", 20)
    monkeypatch.setattr(snapshot, "_LARGEST_NEAR", 10)
    _write(home, {"run.sh": "u" * 21, "fits.sh": "f" * 20, "near.txt": "n" * 11, "small.txt": "s" * 10})
    archive = kept(home, "bash {{ workflow_dir }}/run.sh; bash {{ workflow_dir }}/fits.sh")
    assert names(archive) == ["fits.sh", "small.txt"]
    told = [(one["path"], one["original"], one["size"], one["sha256"]) for one in facts(archive)["left_out"]]
    assert told == [
        ("run.sh", str(home / "run.sh"), 21, hashlib.sha256(b"u" * 21).hexdigest()),
        ("near.txt", str(home / "near.txt"), 11, ""),
    ]


def test_packages_of_earlier_results_stay_out(home: Path) -> None:
    """Each would hold those before it; archives of anything else, and what only looks like one, are kept."""
    with zipfile.ZipFile(home / "old.zip", "w") as bag, zipfile.ZipFile(home / "data.zip", "w") as data:
        bag.writestr("old/bagit.txt", "")
        data.writestr("x/y/bagit.txt", "")
    (home / "bagit.txt").write_text("the file alone")
    for name, member in (("old.tar.gz", home / "bagit.txt"), ("data.tgz", home / "run.sh")):
        with tarfile.open(home / name, "w:gz") as archive:
            archive.add(member, f"old/{member.name}")
    (home / "bagit.txt").unlink()
    _write(home, {"no.zip": "none", "no.tar.gz": "none"})
    archive = kept(home)
    assert names(archive) == ["data.tgz", "data.zip", "no.tar.gz", "no.zip", "run.sh"]
    assert {one["path"] for one in facts(archive)["left_out"]} == {"old.zip", "old.tar.gz"}
    assert "earlier results" in facts(archive)["left_out"][0]["why"]
    assert "old.zip" in names(kept(home, inputs=["old.zip"], command="bash {{ workflow_dir }}/old.zip"))


def test_what_is_too_large_elsewhere_was_not_moved(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is told as left out, and nothing points to where it would be."""
    monkeypatch.setattr(snapshot, "_LARGEST_USED", 20)
    _write(home.parent, {"x/deck.j2": "d" * 21})
    told = facts(kept(home, files={"deck": "../x/deck.j2"}))
    assert (told["moved"], [one["path"] for one in told["left_out"]]) == ({}, ["outside/1-x/deck.j2"])


def test_very_many_files_are_kept_up_to_a_limit(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What looks like code comes first; of the rest some are named, and the others counted."""
    monkeypatch.setattr(snapshot, "_MOST_FILES", 3)
    monkeypatch.setattr(snapshot, "_MOST_NAMED", 2)
    _write(home, {f"{number}.dat": "" for number in range(6)} | {"z.py": "", "z.F90": ""})
    archive = kept(home)
    assert names(archive) == ["0.dat", "run.sh", "z.F90", "z.py"]
    told = facts(archive)
    assert ([one["path"] for one in told["left_out"]], told["more_left_out"]) == (["1.dat", "2.dat"], 3)


def test_all_that_lies_near_has_a_limit_together(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A smaller file may still find room after one that does not."""
    monkeypatch.setattr(snapshot, "_MOST_BYTES", 10)
    _write(home, {"a": "a" * 8, "b": "b" * 3, "c": "c" * 2})
    archive = kept(home)
    assert names(archive) == ["a", "c", "run.sh"]
    assert [(one["path"], one["why"]) for one in facts(archive)["left_out"]] == [
        ("b", "beyond 2000 files or 0 MB that nobody has said to be used")
    ]


def test_what_cannot_be_read_is_left_out(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The run is made all the same."""
    _write(home, {"locked.txt": "l"})
    read = Path.read_bytes

    def refused(path: Path) -> bytes:  # root can read whatever its mode is
        if path.name == "locked.txt":
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))
        return read(path)

    monkeypatch.setattr(Path, "read_bytes", refused)
    archive = kept(home)
    assert names(archive) == ["run.sh"]
    assert [one["why"] for one in facts(archive)["left_out"]] == ["it cannot be read: Permission denied"]


def test_files_that_vanish_meanwhile_stop_nothing(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Between the look at the folder and the reading, others may tidy up."""
    _write(home, {"gone.txt": "g"})
    find = project_files

    def find_and_lose(*given: Any) -> Any:
        found = find(*given)
        (home / "gone.txt").unlink()
        (home / "run.sh").unlink()
        return found

    monkeypatch.setattr(snapshot, "project_files", find_and_lose)
    archive = kept(home)
    assert names(archive) == []
    why = "it vanished while the run was made"
    told = [(one["path"], one["why"], one["size"], one["sha256"]) for one in facts(archive)["left_out"]]
    assert told == [("run.sh", why, -1, ""), ("gone.txt", why, -1, "")]


def test_a_name_that_is_no_text_is_left_out(home: Path) -> None:
    """Archives hold names of text only."""
    Path(os.fsdecode(os.fsencode(home) + b"/\xff.txt")).write_text("b")
    archive = kept(home)
    assert names(archive) == ["run.sh"]
    assert [(one["path"], one["why"]) for one in facts(archive)["left_out"]] == [("?.txt", "its name is no text")]


@pytest.mark.usefixtures("fresh_modules")
def test_a_run_that_goes_on_has_the_new_file(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A comment changes no work, but what stands in the run is what is run from then on."""
    _write(home, {"going_on_5.py": "def work(): return {'n': 1}\n"})
    monkeypatch.syspath_prepend(str(home))
    module = importlib.import_module("going_on_5")
    workflow = ExperimentalWorkflow("one", home)
    workflow.add_task("task", module.work)
    engine = Engine(runs=home.parent / "runs")
    run = stage(engine.compile(workflow), engine.runs, blank_scripts())
    _write(home, {"going_on_5.py": "def work(): return {'n': 1}  # one\n"})
    note_modules(engine.compile(workflow), run)
    with zipfile.ZipFile(run / PROJECT) as opened:
        assert opened.read("going_on_5.py").endswith(b"# one\n")


@pytest.mark.usefixtures("fresh_modules")
def test_modules_are_found_by_the_names_that_they_had(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where the workflow's folder is a part of a package, and its modules are named from the folder around it."""
    texts = {"__init__.py": "", "work_9.py": "import lib_9\n\n\ndef work(): return {'n': lib_9.N}\n"}
    _write(tmp_path / "repository" / "inner_9", texts)
    _write(tmp_path / "repository", {"lib_9.py": "N = 1\n"})
    monkeypatch.syspath_prepend(str(tmp_path / "repository"))
    workflow = ExperimentalWorkflow("one", tmp_path / "repository" / "inner_9")
    workflow.add_task("task", importlib.import_module("inner_9.work_9").work)
    engine = Engine(runs=tmp_path / "runs")
    run = stage(engine.compile(workflow), engine.runs, blank_scripts())
    [path] = facts(run / PROJECT)["import_path"]
    assert names(run / PROJECT) == [
        "__init__.py",
        *(f"outside/1-repository/{name}" for name in ("inner_9/__init__.py", "inner_9/work_9.py", "lib_9.py")),
        "work_9.py",
    ]
    there = _unpacked(run, tmp_path)
    assert _printed("import inner_9.work_9; print(inner_9.work_9.work())", there, there / path) == "{'n': 1}"


def _unpacked(run: RunDirectory, folder: Path) -> Path:
    with zipfile.ZipFile(run / PROJECT) as opened:
        opened.extractall(folder / "elsewhere")
    return folder / "elsewhere"


def _printed(code: str, *import_path: Path) -> str:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, import_path))}
    command = [sys.executable, "-c", code]
    answer = subprocess.run(
        command, cwd=import_path[0].parent, env=environment, capture_output=True, text=True, check=True
    )
    return answer.stdout.strip()


@pytest.mark.usefixtures("fresh_modules")
def test_the_demo_can_be_imported_from_what_was_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its module and the data that this reads without saying so are all there, in a fresh interpreter elsewhere."""
    home = tmp_path / "my demo"
    shutil.copytree(DEMO, home, ignore=shutil.ignore_patterns("__pycache__", "sciflow-runs"))
    monkeypatch.syspath_prepend(str(home))
    monkeypatch.delitem(sys.modules, "network", raising=False)
    workflow = ExperimentalWorkflow("demo", home)
    workflow.add_task("preprocess_data", importlib.import_module("network").preprocess_function)
    engine = Engine(runs=tmp_path / "runs")
    run = stage(engine.compile(workflow), engine.runs, blank_scripts())
    there = _unpacked(run, tmp_path)
    shutil.rmtree(home)
    code = "import network; print(network.__file__, len(network.preprocess_function()['x_train']))"
    assert _printed(code, there).split() == [str(there / "network.py"), "1438"]
