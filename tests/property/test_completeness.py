"""Whatever lies in a run's records, it is told for what it is, and only whole records of its own count."""

import itertools
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sciflow.engine import Engine
from sciflow.model.workflow import ExperimentalWorkflow
from sciflow.run.collect import collect
from sciflow.run.completeness import to_document
from sciflow.store.layout import RunDirectory
from sciflow_shim.array import Array
from sciflow_shim.attempt import Attempt
from sciflow_shim.files import parse_ranges

COUNT = 6
# For each index: what its attempts left, in order, and what else lies beside them.
LEFT = st.lists(st.sampled_from(["COMPLETED", "FAILED", "torn", "cut"]), max_size=3)
BESIDE = st.sets(st.sampled_from(["copy", "other run", "note"]))
_numbers = itertools.count()


@pytest.fixture(scope="module")
def template() -> Iterator[RunDirectory]:
    """Give a run directory of six indices in which nothing was run."""
    with tempfile.TemporaryDirectory() as name:
        workflow = ExperimentalWorkflow("tree", Path(name))
        workflow.add_task("task", lambda x: x)
        workflow.add_parameter_space({"x": list(range(COUNT))})
        engine = Engine(runs=Path(name) / "runs")
        yield RunDirectory(engine.write_plan(engine.compile(workflow), Path(name) / "20250101-000000-aa"))


def leave(run: RunDirectory, index: int, attempt: int, what: str) -> None:
    """Leave the record of an attempt, whole or damaged."""
    one = Attempt(Array(str(run.path), "task.0"), index, attempt)
    one.state, one.end = what if what.isupper() else "COMPLETED", one.start + 1
    one.outcome.metrics = {"y": 100 * index + attempt}
    path = run.record("task.0", index, attempt)
    path.parent.mkdir(parents=True, exist_ok=True)
    one.write()
    data = bytearray(path.read_bytes())
    if what == "torn":
        data[-10] ^= 1
        path.write_bytes(data)
    elif what == "cut":
        path.write_bytes(data[: len(data) // 2])


def put_beside(run: RunDirectory, index: int, what: str) -> None:
    """Put something beside the records that is none of an attempt."""
    folder = run.record("task.0", index, 1).parent
    folder.mkdir(parents=True, exist_ok=True)
    if what == "note":
        (folder / f"{index}.txt").write_text("x")
        return
    source = run.record("task.0", index, 1)
    if what == "copy":
        if source.exists():
            shutil.copyfile(source, folder / f"{index}.1.h5.old")
        return
    array = Array(str(run.path), "task.0")
    array.header["run"] = "another"
    one = Attempt(array, index, 9)
    one.state, one.end, one.outcome.metrics = "COMPLETED", one.start + 1, {"y": -1}
    one.write()


@given(st.lists(st.tuples(LEFT, BESIDE), min_size=COUNT, max_size=COUNT))
@settings(max_examples=40, deadline=None)
def test_every_file_is_told_for_what_it_is(template: RunDirectory, tree: list[tuple[list[str], set[str]]]) -> None:
    """The kinds of the indices add up, each file beside the last attempts is named, and no number is another's."""
    run = RunDirectory(template.path.parent / f"run{next(_numbers)}")
    shutil.copytree(template.path, run.path)
    expected: dict[str, Any] = {"duplicate": 0, "foreign": 0, "stale": 0}
    numbers, torn = [], set()
    for index, (attempts, beside) in enumerate(tree):
        for attempt, what in enumerate(attempts, 1):
            leave(run, index, attempt, what)
        for what in beside:
            put_beside(run, index, what)
        is_damaged = bool(attempts) and attempts[-1] in ("torn", "cut")
        numbers.append(100 * index + len(attempts) if attempts and attempts[-1] == "COMPLETED" else None)
        expected["stale"] += max(0, len(attempts) - 1)
        expected["foreign"] += ("note" in beside) + ("other run" in beside)
        if "copy" in beside and attempts:
            expected["foreign" if attempts[0] == "cut" else "duplicate"] += 1
        torn |= {index} if is_damaged else set()
    tables = collect(run)
    counts = tables.facts["completeness"]
    assert counts["expected"] == COUNT
    assert sum(counts[kind] for kind in ("sealed", "unsealed", "torn", "missing", "not_run", "waiting")) == COUNT
    assert {kind: counts[kind] for kind in expected} == expected
    found = {i for one in to_document(tables.table("apart")).get("torn", []) for i in parse_ranges(one["indices"])}
    assert found == torn
    known = tables.combinations["y"] if "y" in tables.combinations else [None] * COUNT
    assert known == numbers
    again = collect(run, verify=True)
    assert again.facts["completeness"] == counts
    shutil.rmtree(run.path)
