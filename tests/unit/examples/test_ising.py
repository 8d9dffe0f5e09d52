"""The Ising example: the C program against exact physics, and the workflow's parts against each other."""

import csv
import importlib.util
import json
import math
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jinja2
import numpy as np
import pytest
import yaml

EXAMPLE = Path(__file__).parents[3] / "examples" / "ising"
WORKFLOW = yaml.safe_load((EXAMPLE / "workflow.yaml").read_text())
COMPILE, SIMULATE, AVERAGE = WORKFLOW["tasks"]
COMPILER = shutil.which("cc")

spec = importlib.util.spec_from_file_location("ising_analysis", EXAMPLE / "ising_analysis.py")
assert spec is not None
assert spec.loader is not None
ising_analysis = importlib.util.module_from_spec(spec)
spec.loader.exec_module(ising_analysis)


@pytest.fixture(scope="module")
def ising(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the program, built by the workflow's own command."""
    if COMPILER is None:
        pytest.skip("no C compiler `cc` here")
    folder = tmp_path_factory.mktemp("compile")
    command = jinja2.Template(COMPILE["command"], undefined=jinja2.StrictUndefined).render(workflow_dir=EXAMPLE)
    subprocess.run(command, shell=True, cwd=folder, check=True)
    return folder / COMPILE["outputs"][0]


def render_deck(**parameters: object) -> str:
    """Return the input deck of a combination."""
    source = (EXAMPLE / SIMULATE["files"]["run.in"]).read_text()
    return jinja2.Template(source, undefined=jinja2.StrictUndefined).render(parameters)


def run(program: Path, folder: Path, deck: str) -> subprocess.CompletedProcess[str]:
    """Run the program on a deck, in a folder."""
    (folder / "run.in").write_text(deck)
    return subprocess.run([program, "run.in"], cwd=folder, capture_output=True, text=True, check=False)


def extract(folder: Path, stdout: str) -> dict[str, float]:
    """Take the metrics that the workflow names from what the program left."""
    metrics = {}
    for name, how in SIMULATE["extract"].items():
        if "stdout" in how:
            found = re.search(how["stdout"], stdout)
            assert found, name
            metrics[name] = float(found[1])
        elif "json" in how:
            metrics[name] = json.loads((folder / how["json"]).read_text())[how["key"]]
        else:
            with (folder / how["csv"]).open(newline="") as file:
                metrics[name] = float(list(csv.DictReader(file))[-1][how["column"]])
    return metrics


def simulate(program: Path, folder: Path, **parameters: object) -> dict[str, float]:
    """Return the metrics of one combination."""
    done = run(program, folder, render_deck(**parameters))
    assert done.returncode == 0, done.stderr
    return extract(folder, done.stdout)


def exact_averages(size: int, temperature: float) -> dict[str, float]:
    """Sum over all states of a lattice small enough to list them."""
    spins = size * size
    states = 1 - 2 * ((np.arange(2**spins)[:, None] >> np.arange(spins)) & 1).reshape(-1, size, size)
    energy = -(states * (np.roll(states, 1, axis=1) + np.roll(states, 1, axis=2))).sum(axis=(1, 2)) / spins
    magnetisation = abs(states.sum(axis=(1, 2))) / spins
    weights = np.exp(-spins * (energy - energy.min()) / temperature)
    weights /= weights.sum()
    m, e = weights @ magnetisation, weights @ energy
    return {
        "magnetisation": m,
        "energy": e,
        "susceptibility": spins * (weights @ magnetisation**2 - m**2) / temperature,
        "specific_heat": spins * (weights @ energy**2 - e**2) / temperature**2,
    }


@pytest.mark.parametrize(("size", "temperature"), [(2, 2.5), (3, 3.0), (4, 2.5), (4, 3.5)])
def test_agrees_with_the_sum_over_all_states(ising: Path, tmp_path: Path, size: int, temperature: float) -> None:
    """On a lattice whose states can be listed, every observable agrees with the exact sum."""
    measured = simulate(ising, tmp_path, temperature=temperature, size=size, sweeps=1_000_000, seed=1)
    for name, value in exact_averages(size, temperature).items():
        assert measured[name] == pytest.approx(value, rel=0.03), name


def test_orders_below_the_critical_temperature(ising: Path, tmp_path: Path) -> None:
    """Far below the critical temperature the magnetisation is Onsager's and Yang's."""
    measured = simulate(ising, tmp_path, temperature=1.5, size=16, sweeps=20_000, seed=2)
    assert measured["magnetisation"] == pytest.approx(0.9865, abs=0.001)
    assert ising_analysis.infinite_lattice_magnetisation(1.5) == pytest.approx(0.9865, abs=0.0001)


def test_magnetisation_drops_across_the_transition(ising: Path, tmp_path: Path) -> None:
    """The magnetisation falls between temperatures 2.0 and 2.5, on the larger lattice by more."""
    drops = {}
    for size in WORKFLOW["parameters"]["size"]:
        cold, warm = (
            simulate(ising, tmp_path, temperature=temperature, size=size, sweeps=50 * size**2, seed=3)["magnetisation"]
            for temperature in (2.0, 2.5)
        )
        drops[size] = cold - warm
    assert drops[16] > 0.4
    assert drops[16] > drops[8] > 0.2


def test_the_seed_decides_the_result(ising: Path, tmp_path: Path) -> None:
    """The same seed gives the same numbers, another seed gives others."""
    first, again, other = (
        simulate(ising, tmp_path, temperature=2.25, size=8, sweeps=500, seed=seed) for seed in (0, 0, 1)
    )
    assert first == again
    assert first["magnetisation"] != other["magnetisation"]


@pytest.mark.parametrize(("sweeps", "rows"), [(7, 7), (200, 200), (201, 100), (51_200, 200)])
def test_the_series_stays_short(ising: Path, tmp_path: Path, sweeps: int, rows: int) -> None:
    """The time series has at most 200 rows, however long the simulation."""
    simulate(ising, tmp_path, temperature=2.0, size=2, sweeps=sweeps, seed=0)
    lines = (tmp_path / "series.csv").read_text().splitlines()
    assert lines[0] == "sweep,magnetisation,energy"
    assert len(lines) - 1 == rows


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("size = 1", "must be at least 2: `size`"),
        ("temperature = 0", "must be above 0: `temperature`"),
        ("temperature = nan", "must be above 0: `temperature`"),
        ("temperature = 2,5", "no number in the deck for `temperature`"),
        ("sweeps = 0", "must be at least 1: `sweeps`"),
        ("sweeps = 1e5", "no whole number in the deck for `sweeps`"),
        ("equilibration = -1", "must not be negative: `equilibration`"),
        ("field = 1", "the deck has the unknown name `field`"),
        ("size 8", "not `name = value`: `size 8`"),
    ],
)
def test_a_bad_deck_is_an_error(ising: Path, tmp_path: Path, line: str, message: str) -> None:
    """A deck with a value that makes no sense ends the program with a message that names it."""
    done = run(ising, tmp_path, render_deck(temperature=2.0, size=8, sweeps=10, seed=0) + f"\n{line}\n")
    assert done.returncode == 1
    assert done.stderr == f"ising: {message}\n"


def test_a_missing_deck_is_an_error(ising: Path, tmp_path: Path) -> None:
    """A deck that is not there ends the program with a message that names it."""
    done = subprocess.run([ising, "absent.in"], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr == "ising: cannot read `absent.in`\n"


@dataclass
class SimulateResult:
    """A result of `simulate` as `average` receives it."""

    parameters: dict[str, Any]
    metrics: dict[str, float]

    def __getitem__(self, name: str) -> float:
        return self.metrics[name]


def result(seed: int, magnetisation: float, energy: float, susceptibility: float) -> SimulateResult:
    """Return the result of one seed."""
    metrics = {"magnetisation": magnetisation, "energy": energy, "susceptibility": susceptibility}
    return SimulateResult({"temperature": 2.0, "size": 8, "seed": seed}, metrics)


def test_average_over_seeds() -> None:
    """Averages are means over the seeds, with the standard error and the single values by seed."""
    averages = ising_analysis.average([result(0, 0.9, -1.7, 0.2), result(1, 0.94, -1.8, 0.4)], temperature=2.0)
    assert averages["mean_magnetisation"] == pytest.approx(0.92)
    assert averages["magnetisation_error"] == pytest.approx(0.02)
    assert averages["mean_energy"] == pytest.approx(-1.75)
    assert averages["mean_susceptibility"] == pytest.approx(0.3)
    assert averages["infinite_lattice_magnetisation"] == pytest.approx(0.911319, abs=1e-6)
    assert averages["magnetisation_by_seed"].tolist() == [0.9, 0.94]
    assert averages["seeds"].tolist() == [0, 1]


def test_one_seed_has_no_error() -> None:
    """The standard error of a single simulation is unknown, not zero."""
    assert math.isnan(ising_analysis.average([result(0, 0.9, -1.7, 0.2)], temperature=2.0)["magnetisation_error"])


def test_no_spontaneous_magnetisation_above_the_critical_temperature() -> None:
    """The infinite lattice has no magnetisation at and above the critical temperature, and some just below."""
    critical = ising_analysis.CRITICAL_TEMPERATURE
    assert critical == pytest.approx(2.269185, abs=1e-6)
    assert ising_analysis.infinite_lattice_magnetisation(critical) == 0
    assert ising_analysis.infinite_lattice_magnetisation(3.0) == 0
    assert 0 < ising_analysis.infinite_lattice_magnetisation(critical - 1e-6) < 0.3


def test_the_workflow_names_what_is_there() -> None:
    """The workflow's Python task, its deck and its criterion refer to things that exist."""
    module, function = AVERAGE["python"].split(":")
    assert module == ising_analysis.__name__
    assert callable(getattr(ising_analysis, function))
    assert (EXAMPLE / SIMULATE["files"]["run.in"]).is_file()
    figure = WORKFLOW["visualizations"]["magnetisation_vs_temperature"]
    assert figure["value"] in SIMULATE["extract"]
    assert {figure["x_axis"], figure["series"], *AVERAGE["over"]} <= WORKFLOW["parameters"].keys()
