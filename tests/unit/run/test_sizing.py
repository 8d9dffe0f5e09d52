"""What an index is given when it is tried again: by what was measured, and within what the site has."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sciflow.model.cause import Cause
from sciflow.model.profile import Capacity, ClusterProfile, Partition
from sciflow.model.workflow import ExperimentalWorkflow
from sciflow.run.measured import Measured, Measurement
from sciflow.run.sizing import Ask, Sizing
from sciflow.run.track import observe, read_plan
from sciflow.store.layout import RunDirectory
from sciflow.store.retries import Refusal

GIB = 1024**3
HOUR = 3600
PLACE = ("a.0", 2)
SITE = ClusterProfile(
    name="site",
    scheduler="slurm",
    partitions={
        "main": Partition(max_runtime="4 h", memory_gb=8, default=True),
        "long": Partition(max_runtime="100 h", memory_gb=4),
    },
)
BARE = ClusterProfile(name="bare", scheduler="slurm")


@pytest.fixture
def sizing(
    tmp_path: Path, stage_for_queue: Callable[..., RunDirectory], monkeypatch: pytest.MonkeyPatch
) -> Callable[..., Sizing]:
    """Return a function that makes a sizing: (resources, profile, own measurement, what neighbours used, retries)."""

    def make(
        resources: dict[str, Any],
        profile: ClusterProfile = SITE,
        own: Measurement | None = None,
        neighbours: tuple[float, ...] = (),
        retries: tuple[dict[str, Any], ...] = (),
    ) -> Sizing:
        workflow = ExperimentalWorkflow("sized", tmp_path)
        workflow.add_task("a", command="echo {{ x }}", resources={"cpu_cores": 1, **resources})
        workflow.add_parameter_space({"x": list(range(8))})
        run = stage_for_queue(workflow)
        plan = read_plan(run)
        status = observe(run, plan)
        for facts in retries:
            known = {"array": "a.0", "indices": "2", "variant": "", "cause": "timeout", "error": "", "counts": True}
            status.submissions.hear({"event": "retry", "time": 1.0, "memory": 0, "seconds": 0, **known, **facts})
        monkeypatch.setattr(Measured, "own", lambda *_: own or Measurement())
        monkeypatch.setattr(Measured, "neighbours", lambda *_: list(neighbours))
        return Sizing(run, plan, status, profile)

    return make


def test_it_was_given_what_the_plan_says_or_what_it_was_tried_with_last(sizing: Callable[..., Sizing]) -> None:
    """Of others nothing is taken."""
    one = sizing({"memory_gb": 1, "max_runtime": "1 h"}, retries=({"memory": 2 * GIB, "seconds": 7}, {"memory": GIB}))
    assert one.given(PLACE) == Ask(GIB, 0)
    assert one.given(("a.0", 3)) == Ask(GIB, HOUR)


def test_one_of_several_is_given_its_share_of_the_time(sizing: Callable[..., Sizing]) -> None:
    """They run one after another; the memory is for each."""
    one = sizing({"memory_gb": 1, "max_runtime": "10 min", "combinations_per_index": 4})
    assert one.given(PLACE) == Ask(GIB, 600)
    assert one.longest(PLACE) == HOUR
    assert one.most_memory(PLACE) == 8 * GIB


@pytest.mark.parametrize(
    ("own", "neighbours", "found"),
    [
        (Measurement(), (), 1.5),
        (Measurement(memory=GIB), (), 1.5),
        (Measurement(memory=2 * GIB), (), 1.5**3),
        (Measurement(), (GIB, 5.0 * GIB), 1.5**5),
        (Measurement(), (100.0 * GIB,), 8),
    ],
)
def test_more_memory_follows_what_was_measured(
    sizing: Callable[..., Sizing], own: Measurement, neighbours: tuple[float, ...], found: float
) -> None:
    """By steps of a half, and no more than the partition has."""
    asked = sizing({"memory_gb": 1, "max_runtime": "1 h"}, own=own, neighbours=neighbours).more_memory(PLACE)
    assert asked is not None
    assert asked.memory / GIB == pytest.approx(found, rel=1e-3)
    assert asked.seconds == HOUR


def test_more_time_follows_what_was_measured(sizing: Callable[..., Sizing]) -> None:
    """Likewise; who has the most gets no more."""
    assert sizing({"max_runtime": "1 h"}).more_time(PLACE) == Ask(0, 5400)


def test_who_has_the_most_gets_no_more(sizing: Callable[..., Sizing]) -> None:
    """And the partition is named."""
    one = sizing({"max_runtime": "4 h", "memory_gb": 8})
    assert (one.more_time(PLACE), one.more_memory(PLACE)) == (None, None)
    assert one.limit(PLACE, is_memory=False) == "it was given the most walltime of 4 h that partition `main` has"
    assert one.limit(PLACE, is_memory=True) == "it was given the most memory of 8 GB that partition `main` has"


def test_the_partition_of_the_task_counts(sizing: Callable[..., Sizing]) -> None:
    """And not the default one."""
    one = sizing({"partition": "long", "max_runtime": "4 h", "memory_gb": 4})
    assert one.longest(PLACE) == 100 * HOUR
    assert one.limit(PLACE, is_memory=True) == "it was given the most memory of 4 GB that partition `long` has"


def test_what_was_not_asked_for_starts_from_what_was_had(sizing: Callable[..., Sizing]) -> None:
    """The limit of the job, and the time that it ran."""
    own = Measurement(memory=GIB, limit=2 * GIB, seconds=HOUR)
    one = sizing({}, own=own)
    assert one.more_memory(PLACE) is not None
    assert (one.more_memory(PLACE) or Ask()).memory >= 3 * GIB
    assert (one.more_time(PLACE) or Ask()).seconds == 5400


def test_without_limits_there_is_always_more(sizing: Callable[..., Sizing]) -> None:
    """A profile that says nothing limits nothing."""
    one = sizing({"memory_gb": 1000, "max_runtime": "900 h"}, BARE)
    assert (one.most_memory(PLACE), one.longest(PLACE)) == (None, None)
    assert one.more_memory(PLACE) == Ask(1500 * GIB, 900 * HOUR)


def test_this_machine_has_what_it_has(sizing: Callable[..., Sizing]) -> None:
    """The profile is named where there is no partition."""
    profile = ClusterProfile(name="local", scheduler="local", capacity=Capacity(memory_gb=2))
    one = sizing({"memory_gb": 2}, profile)
    assert one.more_memory(PLACE) is None
    assert one.limit(PLACE, is_memory=True) == "it was given the most memory of 2 GB that profile `local` has"


def test_factors_multiply_what_was_given(sizing: Callable[..., Sizing]) -> None:
    """Within what the site has; what is not scaled stays."""
    one = sizing({"memory_gb": 1, "max_runtime": "1 h"})
    assert one.scaled(PLACE, {}) == Ask(GIB, HOUR)
    assert one.scaled(PLACE, {"memory": 2.0}) == Ask(2 * GIB, HOUR)
    assert one.scaled(PLACE, {"memory": 0.5, "runtime": 3.0}) == Ask(GIB // 2, 3 * HOUR)
    assert one.scaled(PLACE, {"memory": 20.0, "runtime": 30.0}) == Ask(8 * GIB, 4 * HOUR)


def test_factors_multiply_what_was_used_up_where_nothing_was_given(sizing: Callable[..., Sizing]) -> None:
    """And never to nothing at all, which would be no limit."""
    one = sizing({}, own=Measurement(memory=1000, seconds=0.5))
    assert one.scaled(PLACE, {"memory": 2.0}, Cause.OUT_OF_MEMORY) == Ask(2000, 0)
    assert one.scaled(PLACE, {"runtime": 0.1}, Cause.TIMEOUT) == Ask(0, 1)
    assert one.change(PLACE, Ask(2000, 60)) == "unsaid → 1.95 kB, unsaid → 1 min"


def test_what_was_not_said_stays_unsaid_where_it_was_not_used_up(sizing: Callable[..., Sizing]) -> None:
    """A program that failed after half a second needs more than twice as long; nothing is made up for it."""
    one = sizing({}, own=Measurement(memory=1000, limit=GIB, seconds=0.5))
    scale = {"memory": 2.0, "runtime": 2.0}
    assert one.scaled(PLACE, scale, Cause.APPLICATION_ERROR) == Ask()
    assert one.unscaled(scale, Ask()) == "it asks for no memory and no runtime that could be scaled"
    assert one.unscaled(scale, Ask(GIB, 0)) == "it asks for no runtime that could be scaled"
    assert one.unscaled({"runtime": 2.0}, Ask(0, 60)) == ""


def test_what_was_refused_is_a_cap(sizing: Callable[..., Sizing]) -> None:
    """Half-way to it is asked for, as long as that is worth a question; then it is the reason why there is no more."""
    one = sizing({"memory_gb": 12, "max_runtime": "1 h"}, BARE)
    assert one.more_memory(PLACE) == Ask(18 * GIB, HOUR)
    refusals = one.status.submissions.refusals.setdefault(PLACE, [])
    for refused, then in ((18.0, 15.0), (15.0, 13.5), (13.5, 12.75)):
        refusals.append(Refusal(int(refused * GIB), HOUR, "Slurm refuses it"))
        assert one.more_memory(PLACE) == Ask(int(then * GIB), HOUR)
    refusals.append(Refusal(int(12.75 * GIB), HOUR, "Slurm refuses it"))
    assert one.more_memory(PLACE) is None
    assert one.limit(PLACE, is_memory=True) == (
        "12.8 GB were refused: Slurm refuses it; `--scale memory=1.3` asks for another amount, and `partitions` in the "
        "profile say what there is"
    )
    assert one.scaled(PLACE, {"memory": 1.3}) == Ask(round(1.3 * 12 * GIB), HOUR)
    assert one.more_time(PLACE) == Ask(12 * GIB, 5400)


def test_what_is_not_known_stays_unsaid(sizing: Callable[..., Sizing]) -> None:
    """There is nothing to multiply, and that is the reason that is given."""
    one = sizing({})
    assert one.scaled(PLACE, {"memory": 2.0, "runtime": 2.0}) == Ask()
    assert one.limit(PLACE, is_memory=False) == (
        "it asks for no walltime, and what it used was not measured: say in the workflow what it needs"
    )


def test_what_has_changed_is_said(sizing: Callable[..., Sizing]) -> None:
    """And nothing else."""
    one = sizing({"memory_gb": 1, "max_runtime": "1 h"})
    assert one.change(PLACE, Ask(GIB, HOUR)) == ""
    assert one.change(PLACE, Ask(2 * GIB, 2 * HOUR)) == "1 GB → 2 GB, 1 h → 2 h"
