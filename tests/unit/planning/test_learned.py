"""A plan by what an earlier run has measured."""

from __future__ import annotations

from typing import Any

import pytest

from sciflow.model.plan import ArrayJob, Dependency
from unit.planning.learning import GIB, MIB, Wanted, planned


def grown(n: int) -> Wanted:
    """A task of which memory grows with n², and time with n."""
    return Wanted(n * n * GIB // 4, n * 1800, 0, n * 1500, 0.96)


def test_strata_ask_for_what_they_need() -> None:
    """An array job for each, the longest first, and the plan says what has changed."""
    plan = planned(n=[1, 2, 4, 8], seeds=3, melt=grown).plan
    assert [(one.name, one.count, one.resources.describe()) for one in plan.arrays] == [
        ("melt.0", 3, "1 core, 16 GB, 4 h"),
        ("melt.1", 3, "1 core, 4 GB, 2 h"),
        ("melt.2", 3, "1 core, 1 GB, 1 h"),
        ("melt.3", 3, "1 core, 256 MB, 30 min"),
    ]
    assert plan.notes == (
        "`melt` asks for what run `r` has learned: memory 8 GB → 256 MB to 16 GB, walltime 4 h → 30 min to 4 h in 4 "
        "strata; enough with a chance of at least 0.96 over the mix that was measured",
        "array indices are in the order of how long they should take, the longest first",
    )


def test_in_a_stratum_the_longest_comes_first() -> None:
    """Those that take about as long stay in the space's order."""
    compiled = planned(n=[3, 1, 2], seeds=2, melt=lambda n: Wanted(GIB, 7200, 0, n * 1000, 0.9))
    assert [compiled.members(array).tolist() for array in compiled.plan.arrays] == [[0, 1, 4, 5, 2, 3]]


def test_chains_stay_element_wise() -> None:
    """Both tasks get the same strata and order, also where one needs the same of all, or nothing is known of it."""
    for draw in (lambda: Wanted(200 * MIB, 900, 0, 800, 0.99), None):
        compiled = planned(n=[1, 2, 4, 8], seeds=3, draw=draw, melt=grown, has_draw=True)
        melts = [array for array in compiled.plan.arrays if array.task == "melt"]
        assert len(melts) == 4
        assert [array.after for array in melts] == [(Dependency(f"draw.{i}", "element"),) for i in range(4)]


def test_what_is_fused_stays_so() -> None:
    """One job for both, with the larger memory and the sum of the times of its stratum."""
    plan = planned(n=[1, 2], draw=lambda: Wanted(GIB, 900, 0, 800, 0.99), melt=grown, fuse=True).plan
    assert [(one.name, one.submitted_first.resources.describe()) for one in plan.arrays if not one.rides] == [
        ("draw.0", "1 core, 1 GB, 1 h 15 min"),
        ("draw.1", "1 core, 1 GB, 45 min"),
    ]
    assert [(one.name, one.rides) for one in plan.arrays if one.rides] == [("melt.0", "draw.0"), ("melt.1", "draw.1")]


def test_what_is_not_known_stays_as_it_is_said() -> None:
    """Memory by the workflow's rule, of which nothing is mixed; and what an instance tells nothing of."""
    plan = planned(melt=lambda n: Wanted(0, 1800, 0, 1500, 0.9), resources={"memory_gb": "n % 2 + 1"}).plan
    assert sorted((one.count, one.resources.memory_bytes, one.resources.runtime_seconds) for one in plan.arrays) == [
        (2, GIB, 1800),
        (2, 2 * GIB, 1800),
    ]
    plan = planned(melt=lambda n: Wanted(GIB, 1800, 0, 1500, 0.9) if n > 1 else Wanted()).plan
    assert sorted((one.count, one.resources.memory_bytes, one.resources.runtime_seconds) for one in plan.arrays) == [
        (1, 8 * GIB, 4 * 3600),
        (3, GIB, 1800),
    ]
    assert plan.notes[0].endswith("0.9 over the mix that was measured; 1 instance asks for what the workflow says")


def test_a_task_that_the_run_did_not_have_is_named() -> None:
    """It asks for what the workflow says."""
    plan = planned(melt=grown, has_draw=True).plan
    assert plan.notes[0] == "run `r` tells nothing of `draw`: it asks for what the workflow says"
    assert {one.resources.memory_bytes for one in plan.arrays if one.task == "draw"} == {8 * GIB}


def short(n: int) -> Wanted:
    """A task of a minute or two."""
    return Wanted(100 * MIB, 60 + 10 * n, 0, 50 + 10 * n, 0.9)


def test_what_is_short_is_packed() -> None:
    """Until it takes about an hour; the walltime is that of the longest of them together, in steps of five minutes."""
    compiled = planned(n=range(4), seeds=1000, melt=short, partition={"nodes": 2, "cpu_cores": 16})
    assert [(one.count, one.pack, one.resources.runtime_seconds) for one in compiled.plan.arrays] == [(4000, 55, 5100)]
    assert 55 * 90 <= 5100
    assert "task `melt` runs 55 combinations one after another in an array index: 4000 in 73" in compiled.plan.notes


@pytest.mark.parametrize(
    ("more", "packs"),
    [
        ({"resources": {"combinations_per_index": 3}}, {3}),
        ({"resources": {"combinations_per_index": 1}}, {1}),
        ({"partition": {"max_runtime": "10 min"}}, {6}),
        ({"seeds": 10}, {1}),
        ({"melt": lambda n: Wanted(GIB, 3600, 0, 700, 0.9)}, {1}),
        ({"draw": lambda n: Wanted(GIB, 3600, 0, 700, 0.9)}, {1}),
        ({"scheduler": "local"}, {1}),
    ],
)
def test_what_is_not_packed_so(more: dict[str, Any], packs: set[int]) -> None:
    """Where the user says a number, the walltime is short, there is little, it is long, its chain is, or no queue."""
    compiled = planned(**{"n": range(4), "seeds": 1000, "melt": short, **more})
    assert {one.pack for one in compiled.plan.arrays if one.task == "melt"} == packs


def test_the_same_advice_is_the_same_plan() -> None:
    """Small differences of what was measured are rounded away."""

    def plan_of(more: int) -> tuple[ArrayJob, ...]:
        return planned(
            melt=lambda n: Wanted(n * 200 * MIB + more, n * 600 - more, 0, n * 500 + more / 100, 0.9)
        ).plan.arrays

    assert plan_of(0) == plan_of(50)
