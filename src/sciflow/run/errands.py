"""Which job tends a run next, and when: it waits for other jobs, or for a time."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from sciflow.errors import SchedulerError
from sciflow.model.manners import Manners
from sciflow.model.plan import Plan
from sciflow.model.state import State
from sciflow.model.statement import CONTROLLER
from sciflow.planning.working_hours import next_change
from sciflow.run.autonomy import RESERVED, is_autonomous, own_job
from sciflow.run.intents import resolve
from sciflow.run.parts import missing
from sciflow.run.status import RunStatus
from sciflow.run.submit import blocked_arrays
from sciflow.run.terms import Connect
from sciflow.run.track import observe
from sciflow.schedulers.base import Errand, QueueScheduler
from sciflow.store.journal import Journal
from sciflow.store.layout import RunDirectory
from sciflow.store.lock import hold
from sciflow.store.submissions import INTENT, SUBMITTED, TEND
from sciflow.store.submitted import Submitted

TENDED = "tended"  # the event of the journal that a job which tends the run leaves at its end
LATER = 600.0  # seconds until it is tried again where nothing of the run is queued that could end before
PAUSE = 2.0  # seconds, times the jobs that have tended it so far, between two of these
HOURLY = 3600.0  # seconds between two looks at what others do, where the run's manners depend on that


@dataclass(frozen=True)
class Chained:
    """The job that tends a run next.

    Attributes
    ----------
    job
        Its id.
    is_new
        Whether it was submitted now.
    """

    job: str
    is_new: bool


def chain(
    run: RunDirectory,
    plan: Plan,
    connect: Connect,
    clock: Callable[[], float] = time.time,
    waking: Callable[[float], float | None] = lambda _now: None,
) -> Chained | None:
    """See to it that a run which goes on is tended: by one job, which starts when the first of its jobs has ended.

    Where its manners change by the clock, or by what others do, there is a second one, which starts at that time: at
    what `waking` gives for the present moment. Gives None where nothing of the run will happen any more, or nobody
    wants it to be tended by itself any more.

    Raises
    ------
    RunError, SchedulerError, TransportError
        As for `submit`.
    """
    with hold(run.lock) as lock:
        if not is_autonomous(run):  # it was cancelled while this process was at it
            return None
        scheduler, journal = connect((lock,)), Journal(run.journal)
        status = observe(run, plan)
        if resolve(status, scheduler, journal):
            status = observe(run, plan)
        waited = _open_jobs(status)
        is_over = not waited and not _is_anything_due(status) and not is_in_between(status)
        if is_over:
            _call_off(status, scheduler, clock())
        if is_over and not _was_cut_off(status, journal):
            return None
        if waited and (wake := waking(clock())) is not None:
            _send_for(run, status, scheduler, journal, wake, clock())
        present, state = _present(status, scheduler)
        if state is State.PENDING or (is_over and state is State.RUNNING):
            return Chained(present, is_new=False)
        begin = clock() + _pause(status, waited, is_over)
        return Chained(_send(run, status, scheduler, journal, waited, begin), is_new=True)


def is_in_between(status: RunStatus) -> bool:
    """Whether something of a run is over, but not known to stay so: the word of a witness is still to come."""
    for array in status.plan.arrays:
        due = set(missing(status, array))  # that is for whoever submits next, who must not wait for it
        for index, known in status.indices[array.name].items():
            if known.is_settled or array.element(index) in due:
                continue
            found = status.submissions.round_of(array.name, array.element(index), index)
            if found and found.last_job and (known.said is None or known.said.state.is_final):
                return True
    return False


def _open_jobs(status: RunStatus) -> list[str]:
    """The jobs of which something is not over."""
    found: dict[str, None] = {}
    for array in status.plan.arrays:
        for index, known in status.indices[array.name].items():
            submitted = status.submissions.round_of(array.name, array.element(index), index)
            if submitted is not None and not known.is_over and submitted.last_job:
                record = known.record.job if known.record is not None else ""
                found.update(dict.fromkeys(one.job for one in submitted.since(record)[:2]))
    return list(found)


def _is_anything_due(status: RunStatus) -> bool:
    """Whether something is to be submitted that nothing is known to stand against."""
    blocked = blocked_arrays(status)
    arrays = (array for array in status.plan.arrays if array.name not in blocked)
    return any(not known.is_over for array in arrays for known in status.indices[array.name].values())


def _was_cut_off(status: RunStatus, journal: Journal) -> bool:
    """Whether the last job that was to tend the run, which is another than this one, has not come to its end."""
    jobs = [one.job for one in status.submissions.errands() if one.job]
    if not jobs or jobs[-1] == own_job():
        return False
    return not any(event["event"] == TENDED and event["job"] == jobs[-1] for event in journal.events())


def _pause(status: RunStatus, waited: list[str], is_over: bool) -> float:
    """How many seconds from now the next look may be: the longer it goes on, the more, as jobs end all the time."""
    if is_over:
        return 0.0
    return min(LATER, PAUSE * len(status.submissions.errands())) if waited else LATER


def _present(status: RunStatus, scheduler: QueueScheduler) -> tuple[str, State | None]:
    """The last job that was to tend the run, and its state; None where nobody knows it any more.

    One that runs may be past the point at which it looks for what is left to be done.
    """
    jobs = [one for one in status.submissions.errands() if one.job]
    if not jobs:
        return "", None
    last = jobs[-1]
    testimony = scheduler.testify({last.job: last.name}, {last.job: {0}})
    if CONTROLLER in testimony.errors:
        raise SchedulerError(
            f"whether job {last.job} still waits, which looks after the run, cannot be told: "
            f"{testimony.errors[CONTROLLER]}",
            hint="the same command sees to it when the scheduler answers again",
        )
    said = testimony.answers[CONTROLLER].get(last.job, {}).get(0)
    return last.job, said.state if said is not None else None


def _send(
    run: RunDirectory,
    status: RunStatus,
    scheduler: QueueScheduler,
    journal: Journal,
    waited: list[str],
    begin: float,
    is_timed: bool = False,
) -> str:
    name = f"{TEND}.{run.run_id}.{len(status.submissions.by_name) + 1}"
    open_ones = [one for one in status.submissions.open if one.array == TEND and one.is_timed is is_timed]
    known = open_ones[0] if open_ones else Submitted(TEND, name, frozenset((0,)), journal.clock(), is_timed=is_timed)
    if is_timed:
        known.begin = begin
    timed = {"is_timed": True, "begin": begin} if is_timed else {}
    journal.commit({"event": INTENT, "array": TEND, "name": known.name, "indices": "0", **timed})
    if known.name not in status.submissions.by_name:
        status.submissions.add(known)
    job = scheduler.send(Errand(run.script(TEND), known.name, tuple(waited), begin))
    known.job = job
    journal.commit({"event": SUBMITTED, "array": TEND, "name": known.name, "job": job})
    return job


def waking_time(manners: Manners, zone: str | None, now: float) -> float | None:
    """When the throttles of a run may have to be changed next, whatever ends before; None where that never is."""
    found = [next_change(manners, zone, now)] if manners.has_clock else []
    found += [now + HOURLY] if manners.needs_load else []
    return min(found, default=None)


def _send_for(
    run: RunDirectory, status: RunStatus, scheduler: QueueScheduler, journal: Journal, wake: float, now: float
) -> None:
    """See to it that a job tends the run at a time; one that is there for an earlier one will see to the next."""
    timed = [one for one in status.submissions.errands(is_timed=True) if one.job and one.job != own_job()]
    if not any(now < (one.begin or 0.0) <= wake for one in timed):
        # In whole seconds, as schedulers know them: else it would begin before its time.
        _send(run, status, scheduler, journal, [], float(int(wake)), is_timed=True)


def _call_off(status: RunStatus, scheduler: QueueScheduler, now: float) -> None:
    """Cancel the job that would tend at a later time a run of which nothing more happens."""
    for one in status.submissions.errands(is_timed=True)[-RESERVED:]:
        if one.job and (one.begin or 0.0) > now:
            scheduler.cancel(one.job)
