"""Verbs that look for the best: best, suggest."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sciflow.engine import Engine
from sciflow.execution import open_run
from sciflow.loading import load_workflow

Command = Callable[..., Any]
WORKFLOW = """\
name: valley  # to be searched
parameters:
  x: [0, 2, 4, 6, 8]
  y: [0.0, 1.0]
  seed: {repeat: 2}
tasks:
  - name: dig
    python: dig:dig
"""
PROGRAM = """\
from pathlib import Path


def dig(x, y, seed):
    with (Path(__file__).parent / "done.txt").open("a") as file:
        file.write(f"{x} {y} {seed}\\n")
    return {"loss": (x - 5) ** 2 / 10 + (y - 0.3) ** 2 + seed % 5 / 1000, "cost": 1.0 * x}
"""


@pytest.fixture(scope="module")
def valley_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a workflow that has been run; no test changes it, each has a copy."""
    folder = tmp_path_factory.mktemp("valley")
    (folder / "valley.yaml").write_text(WORKFLOW)
    (folder / "dig.py").write_text(PROGRAM)
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.chdir(folder)
        Engine().execute_parameter_sweep(load_workflow("valley.yaml"))
    return folder


@pytest.fixture
def valley(valley_once: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the folder of a workflow that has been run, as if it had been run there."""
    shutil.copytree(valley_once, tmp_path, symlinks=True, dirs_exist_ok=True)
    run = (tmp_path / "sciflow-runs" / "latest").resolve()
    for path in (run / "manifest.json", *(run / "code").glob("*.json")):
        path.write_text(path.read_text().replace(str(valley_once), str(tmp_path)))
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    return tmp_path


def test_suggestions_extend_the_workflow_and_nothing_is_computed_twice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sciflow: Command
) -> None:
    """The next run takes over all that is finished, computes what was added alone, and finds something better."""
    valley = tmp_path
    monkeypatch.chdir(valley)
    monkeypatch.syspath_prepend(valley)
    (valley / "valley.yaml").write_text(WORKFLOW)
    (valley / "dig.py").write_text(PROGRAM)
    assert sciflow("run", "valley.yaml").code == 0
    first = sciflow("best", "loss", "--minimize", "--json").json["best"][0]
    told = sciflow("suggest", "loss", "--minimize", "-n", "2")
    assert "foretells" in told.out
    assert "with their repeats these are 4 combinations\n(`--write` adds them to valley.yaml)\n" in told.out
    assert (valley / "valley.yaml").read_text() == WORKFLOW
    answer = sciflow("suggest", "loss", "--minimize", "-n", "2", "--write", "--json").json
    assert answer["added"] == len(answer["combinations"]) == 4
    assert (valley / "valley.yaml").read_text().startswith(f"{WORKFLOW}include:\n  - {{x: ")
    again = sciflow("run", "valley.yaml", "--json").json
    assert again["combinations"] == {"completed": 24, "total": 24}
    done = (valley / "done.txt").read_text().splitlines()
    assert len(done) == len(set(done)) == 24
    best = sciflow("best", "loss", "--minimize", "--json").json["best"][0]
    assert best["value"] < first["value"]
    assert best["parameters"] in [one["parameters"] for one in answer["suggestions"]]
    assert "already; next: sciflow run" in _written_again(sciflow, answer)


def _written_again(sciflow: Command, answer: Any) -> str:
    """What is said where the workflow has the suggestions of its earlier run already."""
    return sciflow("suggest", answer["run"], "loss", "--minimize", "-n", "2", "--write").out


def test_best_says_what_cannot_be_told_from_it_and_what_is_around(valley: Path, sciflow: Command) -> None:
    """Of repeats the mean; as text and as JSON; conditions name their coverage."""
    text = sciflow("best", "loss", "--minimize", "--around").out
    assert text.splitlines()[0].split() == ["x", "y", "loss", "repeats", "low", "high"]
    assert "others cannot be told from it (" in text or "others are worse beyond doubt (" in text
    assert "y: the best is at the edge, 0 is the smallest value; extend the axis, for instance to -1" in text
    document = sciflow("best", "loss", "--minimize", "--around", "--where", "x < 5", "--json").json
    assert document["best"][0]["parameters"] == {"x": 4, "y": 0.0}
    assert document["repeats"] == ["seed"]
    assert document["coverage"] == {"present": 6, "total": 6}
    assert document["comparison"]["test"].endswith("5 comparisons with the best")
    assert {one["parameter"] for one in document["flatness"]["neighbours"]} == {"x", "y"}
    shown = sciflow("best", "loss", "--where", "x < 5", "--test", "welch").out
    assert "(6 of 6 combinations where `x < 5` holds have a value)" in shown
    assert "Welch's t-tests" in shown


def test_best_of_several_metrics_is_a_front(valley: Path, sciflow: Command) -> None:
    """Each metric with its direction; members that are uncertain are marked."""
    text = sciflow("best", "loss", "--minimize", "--and-minimize", "cost").out
    assert text.splitlines()[0].split() == ["x", "y", "loss", "cost"]
    assert "combinations are on the front of the smallest `loss` and the smallest `cost`" in text
    document = sciflow("best", "loss", "--minimize", "--and-minimize", "cost", "--json").json
    assert [one["x"] for one in document["front"]] == [4, 2, 0]
    assert document["objectives"][1] == {"metric": "cost", "maximize": False, "unit": None}
    assert sciflow("best", "loss", "--and-minimize", "cost", "--around").code == 2


def test_optimal_parameters_have_no_value_for_what_repeats(valley: Path) -> None:
    """They are those of the best mean."""
    results = open_run().results()
    assert results.find_optimal_parameters("loss", maximize=False) in ({"x": 4, "y": 0.0}, {"x": 6, "y": 0.0})
    assert results.suggest("loss", maximize=False, count=1, space=results.space).settings[0]["x"] == 5
    assert results.flatness("loss", maximize=False).word("x") is not None


def test_rules_that_results_do_not_know_are_asked_for(valley: Path, sciflow: Command) -> None:
    """Functions are in the program alone, which also says what to paste; selections have no rules at all."""
    (valley / "program.py").write_text(
        "import sciflow\nfrom dig import dig\n"
        "workflow = sciflow.ExperimentalWorkflow('program')\n"
        "workflow.add_parameter_space({'x': [0, 2, 4, 6, 8], 'y': [0.0, 1.0], 'seed': [1]})\n"
        "workflow.add_constraint(lambda x: x != 5)\n"
        "workflow.add_task('dig', dig)\n"
    )
    assert sciflow("run", "program.py").code == 0
    refused = sciflow("suggest", "loss", "--minimize")
    assert refused.code == 1
    assert "the rules of the parameter space are not known" in refused.err
    assert "--workflow experiment.py" in refused.err
    told = sciflow("suggest", "loss", "--minimize", "-n", "1", "--workflow", "program.py", "--write").out
    assert "include=[  # of add_parameter_space\n    {'x': " in told
    assert "{'x': 5," not in told
    assert "is `seed` a repeat?" in sciflow("best", "loss").out
    part = sciflow("best", "loss", "--repeats", "seed", "--json").json
    assert part["repeats"] == ["seed"]
