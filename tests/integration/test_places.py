"""Wherever a run is made, moved to, or looked at from."""

import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from sciflow.execution import open_run

Run = Callable[..., "subprocess.CompletedProcess[str]"]

PROGRAM = """
import sciflow
from beside import scale

def first(x, context):
    path = context.working_directory / "out.txt"
    path.write_text(f"{x}")
    return {"a": scale(x), "file": path}

def total(first):
    return {"sum": sum(one["a"] for one in first), "text": "".join(one["file"].read_text() for one in first)}

workflow = sciflow.ExperimentalWorkflow("places")
workflow.add_task("first", first)
command = "cat {{ workflow_dir }}/data.txt; echo v={{ x }}"
workflow.add_task("command", command=command, extract={"v": {"stdout": "v=(.*)"}})
workflow.add_task("total", total, depends_on=["first"], over="all")
workflow.add_parameter_space({"x": [1, 2, 3]})

if __name__ == "__main__":
    results = sciflow.Engine().execute_parameter_sweep(workflow)
    print(results.completed, results.get_metric({"x": 2}, "sum"), results.get_metric({"x": 2}, "text"))
"""

NAMES = [
    "plain",
    "with spaces",
    'it\'s "quoted"',
    "$HOME `ls` $(ls) \\ ;&|",
    "Übung für Ωmega 测试",
    "-n",
    "a%20b#c?d",
    "new\nline",
]


def make(folder: Path) -> Path:
    """Write the program into a new folder."""
    folder.mkdir(parents=True)
    (folder / "places.py").write_text(PROGRAM)
    (folder / "beside.py").write_text("def scale(x):\n    return 10 * x\n")
    (folder / "data.txt").write_text("data\n")
    return folder


@pytest.mark.parametrize("name", NAMES)
def test_any_path_will_do(tmp_path: Path, python: Run, sciflow: Run, name: str) -> None:
    """Spaces, quotes, dollars, unicode and line breaks in a path are nobody's concern: program, command and script."""
    folder = make(tmp_path / name)
    done = python("places.py", cwd=folder)
    assert (done.returncode, done.stdout) == (0, "3 60 123\n"), done.stderr
    assert sciflow("status", cwd=folder).returncode == 0
    assert sciflow("exec", "latest", "command", "1", cwd=folder).stdout == "data\nv=2\n"
    assert sciflow("run", "places.py", "--fresh", cwd=folder).returncode == 0
    run = open_run(runs=folder / "sciflow-runs")
    by_hand = subprocess.run(
        ["bash", str(run.directory.script("first.0")), "2"], cwd="/", capture_output=True, text=True, check=False
    )
    assert by_hand.returncode == 0, by_hand.stderr
    assert run.status().indices["first.0"][2].attempt == 2


def test_a_program_is_started_from_anywhere(tmp_path: Path, python: Run, sciflow: Run) -> None:
    """Runs are where one stands; modules are beside the program."""
    folder = make(tmp_path / "project")
    here = tmp_path / "deep" / "elsewhere"
    here.mkdir(parents=True)
    (folder / "places.py").write_text(
        PROGRAM.replace('ExperimentalWorkflow("places")', f'ExperimentalWorkflow("places", directory={str(folder)!r})')
    )
    done = sciflow("run", "../../project/places.py", cwd=here)
    assert done.returncode == 0, done.stderr + done.stdout
    assert open_run(runs=here / "sciflow-runs").results().completed == 3
    again = python("../../project/places.py", cwd=here)
    assert (again.returncode, again.stdout) == (0, "3 60 123\n"), again.stderr


def test_a_copy_gives_the_same_results(tmp_path: Path, python: Run, sciflow: Run) -> None:
    """A run that was copied elsewhere, the original gone, has the same tables, logs and files."""
    folder = make(tmp_path / "project")
    assert python("places.py", cwd=folder).returncode == 0
    original = open_run(runs=folder / "sciflow-runs")
    before, instances = original.results().to_dataframe(), original.results().instances()
    copy = tmp_path / "archive" / "my copy"
    shutil.copytree(original.path, copy, symlinks=True)
    (copy / "results.h5").unlink()
    shutil.rmtree(folder)
    done = sciflow("collect", copy, "--export", tmp_path / "table.csv", cwd=Path("/"))
    assert done.returncode == 0, done.stderr
    results = open_run(copy).results()
    assert results.to_dataframe().equals(before)
    kept = [name for name in instances if name != "run"]
    assert results.instances()[kept].equals(instances[kept])
    assert results.get_metric({"x": 3}, "sum") == 60
    assert sciflow("logs", copy, "command[0]", cwd=Path("/")).stdout == "data\nv=1\n"


def test_a_copy_can_be_worked_on(tmp_path: Path, python: Run, sciflow: Run) -> None:
    """An index of a copied run finds its inputs in the copy, while the project is where it was."""
    folder = make(tmp_path / "project")
    assert python("places.py", cwd=folder).returncode == 0
    original = open_run(runs=folder / "sciflow-runs").path
    copy = tmp_path / "elsewhere"
    shutil.move(original, copy)
    done = sciflow("exec", copy, "total", "0", "--json", cwd=Path("/"))
    assert json.loads(done.stdout)["state"] == "COMPLETED", done.stdout + done.stderr
    assert sciflow("collect", copy, cwd=Path("/")).returncode == 0
    assert open_run(copy).results().get_metric({"x": 1}, "text") == "123"
