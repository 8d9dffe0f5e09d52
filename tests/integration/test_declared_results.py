"""What is declared and does not come is seen as such, from the workflow file to the table."""

import subprocess
from collections.abc import Callable
from pathlib import Path

from sciflow.execution import open_run
from sciflow.store.results import read_tables

Run = Callable[..., "subprocess.CompletedProcess[str]"]

PROGRAM = """
def evaluate(x):
    if x == 1:
        return {"loss": 0.5}
    if x == 2:
        return {"accuracy": "high", "loss": 0.5}
    return {"accuracy": float("nan") if x == 3 else 1 if x == 4 else 0.5, "loss": 0.25}

def after(evaluate):
    return {"twice": 2 * evaluate["accuracy"]}
"""
WORKFLOW = """
name: declared
parameters: {x: [0, 1, 2, 3, 4]}
tasks:
  - name: evaluate
    python: programs:evaluate
    results:
      accuracy: {type: float, unit: "%", minimum: 0, finite: true}
      loss: {type: float, required: false}
    success: "accuracy > 0.2 and loss < 1"
  - name: after
    python: programs:after
    depends_on: [evaluate]
"""


def test_a_result_that_is_missing_or_wrong_is_a_state(tmp_path: Path, sciflow: Run) -> None:
    """Missing, ill-typed and NaN are CRITERIA_NOT_MET by name, nothing after them runs, and the table has no number."""
    (tmp_path / "programs.py").write_text(PROGRAM)
    (tmp_path / "workflow.yaml").write_text(WORKFLOW)
    done = sciflow("run", "workflow.yaml", "--json")
    assert done.returncode == 3, done.stderr
    results = open_run("latest", runs=tmp_path / "sciflow-runs").results()
    table = results.to_dataframe()
    assert table["state"].tolist() == ["COMPLETED", *["CRITERIA_NOT_MET"] * 3, "COMPLETED"]
    assert table["accuracy"].isna().tolist() == [False, True, True, True, False]
    assert (table["accuracy"].dtype, table["twice"].iloc[4]) == ("float64", 2.0)
    failed = results.failures()
    failed = failed[failed["task"] == "evaluate"]
    assert failed["error_type"].tolist() == ["ResultMissing", "ResultType", "ResultRange"]
    assert all("`accuracy` is declared as float that is finite with minimum 0, but" in one for one in failed["error"])
    instances = results.instances()
    assert instances[instances["task"] == "after"]["state"].tolist().count("UPSTREAM_FAILED") == 3


def test_a_mistake_in_a_rule_is_found_before_anything_runs(tmp_path: Path, sciflow: Run) -> None:
    """With declared results, a function's rule can only name these; the message has the line and the name meant."""
    (tmp_path / "programs.py").write_text(PROGRAM)
    (tmp_path / "workflow.yaml").write_text(WORKFLOW.replace("accuracy > 0.2", "acuracy > 0.2"))
    done = sciflow("plan", "workflow.yaml")
    assert done.returncode == 1
    assert "names `acuracy`, which is neither a parameter nor one of the metrics in its `results`" in done.stderr
    assert "did you mean `accuracy`?" in done.stderr
    (tmp_path / "workflow.yaml").write_text(WORKFLOW.replace("type: float, unit", "type: flot, unit"))
    done = sciflow("plan", "workflow.yaml")
    assert done.returncode == 1
    assert "workflow.yaml, line 8: `tasks.evaluate.results.accuracy.type` is 'flot'" in done.stderr
    assert "did you mean `float`?" in done.stderr


def test_units_reach_the_collected_table(tmp_path: Path, sciflow: Run) -> None:
    """The unit that a result was declared with stands with the columns."""
    (tmp_path / "programs.py").write_text(PROGRAM)
    (tmp_path / "workflow.yaml").write_text(WORKFLOW)
    sciflow("run", "workflow.yaml")
    path = open_run("latest", runs=tmp_path / "sciflow-runs").path / "results.h5"
    assert read_tables(path).facts["units"] == {"accuracy": "%"}
