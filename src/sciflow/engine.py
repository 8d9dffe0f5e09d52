"""Engine and Run: the Python front door."""

from __future__ import annotations

import shutil
import sys
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from sciflow import assets
from sciflow.analysis.table import Results
from sciflow.errors import ProfileError, RunError, SciflowWarning
from sciflow.loading import load_profile, stop_if_loading
from sciflow.model.plan import ArrayJob, Plan
from sciflow.model.workflow import ExperimentalWorkflow
from sciflow.planning.build import Compiled, build_plan
from sciflow.planning.render import script_renderer
from sciflow.run.collect import collect
from sciflow.run.drive import drive
from sciflow.run.progress import ProgressBars
from sciflow.run.reuse import take_over_once
from sciflow.run.stage import identity, note_modules, point_to_latest, stage, write_run
from sciflow.run.track import RunStatus, observe, read_plan, with_broken_seals
from sciflow.schedulers.machine import Machine
from sciflow.store.layout import RUNS, RunDirectory, find_run, read_document, runs_of


class Run:
    """One execution of a plan, by its directory.

    Parameters
    ----------
    directory
        The run directory.
    """

    def __init__(self, directory: RunDirectory) -> None:
        self.directory = directory

    def __repr__(self) -> str:
        return f"<Run {self.run_id}>"

    @property
    def run_id(self) -> str:
        """The run's id."""
        return self.directory.run_id

    @property
    def path(self) -> Path:
        """The run directory."""
        return self.directory.path

    @property
    def plan(self) -> Plan:
        """What the run does."""
        return read_plan(self.directory)

    def status(self) -> RunStatus:
        """What is known of every array index now."""
        return observe(self.directory)

    def collect(self) -> Results:
        """Join all records into the results; also while the run goes on, and where nothing may be written."""
        return Results(self.directory, collect(self.directory))

    def results(self) -> Results:
        """The results as they were last collected."""
        return Results(self.directory)


@dataclass(frozen=True)
class Execution:
    """What `Engine.run` did.

    Attributes
    ----------
    run, status
        The run, and the state of all its indices at the end.
    continued
        Whether it went on with a run that was there.
    reused
        How many instances earlier runs had finished.
    """

    run: Run
    status: RunStatus
    continued: bool
    reused: int


class Engine:
    """Compiles workflows and runs them.

    Parameters
    ----------
    profile
        The cluster profile, by name or file.
    runs
        The folder of all runs; by default `sciflow-runs` in the current directory.
    strict
        Refuse what the profile cannot give, instead of reducing it with a warning.
    fresh
        Always start a new run, and take nothing over from earlier ones.
    """

    def __init__(
        self, profile: str = "local", runs: str | Path | None = None, strict: bool = False, fresh: bool = False
    ) -> None:
        self.profile = profile
        self.runs = Path(runs) if runs is not None else Path(RUNS)
        self.strict = strict
        self.fresh = fresh

    def compile(self, workflow: ExperimentalWorkflow, strict: bool | None = None) -> Compiled:
        """Make the plan, and all that it takes to write it down; changes nothing on disk."""
        profile = load_profile(self.profile, workflow.directory)
        if profile.scheduler != "local":
            raise ProfileError(
                f"profile `{profile.name}` names the scheduler `{profile.scheduler}`", hint="known is `local`"
            )
        machine = Machine.detect(profile.capacity)
        profile = profile.model_copy(update={"capacity": machine.capacity})
        return build_plan(workflow, profile, self.strict if strict is None else strict)

    def render(self, compiled: Compiled) -> dict[str, str]:
        """Array job → its script."""
        render = self._renderer(compiled)
        return {array.name: render(array) for array in compiled.plan.arrays}

    def write_plan(self, compiled: Compiled, folder: str | Path) -> Path:
        """Write what would run into a new folder, for review.

        Raises
        ------
        RunError
            Where the folder is there and not empty, or cannot be written.
        """
        target = Path(folder)
        if target.exists() and (not target.is_dir() or any(target.iterdir())):
            raise RunError(f"`{target}` is there already", hint="give a new or empty folder")
        scripts = self.render(compiled)
        try:
            target.mkdir(parents=True, exist_ok=True)
            write_run(compiled, target, target.resolve().name, scripts)
        except OSError as error:
            shutil.rmtree(target, ignore_errors=True)
            raise RunError(f"`{target}` cannot be written: {error.strerror}") from error
        return target

    def execute_parameter_sweep(self, workflow: ExperimentalWorkflow, strict: bool | None = None) -> Results:
        """Run a workflow over its parameter space here, to the end, and give the results.

        What an earlier call has finished is not repeated: an unfinished run of the same work goes on, and a changed
        workflow takes over what is unchanged.

        Parameters
        ----------
        workflow
            What to run.
        strict
            As for the engine, for this call.

        Raises
        ------
        WorkflowError, PlanError
            Before anything is written.
        """
        stop_if_loading(workflow)
        compiled = self.compile(workflow, strict)
        for text in compiled.plan.warnings:
            warnings.warn(text, SciflowWarning, stacklevel=2)
        return self.run(compiled).run.collect()

    def run(self, compiled: Compiled) -> Execution:
        """Run what was compiled here, to the end."""
        directory = None if self.fresh else self._same_work(compiled)
        continued = directory is not None
        if directory is None:
            directory = stage(compiled, self.runs, self._renderer(compiled))
        else:
            note_modules(compiled, directory)
            point_to_latest(self.runs, directory)
        reused = take_over_once(directory, compiled.plan, self.fresh)
        status = observe(directory, compiled.plan)
        if not status.is_complete or with_broken_seals(directory, status):
            with ProgressBars() as bars:
                status = drive(directory, compiled.plan, compiled.profile, bars.watch)
        return Execution(Run(directory), status, continued, reused)

    def _same_work(self, compiled: Compiled) -> RunDirectory | None:
        """The newest run of the same workflow, if it is to do the same."""
        for run in runs_of(self.runs, compiled.workflow.name)[:1]:
            try:
                known = read_document(run.manifest).get("identity")
            except RunError as error:
                warnings.warn(f"{error}; a new run is started", SciflowWarning, stacklevel=3)
                continue
            if known == identity(compiled, self.render(compiled)):
                return run
        return None

    def _renderer(self, compiled: Compiled) -> Callable[[ArrayJob], str]:
        find = partial(assets.read_template, compiled.workflow.directory)
        return script_renderer(compiled.profile, sys.executable, find)


def open_run(name: str | Path | None = None, runs: str | Path | None = None) -> Run:
    """Open a run by its directory, its id, or `latest`, the default.

    Raises
    ------
    RunError
        Where there is none.
    """
    return Run(find_run(name, runs))
