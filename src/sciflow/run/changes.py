"""What a plan makes of what was done before: added, done, to repeat and why, not finished, and gone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any

from sciflow.errors import RunError
from sciflow.model.plan import Plan
from sciflow.model.state import State
from sciflow.planning.compiled import Compiled
from sciflow.run.recipe_changes import changed_recipes
from sciflow.run.reuse import Key, Look, finished_in, has_taken_over, instances, readable, whole
from sciflow.run.soundness import built_on_skips, with_broken_seals
from sciflow.run.status import IndexStatus, RunStatus
from sciflow.run.track import observe, read_plan
from sciflow.store.journal import Journal
from sciflow.store.layout import RunDirectory, read_document
from sciflow_shim import files

Place = tuple[str, int]  # array, index


class Fate(str, Enum):
    """What becomes of an instance."""

    DONE = "done"
    NEW = "new"
    AGAIN = "again"
    UNFINISHED = "unfinished"
    FAILED = "failed"
    GONE = "gone"


@dataclass(frozen=True)
class TaskChanges:
    """What becomes of the instances of a task.

    Attributes
    ----------
    task
        Its name.
    instances
        Fate → numbers of instances; of what is gone, those that they had.
    why
        What was changed, or went wrong, of those that are run again → how many.
    """

    task: str
    instances: Mapping[Fate, Sequence[int]]
    why: Mapping[str, int]

    def count(self, fate: Fate) -> int:
        """How many of its instances."""
        return len(self.instances.get(fate, ()))

    def to_document(self, with_ranges: bool = False) -> dict[str, Any]:
        """The changes as JSON has them."""
        ranges = {fate.value: files.format_ranges(sorted(numbers)) for fate, numbers in self.instances.items()}
        return {
            "task": self.task,
            **{fate.value: self.count(fate) for fate in Fate},
            "why": dict(self.why),
            **({"ranges": ranges} if with_ranges else {}),
        }


@dataclass(frozen=True)
class Changes:
    """What a submission of a plan now makes of what was done before.

    Attributes
    ----------
    against
        The run that it is compared with.
    continued
        The run that goes on; None where a new one is made.
    tasks
        What becomes of each task, in running order; those that are gone come last.
    done
        The places in the plan that are not run, since they are done.
    note
        Where the run that goes on keeps other requests than those of the plan; empty if it does not.
    """

    against: RunDirectory
    continued: RunDirectory | None
    tasks: tuple[TaskChanges, ...]
    done: frozenset[Place]
    note: str = ""

    def count(self, fate: Fate) -> int:
        """How many instances of all tasks."""
        return sum(task.count(fate) for task in self.tasks)

    def describe(self) -> str:
        """Say it in one line: ``8,100 done before, 900 new, 40 again``."""
        words = {
            Fate.DONE: "done before",
            Fate.NEW: "new",
            Fate.AGAIN: "again",
            Fate.UNFINISHED: "not finished",
            Fate.FAILED: "failed",
        }
        return ", ".join(f"{self.count(fate):,} {said}" for fate, said in words.items() if self.count(fate))

    def to_document(self, with_ranges: bool = False) -> dict[str, Any]:
        """The changes as JSON has them."""
        return {
            "against": self.against.run_id,
            "continues": self.continued.run_id if self.continued else None,
            **{fate.value: self.count(fate) for fate in Fate},
            "tasks": [task.to_document(with_ranges) for task in self.tasks],
        }


@dataclass(frozen=True)
class _Before:
    """What the run that is compared with knows of an instance."""

    number: int
    state: State
    key: Key


def compare(
    compiled: Compiled, against: RunDirectory, runs: Sequence[RunDirectory], continued: RunDirectory | None
) -> Changes:
    """Compare a plan with a run; what is taken over, and from which runs, follows the rules of `sciflow.run.reuse`.

    Parameters
    ----------
    compiled
        What would be submitted now.
    against
        The run to compare with.
    runs
        The runs from which something may be taken over, newest first.
    continued
        The run that goes on, where a submission would make no new one.

    Raises
    ------
    RunError
        For a run of another workflow.
    """
    manifest = read_document(against.manifest)
    if manifest["workflow"] != compiled.workflow.name:
        raise RunError(
            f"run `{against.run_id}` is of workflow `{manifest['workflow']}`, not of `{compiled.workflow.name}`",
            hint="leave it out to compare with the newest run of this workflow",
        )
    look = _once()
    before = _before(against, look)
    taken = _taken(compiled, runs, continued, look)
    known = {} if continued is None else _known(compiled, continued, look)  # after the others: it may judge otherwise
    changed = changed_recipes(compiled, manifest)
    moved = {task for task, use in compiled.uses.items() if _depends_otherwise(manifest, task, use.names)}
    fates: dict[str, dict[Fate, list[int]]] = {task: {} for task in compiled.plan.tasks}
    why: dict[str, Counter[str]] = {task: Counter() for task in compiled.plan.tasks}
    done = set()
    for place, number, key in _planned(compiled) if continued is None else _staged(continued):
        task = key[0]
        here, then = known.get(place), before.pop((task, key[2]), None)
        if place in taken or (here is not None and here.state is State.COMPLETED):
            fate, reason = Fate.DONE, ""
            done.add(place)
        elif here is not None and compiled.profile.has_queue and here.is_over:
            fate, reason = Fate.FAILED, ""
        elif task in moved:
            fate, reason = Fate.AGAIN, _otherwise(manifest, task, compiled.uses[task].names)
        elif then is None:
            fate, reason = Fate.NEW, ""
        else:
            fate, reason = _to_run(here.state if here else then.state, then.key, key, changed.get(task, ""))
        fates[task].setdefault(fate, []).append(number)
        if reason:
            why[task][reason] += 1
    for (task, _), then in before.items():
        if task not in moved:
            fates.setdefault(task, {}).setdefault(Fate.GONE, []).append(then.number)
    found = tuple(TaskChanges(task, kinds, why.get(task, {})) for task, kinds in fates.items())
    return Changes(against, continued, found, frozenset(done))


def _to_run(state: State, before: Key, key: Key, changed: str) -> tuple[Fate, str]:
    """What becomes of an instance that there was before, and is not done."""
    if state is State.COMPLETED:
        if before[1] != key[1]:
            return Fate.AGAIN, changed
        if before[3] != key[3]:
            return Fate.AGAIN, "it gathers other instances"
        return Fate.AGAIN, "what it left is not as it was, or cannot be taken over"
    if state.is_failure and state not in (State.UPSTREAM_FAILED, State.CANCELLED):
        return Fate.AGAIN, f"it has ended as {state.value}"
    return Fate.UNFINISHED, ""


def _planned(compiled: Compiled) -> Iterator[tuple[Place, int, Key]]:
    """Array and index of each instance of a plan, its number, and what says that it is the same as another."""
    for array in compiled.plan.arrays:
        ids, gathered = compiled.lines.ids(array.task), compiled.lines.gathered(array.task)
        recipe = compiled.recipes[array.task]
        for index, number in enumerate(compiled.members(array).tolist()):
            key = (array.task, recipe, ids[number], gathered[number] if gathered else "")
            yield (array.name, index), number, key


def _staged(run: RunDirectory) -> Iterator[tuple[Place, int, Key]]:
    """The same of a run that goes on, whose array jobs may be others by what it was learned from."""
    for array, index, line, key in instances(run, read_plan(run)):
        yield (array, index), line["instance"], key


def _once() -> Look:
    """Looks at each run once, since that reads all of its records."""
    seen: dict[str, RunStatus] = {}

    def look(run: RunDirectory, plan: Plan) -> RunStatus:
        if run.run_id not in seen:
            seen[run.run_id] = observe(run, plan)
        return seen[run.run_id]

    return look


def _before(run: RunDirectory, look: Look) -> dict[tuple[str, str], _Before]:
    plan = read_plan(run)
    indices = look(run, plan).indices
    return {
        (key[0], key[2]): _Before(line["instance"], indices[array][index].state, key)
        for array, index, line, key in instances(run, plan)
    }


def _known(compiled: Compiled, run: RunDirectory, look: Look) -> dict[Place, IndexStatus]:
    """What is known of each place of a run that goes on; on this machine also what a driver would not rely on."""
    status = look(run, read_plan(run))
    if not compiled.profile.has_queue:
        for array, index in {*with_broken_seals(status), *built_on_skips(run, status)}:
            status.indices[array][index].state = State.PENDING
    return {(array, index): one for array, known in status.indices.items() for index, one in known.items()}


def _taken(compiled: Compiled, runs: Sequence[RunDirectory], continued: RunDirectory | None, look: Look) -> set[Place]:
    """The places that would be taken over from earlier runs now."""
    tried: set[Place] = set()
    if continued is not None:
        if has_taken_over(Journal(continued.journal)):
            return set()
        tried = {
            (one.array, one.index) for array in read_plan(continued).arrays for one in continued.records(array.name)
        }
    earlier = readable(one for one in runs if continued is None or one.run_id != continued.run_id)
    finished = finished_in(earlier, set(compiled.recipes.values()), look)
    if not finished:
        return set()
    places = _planned(compiled) if continued is None else _staged(continued)
    return {
        place for place, _, key in places if place not in tried and key in finished and whole(finished[key]) is not None
    }


def _depends_otherwise(manifest: Mapping[str, Any], task: str, names: Sequence[str]) -> bool:
    told = manifest["tasks"].get(task)
    return told is not None and set(told["parameters"]) != set(names)


def _otherwise(manifest: Mapping[str, Any], task: str, names: Sequence[str]) -> str:
    before = set(manifest["tasks"][task]["parameters"])
    more = ", ".join(f"`{name}`" for name in names if name not in before)
    less = ", ".join(f"`{name}`" for name in sorted(before - set(names)))
    said = [f"it depends on {more} now"] if more else []
    return ", ".join([*said, f"it depends on {less} no longer"] if less else said)
