"""Takes over what earlier runs of the same workflow have finished: same code, same inputs, same parameters."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sciflow.errors import RunError
from sciflow.model.plan import Plan
from sciflow.run.track import observe, read_plan
from sciflow.store.journal import Journal
from sciflow.store.layout import RunDirectory, read_document, runs_of
from sciflow.store.records import read_summary
from sciflow_shim import files

_RUNS_TO_LEARN_FROM = 3
Key = tuple[str, str, str, str]  # task, recipe, instance id, what it gathers


@dataclass(frozen=True)
class Finished:
    """A completed instance of an earlier run."""

    run: RunDirectory
    array: str
    index: int
    attempt: int
    seconds: float


def take_over(run: RunDirectory, plan: Plan) -> int:
    """Link the records of all instances that an earlier run has completed; gives how many.

    Where an instance has files, they are copied, so that a run stays whole when another one is removed.
    """
    finished = _finished_before(run)
    if not finished:
        return 0
    events = []
    for array, index, line, key in _instances(run, plan):
        found = finished.get(key)
        if found and _link(found, run, array, index, line["id"]):
            source = {"from": found.run.run_id, "record": [found.array, found.index, found.attempt]}
            events.append({"event": "reused", "array": array, "index": index, "seconds": found.seconds, **source})
    Journal(run.journal).append(events)
    return len(events)


def expected_seconds(run: RunDirectory, plan: Plan) -> dict[tuple[str, int], float]:
    """(array, index) → seconds that the same instance took in an earlier run, whatever its code was then."""
    seconds: dict[tuple[str, str], float] = {}
    for earlier in reversed(_earlier_runs(run)[:_RUNS_TO_LEARN_FROM]):
        earlier_plan = read_plan(earlier)
        status = observe(earlier, earlier_plan)
        for array, index, line, key in _instances(earlier, earlier_plan):
            known = status.indices[array][index]
            if known.state.is_success and known.seconds:
                seconds[key[0], line["id"]] = known.seconds
    if not seconds:
        return {}
    found = {}
    for array, index, line, key in _instances(run, plan):
        if (key[0], line["id"]) in seconds:
            found[array, index] = seconds[key[0], line["id"]]
    return found


def _earlier_runs(run: RunDirectory) -> list[RunDirectory]:
    home = run.path.parent
    found = []
    for one in runs_of(home.parent, home.name):
        if one.run_id == run.run_id:
            continue
        try:
            read_document(one.manifest)
            plan = read_plan(one)
        except RunError:
            continue  # of a newer sciflow, or damaged: nothing can be taken from it
        if all(one.lines(array.name).is_file() for array in plan.arrays):
            found.append(one)
    return found


def _finished_before(run: RunDirectory) -> dict[Key, Finished]:
    """The completed instances of all earlier runs; of the same one in several runs, the newest."""
    finished: dict[Key, Finished] = {}
    wanted = {facts["recipe"] for facts in read_document(run.manifest)["tasks"].values()}
    for earlier in _earlier_runs(run):
        recipes = {facts["recipe"] for facts in read_document(earlier.manifest)["tasks"].values()}
        if not recipes & wanted:
            continue
        plan = read_plan(earlier)
        status = observe(earlier, plan)
        for array, index, _, key in _instances(earlier, plan):
            known = status.indices[array][index]
            if known.state.is_success and key not in finished:
                finished[key] = Finished(earlier, array, index, known.attempt, known.seconds)
    return finished


def _instances(run: RunDirectory, plan: Plan) -> Iterator[tuple[str, int, dict[str, Any], Key]]:
    tasks = read_document(run.manifest)["tasks"]
    for array in plan.arrays:
        recipe = tasks[array.task]["recipe"]
        with run.lines(array.name).open("rb") as lines:
            for index, text in enumerate(lines):
                line = json.loads(text)
                yield array.name, index, line, (array.task, recipe, line["id"], line.get("gathers", ""))


def _link(found: Finished, run: RunDirectory, array: str, index: int, instance: str) -> bool:
    source = found.run.record(found.array, found.index, found.attempt)
    summary = read_summary(str(source))
    if summary is None or summary.facts["state"] != "COMPLETED":
        return False
    if any(not _is_there(found.run, artifact) for artifact in summary.artifacts):
        return False
    task = summary.facts["task"]
    work = found.run / files.work(task, instance)
    if summary.artifacts and work.is_dir():
        shutil.copytree(work, run / files.work(task, instance), symlinks=True, dirs_exist_ok=True)
    target = run.record(array, index, 0)
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        os.link(source, target)
    except OSError:  # another file system, or one without links
        shutil.copy2(source, target)
    return True


def _is_there(run: RunDirectory, artifact: dict[str, Any]) -> bool:
    path = Path(artifact["path"])
    return (path if path.is_absolute() else run / str(path)).exists()
