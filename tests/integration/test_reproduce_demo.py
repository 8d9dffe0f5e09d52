"""The demo is packaged, and run again in an environment that is built of nothing but what the package says."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import bagit

from sciflow.package.again.reproduce import reproduce
from sciflow.package.build import create_package
from sciflow.package.checks.verify import verify

_EXAMPLE = Path(__file__).parents[2] / "examples" / "neural_network"
_WORKFLOW = """
name: neural_network_training
parameters:
  learning_rate: [0.001, 0.1]
  hidden_layers: [1, 2]
  neurons_per_layer: [64]
  dropout_rate: [0.1]
tasks:
  - {name: preprocess_data, python: "network:preprocess_function"}
  - {name: train_model, python: "network:train_function", depends_on: [preprocess_data]}
  - {name: evaluate_model, python: "network:evaluate_function", depends_on: [train_model]}
visualizations:
  accuracy: {type: heatmap, x_axis: learning_rate, y_axis: hidden_layers, value: validation_accuracy}
"""


def test_the_demo_is_reproduced_in_a_fresh_environment(tmp_path: Path) -> None:
    """Four of its combinations, in an environment built of the lock, give the same bits, and the same best."""
    code = {name: _EXAMPLE / name for name in ("network.py", "digits.csv.gz")}
    (tmp_path / "exp").mkdir()
    for name, path in code.items():
        shutil.copy(path, tmp_path / "exp" / name)
    (tmp_path / "exp" / "workflow.yaml").write_text(_WORKFLOW)
    command = [sys.executable, "-m", "sciflow", "--runs", "runs", "run", "exp/workflow.yaml"]
    subprocess.run(command, cwd=tmp_path, check=True, capture_output=True)
    made = create_package("latest", "neural_net_v1", runs=str(tmp_path / "runs"), with_figures=False)
    package = made.export(tmp_path / "neural_net_v1")
    bagit.Bag(str(package)).validate()
    assert verify(package).is_valid
    shutil.rmtree(tmp_path / "exp")
    shutil.rmtree(tmp_path / "runs")

    verdict = reproduce(package, tmp_path / "again", offline=True)

    assert (verdict.overall, verdict.is_best_same) == ("reproduced", True), verdict.describe()
    assert verdict.comparison.instances == {"reproduced": 9}
    assert {(one.metric, one.is_largest) for one in verdict.comparison.best} == {
        ("validation_accuracy", True),
        ("validation_accuracy", False),
    }
    assert verdict.differences == []
    assert verdict.run is not None
    interpreter = json.loads((verdict.run / "manifest.json").read_bytes())["interpreter"]
    assert interpreter.startswith(str(tmp_path / "again" / "environment"))
    assert not [one for one in verdict.surroundings if one.subject in ("python", "distribution numpy")]
