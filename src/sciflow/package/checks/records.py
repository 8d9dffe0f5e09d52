"""Whether each record is whole, and is that of its place: its array job, index and attempt, with their parameters."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from sciflow.errors import SciflowError
from sciflow.model.plan import Plan
from sciflow.package import layout
from sciflow.package.checks.verification import Problem
from sciflow.store.layout import RecordFile, RunDirectory, read_document
from sciflow.store.records import SEALED, members_of, open_record, seal_of
from sciflow.store.space import read_space
from sciflow_shim import files

# What comes of reading a file that only pretends to be of its format.
BROKEN = (
    OSError, ValueError, KeyError, IndexError, TypeError, AttributeError, RuntimeError, OverflowError, MemoryError
)  # fmt: skip
_PLACE = f"{layout.PAYLOAD}/{layout.RUN}"
Lines = list[dict[str, Any]]


def check_run(payload: Path) -> tuple[int, list[Problem]]:
    """The run's own documents: that they can be read by this sciflow, and are of the same run."""
    run = RunDirectory(payload / layout.RUN)
    problems, read = [], {}
    for path in (run.manifest, run.plan):
        if path.is_file():
            try:
                read[path.name] = read_document(path)
            except (SciflowError, RecursionError) as error:
                problems.append(Problem("unreadable", f"{_PLACE}/{path.name}", str(error)))
    if len(read) == 2:
        try:
            problems += _against_manifest(run, read[files.MANIFEST], Plan.from_document(read[files.PLAN]))
        except (SciflowError, *BROKEN) as error:
            why = f"it does not say what a run has: {type(error).__name__}: {error}"
            problems.append(Problem("unreadable", f"{_PLACE}/{files.PLAN}", why))
    return 2, problems


def _against_manifest(run: RunDirectory, manifest: dict[str, Any], plan: Plan) -> Iterator[Problem]:
    """What manifest, plan, the files of tasks and those of array jobs say of the same things."""
    place = f"{_PLACE}/{files.PLAN}"
    if plan.workflow != manifest["workflow"] or set(plan.tasks) != set(manifest["tasks"]):
        yield Problem("contradiction", place, f"it is of another workflow than `{files.MANIFEST}`")
        return
    space = read_space(run, manifest)
    if len(space) != plan.combinations:
        why = f"it tells of {plan.combinations} combinations, and `{files.MANIFEST}` of {len(space)}"
        yield Problem("contradiction", place, why)
    combinations = list(space)
    for task, facts in manifest["tasks"].items():
        path = run / files.task_file(task)
        if path.is_file() and read_document(path)["recipe"] != facts["recipe"]:
            why = f"its recipe is not that which `{files.MANIFEST}` has of task `{task}`"
            yield Problem("contradiction", f"{_PLACE}/{files.task_file(task)}", why)
        asked = {_text({name: one[name] for name in facts["parameters"]}) for one in combinations}
        arrays = [array for array in plan.arrays if array.task == task]
        lines = {array.name: lines_of(run, array.name) for array in arrays if run.lines(array.name).is_file()}
        for array in arrays:
            yield from _lines_problems(array.name, array.count, lines.get(array.name), asked)
        lacking = asked - {_text(line["parameters"]) for of_array in lines.values() for line in of_array}
        if lacking and len(lines) == len(arrays):
            why = f"no array job of task `{task}` has the parameters {min(lacking)}, which `{files.MANIFEST}` asks for"
            yield Problem("contradiction", f"{_PLACE}/{files.MANIFEST}", why)


def _lines_problems(array: str, count: int, lines: Lines | None, asked: set[str]) -> Iterator[Problem]:
    place = f"{_PLACE}/{files.array_lines(array)}"
    if lines is None:
        return  # which the promises tell
    if len(lines) != count:
        yield Problem("contradiction", place, f"it has {len(lines)} indices, and `{files.PLAN}` has {count} of them")
    for index, line in enumerate(lines):
        if _text(line["parameters"]) not in asked:
            told = f"index {index} has the parameters {_text(line['parameters'])}"
            yield Problem("contradiction", place, f"{told}, which `{files.MANIFEST}` does not ask for")
            return


def lines_of(run: RunDirectory, array: str) -> Lines:
    """What an array job has of each of its indices."""
    with run.lines(array).open(encoding="utf-8") as file:
        return [json.loads(line) for line in file]


def check_records(payload: Path) -> tuple[int, list[Problem]]:
    """All records by their seals, and by what they say of themselves."""
    run = RunDirectory(payload / layout.RUN)
    try:
        plan, manifest = Plan.from_document(read_document(run.plan)), read_document(run.manifest)
        lines = {array.name: lines_of(run, array.name) for array in plan.arrays if run.lines(array.name).is_file()}
        tasks = {array.name: array.task for array in plan.arrays}
    except (SciflowError, *BROKEN):
        return 0, []  # which `check_run` tells
    count, problems = 0, []
    for array, task in tasks.items():
        said = {"run": manifest["run"], "array": array, "task": task, "recipe": manifest["tasks"][task]["recipe"]}
        for record in sorted(run.records(array), key=lambda one: (one.index, one.attempt)):
            place = f"{_PLACE}/{files.record(array, record.index, record.attempt)}"
            count += 1
            problems += [Problem(kind, place, why) for kind, why in _wrong(record, said, lines.get(array, []))]
    return count, problems


def _wrong(record: RecordFile, said: Mapping[str, Any], lines: Lines) -> Iterator[tuple[Any, str]]:
    try:
        if seal_of(record.path) != SEALED:
            yield "changed", "its bytes are not those that the run has recorded"
            return
        members = members_of(open_record(record.path, is_verified=True), record.index)
        for index, facts, _ in members:
            if why := _other(facts, index, record, said, lines):
                yield "contradiction", why
                return
    except BROKEN as error:
        yield "unreadable", f"it is no record: {type(error).__name__}: {error}"


def _other(facts: Mapping[str, Any], index: int, record: RecordFile, said: Mapping[str, Any], lines: Lines) -> str:
    """Why it is the record of something else; empty where it is not."""
    # One that was taken over from an earlier run, as attempt 0, keeps the place that it had there.
    wanted = dict(said) | {"attempt": record.attempt} if record.attempt else {"task": said["task"]}
    for name, value in wanted.items():
        if facts[name] != value:
            return f"it is of {name} `{facts[name]}`, and stands in the place of {name} `{value}`"
    if record.attempt and facts.get("index", index) not in (index, record.index):
        return f"it is of index {facts['index']}, and stands in the place of index {record.index}"
    if index >= len(lines):
        return f"its array job has no index {index}"
    if facts["instance"] != lines[index]["id"]:
        return f"it is of instance `{facts['instance']}`, and index {index} is that of `{lines[index]['id']}`"
    given, asked = _text(json.loads(facts["parameters"])), _text(lines[index]["parameters"])
    return "" if given == asked else f"its parameters are {given}, and those of index {index} are {asked}"


def _text(value: Any) -> str:
    return json.dumps(value, sort_keys=True, ensure_ascii=False)
