"""Drives a run on this machine, from what is done already to the end."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from sciflow.model.plan import Plan
from sciflow.model.profile import ClusterProfile
from sciflow.model.state import State
from sciflow.run.needs import Place
from sciflow.run.reuse import expected_seconds
from sciflow.run.seal import unseal
from sciflow.run.soundness import built_on_skips, with_broken_seals
from sciflow.run.status import RunStatus
from sciflow.run.track import IS_TORN, observe
from sciflow.run.variants import read_variant
from sciflow.schedulers.base import Submission
from sciflow.schedulers.local import LocalScheduler
from sciflow.schedulers.machine import Machine
from sciflow.store.brakes import release
from sciflow.store.journal import Journal
from sciflow.store.layout import RunDirectory
from sciflow.store.lock import hold
from sciflow.store.records import has_broken_seal

Watch = Callable[[RunStatus], Callable[[dict[str, Any]], None]]
_BATCH = 50  # events that may wait for the journal while others come in at once


def drive(
    run: RunDirectory,
    plan: Plan,
    profile: ClusterProfile,
    watch: Watch | None = None,
    machine: Machine | None = None,
    decide: Callable[[RunStatus, Journal], None] | None = None,
) -> RunStatus:
    """Run every index that is not completed, or to be tried again, and give the state of all at the end.

    What is completed counts only where the seal of its record holds, and not where it, or what it was made from, went
    on without some of its upstream.

    Parameters
    ----------
    run, plan, profile
        What to run, and where.
    watch
        Called with the status at the start; what it gives is called with each event.
    machine
        What there is to hand out; found out by default.
    decide
        Writes into the journal which failures are tried again. These are run, and what has not come to its end yet;
        where there is nothing of the kind, nothing is touched. By default all that are not completed are run, also
        those that a brake has held back.

    Raises
    ------
    RunError
        When another process drives the run.
    SchedulerError
        When array jobs cannot be started at all.
    """
    with hold(run.lock) as lock:
        journal = Journal(run.journal)
        if decide is not None:
            decide(observe(run, plan), journal)
        if decide is None or _left(observe(run, plan)):
            unseal(run)
            status = _observe_valid(run, plan, journal, is_all=decide is None)
            scheduler = LocalScheduler(
                run, machine or Machine.detect(profile.capacity), expected_seconds(run, plan), keep_open=(lock,)
            )
            hear = watch(status) if watch else lambda _event: None
            chosen = _everything(run, status) if decide is None else _left(status)
            for submission in _submissions(run, status, chosen):
                scheduler.submit(submission)
            _void(journal, _torn(run, _keep(scheduler, journal, hear)))
    return observe(run, plan)


def _keep(scheduler: LocalScheduler, journal: Journal, hear: Callable[[dict[str, Any]], None]) -> list[dict[str, Any]]:
    """Drive what was submitted to the end, keep all events in the journal, and give those about ends."""
    waiting: list[dict[str, Any]] = []
    ended: list[dict[str, Any]] = []

    def keep(event: dict[str, Any]) -> None:
        waiting.append(event)
        hear(event)
        if event["event"] == "ended":
            ended.append(event)
        if len(waiting) >= _BATCH or event["event"] == "ended":
            journal.append(waiting)
            waiting.clear()

    try:
        scheduler.drive(keep)
    finally:
        journal.append(waiting)
    return ended


def _everything(run: RunDirectory, status: RunStatus) -> set[Place]:
    for array in status.plan.arrays:
        release(run, array.name)
    return {
        (array, index)
        for array, known in status.indices.items()
        for index, one in known.items()
        if one.state is not State.COMPLETED
    }


def _left(status: RunStatus) -> set[Place]:
    """What was never started, was stopped with its driver, or is to be tried again."""
    return {
        (array, index)
        for array, known in status.indices.items()
        for index, one in known.items()
        if one.state is State.PENDING
    }


def _submissions(run: RunDirectory, status: RunStatus, chosen: set[Place]) -> Iterator[Submission]:
    """What is to be run, by array job and the request under which it was tried last."""
    variants = status.submissions.variants()
    for array in status.plan.arrays:
        attempts: dict[str, dict[int, int]] = {}
        for index, one in status.indices[array.name].items():
            if (array.name, index) in chosen:
                attempts.setdefault(variants.get((array.name, index), ""), {})[index] = one.attempt + 1
        for variant, wanted in attempts.items():
            given = read_variant(run, array, variant) if variant else array
            yield Submission(given, run.script(given.name_on_node), wanted)


def _observe_valid(run: RunDirectory, plan: Plan, journal: Journal, is_all: bool) -> RunStatus:
    """The state of every index, after what must not be built upon was noted in the journal.

    What went on without some of its upstream is made anew only where all is run that is not completed.
    """
    status = observe(run, plan)
    places = dict.fromkeys(with_broken_seals(status), IS_TORN)
    for array, index in built_on_skips(run, status) if is_all else ():
        if status.indices[array][index].state is State.COMPLETED:
            places.setdefault((array, index), "it was made without some of its upstream")
    if not places:
        return status
    _void(journal, {(*place, status.indices[place[0]][place[1]].attempt): reason for place, reason in places.items()})
    return observe(run, plan)


def _torn(run: RunDirectory, ended: list[dict[str, Any]]) -> dict[tuple[str, int, int], str]:
    """Which of the records that were just written are not as they were written."""
    places = [
        (one["array"], one["index"], one["attempt"]) for one in ended if one["state"] in ("COMPLETED", "NODE_FAIL")
    ]
    return {place: IS_TORN for place in places if has_broken_seal(str(run.record(*place)))}


def _void(journal: Journal, places: dict[tuple[str, int, int], str]) -> None:
    """Note that attempts do not count, and why."""
    journal.append(
        {"event": "void", "array": array, "index": index, "attempt": attempt, "reason": reason}
        for (array, index, attempt), reason in places.items()
    )
