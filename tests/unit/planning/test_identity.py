"""What a result depends on: digests of code and input files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from sciflow.errors import WorkflowError
from sciflow.model.profile import ClusterProfile
from sciflow.model.workflow import ExperimentalWorkflow
from sciflow.planning.identity import file_digests, recipes
from sciflow.planning.uses import find_uses
from sciflow.store import digests
from sciflow.store.digests import KnownDigests

PROFILE = ClusterProfile(name="here", scheduler="local")


def test_files_are_digested_by_their_bytes(tmp_path: Path) -> None:
    """A folder by all files in it; one that is missing is named."""
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "a").write_bytes(b"1")
    (tmp_path / "b").write_bytes(b"1")
    found = file_digests(["data", "b"], tmp_path, KnownDigests())
    assert list(found) == [str(tmp_path / "data" / "a"), str(tmp_path / "b")]
    assert len(set(found.values())) == 1
    with pytest.raises(WorkflowError, match="the input `c` cannot be read: No such file or directory: "):
        file_digests(["c"], tmp_path, KnownDigests())


def _recipes(folder: Path, profile: ClusterProfile = PROFILE, **changes: Any) -> dict[str, str]:
    details: dict[str, Any] = {"command": "bash {{ workflow_dir }}/a.sh {{ x }}", "inputs": ["b"], **changes}
    workflow = ExperimentalWorkflow("w", folder)
    workflow.add_parameter_space({"x": [1]})
    workflow.add_task("one", **details)
    workflow.add_task("two", command="true", depends_on="one")
    workflow.add_task("other", command="true")
    return {task: one.digest for task, one in recipes(find_uses(workflow), folder, profile).items()}


@pytest.mark.parametrize(
    "changes",
    [
        {"command": "bash {{ workflow_dir }}/a.sh -v {{ x }}"},
        {"environment": {"A": "1"}},
        {"outputs": ["o"]},
        {"success": "x > 0"},
        {"missing": "skip"},
        {"files": {"in": "deck.j2"}},
        {"extract": {"m": {"stdout": "x"}}},
        {"outputs": ["o"], "results": {"o": {"type": "path"}}},
        {"inputs": []},
    ],
)
def test_a_recipe_is_that_of_the_task_and_of_all_before_it(tmp_path: Path, changes: Any) -> None:
    """A change reaches the tasks that read the changed one, and no other."""
    for name in ("a.sh", "b", "deck.j2"):
        (tmp_path / name).write_text("1")
    before, after = _recipes(tmp_path), _recipes(tmp_path, **changes)
    assert before == _recipes(tmp_path)
    assert (before["one"] != after["one"], before["two"] != after["two"]) == (True, True)
    assert before["other"] == after["other"]


@pytest.mark.parametrize("name", ["a.sh", "b"])
def test_files_that_a_task_reads_belong_to_its_recipe(tmp_path: Path, name: str) -> None:
    """Inputs that are declared, and programs beside the workflow that the command names."""
    for one in ("a.sh", "b"):
        (tmp_path / one).write_text("1")
    before = _recipes(tmp_path)
    (tmp_path / name).write_text("2")
    assert _recipes(tmp_path)["two"] != before["two"]


def test_which_deck_a_template_becomes_belongs_to_the_recipe(tmp_path: Path) -> None:
    """Two templates that change places give other decks, from the same texts."""
    for name in ("a.sh", "b", "1.j2", "2.j2"):
        (tmp_path / name).write_text(name)
    before = _recipes(tmp_path, files={"in": "1.j2", "out": "2.j2"})
    assert _recipes(tmp_path, files={"in": "2.j2", "out": "1.j2"})["one"] != before["one"]


@pytest.mark.parametrize("changes", [{"environment": {"SOLVER": "fast"}}, {"setup": ("module load solver/2",)}])
def test_what_the_profile_sets_up_belongs_to_every_recipe(tmp_path: Path, changes: Any) -> None:
    """Another solver gives other results; the profile's name, limits and capacity give the same."""
    for name in ("a.sh", "b"):
        (tmp_path / name).write_text("1")
    before = _recipes(tmp_path)
    assert _recipes(tmp_path, ClusterProfile(name="there", scheduler="slurm", shared=False)) == before
    after = _recipes(tmp_path, PROFILE.model_copy(update=changes))
    assert all(after[task] != before[task] for task in ("one", "two", "other"))


def test_what_is_recorded_belongs_to_no_recipe(tmp_path: Path) -> None:
    """Asking for one more variable makes no result another one."""
    for name in ("a.sh", "b"):
        (tmp_path / name).write_text("1")
    assert _recipes(tmp_path) == _recipes(tmp_path, metadata={"variables": ["HOME"], "commands": {"a": "b"}})


def test_a_large_input_is_read_once_for_all_plans(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where the one after it is missing: what was read stays known."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    for name in ("a.sh", "b"):
        (tmp_path / name).write_bytes(b"1" * 100_000)
    monkeypatch.setattr(digests, "RACY", -60.0)
    with pytest.raises(WorkflowError, match="`missing` cannot be read"):
        _recipes(tmp_path, inputs=["b", "missing"])
    monkeypatch.setattr(digests, "file_digest", lambda path: pytest.fail(f"{path} is read again"))
    known = KnownDigests()
    assert set(file_digests(["a.sh", "b"], tmp_path, known)) == {str(tmp_path / "a.sh"), str(tmp_path / "b")}
