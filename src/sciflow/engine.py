"""Engine and Run: the Python front door."""

from __future__ import annotations

import shutil
import sys
import warnings
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from sciflow import assets, submittal
from sciflow.earlier_runs import EarlierRuns
from sciflow.errors import DeadlineError, PlanError, RunError, SciflowWarning
from sciflow.execution import Run
from sciflow.loading import load_profile, stop_if_loading
from sciflow.model.profile import ClusterProfile
from sciflow.model.workflow import ExperimentalWorkflow
from sciflow.planning.build import build_plan
from sciflow.planning.compiled import Compiled
from sciflow.planning.render import ScriptRenderer
from sciflow.results import Results
from sciflow.run.stage import asked_identity, write_run
from sciflow.run_here import Execution, run_here
from sciflow.schedulers.machine import Machine
from sciflow.schedulers.registry import check_known
from sciflow.store.layout import RUNS
from sciflow.submittal import Submittal

if TYPE_CHECKING:
    from sciflow.model.advice import Advice
    from sciflow.run.changes import Changes
    from sciflow.run.due import Due
    from sciflow.simulation.simulate import Simulation

_WITH_QUEUE = "generic-slurm"  # for which a plan is simulated where the profile says no more than `local`


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
    learn_from
        An earlier run, by its directory, its id or ``latest``: what it has measured counts before what the workflow
        asks for.
    """

    def __init__(
        self,
        profile: str = "local",
        runs: str | Path | None = None,
        strict: bool = False,
        fresh: bool = False,
        learn_from: str | Path | None = None,
    ) -> None:
        self.profile = profile
        self.runs = Path(runs) if runs is not None else Path(RUNS)
        self.strict = strict
        self.fresh = fresh
        self.learn_from = learn_from

    def compile(self, workflow: ExperimentalWorkflow, strict: bool | None = None) -> Compiled:
        """Make the plan, and all that it takes to write it down; changes nothing on disk."""
        profile = load_profile(self.profile, workflow.directory)
        if profile.has_queue:
            check_known(profile)
        else:
            profile = profile.model_copy(update={"capacity": Machine.detect(profile.capacity).capacity})
        strict = self.strict if strict is None else strict
        try:
            return self._built(workflow, profile, strict)
        except DeadlineError as error:
            compiled = self._built(workflow, profile, strict, is_late=True)
            run = self._earlier.same_work(compiled)
            if run is None:
                raise
            note = f"{error.message}; run `{run.run_id}` has begun, and what is left of it begins as soon as it may"
            return replace(compiled, plan=replace(compiled.plan, notes=(*compiled.plan.notes, note)))

    def _built(
        self,
        workflow: ExperimentalWorkflow,
        profile: ClusterProfile,
        strict: bool,
        now: datetime | None = None,
        is_late: bool = False,
    ) -> Compiled:
        if self.learn_from is None:
            return build_plan(workflow, profile, strict, now, is_late=is_late)
        from sciflow.learning import compiled_by

        def build(advice: Advice) -> Compiled:
            return build_plan(workflow, profile, strict, now, advice, is_late)

        return compiled_by(
            self.learn_from, self.runs, workflow, build, lambda one: asked_identity(one, self.scripts(one))
        )

    def simulate(
        self,
        workflow: ExperimentalWorkflow,
        nodes: str = "profile",
        runtimes: Mapping[str, str | float | timedelta] | None = None,
        now: datetime | None = None,
        load: float = 0.0,
    ) -> Simulation:
        """Play the plan of a workflow on nodes that are made up, in virtual time; changes nothing on disk.

        Where the profile has no queue, the plan is made as for `generic-slurm`.

        Parameters
        ----------
        workflow
            What would run.
        nodes
            Where: ``"16x64c"`` for 16 nodes of 64 cores, ``"16x64c,256g,4gpu"``, several kinds joined by ``+``; by
            default those that the profile tells of.
        runtimes
            Task → how long one of its instances runs: hours, text with a unit such as ``"20 min"``, or an expression
            over parameters. Others run as long as they ask for.
        now
            The moment of the submission; by default the present.
        load
            Which share of the cores others use all the time, such as 0.7.

        Returns
        -------
        Simulation
            With `outcome` as planned, and `outcomes` in other ways by their names.

        Raises
        ------
        WorkflowError, PlanError
            Where it cannot be planned, or what is asked for fits on no node.

        Examples
        --------
        >>> workflow = ExperimentalWorkflow("squares")
        >>> workflow.add_task("square", lambda x: {"y": x * x}, resources={"max_runtime": "30 min"})
        >>> workflow.add_parameter_space({"x": range(6)})
        >>> Engine().simulate(workflow, "1x2c").outcome.seconds / 3600
        1.5
        """
        from sciflow.simulation.simulate import simulate

        if not isinstance(workflow, ExperimentalWorkflow):
            raise PlanError(f"`{workflow!r}` is no workflow", hint="read a file with `sciflow.load_workflow`")
        if now is not None and not isinstance(now, datetime):
            raise PlanError(f"`{now!r}` is no moment", hint="give a `datetime`, or leave it out")
        now = now or datetime.now().astimezone()
        profile = load_profile(self.profile, workflow.directory)
        if not profile.has_queue:
            profile = load_profile(_WITH_QUEUE, workflow.directory)
        return simulate(self._built(workflow, profile, self.strict, now), nodes, runtimes, now, load)

    def scripts(self, compiled: Compiled) -> ScriptRenderer:
        """What renders the scripts of array jobs that were compiled."""
        find = partial(assets.read_template, compiled.workflow.directory)
        return ScriptRenderer(compiled.profile, compiled.profile.python or sys.executable, find)

    def render(self, compiled: Compiled) -> dict[str, str]:
        """Array job → its script."""
        render = self.scripts(compiled)
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
        self.render(compiled)  # a template that is wrong is found before anything is written
        try:
            target.mkdir(parents=True, exist_ok=True)
            write_run(compiled, target, target.resolve().name, self.scripts(compiled))
        except OSError as error:
            shutil.rmtree(target, ignore_errors=True)
            raise RunError(f"`{target}` cannot be written: {error.strerror}") from error
        return target

    def execute_parameter_sweep(
        self, workflow: ExperimentalWorkflow, strict: bool | None = None, confirmed: bool = False
    ) -> Results:
        """Run a workflow over its parameter space to the end, here or on the profile's cluster, and give the results.

        What an earlier call has finished is not repeated: an unfinished run of the same work goes on, and a changed
        workflow takes over what is unchanged.

        Parameters
        ----------
        workflow
            What to run.
        strict
            As for the engine, for this call.
        confirmed
            As for `submit`, where the profile has a queue.

        Raises
        ------
        WorkflowError, PlanError
            Before anything is written.
        """
        stop_if_loading(workflow)
        compiled = self.compile(workflow, strict)
        for text in compiled.plan.warnings:
            warnings.warn(text, SciflowWarning, stacklevel=2)
        if not compiled.profile.has_queue:
            return self.run(compiled).run.collect()
        run = self.hand_over(compiled, confirmed=confirmed).run
        run.wait()
        return run.collect()

    def submit(self, workflow: ExperimentalWorkflow, autonomous: bool = False, confirmed: bool = False) -> Run:
        """Hand a workflow to the profile's scheduler and give the run, which goes on by itself.

        Submitting the same workflow again goes on with the run that is there: each array job is submitted once.

        Parameters
        ----------
        workflow
            What to run.
        autonomous
            Let small jobs after the array jobs retry what fails, submit what did not fit, and collect.
        confirmed
            Also where it asks for more than the profile's `ask_above`.

        Raises
        ------
        WorkflowError, PlanError
            Before anything is written; also for more than the profile submits without being asked.
        SchedulerError, TransportError
            Where the scheduler refuses or does not answer; the same call goes on from there.
        """
        stop_if_loading(workflow)
        compiled = self.compile(workflow)
        for text in compiled.plan.warnings:
            warnings.warn(text, SciflowWarning, stacklevel=2)
        return self.hand_over(compiled, autonomous, confirmed).run

    def hand_over(self, compiled: Compiled, autonomous: bool = False, confirmed: bool = False) -> Submittal:
        """Stage what was compiled, or go on with the run that is there, and submit what has not been submitted.

        Raises
        ------
        ProfileError
            For a profile without a queue.
        NotConfirmedError
            For more than the profile submits without being asked, unless that is confirmed.
        """
        return submittal.hand_over(compiled, self._earlier, autonomous, confirmed)

    def calls(self, compiled: Compiled) -> list[str]:
        """The calls of the scheduler that `hand_over` would make, as one would type them in the run directory.

        Jobs that are waited for stand there by the names of their array jobs.
        """
        return submittal.calls_now(compiled, self._earlier)

    def changes(self, compiled: Compiled, against: str | Path | None = None) -> Changes:
        """What a submission now would make of what was done before; changes nothing on disk.

        Parameters
        ----------
        compiled
            What would be submitted.
        against
            The run to compare with; by default the newest of the same workflow.

        Raises
        ------
        RunError
            Where there is no such run, or it is of another workflow.
        """
        return self._earlier.changes(compiled, against)

    def changes_so_far(self, compiled: Compiled) -> Changes | None:
        """As `changes`, but None where there is no earlier run that matters."""
        return self._earlier.changes_so_far(compiled)

    def due(self, compiled: Compiled, changes: Changes | None = None) -> Due:
        """What a submission now asks for: what is not done, and no scheduler has yet.

        Parameters
        ----------
        compiled
            What would be submitted.
        changes
            What that makes of what was done before, where that is known.
        """
        return submittal.due_now(compiled, self._earlier, changes)

    def above_cap(self, compiled: Compiled, changes: Changes | None = None) -> str:
        """Say what a submission now asks for that is above the profile's `ask_above`; empty for nothing."""
        return submittal.above_cap(compiled, self._earlier, changes)

    def has_earlier_runs(self, compiled: Compiled) -> bool:
        """Whether a new run would look for what earlier ones have finished."""
        return self._earlier.are_there(compiled) and self._earlier.same_work(compiled) is None

    def run(self, compiled: Compiled) -> Execution:
        """Run what was compiled here, to the end."""
        return run_here(compiled, self._earlier)

    @property
    def _earlier(self) -> EarlierRuns:
        return EarlierRuns(self.runs, self.fresh, self.scripts)
