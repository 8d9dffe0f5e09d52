"""Both examples, whole, as their READMEs say to run them."""

import ast
import csv
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import h5py
import pytest

EXAMPLES = Path(__file__).parents[2] / "examples"
PROGRAMS = Path(sys.executable).parent


def run(*command: str | Path, directory: Path) -> str:
    """Run a command to its end, with the commands of this environment on its path; gives what it prints."""
    environment = {**os.environ, "PATH": f"{PROGRAMS}{os.pathsep}{os.environ['PATH']}"}
    done = subprocess.run(
        command, cwd=directory, env=environment, capture_output=True, text=True, timeout=600, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def exported(directory: Path, *which: Path) -> list[dict[str, str]]:
    """The table of a run, the latest if none is named, as `collect --export` writes it."""
    run("sciflow", "collect", *which, "--export", "table.csv", directory=directory)
    with (directory / "table.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def test_the_neural_network_trains_81_times_and_finds_a_good_one(tmp_path: Path) -> None:
    """The program prints the best of 81 combinations, about 99 % of the images, and where the results are."""
    if demo := os.environ.get("SCIFLOW_DEMO_PRINTED"):  # what `make demo` has printed, which is the same program
        printed = Path(demo).read_text()
    else:
        printed = run(sys.executable, EXAMPLES / "neural_network" / "experiment.py", directory=tmp_path)
    said = dict(re.findall(r"^(Best parameters|Best accuracy|Results): (.+)$", printed, re.M))
    best = ast.literal_eval(said["Best parameters"])
    assert list(best) == ["learning_rate", "hidden_layers", "neurons_per_layer", "dropout_rate"]
    assert float(said["Best accuracy"]) > 0.98
    with h5py.File(said["Results"]) as file:
        assert {"combinations", "instances", "attempts", "environments"} <= set(file)
    table = exported(tmp_path, Path(said["Results"]).parent)
    assert len(table) == 81
    assert {row["state"] for row in table} == {"COMPLETED"}
    winner = max(table, key=lambda row: float(row["validation_accuracy"]))
    assert float(winner["validation_accuracy"]) == float(said["Best accuracy"])
    accuracies = {
        rate: [float(row["validation_accuracy"]) for row in table if row["learning_rate"] == rate]
        for rate in ("0.001", "0.01", "0.1")
    }
    assert sum(accuracies["0.001"]) / 27 < 0.95 < sum(accuracies["0.01"]) / 27


@pytest.fixture(scope="module")
def ising(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, str]]:
    """The table of the Ising example."""
    assert shutil.which("cc"), "the example needs a C compiler"
    directory = tmp_path_factory.mktemp("ising")
    printed = run("sciflow", "run", EXAMPLES / "ising" / "workflow.yaml", directory=directory)
    assert "42 of 42 combinations completed" in printed
    assert re.findall(r"^(\w+)\.0 +COMPLETED +(\d+)", printed, re.M) == [
        ("compile", "1"),
        ("simulate", "21"),
        ("average", "14"),
    ]
    return exported(directory)


def magnetisation(table: list[dict[str, str]], size: int, temperature: float) -> float:
    """The mean over seeds that the example found."""
    found = {
        float(row["mean_magnetisation"])
        for row in table
        if int(row["size"]) == size and float(row["temperature"]) == temperature
    }
    assert len(found) == 1
    return found.pop()


def test_the_magnetisation_drops_across_the_transition(ising: list[dict[str, str]]) -> None:
    """The magnetisation falls between temperatures 2.0 and 2.5, on the larger lattice by more."""
    drops = {size: magnetisation(ising, size, 2.0) - magnetisation(ising, size, 2.5) for size in (8, 16)}
    assert drops[16] > 0.4
    assert drops[16] > drops[8] > 0.2


def test_the_readme_shows_the_numbers(ising: list[dict[str, str]]) -> None:
    """The table in the README holds what comes out, within three of its standard errors."""
    text = (EXAMPLES / "ising" / "README.md").read_text()
    rows = {
        cells[0]: cells[1:]
        for cells in (re.split(r" *\| *", line)[1:-1] for line in text.splitlines())
        if len(cells) == 8
    }
    for size in (8, 16):
        for temperature, shown in zip(rows["temperature"], rows[f"size {size}"], strict=True):
            assert magnetisation(ising, size, float(temperature)) == pytest.approx(float(shown), abs=0.03)
