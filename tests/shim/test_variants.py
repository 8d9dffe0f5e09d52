"""An array job that is tried again, with another request or only in part."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import h5py
import pytest

from record_fields import differences, found, listed
from sciflow_shim import files
from sciflow_shim.array import Array

if TYPE_CHECKING:
    from shim.conftest import Prepare, PreparedRun, Serve

QUICK = {"name": "work", "python": "work", "resources": {"max_runtime": "1h", "memory_gb": 100}}


def request(run: PreparedRun, **changed: Any) -> dict[str, Any]:
    """Return the array job's request with something changed."""
    return {**run.array().header["request"], **changed}


def test_a_variant_is_read_from_its_name(prepare: Prepare) -> None:
    """Its document goes before the header; all else is that of the array job."""
    run = prepare("def work(): pass", QUICK)
    run.put_variant("r1", request=request(run, runtime_seconds=7), only="3,17-18", goes_on=True, members=2)
    array = Array(str(run.path), "work.0@r1")
    assert (array.name, array.variant, array.goes_on, array.only) == ("work.0", "r1", True, {3, 17, 18})
    assert array.members == 2
    assert array.header["request"] == request(run, runtime_seconds=7)
    plain = run.array()
    assert (plain.name, plain.variant, plain.goes_on, plain.only, plain.members) == ("work.0", "", False, None, 1)
    assert (plain.links, plain.brake) == (1, 0)
    run.put_variant("r2")
    assert Array(str(run.path), "work.0@r2").header == plain.header


def test_a_variant_that_is_not_there_is_wrong_usage(prepare: Prepare) -> None:
    """So is one that a newer sciflow has written."""
    run = prepare("def work(): pass")
    ended = run.execute(variant="r1")
    assert ended.returncode == 2
    assert "work.0@r1.json" in ended.stderr
    run.put_variant("r1", format=99)
    assert "use a newer sciflow" in run.execute(variant="r1").stderr


@pytest.mark.parametrize(
    ("changed", "code", "error"),
    [
        ({"runtime_seconds": 1}, 124, "ran longer than the 1 s it asked for"),
        ({"memory_bytes": 100 << 20}, 137, "of the 0.10 GB it asked for"),
    ],
)
def test_its_limits_are_those_of_its_request(prepare: Prepare, changed: dict[str, int], code: int, error: str) -> None:
    """The time and the memory that it asks for end it, not those of the plan."""
    run = prepare("import time\ndef work():\n    held = bytearray(300_000_000)\n    time.sleep(100)", QUICK)
    run.put_variant("r1", request=request(run, **changed))
    assert run.execute(variant="r1").returncode == code
    assert error in run.facts()["error"]


def test_records_and_logs_are_those_of_the_array_job(prepare: Prepare) -> None:
    """Attempts count on, whatever they were asked for; the record names the variant, as its page says."""
    run = prepare("def work(x):\n    print(x)\n    return x", QUICK, parameters={"x": [4, 5]})
    run.put_variant("r1")
    assert run.execute(index=1).returncode == 0
    assert run.execute(index=1, variant="r1").returncode == 0
    assert [run.facts(index=1, attempt=one).get("variant") for one in (1, 2)] == [None, "r1"]
    assert run.facts(index=1, attempt=2)["array"] == "work.0"
    assert run.log(index=1, attempt=2) == "5\n"
    path = run.path / files.record("work.0", 1, 2)
    assert differences(listed("Record"), found(path), ["it was started under another name"]) == []
    assert sorted(one.name for one in run.path.glob("*/work.0*")) == [
        "work.0",
        "work.0",
        "work.0.json",
        "work.0.jsonl",
        "work.0.sh",
        "work.0@r1.json",
    ]


def test_of_several_only_those_run_that_are_asked_for(prepare: Prepare) -> None:
    """What is left out is neither run nor counted; each has its share of the time of as many as run together."""
    program = "import time\ndef work(x):\n    time.sleep(60 * (x == 4))\n    return x"
    task = {**QUICK, "resources": {"combinations_per_index": 3, "max_runtime": "1h"}}
    run = prepare(program, task, parameters={"x": list(range(6))}, profile="generic-slurm")
    run.put_variant("r1", request=request(run, runtime_seconds=2), only="0,4-5", members=2)
    assert run.execute(index=1, variant="r1").returncode == 0
    with h5py.File(run.path / files.record("work.0", 1, 1)) as file:
        members: Any = file["members"]
        assert {name: one.attrs["state"] for name, one in members.items()} == {"4": "TIMEOUT", "5": "COMPLETED"}
        assert members["4"].attrs["error"] == "ran longer than the 1 s it asked for"
        assert (file.attrs["packed"], file.attrs["variant"]) == (2, "r1")
        assert "variant" not in members["4"].attrs


@pytest.mark.parametrize("variant", ["", "r1"])
def test_serving_knows_variants_too(prepare: Prepare, serve: Serve, variant: str) -> None:
    """The name is that of the job script."""
    run = prepare("def work(): pass", QUICK)
    run.put_variant("r1")
    serve(run, variant=variant).run_to_end(0)
    assert run.facts().get("variant", "") == variant


def test_what_was_done_before_its_node_was_lost_is_not_done_again(prepare: Prepare) -> None:
    """Put back into the queue after its record was written, the same job does nothing; another job does it again."""
    run = prepare("def work(): return {'y': 1}", {"name": "work", "python": "work"})
    run.environment["SLURM_ARRAY_JOB_ID"] = "77"
    assert run.execute().returncode == 0
    before = run.traces()
    run.environment["SLURM_RESTART_COUNT"] = "1"
    assert run.execute().returncode == 0
    assert run.traces() == before
    run.environment["SLURM_ARRAY_JOB_ID"] = "78"
    assert run.execute().returncode == 0
    assert run.facts(attempt=2)["state"] == "COMPLETED"


def test_a_sub_job_of_pbs_knows_by_its_id_that_it_is_started_again(prepare: Prepare) -> None:
    """PBS does not say so."""
    run = prepare("def work(): return {'y': 1}", {"name": "work", "python": "work"})
    run.environment["PBS_JOBID"] = "77[0].srv"
    assert run.execute().returncode == 0
    before = run.traces()
    assert run.execute().returncode == 0
    assert run.traces() == before
    run.environment["PBS_JOBID"] = "78[0].srv"
    assert run.execute().returncode == 0
    assert run.facts(attempt=2)["state"] == "COMPLETED"
