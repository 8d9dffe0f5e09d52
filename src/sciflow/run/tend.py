"""Nobody watching: a small job after the array jobs of a run, which retries, submits what did not fit, and collects."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TypeVar

from sciflow.errors import BusyError, SchedulerError
from sciflow.model.manners import Manners
from sciflow.model.plan import Plan
from sciflow.model.profile import ClusterProfile
from sciflow.model.request import ResourceRequest
from sciflow.model.site_options import joined
from sciflow.model.state import State
from sciflow.model.statement import CONTROLLER
from sciflow.planning.caps import longest_walltime
from sciflow.planning.working_hours import next_change
from sciflow.run.chronicle import CHRONICLE, chronicle
from sciflow.run.intents import resolve
from sciflow.run.parts import missing
from sciflow.run.recover import Recovered
from sciflow.run.status import RunStatus
from sciflow.run.submit import blocked_arrays
from sciflow.run.terms import Connect
from sciflow.run.track import observe
from sciflow.run.variants import renderer_of
from sciflow.schedulers.base import Errand, QueueScheduler
from sciflow.store.journal import Journal
from sciflow.store.layout import RunDirectory, write_whole
from sciflow.store.lock import hold
from sciflow.store.submissions import AUTONOMOUS, INTENT, SUBMITTED, TEND, Submitted
from sciflow_shim import files

TENDED = "tended"  # the event of the journal that a job which tends the run leaves at its end
LATER = 600.0  # seconds until it is tried again where nothing of the run is queued that could end before
PAUSE = 2.0  # seconds, times the jobs that have tended it so far, between two of these
RESERVED = 2  # jobs that tend a run: one that runs, and the next; as many again where some wake by the clock
HOURLY = 3600.0  # seconds between two looks at what others do, where the run's manners depend on that
AFTER_REFUSAL = (60.0, 300.0)  # seconds: some of what a scheduler refuses it takes a little later
STEADY, GLANCE = 120.0, 5.0  # seconds for which accounting may lag behind at most, and between two questions
T = TypeVar("T")
_NEEDED = ResourceRequest(cpu_cores=1, memory_gb=2, max_runtime="01:00:00")


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


def is_autonomous(run: RunDirectory) -> bool:
    """Whether a run is to be tended by itself."""
    said = [event["is_on"] for event in Journal(run.journal).events() if event["event"] == AUTONOMOUS]
    return bool(said) and said[-1]


def begin_tending(run: RunDirectory, profile: ClusterProfile, python: str) -> None:
    """Write the script of the job that tends a run, and note that there is to be one.

    Parameters
    ----------
    run, profile
        The run, and the site.
    python
        The interpreter that has sciflow, on the nodes as well.

    Raises
    ------
    TemplateError
        Where there is no template for it, or it is wrong.
    """
    if is_autonomous(run):
        return
    request = _NEEDED.merged(profile.tend)
    options = joined(profile, profile.tend)
    resources = request.resolve({}, TEND)
    longest = longest_walltime(options, profile)
    if longest is not None and resources.runtime_seconds > longest:
        resources = resources._replace(runtime_seconds=longest)
    text = renderer_of(run).errand(options=options, request=resources, interpreter=python)
    script = run / files.script(TEND)
    write_whole(script, text)
    script.chmod(0o755)
    Journal(run.journal).append([{"event": AUTONOMOUS, "is_on": True}])


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
        Journal(run.journal).append([{"event": TENDED, "job": _own_job()}])


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
        is_over = not waited and not _is_anything_due(status)
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


def end_tending(run: RunDirectory, connect: Connect) -> None:
    """End the tending of a run, and cancel the job that waits for it."""
    if not is_autonomous(run):
        return
    with hold(run.lock) as lock:
        scheduler, journal = connect((lock,)), Journal(run.journal)
        journal.commit({"event": AUTONOMOUS, "is_on": False})
        status = observe(run)
        submissions = status.submissions  # those before the last ones have ended
        for one in (*submissions.errands()[-RESERVED:], *submissions.errands(is_timed=True)[-RESERVED:]):
            if one.job and one.job != _own_job():
                scheduler.cancel(one.job)


def steady(
    look: Callable[[], RunStatus],
    clock: Callable[[], float] = time.monotonic,
    pause: Callable[[float], None] = time.sleep,
) -> RunStatus:
    """The status of a run as soon as nothing of it is in between: over, but not known to stay so."""
    until = clock() + STEADY
    while True:
        status = look()
        if not any(_is_in_between(status)) or clock() >= until:
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


def _is_in_between(status: RunStatus) -> Iterable[bool]:
    queued = status.submissions
    for array in status.plan.arrays:
        due = set(missing(status, array))  # that is for whoever submits next, who must not wait for it
        for index, known in status.indices[array.name].items():
            if array.element(index) in due:
                continue
            found = queued.round_of(array.name, array.element(index), index)
            is_silent = known.said is None or known.said.state.is_final
            yield bool(found and found.last_job) and not known.is_settled and is_silent


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
    if not jobs or jobs[-1] == _own_job():
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
    timed = [one for one in status.submissions.errands(is_timed=True) if one.job and one.job != _own_job()]
    if not any(now < (one.begin or 0.0) <= wake for one in timed):
        # In whole seconds, as schedulers know them: else it would begin before its time.
        _send(run, status, scheduler, journal, [], float(int(wake)), is_timed=True)


def _call_off(status: RunStatus, scheduler: QueueScheduler, now: float) -> None:
    """Cancel the job that would tend at a later time a run of which nothing more happens."""
    for one in status.submissions.errands(is_timed=True)[-RESERVED:]:
        if one.job and (one.begin or 0.0) > now:
            scheduler.cancel(one.job)


def _own_job() -> str:
    """The id of the job in which this process runs."""
    return os.environ.get("SLURM_JOB_ID") or os.environ.get("PBS_JOBID", "")
