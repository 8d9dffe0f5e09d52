"""Results of earlier tasks, read from their records."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from sciflow_shim import files
from sciflow_shim.record import Group, write_record
from sciflow_shim.record_shelf import FoundRecord, RecordShelf
from sciflow_shim.upstream import Upstream, load_results

if TYPE_CHECKING:
    from shim.conftest import Prepare, PreparedRun

PROGRAM = """
import numpy
def work(x):
    if x == 3: raise ValueError(x)
    return {"y": x, "a": numpy.full(3, x)}
def join(work): return [one["y"] for one in work]
"""
TASKS = (
    {"name": "work", "python": "work"},
    {"name": "join", "python": "join", "depends_on": ["work"], "over": ["x"]},
)


def put(run: PreparedRun, task: str, index: int, attempt: int, state: str) -> Path:
    """Write a record by hand."""
    path = run.path / files.record(f"{task}.0", index, attempt)
    path.parent.mkdir(parents=True, exist_ok=True)
    facts = {"state": state, "order": '["y"]', "returned": "mapping", "parameters": json.dumps({"x": index})}
    members = {"metrics": Group({"y": index}), "results": Group(), "artifacts": Group()}
    write_record(path, Group(facts, members))
    return path


def upstream(run: PreparedRun, task: str = "join", index: int = 0) -> Upstream:
    """What an index gets."""
    array = run.array(task)
    return Upstream(array, array.line(index), index)


def test_many_results_come_in_the_order_of_the_space(prepare: Prepare) -> None:
    """A task that gathers gets a list, and the parameters of each."""
    run = prepare(PROGRAM, *TASKS, parameters={"x": [5, 1, 2]})
    for index in (2, 0, 1):
        assert run.execute(index=index).returncode == 0
    found = upstream(run)["work"]
    assert [one["y"] for one in found] == [5, 1, 2]
    assert found.parameters == [{"x": 5}, {"x": 1}, {"x": 2}]
    np.testing.assert_array_equal(found[1]["a"], [1, 1, 1])
    assert upstream(run).failures() == []


def find(run: PreparedRun) -> FoundRecord:
    """Return what is found of index 0."""
    found = RecordShelf(str(run.path)).find("work.0", 0)
    assert found is not None
    return found


def test_what_is_missing_or_failed_is_named(prepare: Prepare) -> None:
    """Every record that does not say COMPLETED is a failure, with its state."""
    run = prepare(PROGRAM, *TASKS, parameters={"x": [0, 1, 2, 3]})
    put(run, "work", 0, 1, "COMPLETED")
    put(run, "work", 1, 1, "RUNNING")
    put(run, "work", 3, 1, "FAILED")
    found = upstream(run)
    assert found.failures() == [("work.0[1]", "RUNNING"), ("work.0[2]", "missing"), ("work.0[3]", "FAILED")]
    assert found["work"] == [{"y": 0}]


def test_the_last_attempt_counts(prepare: Prepare) -> None:
    """A failure that was tried again is none, and a success that was run again is what it became."""
    run = prepare(PROGRAM, parameters={"x": [0]})
    put(run, "work", 0, 2, "FAILED")
    last = put(run, "work", 0, 10, "COMPLETED")
    found = find(run)
    assert (found.path, found.attempt, found.state) == (str(last), 10, "COMPLETED")
    put(run, "work", 0, 11, "TIMEOUT")
    assert find(run).state == "TIMEOUT"


@pytest.mark.parametrize("length", [0, 10, 100])
def test_a_torn_record_is_no_result(prepare: Prepare, length: int) -> None:
    """What is cut off counts as failed."""
    run = prepare(PROGRAM, parameters={"x": [0]})
    path = put(run, "work", 0, 1, "COMPLETED")
    path.write_bytes(path.read_bytes()[:length])
    assert find(run).state == "torn"


def test_one_result_that_is_missing_is_an_error(prepare: Prepare) -> None:
    """Asking for it says which task left nothing; a task that is no upstream is unknown."""
    tasks = (TASKS[0], {"name": "join", "python": "second", "depends_on": ["work"]})
    run = prepare(PROGRAM + "def second(work): pass", *tasks, parameters={"x": [0]})
    found = upstream(run)
    assert list(found) == ["work"]
    assert len(found) == 1
    with pytest.raises(LookupError, match="task `work` left no completed record here"):
        found["work"]
    with pytest.raises(KeyError):
        found["other"]


def test_artifacts_are_found_where_the_run_lies_now(prepare: Prepare) -> None:
    """A run that was moved has its files in its new place."""
    run = prepare("""
def work(context):
    path = context.working_directory / "a.txt"
    path.write_text("hi")
    return path
""")
    assert run.execute().returncode == 0
    moved = run.path.rename(run.path.with_name("moved"))
    there = RecordShelf(str(moved)).find("work.0", 0)
    assert there is not None
    found = load_results(there)
    assert found.is_relative_to(moved)
    assert found.read_text() == "hi"


def test_a_failed_upstream_holds_back_what_needs_it(prepare: Prepare) -> None:
    """The index ends at once as UPSTREAM_FAILED, naming some of what is missing; nothing of it runs."""
    run = prepare(PROGRAM, *TASKS, parameters={"x": [0, 1, 2, 3, 4, 5, 6, 7]})
    put(run, "work", 0, 1, "COMPLETED")
    assert run.execute("join").returncode == 1
    facts = run.facts("join")
    assert facts["state"] == "UPSTREAM_FAILED"
    assert facts["error"].startswith("work.0[1] is missing, work.0[2] is missing")
    assert facts["error"].endswith("and 2 more")


def test_a_task_may_skip_what_is_missing(prepare: Prepare) -> None:
    """It gets what is there, and its record says what is not."""
    tasks = (TASKS[0], {**TASKS[1], "missing": "skip"})
    run = prepare(PROGRAM, *tasks, parameters={"x": [0, 3]})
    assert run.execute(index=0).returncode == 0
    assert run.execute(index=1).returncode == 1
    assert run.execute("join").returncode == 0
    assert run.results("join") == [0]
    assert run.facts("join")["note_skipped"] == "1 upstream: work.0[1] is FAILED"


def test_a_folder_is_listed_once(prepare: Prepare, monkeypatch: pytest.MonkeyPatch) -> None:
    """Gathering a thousand results does not list a thousand records a thousand times."""
    run = prepare(PROGRAM, *TASKS, parameters={"x": list(range(20))})
    for index in range(20):
        put(run, "work", index, 1, "COMPLETED")
    found, listed, listdir = upstream(run), [], os.listdir
    monkeypatch.setattr(os, "listdir", lambda folder: listed.append(folder) or listdir(folder))
    assert found.failures() == []
    assert len(listed) == 1


def test_the_records_that_were_used_are_named(prepare: Prepare) -> None:
    """By array, indices as ranges, and attempt; those that were not there or not completed are none of them."""
    run = prepare(PROGRAM, *TASKS, parameters={"x": list(range(6))})
    for index, attempt, state in [(0, 1, "COMPLETED"), (1, 1, "COMPLETED"), (2, 1, "FAILED"), (2, 2, "COMPLETED")]:
        put(run, "work", index, attempt, state)
    put(run, "work", 3, 1, "FAILED")
    put(run, "work", 5, 1, "COMPLETED")
    found = upstream(run)
    assert found.used() == {"work": []}
    assert [where for where, _ in found.failures()] == ["work.0[3]", "work.0[4]"]
    assert found.used() == {"work": [["work.0", "0-1,5", 1], ["work.0", "2", 2]]}
