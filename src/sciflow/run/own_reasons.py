"""Why something waits that is not the scheduler's doing: other array jobs, canaries, brakes, start times, room."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, tzinfo
from zoneinfo import ZoneInfo

from sciflow.model.plan import ArrayJob
from sciflow.model.policy import Policies
from sciflow.model.profile import ClusterProfile
from sciflow.model.state import State
from sciflow.run.status import IndexStatus, RunStatus
from sciflow.run.what_helps import Tried
from sciflow.schedulers.reasons import Reason
from sciflow.store.brakes import read_brakes
from sciflow.store.layout import RunDirectory
from sciflow_shim.files import format_ranges

_MINUTE = 60.0


@dataclass
class Waiting:
    """Indices of one array job that wait for the same.

    Attributes
    ----------
    array, task, indices
        Which they are.
    job
        The job in which they wait; empty where they are in no queue.
    code
        The reason in the scheduler's own words, if it is one of the scheduler's.
    reason
        The same in plain words, and what can be done about it.
    facts
        What there is to know about it, line by line.
    start
        When they are to start, as the scheduler plans or as it was planned; seconds since the epoch.
    elements
        The scheduler's indices in which they wait.
    is_array
        Whether the scheduler knows them by such indices.
    zone
        The time zone in which people read their start times; None for that of this machine.
    tried
        What other requests would change, the best first.
    """

    array: str
    task: str
    indices: list[int]
    job: str
    code: str
    reason: Reason
    facts: list[str] = field(default_factory=list)
    start: float | None = None
    elements: list[int] = field(default_factory=list)
    is_array: bool = False
    zone: tzinfo | None = None
    tried: list[Tried] = field(default_factory=list)

    @property
    def queued(self) -> str:
        """What of the job waits, in the scheduler's words: without its indices all that runs of it were meant, too."""
        return f"{self.job}_[{format_ranges(sorted(self.elements))}]" if self.is_array else self.job


@dataclass(frozen=True)
class Site:
    """What is known of the site and of what was wanted of it."""

    profile: ClusterProfile
    policies: Policies

    def zone(self, task: str) -> tzinfo | None:
        """The time zone in which a task's start times are meant; None for that of this machine."""
        name = self.policies.of(task).timezone or self.profile.timezone
        return ZoneInfo(name) if name else None


def own_facts(run: RunDirectory, status: RunStatus, group: Waiting, site: Site) -> list[str]:
    """What sciflow itself knows of why a group waits."""
    array, first = status.plan.array(group.array), status.indices[group.array][group.indices[0]]
    if first.state is State.CANCELLED:
        return []
    lines = _dependencies(status, array, group.indices)
    lines += _canaries(status, array, group)
    lines += [brake.reason for brake in read_brakes(run).get(array.name, ()) if brake.released is None]
    if group.code.startswith("BeginTime") or "start time" in group.reason.text:
        lines += _begin(array, group, site, first)
    if "as many of its indices run" in group.reason.text:
        lines.append(_throttled(status, group, site))
    if not group.job and first.state is State.PENDING and status.is_queued:
        lines += _unsubmitted(status, array, site)
    return lines


def _throttled(status: RunStatus, group: Waiting, site: Site) -> str:
    """How many of an array job run, how many may, and why no more."""
    running = sum(one.state is State.RUNNING for one in status.indices[group.array].values())
    known = (one.throttle for one in status.submissions.of_array(group.array) if group.job and one.job == group.job)
    throttle = next(known, None)
    if throttle is not None and throttle.at_once is not None:
        until = f", until {_moment(throttle.until, group.zone):%a %H:%M%z}" if throttle.until else ""
        why = f", by the run's manners ({throttle.why})" if throttle.why else ""
        return f"{running} of them run; {throttle.at_once} may run at once{why}{until}"
    most = site.profile.limits.running_indices
    return f"{running} of them run" + (f"; the profile lets {most} run at once" if most else "")


def _dependencies(status: RunStatus, array: ArrayJob, indices: list[int]) -> list[str]:
    """The array jobs before it that are not over, and how many of each are left."""
    lines = []
    for after in array.after:
        known = status.indices[after.array]
        wanted = [known[i] for i in indices if i in known] if after.kind == "element" else list(known.values())
        left = [one for one in wanted if not one.is_over]
        if left:
            running = sum(one.state is State.RUNNING for one in left)
            how = "the same index of" if after.kind == "element" else "all of"
            lines.append(f"comes after {how} {after.array}: {len(left)} of {len(wanted)} are left, {running} run")
    return lines


def _canaries(status: RunStatus, array: ArrayJob, group: Waiting) -> list[str]:
    lines = []
    for one in status.submissions.of_array(array.name):
        ahead = [index for element in one.indices for index in array.of_element(element)] if one.is_ahead else []
        left = [index for index in ahead if not status.indices[array.name][index].is_over]
        if left and not set(left) & set(group.indices):
            lines.append(f"{len(ahead)} of its indices run ahead of the others as a trial: {len(left)} are left")
    return lines


def _begin(array: ArrayJob, group: Waiting, site: Site, first: IndexStatus) -> list[str]:
    """What start time it is: the planned one, or the pause after it was put back into the queue."""
    planned = [begin for element in group.elements if (begin := array.begin_of(element)) is not None]
    policy = site.policies.of(array.task).describe()
    if first.record is not None and first.record.job in ("", group.job):
        return ["it was started before, and the scheduler has put it back into the queue for a while"]
    is_again = first.record is not None
    if group.start is not None and (is_again or planned) and group.start > _last(planned) + _MINUTE:
        again = "tried again " if is_again else ""
        return [f"{again}not before {_shown(_moment(group.start, group.zone))}, since its policy is {policy}"]
    if not planned:
        return ["no start time was planned for it: the scheduler has put it back into the queue for a while"]
    waves = [wave for wave in array.waves if wave.begin in planned]
    which = f", wave {array.waves.index(waves[0]) + 1} of {len(array.waves)}" if waves else ""
    when = _shown(_moment(min(planned).timestamp(), group.zone))
    return [f"planned to begin at {when}{which}, since its policy is {policy}"]


def _last(planned: list[datetime]) -> float:
    return max((begin.timestamp() for begin in planned), default=0.0)


def _moment(seconds: float, zone: tzinfo | None) -> datetime:
    return datetime.fromtimestamp(seconds, zone).astimezone(zone)


def _shown(moment: datetime) -> str:
    return moment.isoformat(sep=" ", timespec="minutes")


def _unsubmitted(status: RunStatus, array: ArrayJob, site: Site) -> list[str]:
    """Why something has not been handed over yet."""
    missing = [
        after.array
        for after in array.after
        if any(one.state is State.PENDING and one.said is None for one in status.indices[after.array].values())
    ]
    if missing:
        return [f"{name} has not been submitted yet, which comes before it" for name in missing]
    queued = sum(one.said is not None and not one.is_over for one in status.everyone())
    most = site.profile.limits.submitted_indices
    if most:
        return [f"the site takes {most} indices at a time, and {queued} of this run are queued or run"]
    return []
