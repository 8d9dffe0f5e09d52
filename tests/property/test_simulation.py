"""Plans that are simulated: bounds that hold for every schedule, whatever the plan."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from sciflow.model.plan import ArrayJob, Dependency, Plan
from sciflow.model.profile import Limits
from sciflow.model.resources import Resources
from sciflow.run.terms import Terms
from sciflow.simulation.durations import Durations
from sciflow.simulation.machines import NodeKind
from sciflow.simulation.outcome import most_at_once, outcome_of
from sciflow.simulation.play import Played, play

NOW = datetime(2031, 5, 14, 16, 0, tzinfo=timezone.utc)
SECONDS = NOW.timestamp()
CORES, NODES = 4, 2


@st.composite
def plans(draw: st.DrawFn, most_cores: int = 1, begins: bool = False) -> tuple[Plan, Durations]:
    """Draw up to four array jobs of which each may wait for earlier ones, and how long each index runs."""
    arrays: list[ArrayJob] = []
    seconds = {}
    for number in range(draw(st.integers(1, 4))):
        count = draw(st.integers(1, 6))
        after = []
        for earlier in arrays:
            kind: Any = draw(st.sampled_from(["", "whole", "element"]))
            if kind == "whole" or (kind and earlier.count == count):
                after.append(Dependency(earlier.name, kind))
        begin = NOW + timedelta(seconds=draw(st.integers(0, 500))) if begins and draw(st.booleans()) else None
        resources = Resources(draw(st.integers(1, most_cores)), runtime_seconds=100)
        arrays.append(ArrayJob(f"t{number}.0", f"t{number}", count, resources, tuple(after), begin))
        seconds[f"t{number}.0"] = (
            np.array(draw(st.lists(st.integers(1, 100), min_size=count, max_size=count)), float),
        )
    plan = Plan("w", "site", 1, tuple(arrays), tasks=tuple(one.task for one in arrays))
    return plan, Durations({}, (), {}, seconds)


def played(made: tuple[Plan, Durations], **limits: Any) -> Played:
    """Play a plan on two nodes of four cores."""
    return play(made[0], [NodeKind(NODES, CORES)], made[1], Terms(Limits(**limits)), SECONDS)


def longest_chain(made: tuple[Plan, Durations]) -> float:
    """Work out the longest sum of durations along dependencies, index by index."""
    plan, durations = made
    ends: dict[tuple[str, int], float] = {}
    for array in plan.arrays:
        for index in range(array.count):
            before = [0.0]
            for one in array.after:
                twins = [index] if one.kind == "element" else range(plan.array(one.array).count)
                before += [ends[one.array, twin] for twin in twins]
            ends[array.name, index] = max(before) + float(durations.of(array)[index])
    return max(ends.values())


def work(made: tuple[Plan, Durations]) -> float:
    """Add up cores × seconds."""
    return sum(float(made[1].of(array).sum()) * array.resources.all_cores for array in made[0].arrays)


@given(plans(most_cores=CORES), st.none() | st.integers(1, 4), st.none() | st.integers(1, 8))
@settings(max_examples=60)
def test_no_plan_is_done_before_its_bounds(
    made: tuple[Plan, Durations], at_once: int | None, queued: int | None
) -> None:
    """Not before its longest chain has run, nor before all of its core-seconds have; and the outcome says the same."""
    one = played(made, running_indices=at_once, submitted_indices=queued)
    outcome = outcome_of(one)
    assert outcome.seconds >= max(longest_chain(made), work(made) / (CORES * NODES)) - 1e-6
    assert outcome.soonest <= outcome.end + 1e-6
    assert np.isclose(outcome.core_hours * 3600, work(made))
    assert outcome.cores_at_once <= CORES * NODES
    assert 0 < outcome.used <= 1


@given(plans())
@settings(max_examples=60)
def test_no_core_is_free_while_something_could_run(made: tuple[Plan, Durations]) -> None:
    """Where every index takes one core, the plan is done within the bound of list scheduling."""
    cores = CORES * NODES
    most = work(made) / cores + (1 - 1 / cores) * longest_chain(made)
    assert outcome_of(played(made)).seconds <= most + 1e-6


@given(plans(most_cores=CORES, begins=True), st.integers(1, 3))
@settings(max_examples=60)
def test_limits_start_times_and_dependencies_are_kept(made: tuple[Plan, Durations], at_once: int) -> None:
    """No more of an array job at once, none before its time, and none before what it waits for has ended."""
    plan, durations = made
    one = played(made, running_indices=at_once)
    for array in plan.arrays:
        [course] = one.courses[array.name]
        assert most_at_once(course.start, course.end) <= at_once
        assert array.begin is None or course.start.min() >= array.begin.timestamp()
        assert np.allclose(course.end - course.start, durations.of(array))
        for before in array.after:
            ends = one.courses[before.array][-1].end
            assert (course.start >= (ends if before.kind == "element" else ends.max())).all()


@given(plans(most_cores=CORES, begins=True), st.none() | st.integers(1, 4))
@settings(max_examples=60)
def test_waits_add_up(made: tuple[Plan, Durations], queued: int | None) -> None:
    """What an array job waited for, on average, is the time from the submission to its starts."""
    one = played(made, submitted_indices=queued)
    for part, array in zip(outcome_of(one).arrays, made[0].arrays, strict=True):
        waited = float((one.courses[array.name][0].start - SECONDS).mean())
        assert abs(sum(part.waits.values()) - waited) < 1e-3
