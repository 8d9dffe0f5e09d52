"""A run on a cluster that others use as well: its throttles follow the clock, nodes that come and go, and who waits."""

import subprocess
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from sciflow.engine import Engine
from sciflow.execution import Run
from sciflow.model.manners import Manners
from sciflow.model.workflow import ExperimentalWorkflow
from sciflow.planning.working_hours import is_day, next_change
from sciflow.run.manners import LOOK
from sciflow.schedulers.registry import connect
from sciflow.testing import Course, FakeCluster, MovableClock

OFFICE = Manners(running_by_day=1)
CLOCK = {"running_by_day": 2, "running_by_night": 8}
COUNT = 60
Submit = Callable[..., Run]


@pytest.fixture(params=["slurm", "pbs"])
def cluster(request: pytest.FixtureRequest) -> FakeCluster:
    """Return a cluster of four nodes with four cores each, on which each index takes 50 minutes."""
    made: FakeCluster = request.getfixturevalue(f"fake_{request.param}")
    made.setup(nodes=4, cores=4, memory_gb=64)
    made.pretend(lambda _: Course(seconds=3000))
    return made


@pytest.fixture
def submit(cluster: FakeCluster, virtual_clock: MovableClock, tmp_path: Path) -> Submit:
    """Return a function that submits sixty indices of one core with manners, in the middle of a day."""

    def make(autonomous: bool = False, **manners: Any) -> Run:
        path = Path(cluster.profile)
        said = {**yaml.safe_load(path.read_text()), "timezone": "UTC", "manners": manners}
        path.write_text(yaml.safe_dump(said))
        morning = next_change(OFFICE, "UTC", virtual_clock())
        if not is_day(OFFICE, "UTC", morning):
            morning = next_change(OFFICE, "UTC", morning)
        virtual_clock.advance(morning + 4 * 3600 - virtual_clock())
        workflow = ExperimentalWorkflow("polite", tmp_path)
        workflow.add_task("a", command="echo {{ x }}", resources={"memory_gb": 0.1, "max_runtime_hours": 1})
        workflow.add_parameter_space({"x": list(range(COUNT))})
        return Engine(str(path), runs=tmp_path / "runs").submit(workflow, autonomous=autonomous)

    return make


def running(cluster: FakeCluster) -> int:
    """Return how many indices of the run run."""
    return Counter(cluster.job("a.0*").states.values())["RUNNING"]


def look(run: Run) -> list[str]:
    """Look once, as somebody does who watches; what was said of it."""
    return next(iter(run.follow())).notes


def others(cluster: FakeCluster, folder: Path, cores: int, count: int) -> None:
    """Let somebody else submit jobs."""
    for number in range(count):
        script = folder / f"ada{number}.sh"
        ask = f"#SBATCH -c {cores}\n#SBATCH --mem=1G\n#PBS -l select=1:ncpus={cores}:mem=1gb\n"
        script.write_text(f"#!/bin/bash\n{ask}#SBATCH -t 60\n#PBS -l walltime=01:00:00\n")
        tool = ["sbatch"] if cluster.scheduler == "slurm" else ["qsub", "-f"]
        subprocess.run([*tool, script.name], cwd=folder, check=True, capture_output=True)
        job = list(cluster.cluster.jobs.values())[-1]
        job.ordered = replace(job.ordered, user="ada", number=2002)


def test_somebody_watches_when_the_day_ends(cluster: FakeCluster, submit: Submit, virtual_clock: MovableClock) -> None:
    """Two run by day and eight by night; at no other time is anything changed."""
    run = submit(**CLOCK)
    virtual_clock.advance(60)
    assert running(cluster) == 2
    evening = next_change(OFFICE, "UTC", virtual_clock())
    virtual_clock.advance(evening - virtual_clock() - 600)
    assert look(run) == []
    virtual_clock.advance(evening - virtual_clock() + 1)
    assert look(run) == ["a.0 (job " + cluster.job("a.0*").id + ") runs 8 at once now instead of 2: by night"]
    virtual_clock.advance(1200)
    assert running(cluster) == 8
    assert look(run) == []
    assert cluster.job("a.0*").request.throttle == 8


def test_nobody_watches_when_the_day_ends(cluster: FakeCluster, submit: Submit, virtual_clock: MovableClock) -> None:
    """A small job wakes at that time, and the next one when it is day again; the last is called off with the run."""
    run = submit(autonomous=True, **CLOCK)
    evening = next_change(OFFICE, "UTC", virtual_clock())
    virtual_clock.advance(evening - virtual_clock() + 3600)
    assert running(cluster) == 8
    cluster.run_until_idle()
    assert run.status().is_complete
    assert "runs 8 at once from now on: by night" in (run.path / "recovery.md").read_text()
    assert not [job.name for job in cluster.jobs if job.state in ("PENDING", "RUNNING")]


def test_nodes_come_and_go(cluster: FakeCluster, submit: Submit, virtual_clock: MovableClock) -> None:
    """Half of the cores that are up; the cluster is asked every ten minutes."""
    run = submit(share=0.5)
    virtual_clock.advance(60)
    assert running(cluster) == 8
    cluster.kill_node("n3")
    cluster.kill_node("n4")
    assert look(run) == []
    virtual_clock.advance(LOOK)
    [said] = look(run)
    assert said.endswith("runs 4 at once now instead of 8: 50 % of 8 cores")
    assert cluster.job("a.0*").request.throttle == 4
    cluster.revive_node("n3")
    cluster.revive_node("n4")
    virtual_clock.advance(LOOK)
    [said] = look(run)
    assert said.endswith("runs 8 at once now instead of 4: 50 % of 16 cores")


def test_others_are_let_in(cluster: FakeCluster, submit: Submit, virtual_clock: MovableClock, tmp_path: Path) -> None:
    """As long as they wait for room, and no longer."""
    run = submit(running_when_others_wait=3)
    virtual_clock.advance(60)
    assert running(cluster) == 16
    others(cluster, tmp_path, 4, 2)
    virtual_clock.advance(LOOK)
    [said] = look(run)
    assert "runs 3 at once now instead of any number: others wait for" in said
    virtual_clock.advance(3600)
    [said] = look(run)
    assert said.endswith("runs any number at once now instead of 3")


def test_what_is_over_is_not_throttled(cluster: FakeCluster, submit: Submit, virtual_clock: MovableClock) -> None:
    """Nor what the scheduler does not know; both are told by it in its own words."""
    run = submit(core_hours=100)
    scheduler = connect(cluster.scheduler, run.directory)
    job = cluster.job("a.0*").id
    assert scheduler.throttle(job, 5)
    assert cluster.job("a.0*").request.throttle == 5
    cluster.run_until_idle()
    virtual_clock.advance(60)
    assert not scheduler.throttle(job, 7)
