"""What else could be done with a plan: other start times, other limits, other packing; only what would differ."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timezone

from sciflow.errors import PlanError
from sciflow.model.manners import Manners
from sciflow.model.plan import ArrayJob, Plan
from sciflow.model.profile import Limits
from sciflow.model.request import ResourceRequest
from sciflow.planning.build import build_plan
from sciflow.planning.calendar import preferred_windows
from sciflow.planning.caps import longest_walltime
from sciflow.planning.compiled import Compiled
from sciflow.planning.packing import SHORT, best_pack
from sciflow.planning.start import begin_time
from sciflow.planning.timetable import timetable
from sciflow.run.recover import terms_of
from sciflow.run.terms import Terms
from sciflow.simulation.durations import Durations, durations_of
from sciflow.simulation.machines import NodeKind, partition_of
from sciflow.simulation.outcome import Outcome, outcome_of
from sciflow.simulation.play import play
from sciflow.simulation.throttles import Throttles

AS_PLANNED = "as planned"
_LEAST_AT_ONCE = 4  # of fewer nobody lets only some run


@dataclass(frozen=True)
class Setting:
    """A plan, and all that it takes to play it.

    Attributes
    ----------
    compiled
        What was compiled.
    plan, terms, durations
        Its plan, what the site takes of it, and how long everything runs.
    kinds, now
        The nodes, and the present moment.
    manners
        How much of the site it takes.
    """

    compiled: Compiled
    plan: Plan
    terms: Terms
    durations: Durations
    kinds: tuple[NodeKind, ...]
    now: datetime
    manners: Manners = field(default_factory=Manners)

    @classmethod
    def of(cls, compiled: Compiled, durations: Durations, kinds: tuple[NodeKind, ...], now: datetime) -> Setting:
        """A plan as it was compiled."""
        workflow = compiled.workflow
        terms = terms_of(compiled.profile, workflow.recovery, workflow.policies)
        manners = compiled.profile.manners if compiled.profile.has_queue else Manners()
        return cls(compiled, compiled.plan.handed_over(), terms, durations, kinds, now, manners)

    def play(self) -> Outcome:
        """Play it to its end."""
        partitions = {array.name: partition_of(array, self.compiled.profile) for array in self.plan.arrays}
        throttles = Throttles(self.terms.limits, self.manners, self.compiled.profile.timezone, self.kinds, partitions)
        now = self.now.timestamp()
        played = play(self.plan, self.kinds, self.durations, self.terms, now, partitions, throttles)
        windows, policy = None, self.compiled.workflow.policy
        if policy.policy == "off_peak":
            last = max(float(course.end.max()) for links in played.courses.values() for course in links)
            windows = preferred_windows(policy, self.now, datetime.fromtimestamp(last, timezone.utc))
        return outcome_of(played, windows)

    @property
    def cores(self) -> int:
        """The cores of all nodes."""
        return sum(kind.count * kind.cores for kind in self.kinds)

    def limited(self, limits: Limits) -> Setting:
        """The same where the site takes something else."""
        return replace(self, terms=replace(self.terms, limits=limits))

    def throttled(self, count: int) -> Setting:
        """The same with another limit of how many indices of an array job run at once, and with the waves for that."""
        workflow, limits = self.compiled.workflow, self.terms.limits.model_copy(update={"running_indices": count})
        profile = self.compiled.profile.model_copy(update={"limits": limits})
        times = timetable(self.plan.arrays, workflow.policies, profile, self.now, workflow.recovery.canaries)
        return replace(self, plan=replace(self.plan, arrays=times.arrays)).limited(limits)

    def beginning(self, moment: datetime | None) -> Setting:
        """The same with another start time for all."""
        arrays = tuple(replace(array, begin=moment, waves=()) for array in self.plan.arrays)
        terms = self.terms
        if moment is None:
            terms = replace(terms, begin=lambda _array, _planned, _now: None, canaries=0)
        return replace(self, plan=replace(self.plan, arrays=arrays), terms=terms)


def variants(setting: Setting, as_planned: Outcome) -> Iterator[tuple[str, Setting]]:
    """What else could be done, by what it is.

    Parameters
    ----------
    setting, as_planned
        What was played, and what it came to.
    """
    limits = setting.terms.limits
    begin = next((array.begin for array in setting.plan.arrays if array.begin), None)
    is_cut = any(array.waves for array in setting.plan.arrays)
    # What takes no time is never at once, and no limit would change it.
    timed = {
        array.name for array in setting.plan.arrays if any(one.any() for one in setting.durations.links[array.name])
    }
    most = max((one.at_once for one in as_planned.arrays if one.name in timed), default=0)
    is_throttled = limits.running_indices is not None and limits.running_indices <= most
    is_fed = limits.submitted_indices is not None and limits.submitted_indices < as_planned.starts
    if begin or is_cut or is_throttled or is_fed or setting.terms.canaries or setting.manners.throttles:
        yield "all at once now", replace(setting.beginning(None).limited(Limits()), manners=Manners())
    policy = setting.compiled.workflow.policy
    if begin is None and policy.policy == "off_peak" and (later := begin_time(policy, setting.now)):
        yield f"off-peak, from {later:%a %H:%M} on", setting.beginning(later)
    if is_throttled:
        counts = [2 * (limits.running_indices or 0)]
    else:
        counts = [most // 2, most // 4] if most >= _LEAST_AT_ONCE else []
    for count in counts:
        try:
            throttled = setting.throttled(count)
        except PlanError:
            continue  # so few at once cannot meet a deadline
        yield f"%{count}: {count} of an array job at once", throttled
    yield from _packed(setting)
    yield from _as_asked(setting)


def _packed(setting: Setting) -> Iterator[tuple[str, Setting]]:
    """The same with another number of combinations in an array index, of tasks whose indices are short, or too few."""
    packs = {task: pack for task in setting.plan.tasks if (pack := _better_pack(setting, task)) is not None}
    if not packs:
        return
    compiled = setting.compiled
    workflow = copy.copy(compiled.workflow)
    workflow.resources = dict(workflow.resources)
    for task, pack in packs.items():
        request = workflow.resources.get(task, ResourceRequest())
        workflow.resources[task] = request.merged(ResourceRequest(combinations_per_index=pack))
    try:
        changed = build_plan(workflow, compiled.profile, now=setting.now, advice=compiled.advice)
    except PlanError:
        return  # indices that long cannot meet a deadline
    title = ", ".join(f"{task} by {pack}" for task, pack in packs.items())
    durations = durations_of(changed, setting.durations.given)
    yield f"combinations_per_index: {title}", Setting.of(changed, durations, setting.kinds, setting.now)


def _as_asked(setting: Setting) -> Iterator[tuple[str, Setting]]:
    """The same by what the workflow asks for, where something was learned; it runs no longer for that."""
    compiled = setting.compiled
    if compiled.advice is None:
        return
    try:
        changed = build_plan(compiled.workflow, compiled.profile, now=setting.now)
    except PlanError:
        return  # what was learned has made it possible
    durations = durations_of(
        replace(changed, advice=compiled.advice, expected=compiled.expected), setting.durations.given
    )
    yield "as the workflow asks, nothing learned", Setting.of(changed, durations, setting.kinds, setting.now)


def _better_pack(setting: Setting, task: str) -> int | None:
    """How many combinations of a task an index could hold better than now; None where it is well as it is."""
    arrays = [array for array in setting.plan.arrays if array.task == task]
    if any(array.links > 1 or array.riders for array in arrays) or task in setting.durations.unsaid:
        return None
    count, elements = sum(array.count for array in arrays), sum(array.elements for array in arrays)
    pack = max(array.pack for array in arrays)
    each = sum(float(setting.durations.of(array).sum()) for array in arrays) / count
    at_once = sum(setting.cores // array.resources.all_cores for array in arrays[:1])
    longest = min((_most_packed(setting, array) for array in arrays), default=count)
    best = best_pack(each, count, at_once, longest)
    is_short = each * pack < SHORT and best > pack
    is_too_few = pack > 1 and elements < at_once and best < pack
    return best if is_short or is_too_few else None


def _most_packed(setting: Setting, array: ArrayJob) -> int:
    """How many combinations fit into the longest walltime."""
    longest = longest_walltime(array.options, setting.compiled.profile)
    if longest is None or not array.resources.runtime_seconds:
        return array.count
    return longest * array.pack // array.resources.runtime_seconds
