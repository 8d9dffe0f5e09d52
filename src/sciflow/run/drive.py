"""Drives a run on this machine, from what is done already to the end."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sciflow.model.plan import Plan
from sciflow.model.profile import ClusterProfile
from sciflow.model.state import State
from sciflow.run.reuse import expected_seconds
from sciflow.run.track import RunStatus, observe
from sciflow.schedulers.base import Submission
from sciflow.schedulers.local import LocalScheduler
from sciflow.schedulers.machine import Machine
from sciflow.store.journal import Journal
from sciflow.store.layout import RunDirectory
from sciflow.store.lock import hold

_BATCH = 50  # events that may wait for the journal while others come in at once


def drive(
    run: RunDirectory,
    plan: Plan,
    profile: ClusterProfile,
    watch: Callable[[RunStatus], Callable[[dict[str, Any]], None]] | None = None,
    machine: Machine | None = None,
) -> RunStatus:
    """Run every index that is not completed, and give the state of all at the end.

    Parameters
    ----------
    run, plan, profile
        What to run, and where.
    watch
        Called with the status at the start; what it gives is called with each event.
    machine
        What there is to hand out; found out by default.

    Raises
    ------
    RunError
        When another process drives the run.
    SchedulerError
        When array jobs cannot be started at all.
    """
    with hold(run.lock) as lock:
        status = observe(run, plan)
        hear = watch(status) if watch else lambda _event: None
        journal = Journal(run.journal)
        scheduler = LocalScheduler(
            run, machine or Machine.detect(profile.capacity), expected_seconds(run, plan), keep_open=(lock,)
        )
        for array in plan.arrays:
            known = status.indices[array.name]
            attempts = {index: one.attempt + 1 for index, one in known.items() if one.state is not State.COMPLETED}
            if attempts:
                scheduler.submit(Submission(array, run.script(array.name), attempts))
        waiting: list[dict[str, Any]] = []

        def keep(event: dict[str, Any]) -> None:
            waiting.append(event)
            hear(event)
            if len(waiting) >= _BATCH or event["event"] == "ended":
                journal.append(waiting)
                waiting.clear()

        try:
            scheduler.drive(keep)
        finally:
            journal.append(waiting)
    return observe(run, plan)
