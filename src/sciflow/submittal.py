"""What was compiled is handed to a scheduler: what that asks for, whether somebody has to confirm it, and the calls."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sciflow.earlier_runs import EarlierRuns, plan_of
from sciflow.errors import NotConfirmedError, ProfileError, SchedulerError, TransportError
from sciflow.execution import Run
from sciflow.model.ask_above import AskAbove
from sciflow.planning.compiled import Compiled
from sciflow.run.errands import Chained
from sciflow.run.recover import terms_of
from sciflow.run.status import untouched
from sciflow.run.submit import Handed, calls
from sciflow.run.terms import Terms
from sciflow.run.track import observe
from sciflow.schedulers.base import QueueScheduler
from sciflow.schedulers.registry import connect
from sciflow.store.layout import RunDirectory

if TYPE_CHECKING:
    from sciflow.run.changes import Changes
    from sciflow.run.due import Due


@dataclass(frozen=True)
class Submittal:
    """What `Engine.hand_over` did.

    Attributes
    ----------
    run, handed
        The run, and what was submitted of it now.
    continued
        Whether it went on with a run that was there.
    reused
        How many instances earlier runs had finished.
    chained
        The job that tends the run next, where nobody is to watch it.
    note
        Where the run keeps other requests than those that were compiled; empty if it does not.
    """

    run: Run
    handed: Handed
    continued: bool
    reused: int
    chained: Chained | None = None
    note: str = ""


def hand_over(compiled: Compiled, earlier: EarlierRuns, autonomous: bool = False, confirmed: bool = False) -> Submittal:
    """Stage what was compiled, or go on with the run that is there, and submit what has not been submitted.

    Raises
    ------
    ProfileError
        For a profile without a queue.
    NotConfirmedError
        For more than the profile submits without being asked, unless that is confirmed.
    """
    if not compiled.profile.has_queue:
        raise ProfileError(
            f"profile `{compiled.profile.name}` has no queue to submit to",
            hint="run it here with `sciflow run`, or name another profile with `--profile`",
        )
    if not confirmed and (above := above_cap(compiled, earlier)):
        raise NotConfirmedError(
            above, hint="look at it with `sciflow plan`; `--yes` submits it, and so does `confirmed=True` in Python"
        )
    prepared = earlier.prepare(compiled)
    if not prepared.continued:
        earlier.warn_of_queued(compiled, prepared.directory)
    run = Run(prepared.directory)
    try:
        if autonomous:
            run.become_autonomous()
        handed = run.hand_over()
        chained = run.chain() if autonomous else None
        handed.check()
        return Submittal(run, handed, prepared.continued, prepared.reused, chained, prepared.note)
    except (SchedulerError, TransportError) as error:
        error.hint += f"; `sciflow status {run.directory.name_here}` shows the run so far"
        raise


def calls_now(compiled: Compiled, earlier: EarlierRuns) -> list[str]:
    """The calls of the scheduler that `hand_over` would make, as one would type them in the run directory."""
    directory = earlier.same_work(compiled)
    status = observe(directory) if directory else untouched(compiled.plan)  # with the start times that it has
    run = directory or RunDirectory("RUN")
    return calls(run, status, *_hands(compiled, run), time.time())


def due_now(compiled: Compiled, earlier: EarlierRuns, changes: Changes | None = None) -> Due:
    """What a submission now asks for: what is not done, and no scheduler has yet.

    Parameters
    ----------
    compiled, earlier
        What would be submitted, and what is there.
    changes
        What that makes of what was done before, where that is known.
    """
    from sciflow.run.due import due, due_here

    found = changes or earlier.changes_so_far(compiled)
    done, run = (found.done, found.continued) if found else (frozenset(), None)
    plan = plan_of(run, compiled) if run else compiled.plan
    if not compiled.profile.has_queue:
        return due_here(plan, done)
    return due(run, plan, done, *_hands(compiled, run or RunDirectory("RUN")))


def above_cap(compiled: Compiled, earlier: EarlierRuns, changes: Changes | None = None) -> str:
    """Say what a submission now asks for that is above the profile's `ask_above`; empty for nothing."""
    if compiled.profile.ask_above == AskAbove():
        return ""
    return due_now(compiled, earlier, changes).above(compiled.profile)


def _hands(compiled: Compiled, run: RunDirectory) -> tuple[QueueScheduler, Terms]:
    terms = terms_of(compiled.profile, compiled.workflow.recovery, compiled.workflow.policies)
    return connect(compiled.profile.scheduler, run), terms
