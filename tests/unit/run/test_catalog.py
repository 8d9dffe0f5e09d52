"""Only what is new or changed is read again; what was read is kept by columns."""

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
import xarray

from sciflow.execution import Run
from sciflow.run import catalog
from sciflow.run.collect import collect
from sciflow.store import record_rows
from sciflow.store.layout import RunDirectory
from sciflow.store.results import read_tables
from sciflow_shim.record import Dataset, Group, write_record

LeaveRecord = Callable[..., Path]


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return the list of records that are read from now on."""
    found: list[str] = []
    original = record_rows.read_rows

    def read(path: str, name: str, index: int) -> Any:
        found.append(name.rpartition("/")[2])
        return original(path, name, index)

    monkeypatch.setattr(catalog, "read_rows", read)
    return found


def test_what_is_known_is_not_read_again(staged: RunDirectory, leave_record: LeaveRecord, reads: list[str]) -> None:
    """The second time nothing is read or written; then only what is new; then what has changed."""
    for index in range(3):
        leave_record(staged, "square.0", index, y=index, **{f"only{index}": 0.5})
    collect(staged)
    assert sorted(reads) == ["0.1.h5", "1.1.h5", "2.1.h5"]
    before = staged.results.stat().st_mtime_ns, staged.collected.stat().st_mtime_ns
    reads.clear()
    collect(staged)
    assert reads == []
    assert before == (staged.results.stat().st_mtime_ns, staged.collected.stat().st_mtime_ns)
    leave_record(staged, "square.0", 3, y=3)
    assert collect(staged).combinations["y"] == [0, 1, 2, 3]
    assert reads == ["3.1.h5"]
    leave_record(staged, "square.0", 1, y=10)
    tables = collect(staged)
    assert reads == ["3.1.h5", "1.1.h5"]
    assert tables.combinations["y"] == [0, 10, 2, 3]
    assert tables.combinations["only0"] == [0.5, None, None, None]
    assert "only1" not in tables.combinations
    staged.record("square.0", 0, 1).unlink()
    assert collect(staged).combinations["y"] == [None, 10, 2, 3]
    assert len(reads) == 2


def test_step_by_step_is_the_same_as_at_once(staged: RunDirectory, leave_record: LeaveRecord) -> None:
    """Tables that were made little by little are those that are made in one go."""
    for step, (index, attempt, state) in enumerate(
        [(2, 1, "FAILED"), (0, 1, "COMPLETED"), (2, 2, "COMPLETED"), (1, 1, "COMPLETED")]
    ):
        leave_record(staged, "square.0", index, attempt, state, y=step, **({"z": 1.5} if step % 2 else {"label": "a"}))
        little = collect(staged)
    leave_record(staged, "total.0", 0, sum=3)
    little = collect(staged)
    at_once = collect(staged, verify=True)
    for name in little.by_name:
        assert repr(dict(little.table(name))) == repr(dict(at_once.table(name))), name
    assert little.facts == at_once.facts


def test_what_was_torn_after_it_was_collected_is_found(staged: RunDirectory, leave_record: LeaveRecord) -> None:
    """A change shows by size or time; one that hides both is found when every byte is read."""
    path = leave_record(staged, "square.0", 1, y=7)
    collect(staged)
    whole = path.read_bytes()
    data = bytearray(whole)
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    assert collect(staged).facts["completeness"]["torn"] == 1
    path.write_bytes(whole)
    assert collect(staged).facts["completeness"]["torn"] == 0
    facts = path.stat()
    path.write_bytes(data)
    os.utime(path, ns=(facts.st_atime_ns, facts.st_mtime_ns))
    assert collect(staged).facts["completeness"]["torn"] == 0
    assert collect(staged, verify=True).facts["completeness"]["torn"] == 1


@pytest.mark.parametrize("damage", ["", "[]", '{"format": 9}', "no JSON"])
def test_without_what_is_known_all_is_read(
    staged: RunDirectory, leave_record: LeaveRecord, reads: list[str], damage: str
) -> None:
    """The note of what was collected may be damaged, old or gone, and the results may be: all is read anew."""
    leave_record(staged, "square.0", 0, y=1)
    collect(staged)
    staged.collected.write_text(damage)
    assert collect(staged).combinations["y"] == [1, None, None, None]
    staged.results.unlink()
    assert collect(staged).combinations["y"] == [1, None, None, None]
    assert reads == ["0.1.h5"] * 3
    assert json.loads(staged.collected.read_text())["files"]["name"] == ["records/square.0/0000/0.1.h5"]


def test_every_attempt_is_a_row(staged: RunDirectory, leave_record: LeaveRecord) -> None:
    """What each attempt was, used and left is typed columns, which xarray and h5py open."""
    leave_record(staged, "square.0", 0, 1, "FAILED", "no good", y=1)
    path = leave_record(staged, "square.0", 0, 2, y=2.5)
    collect(staged)
    known = read_tables(staged.results)
    row = {name: values[1] for name, values in known.attempts.items()}
    assert (row["task"], row["array"], row["index"], row["attempt"]) == ("square", "square.0", 0, 2)
    assert (row["state"], row["seal"], row["seconds"], row["host"] != "") == ("COMPLETED", "sealed", 2.0, True)
    assert row["record"] == "records/square.0/0000/0.2.h5"
    assert row["digest"].encode() == path.read_bytes()[-64:]
    assert {"peak_rss_bytes", "voluntary_context_switches", "read_bytes", "peak_threads"} <= set(row)
    assert known.table("metrics/square")["y"] == [1, 2.5]
    with xarray.open_dataset(staged.results, group="attempts", engine="h5netcdf") as attempts:
        assert attempts["attempt"].values.tolist() == [1, 2]
    with xarray.open_dataset(staged.results, group="metrics/square", engine="h5netcdf") as metrics:
        assert metrics["record"].values.tolist() == [0, 1]
    with h5py.File(staged.results) as file:
        assert file["attempts/peak_rss_bytes"].attrs["units"] == "byte"


def packed(path: Path, run: str, members: dict[int, dict[str, Any]]) -> None:
    """Write a record that tells of several indices."""
    root = Group({"run": run, "task": "square", "array": "square.0", "host": "n1", "packed": len(members)})
    root.attributes.update({"attempt": 1, "format": 1})
    root.members["members"] = Group()
    for index, facts in members.items():
        own = {"index": index, "instance": f"i{index}", "start": 10.0, "end": 11.0 + index, "exit_code": 0, "signal": 0}
        group = Group({**own, "state": facts["state"], "error": facts.get("error", ""), "parameters": "{}"})
        group.members["metrics"] = Group(facts.get("metrics", {}))
        group.members["resources"] = Group({"peak_rss_bytes": 1000 + index})
        group.members["results"] = Group({}, {"v": Dataset([1.0, float(index)], "<f8")})
        group.members["checkpoint"] = Group({"from": "step-3", "count": index})
        root.members["members"].members[str(index)] = group
    path.parent.mkdir(parents=True, exist_ok=True)
    write_record(path, root)


def test_a_packed_record_tells_of_several(staged: RunDirectory) -> None:
    """One file of several indices gives each of them its state, its metrics, its resources and its arrays."""
    members: dict[int, dict[str, Any]] = {
        0: {"state": "COMPLETED", "metrics": {"y": 5}},
        1: {"state": "FAILED", "error": "no good", "metrics": {"y": 6}},
        2: {"state": "COMPLETED", "metrics": {"y": 7}},
    }
    packed(staged.record("square.0", 0, 1), staged.run_id, members)
    for tables in (collect(staged), collect(staged), collect(staged, verify=True)):
        assert tables.instances["state"] == ["COMPLETED", "FAILED", "COMPLETED", "PENDING", "PENDING"]
        assert tables.instances["peak_rss_bytes"][:3] == [1000, 1001, 1002]
        assert tables.instances["host"][:3] == ["n1"] * 3
        assert tables.combinations["y"] == [5, None, 7, None]
        assert tables.attempts["place"] == [f"/members/{index}" for index in range(3)]
        assert tables.attempts["checkpoint_count"] == [0, 1, 2]
        assert {kind: n for kind, n in tables.facts["completeness"].items() if n} == {
            "expected": 5,
            "sealed": 3,
            "waiting": 2,
        }
    results = Run(staged).collect()
    assert results.array("square", 2, "v").tolist() == [1.0, 2.0]
    joined = Run(staged).collect(join_arrays=True)
    assert joined.tables.facts["joined"]["joined"] == {"square/v": 2}
    with h5py.File(staged.results) as file:
        column: Any = file["joined/square/v"]
        assert np.isnan(column[1]).all()
        assert column[2].tolist() == [1.0, 2.0]
