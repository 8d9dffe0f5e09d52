"""What the submitter of a simulation hands over, beside what the real one would."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from sciflow.model.plan import Plan
from sciflow.run.parts import unsubmitted
from sciflow.run.recover import terms_of
from sciflow.run.status import untouched
from sciflow.run.terms import Terms
from sciflow.schedulers.fake.clock import VirtualClock
from sciflow.schedulers.fake.cluster import VirtualCluster
from sciflow.schedulers.fake.nodes import make_nodes
from sciflow.schedulers.fake.request import Order, Request
from sciflow.schedulers.fake.rules import Rules
from sciflow.schedulers.fake.slurm.face import SLURM
from sciflow.schedulers.fake.timed import TimedBody
from sciflow.schedulers.slurm import SlurmScheduler
from sciflow.simulation.submitter import Submitter
from sciflow.store.layout import RunDirectory
from sciflow.store.submitted import Submitted
from sciflow.transport.local import LocalTransport
from unit.simulation.conftest import NOW, Compile

SHORT = {"partitions": {"main": {"max_runtime": "10 h", "default": True}}}
TASKS: dict[str, dict[str, Any]] = {
    "chain": {
        "first": {"checkpoints": True, "resources": {"max_runtime": "25 h"}},
        "then": {"depends_on": ["first"], "resources": {"max_runtime": "1 h"}},
    },
    "gathered": {
        "first": {"resources": {"max_runtime_hours": "1 + x % 2"}},
        "then": {"depends_on": ["first"], "resources": {"max_runtime": "1 h"}},
        "last": {"depends_on": ["first", "then"], "over": "all", "command": "true"},
    },
    "packed": {
        "first": {"resources": {"max_runtime": "1 h", "combinations_per_index": 2}},
        "then": {"depends_on": ["first"], "resources": {"max_runtime": "1 h"}},
    },
}


class Noting(VirtualCluster):
    """A cluster that notes what is handed over to it."""

    orders: list[Order]

    def submit(self, order: Order) -> Any:
        """Take a job."""
        self.orders.append(order)
        return super().submit(order)


@pytest.mark.parametrize("canaries", [0, 2])
@pytest.mark.parametrize("kind", sorted(TASKS))
def test_the_same_jobs_as_the_real_one(compiled: Compile, kind: str, canaries: int) -> None:
    """The same array jobs, with the same indices, in the same order, that wait for the same others in the same way."""
    made = compiled(x=range(9), profile=SHORT, recovery={"canaries": canaries}, **TASKS[kind])
    terms = terms_of(made.profile, made.workflow.recovery, made.workflow.policies)
    cluster = Noting(make_nodes(1, 64, 64), TimedBody(lambda _index: 60.0), SLURM, rules=Rules(lag=0.0))
    cluster.orders = []
    Submitter(made.plan, terms, cluster, lambda array: Request(array.name)).feed()
    assert [_said(order) for order in cluster.orders] == list(_real(made.plan, terms, NOW.timestamp()))


@pytest.mark.parametrize("canaries", [0, 2])
@pytest.mark.parametrize("kind", sorted(TASKS))
def test_the_same_waves_as_the_real_one(compiled: Compile, kind: str, canaries: int) -> None:
    """Each wave is a job of its own, with its own begin time, and what follows index by index likewise."""
    few = SHORT | {"limits": {"running_indices": 1}}
    night = {"policy": "off_peak", "preferred_hours": "20:00-24:00"}
    made = compiled(x=range(9), profile=few, recovery={"canaries": canaries}, schedule=night, **TASKS[kind])
    assert any(len(array.waves) > 1 for array in made.plan.arrays)
    terms = terms_of(made.profile, made.workflow.recovery, made.workflow.policies)
    cluster = Noting(
        make_nodes(1, 64, 64), TimedBody(lambda _index: 60.0), SLURM, VirtualClock(NOW.timestamp()), Rules(lag=0.0)
    )
    cluster.orders = []
    Submitter(made.plan, terms, cluster, lambda array: Request(array.name)).feed()
    assert [_said(order) for order in cluster.orders] == list(_real(made.plan, terms, NOW.timestamp()))
    assert len({order.request.begin for order in cluster.orders}) > 2


Said = tuple[str, tuple[int, ...], set[tuple[str, str]], float]


def _said(order: Order) -> Said:
    """Array job and link, indices, what it waits for, and when it may begin."""
    waits = {(one.kind, one.job) for one in order.dependency.conditions}
    return order.request.name, order.request.indices or (), waits, order.request.begin


def _real(plan: Plan, terms: Terms, now: float) -> Iterator[Said]:
    """What the submitter of a run hands over to Slurm, under ids as the virtual cluster gives them."""
    status, run = untouched(plan), RunDirectory("RUN")
    kinds = {"element": "aftercorr", "whole": "afterany"}
    parts = unsubmitted(run, status, SlurmScheduler(LocalTransport(), run.path), [], terms.canaries)
    for job, part in enumerate(parts, 101):
        name, elements = f"{part.array.name}.{part.link}", frozenset(part.elements)
        status.submissions.add(
            Submitted(part.array.name, str(job), elements, 0.0, job=str(job), link=part.link, is_ahead=part.is_ahead)
        )
        later, script = terms.begin(part.array, part.begin, now), part.array.begin
        begin = later or (script.timestamp() if script else 0.0)
        yield name, part.elements, {(kinds[one.kind], one.job) for one in part.after}, begin
