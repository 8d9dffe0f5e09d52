"""What is no number never looks like one."""

import csv
import json
import math
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from sciflow.execution import open_run

Run = Callable[..., "subprocess.CompletedProcess[str]"]

PROGRAM = """
import sciflow

def task(x, context):
    context.log_metric("score", 1000.0)
    context.log_metric("extra", 7.0)
    if x == 2:
        raise ValueError("no good")
    if x == 3:
        import os, signal
        os.kill(os.getpid(), signal.SIGKILL)
    if x == 4:
        import sys
        sys.exit(3)
    return {"score": float("nan") if x == 5 else float(x), "loss": -float("inf") if x == 6 else 1.0 / x}

workflow = sciflow.ExperimentalWorkflow("numbers")
workflow.add_task("task", task, success="loss < 1 or x != 7")
workflow.add_task("after", lambda task: {"twice": 2 * task["score"]}, depends_on=["task"])
workflow.add_parameter_space({"x": [1, 2, 3, 4, 5, 6]})
results = sciflow.Engine().execute_parameter_sweep(workflow)
"""


@pytest.fixture(scope="module")
def numbers(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder in which the program has run: of six combinations three fail, and one has a NaN."""
    folder = tmp_path_factory.mktemp("numbers")
    (folder / "score.py").write_text(PROGRAM)
    subprocess.run([sys.executable, "score.py"], cwd=folder, check=True)
    return folder


def test_failures_and_nan_are_told_apart(numbers: Path) -> None:
    """A NaN is the result of a completed combination; failures have states, and no numbers, not even logged ones."""
    results = open_run(runs=numbers / "sciflow-runs").results()
    frame = results.to_dataframe()
    assert frame["state"].tolist() == ["COMPLETED", "FAILED", "FAILED", "FAILED", "COMPLETED", "COMPLETED"]
    assert frame["score"].isna().tolist() == [False, True, True, True, True, False]
    assert frame["twice"].isna().tolist() == [False, True, True, True, True, False]
    assert frame["extra"].dropna().tolist() == [7.0, 7.0, 7.0]
    assert 1000.0 not in frame["score"].tolist()
    assert math.isnan(results.get_metric({"x": 5}, "score"))
    errors = results.failures().set_index("task")["error"]["task"].tolist()
    assert errors[0] == "no good"
    assert "SIGKILL" in errors[1]
    assert "3" in errors[2]


def test_the_best_is_a_number(numbers: Path) -> None:
    """Neither a failure nor NaN is ever the best; infinity is what the program said."""
    results = open_run(runs=numbers / "sciflow-runs").results()
    assert results.find_optimal_parameters("score") == {"x": 6}
    assert results.find_optimal_parameters("score", maximize=False) == {"x": 1}
    assert results.find_optimal_parameters("loss", maximize=False) == {"x": 6}
    assert len(results.ranking("score", count=10)) == 2


def test_no_file_has_numbers_of_failures(numbers: Path, sciflow: Run) -> None:
    """CSV has empty fields, JSON has null, the command line says how many are completed."""
    for name in ("table.csv", "table.json"):
        assert sciflow("collect", "--export", numbers / name, cwd=numbers).returncode == 3
    with (numbers / "table.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["score"] for row in rows] == ["1.0", "", "", "", "", "6.0"]
    assert [row["extra"] for row in rows] == ["7.0", "", "", "", "7.0", "7.0"]
    loaded = json.loads((numbers / "table.json").read_text())
    assert [row["score"] for row in loaded] == [1.0, None, None, None, None, 6.0]
    shown = sciflow("best", "score", "-n", "9", "--json", cwd=numbers)
    assert [one["value"] for one in json.loads(shown.stdout)["best"]] == [6.0, 1.0]
    assert "of the 3 combinations that are completed, of 6" in sciflow("best", "score", cwd=numbers).stdout
