"""Work that is cut into waves: on nodes that nobody else uses, all of it ends inside preferred hours."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Any

import numpy as np
from hypothesis import event, given, settings
from hypothesis import strategies as st

from sciflow.model.plan import ArrayJob, Dependency, Plan
from sciflow.model.policy import Policies, SchedulingPolicy
from sciflow.model.profile import ClusterProfile
from sciflow.model.recovery import RecoveryPolicy
from sciflow.model.resources import GIB, Resources
from sciflow.planning.calendar import preferred_windows
from sciflow.planning.timetable import Timetable, timetable
from sciflow.run.recover import terms_of
from sciflow.simulation.durations import Durations
from sciflow.simulation.machines import NodeKind
from sciflow.simulation.play import Played, play

MIDNIGHT = datetime(2031, 5, 14, tzinfo=timezone.utc)
NODES, CORES, GIBIBYTES = 3, 4, 8
FORCED = re.compile(r"longest wait|no other opens in time|takes more than")
OUTSIDE = re.compile(rf"{FORCED.pattern}|too long for any|no window that holds|canaries of")


@dataclass(frozen=True)
class Case:
    """Array jobs, and where and when they run."""

    arrays: tuple[ArrayJob, ...]
    policy: SchedulingPolicy
    profile: ClusterProfile
    now: datetime
    canaries: int

    def planned(self) -> Timetable:
        """Give them their start times."""
        return timetable(self.arrays, Policies(self.policy), self.profile, self.now, self.canaries)

    def play(self, timed: Timetable, share: float = 1.0) -> Played:
        """Let each index run for a share of what it asks for."""
        plan = Plan("w", "site", 1, timed.arrays, tasks=tuple(dict.fromkeys(one.task for one in timed.arrays)))
        took = {one.name: (np.full(one.elements, share * one.resources.runtime_seconds),) for one in timed.arrays}
        terms = terms_of(self.profile, RecoveryPolicy(canaries=self.canaries), Policies(self.policy))
        nodes = [NodeKind(NODES, CORES, GIBIBYTES * GIB)]
        return play(plan, nodes, Durations({}, (), {}, took), terms, self.now.timestamp())


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """Draw up to four array jobs of which each may wait for earlier ones, and a night."""
    arrays: list[ArrayJob] = []
    widest = draw(st.sampled_from([1, CORES]))
    for number in range(draw(st.integers(1, 4))):
        count = draw(st.sampled_from([arrays[-1].count if arrays else 7, *range(1, 41)]))
        after = []
        for earlier in arrays:
            kind: Any = draw(st.sampled_from(["", "", "whole", "element"]))
            if kind == "whole" or (kind and earlier.count == count):
                after.append(Dependency(earlier.name, kind))
        minutes = draw(st.sampled_from([5, 20, 45, 60, 90, 200, 290, 700]))
        memory = draw(st.sampled_from([0, 0, 3 * GIB, 5 * GIB]))
        resources = Resources(draw(st.integers(1, widest)), memory, runtime_seconds=60 * minutes)
        arrays.append(ArrayJob(f"t{number}.0", f"t{number}", count, resources, tuple(after)))
    hours = draw(st.sampled_from(["22:00-03:00", ["20:00-24:00", "03:00-05:00"]]))
    policy = SchedulingPolicy(
        policy="off_peak", preferred_hours=hours, timezone="UTC", max_wait_hours=draw(st.sampled_from([None, None, 30]))
    )
    partition = {"nodes": NODES, "cpu_cores": CORES, "memory_gb": GIBIBYTES, "default": True}
    limits = {"running_indices": draw(st.none() | st.integers(1, 20))}
    profile = ClusterProfile.model_validate(
        {"name": "site", "scheduler": "slurm", "partitions": {"main": partition}, "limits": limits}
    )
    now = MIDNIGHT + timedelta(minutes=draw(st.integers(0, 24 * 60)))
    return Case(tuple(arrays), policy, profile, now, draw(st.sampled_from([0, 0, 2])))


@given(cases(), st.sampled_from([1.0, 0.7]))
@settings(max_examples=100, deadline=None)
def test_whatever_is_not_named_ends_inside_a_window(case: Case, share: float) -> None:
    """Where each index runs as long as it asks for, or for less, and nobody else is there."""
    timed = case.planned()
    played = case.play(timed, share)
    last = max(float(course.end.max()) for links in played.courses.values() for course in links)
    windows = preferred_windows(case.policy, case.now, datetime.fromtimestamp(last, timezone.utc))
    named = " ".join(text for text in (*timed.notes, *timed.warnings) if OUTSIDE.search(text))
    event(f"{sum(f'`{one.task}`' in named for one in timed.arrays)} of {len(timed.arrays)} named")
    event(f"cut: {any(one.waves for one in timed.arrays)}")
    if FORCED.search(named):  # what has to begin whatever else runs may take the nodes of others
        return
    for array in timed.arrays:
        if f"`{array.task}`" in named:
            continue
        [course] = played.courses[array.name]
        is_inside = np.zeros(array.elements, bool)
        for start, end in windows:
            is_inside |= (course.start >= start.timestamp()) & (course.end <= end.timestamp())
        assert is_inside.all(), (array, timed.notes)


@given(cases())
@settings(max_examples=50, deadline=None)
def test_every_element_begins_once(case: Case) -> None:
    """Waves are neighbours, in order and without gaps; none begins after the longest wait."""
    for array in case.planned().arrays:
        assert [wave.first for wave in array.waves] == [
            sum(one.count for one in array.waves[:number]) for number in range(len(array.waves))
        ]
        assert sum(wave.count for wave in array.waves) in (0, array.elements)
        assert len({wave.begin for wave in array.waves}) != 1 or array.waves[0].begin != array.begin
        if wait := case.policy.max_wait_hours:
            latest = case.now + timedelta(hours=wait)
            assert all((array.begin_of(element) or case.now) <= latest for element in range(array.elements))
