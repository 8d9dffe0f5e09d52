"""What a package says that it holds, against what it holds; nothing in it is run or unpickled."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Any

from sciflow.errors import PackageError, RunError
from sciflow.model.state import State
from sciflow.package import layout
from sciflow.package.checks.verification import Problem
from sciflow.store import sealed
from sciflow.store.layout import RunDirectory, read_document
from sciflow.store.records import SEALED, seal_of
from sciflow.store.results import INSTANCES, read_tables
from sciflow_shim import files

# What comes of reading a file that only pretends to be of its format.
_BROKEN = (OSError, ValueError, KeyError, IndexError, TypeError, RuntimeError, OverflowError, MemoryError)
# What readers of `package.json` rely on; a value of another type is none at all, and `check_promises` tells so.
_TYPES: dict[str, type] = {"contents": dict, "left_out": list, "redacted": dict, "warnings": list, "state": dict}


def read_facts(payload: Path) -> dict[str, Any]:
    """What `package.json` says; nothing where it cannot be read, which `check_promises` tells.

    Raises
    ------
    PackageError
        For a package of a newer format than this sciflow knows.
    """
    facts = document_of(payload / layout.FACTS)
    form = facts.get("format")
    if isinstance(form, int) and form > layout.FORMAT:
        raise PackageError(
            f"the package has format {form}, and this sciflow knows formats up to {layout.FORMAT}",
            hint="install a newer sciflow: the package was made by sciflow " + str(facts.get("sciflow", "")),
        )
    return {name: value for name, value in facts.items() if isinstance(value, _TYPES.get(name, object))}


def _is_inside(path: str) -> bool:
    """Whether it is a place in the package: what says otherwise is not looked at."""
    return not PurePosixPath(path).is_absolute() and ".." not in PurePosixPath(path).parts


def check_promises(payload: Path, facts: Mapping[str, Any]) -> tuple[int, list[Problem]]:
    """What `package.json` lists, and what every package has."""
    problems = []
    for name in (layout.FACTS, layout.CRATE):
        path = payload / name
        if path.is_file() and not document_of(path):
            problems.append(Problem("unreadable", f"{layout.PAYLOAD}/{name}", "it holds no JSON object"))
    said, place = document_of(payload / layout.FACTS), f"{layout.PAYLOAD}/{layout.FACTS}"
    problems += [
        Problem("unreadable", place, f"its `{name}` is of another type") for name in said.keys() - facts.keys()
    ]
    if said and not isinstance(said.get("format"), int):
        problems.append(Problem("unreadable", place, "it does not say its format"))
    lists = [paths for paths in facts.get("contents", {}).values() if isinstance(paths, list)]
    listed = [path for paths in lists for path in paths if isinstance(path, str)]
    always = [layout.FACTS, layout.CRATE, layout.README, f"{layout.RUN}/{files.MANIFEST}", f"{layout.RUN}/{files.PLAN}"]
    wanted = dict.fromkeys([*always, *listed])
    for path in wanted:
        place = payload / path
        if _is_inside(path) and not (any(place.iterdir()) if place.is_dir() else place.is_file()):
            problems.append(Problem("missing", f"{layout.PAYLOAD}/{path}", "the package says that it holds it"))
    return len(wanted), problems


def check_records(payload: Path, facts: Mapping[str, Any]) -> tuple[int, list[Problem]]:
    """The record of each completed index: that it is there, and whole by its own seal."""
    place = f"{layout.PAYLOAD}/{layout.RUN}"
    run = RunDirectory(payload / layout.RUN)
    if not run.results.is_file():
        return 0, []
    try:
        table = read_tables(run.results).table(INSTANCES)
        # Where nothing has run yet, no instance has a record.
        rows = list(zip(table["state"], table["record"], strict=True)) if "record" in table else []
    except (RunError, *_BROKEN) as error:
        return 0, [Problem("unreadable", f"{place}/{files.RESULTS}", str(error))]
    wanted = sorted({str(record) for state, record in rows if state == State.COMPLETED.value and record})
    left_out = {one.get("path") for one in facts.get("left_out", ()) if isinstance(one, dict)}
    problems = []
    for record in wanted:
        if _is_inside(record) and f"{layout.RUN}/{record}" not in left_out:
            problems += _record_problems(str(run.path / record), f"{place}/{record}")
    return len(wanted), problems


def _record_problems(path: str, place: str) -> list[Problem]:
    try:
        if not Path(path).is_file() and not sealed.locate(path):
            return [Problem("missing", place, "it is the record of a completed task instance")]
        is_whole = seal_of(path) == SEALED
    except _BROKEN as error:
        return [Problem("unreadable", place, str(error))]
    return [] if is_whole else [Problem("changed", place, "its bytes are not those that the run has recorded")]


def document_of(path: Path) -> dict[str, Any]:
    """A JSON file; empty where there is none, or it holds no object."""
    try:
        document = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError):
        return {}
    return document if isinstance(document, dict) else {}


def check_run(payload: Path) -> tuple[int, list[Problem]]:
    """The run's own documents: that they can be read, by this sciflow."""
    problems = []
    run = RunDirectory(payload / layout.RUN)
    for path in (run.manifest, run.plan):
        if path.is_file():
            try:
                read_document(path)
            except (RunError, RecursionError) as error:
                problems.append(Problem("unreadable", f"{layout.PAYLOAD}/{layout.RUN}/{path.name}", str(error)))
    return 2, problems
