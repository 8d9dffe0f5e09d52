"""What was compiled is run on this machine, to the end."""

from __future__ import annotations

from dataclasses import dataclass

from sciflow.earlier_runs import EarlierRuns
from sciflow.errors import ProfileError
from sciflow.execution import Run
from sciflow.planning.compiled import Compiled
from sciflow.run.drive import drive
from sciflow.run.progress import ProgressBars
from sciflow.run.soundness import with_broken_seals
from sciflow.run.status import RunStatus
from sciflow.run.track import observe


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


def run_here(compiled: Compiled, earlier: EarlierRuns) -> Execution:
    """Run what was compiled, or go on with the run that is there.

    Raises
    ------
    ProfileError
        For a profile with a queue.
    """
    if compiled.profile.has_queue:
        raise ProfileError(
            f"profile `{compiled.profile.name}` has a queue", hint="`sciflow submit` hands the workflow to it"
        )
    prepared = earlier.prepare(compiled)
    directory, plan = prepared.directory, prepared.plan
    status = observe(directory, plan)
    if not status.is_complete or with_broken_seals(status):
        with ProgressBars() as bars:
            status = drive(directory, plan, compiled.profile, bars.watch)
    return Execution(Run(directory), status, prepared.continued, prepared.reused)
