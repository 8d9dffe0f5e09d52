"""Follows a run in a queue: one question per cycle for all of its jobs, at growing intervals."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

from sciflow.errors import RunError
from sciflow.model.plan import Plan
from sciflow.model.state import State
from sciflow.model.statement import ACCOUNTING, CONTROLLER, Testimony
from sciflow.run.judge import tells_all
from sciflow.run.status import IndexStatus, RunStatus
from sciflow.run.track import Reader, observe
from sciflow.schedulers.base import QueueScheduler
from sciflow.store.layout import RunDirectory
from sciflow.store.records import read_states
from sciflow.store.statements import Observed, read_observed, write_observed
from sciflow.store.submitted import Submitted

FIRST, GROWTH, LONGEST = 2.0, 1.3, 120.0  # seconds between questions: 43 in the first hour, 30 in each later one
GLANCE = 1.0  # seconds between looks at the records, which ask nobody
SHARE = 0.05  # of the time at most may be spent looking at records


def track(
    run: RunDirectory,
    plan: Plan,
    scheduler: QueueScheduler,
    clock: Callable[[], float] = time.time,
    read: Reader = read_states,
) -> RunStatus:
    """Ask the scheduler about all that is not settled, each witness once, and judge.

    What was heard is kept in `observed.json`; where that cannot be written it still counts for this answer.
    """
    status = observe(run, plan, now=clock(), read=read)
    wanted = _unsettled(status)
    if not wanted:
        return status
    jobs = {job: name for job, name in status.submissions.jobs.items() if job in wanted}
    testimony = scheduler.testify(jobs, wanted)
    now = clock()
    observed = read_observed(run.observed)
    observed.hear(testimony, now)
    _note_missed(status, testimony, observed, wanted, now)
    try:
        write_observed(run.observed, observed)
    except OSError as error:
        status = observe(run, plan, observed, now, read)
        status.notes.append(f"`{run.observed}` cannot be written: {error.strerror}")
        return status
    return observe(run, plan, observed, now, read)


def _unsettled(status: RunStatus) -> dict[str, set[int]]:
    """Job id → its indices of which something may still change; what nobody knows of is asked about each time."""
    wanted: dict[str, set[int]] = {}
    for array in status.plan.arrays:
        for index, known in status.indices[array.name].items():
            element = array.element(index)
            is_done = known.is_over and known.is_settled and known.state is not State.UNKNOWN
            found = status.submissions.round_of(array.name, element, index)
            for one in found.since(known.record.job if known.record else "") if found and not is_done else ():
                wanted.setdefault(one.job, set()).add(element)
    errands = status.submissions.errands() if wanted and status.is_autonomous else []
    if errands and errands[-1].job:
        wanted[errands[-1].job] = {0}
    return wanted


def _note_missed(
    status: RunStatus, testimony: Testimony, observed: Observed, wanted: dict[str, set[int]], now: float
) -> None:
    """Note which indices have left the queue without a final record; a question without answer changes nothing."""
    if CONTROLLER not in testimony.answers:
        return
    knows_past = ACCOUNTING in testimony.answers or testimony.errors.get(ACCOUNTING) == "it is off"
    has_record, lacks = set(), set()
    for array in status.plan.arrays:
        for element in range(array.elements):
            known = [status.indices[array.name][index] for index in array.of_element(element)]
            found = status.submissions.round_of(array.name, element)
            if found is not None and all(map(_tells_all, known)):
                has_record |= {(one.job, element) for one in found.links if _is_of(known, one)}
            elif found is not None and found.links[0].riders:  # what others in the same index have left does not tell
                lacks |= {(one.job, element) for one in found.links}
    missed = set()
    for job, indices in wanted.items():
        for index in indices:
            said = observed.said(CONTROLLER, job, index)
            is_gone = (knows_past or index in observed.missed.get(job, {})) if said is None else said.state.is_final
            if is_gone and ((job, index) not in has_record or (job, index) in lacks):
                missed.add((job, index))
    observed.miss(wanted, missed, now)


def _is_of(known: list[IndexStatus], one: Submitted) -> bool:
    """Whether the records of an element are those of a submission, or of somebody who ran it by hand."""
    return all(status.record is not None and status.record.job in ("", one.job) for status in known)


def _tells_all(known: IndexStatus) -> bool:
    return known.record is not None and tells_all(known.record)


def follow(
    look: Callable[[], RunStatus],
    ask: Callable[[], RunStatus],
    clock: Callable[[], float] = time.monotonic,
    pause: Callable[[float], None] = time.sleep,
) -> Iterator[RunStatus]:
    """Give the status of a run again and again, until nothing more will happen.

    Parameters
    ----------
    look
        Gives the status from what is there, without asking anybody.
    ask
        Asks the scheduler and gives the status.
    clock, pause
        Monotonic seconds, and how to let them pass.
    """
    interval, is_finished = FIRST, False
    status = ask()
    asked = clock()
    yield status
    while not status.is_settled:
        began = clock()
        status = look()
        cost = clock() - began
        if status.is_finished and not is_finished:
            is_finished, interval = True, FIRST  # all have left their records: what is still to be heard comes soon
        if not status.is_settled and clock() - asked >= interval:
            status = ask()
            asked, interval = clock(), min(LONGEST, interval * GROWTH)
        yield status
        if not status.is_settled:
            pause(max(min(GLANCE, interval), cost / SHARE))


def while_driven(
    look: Callable[[], RunStatus],
    clock: Callable[[], float] = time.monotonic,
    pause: Callable[[float], None] = time.sleep,
) -> Iterator[RunStatus]:
    """Give the status of a run on this machine as long as a process drives it, and once more after that."""
    for status in follow(look, look, clock, pause):
        yield status
        if not status.is_driven:
            return


def wait(
    states: Iterator[RunStatus],
    seconds: float | None = None,
    clock: Callable[[], float] = time.monotonic,
) -> RunStatus:
    """Go through the states of a run to its end.

    Raises
    ------
    RunError
        Where it has not ended within the seconds given, and goes on by itself; or where it does not go on.
    """
    began = clock()
    for status in states:
        if status.is_settled:
            return status
        if seconds is not None and clock() - began >= seconds:
            raise RunError(f"the run has not ended within {seconds:g} s", hint="it goes on by itself; wait again")
    raise RunError("nobody drives the run, and it is not finished", hint="the same `sciflow run …` goes on with it")
