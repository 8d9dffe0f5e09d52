"""When one array job may start under a policy."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Literal

from sciflow.model.policy import SchedulingPolicy
from sciflow.model.resources import Resources
from sciflow.model.units import format_duration
from sciflow.planning.calendar import aware, deadline, preferred_windows, zone_of

LOOKED_AHEAD = timedelta(days=31)  # for a window that holds all of it; without a longest wait nobody waits longer
_YEAR = timedelta(days=366)
Reason = Literal["now", "window", "wait", "deadline", "too long", "not before", "not meant"]


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
        (`too long`), the date (`not before`), or that the policy holds for others only (`not meant`).
    """

    begin: datetime | None
    why: str = ""
    reason: Reason = "now"


def begin_time(policy: SchedulingPolicy, now: datetime) -> datetime | None:
    """When work of any size and length may begin under a policy; None for at once."""
    everything = policy.model_copy(update={"applies_to": None})
    return start_of(everything, now, 0, Resources()).begin


def start_of(
    policy: SchedulingPolicy,
    now: datetime,
    seconds: int,
    resources: Resources,
    elements: int = 1,
    latest: datetime | None = None,
) -> Start:
    """When one array job may start.

    Work that a window holds starts in one in which it also ends; what is too long for any starts as one opens.

    Parameters
    ----------
    policy
        The policy; its time zone counts, else that of this machine.
    now
        The present moment, with its time zone; or a later one, before which it cannot start.
    seconds
        How long one index takes; 0 where that is not known.
    resources
        What one index asks for.
    elements
        How many indices there are.
    latest
        The last moment at which it has to start for the sake of a deadline; where nothing is given that is what the
        policy's own deadline says for this array job alone.
    """
    now = now.astimezone(timezone.utc)  # in a zone of its own a clock shows some times twice
    length = timedelta(seconds=seconds)
    if latest is None and (end := deadline(policy)) is not None:
        latest = end - length
    start = Start(None)
    if policy.applies_to is not None and not policy.applies_to.holds(resources, elements):
        return Start(None, reason="not meant")
    if policy.policy == "not_before":
        assert policy.not_before is not None
        start = Start(aware(policy.not_before, zone_of(policy)), reason="not before")
    elif policy.policy == "off_peak":
        start = _off_peak(policy, now, length, latest and latest.astimezone(timezone.utc))
    if start.begin is None or start.begin <= now:
        return Start(None, start.why, start.reason)
    return Start(_shown(start.begin, policy), start.why, start.reason)


def _off_peak(policy: SchedulingPolicy, now: datetime, length: timedelta, latest: datetime | None) -> Start:
    wait = None if policy.max_wait_hours is None else now + timedelta(hours=policy.max_wait_hours)
    bound = min((one for one in (wait, latest) if one is not None), default=None)
    horizon = now + LOOKED_AHEAD if bound is None else min(bound, now + _YEAR)
    windows = preferred_windows(policy, now, max(horizon, now) + length)
    for start, end in windows:
        begin = max(start, now)
        if begin + length <= end and begin <= horizon:
            return Start(begin, reason="window")
    longest = max((end - start for start, end in windows), default=timedelta())
    said = f"{_duration(length)} are too long for any window of {policy.describe()}" if length > longest else ""
    opening = next((start for start, _ in windows if now <= start <= horizon), None)
    if opening is not None:
        why = said or f"no window that holds {_duration(length)} comes in time"
        return Start(opening, f"{why}: it starts as one opens", "too long")
    if said and any(start <= now < end for start, end in windows):
        return Start(now, f"{said}: it starts within one, as none opens in time", "too long")
    if wait is not None and (latest is None or wait <= latest):
        return Start(wait, f"no preferred hours come within the longest wait of {policy.max_wait_hours:g} h", "wait")
    if latest is not None:
        return Start(now, "the deadline allows no waiting for preferred hours", "deadline")
    first = next(iter(preferred_windows(policy, now, now + _YEAR)))
    return Start(max(first[0], now), reason="window")


def _shown(moment: datetime, policy: SchedulingPolicy) -> datetime:
    """A moment on the clock of the policy's zone; schedulers know whole seconds only."""
    return moment.astimezone(zone_of(policy)).replace(microsecond=0)


def _duration(length: timedelta) -> str:
    return format_duration(length.total_seconds())
