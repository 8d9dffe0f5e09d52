"""The verb `why`: on a cluster that is not there, whose commands are."""

from __future__ import annotations

import re
import shlex
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sciflow.testing import Course, FakeCluster, Partition

Command = Callable[..., Any]
WORKFLOW = """\
name: relaxation
parameters: {x: {range: [0, 12, 1]}}
tasks:
  - {name: relax, command: "echo {{ x }}", resources: {cpu_cores: 4, memory_gb: 1, max_runtime: 10h}}
  - {name: gather, over: all, depends_on: [relax], command: "true", resources: {max_runtime: 1h}}
"""
BUSY = ("--mem=1G", "--wrap=true")
SHORT = [Partition("main"), Partition("short", longest=12 * 3600.0, is_default=False)]


@pytest.fixture
def there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder with a workflow, in which the test is."""
    (tmp_path / "w.yaml").write_text(WORKFLOW)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def setup(cluster: FakeCluster, **site: Any) -> None:
    """Let a cluster be like this, on which everything runs for a day and nothing really."""
    cluster.setup(**site)
    cluster.pretend(lambda _: Course(seconds=86_400.0))


def busy(cluster: FakeCluster, *requests: str) -> None:
    """Let others have some of a cluster."""
    for one in requests:
        subprocess.run(["sbatch", *one.split(), *BUSY], check=True, capture_output=True)
    cluster.advance(1)


def submitted(sciflow: Command, cluster: FakeCluster, workflow: str = "w.yaml") -> None:
    """Submit, and let the scheduler look at it."""
    assert sciflow("submit", workflow, "--profile", cluster.profile).code == 0
    cluster.advance(1)


def test_why_what_waits_for_room_waits(fake_slurm: FakeCluster, sciflow: Command, there: Path) -> None:
    """The reason, what is free, and what other requests would change, the best first; nothing is submitted."""
    setup(fake_slurm, nodes=2, cores=6, partitions=SHORT)
    busy(fake_slurm, "--time=3:00:00 -c 5", "--time=5:00:00 -c 4")
    submitted(sciflow, fake_slurm)
    jobs, before = len(fake_slurm.jobs), fake_slurm.cluster.calls.copy()
    answer = sciflow("why", "--json")
    asked = fake_slurm.cluster.calls - before
    assert answer.code == 0
    assert len(fake_slurm.jobs) == jobs
    assert asked == {"squeue": 2, "scontrol": 1, "sbatch": 4}
    relax, gather = answer.json["waiting"]
    assert (relax["code"], relax["indices"], relax["job"]) == ("Resources", "0-11", "103")
    assert relax["reason"] == "waits for free cores, memory or GPUs"
    assert relax["facts"] == ["partition `main`: 3 of 12 cores are free, 0 of 2 nodes have room for one index now"]
    assert relax["expected_start"] == pytest.approx(answer.json["time"] + 3 * 3600, abs=5)
    labels = [one["label"] for one in relax["variants"]]
    assert set(labels) == {
        *("as it is", "half the walltime", "half the cores", "partition `short`", "fits into the gap that is free now")
    }
    gap, half = (
        next(one for one in relax["variants"] if one["label"] == name) for name in (labels[0], "half the cores")
    )
    assert gap["source"] == "gap"
    assert gap["request"]["cpu_cores"] == 2
    assert gap["request"]["runtime_seconds"] == pytest.approx(3 * 3600, abs=120)
    as_it_is = next(one for one in relax["variants"] if one["label"] == "as it is")
    assert half["start"] < as_it_is["start"]
    assert (gather["code"], gather["variants"]) == ("Dependency", [])
    assert gather["facts"] == ["comes after all of relax.0: 12 of 12 are left, 0 run"]


def test_it_is_told_to_people(fake_slurm: FakeCluster, sciflow: Command, there: Path) -> None:
    """Each group with its reason, a table of variants, what to type next, and what is to be known of the numbers."""
    setup(fake_slurm, nodes=2, cores=6)
    busy(fake_slurm, "--time=3:00:00 -c 5", "--time=5:00:00 -c 2")
    submitted(sciflow, fake_slurm)
    lines = sciflow("why").out.splitlines()
    assert "11 × relax waits for free cores, memory or GPUs (Resources)  [relax.0[1-11]]  job 103" in lines
    assert "  hint: what asks for less fits sooner" in lines
    rows = [line.split("  ")[1] for line in lines if line.startswith("  ")]
    assert {"variant", "as it is", "half the cores"} <= set(rows)
    assert any(line.startswith("note: `sbatch --test-only` guesses") for line in lines)
    only = sciflow("why", "--only", "gather", "--json").json["waiting"]
    assert [one["array"] for one in only] == ["gather.0"]


def test_a_limit_that_binds_is_told_with_its_value(fake_slurm: FakeCluster, sciflow: Command, there: Path) -> None:
    """And what is used of it."""
    setup(fake_slurm, nodes=2, cores=6, running_cores=4)
    submitted(sciflow, fake_slurm)
    relax = sciflow("why", "--json").json["waiting"][0]
    assert relax["code"] == "QOSMaxCpuPerUserLimit"
    assert relax["facts"] == ["QOS `normal`, CPUs of yours: limit 4, 4 in use"]


@pytest.mark.parametrize("profile_says", [True, False])
def test_sciflows_own_reasons(fake_slurm: FakeCluster, sciflow: Command, there: Path, profile_says: bool) -> None:
    """A start time and its policy, what does not fit into the queue, and what was cancelled."""
    limit = {"submitted_indices": 6} if profile_says else {}
    setup(fake_slurm, nodes=2, cores=6, **limit)
    schedule = "schedule: {policy: not_before, not_before: 2035-01-01T00:00:00, timezone: Asia/Tokyo}\n"
    (there / "w.yaml").write_text(WORKFLOW + schedule)
    submitted(sciflow, fake_slurm)
    sciflow("cancel", "--only", "relax[2]")
    answer = sciflow("why", "--json")
    found = {one["indices"]: one for one in answer.json["waiting"] if one["task"] == "relax"}
    waits = next(one for one in found.values() if one["code"] == "BeginTime")
    assert waits["facts"][0].startswith("planned to begin at 2035-01-01 00:00+09:00")
    assert waits["facts"][0].endswith("since its policy is not before 2035-01-01 00:00:00")
    assert waits["expected_start"] > 2_000_000_000
    assert found["2"]["reason"].startswith("it was cancelled")
    assert f"`sciflow retry {answer.json['run']} --indices 'relax.0[2]'`" in found["2"]["advice"]
    assert re.search(r"expected start: 2035-01-01 00:00\+09:00 \(in ", sciflow("why").out)
    if profile_says:
        assert found["0-5"]["facts"] == ["the site takes 6 indices at a time, and 5 of this run are queued or run"]


def typed(advice: str) -> str:
    """Return the first command of an advice."""
    return advice.split("`")[1]


def test_what_is_to_be_typed_does_what_is_said_of_it(fake_slurm: FakeCluster, sciflow: Command, there: Path) -> None:
    """As it stands there: it starts sooner, more run at once, and and what was cancelled runs after all."""
    setup(fake_slurm, nodes=9, cores=4)
    text = Path(fake_slurm.profile).read_text()
    (there / "site.yaml").write_text(text.replace("limits:\n", "limits:\n  running_indices: 2\n"))
    schedule = "schedule: {policy: not_before, not_before: 2035-01-01T00:00:00}\n"
    (there / "w.yaml").write_text(WORKFLOW + schedule)
    assert sciflow("submit", "w.yaml", "--profile", "site.yaml").code == 0
    fake_slurm.advance(1)
    sciflow("cancel", "--only", "relax[2-3,5]")
    found = sciflow("why", "--only", "relax", "--json").json["waiting"]
    cancelled = next(one for one in found if one["reason"].startswith("it was cancelled"))
    assert typed(cancelled["advice"]).endswith(" --indices 'relax.0[2-3,5]'")
    assert "relax.0[2-3,5]" in sciflow(*shlex.split(typed(cancelled["advice"]))[1:]).out
    for one in (one for one in found if one is not cancelled):
        subprocess.run(typed(one["advice"]), shell=True, check=True, cwd=there)
    fake_slurm.advance(1)
    waits = [one for one in sciflow("why", "--only", "relax", "--json").json["waiting"] if one["code"]]
    assert {one["code"] for one in waits} == {"JobArrayTaskLimit"}
    for one in waits:
        subprocess.run(typed(one["advice"]), shell=True, check=True, cwd=there)
    fake_slurm.advance(1)
    states = sciflow("status", "--json").json["tasks"]["relax"]
    assert states == {"RUNNING": 9, "CANCELLED": 3}


def test_a_scheduler_that_does_not_answer(fake_slurm: FakeCluster, sciflow: Command, there: Path) -> None:
    """What was known stays, and the silence is a note; it fails nothing."""
    setup(fake_slurm, nodes=1, cores=4)
    submitted(sciflow, fake_slurm)
    assert sciflow("status").code == 4
    fake_slurm.faults.silence("controller", 1e9)
    answer = sciflow("why", "--json")
    assert answer.code == 0
    assert any("squeue" in note for note in answer.json["notes"])
    assert all(one["code"] is None for one in answer.json["waiting"])


def test_nothing_waits(sciflow: Command, finished: Path) -> None:
    """A run on this machine that has ended."""
    answer = sciflow("why")
    assert (answer.code, answer.out.splitlines()) == (0, [f"run {finished.name}: nothing waits"])


def test_why_on_pbs(fake_pbs: FakeCluster, sciflow: Command, there: Path) -> None:
    """The comment in words, the queue, free nodes, and what has room now, since PBS cannot be asked for more."""
    setup(fake_pbs, nodes=2, cores=6)
    for cores in (5, 4):
        command = ["qsub", "-l", "walltime=30:00:00", "-l", f"select=1:ncpus={cores}"]
        subprocess.run(command, input="#!/bin/sh\ntrue\n", text=True, check=True, capture_output=True)
    fake_pbs.advance(1)
    submitted(sciflow, fake_pbs)
    relax, gather = sciflow("why", "--json").json["waiting"]
    assert relax["reason"] == "waits for free cores, memory or GPUs"
    assert relax["facts"] == [
        "cores: 4 asked for, 2 of 6 free",
        "queue `main`: 1 wait, 2 run",
        "3 of 12 cores are free, 0 of 2 nodes have room for one index now",
    ]
    starts = {one["label"]: one["start"] for one in relax["variants"]}
    assert starts["as it is"] is None
    assert starts["half the cores"] is not None
    assert gather["reason"] == "waits for the array job before it"
    assert any("PBS cannot be asked" in line for line in sciflow("why").out.splitlines())
