"""When one array job may start under a policy."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta, timezone
from typing import Literal, NamedTuple

from sciflow.model.periods import aware
from sciflow.model.policy import SchedulingPolicy
from sciflow.model.resources import Resources
from sciflow.model.units import format_duration
from sciflow.planning.calendar import blackouts, deadline, preferred_windows, zone_of
from sciflow.planning.cheapest import cheapest
from sciflow.planning.spans import Span, first_free, last_free

LOOKED_AHEAD = timedelta(days=31)  # for a window that holds all of it; without a longest wait nobody waits longer
YEAR = timedelta(days=366)
Reason = Literal[
    "now",
    "window",
    "wait",
    "deadline",
    "too long",
    "not before",
    "not meant",
    "cheapest",
    "no price",
    "blackout",
    "never",
]


@dataclass(frozen=True)
class Start:
    """When an array job may start.

    Attributes
    ----------
    begin
        The moment, in the policy's zone; None for at once.
    why
        What a user is told of it; empty where it is what the policy asks for.
    reason
        What decided: nothing is waited for (`now`), a preferred window (`window`), the end of the longest wait
        (`wait`), the deadline that allows no waiting (`deadline`), a window that does not hold all of it
        (`too long`), the date (`not before`), that the policy holds for others only (`not meant`), the tariff
        (`cheapest`), that it has no price (`no price`), a blackout that moves what one of these says (`blackout`), or
        that no hour of a year is left (`never`).
    """

    begin: datetime | None
    why: str = ""
    reason: Reason = "now"


class _Work(NamedTuple):
    """What is to start.

    Attributes
    ----------
    since, now
        From when on its wait counts, and from when on it could start.
    length, latest
        How long it takes, and when it has to start for the sake of a deadline.
    taken
        When nothing may start.
    """

    since: datetime
    now: datetime
    length: timedelta
    latest: datetime | None
    taken: tuple[Span, ...]

    def is_free(self, moment: datetime) -> bool:
        """Whether it may start at a moment, as far as blackouts go."""
        return first_free(moment, self.length, self.taken) == moment

    @property
    def takes(self) -> str:
        """How long it takes, in words."""
        return format_duration(self.length.total_seconds())


def begin_time(policy: SchedulingPolicy, now: datetime) -> datetime | None:
    """When work of any size and length may begin under a policy; None for at once."""
    everything = policy.model_copy(update={"applies_to": None})
    return start_of(everything, now, 0, Resources()).begin


def is_meant(policy: SchedulingPolicy, resources: Resources, elements: int) -> bool:
    """Whether a policy holds for an array job; blackouts do for all."""
    return policy.applies_to is None or policy.applies_to.holds(resources, elements)


def start_of(
    policy: SchedulingPolicy,
    now: datetime,
    seconds: int,
    resources: Resources,
    elements: int = 1,
    latest: datetime | None = None,
    ready: datetime | None = None,
) -> Start:
    """When one array job may start.

    Work that a window holds starts in one in which it also ends; what is too long for any starts as one opens.
    Blackouts hold for everything and before all else: what would start in one, or run into one, starts before it where
    that is still in time, and else after it.

    Parameters
    ----------
    policy
        The policy; its time zone counts, else that of this machine.
    now
        The present moment, with its time zone.
    seconds
        How long one index takes; 0 where that is not known.
    resources
        What one index asks for.
    elements
        How many indices there are.
    latest
        The last moment at which it has to start for the sake of a deadline; where nothing is given that is what the
        policy's own deadline says for this array job alone.
    ready
        When all that it waits for has ended. Where nothing else is to be waited for it begins at once, since it may end
        earlier.
    """
    now = now.astimezone(timezone.utc)  # in a zone of its own a clock shows some times twice
    ready = max(now, ready.astimezone(timezone.utc)) if ready else now
    length = timedelta(seconds=seconds)
    if latest is None and (end := deadline(policy)) is not None:
        latest = end - length
    work = _Work(now, ready, length, latest and latest.astimezone(timezone.utc), blackouts(policy))
    start = Start(ready)
    if not is_meant(policy, resources, elements):
        start = Start(ready, reason="not meant")
    elif policy.policy == "not_before":
        assert policy.not_before is not None
        start = Start(max(ready, aware(policy.not_before, zone_of(policy))), reason="not before")
    elif policy.policy == "off_peak":
        start = _off_peak(policy, work)
    elif policy.policy == "cheapest":
        start = _cheapest(policy, work)
    start = _outside_blackouts(start, policy, work)
    assert start.begin is not None
    return replace(start, begin=_shown(start.begin, policy) if start.begin > ready else None)


def _off_peak(policy: SchedulingPolicy, work: _Work) -> Start:
    now, length = work.now, work.length
    wait = None if policy.max_wait_hours is None else work.since + timedelta(hours=policy.max_wait_hours)
    bound = min((one for one in (wait, work.latest) if one is not None), default=None)
    horizon = now + LOOKED_AHEAD if bound is None else min(max(bound, now), now + YEAR)
    windows = preferred_windows(policy, now, horizon + length + timedelta(seconds=1))  # one may open just then
    for start, end in windows:
        begin = max(start, now)
        if begin + length <= end and begin <= horizon:
            return Start(begin, reason="window")
    longest = max((end - start for start, end in windows), default=timedelta())
    said = f"{work.takes} are too long for any window of {policy.describe()}" if length > longest else ""
    opening = next((start for start, _ in windows if now <= start <= horizon and work.is_free(start)), None)
    if opening is not None:
        why = said or f"no window that holds {work.takes} comes in time"
        return Start(opening, f"{why}: it starts as one opens", "too long")
    if length and any(start <= now < end for start, end in windows) and work.is_free(now):
        return Start(
            now, f"{said or f'the window is over within {work.takes}'}, and no other opens in time", "too long"
        )
    if wait is not None and (work.latest is None or wait <= work.latest):
        return Start(
            wait,
            f"it starts when the longest wait of {policy.max_wait_hours:g} h is over, before preferred hours come",
            "wait",
        )
    if work.latest is not None:
        return Start(now, "the deadline allows no waiting for preferred hours", "deadline")
    later = preferred_windows(policy, now, now + YEAR)
    opening = next((max(start, now) for start, _ in later if work.is_free(max(start, now))), None)
    if opening is None:
        time = f"time of {work.takes}" if length else "time"
        return Start(now, f"blackouts leave no {time} within a year of {policy.describe()}", "never")
    return Start(opening, reason="window")


def _cheapest(policy: SchedulingPolicy, work: _Work) -> Start:
    wait = None if policy.max_wait_hours is None else work.since + timedelta(hours=policy.max_wait_hours)
    last = max(work.now, min(one for one in (wait, work.latest) if one is not None))
    found = cheapest(policy, work.now, last, work.length, work.taken)
    if found is None:
        return Start(
            work.now, "the tariff has no prices for the time in which it may run: it starts at once", "no price"
        )
    why = ""
    if found.now is not None and found.begin > work.now:
        less = f" ({1 - found.price / found.now:.0%} less)" if found.now > 0 and found.price >= 0 else ""
        now = f"at once it would be {found.now:.4g}{less}"
        why = f"it starts when an hour costs least, {found.price:.4g} on average; {now}"
    elif found.begin == work.now:
        why = f"to start at once costs least, {found.price:.4g} an hour on average"
    return Start(found.begin, why, "cheapest")


def _outside_blackouts(start: Start, policy: SchedulingPolicy, work: _Work) -> Start:
    """The same where it hits no blackout; else before that, if it was to wait until then, or else after it."""
    begin = start.begin
    assert begin is not None
    if work.is_free(begin) or start.reason == "never":
        return start
    waited = f"the longest wait of {policy.max_wait_hours:g} h ends in a blackout" if start.reason == "wait" else ""
    if waited and (before := last_free(begin, work.length, work.taken)) >= work.now:
        return Start(before, f"{waited}: it starts before that", "blackout")
    after = first_free(begin, work.length, work.taken)
    if work.latest is not None and after > work.latest:
        after = first_free(work.now, work.length, work.taken)
    if after > begin + YEAR:
        time = f"time of {work.takes}" if work.length else "time"
        return Start(after, f"blackouts leave no {time} within a year", "never")
    met = "it would run into a blackout" if work.length else "there is a blackout"
    said = f"{waited}, and blackouts are kept" if waited else met
    shown = _shown(after, policy).isoformat(sep=" ", timespec="minutes")
    return Start(after, f"{said}: it starts after that, at {shown}", "blackout")


def _shown(moment: datetime, policy: SchedulingPolicy) -> datetime:
    """A moment on the clock of the policy's zone; schedulers know whole seconds only."""
    return moment.astimezone(zone_of(policy)).replace(microsecond=0)
