"""Meets the failures of a run in a queue: decides, writes that down, and submits what is tried again."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timezone

from sciflow.errors import SchedulerError
from sciflow.model.plan import ArrayJob, Plan
from sciflow.model.policy import Policies, SchedulingPolicy
from sciflow.model.profile import ClusterProfile
from sciflow.model.recovery import RecoveryPolicy
from sciflow.model.state import State
from sciflow.planning.start import start_of
from sciflow.run.bad_nodes import Suspect, count_trials, suspects
from sciflow.run.causes import Failure, classify
from sciflow.run.decide import Action, Decision
from sciflow.run.drive import Watch, drive
from sciflow.run.intents import resolve
from sciflow.run.manners import Conduct
from sciflow.run.needs import Place
from sciflow.run.overdue import Overdue
from sciflow.run.parts import dependencies
from sciflow.run.retry import Again, decide, note, release_all
from sciflow.run.status import RunStatus
from sciflow.run.submit import Handed, hand_over
from sciflow.run.terms import Connect, Terms
from sciflow.run.track import observe
from sciflow.run.wish import Wish
from sciflow.schedulers.base import QueueScheduler
from sciflow.store.journal import Journal
from sciflow.store.layout import RunDirectory
from sciflow.store.lock import hold
from sciflow.store.submissions import EXCLUDED, INCLUDED

_HOUR = 3600.0


@dataclass
class Recovered:
    """What was decided and done about the failures of a run.

    Attributes
    ----------
    decisions
        About each failure, and what waits for it.
    handed
        What was submitted.
    released
        Array jobs that were held back until now.
    avoided
        Nodes that are not used from now on, for a while.
    trusted
        Nodes that are used again.
    notes
        What could not be done.
    is_less_to_try
        Whether something was refused that was to have more than before: the next time it asks for less.
    besides
        How many indices were run that had not come to their end before, on this machine.
    status
        How it ended, of a run on this machine.
    """

    decisions: list[Decision] = field(default_factory=list)
    handed: Handed = field(default_factory=Handed)
    released: list[str] = field(default_factory=list)
    avoided: list[Suspect] = field(default_factory=list)
    trusted: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    is_less_to_try: bool = False
    besides: int = 0
    status: RunStatus | None = None

    @property
    def is_idle(self) -> bool:
        """Whether nothing was done about any failure."""
        return not (any(one.action.is_retry for one in self.decisions) or self.handed.jobs or self.besides)


def recover(
    run: RunDirectory,
    plan: Plan,
    connect: Connect,
    profile: ClusterProfile,
    recovery: RecoveryPolicy,
    terms: Terms,
    render: Callable[[ArrayJob], str],
    wish: Wish,
) -> Recovered:
    """Try again what has failed, as far as that is wished and within bounds, and submit what is left besides.

    Raises
    ------
    RunError, SchedulerError, TransportError
        As for `submit`, but for what the scheduler refuses: `handed.refused` tells that. What was decided stays, and
        whoever submits next carries it out.
    """
    with hold(run.lock) as lock:
        scheduler = connect((lock,))
        journal = Journal(run.journal)
        status = observe(run, plan)
        found = resolve(status, scheduler, journal)
        if found:
            status = observe(run, plan)
        failures = classify(run, status)
        done = Recovered(decisions=decide(run, plan, status, failures, profile, recovery, wish))
        if wish.is_released:
            done.released = release_all(run, [array.name for array in plan.arrays])
        done.trusted = _trust(status, wish, journal)
        done.avoided = _avoid(status, failures, recovery, journal) if scheduler.avoids_nodes else []
        again = note(run, plan, status, journal, done.decisions, render)
        if again:
            status = observe(run, plan)
        done.handed = hand_over(run, status, scheduler, journal, terms)
        done.handed.found = found
        told = [_as_it_came(one, status) for one in done.decisions]
        more = (Action.MORE_MEMORY, Action.MORE_TIME)
        done.is_less_to_try = any(
            one.action in more and as_it_came is not one for one, as_it_came in zip(done.decisions, told, strict=True)
        )
        done.decisions = told
        done.notes = list(_postpone(status, scheduler, again))
        return done


def recover_here(
    run: RunDirectory,
    plan: Plan,
    profile: ClusterProfile,
    recovery: RecoveryPolicy,
    render: Callable[[ArrayJob], str],
    wish: Wish,
    watch: Watch | None = None,
) -> Recovered:
    """Try again what has failed of a run on this machine, and run that to its end; see `recover`.

    Raises
    ------
    RunError
        When another process drives the run.
    """
    done = Recovered()

    def meet(status: RunStatus, journal: Journal) -> None:
        done.besides = status.counts().get(State.PENDING, 0)
        done.decisions = decide(run, plan, status, classify(run, status), profile, recovery, wish)
        if wish.is_released:
            done.released = release_all(run, [array.name for array in plan.arrays])
        note(run, plan, status, journal, done.decisions, render)

    done.status = drive(run, plan, profile, watch, decide=meet)
    return done


def terms_of(profile: ClusterProfile, recovery: RecoveryPolicy, policies: Policies) -> Terms:
    """On what terms array jobs of a run are submitted."""

    def begin(array: ArrayJob, planned: datetime | None, now: float) -> float | None:
        if not profile.keeps_start_times:
            return None
        if planned is not None and planned.timestamp() > now:
            return None if planned == array.begin and not array.waves else planned.timestamp()
        policy = policies.of(array.task)
        if planned is None and (policy.policy != "off_peak" or policy.deadline is not None):
            # What had to begin at once need not wait now; but by now a blackout may be near.
            policy = SchedulingPolicy(blackouts=policy.blackouts, timezone=policy.timezone)
        # What was planned to begin at a time that has passed would begin in the middle of the day.
        seconds, present = array.resources.runtime_seconds, datetime.fromtimestamp(now, timezone.utc)
        moment = start_of(policy, present, seconds, array.resources, array.elements).begin
        if moment is not None:
            return moment.timestamp()
        return now if array.begin is not None and array.begin.timestamp() > now else None  # its script says later

    conduct = Conduct(profile.manners, profile, begin) if profile.manners.throttles else None
    overdue = Overdue(profile, policies, recovery.canaries, begin)
    return Terms(profile.limits, recovery.canaries, begin=begin, conduct=conduct, replan=overdue.plan)


def _as_it_came(one: Decision, status: RunStatus) -> Decision:
    """A decision, or that it was refused."""
    why = status.submissions.withdrawn.get(one.place) if one.action.is_retry else None
    return one if why is None else replace(one, action=Action.REFUSED, why=why)


def _trust(status: RunStatus, wish: Wish, journal: Journal) -> list[str]:
    """Note the nodes that somebody wants to be used again."""
    for node in wish.trusted:
        event = {"event": INCLUDED, "node": node}
        journal.commit(event)
        status.submissions.hear({"time": journal.clock(), **event})
    return list(wish.trusted)


def to_avoid(
    status: RunStatus, failures: Mapping[Place, Failure], recovery: RecoveryPolicy, now: float
) -> list[Suspect]:
    """The nodes on which more fails than chance explains, and that are not avoided yet."""
    known = status.submissions
    if not recovery.exclude_hours:
        return []
    return [
        one
        for one in suspects(count_trials(status, failures))
        if one.node not in known.trusted and known.avoided.get(one.node, 0.0) <= now
    ]


def _avoid(
    status: RunStatus, failures: Mapping[Place, Failure], recovery: RecoveryPolicy, journal: Journal
) -> list[Suspect]:
    """Note the nodes on which more fails than chance explains; not those that somebody trusts all the same."""
    now, known = journal.clock(), status.submissions
    found = to_avoid(status, failures, recovery, now)
    for one in found:
        event = {"event": EXCLUDED, "node": one.node, "until": now + recovery.exclude_hours * _HOUR, "why": one.why}
        journal.commit(event)
        known.hear({"time": now, **event})
    return found


def _postpone(status: RunStatus, scheduler: QueueScheduler, again: Sequence[Again]) -> list[str]:
    """Let what waits for the whole of an array job also wait for what of it is tried again."""
    notes = []
    tried = {one.array.name for one in again}
    for array in status.plan.arrays:
        if not any(one.kind == "whole" and one.array in tried for one in array.after):
            continue
        for one in status.submissions.of_array(array.name):
            places = (index for element in one.indices for index in array.of_element(element))
            if one.job and one.link == 1 and all(status.indices[array.name][i].is_waiting for i in places):
                try:
                    scheduler.postpone(one.job, dependencies(status, array, sorted(one.indices)))
                except SchedulerError as error:
                    notes.append(f"{array.name} does not wait for what is tried again: {error.message}")
    return notes
