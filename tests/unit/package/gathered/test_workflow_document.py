"""The workflow of a package says what was run, and what cannot be as it was."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sciflow import Engine, ExperimentalWorkflow
from sciflow.errors import PackageError
from sciflow.model.document import Document
from sciflow.package import layout
from sciflow.package.contents import Contents
from sciflow.package.gathered.project import Project
from sciflow.package.gathered.workflow_document import Again, gather_workflow
from sciflow.package.opened_run import opened_run
from sciflow.store.layout import RunDirectory
from sciflow_shim import files

Gathered = tuple[dict[str, Any], Contents, Again]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a run of stored functions and a command that read files from elsewhere; no test changes it."""
    folder = tmp_path_factory.mktemp("elsewhere")
    data = folder / "data"
    data.mkdir()
    (data / "1.csv").write_text("1\n")
    (data / "2.csv").write_text("2\n")
    (folder / "exp").mkdir()
    workflow = ExperimentalWorkflow("elsewhere", folder / "exp")
    named = f"def read(x): return {{'y': len(open('{data}/1.csv').read()) + x}}"
    (folder / "reading.py").write_text(named)
    space: dict[str, Any] = {"__name__": "__main__"}
    exec(compile(named, str(folder / "reading.py"), "exec"), space)  # as a notebook's cell
    workflow.add_task("read-1", space["read"], inputs=[str(data / "1.csv")])
    workflow.add_task("read_1", space["read"])
    command = f"cat {data}/{{{{ x }}}}.csv {data}/1.csv {data}/1.csv.old {folder}/exp 2>/dev/null || : "
    command += "{{ seed }} {{ a }} {{ twice }}"
    workflow.add_task("show", command=command, inputs=[str(data / f"{x}.csv") for x in (1, 2)])
    workflow.add_task("gather", lambda show, x: {"n": len(show)}, depends_on=["show"], over=["seed"])
    workflow.add_task("way", lambda x: {"z": x}, inputs=["../data/2.csv"])  # it could be found by its neighbourhood
    workflow.add_parameter_space(
        {"x": [1, 2], "seed": {"repeat": 2, "seed": 1}, "a": [1e-05]},
        constraints=["x < 2 or seed > 0"],
        derived={"twice": "x * 2"},
    )
    return Engine(runs=folder / "runs").execute_parameter_sweep(workflow).run.path


@pytest.fixture
def gathered() -> Callable[..., Gathered]:
    """Return a function that gathers the workflow of a run whose inputs are moved."""

    def made(run: Path, moved: dict[str, str] | None = None) -> Gathered:
        contents = Contents()
        with opened_run(RunDirectory(run), "p") as packaged:
            again = gather_workflow(packaged, contents, Project(moved=dict(moved or {})))
        entry = contents.entries.get(layout.WORKFLOW)
        text = bytes(entry.source).decode() if entry and isinstance(entry.source, bytes) else ""
        return Document(text, "packaged-workflow.yaml", PackageError).value, contents, again

    return made


def test_a_space_that_rules_give_is_written_by_its_rules(run: Path, gathered: Callable[..., Gathered]) -> None:
    """Axes, repeats, constraints and derived parameters stand as they were written; seeds are those that ran."""
    document, _, again = gathered(run)
    assert document["parameters"]["x"] == [1, 2]
    assert document["parameters"]["a"] == [1e-05]
    assert len(document["parameters"]["seed"]["repeat"]) == 2
    assert document["constraints"] == ["x < 2 or seed > 0"]
    assert document["derived"] == {"twice": "x * 2"}
    assert again.why_not == ()


def test_each_stored_function_has_a_name_and_a_file_of_its_own(run: Path, gathered: Callable[..., Gathered]) -> None:
    """Tasks whose names are one word for Python do not share a function."""
    document, contents, again = gathered(run)
    references = [task["python"] for task in document["tasks"] if "python" in task]
    assert references == [
        "packaged_functions:task_1_read_1",
        "packaged_functions:task_2_read_1",
        "packaged_functions:task_3_gather",
        "packaged_functions:task_4_way",
    ]
    assert {f"{layout.STORED}/{name}.pickle" for name in ("read-1", "read_1", "gather")} <= contents.entries.keys()
    assert again.functions["gather"] == {"pickle": "run/code/gather.pickle"}


def test_commands_name_files_where_the_package_has_them(run: Path, gathered: Callable[..., Gathered]) -> None:
    """Whole paths are replaced, also where a parameter makes the name; a longer name is another file."""
    data = run.parents[2] / "data"
    moved = {str(data / f"{x}.csv"): f"outside/inputs/1-data/{x}.csv" for x in (1, 2)}
    document, contents, _ = gathered(run, moved)
    [show] = [task for task in document["tasks"] if task["name"] == "show"]
    place = "{{ workflow_dir }}/outside/inputs/1-data"
    assert show["command"].startswith(
        f"cat {place}/{{{{ x }}}}.csv {place}/1.csv {data}/1.csv.old {{{{ workflow_dir }}}} "
    )
    assert show["inputs"] == list(moved.values())
    warned = [text for text in contents.warnings if str(data) in text]
    assert [text.partition(" names")[0] for text in warned] == [
        "`run/code/read-1.py` of task `read-1`",
        "`run/code/read_1.py` of task `read_1`",
    ]


def test_functions_that_find_moved_inputs_by_themselves_are_told(run: Path, gathered: Callable[..., Gathered]) -> None:
    """A path from the code, such as `../data/2.csv`, leads nowhere in a package: that is said when it is made."""
    moved = {str(run.parents[2] / "data" / "2.csv"): "outside/inputs/1-data/2.csv"}
    _, contents, _ = gathered(run, moved)
    [warned] = [text for text in contents.warnings if "by itself" in text]
    assert warned.startswith("the function of task `way` finds its input `../data/2.csv` by itself")
    assert "`project/outside/inputs/1-data/2.csv`" in warned


def test_a_run_of_an_early_version_says_why_it_is_not_run_again(
    run: Path, gathered: Callable[..., Gathered], tmp_path: Path
) -> None:
    """Without the workflow there is no file, and a sentence that says so."""
    early = shutil.copytree(run, tmp_path / run.name)
    (early / files.WORKFLOW).unlink()
    _, contents, again = gathered(early)
    assert layout.WORKFLOW not in contents.entries
    assert again.why_not == ("the run was made by a sciflow that did not keep its workflow",)
