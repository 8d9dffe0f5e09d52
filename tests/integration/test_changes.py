"""A changed program repeats what has changed, and nothing else."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Run = Callable[..., "subprocess.CompletedProcess[str]"]

PROGRAM = """
import sciflow
from steps import scale

LIMIT = 3

def first(x):
    return {"a": scale(x)}

def second(first, x):
    return {"b": first["a"] + LIMIT}

def third(second):
    return {"c": -second["b"]}

workflow = sciflow.ExperimentalWorkflow("study", directory=__import__("os").path.dirname(__file__))
workflow.add_task("first", first)
workflow.add_task("second", second, depends_on=["first"])
workflow.add_task("third", third, depends_on=["second"])
workflow.add_task("aside", lambda x: {"d": x}, inputs=["data.txt"])
workflow.add_parameter_space({"x": [1, 2, 3]})
"""
STEPS = "def scale(x):\n    return 10 * x\n"


@pytest.fixture
def study(tmp_path: Path, sciflow: Run) -> Callable[[], dict[str, Any]]:
    """Return a function that runs the study, and the study run once: 12 instances over three combinations."""
    (tmp_path / "study.py").write_text(PROGRAM)
    (tmp_path / "steps.py").write_text(STEPS)
    (tmp_path / "data.txt").write_text("data")

    def run() -> dict[str, Any]:
        done = sciflow("run", "study.py", "--json")
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    assert run()["reused"] == 0
    return run


def edit(path: Path, old: str, new: str) -> None:
    """Replace a piece of a file."""
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


UNCHANGED = {
    "a comment": ("study.py", 'return {"b"', '# the sum\n    return {"b"'),
    "a comment in a module": ("steps.py", "def scale", "# ten times\n\n\ndef scale"),
    "another place": ("study.py", "\nLIMIT = 3", "\n\n\n\nLIMIT = 3  # at most"),
    "a figure": (
        "study.py",
        "workflow.add_parameter_space",
        'workflow.add_visualization("f", {"type": "line", "x_axis": "x", "value": "c"})\nworkflow.add_parameter_space',
    ),
}


@pytest.mark.parametrize("name", UNCHANGED)
def test_what_does_not_change_the_work_repeats_nothing(
    study: Callable[[], dict[str, Any]], tmp_path: Path, name: str
) -> None:
    """Comments, layout and figures are not what a function does."""
    file, old, new = UNCHANGED[name]
    edit(tmp_path / file, old, new)
    document = study()
    assert (document["continued"], document["reused"]) == (True, 0)


# What was changed, and how many of the 12 instances are taken over.
CHANGED = {
    "a body": ("study.py", "+ LIMIT", "- LIMIT", 6),
    "a constant": ("study.py", "LIMIT = 3", "LIMIT = 4", 6),
    "the first task": ("study.py", "scale(x)}", "scale(x) + 1}", 3),
    "the last task": ("study.py", "-second", "+second", 9),
    "a function that is called": ("steps.py", "10 * x", "11 * x", 3),
    "an input file": ("data.txt", "data", "other data", 9),
    "an axis": ("study.py", "[1, 2, 3]", "[3, 1, 4]", 8),
    "a new task": ("study.py", "workflow.add_parameter", 'workflow.add_task("new", first)\nworkflow.add_parameter', 12),
}


@pytest.mark.parametrize("name", CHANGED)
def test_what_has_changed_runs_with_what_depends_on_it(
    study: Callable[[], dict[str, Any]], tmp_path: Path, name: str
) -> None:
    """A function whose body, constants, callees or inputs have changed runs again, and so does what comes after."""
    file, old, new, reused = CHANGED[name]
    edit(tmp_path / file, old, new)
    document = study()
    assert (document["continued"], document["reused"]) == (False, reused)
    assert document["combinations"] == {"completed": 3, "total": 3}


def test_the_results_are_those_of_the_new_code(
    study: Callable[[], dict[str, Any]], tmp_path: Path, sciflow: Run
) -> None:
    """What was taken over and what ran anew fit together."""
    edit(tmp_path / "study.py", "+ LIMIT", "- LIMIT")
    study()
    best = json.loads(sciflow("best", "c", "-n", "3", "--json").stdout)
    assert [(one["parameters"]["x"], one["value"]) for one in best["best"]] == [(1, -7), (2, -17), (3, -27)]


def test_back_again_is_taken_over(study: Callable[[], dict[str, Any]], tmp_path: Path) -> None:
    """Of all earlier runs, not only of the last one."""
    edit(tmp_path / "study.py", "+ LIMIT", "- LIMIT")
    study()
    edit(tmp_path / "study.py", "- LIMIT", "+ LIMIT")
    edit(tmp_path / "study.py", "[1, 2, 3]", "[1, 2]")
    assert study()["reused"] == 8


def test_code_that_changes_while_a_run_goes_is_not_used(
    study: Callable[[], dict[str, Any]], tmp_path: Path, sciflow: Run
) -> None:
    """An array that starts after an edit fails with the file's name; started again, all goes on with the new code."""
    edit(tmp_path / "study.py", "from steps import scale", "from steps import scale, later")
    edit(
        tmp_path / "study.py",
        "workflow.add_parameter",
        'workflow.add_task("z", later, depends_on="first")\nworkflow.add_parameter',
    )
    edit(
        tmp_path / "study.py",
        'return {"a": scale(x)}',
        'open("steps.py", "a").write("# seen\\n") if x == 1 else 0; return {"a": scale(x)}',
    )
    edit(tmp_path / "steps.py", "def scale", 'def later(first):\n    return {"e": first["a"]}\n\ndef scale')
    failed = sciflow("run", "study.py", "--json")
    assert failed.returncode != 0
    assert "`steps.py` has changed since the run was planned" in sciflow("status").stdout
    again = json.loads(sciflow("run", "study.py", "--json").stdout)
    assert again["continued"]
    assert again["combinations"] == {"completed": 3, "total": 3}


COMMAND = """
name: roots
parameters: {x: [4, -1, 9]}
tasks:
  - name: root
    command: "python3 {{ workflow_dir }}/root.py {{ x }}"
    extract: {r: {stdout: "r=(.*)", type: float}}
"""
ROOT = "import math, sys\nprint('r=%g' % math.sqrt(int(sys.argv[1])))\n"


def test_a_program_that_changes_while_a_run_goes_is_not_used(tmp_path: Path, sciflow: Run) -> None:
    """A retry runs no other program under the name of the old one: it says so, until that is back or a run is new."""
    (tmp_path / "study.yaml").write_text(COMMAND)
    script = tmp_path / "root.py"
    script.write_text(ROOT)
    assert sciflow("run", "study.yaml").returncode == 3
    script.write_text(ROOT.replace("math.sqrt(int(sys.argv[1]))", "99"))
    text = sciflow("retry").stdout
    assert "2 of 3 combinations completed" in text
    assert "file changed" in sciflow("retry", "-n").stdout
    assert "`root.py` has changed since the run was planned" in sciflow("status").stdout
    refused = json.loads(sciflow("retry", "-n", "--json").stdout)["decisions"]
    assert [(one["cause"], one["action"]) for one in refused] == [("file_changed", "left alone")]
    again = json.loads(sciflow("run", "study.yaml", "--json").stdout)
    assert (again["continued"], again["reused"]) == (False, 0)
    best = json.loads(sciflow("best", "r", "-n", "3", "--json").stdout)
    assert [one["value"] for one in best["best"]] == [99.0] * 3
