"""Several combinations in one array index."""

from __future__ import annotations

import json
import signal
import subprocess
from typing import TYPE_CHECKING, Any

import h5py
import numpy as np
import pytest

from sciflow_shim import files
from sciflow_shim.record_reader import read_record, verify_seal
from sciflow_shim.record_shelf import RecordShelf
from sciflow_shim.upstream import load_results

if TYPE_CHECKING:
    from shim.conftest import Prepare, PreparedRun

PROGRAM = """
import numpy, os
def work(x):
    print("this is", x)
    if x == 2 and not os.path.exists("mended"):
        raise ValueError("two is one too many")
    return {"y": x * 10, "small": numpy.arange(x + 1.0), "large": numpy.full(100_000, x)}
def after(work, x):
    return {"z": work["y"] + work["large"][-1]}
"""
WORK = {"name": "work", "python": "work", "resources": {"combinations_per_index": 3, "max_runtime": "1m"}}
AFTER = {"name": "after", "python": "after", "depends_on": ["work"], "resources": {"combinations_per_index": 3}}


@pytest.fixture
def run(prepare: Prepare) -> PreparedRun:
    """Return a run whose tasks have seven combinations each, three of them in an array index."""
    return prepare(PROGRAM, WORK, AFTER, parameters={"x": list(range(7))}, profile="generic-slurm")


def states(run: PreparedRun, task: str = "work", element: int = 0, attempt: int = 1) -> dict[str, Any]:
    """Return index → state, as the record of an array index tells."""
    members = run.record(task, element, attempt)["members"].members
    return {name: member.attributes["state"] for name, member in members.items()}


def test_one_that_fails_does_not_stop_the_others(run: PreparedRun) -> None:
    """They run one after another; each has its own end, and the array index has one record and one log."""
    assert run.execute(index=0).returncode == 0
    assert states(run) == {"0": "COMPLETED", "1": "COMPLETED", "2": "FAILED"}
    root = run.record().attributes
    assert (root["state"], root["packed"], root["index"]) == ("FAILED", 3, 0)
    assert root["error"] == "1 of 3 did not complete: 2"
    failed = run.record()["members/2"].attributes
    assert (failed["error_type"], failed["error"]) == ("ValueError", "two is one too many")
    folder = run.path / "records" / "work.0" / "0000"
    assert [one.name for one in folder.iterdir()] == ["0.1.h5"]
    assert [one.name for one in (run.path / "logs" / "work.0").iterdir()] == ["0.1.out"]


def test_the_last_array_index_holds_what_is_left(run: PreparedRun) -> None:
    """Seven in threes: the third has one."""
    assert run.execute(index=2).returncode == 0
    assert states(run, element=2) == {"6": "COMPLETED"}
    result = run.execute(index=3)
    assert result.returncode == 2
    assert "array `work.0` has indices 0-2, not 3" in result.stderr


def test_each_has_its_own_part_of_the_log_and_its_own_usage(run: PreparedRun) -> None:
    """What one printed is found by where it begins and how long it is."""
    run.execute(index=0)
    text = run.log().encode()
    for number in range(3):
        member = run.record()[f"members/{number}"]
        start, length = member.attributes["log_start"], member.attributes["log_length"]
        assert text[start : start + length].startswith(f"this is {number}\n".encode())
        assert member["resources"].attributes["peak_rss_bytes"] > 1_000_000
    whole = run.record()["resources"].attributes
    parts = [run.record()[f"members/{number}/resources"].attributes for number in range(3)]
    assert whole["wall_seconds"] == pytest.approx(sum(one["wall_seconds"] for one in parts))
    assert whole["peak_rss_bytes"] == max(one["peak_rss_bytes"] for one in parts)


def test_only_what_is_not_completed_runs_again(run: PreparedRun) -> None:
    """The next attempt of an array index holds those alone, and those after it find each where it is."""
    run.execute(index=0)
    (run.path.parent / "mended").touch()
    assert run.execute(index=0).returncode == 0
    assert states(run, attempt=2) == {"2": "COMPLETED"}
    assert run.record(attempt=2).attributes["state"] == "COMPLETED"
    assert run.execute(index=0).returncode == 0
    assert not (run.path / files.record("work.0", 0, 3)).exists()
    assert run.execute("after", 0).returncode == 0
    members = run.record("after")["members"]
    assert [members[str(i)]["metrics"].attributes["z"] for i in range(3)] == [0, 11, 22]


def test_one_whose_upstream_failed_is_held_back_alone(run: PreparedRun) -> None:
    """The others of its array index run."""
    run.execute(index=0)
    assert run.execute("after", 0).returncode == 0
    assert states(run, "after") == {"0": "COMPLETED", "1": "COMPLETED", "2": "UPSTREAM_FAILED"}
    assert run.record("after")["members/2"].attributes["error"] == "work.0[2] is FAILED"


def test_when_nothing_completes_it_fails(prepare: Prepare) -> None:
    """What follows index by index is then not started in vain."""
    run = prepare("def work(x): raise OSError(x)", WORK, parameters={"x": [1, 2]}, profile="generic-slurm")
    result = run.execute()
    assert result.returncode == 1
    assert "work.0[1] FAILED: OSError: 2" in result.stderr


def test_commands_are_packed_too(prepare: Prepare) -> None:
    """Their metrics are taken from what each has printed itself."""
    task = {
        "name": "work",
        "command": "echo value={{ x }}; echo {{ x }} > out.txt",
        "outputs": ["out.txt"],
        "extract": {"v": {"stdout": r"value=(\d+)", "type": "int"}},
        "resources": {"combinations_per_index": 10},
    }
    run = prepare("", task, parameters={"x": [5, 6]}, profile="generic-slurm")
    assert run.execute().returncode == 0
    members = run.record()["members"]
    assert [members[name]["metrics"].attributes["v"] for name in ("0", "1")] == [5, 6]
    assert run.log() == "value=5\nvalue=6\n"


def test_h5py_reads_it_like_any_other(run: PreparedRun) -> None:
    """A group for each, with arrays, small and large."""
    run.execute(index=0)
    with h5py.File(run.path / files.record("work.0", 0, 1)) as file:
        group: Any = file["members/1"]
        assert group.attrs["state"] == "COMPLETED"
        assert np.array_equal(group["results/small"][()], [0.0, 1.0])
        assert (group["results/large"][()] == 1).all()
        assert json.loads(group.attrs["parameters"]) == {"x": 1}
        assert isinstance(file["environment"], h5py.Group)


def test_a_limit_is_that_of_one(prepare: Prepare) -> None:
    """The array index asks for the time of all; one that takes more than its own is ended."""
    program = "import time\ndef work(x):\n    time.sleep(0 if x else 60)"
    task = {**WORK, "resources": {"combinations_per_index": 2, "max_runtime_hours": 1 / 3600}}
    run = prepare(program, task, parameters={"x": [0, 1]}, profile="generic-slurm")
    assert run.array().header["request"]["runtime_seconds"] == 2
    assert run.execute().returncode == 0
    assert states(run) == {"0": "TIMEOUT", "1": "COMPLETED"}


def test_when_it_is_stopped_the_rest_does_not_start(prepare: Prepare) -> None:
    """What has ended is in its record, what ran is cancelled, and what had not begun has none."""
    program = "import time\ndef work(x):\n    print('begun', flush=True); time.sleep(60 if x else 0)"
    run = prepare(program, WORK, parameters={"x": [0, 1, 2]}, profile="generic-slurm")
    process = subprocess.Popen(run.command("work.0", "0"), env=run.environment, stderr=subprocess.DEVNULL)
    live = run.path / files.member_log("work.0", 0, 1, 1)
    while not (live.exists() and live.read_text()):
        assert process.poll() is None
    process.send_signal(signal.SIGTERM)
    process.wait(30)
    assert states(run) == {"0": "COMPLETED", "1": "CANCELLED"}
    assert run.record().attributes["state"] == "CANCELLED"


def test_when_all_of_it_is_killed_what_has_ended_is_known(prepare: Prepare) -> None:
    """The last whole record stays; the next attempt does the rest, and removes what nobody has taken."""
    program = (
        "import time, numpy\n"
        "def work(x):\n    print('begun', flush=True)\n    time.sleep(60 if x == 1 else 0)\n"
        "    return numpy.zeros(100_000)"
    )
    run = prepare(program, WORK, parameters={"x": [0, 1, 2]}, profile="generic-slurm")
    quick = {**run.environment, "PYTHONPATH": run.environment["PYTHONPATH"]}
    start = (
        "import sys; import sciflow_shim.packed as p; p.SHORTEST = 0.0; p.SHARE = 1e9\n"
        "from sciflow_shim.__main__ import main; sys.exit(main(sys.argv[1:]))"
    )
    command = [run.command()[0], "-c", start, *run.command()[3:], "work.0", "0"]
    process = subprocess.Popen(command, env=quick, stderr=subprocess.DEVNULL)
    live = run.path / files.member_log("work.0", 0, 1, 1)
    while not (live.exists() and live.read_text()):
        assert process.poll() is None
    process.kill()
    process.wait(30)
    assert states(run) == {"0": "COMPLETED"}
    assert run.record().attributes["state"] == "RUNNING"
    assert verify_seal(run.path / files.record("work.0", 0, 1)) == "sealed"
    (run.path.parent / "programs.py").write_text(program.replace("60", "0"))
    document = json.loads((run.path / files.task_file("work")).read_text())
    document["function"]["modules"] = {}
    (run.path / files.task_file("work")).write_text(json.dumps(document))
    assert run.execute().returncode == 0
    assert states(run, attempt=2) == {"1": "COMPLETED", "2": "COMPLETED"}
    folder = run.path / "records" / "work.0" / "0000"
    assert sorted(one.name for one in folder.iterdir()) == ["0.1.h5", "0.2.h5"]


def test_results_are_found_by_the_next_task(run: PreparedRun) -> None:
    """The shelf opens a record that holds many once, and gives each its own."""
    run.execute(index=0)
    shelf = RecordShelf(str(run.path))
    found = shelf.find("work.0", 1, 3)
    assert found is not None
    assert load_results(found)["y"] == 10
    assert found.facts["run"] == read_record(run.path / files.record("work.0", 0, 1)).attributes["run"]
    assert shelf.is_sealed(found)
    assert shelf.find("work.0", 5, 3) is None
