"""What is submitted asks for more than the profile's `ask_above`: somebody is asked first."""

from __future__ import annotations

import contextlib
import json
import os
import pty
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sciflow import Engine, load_workflow
from sciflow.errors import NotConfirmedError
from unit.fake_slurm import FakeSlurm

Command = Callable[..., Any]
ABOVE = "this asks for up to 8 core-hours, more than the 5 (`ask_above` of profile `site`)"
# Its standard input becomes the terminal from which Ctrl-C comes.
ON_A_TERMINAL = """
import fcntl, sys, termios
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
from sciflow.cli.main import main
main(sys.argv[1:])
"""


@pytest.fixture
def workflow(project: Path, site: Path) -> Path:
    """Return a workflow of four indices that ask for two core-hours each, for a site that asks above five."""
    write_workflow(project, [1, 2, 3, 4])
    site.write_text("name: site\nscheduler: slurm\nask_above: {core_hours: 5}\n")
    return project / "workflow.yaml"


def write_workflow(project: Path, x: list[int], **request: Any) -> None:
    """Write a workflow of one task."""
    resources = {"cpu_cores": 2, "max_runtime": "1 h", **request}
    task = {"name": "solve", "command": "echo {{ x }}", "resources": resources}
    (project / "workflow.yaml").write_text(json.dumps({"name": "solved", "parameters": {"x": x}, "tasks": [task]}))


def test_where_nobody_can_be_asked_it_is_an_error(
    sciflow: Command, workflow: Path, site: Path, slurm: FakeSlurm, project: Path
) -> None:
    """Nothing is submitted, and nothing on the disk is changed, until somebody says `--yes`."""
    before = sorted(project.rglob("*"))
    answer = sciflow("submit", workflow, "--profile", site)
    assert answer.code == 1
    assert answer.err == f"error: {ABOVE}\nhint: `--yes` submits it all the same; `sciflow plan` shows what it is\n"
    assert (sorted(project.rglob("*")), slurm.calls("sbatch")) == (before, [])
    assert sciflow("submit", workflow, "--profile", site, "--yes").code == 0
    assert len(slurm.calls("sbatch")) == 1


def test_plans_say_that_it_will_be_asked(sciflow: Command, workflow: Path, site: Path, slurm: FakeSlurm) -> None:
    """And so does the list of calls; both show what there is to show."""
    plan = sciflow("plan", workflow, "--profile", site)
    assert (plan.code, plan.out.splitlines()[-1]) == (0, f"note: `submit` will ask first: {ABOVE}")
    dry = sciflow("submit", workflow, "--profile", site, "-n")
    assert (dry.code, f"note: `submit` will ask first: {ABOVE}" in dry.err) == (0, True)
    assert slurm.calls("sbatch") == []


def test_only_what_is_submitted_now_counts(
    sciflow: Command, workflow: Path, site: Path, slurm: FakeSlurm, project: Path
) -> None:
    """What earlier runs have done, or what is in the queue, is not asked for again."""
    assert sciflow("submit", workflow, "--profile", site, "--yes").code == 0
    again = sciflow("submit", workflow, "--profile", site)
    assert (again.code, again.err) == (0, "4 done before\n")
    write_workflow(project, [1, 2, 3, 4, 5, 6])
    more = sciflow("submit", workflow, "--profile", site)
    assert (more.code, more.err) == (0, "4 done before, 2 new\n")
    slurm.hold()
    write_workflow(project, [1, 2, 3, 4, 5, 6, 7, 8])
    assert sciflow("submit", workflow, "--profile", site).err == "6 done before, 2 new\n"
    queued = sciflow("submit", workflow, "--profile", site)
    assert (queued.code, queued.err) == (0, "6 done before, 2 not finished\n")


def test_what_asks_for_no_runtime_may_cost_anything(
    sciflow: Command, workflow: Path, site: Path, slurm: FakeSlurm, project: Path
) -> None:
    """Where hours are limited, somebody is asked; where only indices are, these are counted."""
    write_workflow(project, [1], max_runtime=None)
    answer = sciflow("submit", workflow, "--profile", site)
    assert (answer.code, "hours that nobody knows, since `solve` asks for none" in answer.err) == (1, True)
    site.write_text("name: site\nscheduler: slurm\nask_above: {indices: 1}\n")
    assert sciflow("submit", workflow, "--profile", site).code == 0
    assert len(slurm.calls("sbatch")) == 1


def test_in_python_it_is_an_error_until_it_is_confirmed(workflow: Path, site: Path, slurm: FakeSlurm) -> None:
    """`confirmed=True` submits it."""
    engine, loaded = Engine(str(site)), load_workflow(workflow)
    with pytest.raises(NotConfirmedError, match="up to 8 core-hours") as refused:
        engine.submit(loaded)
    assert "`confirmed=True`" in refused.value.hint
    with pytest.raises(NotConfirmedError):
        engine.execute_parameter_sweep(loaded)
    assert not engine.runs.exists()
    engine.submit(loaded, confirmed=True)
    assert len(slurm.calls("sbatch")) == 1


def ended(asking: subprocess.Popen[bytes], answer: Callable[[], object]) -> int:
    """Answer until it ends: a signal that comes right before it reads is noticed when there is something to read."""
    for _ in range(60):
        answer()
        with contextlib.suppress(subprocess.TimeoutExpired):
            return asking.wait(1)
    raise TimeoutError


@pytest.mark.parametrize(("typed", "code"), [(b"\n", 1), (b"\x03", 130), (b"y\n", 0)])
def test_on_a_terminal_it_is_asked(
    workflow: Path, site: Path, slurm: FakeSlurm, project: Path, typed: bytes, code: int
) -> None:
    """Without a yes nothing is submitted, and nothing on the disk is changed; nor is it by Ctrl-C."""
    before = sorted(project.rglob("*"))
    terminal, inside = pty.openpty()
    words = [sys.executable, "-c", ON_A_TERMINAL, "submit", str(workflow), "--profile", str(site)]
    asking = subprocess.Popen(
        words, cwd=project, stdin=inside, stdout=subprocess.DEVNULL, stderr=inside, start_new_session=True
    )
    try:
        os.close(inside)
        said = b""
        while b"[y/N]: " not in said:
            said += os.read(terminal, 1000)
        assert f"{ABOVE}. Submit? [y/N]: " in said.decode()
        assert ended(asking, lambda: os.write(terminal, typed)) == code
    finally:
        asking.kill()
        asking.wait()
        os.close(terminal)
    assert len(slurm.calls("sbatch")) == (code == 0)
    assert (sorted(project.rglob("*")) == before) == (code != 0)
