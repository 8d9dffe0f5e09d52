"""Takes over what earlier runs of the same workflow have finished: same code, same inputs, same parameters."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Iterable, Iterator, Set
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sciflow.errors import RunError
from sciflow.model.plan import Plan
from sciflow.run.soundness import built_on_changes, built_on_skips
from sciflow.run.status import RunStatus
from sciflow.run.track import observe, read_plan
from sciflow.store import sealed
from sciflow.store.journal import Journal
from sciflow.store.layout import RunDirectory, read_document, runs_of
from sciflow.store.lock import hold
from sciflow.store.records import SKIPPED, RecordSummary, open_record, read_summary
from sciflow_shim import files
from sciflow_shim.artifacts import describe_file
from sciflow_shim.record import write_record
from sciflow_shim.record_reader import as_group
from sciflow_shim.record_shelf import MEMBERS, PACKED, joined

_RUNS_TO_LEARN_FROM = 3
Place = tuple[str, int]  # array, index
Key = tuple[str, str, str, str]  # task, recipe, instance id, what it gathers
Look = Callable[[RunDirectory, Plan], RunStatus]


@dataclass(frozen=True)
class Finished:
    """A completed instance of an earlier run."""

    run: RunDirectory
    array: str
    index: int
    attempt: int
    seconds: float
    path: str


def take_over(run: RunDirectory, plan: Plan) -> int:
    """Link the records of all instances that an earlier run has completed; gives how many.

    Where an instance has files, they are copied, so that a run stays whole when another one is removed. What was taken
    over before, by a process that was killed at it, stays and counts; what was tried in this run is left alone.
    """
    finished = finished_in(_earlier_runs(run), {one["recipe"] for one in read_document(run.manifest)["tasks"].values()})
    if not finished:
        return 0
    tried = _tried(run, plan)
    events = []
    for array, index, line, key in instances(run, plan):
        found = finished.get(key)
        if not found or tried.get((array, index)):
            continue
        if (array, index) not in tried:
            summary = whole(found)
            if summary is None:
                continue
            _link(found, summary, run, array, index, line["id"])
        events.append(_reused(found, array, index))
    Journal(run.journal).append(events)
    return len(events)


def take_over_once(run: RunDirectory, plan: Plan, is_fresh: bool) -> int:
    """Take over what there is, unless that has been done to its end; a fresh run takes nothing, then or later.

    Raises
    ------
    RunError
        When another process drives the run.
    """
    journal = Journal(run.journal)
    if has_taken_over(journal):
        return 0
    with hold(run.lock):
        if has_taken_over(journal):
            return 0
        count = 0 if is_fresh else take_over(run, plan)
        journal.append([{"event": "taken_over", "count": count}])
    return count


def has_taken_over(journal: Journal) -> bool:
    """Whether all was taken over into a run that there was when it was made."""
    return any(event["event"] == "taken_over" for event in journal.events())


def expected_seconds(run: RunDirectory, plan: Plan) -> dict[tuple[str, int], float]:
    """(array, index) → seconds that the same instance took in an earlier run, whatever its code was then."""
    seconds: dict[tuple[str, str], float] = {}
    for earlier in reversed(_earlier_runs(run)[:_RUNS_TO_LEARN_FROM]):
        earlier_plan = read_plan(earlier)
        status = observe(earlier, earlier_plan)
        for array, index, line, key in instances(earlier, earlier_plan):
            known = status.indices[array][index]
            if known.state.is_success and known.seconds:
                seconds[key[0], line["id"]] = known.seconds
    if not seconds:
        return {}
    found = {}
    for array, index, line, key in instances(run, plan):
        if (key[0], line["id"]) in seconds:
            found[array, index] = seconds[key[0], line["id"]]
    return found


def _earlier_runs(run: RunDirectory) -> list[RunDirectory]:
    home = run.path.parent
    return readable(one for one in runs_of(home.parent, home.name) if one.run_id != run.run_id)


def readable(runs: Iterable[RunDirectory]) -> list[RunDirectory]:
    """The runs from which something can be taken over."""
    found = []
    for one in runs:
        try:
            read_document(one.manifest)
            plan = read_plan(one)
        except RunError:
            continue  # of a newer sciflow, or damaged: nothing can be taken from it
        if all(one.lines(array.name).is_file() for array in plan.arrays):
            found.append(one)
    return found


def finished_in(runs: Iterable[RunDirectory], wanted: Set[str], look: Look = observe) -> dict[Key, Finished]:
    """The completed instances of some runs that have one of these recipes; of the same one, that of the first run.

    Parameters
    ----------
    runs, wanted
        The runs, and the recipes.
    look
        Gives the status of a run; who has looked at it before may give that.
    """
    finished: dict[Key, Finished] = {}
    for earlier in runs:
        recipes = {facts["recipe"] for facts in read_document(earlier.manifest)["tasks"].values()}
        if not recipes & wanted:
            continue
        plan = read_plan(earlier)
        status = look(earlier, plan)
        unsound = built_on_skips(earlier, status) | built_on_changes(earlier, status)
        for array, index, _, key in instances(earlier, plan):
            known = status.indices[array][index]
            if known.state.is_success and key not in finished and (array, index) not in unsound:
                finished[key] = Finished(earlier, array, index, known.attempt, known.seconds, known.path)
    return finished


def instances(run: RunDirectory, plan: Plan) -> Iterator[tuple[str, int, dict[str, Any], Key]]:
    """The array, index and line of each instance of a run, and what says that it is the same as another."""
    tasks = read_document(run.manifest)["tasks"]
    for array in plan.arrays:
        recipe = tasks[array.task]["recipe"]
        with run.lines(array.name).open("rb") as lines:
            for index, text in enumerate(lines):
                line = json.loads(text)
                yield array.name, index, line, (array.task, recipe, line["id"], line.get("gathers", ""))


def whole(found: Finished) -> RecordSummary | None:
    """What a completed instance tells, if it can be relied on: its record, its inputs while it ran, and its files."""
    summary = read_summary(found.path, found.index)
    if summary is None or summary.facts["state"] != "COMPLETED" or SKIPPED in summary.facts:
        return None
    if not summary.are_inputs_unchanged:
        return None
    return summary if all(_is_the_same(found.run, artifact) for artifact in summary.artifacts) else None


def _reused(found: Finished, array: str, index: int) -> dict[str, Any]:
    source = {"from": found.run.run_id, "record": [found.array, found.index, found.attempt]}
    return {"event": "reused", "array": array, "index": index, "seconds": found.seconds, **source}


def _link(found: Finished, summary: RecordSummary, run: RunDirectory, array: str, index: int, instance: str) -> None:
    source = Path(found.path)
    task = summary.facts["task"]
    work = found.run / files.work(task, instance)
    if summary.artifacts and work.is_dir():
        shutil.copytree(work, run / files.work(task, instance), symlinks=True, dirs_exist_ok=True)
    _share_environment(found.run, run, source)
    # Last: whoever finds the record relies on all that belongs to it.
    if PACKED in open_record(found.path).attributes:
        _copy_member(source, found.index, run.record(array, index, 0))
    else:
        _share(source, run.record(array, index, 0))


def _tried(run: RunDirectory, plan: Plan) -> dict[Place, int]:
    """(array, index) → the last attempt that has left a record; 0 where it was taken over."""
    tried: dict[Place, int] = {}
    for array in plan.arrays:
        for one in run.records(array.name):
            for index in array.of_element(one.index) if one.attempt else (one.index,):
                tried[array.name, index] = max(one.attempt, tried.get((array.name, index), 0))
    return tried


def _share_environment(earlier: RunDirectory, run: RunDirectory, record: Path) -> None:
    """Give a run the file that a record names for the environment it was made in, where there is one."""
    link = open_record(str(record)).members.get("environment")
    if link is None:
        return
    name = files.environment(Path(link.filename).stem)
    if (earlier / name).is_file() and not (run / name).exists():
        _share(earlier / name, run / name)


def _copy_member(source: Path, index: int, target: Path) -> None:
    """Write the part of a record that is of one index as a record of its own."""
    root = open_record(str(source))
    group = as_group(root[MEMBERS][str(index)])
    group.attributes = joined(root, root[MEMBERS][str(index)])
    if (link := root.members.get("environment")) is not None:
        group.members["environment"] = link
    target.parent.mkdir(parents=True, exist_ok=True)
    write_record(target, group)


def _share(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        os.link(source, target)
    except FileNotFoundError:  # folded with others into one file
        if not sealed.restore(str(source), str(target)):
            raise
    except OSError:  # another file system, or one without links
        partial = target.with_name(f".{target.name}.{os.getpid()}.partial")
        shutil.copy2(source, partial)
        partial.replace(target)


def _is_the_same(run: RunDirectory, artifact: dict[str, Any]) -> bool:
    """Whether a file, or a folder, still holds what the record says of it."""
    path = Path(artifact["path"])
    path = path if path.is_absolute() else run / str(path)
    try:
        if path.is_file() and path.stat().st_size != artifact["size"]:
            return False  # without reading all of a large file
        return describe_file(artifact["name"], str(path))["sha256"] == artifact["sha256"]
    except (OSError, ValueError):
        return False
