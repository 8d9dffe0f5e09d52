"""The 81 combinations of the example, word for word, however the program is started."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sciflow.execution import Run as OpenedRun
from sciflow.execution import open_run
from sciflow.model.state import State

Run = Callable[..., "subprocess.CompletedProcess[str]"]


def check(run: OpenedRun) -> None:
    """Check that everything ran, each instance once."""
    assert run.plan.instances == {"preprocess_data": 1, "train_model": 81, "evaluate_model": 81}
    assert run.status().counts() == {State.COMPLETED: 163}
    results = run.results()
    assert (len(results), results.completed) == (81, 81)
    frame = results.to_dataframe()
    assert len(frame.drop_duplicates(subset=results.parameters)) == 81
    assert set(run.results().instances()["attempt"]) == {1}


@pytest.mark.parametrize("way", ["file", "-c", "exec"])
def test_the_program_runs(tmp_path: Path, python: Run, block: str, functions: str, answer: str, way: str) -> None:
    """As a file, given to `python -c`, or by `exec`: the answer is the same, and so is what was said."""
    program = functions + block
    (tmp_path / "experiment.py").write_text(program)
    done = {
        "file": lambda: python("experiment.py"),
        "-c": lambda: python("-c", program),
        "exec": lambda: python("-c", "exec(open('experiment.py').read())"),
    }[way]()
    assert done.returncode == 0, done.stderr
    assert done.stdout == answer
    assert "Traceback" not in done.stderr
    assert "profile `local` is not shared" in done.stderr
    check(open_run(runs=tmp_path / "sciflow-runs"))


def test_functions_in_a_module_beside_it(tmp_path: Path, python: Run, block: str, functions: str, answer: str) -> None:
    """Functions that are imported, as in the example itself, run from wherever the program is started."""
    (tmp_path / "project").mkdir()
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "project" / "network.py").write_text(functions)
    names = "preprocess_function, train_function, evaluate_function"
    (tmp_path / "project" / "experiment.py").write_text(f"from network import {names}\n{block}")
    done = python(str(tmp_path / "project" / "experiment.py"), cwd=tmp_path / "elsewhere")
    assert (done.returncode, done.stdout) == (0, answer), done.stderr
    run = open_run(runs=tmp_path / "elsewhere" / "sciflow-runs")
    check(run)
    assert not list((run.path / "code").glob("*.pickle"))


def test_lambdas_and_closures(tmp_path: Path, python: Run, block: str, functions: str, answer: str) -> None:
    """Functions without a name, with state of their own, and made by other functions run all the same."""
    more = """
import functools

class Trainer:
    def __init__(self, train):
        self.train = train
    def __call__(self, preprocess_data, learning_rate, hidden_layers, neurons_per_layer, dropout_rate):
        return self.train(preprocess_data, learning_rate, hidden_layers, neurons_per_layer, dropout_rate)

def made_by(function):
    @functools.wraps(function)
    def inner(*arguments, **named):
        return function(*arguments, **named)
    return inner

original = preprocess_function
preprocess_function = lambda: original()
train_function = Trainer(train_function)
evaluate_function = made_by(evaluate_function)
"""
    (tmp_path / "experiment.py").write_text(functions + more + block)
    done = python("experiment.py")
    assert (done.returncode, done.stdout) == (0, answer), done.stderr
    check(open_run(runs=tmp_path / "sciflow-runs"))


def test_the_program_again_repeats_nothing(
    tmp_path: Path, python: Run, sciflow: Run, block: str, functions: str, answer: str
) -> None:
    """A second start gives the same answer from what is there, and so does the command line."""
    (tmp_path / "experiment.py").write_text(functions + block)
    assert python("experiment.py").returncode == 0
    run = open_run(runs=tmp_path / "sciflow-runs")
    journal = run.directory.journal.read_bytes()
    assert python("experiment.py").stdout == answer
    best = json.loads(sciflow("best", "validation_accuracy", "--json").stdout)
    assert f"Best parameters: {best['best'][0]['parameters']}\n" == answer.splitlines(keepends=True)[0]
    assert run.directory.journal.read_bytes() == journal
    assert [path.name for path in (tmp_path / "sciflow-runs" / "neural_network_training").iterdir()] == [run.run_id]


def test_a_longer_axis_runs_what_is_new(tmp_path: Path, sciflow: Run, block: str, functions: str) -> None:
    """Of 108 combinations, 81 are there already: the command says how many instances it took over."""
    (tmp_path / "experiment.py").write_text(functions + block)
    first: Any = json.loads(sciflow("run", "experiment.py", "--json").stdout)
    assert (first["combinations"], first["reused"]) == ({"completed": 81, "total": 81}, 0)
    (tmp_path / "experiment.py").write_text(functions + block.replace("[0.001, 0.01, 0.1]", "[0.001, 0.01, 0.1, 1.0]"))
    second = sciflow("run", "experiment.py")
    assert second.returncode == 0, second.stderr
    assert "163 task instances were taken over from earlier runs" in second.stdout
    assert "108 of 108 combinations completed" in second.stdout
    attempts = open_run(runs=tmp_path / "sciflow-runs").results().instances()["attempt"].tolist()
    assert (attempts.count(0), attempts.count(1)) == (163, 54)
