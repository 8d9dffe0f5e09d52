"""Nobody watching: a small job after the array jobs of a run, which retries, submits what did not fit, and collects."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from sciflow.errors import BusyError
from sciflow.run.autonomy import own_job
from sciflow.run.chronicle import CHRONICLE, chronicle
from sciflow.run.errands import LATER, TENDED, Chained, is_in_between
from sciflow.run.recover import Recovered
from sciflow.run.status import RunStatus
from sciflow.store.journal import Journal
from sciflow.store.layout import RunDirectory, write_whole
from sciflow.store.lock import hold

AFTER_REFUSAL = (60.0, 300.0)  # seconds: some of what a scheduler refuses it takes a little later
STEADY, GLANCE = 120.0, 5.0  # seconds for which accounting may lag behind at most, and between two questions
T = TypeVar("T")


@dataclass(frozen=True)
class Tended:
    """What tending a run once has done.

    Attributes
    ----------
    recovered
        What was tried again, and what was not.
    status
        How the run is after that.
    chained
        The job that tends it next; None where nothing more will happen by itself, or nobody asked for one.
    """

    recovered: Recovered
    status: RunStatus
    chained: Chained | None = None


def tend(
    run: RunDirectory,
    ask: Callable[[], RunStatus],
    recover: Callable[[], Recovered],
    collect: Callable[[], object],
    following: Callable[[], Chained | None] | None,
) -> Tended:
    """Do once what a person would do who looks after a run: retry within bounds, submit what did not fit, collect.

    Parameters
    ----------
    run
        The run.
    ask, recover, collect
        Ask the scheduler for the status; meet failures and submit; collect.
    following
        Sees to it that somebody does the same later; None where that is not wanted.

    Raises
    ------
    RunError, SchedulerError, TransportError
        Where something of it cannot be done; what was done stays.
    """
    steady(ask)
    # Nobody watches who could try it again; a person is told at once who is at it.
    done = recover() if following is None else until_taken(lambda: patiently(recover))
    # Before anything that takes its time: who is killed now has a successor.
    chained = None if following is None else patiently(following)
    collect()
    status = ask()
    write_whole(run / CHRONICLE, chronicle(run, status, done.decisions))
    if following is not None:
        patiently(lambda: _note_end(run))
    return Tended(done, status, chained)


def until_taken(recover: Callable[[], Recovered], pause: Callable[[float], None] = time.sleep) -> Recovered:
    """Meet failures; where it was too much that is refused, at once with less, and anything else a little later.

    What is refused still is left to a person.
    """
    patience = list(AFTER_REFUSAL)
    done = recover()
    while done.handed.refused:
        if not done.is_less_to_try:  # else there is an end to that: it is less each time
            if not patience:
                break
            pause(patience.pop(0))
        done = recover()
    return done


def _note_end(run: RunDirectory) -> None:
    """Note that the job which tends the run has done all that it was to do."""
    with hold(run.lock):
        Journal(run.journal).append([{"event": TENDED, "job": own_job()}])


def steady(
    look: Callable[[], RunStatus],
    clock: Callable[[], float] = time.monotonic,
    pause: Callable[[float], None] = time.sleep,
) -> RunStatus:
    """The status of a run as soon as nothing of it is in between: over, but not known to stay so."""
    until = clock() + STEADY
    while True:
        status = look()
        if not is_in_between(status) or clock() >= until:
            return status
        pause(GLANCE)


def patiently(act: Callable[[], T], seconds: float = LATER, pause: Callable[[float], None] = time.sleep) -> T:
    """Do something as soon as nobody else is at the run.

    Raises
    ------
    BusyError
        Where somebody is all the time.
    """
    until = time.monotonic() + seconds
    while True:
        try:
            return act()
        except BusyError:
            if time.monotonic() >= until:
                raise
            pause(GLANCE)
