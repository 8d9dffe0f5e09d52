"""Whether the workflow that a package would run again is that which ran."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from sciflow.errors import PackageError
from sciflow.model.document import Document
from sciflow.package import layout
from sciflow.package.checks.verification import Problem
from sciflow.package.gathered.workflow_document import with_space
from sciflow.package.packaged_run import PackagedRun
from sciflow.store.layout import read_document
from sciflow_shim import files
from sciflow_shim.redaction import REDACTED

_PLACE = f"{layout.PAYLOAD}/{layout.WORKFLOW}"
# What is written otherwise in a package: paths, functions, and what means something on one cluster only.
_OTHERWISE = frozenset({"command", "python", "inputs", "files", "over", "resources", "schedule"})


def check_workflow(packaged: PackagedRun, payload: Path) -> Iterator[Problem]:
    """Compare it with the workflow that the run has kept: its parameters, and what each task is."""
    path, kept = payload / layout.WORKFLOW, packaged.run / files.WORKFLOW
    if not kept.is_file():
        return
    said = read_document(kept)["workflow"]
    if why := _against_manifest(said, packaged.manifest):
        yield Problem("contradiction", f"{layout.PAYLOAD}/{layout.RUN}/{files.WORKFLOW}", why)
    if not path.is_file():
        return
    wanted, _ = with_space(packaged, dict(said))
    try:
        told = Document(path.read_text(encoding="utf-8"), layout.WORKFLOW, PackageError).value
    except (PackageError, ValueError, RecursionError) as error:
        yield Problem("unreadable", _PLACE, str(error))
        return
    if not isinstance(told, dict) or not isinstance(told.get("tasks"), list):
        yield Problem("unreadable", _PLACE, "it is no workflow")
    elif why := next(_differences(json.loads(json.dumps(told)), json.loads(json.dumps(wanted)), packaged), ""):
        yield Problem("contradiction", _PLACE, why)


def _against_manifest(said: Mapping[str, Any], manifest: Mapping[str, Any]) -> str:
    tasks = {one["name"]: one for one in said["tasks"]}
    if set(tasks) != set(manifest["tasks"]):
        return f"its tasks are not those of `{files.MANIFEST}`"
    for name, facts in manifest["tasks"].items():
        if tasks[name].get("command") != facts["command"]:
            return f"the command of task `{name}` is not that of `{files.MANIFEST}`"
        if list(tasks[name].get("depends_on", ())) != list(facts["depends_on"]):
            return f"task `{name}` depends on other tasks than in `{files.MANIFEST}`"
    return ""


def _differences(told: dict[str, Any], wanted: dict[str, Any], packaged: PackagedRun) -> Iterator[str]:
    """What the workflow says otherwise than the run, in words."""
    ours, theirs = ({one["name"]: one for one in document.pop("tasks")} for document in (wanted, told))
    wanted.pop("schedule", None)
    for key in sorted({*told, *wanted}):
        if not _is_same(told.get(key), wanted.get(key)):
            yield f"its `{key}` {_shown(told.get(key))} is not what was run: {_shown(wanted.get(key))}"
    if list(ours) != list(theirs):
        yield f"its tasks are {', '.join(theirs)}, and those that ran are {', '.join(ours)}"
        return
    for name, task in ours.items():
        other = theirs[name]
        for key in sorted({*task, *other} - _OTHERWISE):
            if not _is_same(other.get(key), task.get(key)):
                yield f"`{key}` of task `{name}` is {_shown(other.get(key))}, and {_shown(task.get(key))} was run"
        if not _is_same_command(other.get("command"), task.get("command")):
            yield f"the command of task `{name}` is {_shown(other.get('command'))}, and another one was run"
        if why := _function(name, other.get("python"), packaged):
            yield why


def _function(task: str, told: Any, packaged: PackagedRun) -> str:
    function = read_document(packaged.run / files.task_file(task)).get("function") or {}
    if "module" not in function:
        wanted = f"{Path(layout.FUNCTIONS).stem}:" if function else ""
    else:
        wanted = f"{function['module']}:{function['qualname']}"
    stored = f"{Path(layout.FUNCTIONS).stem}:"
    if (not function and told is None) or (function and str(told).startswith((wanted, stored))):
        return ""
    return f"task `{task}` runs `{told}`, and `{wanted}` was run"


def _is_same(told: Any, wanted: Any) -> bool:
    """Whether two values say the same, but for secrets that were taken out of the package."""
    if isinstance(told, str) and isinstance(wanted, str):
        return _is_same_text(told, wanted)
    if isinstance(told, dict) and isinstance(wanted, dict):
        return told.keys() == wanted.keys() and all(_is_same(told[name], wanted[name]) for name in told)
    if isinstance(told, list) and isinstance(wanted, list):
        return len(told) == len(wanted) and all(map(_is_same, told, wanted))
    return told == wanted


def _is_same_command(told: Any, wanted: Any) -> bool:
    """Whether two commands are the same, but for the paths of files that lie elsewhere in a package."""
    if not isinstance(told, str) or not isinstance(wanted, str):
        return told == wanted
    one, other = (text.replace("{{ ", "{{").replace(" }}", "}}").split() for text in (told, wanted))
    same = zip(one, other, strict=False)
    return len(one) == len(other) and all(_is_same_text(a, b) or "{{workflow_dir}}" in a for a, b in same)


def _is_same_text(told: str, wanted: str) -> bool:
    """Whether a text is the other one, but for secrets that were taken out of it."""
    if told == wanted or REDACTED not in told:
        return told == wanted
    first, *between, last = told.split(REDACTED)
    place = len(first)
    for part in between:
        found = wanted.find(part, place)
        if found < 0:
            return False
        place = found + len(part)
    return wanted.startswith(first) and wanted.endswith(last) and len(wanted) - len(last) >= place


def _shown(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 80 else f"{text[:79]}…"
