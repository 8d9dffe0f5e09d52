"""The runs of a workflow that are there: which one does the same work, and what one more would make of them."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sciflow.errors import RunError, SciflowWarning
from sciflow.execution import Run
from sciflow.model.plan import Plan
from sciflow.planning.compiled import Compiled
from sciflow.planning.render import ScriptRenderer
from sciflow.run.reuse import take_over_once
from sciflow.run.stage import (
    asked_identity,
    identity,
    note_manners,
    note_modules,
    note_recovery,
    point_to_latest,
    stage,
    staging_lock,
)
from sciflow.run.track import observe, read_plan
from sciflow.store.layout import RunDirectory, find_run, read_document, runs_of
from sciflow.store.lock import in_turn

if TYPE_CHECKING:
    from sciflow.run.changes import Changes

_RUNS_TO_LOOK_AT = 4


@dataclass(frozen=True)
class Prepared:
    """A run directory that is ready to be run.

    Attributes
    ----------
    directory, plan
        The run, and what it does.
    continued
        Whether it was there.
    reused
        How many instances were taken over from earlier runs.
    note
        Where the run keeps other requests than those that were compiled; empty if it does not.
    """

    directory: RunDirectory
    plan: Plan
    continued: bool
    reused: int
    note: str = ""


class EarlierRuns:
    """The runs that are there, as the next one sees them.

    Parameters
    ----------
    folder
        The folder of all runs.
    fresh
        The next one goes on with none of them, and takes nothing over.
    scripts
        What was compiled → what renders its scripts.
    """

    def __init__(self, folder: Path, fresh: bool, scripts: Callable[[Compiled], ScriptRenderer]) -> None:
        self._folder = folder
        self._fresh = fresh
        self._scripts = scripts

    def prepare(self, compiled: Compiled) -> Prepared:
        """Go on with the run that does the same work, or stage a new one."""
        render = self._scripts(compiled)
        for array in compiled.plan.arrays:  # a template that is wrong is found before anything is written
            render(array)
        with in_turn(staging_lock(self._folder, compiled.workflow.name)):
            # Of two who start the same work at once, the second finds the run of the first.
            directory = self.same_work(compiled, asks=True)
            continued = directory is not None
            if directory is None:
                directory = stage(compiled, self._folder, render)
            else:
                note_modules(compiled, directory)
                note_recovery(compiled, directory)
                note_manners(compiled, directory)
                point_to_latest(self._folder, directory)
        plan = plan_of(directory, compiled)
        note = other_requests(directory, compiled) if continued else ""
        return Prepared(directory, plan, continued, take_over_once(directory, plan, self._fresh), note)

    def same_work(self, compiled: Compiled, asks: bool = False) -> RunDirectory | None:
        """The newest run of the same workflow, if it is to do the same.

        While it is in the queue, it does the same whatever was learned for it: nothing is queued twice for other
        requests alone.

        Parameters
        ----------
        compiled
            What is to be done.
        asks
            Whether the scheduler may be asked if it is still in the queue.
        """
        for run in [] if self._fresh else runs_of(self._folder, compiled.workflow.name)[:1]:
            try:
                manifest = read_document(run.manifest)
            except RunError as error:
                warnings.warn(f"{error}; a new run is started", SciflowWarning, stacklevel=3)
                continue
            if manifest.get("identity") == identity(compiled, self._scripts(compiled)):
                return run
            learned = manifest.get("learned_from", {})
            asked = manifest.get("asked", learned.get("asked"))
            if asked is None or asked != asked_identity(compiled, self._scripts(compiled)):
                continue
            # What was measured since by the run that it was learned from is no reason to do the same work twice.
            if _is_learned_alike(learned, run, compiled) or _is_in_queue(run, asks):
                return run
        return None

    def are_there(self, compiled: Compiled) -> bool:
        """Whether there are runs of the same workflow that matter to the next one."""
        return not self._fresh and bool(runs_of(self._folder, compiled.workflow.name))

    def changes(self, compiled: Compiled, against: str | Path | None = None) -> Changes:
        """What a submission now would make of what was done before, beside one run; by default the newest.

        Raises
        ------
        RunError
            Where there is no such run, or it is of another workflow.
        """
        from sciflow.run.changes import compare

        runs = runs_of(self._folder, compiled.workflow.name)
        if against is None and not runs:
            raise RunError(
                f"there is no run of `{compiled.workflow.name}` in `{self._folder}`",
                hint="`sciflow plan` without `--against` shows all that would run",
            )
        run = runs[0] if against is None else find_run(against, self._folder)
        continued = self.same_work(compiled)
        found = compare(compiled, run, [] if self._fresh else runs, continued)
        return found if continued is None else replace(found, note=other_requests(continued, compiled))

    def changes_so_far(self, compiled: Compiled) -> Changes | None:
        """As `changes`, but None where there is no earlier run that matters."""
        return self.changes(compiled) if self.are_there(compiled) else None

    def warn_of_queued(self, compiled: Compiled, directory: RunDirectory) -> None:
        """Say where another run of the workflow is still in a queue, by all that was heard of it."""
        for earlier in runs_of(self._folder, compiled.workflow.name)[:_RUNS_TO_LOOK_AT]:
            if earlier.run_id != directory.run_id and _is_in_queue(earlier, asks=True):
                text = f"run `{earlier.run_id}` of `{compiled.workflow.name}` may still be in the queue: "
                warnings.warn(f"{text}`sciflow cancel {earlier.name_here}` ends it", SciflowWarning, stacklevel=5)


def plan_of(run: RunDirectory, compiled: Compiled) -> Plan:
    """The plan of a run that does the same work as what was compiled; by what was learned when it was made."""
    is_as_asked = compiled.advice is None and "learned_from" not in read_document(run.manifest)
    return compiled.plan if is_as_asked else read_plan(run)


def other_requests(run: RunDirectory, compiled: Compiled) -> str:
    """Say that a run that goes on keeps its requests, where they come from elsewhere than those that were compiled."""
    learned = read_document(run.manifest).get("learned_from", {})
    if compiled.advice is None and not learned:
        return ""
    if compiled.advice is not None and _is_learned_alike(learned, run, compiled):
        return ""
    ours = f"as learned from run `{learned['run']}`" if learned else "as the workflow says"
    return f"run `{run.run_id}` is in the queue and asks {ours}: that stays; `--fresh` starts anew"


def _is_learned_alike(learned: Mapping[str, Any], run: RunDirectory, compiled: Compiled) -> bool:
    return bool(learned) and compiled.advice is not None and compiled.advice.run in (learned["run"], run.run_id)


def _is_in_queue(run: RunDirectory, asks: bool) -> bool:
    status = observe(run)
    if not status.is_queued or status.is_finished:
        return False
    return not (asks and Run(run).status().is_finished)
