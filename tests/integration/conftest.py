"""Programs as people write them, run as people run them."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from sciflow.testing import fake_pbs, fake_slurm, virtual_clock

__all__ = ["fake_pbs", "fake_slurm", "virtual_clock"]

EXAMPLE = Path(__file__).parents[2] / "examples" / "neural_network" / "experiment.py"

FUNCTIONS = """
def preprocess_function():
    return {"numbers": [3, 1, 2], "bias": 0.25}

def train_function(preprocess_data, learning_rate, hidden_layers, neurons_per_layer, dropout_rate):
    numbers = preprocess_data["numbers"]
    return {"weights": [learning_rate * n + hidden_layers for n in numbers], "size": neurons_per_layer * hidden_layers}

def evaluate_function(train_model, dropout_rate):
    total = sum(train_model["weights"]) + train_model["size"] / 1000
    return {"validation_accuracy": total / (total + dropout_rate)}
"""

# The same sums, and nothing else: 0.1 × 6 + 3 × 3 + 768 / 1000 over itself and 0.1.
BEST = {"learning_rate": 0.1, "hidden_layers": 3, "neurons_per_layer": 256, "dropout_rate": 0.1}


def best_accuracy() -> float:
    """The best accuracy, worked out here."""
    total = sum(0.1 * n + 3 for n in (3, 1, 2)) + 256 * 3 / 1000
    return total / (total + 0.1)


@pytest.fixture
def block() -> str:
    """Return the program of the example, word for word: what stands between `fmt: off` and `fmt: on`."""
    text = EXAMPLE.read_text(encoding="utf-8")
    found = text[text.index("# fmt: off\n") + len("# fmt: off\n") : text.index("# fmt: on")]
    assert "engine.execute_parameter_sweep(workflow)" in found
    return found


@pytest.fixture
def functions() -> str:
    """Return three small functions under the names that the program uses."""
    return FUNCTIONS


@pytest.fixture
def answer() -> str:
    """Return what the program prints, with these functions."""
    return f"Best parameters: {BEST}\nBest accuracy: {best_accuracy()}\n"


Run = Callable[..., "subprocess.CompletedProcess[str]"]


def _environment() -> dict[str, str]:
    wanted = {name: value for name, value in os.environ.items() if not name.startswith("SCIFLOW_")}
    return {**wanted, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}


@pytest.fixture
def python(tmp_path: Path) -> Run:
    """Return a function that runs Python in a process of its own, in a given folder."""

    def run(*arguments: str, cwd: Path = tmp_path) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, *map(str, arguments)]
        return subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False, env=_environment())

    return run


@pytest.fixture
def sciflow(tmp_path: Path) -> Run:
    """Return a function that runs the `sciflow` command in a process of its own, in a given folder."""

    def run(*arguments: str | Path, cwd: Path = tmp_path) -> subprocess.CompletedProcess[str]:
        command = ["sciflow", *map(str, arguments)]
        return subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False, env=_environment())

    return run
