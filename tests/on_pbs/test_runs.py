"""Whole runs by the command line: what PBS lacks is made up for, unseen by the user."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

FAILS_ONCE = """
name: fails
parameters: {x: {range: [0, 12, 1]}}
tasks:
  - {name: prepare, command: echo ready}
  - name: work
    depends_on: [prepare]
    command: "[ {{ 1 if x in (3, 4, 9) else 0 }} = 0 ] || [ -d once ] || { mkdir once; exit 7; }"
"""
SLEEPS = """
name: sleeps
parameters: {x: {range: [0, 4, 1]}}
tasks:
  - {name: first, command: sleep 1}
  - name: nap
    depends_on: [first]
    command: "sleep {{ 60 if x > 1 else 1 }}"
    resources: {max_runtime: 10 s}
"""


class Desk:
    """A folder with an odd name, in which somebody types."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir()
        (folder / "here.yaml").write_text("name: here\nscheduler: pbs\n")

    def sciflow(self, *words: str, code: int = 0) -> Any:
        """Run sciflow, and return its answer."""
        command = [sys.executable, "-m", "sciflow", *words, "--json"]
        done = subprocess.run(command, cwd=self.folder, capture_output=True, text=True, timeout=200, check=False)
        assert done.returncode == code, done.stdout + done.stderr
        return json.loads(done.stdout)

    def submit(self, workflow: str, code: int) -> None:
        """Submit a workflow, and wait for its end."""
        (self.folder / "workflow.yaml").write_text(workflow)
        self.sciflow("submit", "workflow.yaml", "--profile", "here.yaml", "--wait", code=code)


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    """Return a folder."""
    return Desk(tmp_path / "a b, (c)")


def test_a_retry_runs_the_indices_that_have_failed(desk: Desk) -> None:
    """They are not evenly spaced, so that a map tells which is at which place."""
    desk.submit(FAILS_ONCE, code=3)
    desk.sciflow("retry", "--wait")
    [kept] = desk.folder.glob("sciflow-runs/fails/2*/arrays/work.0.*.map")
    assert kept.read_text().split() == ["3", "4", "9"]


def test_what_takes_too_long_has_timed_out(desk: Desk) -> None:
    """Whether PBS remembers it or not."""
    desk.submit(SLEEPS, code=3)
    assert desk.sciflow("status", code=3)["tasks"] == {
        "first": {"COMPLETED": 1},
        "nap": {"COMPLETED": 2, "TIMEOUT": 2},
    }
