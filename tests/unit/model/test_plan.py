"""The plan: array jobs, their dependencies, start times and requests."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime, timezone

from sciflow.model.plan import ArrayJob, Dependency, Plan
from sciflow.model.resources import Resources

PLAN = Plan(
    workflow="w",
    profile="local",
    combinations=6,
    arrays=(
        ArrayJob("train.0", "train", 4, Resources(2, 1024, 1, 1800)),
        ArrayJob("train.1", "train", 2, Resources(1, 0, 0, 3600), begin=datetime(2031, 5, 17, 22, tzinfo=timezone.utc)),
        ArrayJob("test.0", "test", 6, Resources(), (Dependency("train.0", "whole"), Dependency("train.1", "element"))),
    ),
    warnings=("less memory",),
    notes=("é $(x) 'y'",),
    tasks=("train", "test", "idle"),
)


def test_a_plan_comes_back_from_its_document() -> None:
    """`plan.json` holds all of it, and the totals for people."""
    document = json.loads(json.dumps(PLAN.to_document()))
    assert Plan.from_document(document) == PLAN
    assert (document["core_hours"], document["gpu_hours"]) == (6, 2)


def test_instances_are_counted_in_running_order() -> None:
    """The array jobs of a task are added up; a task without one has none."""
    assert list(PLAN.instances.items()) == [("train", 6), ("test", 6), ("idle", 0)]


def test_hours_are_summed_over_all_indices() -> None:
    """4 × 2 cores × 0.5 h and 2 × 1 h; 4 × 1 GPU × 0.5 h."""
    assert PLAN.cost.core_hours == 6
    assert PLAN.cost.gpu_hours == 2


def test_a_variant_is_what_its_script_calls_it() -> None:
    """Of the plan it is no part: what is tried again stands in the journal."""
    plain = ArrayJob("train.0", "train", 4, Resources())
    tried = replace(plain, variant="r1")
    assert (plain.name_on_node, tried.name_on_node) == ("train.0", "train.0@r1")
    assert ArrayJob.from_document(tried.to_document()) == plain


def test_the_links_of_a_chain_are_kept_where_there_are_some() -> None:
    """Of other array jobs the document says nothing about them."""
    plain = ArrayJob("train.0", "train", 4, Resources())
    long = replace(plain, links=3)
    assert ArrayJob.from_document(long.to_document()) == long
    assert set(long.to_document()) - set(plain.to_document()) == {"links"}


def test_the_hours_of_a_chain_are_those_of_all_its_links() -> None:
    """2 indices × 3 links × 2 cores × 0.5 h: so much it takes at most."""
    long = ArrayJob("train.0", "train", 2, Resources(2, 0, 1, 1800), links=3)
    plan = Plan("w", "site", 2, (long,))
    assert (plan.cost.core_hours, plan.cost.gpu_hours) == (6, 3)
