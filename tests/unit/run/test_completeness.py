"""How complete the records are: what is missing, what is twice there, and what belongs elsewhere."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sciflow.run.collect import collect
from sciflow.run.completeness import to_document
from sciflow.store.journal import Journal
from sciflow.store.layout import RunDirectory
from sciflow_shim.record import Group, write_record

LeaveRecord = Callable[..., Path]


@pytest.fixture
def told(staged: RunDirectory) -> Callable[[], tuple[dict[str, int], dict[str, list[dict[str, Any]]]]]:
    """Return a function that collects and gives the counts that are not zero, and what is apart."""

    def tell() -> tuple[dict[str, int], dict[str, list[dict[str, Any]]]]:
        tables = collect(staged)
        counts = {kind: count for kind, count in tables.facts["completeness"].items() if count}
        return counts, to_document(tables.table("apart"))

    return tell


def test_nothing_is_expected_of_what_never_ran(staged: RunDirectory, told: Callable[..., Any]) -> None:
    """What was removed since its upstream failed, or cancelled before it began, is not missing: it never ran."""
    Journal(staged.journal).append(
        [
            {"event": "ended", "array": "total.0", "index": 0, "attempt": 1, "state": "UPSTREAM_FAILED"},
            {"event": "ended", "array": "square.0", "index": 3, "attempt": 1, "state": "FAILED", "error": "no"},
        ]
    )
    counts, apart = told()
    assert counts == {"expected": 5, "missing": 1, "not_run": 1, "waiting": 3}
    assert apart["missing"] == [{"array": "square.0", "indices": "3", "why": "no", "paths": []}]
    assert apart["not_run"][0]["array"] == "total.0"


def test_an_interim_record_is_not_torn(
    staged: RunDirectory, leave_record: LeaveRecord, told: Callable[..., Any]
) -> None:
    """A record without a seal is of an attempt that goes on; of one that was killed it is the last that there is."""
    leave_record(staged, "square.0", 0, state="RUNNING")
    leave_record(staged, "square.0", 1, state="RUNNING")
    event = {"event": "ended", "array": "square.0", "index": 1, "attempt": 1, "state": "NODE_FAIL", "error": "gone"}
    Journal(staged.journal).append([event])
    counts, apart = told()
    assert counts == {"expected": 5, "unsealed": 1, "waiting": 4}
    assert [one["indices"] for one in apart["unsealed"]] == ["1"]
    host = collect(staged).instances["host"]
    assert host[1]


def test_a_copy_is_a_duplicate(staged: RunDirectory, leave_record: LeaveRecord, told: Callable[..., Any]) -> None:
    """A copy of a record, under whatever name, counts neither as another attempt nor as another index."""
    path = leave_record(staged, "square.0", 1, y=7)
    for name in ("1.2.h5", "3.1.h5", "1.1 (copy).h5"):
        shutil.copyfile(path, path.with_name(name))
    counts, apart = told()
    assert counts == {"expected": 5, "sealed": 1, "waiting": 4, "duplicate": 3}
    [one] = apart["duplicate"]
    assert (one["array"], one["indices"]) == ("square.0", "1")
    assert sorted(name.rpartition("/")[2] for name in one["paths"]) == ["1.1 (copy).h5", "1.2.h5", "3.1.h5"]
    assert collect(staged).combinations["y"] == [None, 7, None, None]


def test_an_earlier_attempt_is_stale(staged: RunDirectory, leave_record: LeaveRecord, told: Callable[..., Any]) -> None:
    """The record of an earlier attempt is named, and is a row of the attempts, not of the instances."""
    leave_record(staged, "square.0", 2, 1, "FAILED")
    leave_record(staged, "square.0", 2, 2, y=3)
    counts, apart = told()
    assert counts == {"expected": 5, "sealed": 1, "waiting": 4, "stale": 1}
    assert apart["stale"][0]["paths"] == ["records/square.0/0000/2.1.h5"]
    tables = collect(staged)
    assert tables.attempts["state"] == ["FAILED", "COMPLETED"]
    assert tables.attempts["attempt"] == [1, 2]


def test_what_is_of_another_run_is_foreign(
    staged: RunDirectory, leave_record: LeaveRecord, told: Callable[..., Any]
) -> None:
    """Another run's record, an index that there is not, another array job and other files never count."""
    path = leave_record(staged, "square.0", 0, y=1)
    write_record(path.with_name("1.1.h5"), Group({"run": "another", "array": "square.0", "index": 1, "attempt": 1}))
    shutil.copytree(staged / "records" / "square.0", staged / "records" / "unknown.0")
    path.with_name("notes.txt").write_text("no record")
    shutil.copyfile(path, path.with_name("77.1.h5"))
    path.unlink()
    counts, apart = told()
    assert "sealed" not in counts
    why = {path: one["why"] for one in apart["foreign"] for path in one["paths"]}
    assert why["records/square.0/0000/notes.txt"] == "it is no record"
    assert why["records/square.0/0000/77.1.h5"] == "it says that it is attempt 1 of square.0[0]"
    assert why["records/unknown.0/0000/0.1.h5"] == "it says that it is attempt 1 of square.0[0]"
    assert collect(staged).combinations["y" if "y" in collect(staged).combinations else "state"][0] == "PENDING"


def test_an_index_beyond_the_array_is_foreign(
    staged: RunDirectory, leave_record: LeaveRecord, told: Callable[..., Any]
) -> None:
    """A record that says it is of an index which the array job has not is named."""
    from sciflow_shim.record_reader import read_record

    path = leave_record(staged, "square.0", 3)
    root = read_record(path)
    group = Group({**root.attributes, "index": 9})
    for name in ("metrics", "resources", "results"):
        group.members[name] = Group(dict(root[name].attributes))
    write_record(path.with_name("9.1.h5"), group)
    counts, apart = told()
    assert counts == {"expected": 5, "sealed": 1, "waiting": 4, "foreign": 1}
    assert apart["foreign"][0]["why"] == "the run has no square.0[9]"


def test_what_is_being_written_is_left_out(
    staged: RunDirectory, leave_record: LeaveRecord, told: Callable[..., Any]
) -> None:
    """A record beside its place, and what a program hands over, are neither."""
    path = leave_record(staged, "square.0", 0)
    path.with_name("1.1.h5.partial").write_bytes(b"\x89HDF")
    path.with_name(".1.1.outcome").write_bytes(b"x")
    assert told()[0] == {"expected": 5, "sealed": 1, "waiting": 4}
