"""Whatever happens on the virtual cluster, in whatever order: it keeps its own rules, and nobody is told a wrong end.

The user works through the real adapter, and what its answers mean is judged as `sciflow status` judges it. Some 150
histories by default; with `SCIFLOW_MANY=1` as many as `SCIFLOW_HISTORIES` says, or 10,000.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from property.cluster_world import GIB, Work, World
from sciflow.model.statement import ACCOUNTING, CONTROLLER
from sciflow.schedulers.fake.request import Request
from sciflow.schedulers.fake.reservations import Reservation

Step = tuple[str, tuple[Any, ...]]
places, numbers = st.integers(0, 9), st.integers(0, 3)
requests = st.builds(
    Request,
    name=st.just("other"),
    indices=st.integers(1, 4).map(lambda width: tuple(range(width))),
    throttle=st.sampled_from([0, 0, 1, 2]),
    is_requeued=st.sampled_from([True, True, False]),
    cores=st.sampled_from([1, 1, 2, 4]),
    memory=st.sampled_from([0, GIB, 2 * GIB]),
    gpus=st.sampled_from([0, 0, 0, 1]),
    seconds=st.sampled_from([60.0, 300.0, 1800.0]),
    begin=st.sampled_from([0.0, 0.0, 200.0]),
    partition=st.sampled_from(["", "", "high", "low"]),
    features=st.sampled_from([(), (), ("fast",)]),
    nice=st.sampled_from([0, 0, 500]),
)
works = st.builds(
    Work,
    seconds=st.sampled_from([5.0, 50.0, 290.0, 2000.0]),
    code=st.sampled_from([0, 0, 0, 1, 137]),
    is_deaf=st.sampled_from([False, False, True]),
    has_records=st.sampled_from([True, True, False]),
)
subsets = st.none() | st.lists(numbers, min_size=1, max_size=2, unique=True)


def step(name: str, *parts: st.SearchStrategy[Any]) -> st.SearchStrategy[Step]:
    """Return what draws one kind of step."""
    return st.tuples(st.just(name), st.tuples(*parts))


submits = step("submit", requests, works, st.none() | st.tuples(places, st.sampled_from(["element", "whole"])))
passes = step("pass", st.sampled_from([0.5, 3.0, 12.0, 60.0, 130.0, 400.0]))
steps = st.one_of(
    submits,
    submits,
    passes,
    passes,
    passes,
    step("look"),
    step("look"),
    step("other", requests, works),
    step("cancel", places, subsets),
    step("cancel by other", places),
    step("requeue", places, numbers),
    step("strike", st.sampled_from(["kill", "oom", "preempt"]), places, numbers),
    step("hold", places, st.booleans()),
    step("node", st.sampled_from(["kill", "revive", "drain"]), st.sampled_from(["n1", "n2", "n3"])),
    step("silence", st.sampled_from([CONTROLLER, ACCOUNTING]), st.sampled_from([10.0, 100.0])),
    step("lose"),
    step("break off"),
    step("reserve", st.sampled_from([10.0, 300.0]), st.sampled_from(["n1", "n2", "n3"])),
)
histories = st.lists(steps, min_size=2, max_size=18)


def play(world: World, history: list[Step]) -> None:
    """Let a history happen, and come to its end."""
    cluster = world.cluster
    acts: dict[str, Callable[..., object]] = {
        "submit": world.submit,
        "pass": world.pass_time,
        "look": world.look,
        "other": world.submit_other,
        "cancel": world.cancel,
        "cancel by other": world.cancel_by_other,
        "requeue": world.requeue,
        "strike": world.strike,
        "hold": world.hold,
        "node": lambda what, name: getattr(cluster, f"{what}_node")(name),
        "silence": cluster.faults.silence,
        "lose": cluster.faults.lose_replies,
        "break off": world.break_off,
        "reserve": lambda wait, node: cluster.reserve(
            Reservation(node, cluster.clock() + wait, cluster.clock() + wait + 200.0, (node,), is_maintenance=True)
        ),
    }
    for name, parts in history:
        acts[name](*parts)
    world.finish()


@pytest.fixture(scope="module")
def scripts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of the job scripts."""
    return tmp_path_factory.mktemp("scripts")


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(histories, st.sampled_from([None, None, 3]))
def test_no_history_breaks_the_rules_or_ends_in_a_wrong_word(
    scripts: Path, history: list[Step], limit: int | None
) -> None:
    """Nothing is given out twice, lost, doubled or starved; order, limits and times are kept; no end is told wrong."""
    play(World(scripts, limit), history)


@pytest.mark.slow
@settings(
    max_examples=int(os.environ.get("SCIFLOW_HISTORIES", "10000")),
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.too_slow],
)
@given(histories, st.sampled_from([None, None, 3]))
def test_nor_do_many(scripts: Path, history: list[Step], limit: int | None) -> None:
    """The same, with as many histories as there is time for."""
    play(World(scripts, limit), history)
