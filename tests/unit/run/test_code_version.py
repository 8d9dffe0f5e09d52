"""Which version of the code a run is made from."""

from __future__ import annotations

import hashlib
import json
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from sciflow.engine import Engine
from sciflow.loading import load_workflow
from sciflow.model.workflow import ExperimentalWorkflow
from sciflow.run import code_version
from sciflow.run.stage import stage
from sciflow.store.layout import RunDirectory
from unit.scripted import blank_scripts

Git = Callable[..., str]
IDENTITY = [
    "-c",
    "user.name=n",
    "-c",
    "user.email=e",
    "-c",
    "init.defaultBranch=main",
    "-c",
    "protocol.file.allow=always",
]


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder for a project, with no repository around it."""
    for name in ("GIT_DIR", "GIT_INDEX_FILE", "GIT_WORK_TREE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path))
    (tmp_path / "project").mkdir()
    (tmp_path / "project" / "run.sh").write_text("echo 1\n")
    return tmp_path / "project"


@pytest.fixture
def git(project: Path) -> Git:
    """Return a function that calls git in a folder, the project's if nothing is said; the repository is made."""

    def call(*arguments: str, folder: Path = project) -> str:
        command = ["git", "-C", str(folder), *IDENTITY, *arguments]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()

    call("init")
    call("add", ".")
    call("commit", "-m", "first")
    return call


def staged(project: Path, runs: Path | None = None) -> tuple[dict[str, Any], RunDirectory]:
    """Stage a workflow of one command; the version of its code, and the run."""
    engine = Engine(runs=runs or project.parent / "runs")
    workflow = ExperimentalWorkflow("one", project)
    workflow.add_task("task", command="bash {{ workflow_dir }}/run.sh")
    run = stage(engine.compile(workflow), engine.runs, blank_scripts())
    return json.loads(run.manifest.read_text())["code"], run


def test_a_commit_tells_it_all(project: Path, git: Git) -> None:
    """In a repository without changes: commit, branch, no remote, and not dirty."""
    code, _ = staged(project)
    assert code == {"commit": git("rev-parse", "HEAD"), "branch": "main", "remote": "", "dirty": False}


def test_what_was_changed_since_is_kept(project: Path, git: Git) -> None:
    """Changed files by name and as a diff, new ones by name, renamed ones by their new name."""
    (project / "old name").write_text("a\n" * 20)
    git("add", ".")
    git("commit", "-m", "second")
    git("mv", "old name", "new näme")
    (project / "run.sh").write_text("echo 2 --password=hunter2\n")
    (project / "new.py").write_text("b = 1\n")
    code, run = staged(project)
    assert code["dirty"] is True
    assert (code["changed"], code["untracked"]) == (["new näme", "run.sh"], ["new.py"])
    diff = (run / code["diff"]).read_text()
    assert "+echo 2 --password=[redacted]" in diff
    assert "hunter2" not in diff


def test_new_files_alone_are_no_diff(project: Path, git: Git) -> None:
    """There is nothing to compare them with."""
    (project / "new.py").write_text("b = 1\n")
    code, run = staged(project)
    assert (code["dirty"], code["untracked"], "diff" in code) == (True, ["new.py"], False)
    assert not (run.path / "code" / "working-tree.diff").exists()


def test_runs_within_the_repository_are_no_change(project: Path, git: Git) -> None:
    """The folder in which runs are made is no code, whether git knows of it or not."""
    code, _ = staged(project, project / "sciflow-runs")
    assert (code["dirty"], "untracked" in code) == (False, False)
    code, _ = staged(project, project / "sciflow-runs")
    assert code["dirty"] is False


def test_too_many_files_are_counted(project: Path, git: Git, monkeypatch: pytest.MonkeyPatch) -> None:
    """A manifest stays a file that one can read."""
    monkeypatch.setattr(code_version, "_MOST_NAMES", 2)
    for name in "abc":
        (project / name).write_text("")
    code, _ = staged(project)
    assert (code["untracked"], code["more_untracked"]) == (["a", "b"], 1)


def test_a_diff_that_is_too_large_is_not_kept(project: Path, git: Git, monkeypatch: pytest.MonkeyPatch) -> None:
    """That there are changes is said all the same."""
    monkeypatch.setattr(code_version, "_LARGEST_DIFF", 10)
    (project / "run.sh").write_text("echo 2\n")
    code, _ = staged(project)
    assert (code["changed"], "diff" in code) == (["run.sh"], False)


@pytest.mark.parametrize(
    ("url", "kept"),
    [
        ("https://anna:hunter2@example.org/a/b.git", "https://example.org/a/b.git"),
        ("https://" + "ghp_" + "a1B2" * 9 + "@github.com/a/b", "https://github.com/a/b"),
        ("https://shorttoken@example.org/a", "https://example.org/a"),
        ("https://example.org/a@b", "https://example.org/a@b"),
        ("ssh://git@example.org/a/b.git", "ssh://git@example.org/a/b.git"),
        ("git@example.org:a/b.git", "git@example.org:a/b.git"),
        ("/srv/git/a.git", "/srv/git/a.git"),
    ],
)
def test_the_remote_is_told_without_its_password(project: Path, git: Git, url: str, kept: str) -> None:
    """User and password of a URL for HTTP, which may be a token; the user of SSH is just a name."""
    git("remote", "add", "origin", url)
    assert staged(project)[0]["remote"] == kept


def test_the_remote_is_that_of_the_branch(project: Path, git: Git) -> None:
    """A branch that follows another remote than `origin` says so."""
    git("remote", "add", "origin", "https://example.org/origin.git")
    git("remote", "add", "fork", "https://example.org/fork.git")
    git("config", "branch.main.remote", "fork")
    assert staged(project)[0]["remote"] == "https://example.org/fork.git"


def test_a_commit_on_no_branch_has_none(project: Path, git: Git) -> None:
    """A detached head is told by its commit."""
    git("checkout", "--detach")
    assert staged(project)[0]["branch"] == ""


def test_submodules_are_told_by_commit(project: Path, git: Git, tmp_path: Path) -> None:
    """Each with its path, and whether what is checked out is what was recorded."""
    inner = tmp_path / "inner"
    inner.mkdir()
    git("init", folder=inner)
    git("commit", "--allow-empty", "-m", "one", folder=inner)
    first = git("rev-parse", "HEAD", folder=inner)
    git("submodule", "add", str(inner), "libs/inner (old)")
    git("commit", "-m", "with a submodule")
    assert staged(project)[0]["submodules"] == [{"path": "libs/inner (old)", "commit": first, "state": "as recorded"}]
    checkout = project / "libs/inner (old)"
    git("commit", "--allow-empty", "-m", "two", folder=checkout)
    code, _ = staged(project)
    second = git("rev-parse", "HEAD", folder=checkout)
    assert code["submodules"] == [{"path": "libs/inner (old)", "commit": second, "state": "moved"}]
    assert code["dirty"] is True
    git("submodule", "deinit", "--force", "--all")
    assert staged(project)[0]["submodules"] == [{"path": "libs/inner (old)", "commit": first, "state": "absent"}]


def test_without_a_commit_files_are_told_by_digest(project: Path) -> None:
    """Those that the commands name, each and all together."""
    code, _ = staged(project)
    digest = hashlib.sha256(b"echo 1\n").hexdigest()
    assert code == {
        "files": {"run.sh": digest},
        "sha256": hashlib.sha256(f"{digest}  run.sh\n".encode()).hexdigest(),
    }


def test_a_repository_without_a_commit_is_none(project: Path) -> None:
    """Nothing of it could be found again."""
    subprocess.run(["git", "-C", str(project), "init"], check=True, capture_output=True)
    assert "files" in staged(project)[0]


@pytest.fixture
def imports() -> Iterator[None]:
    """Forget what a test imports."""
    path, modules = list(sys.path), set(sys.modules)
    yield
    sys.path[:] = path
    for name in set(sys.modules) - modules:
        if name.startswith("version_"):
            del sys.modules[name]


@pytest.mark.usefixtures("imports")
def test_without_a_commit_modules_are_told_by_digest(project: Path) -> None:
    """All modules of the project that a function reaches, also those that others import."""
    (project / "version_a.py").write_text("import version_b\n\ndef work(x):\n    return version_b.y\n")
    (project / "version_b.py").write_text("y = 1\n")
    document = {"name": "w", "parameters": {"x": [1]}, "tasks": [{"name": "t", "python": "version_a:work"}]}
    (project / "workflow.yaml").write_text(json.dumps(document))
    engine = Engine(runs=project.parent / "runs")
    run = stage(engine.compile(load_workflow(str(project / "workflow.yaml"))), engine.runs, blank_scripts())
    code = json.loads(run.manifest.read_text())["code"]
    assert set(code["modules"]) == {"version_a.py", "version_b.py"}
    assert code["modules"]["version_b.py"] == hashlib.sha256(b"y = 1\n").hexdigest()
    assert re.fullmatch("[0-9a-f]{64}", code["sha256"])


def test_a_machine_without_git_tells_files(project: Path, git: Git, monkeypatch: pytest.MonkeyPatch) -> None:
    """What cannot be asked is not waited for."""
    monkeypatch.setenv("PATH", "")
    assert set(staged(project)[0]) == {"files", "sha256"}


def test_where_there_is_nothing_of_the_project_there_is_no_version(tmp_path: Path, project: Path) -> None:
    """A command that names no file of its folder."""
    engine = Engine(runs=tmp_path / "runs")
    workflow = ExperimentalWorkflow("one", project)
    workflow.add_task("task", command="true")
    run = stage(engine.compile(workflow), engine.runs, blank_scripts())
    assert json.loads(run.manifest.read_text())["code"] == {}
