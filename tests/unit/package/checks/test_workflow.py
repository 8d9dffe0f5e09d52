from pathlib import Path
from typing import Any

import pytest

from sciflow.package.checks.tables import check_tables
from unit.package.checks.conftest import edit


@pytest.mark.parametrize(
    ("file", "old", "new", "why"),
    [
        ("project/packaged-workflow.yaml", "- 1.5", "- 1.6", "its `parameters` "),
        (
            "project/packaged-workflow.yaml",
            "spins_code:analyse",
            "other:analyse",
            "task `analyse` runs `other:analyse`",
        ),
        ("project/packaged-workflow.yaml", "stdout: ", "stderr: ", "`extract` of task `simulate`"),
        ("project/packaged-workflow.yaml", "depends_on:", "after:", "`after` of task `analyse`"),
        ("project/packaged-workflow.yaml", "name: spins", "name: [", "packaged-workflow.yaml"),
        ("project/packaged-workflow.yaml", "size }} * 2", "size }} * 3", "the command of task `simulate`"),
        ("run/workflow.json", '"simulate"\n    ]', '"analyse"\n    ]', "task `analyse` depends on other tasks"),
    ],
)
def test_a_workflow_that_is_not_what_ran_is_told(
    payload: Path, facts: dict[str, Any], file: str, old: str, new: str, why: str
):
    """Parameters, functions, what is taken from outputs, and which task follows which."""
    edit(payload / file, old, new)
    found = {problem.path: problem.why for problem in check_tables(payload, facts)[1]}
    assert why in found[f"data/{file}"]
