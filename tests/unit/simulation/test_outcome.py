"""What a plan came to: times, use, bounds and what waited for what."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import numpy as np
import pytest

from sciflow.model.plan import Dependency, Plan
from sciflow.model.profile import Limits
from sciflow.model.resources import Resources
from sciflow.run.terms import Terms
from sciflow.simulation.machines import parse_nodes
from sciflow.simulation.outcome import Outcome, most_at_once, outcome_of
from sciflow.simulation.play import play
from unit.simulation.conftest import HOUR, NOW, array, plan_of, took

SECONDS = NOW.timestamp()


def outcome(plan: Plan, nodes: str, seconds: Any = None, windows: Any = None, **terms: Any) -> Outcome:
    """Play a plan and look at what it came to."""
    return outcome_of(play(plan, parse_nodes(nodes), took(plan, seconds), Terms(**terms), SECONDS), windows)


def waits(one: Outcome, name: str) -> dict[str, Any]:
    """Return what an array job waited for, in hours."""
    part = next(part for part in one.arrays if part.name == name)
    return {what: pytest.approx(seconds / HOUR) for what, seconds in part.waits.items()}


def test_the_use_of_the_nodes_is_that_from_the_first_start() -> None:
    """Three hours of work on two cores, from 22:00 on: three of four core-hours."""
    one = outcome(plan_of(array("a.0", 3600, 3, begin=NOW + timedelta(hours=6))), "1x2c")
    assert (one.seconds, one.start, one.end) == (8 * HOUR, SECONDS + 6 * HOUR, SECONDS + 8 * HOUR)
    assert (one.core_hours, one.available, one.used) == (3, 4, 0.75)
    assert (one.at_once, one.cores_at_once, one.starts) == (2, 2, 3)
    assert one.packing == 0.75


def test_no_schedule_is_sooner_than_the_longest_chain() -> None:
    """Where one index must wait for another, more cores are of no use."""
    plan = plan_of(array("a.0", 3600), array("b.0", 7200, after=(Dependency("a.0", "whole"),)), array("c.0", 60, 5))
    one = outcome(plan, "1x64c")
    assert (one.soonest, one.packing) == (one.end, 1.0)


def test_gpus_and_memory_bound_it_as_cores_do() -> None:
    """What is scarcest decides how soon it could be done."""
    plan = plan_of(replace(array("a.0", 3600, 4), resources=Resources(1, gpus=1, runtime_seconds=3600)))
    one = outcome(plan, "1x64c,2gpu")
    assert one.soonest == one.end == SECONDS + 2 * HOUR
    assert (one.gpu_hours, one.gpus_available) == (4, 4)


def test_what_waits_for_what_is_told_one_after_the_other() -> None:
    """The start time, then what comes before, then free nodes: nothing is counted twice."""
    plan = plan_of(
        array("a.0", 3600, 2, begin=NOW + timedelta(hours=1)),
        array("b.0", 3600, 2, begin=NOW + timedelta(hours=1), after=(Dependency("a.0", "whole"),)),
    )
    one = outcome(plan, "1x1c")
    assert waits(one, "a.0") == {"its start time": 1, "free nodes": 0.5}
    assert waits(one, "b.0") == {"a.0": 2, "its start time": 1, "free nodes": 0.5}
    assert list(one.arrays[1].waits) == ["a.0", "its start time", "free nodes"]


def test_a_task_with_several_array_jobs_is_waited_for_as_one() -> None:
    """Its name stands for all of them; and there is a line for all of it."""
    plan = plan_of(
        array("a.0", 3600, 1),
        array("a.1", 7200, 3),
        array("b.0", 60, after=(Dependency("a.0", "whole"), Dependency("a.1", "whole"))),
    )
    one = outcome(plan, "1x8c")
    assert waits(one, "b.0") == {"a": 2}
    assert [(task.name, task.indices, task.at_once, task.end) for task in one.tasks] == [
        ("a", 4, 4, SECONDS + 2 * HOUR),
        ("b", 1, 1, SECONDS + 2 * HOUR + 60),
    ]


@pytest.mark.parametrize(
    ("limits", "canaries", "expected"),
    [
        (Limits(running_indices=1), 0, {"its own limit": 1}),
        (Limits(submitted_indices=1), 0, {"room in the queue": 1 + 120 / HOUR}),
        (Limits(), 1, {"those that run ahead": 2 / 3}),
        (Limits(), 0, {}),
    ],
)
def test_limits_are_waited_for_by_their_names(limits: Limits, canaries: int, expected: dict[str, float]) -> None:
    """Three indices, and room for all of them."""
    one = outcome(plan_of(array("a.0", 3600, 3)), "1x8c", limits=limits, canaries=canaries)
    assert waits(one, "a.0") == expected


def test_the_part_within_preferred_hours() -> None:
    """One hour of two, and one of its two cores in the other."""
    window = (NOW + timedelta(hours=1), NOW + timedelta(hours=9))
    one = outcome(plan_of(array("a.0", 7200, 2)), "1x2c", {"a.0": [3600, 7200]}, (window,))
    assert one.off_peak == pytest.approx(1 / 3)


@pytest.mark.parametrize(
    ("starts", "ends", "most"),
    [
        ([0, 0, 0], [1, 1, 1], 3),
        ([0, 1, 2], [1, 2, 3], 1),
        ([0, 0.5, 2], [1, 2, 3], 2),
        ([0, 1, 1, 1], [2, 1, 1, 1], 1),
        ([0, 0, 1], [0, 0, 1], 2),
    ],
)
def test_what_ends_makes_room_at_once(starts: list[float], ends: list[float], most: int) -> None:
    """One that takes no time runs beside nothing, unless nothing takes any time."""
    assert most_at_once(np.array(starts, float), np.array(ends, float)) == most


def test_weights_are_added_up() -> None:
    """Cores at once, say."""
    assert most_at_once(np.array([0.0, 0.0]), np.array([1.0, 2.0]), np.array([3.0, 4.0])) == 7
