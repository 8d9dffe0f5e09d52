"""A run that was run to its end."""

import json
from pathlib import Path

import pytest

from sciflow.engine import Engine
from sciflow.loading import load_workflow


@pytest.fixture
def finished(project: Path) -> Path:
    """Return the run directory of `project`, run to the end: `square[2]` has failed, `half[2]` was held back."""
    document = json.loads((project / "workflow.yaml").read_text())
    document["tasks"][0]["retries"] = 0
    (project / "workflow.yaml").write_text(json.dumps(document))
    return Engine().execute_parameter_sweep(load_workflow("workflow.yaml")).run.path
