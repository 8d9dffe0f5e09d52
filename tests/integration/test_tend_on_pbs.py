"""A run on a PBS looks after itself: all of it really runs, and the PBS is not there but for its commands."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from sciflow.testing import FakeCluster, fake_pbs

__all__ = ["fake_pbs"]

WORKFLOW = """
name: twice
parameters: {x: [1, 2]}
tasks:
  - name: try
    command: "cd {{ workflow_dir }} && { test -e tried-{{ x }} || { touch tried-{{ x }}; kill -9 $$; }; }"
    retries: 2
"""


def test_what_failed_is_tried_again_by_a_job(fake_pbs: FakeCluster, tmp_path: Path) -> None:
    """`sciflow tend` runs in a job, finds `qsub` there, hands over what failed, and the next one of itself."""
    fake_pbs.setup(pace="fast")
    (tmp_path / "workflow.yaml").write_text(WORKFLOW)
    submit = [sys.executable, "-m", "sciflow", "submit", "workflow.yaml", "--profile", fake_pbs.profile, "--autonomous"]
    subprocess.run(submit, cwd=tmp_path, check=True, capture_output=True)
    fake_pbs.run_until_idle(100.0)
    assert [(job.name.partition(".")[0], job.state) for job in fake_pbs.jobs] == [
        ("try", "FAILED"),
        ("tend", "COMPLETED"),
        ("try", "COMPLETED"),
        ("tend", "COMPLETED"),
    ]
    status = subprocess.run(
        [sys.executable, "-m", "sciflow", "status"], cwd=tmp_path, check=True, capture_output=True, text=True
    )
    assert "is complete" in status.stdout
