"""Tasks that are fused: one after another in the same array index, by one shim."""

from __future__ import annotations

import signal
import subprocess
from typing import TYPE_CHECKING

import pytest

from sciflow_shim import files
from sciflow_shim.record_reader import read_record

if TYPE_CHECKING:
    from shim.conftest import Prepare, PreparedRun

PROGRAM = """
import os, time
def work(x):
    print("work", x)
    if x == 1:
        raise ValueError("one is one too many")
    return {"y": x * 10}
def after(work):
    print("after", work["y"])
    return {"z": work["y"] + 1}
def last(after):
    return {"s": after["z"] * 2}
"""
TASKS = [
    {"name": "work", "python": "work", "resources": {"max_runtime": "1m"}},
    {"name": "after", "python": "after", "depends_on": ["work"], "fuse": True, "resources": {"max_runtime": "2m"}},
    {"name": "last", "python": "last", "depends_on": ["after"], "fuse": True, "resources": {"max_runtime": "3m"}},
]


@pytest.fixture
def run(prepare: Prepare) -> PreparedRun:
    """Return a run of three tasks that are fused."""
    return prepare(PROGRAM, *TASKS, parameters={"x": [0, 1, 2]}, profile="generic-slurm")


def spinning(prepare: Prepare, first: str, second: str) -> PreparedRun:
    """Return a run of two commands that are fused."""
    return prepare(
        "",
        {"name": "work", "command": first},
        {"name": "after", "command": second, "depends_on": ["work"], "fuse": True},
        profile="generic-slurm",
    )


def started(run: PreparedRun) -> subprocess.Popen[bytes]:
    """Start index 0 as its job script does."""
    return subprocess.Popen(
        run.command(files.variant_name("work.0", files.FUSED), "0"),
        env=run.environment,
        cwd=run.path.parent,
        stderr=subprocess.DEVNULL,
    )


def wait_for_log(run: PreparedRun, task: str, text: str) -> None:
    """Wait until a program has printed something."""
    subprocess.run(
        ["bash", "-c", f"until grep -qs {text} '{run.path / files.log(f'{task}.0', 0, 1)}'; do sleep 0.01; done"],
        check=True,
        timeout=20,
    )


def test_each_has_its_own_record(run: PreparedRun) -> None:
    """And its own log; each gets what the one before has left."""
    assert run.execute(index=2, variant=files.FUSED).returncode == 0
    assert [run.facts(task, 2)["state"] for task in ("work", "after", "last")] == ["COMPLETED"] * 3
    assert run.results("last", 2) == {"s": 42}
    assert (run.log("work", 2), run.log("after", 2)) == ("work 2\n", "after 20\n")
    starts, ends = ([run.facts(task, 2)[which] for task in ("work", "after", "last")] for which in ("start", "end"))
    assert starts[1] >= ends[0]
    assert starts[2] >= ends[1]


def test_nothing_starts_after_one_that_has_failed(run: PreparedRun) -> None:
    """The job ends as that one did."""
    done = run.execute(index=1, variant=files.FUSED)
    assert done.returncode == 1
    assert "work.0[1] FAILED: ValueError: one is one too many" in done.stderr
    assert run.traces() == ["1.1.h5", "1.1.out"]


def test_alone_it_runs_alone(run: PreparedRun) -> None:
    """Under its own name nothing follows, and one that was run so is not run again."""
    assert run.execute(index=0).returncode == 0
    assert not list(run.path.glob("records/after.0"))
    assert run.execute("after", index=0).returncode == 0
    assert run.execute(index=0, variant=files.FUSED).returncode == 0
    assert run.facts("work", 0, 2)["variant"] == files.FUSED
    assert not (run.path / files.record("after.0", 0, 2)).exists()
    assert run.facts("last", 0)["state"] == "COMPLETED"


def test_a_job_that_is_started_again_goes_on(run: PreparedRun) -> None:
    """What it had completed before it was put back into the queue is not repeated."""
    run.environment["SLURM_ARRAY_JOB_ID"] = "101"
    assert run.execute(index=0).returncode == 0
    run.environment["SLURM_RESTART_COUNT"] = "1"
    assert run.execute(index=0, variant=files.FUSED).returncode == 0
    assert not (run.path / files.record("work.0", 0, 2)).exists()
    assert run.facts("last", 0)["state"] == "COMPLETED"


def test_each_is_stopped_at_its_own_limit(prepare: Prepare) -> None:
    """Not at the end of the whole job."""
    run = prepare(
        "",
        {"name": "work", "command": "true", "resources": {"max_runtime": "1h"}},
        {
            "name": "after",
            "command": "while true; do sleep 0.02; done",
            "depends_on": ["work"],
            "fuse": True,
            "resources": {"max_runtime": "1s"},
        },
        profile="generic-slurm",
    )
    assert run.execute(variant=files.FUSED).returncode == 124
    assert run.facts("work")["state"] == "COMPLETED"
    assert (run.facts("after")["state"], run.facts("after")["error"]) == (
        "TIMEOUT",
        "ran longer than the 1 s it asked for",
    )


@pytest.mark.parametrize("task", ["work", "after"])
def test_who_stops_a_job_stops_the_one_that_runs(task: str, prepare: Prepare) -> None:
    """And what comes after that does not start."""
    spin = "echo begun; while true; do sleep 0.02; done"
    run = spinning(prepare, spin if task == "work" else "true", spin)
    process = started(run)
    wait_for_log(run, task, "begun")
    process.send_signal(signal.SIGTERM)
    assert process.wait(20) == 143
    assert run.facts(task)["state"] == "CANCELLED"
    assert (run.path / files.record("after.0", 0, 1)).exists() == (task == "after")


def test_a_warning_reaches_the_one_that_runs(prepare: Prepare) -> None:
    """Also the second one, which may keep its state then."""
    run = spinning(prepare, "true", "trap 'echo saved; exit 9' USR1; echo begun; while true; do sleep 0.02; done")
    process = started(run)
    wait_for_log(run, "after", "begun")
    process.send_signal(signal.SIGUSR1)
    assert process.wait(20) == 124
    assert run.log("after") == "begun\nsaved\n"


def test_a_job_that_is_killed_leaves_what_was_completed(prepare: Prepare) -> None:
    """The record of the first one is whole, and that of the second tells that it ran."""
    run = spinning(prepare, "true", "echo begun; while true; do sleep 0.02; done")
    process = started(run)
    wait_for_log(run, "after", "begun")
    process.kill()
    process.wait(20)
    assert run.facts("work")["state"] == "COMPLETED"
    assert read_record(run.path / files.record("after.0", 0, 1)).attributes["state"] == "RUNNING"


def test_a_later_one_does_not_tell_the_memory_of_those_before(
    run: PreparedRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The kernel counts the most that the whole job has held."""
    from sciflow_shim.attempt import Attempt
    from sciflow_shim.attempt_record import tree

    told = {"cgroup_peak_bytes": 5 << 30, "memory_limit_bytes": 8 << 30}
    monkeypatch.setattr("sciflow_shim.attempt_record.job_memory", lambda *_: dict(told))
    first = run.array()
    both = [
        tree(Attempt(one, 0, 1), "r.h5").members["resources"].attributes for one in (first, first.follower("after.0"))
    ]
    assert [{name: one.get(name) for name in told} for one in both] == [told, {**told, "cgroup_peak_bytes": None}]


def test_an_unknown_follower_is_an_error(run: PreparedRun) -> None:
    """Before anything is run."""
    run.put_variant(files.FUSED, then=["nobody.0"])
    assert run.execute(variant=files.FUSED).returncode == 2
    assert run.traces() == []
