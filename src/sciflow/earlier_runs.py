"""The runs of a workflow that are there: which one does the same work, and what one more would make of them."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

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
    """

    directory: RunDirectory
    plan: Plan
    continued: bool
    reused: int


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
            directory = self.same_work(compiled)
            continued = directory is not None
            if directory is None:
                directory = stage(compiled, self._folder, render)
            else:
                note_modules(compiled, directory)
                note_recovery(compiled, directory)
                note_manners(compiled, directory)
                point_to_latest(self._folder, directory)
        plan = plan_of(directory, compiled)
        return Prepared(directory, plan, continued, take_over_once(directory, plan, self._fresh))

    def same_work(self, compiled: Compiled) -> RunDirectory | None:
        """The newest run of the same workflow, if it is to do the same."""
        for run in [] if self._fresh else runs_of(self._folder, compiled.workflow.name)[:1]:
            try:
                manifest = read_document(run.manifest)
            except RunError as error:
                warnings.warn(f"{error}; a new run is started", SciflowWarning, stacklevel=3)
                continue
            if manifest.get("identity") == identity(compiled, self._scripts(compiled)):
                return run
            # What was measured since by the run that it was learned from is no reason to do the same work twice.
            learned = manifest.get("learned_from", {"run": None})
            is_learned = compiled.advice is not None and compiled.advice.run in (learned["run"], run.run_id)
            if is_learned and learned.get("asked") == asked_identity(compiled, self._scripts(compiled)):
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
        return compare(compiled, run, [] if self._fresh else runs, self.same_work(compiled))

    def changes_so_far(self, compiled: Compiled) -> Changes | None:
        """As `changes`, but None where there is no earlier run that matters."""
        return self.changes(compiled) if self.are_there(compiled) else None

    def warn_of_queued(self, compiled: Compiled, directory: RunDirectory) -> None:
        """Say where another run of the workflow is still in a queue, by all that was heard of it."""
        for earlier in runs_of(self._folder, compiled.workflow.name)[:_RUNS_TO_LOOK_AT]:
            if earlier.run_id == directory.run_id:
                continue
            status = observe(earlier)
            if status.is_queued and not status.is_finished and not Run(earlier).status().is_finished:
                text = f"run `{earlier.run_id}` of `{compiled.workflow.name}` may still be in the queue: "
                warnings.warn(f"{text}`sciflow cancel {earlier.name_here}` ends it", SciflowWarning, stacklevel=5)


def plan_of(run: RunDirectory, compiled: Compiled) -> Plan:
    """The plan of a run that does the same work as what was compiled; by what was learned when it was made."""
    return compiled.plan if compiled.advice is None else read_plan(run)
