"""Workflows of which some tasks say `fuse: true`: whatever depends on what, each instance runs in exactly one job."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, Phase, assume, given, settings
from hypothesis import strategies as st

from faults.virtual_site import VirtualSite
from sciflow.errors import PlanError
from sciflow.model.plan import Plan, handed_over
from sciflow.model.profile import ClusterProfile
from sciflow.model.state import State
from sciflow.model.workflow import ExperimentalWorkflow
from sciflow.planning.build import build_plan
from sciflow.schedulers.fake.simulated import Course, Sight

SITE = ClusterProfile(name="site", scheduler="slurm")
COUNT = 3


@dataclass(frozen=True)
class Node:
    """A task, by number: what it depends on, which parameters it uses, and what it says."""

    before: tuple[int, ...]
    uses_y: bool
    gathers: bool
    fuse: bool
    hours: int


@st.composite
def graphs(draw: st.DrawFn) -> list[Node]:
    """Return tasks in running order."""
    nodes: list[Node] = []
    for number in range(draw(st.integers(2, 5))):
        earlier = (
            st.lists(st.integers(max(0, number - 2), number - 1), unique=True, max_size=2) if number else st.just([])
        )
        before = tuple(sorted(draw(earlier)))
        wild = draw(st.integers(0, 9))
        nodes.append(
            Node(before, wild == 0, bool(before) and wild == 1, bool(before) and draw(st.booleans()), 1 + wild % 3)
        )
    return nodes


def workflow_of(folder: Path, nodes: list[Node], is_fused: bool = True) -> ExperimentalWorkflow:
    """Return the workflow of a graph."""
    made = ExperimentalWorkflow("graph", folder)
    for number, node in enumerate(nodes):
        words = "{{ x }}" if not node.gathers else ""
        made.add_task(
            f"t{number}",
            command=f"echo {words} {'{{ y }}' if node.uses_y and not node.gathers else ''}",
            depends_on=[f"t{one}" for one in node.before],
            over="all" if node.gathers else (),
            fuse=node.fuse and is_fused,
            resources={"max_runtime": f"{node.hours} h", "cpu_cores": node.hours, "memory_gb": 1},
        )
    is_used = any(node.uses_y and not node.gathers for node in nodes)
    made.add_parameter_space({"x": list(range(COUNT)), **({"y": [0, 1]} if is_used else {})})
    return made


def plan_of(nodes: list[Node]) -> Plan | None:
    """Return the plan of a graph; None where something in it cannot be fused."""
    try:
        return build_plan(workflow_of(Path(), nodes), SITE).plan
    except PlanError as error:
        if "says `fuse: true`, but " not in error.message:
            raise
        return None


@given(graphs())
def test_each_instance_is_in_one_job(nodes: list[Node]) -> None:
    """Which has enough of everything for all that runs in it, and waits for all that they wait for."""
    plan = plan_of(nodes)
    assume(plan is not None)
    assert plan is not None
    jobs = {one.name: one for one in handed_over(plan.arrays)}
    held = [name for one in jobs.values() for name in (one.name, *one.riders)]
    assert sorted(held) == sorted(array.name for array in plan.arrays)
    for job in jobs.values():
        chain = [plan.array(name) for name in (job.name, *job.riders)]
        assert {one.rides for one in chain[1:]} <= {job.name}
        assert all(
            task == f"t{n}" and (nodes[n].fuse or one is chain[0]) for one in chain for n, task in [_number(one.task)]
        )
        assert job.resources.runtime_seconds == sum(one.resources.runtime_seconds for one in chain)
        assert job.resources.cpu_cores == max(one.resources.cpu_cores for one in chain)
        waits = {one.array for one in job.after}
        for before in (before for one in chain for before in one.after):
            earlier = plan.array(before.array)
            assert earlier.name in held[: held.index(chain[-1].name)]
            assert (earlier.rides or earlier.name) in waits | {job.name}


def _number(task: str) -> tuple[int, str]:
    return int(task[1:]), task


@given(graphs())
def test_index_by_index_only_the_last_of_a_chain_is_waited_for(nodes: list[Node]) -> None:
    """The scheduler tells only whether all of a job's index has ended well."""
    plan = plan_of(nodes)
    assume(plan is not None)
    assert plan is not None
    for array in plan.arrays:
        for before in array.after:
            earlier = plan.array(before.array)
            chain = plan.array(earlier.rides or earlier.name)
            is_inside = (array.rides or array.name) == chain.name
            if before.kind == "element" and not is_inside and chain.riders:
                assert earlier.name == chain.riders[-1]


def ended(nodes: list[Node], bad: set[tuple[str, int]], is_fused: bool) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    """Play a graph on a virtual cluster, where some programs fail the first time: the first states, and the last."""
    tried: set[tuple[str, int]] = set()

    def program(sight: Sight) -> Course:
        place = (sight.array, sight.index)
        if place in bad and place not in tried:
            tried.add(place)
            return Course(60.0, error="ValueError: no")
        return Course(600.0)

    with tempfile.TemporaryDirectory() as folder:
        site = VirtualSite(Path(folder), program)
        with site.in_place():
            run = site.submit(workflow_of(Path(folder), nodes, is_fused))
            found = []
            for _ in range(2 + len(nodes)):  # one that fails may wait for one that did
                site.cluster.run()
                site.cluster.clock.sleep(600.0)
                run.status()
                site.cluster.clock.sleep(600.0)
                known = run.status().indices
                found.append({name: [one.state for one in indices.values()] for name, indices in known.items()})
                run.retry()
            return found[0], found[-1]


PLACES = st.sets(st.tuples(st.sampled_from([f"t{n}.0" for n in range(5)]), st.integers(0, COUNT - 1)), max_size=3)


@settings(
    max_examples=4,
    deadline=None,
    phases=[Phase.generate],
    suppress_health_check=[HealthCheck.filter_too_much, HealthCheck.too_slow],
)
@given(graphs(), PLACES)
def test_fused_or_not_the_same_comes_of_it(nodes: list[Node], bad: set[tuple[str, int]]) -> None:
    """The same is completed, has failed, and is held back; and all is completed when it was tried again."""
    plan = plan_of(nodes)
    assume(plan is not None and any(one.riders for one in plan.arrays))
    first, second = ended(nodes, bad, is_fused=True)
    assert first == ended(nodes, bad, is_fused=False)[0]
    assert {state for states in second.values() for state in states} == {State.COMPLETED}
