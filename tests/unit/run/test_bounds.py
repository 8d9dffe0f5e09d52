"""What bounds how much of a run may run at once."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from sciflow.model.load import Load, PartitionLoad
from sciflow.model.manners import Manners
from sciflow.model.options import Options
from sciflow.model.plan import ArrayJob
from sciflow.model.profile import ClusterProfile, Partition
from sciflow.model.resources import Resources
from sciflow.run.bounds import Bounds
from sciflow.run.portions import Claim

NOON = datetime(2031, 5, 14, 12, tzinfo=ZoneInfo("UTC")).timestamp()
BUSY = Load({"main": PartitionLoad(100, 2), "gpu": PartitionLoad(16, 0)}, "main")


def claim(partition: str = "", cores: int = 1, seconds: int = 3600) -> Claim:
    """Return what a job of a partition wants."""
    resources = Resources(cpu_cores=cores, runtime_seconds=seconds)
    return Claim(ArrayJob(f"of {partition}", "a", 100, resources, options=Options(partition=partition)), "1", 100)


def bounds(
    *claims: Claim, load: Load | None = BUSY, at: float = NOON, site: dict[str, Any] | None = None, **said: Any
) -> tuple[list[tuple[float, dict[int, float], str]], list[str]]:
    """Return what bounds claims, and the notes."""
    profile = ClusterProfile(name="x", scheduler="slurm", timezone="UTC", **(site or {}))
    notes: list[str] = []
    found = list(Bounds(Manners(**said), profile, load, notes).of(list(claims), at))
    return [(one.most, dict(one.weights), one.why) for one in found], notes


def test_by_day_and_by_night() -> None:
    """All that runs at once counts; where nothing is said of the night, nothing bounds it."""
    assert bounds(claim(), claim("gpu"), running_by_day=20)[0] == [(20, {0: 1, 1: 1}, "by day")]
    midnight = NOON + 12 * 3600
    assert bounds(claim(), at=midnight, running_by_day=20) == ([], [])
    assert bounds(claim(), at=midnight, running_by_night=200)[0] == [(200, {0: 1}, "by night")]


def test_the_bound_of_the_clock_says_until_when() -> None:
    """Until six in the evening."""
    profile = ClusterProfile(name="x", scheduler="slurm", timezone="UTC")
    [bound] = Bounds(Manners(running_by_day=1), profile, None, []).of([claim()], NOON)
    assert bound.until == NOON + 6 * 3600


def test_a_share_is_one_of_the_cores_that_are_up_in_a_partition() -> None:
    """Those that name none are in the default one; an index takes its cores."""
    found, notes = bounds(claim(), claim("gpu", 4), claim("main", 2), share=0.25)
    assert found == [(25.0, {0: 1.0, 2: 2.0}, "25 % of 100 cores"), (4.0, {1: 4.0}, "25 % of 16 cores")]
    assert notes == []


def test_who_names_a_partition_and_who_means_it_share_it() -> None:
    """The default of the profile, or else of the cluster."""
    found, _ = bounds(claim(), claim("main", 2), share=0.25)
    assert found == [(25.0, {0: 1.0, 1: 2.0}, "25 % of 100 cores")]


def test_a_share_without_a_load_is_one_of_what_the_profile_promises() -> None:
    """And where that is silent as well, it is said that it is not kept."""
    site = {"partitions": {"main": Partition(cpu_cores=10, nodes=8, default=True)}}
    assert bounds(claim(), load=None, site=site, share=0.5) == ([(40.0, {0: 1.0}, "50 % of 80 cores")], [])
    found, notes = bounds(claim(), claim(), load=None, share=0.5)
    assert found == []
    assert notes == ["how many cores the partition has is not known: `share` is not kept"]


def test_of_several_partitions_the_largest_counts() -> None:
    """Nobody knows before into which of them a job goes."""
    assert bounds(claim("gpu,main"), share=0.5)[0] == [(50.0, {0: 1.0}, "50 % of 100 cores")]


def test_others_who_wait_are_let_in() -> None:
    """In the partition where they wait; elsewhere nothing changes, nor where nobody waits."""
    found, notes = bounds(claim(), claim("gpu"), running_when_others_wait=3)
    assert (found, notes) == ([(3, {0: 1.0}, "others wait for main")], [])
    assert bounds(claim("gpu"), running_when_others_wait=3) == ([], [])
    assert bounds(claim(), load=None, running_when_others_wait=3) == ([], [])


def test_where_nobody_may_see_others_that_is_said() -> None:
    """Once, whatever the number of jobs."""
    hidden = Load({"main": PartitionLoad(100)}, "main")
    found, notes = bounds(claim(), claim(), load=hidden, running_when_others_wait=3)
    assert found == []
    assert notes == ["whether others wait cannot be seen here: `running_when_others_wait` is not kept"]


def test_nodes_that_are_no_queues_own_serve_all_others() -> None:
    """As in PBS, which names no queue then."""
    load = Load({"": PartitionLoad(64, 1), "fast": PartitionLoad(8, 0)})
    found, _ = bounds(claim("workq"), claim("fast"), load=load, share=0.5, running_when_others_wait=2)
    assert found == [
        (2, {0: 1.0}, "others wait for the queue"),
        (32.0, {0: 1.0}, "50 % of 64 cores"),
        (4.0, {1: 1.0}, "50 % of 8 cores"),
    ]


def test_core_hours_are_those_that_are_asked_for() -> None:
    """An index of four cores and two hours takes eight; one that asks for no walltime takes nothing, which is said."""
    found, notes = bounds(claim("gpu", 4, 7200), claim(seconds=0), core_hours=100)
    assert found == [(100.0, {0: 8.0}, "no more than 100 core-hours at once")]
    assert notes == ["of  asks for no walltime, so that `core_hours` does not bound it"]


@pytest.mark.parametrize("most", [5, 50])
def test_the_sites_limit_of_one_array_job_stays(most: int) -> None:
    """Of each by itself."""
    found, _ = bounds(claim(), claim(), site={"limits": {"running_indices": most}}, running_by_day=20)
    assert found[1:] == [(most, {0: 1.0}, "`limits.running_indices`"), (most, {1: 1.0}, "`limits.running_indices`")]
