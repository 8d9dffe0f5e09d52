"""An array job as the node sees it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from sciflow_shim import files
from sciflow_shim.array import Array, last_attempt

if TYPE_CHECKING:
    from shim.conftest import Prepare

PROGRAM = """
def work(x): return {"y": x}
def join(work): return {"n": len(work)}
def last(x, work, join): return 1
"""
TASKS = (
    {"name": "work", "python": "work"},
    {"name": "join", "python": "join", "depends_on": ["work"], "over": ["x"]},
    {"name": "last", "python": "last", "depends_on": ["work", "join"]},
)


def test_lines_are_found_in_any_order(prepare: Prepare) -> None:
    """Each index gets its own line, from texts of any length."""
    values = ["a", "ü" * 1000, "", "x\ny"]
    array = prepare("def work(x): pass", parameters={"x": values}).array()
    for index in (3, 0, 2, 1, 0):
        assert array.line(index)["parameters"] == {"x": values[index]}


@pytest.mark.parametrize("index", [-1, 2, 10**9])
def test_an_index_that_is_not_there_is_an_error(prepare: Prepare, index: int) -> None:
    """The error names the array and what it has."""
    array = prepare("def work(x): pass", parameters={"x": [1, 2]}).array()
    with pytest.raises(IndexError, match=rf"array `work\.0` has indices 0-1, not {index}"):
        array.line(index)


def test_upstream_names_array_indices(prepare: Prepare) -> None:
    """Equal indices where instances are the same, and lists where there are many or one."""
    run = prepare(PROGRAM, *TASKS, parameters={"x": [5, 6, 7]})
    join, last = run.array("join"), run.array("last")
    assert join.upstream(join.line(0), 0) == {"work": [["work.0", 0], ["work.0", 1], ["work.0", 2]]}
    assert last.upstream(last.line(1), 1) == {"work": [["work.0", 1]], "join": [["join.0", 0]]}


def test_an_array_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    """Nothing is made up for a wrong name."""
    with pytest.raises(FileNotFoundError):
        Array(str(tmp_path), "work.0")


def test_the_last_attempt_is_that_of_the_highest_record(tmp_path: Path) -> None:
    """Attempts are told by records of the same index, and by nothing else in the folder."""
    assert last_attempt(str(tmp_path), "a.0", 7) == 0
    for name in ("7.1.h5", "7.10.h5", "7.9.h5", "77.11.h5", ".7.12.outcome", "7.13.h5.partial"):
        path = (tmp_path / files.record("a.0", 7, 1)).with_name(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    assert last_attempt(str(tmp_path), "a.0", 7) == 10
    assert last_attempt(str(tmp_path), "a.0", 8) == 0


def test_a_line_far_down_is_found(prepare: Prepare) -> None:
    """Only its block is read: what stands in others, even when it is broken, does not matter."""
    run = prepare("def work(x): pass", parameters={"x": {"range": [0, 2500]}})
    path = run.path / files.array_lines("work.0")
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join([b"#" * (len(one) - 1) + b"\n" for one in lines[:2000]] + lines[2000:]))
    array = run.array()
    assert [array.line(index)["parameters"]["x"] for index in (2000, 2345, 2499, 2000)] == [2000, 2345, 2499, 2000]
    assert len(array.header["offsets"]) == 3
