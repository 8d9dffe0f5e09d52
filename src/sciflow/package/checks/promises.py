"""What a package says that it holds, against what it holds; nothing in it is run or unpickled."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import Any

from sciflow.errors import PackageError
from sciflow.package import layout
from sciflow.package.bags.bag import INFO, MANIFEST
from sciflow.package.checks.integrity import listed_digests
from sciflow.package.checks.verification import Problem
from sciflow.package.facts_model import split_facts
from sciflow_shim import files

_PLACE = f"{layout.PAYLOAD}/{layout.FACTS}"
_RUN = layout.RUN
# What every package has.
_ALWAYS = (
    layout.FACTS,
    layout.CRATE,
    layout.README,
    layout.REPRODUCE,
    layout.REPORT,
    layout.TABLE,
    layout.ATTEMPTS,
    layout.ENVIRONMENT_FACTS,
    *(f"{_RUN}/{name}" for name in (files.MANIFEST, files.PLAN, files.RESULTS)),
)
# What stands in no list of files: these are written after it.
_LATER = (layout.FACTS, layout.CRATE)


def read_facts(payload: Path) -> dict[str, Any]:
    """What `package.json` says and can be relied on; `facts_problems` tells of the rest.

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
    return split_facts(facts)[0]


def check_facts(folder: Path) -> tuple[int, list[Problem]]:
    """Whether `package.json` says what it has to say, and has the name of the bag."""
    path = folder / layout.PAYLOAD / layout.FACTS
    if not path.is_file():
        return 1, [Problem("missing", _PLACE, "every package has it")]
    document = document_of(path)
    if not document:
        return 1, [Problem("unreadable", _PLACE, "it holds no JSON object")]
    facts, told = split_facts(document)
    if told:
        return 1, [Problem("unreadable", _PLACE, "; ".join(told))]
    named = _identifier(folder)
    if named != facts["name"]:
        why = f"it names the package `{facts['name']}`, and `{INFO}` names it `{named}`"
        return 1, [Problem("contradiction", _PLACE, why)]
    return 1, []


def _identifier(folder: Path) -> str:
    """What the bag says that it is called."""
    try:
        lines = (folder / INFO).read_text(encoding="utf-8").splitlines()
    except (OSError, ValueError):
        return ""
    found = (line.partition(":")[2].strip() for line in lines if line.lower().startswith("external-identifier:"))
    return next(found, "")


def check_promises(folder: Path, facts: Mapping[str, Any]) -> tuple[int, list[Problem]]:
    """What every package has, and each file that `package.json` lists: there, as it was, and no other ones."""
    payload = folder / layout.PAYLOAD
    wanted = dict.fromkeys([*_ALWAYS, *_of_run(payload), *_to_run_again(facts)])
    problems = [
        Problem("missing", f"{layout.PAYLOAD}/{path}", "every such package has it")
        for path in wanted
        if not (payload / path).is_file()
    ]
    if facts and not any((payload / layout.WHEELS).glob("sciflow-*.whl")):
        problems.append(Problem("missing", f"{layout.PAYLOAD}/{layout.WHEELS}", "the wheel of sciflow is not in it"))
    if told := [*_not_there(payload, facts)]:
        problems.append(Problem("contradiction", _PLACE, "; ".join(told)))
    if "files" in facts:
        problems += _against_list(folder, {one["path"]: one["sha256"] for one in facts["files"]})
    return len({*wanted, *(one["path"] for one in facts.get("files", ()))}), problems


def _of_run(payload: Path) -> Iterator[str]:
    """The files of each array job and each task."""
    plan = document_of(payload / _RUN / files.PLAN)
    arrays = plan.get("arrays")
    for array in arrays if isinstance(arrays, list) else ():
        name = array.get("name") if isinstance(array, dict) else None
        if isinstance(name, str) and "/" not in name:
            for path in (files.array_header(name), files.array_lines(name), files.script(name)):
                yield f"{_RUN}/{path}"
    tasks = plan.get("tasks")
    for task in tasks if isinstance(tasks, list) else ():
        if isinstance(task, str) and "/" not in task:
            yield f"{_RUN}/{files.task_file(task)}"


def _to_run_again(facts: Mapping[str, Any]) -> Iterator[str]:
    if facts.get("reproducible"):
        yield layout.WORKFLOW
        yield f"{_RUN}/{files.WORKFLOW}"
    if facts.get("environment"):
        yield layout.REQUIREMENTS


def _not_there(payload: Path, facts: Mapping[str, Any]) -> Iterator[str]:
    """How it is run again, against what is there for that."""
    if "reproducible" in facts and facts["reproducible"] != (payload / layout.WORKFLOW).is_file():
        yield f"`reproducible` is {str(facts['reproducible']).lower()}, which does not go with `{layout.WORKFLOW}`"
    for path in facts.get("import_path", ()):
        if not (payload / path).is_dir() or PurePosixPath(path).parts[:1] != (layout.PROJECT,):
            yield f"`import_path` has `{path}`, which is no folder of the project"
    for task, said in facts.get("functions", {}).items():
        recorded = document_of(payload / _RUN / files.task_file(PurePosixPath(task).name)).get("function")
        function = recorded if isinstance(recorded, dict) else {}
        wanted = {**function, "pickle": f"{_RUN}/{function.get('pickle')}"}
        if any(wanted.get(name) != value for name, value in said.items()):
            yield f"`functions` has another one for task `{task}` than the run"


def _against_list(folder: Path, listed: Mapping[str, str]) -> Iterator[Problem]:
    """The files that are not as `package.json` lists them, by the digests of the bag, which were looked at before."""
    try:
        there = listed_digests(folder / MANIFEST)
    except (OSError, ValueError):
        return
    for path, digest in listed.items():
        place = f"{layout.PAYLOAD}/{path}"
        if place not in there or not (folder / place).is_file():
            yield Problem("missing", place, f"`{layout.FACTS}` lists it")
        elif there[place] != digest:
            yield Problem("changed", place, f"its bytes are not those that `{layout.FACTS}` lists")
    for place in there:
        path = place.partition("/")[2]
        if path not in listed and path not in _LATER and not path.startswith(f"{layout.VERDICTS}/"):
            yield Problem("added", place, f"`{layout.FACTS}` does not list it")


def document_of(path: Path) -> dict[str, Any]:
    """A JSON file; empty where there is none, or it holds no object."""
    try:
        document = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError):
        return {}
    return document if isinstance(document, dict) else {}
