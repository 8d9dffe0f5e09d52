"""A plan on a virtual cluster: what starts when, by hand."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from sciflow.errors import PlanError
from sciflow.model.options import Options
from sciflow.model.plan import Dependency, Plan
from sciflow.model.profile import Limits
from sciflow.model.resources import GIB, Resources
from sciflow.run.terms import Terms
from sciflow.simulation.machines import NodeKind, parse_nodes
from sciflow.simulation.play import Played, play
from unit.simulation.conftest import HOUR, NOW, array, plan_of, took

SECONDS = NOW.timestamp()


def played(plan: Plan, nodes: str, seconds: Any = None, **terms: Any) -> Played:
    """Play a plan on some nodes."""
    return play(plan, parse_nodes(nodes), took(plan, seconds), Terms(**terms), SECONDS)


def hours(one: Played, name: str, link: int = 1) -> list[tuple[float, float]]:
    """Return when each index of an array job has started and ended, in hours."""
    course = one.courses[name][link - 1]
    pairs = zip(course.start.tolist(), course.end.tolist(), strict=True)
    return [((start - SECONDS) / HOUR, (end - SECONDS) / HOUR) for start, end in pairs]


def test_what_fits_runs_and_the_rest_waits() -> None:
    """Five hours of work on two cores are three hours."""
    one = played(plan_of(array("a.0", 3600, 5)), "1x2c")
    assert hours(one, "a.0") == [(0, 1), (0, 1), (1, 2), (1, 2), (2, 3)]


def test_index_by_index_and_all_of_it() -> None:
    """One waits for the same index, the other for the longest of all."""
    plan = plan_of(
        array("a.0", 7200, 2),
        array("b.0", 3600, 2, after=(Dependency("a.0", "element"),)),
        array("c.0", 3600, 1, after=(Dependency("a.0", "whole"), Dependency("b.0", "whole"))),
    )
    one = played(plan, "1x4c", {"a.0": [3600, 7200]})
    assert hours(one, "b.0") == [(1, 2), (2, 3)]
    assert hours(one, "c.0") == [(3, 4)]


def test_nothing_starts_before_its_time() -> None:
    """A start time holds for the first start, and not for what goes on after it."""
    plan = plan_of(array("a.0", 3600, 2, begin=NOW + timedelta(hours=6)))
    assert hours(played(plan, "1x1c"), "a.0") == [(6, 7), (7, 8)]


def test_a_site_may_run_so_many_of_an_array_job_at_once() -> None:
    """Of each array job, however many cores are free."""
    plan = plan_of(array("a.0", 3600, 4), array("b.0", 3600, 2))
    one = played(plan, "1x16c", limits=Limits(running_indices=2))
    assert hours(one, "a.0") == [(0, 1), (0, 1), (1, 2), (1, 2)]
    assert hours(one, "b.0") == [(0, 1), (0, 1)]


def test_what_the_site_does_not_take_yet_is_fed_by_and_by() -> None:
    """Somebody looks two minutes after something has ended; what waits for it is not handed over before."""
    plan = plan_of(array("a.0", 3600, 3), array("b.0", 3600, 1, after=(Dependency("a.0", "whole"),)))
    one = played(plan, "1x16c", limits=Limits(submitted_indices=2))
    look = 120 / HOUR
    assert hours(one, "a.0") == [(0, 1), (0, 1), pytest.approx((1 + look, 2 + look))]
    assert hours(one, "b.0") == [pytest.approx((2 + look, 3 + look))]


def test_what_is_fed_later_begins_when_the_submitter_says() -> None:
    """A start time that has passed is not that of what is submitted later."""
    plan = plan_of(array("a.0", 3600, 2, begin=NOW + timedelta(hours=1)))
    later = SECONDS + 10 * HOUR

    def begin(_array: Any, _planned: Any, now: float) -> float | None:
        return later if now > SECONDS + HOUR else None

    one = played(plan, "1x1c", limits=Limits(submitted_indices=1), begin=begin)
    assert hours(one, "a.0") == [(1, 2), (10, 11)]


def test_canaries_run_ahead() -> None:
    """The others of an array job wait until these have ended."""
    plan = plan_of(array("a.0", 3600, 6), array("b.0", 3600, 6, after=(Dependency("a.0", "element"),)))
    one = played(plan, "1x16c", canaries=2)
    assert hours(one, "a.0") == [(0, 1), (1, 2), (1, 2), (1, 2), (1, 2), (0, 1)]
    assert hours(one, "b.0") == [(1, 2), (2, 3), (2, 3), (2, 3), (2, 3), (1, 2)]
    assert one.courses["a.0"][0].is_ahead.tolist() == [True, False, False, False, False, True]


def test_the_links_of_a_chain_follow_each_other() -> None:
    """Index by index; what comes after waits for the last of them."""
    plan = plan_of(array("a.0", 3600, 2, links=2), array("b.0", 3600, 2, after=(Dependency("a.0", "element"),)))
    one = played(plan, "1x16c")
    assert [hours(one, "a.0", link) for link in (1, 2)] == [[(0, 1), (0, 1)], [(1, 2), (1, 2)]]
    assert hours(one, "b.0") == [(2, 3), (2, 3)]


def test_memory_and_gpus_are_given_out() -> None:
    """Of what a node has, each index takes what it asks for; memory that nobody has named is enough."""
    plan = plan_of(replace(array("a.0", 3600, 2), resources=Resources(1, 3 * GIB, 0, 3600)))
    assert hours(played(plan, "1x8c,4g"), "a.0") == [(0, 1), (1, 2)]
    assert hours(played(plan, "1x8c"), "a.0") == [(0, 1), (0, 1)]
    plan = plan_of(replace(array("a.0", 3600, 3), resources=Resources(1, 0, 1, 3600)))
    assert hours(played(plan, "1x8c,2gpu"), "a.0") == [(0, 1), (0, 1), (1, 2)]


def test_array_jobs_stay_in_their_partitions() -> None:
    """Nodes of one are nothing to those of another."""
    plan = plan_of(array("a.0", 3600, 2), array("b.0", 3600, 1, options=Options(partition="other")))
    kinds = [NodeKind(1, 1, partition="main"), NodeKind(4, 1, partition="other")]
    one = play(plan, kinds, took(plan), Terms(), SECONDS, {"a.0": "main", "b.0": "other"})
    assert hours(one, "a.0") == [(0, 1), (1, 2)]
    assert hours(one, "b.0") == [(0, 1)]


@pytest.mark.parametrize(
    ("resources", "told", "hint"),
    [
        (Resources(65), "task `a` asks for 65 cores, and no node of the simulation has that", "nodes=16x65c"),
        (Resources(1, 300 * GIB), "1 core, 300 GB", "nodes=16x64c,300g`"),
        (Resources(1, gpus=2), "1 core, 2 GPUs", "nodes=16x64c,2gpu`"),
        (Resources(1, nodes=2), "asks for 2 nodes at once", "`--simulate`"),
    ],
)
def test_what_fits_on_no_node_is_refused(resources: Resources, told: str, hint: str) -> None:
    """What is asked for, what there is, and how to say more."""
    plan = plan_of(replace(array("a.0", 3600), resources=resources))
    with pytest.raises(PlanError) as caught:
        played(plan, "4x64c,256g,1gpu")
    assert told in caught.value.message
    assert hint in caught.value.hint
