"""The files of a project that a run is made of."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sciflow.engine import Engine
from sciflow.model.workflow import ExperimentalWorkflow
from sciflow.run.project_files import ProjectFiles, is_key, project_files

Find = Callable[..., ProjectFiles]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the folder of a project with a script, with no repository around it."""
    for name in ("GIT_DIR", "GIT_INDEX_FILE", "GIT_WORK_TREE"):
        monkeypatch.delenv(name, raising=False)
    folder = tmp_path / "project"
    _write(folder, {"run.sh": "echo 1\n"})
    return folder


def _write(folder: Path, texts: dict[str, str]) -> None:
    for name, text in texts.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def _git(folder: Path, *arguments: str) -> None:
    said = ["-c", "user.name=n", "-c", "user.email=e", "-c", "protocol.file.allow=always"]
    subprocess.run(["git", "-C", str(folder), *said, *arguments], check=True, capture_output=True)


def found_in(home: Path, command: str = "bash {{ workflow_dir }}/run.sh", **details: Any) -> ProjectFiles:
    """Find the files of a workflow of one command."""
    workflow = ExperimentalWorkflow("one", home)
    workflow.add_task("task", command=command, **details)
    runs = home / "sciflow-runs"
    return project_files(Engine(runs=runs).compile(workflow), runs)


def names(paths: set[Path], home: Path) -> list[str]:
    """The paths from the project's folder."""
    return sorted(os.path.relpath(path, home) for path in paths)


def test_without_git_the_files_beside_those_used_are_near(home: Path) -> None:
    """Odd names are taken as they are; folders in which nothing is used are not looked into."""
    _write(home, {"a b.txt": "", "ü\n.dat": "", "code/main.sh": "", "code/table.csv": "", "data/big.csv": ""})
    found = found_in(home, "bash {{ workflow_dir }}/run.sh; bash {{ workflow_dir }}/code/main.sh")
    assert names(found.used, home) == ["code/main.sh", "run.sh"]
    assert names(found.near, home) == ["a b.txt", "code/table.csv", "ü\n.dat"]


def test_what_is_hidden_a_key_or_an_environment_is_not_near(home: Path) -> None:
    """Neither with git nor without it."""
    hidden = {".env": "", ".secret/a.py": "", "id_rsa": "", "server.pem": "", "aws_credentials.json": "", "token": ""}
    others = {"venv/pyvenv.cfg": "", "venv/lib/a.py": "", "node_modules/a.js": "", "sciflow-runs/one/1/a.json": ""}
    others |= {
        "bag/bagit.txt": "",
        "bag/data/project/a.py": "",
        "again/reproduction.json": "",
        "again/project/a.py": "",
    }
    _write(home, {**hidden, **others, "a.py": "", "inner/b.py": ""})
    assert names(found_in(home).near, home) == ["a.py"]
    _git(home, "init")
    assert names(found_in(home).near, home) == ["a.py", "inner/b.py"]
    _git(home, "add", "--all", "--force")
    assert names(found_in(home).near, home) == ["a.py", "inner/b.py"]


@pytest.mark.parametrize(
    ("name", "is_one"),
    [
        ("id_ed25519", True),
        ("a.KEY", True),
        ("db_password.txt", True),
        ("token.json", True),
        ("tokens.txt", False),
        ("dem.asc", False),
        ("keys.py", False),
        ("secretary.csv", False),
        (".netrc", True),
        (".env", True),
        (".env.local", True),
        (".env.example", False),
        (".environment.csv", False),
        (".pgpass", True),
        (".gitignore", False),
    ],
)
def test_keys_are_told_by_their_names(name: str, is_one: bool) -> None:
    """Words of language models and grids of heights are data."""
    assert is_key(name) is is_one


def test_git_says_what_belongs_to_the_project(home: Path) -> None:
    """Tracked or not yet, as they are now; what is ignored or was deleted is not."""
    _write(home, {".gitignore": "*.log\n", "a.py": "", "gone.py": "", "out.log": "", "inner/b.py": ""})
    _git(home, "init")
    _git(home, "add", ".")
    (home / "gone.py").unlink()
    _write(home, {"new ü\n.py": ""})
    assert names(found_in(home).near, home) == ["a.py", "inner/b.py", "new ü\n.py"]


def test_of_a_larger_repository_only_the_workflows_folder_counts(home: Path) -> None:
    """Paths are from that folder; where git ignores all of it, what lies beside the used files does."""
    _write(home.parent, {"top.py": "", "project/a.py": "", "project/inner/b.py": ""})
    _git(home.parent, "init")
    assert names(found_in(home).near, home) == ["a.py", "inner/b.py"]
    (home.parent / ".gitignore").write_text("project/\n")
    assert names(found_in(home).near, home) == ["a.py"]


def test_submodules_and_repositories_within_belong_to_it(home: Path) -> None:
    """Git itself names them only as folders."""
    other = home.parent / "other"
    _write(other, {"lib.py": ""})
    for folder in (other, home):
        _git(folder, "init")
    _git(other, "add", ".")
    _git(other, "commit", "-m", "first")
    _git(home, "submodule", "add", str(other), "sub")
    _write(home, {"loose/c.py": ""})
    _git(home / "loose", "init")
    assert names(found_in(home).near, home) == ["loose/c.py", "sub/lib.py"]


def test_a_hook_of_git_changes_nothing(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The repository that a hook speaks of in the environment is not the project's."""
    _write(home, {"inner/b.py": ""})
    _git(home, "init")
    monkeypatch.setenv("GIT_DIR", str(home.parent / "nowhere"))
    assert names(found_in(home).near, home) == ["inner/b.py"]


@pytest.mark.parametrize("is_git", [True, False])
def test_runs_are_no_code(home: Path, is_git: bool) -> None:
    """Wherever they are in the project, and whatever their folder is called; also beside the code itself."""
    _write(home, {"a.py": "", "my [runs]/one/1/a.json": "", "one/1/b.json": ""})
    if is_git:
        _git(home.parent, "init")
    workflow = ExperimentalWorkflow("one", home)
    workflow.add_task("task", command="bash {{ workflow_dir }}/run.sh {{ workflow_dir }}/one/1/b.json")
    for runs, near in (
        (home / "my [runs]", ["a.py"]),
        (home, ["a.py", "my [runs]/one/1/a.json"] if is_git else ["a.py"]),
    ):
        found = project_files(Engine(runs=runs).compile(workflow), runs)
        assert names(found.near, home) == near


def test_links_are_kept_where_they_stay_inside(home: Path) -> None:
    """One that leads out is kept only where it is used, under the name by which it is used."""
    _write(home.parent, {"shared/run.sh": "", "shared/lib/tool.sh": "", "shared/lib/near.txt": ""})
    for link, target in {"in": "run.sh", "out": "../shared/run.sh", "used.sh": "../shared/run.sh"}.items():
        (home / link).symlink_to(target)
    (home / "lib").symlink_to("../shared/lib")
    (home / "dead").symlink_to("nowhere")
    found = found_in(home, "bash {{ workflow_dir }}/used.sh; bash {{ workflow_dir }}/lib/tool.sh")
    assert names(found.used, home) == ["lib/tool.sh", "used.sh"]
    assert names(found.near, home) == ["in", "run.sh"]


def test_a_folder_of_everything_is_no_project(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In the home of a user, and above it, only what is used counts."""
    _write(home, {"letter.txt": "", "inner/b.sh": "", "inner/c.txt": ""})
    command = "bash {{ workflow_dir }}/run.sh; bash {{ workflow_dir }}/inner/b.sh"
    monkeypatch.setenv("HOME", str(home))
    assert names(found_in(home, command).near, home) == ["inner/c.txt"]
    _git(home, "init")
    assert names(found_in(home, command).near, home) == ["inner/c.txt"]
    monkeypatch.setenv("HOME", str(home / "inner"))
    assert names(found_in(home, command).near, home) == []


def test_a_user_without_a_home_has_projects_too(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In containers there may be nobody of that number."""

    def nobody(path: type[Path]) -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr(Path, "home", classmethod(nobody))
    _write(home, {"a.py": ""})
    assert names(found_in(home).near, home) == ["a.py"]


def test_scripts_bring_what_they_import(home: Path) -> None:
    """Modules beside them, packages whole, what those import in turn; a script that is no Python is just a file."""
    texts = {
        "main.py": "import os\nimport one\nfrom pack.deep import f\n",
        "one.py": "import loose.tool\n",
        "two.py": "",
        "pack/__init__.py": "import two\n",
        "pack/deep.py": "",
        "pack/__pycache__/deep.py": "",
        "loose/tool.py": "import main\n",
        "unused/x.py": "",
        "old.py": "print 1\n",
    }
    _write(home, texts)
    found = found_in(home, "python {{ workflow_dir }}/main.py; python {{ workflow_dir }}/old.py")
    used = ["loose/tool.py", "main.py", "old.py", "one.py", "pack/__init__.py", "pack/deep.py", "two.py"]
    assert names(found.used, home) == used


def test_decks_are_used(home: Path) -> None:
    """Templates of files belong to the run, wherever they are."""
    _write(home, {"decks/in.j2": "{{ x }}"})
    _write(home.parent, {"shared/out.j2": "{{ x }}"})
    workflow = ExperimentalWorkflow("one", home)
    workflow.add_task("task", command="cat a b", files={"a": "decks/in.j2", "b": "../shared/out.j2"})
    workflow.add_parameter_space({"x": [1]})
    found = project_files(Engine(runs=home / "runs").compile(workflow), home / "runs")
    assert names(found.used, home) == ["../shared/out.j2", "decks/in.j2"]


def test_modules_of_other_folders_are_used(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the folder of the import path in which each is found; of one folder within another, the inner one."""
    _write(home, {"of_home_7.py": "import of_src_7, of_outside_7.part\n\n\ndef work(): return {'n': 1}\n"})
    _write(home, {"src/of_src_7.py": ""})
    _write(home.parent, {"lib/of_outside_7/__init__.py": "", "lib/of_outside_7/part.py": ""})
    for folder in (home.parent, home.parent / "lib", home / "src", home):
        monkeypatch.syspath_prepend(str(folder))
    import of_home_7  # pyright: ignore[reportMissingImports]

    workflow = ExperimentalWorkflow("one", home)
    workflow.add_task("task", of_home_7.work)
    found = project_files(Engine(runs=home / "runs").compile(workflow), home / "runs")
    assert names(found.used, home) == [
        "../lib/of_outside_7/__init__.py",
        "../lib/of_outside_7/part.py",
        "of_home_7.py",
        "src/of_src_7.py",
    ]
    assert found.import_path == [home / "src", home.parent / "lib"]


def test_the_program_that_runs_is_used(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where it is the project's, with what it imports; that of an environment in the project is not."""
    _write(home, {"main.py": "import settings_7\n", "settings_7.py": "", "venv/pyvenv.cfg": "", "venv/bin/pytest": ""})
    monkeypatch.setattr(sys.modules["__main__"], "__file__", str(home / "main.py"), raising=False)
    assert names(found_in(home, "echo").used, home) == ["main.py", "settings_7.py"]
    monkeypatch.setattr(sys.modules["__main__"], "__file__", str(home / "venv" / "bin" / "pytest"))
    assert names(found_in(home, "echo").used, home) == []
