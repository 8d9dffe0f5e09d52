"""How many array indices run at once on the nodes of a partition."""

from __future__ import annotations

from typing import Any

import pytest

from sciflow.model.options import Options
from sciflow.model.plan import ArrayJob
from sciflow.model.profile import ClusterProfile
from sciflow.model.resources import GIB, Resources
from sciflow.planning.room import Pool, pool_of, throttle_of

POOL = Pool("main", nodes=4, cores=8, memory=16 * GIB, gpus=2)


@pytest.mark.parametrize(
    ("request_", "expected"),
    [
        (Resources(1), 32),
        (Resources(3), 8),  # two on each node, and two cores are left over
        (Resources(1, 5 * GIB), 12),
        (Resources(1, gpus=1), 8),
        (Resources(2, mpi_tasks=2), 8),
        (Resources(1, nodes=2, mpi_tasks=16), 2),  # with one node left over, nothing else fits
        (Resources(9), 1),
    ],
)
def test_what_fits_on_the_nodes(request_: Resources, expected: int) -> None:
    """Cores, memory and GPUs count; what spans nodes surely runs as often as nodes for it are found in any case."""
    assert POOL.most(request_) == expected


def test_what_is_not_known_is_enough() -> None:
    """Of nodes that do not say their memory or GPUs only the cores count."""
    assert Pool("main", 2, 8).most(Resources(1, 1000 * GIB, 8)) == 16


def test_alike_share_the_nodes() -> None:
    """What is left is what all of them have, less what others use."""
    assert POOL.beside([(Resources(3), 5)], Resources(3)) == 3
    assert POOL.beside([(Resources(3), 5), (Resources(3), 4)], Resources(3)) == 0


def test_others_may_lie_on_all_nodes() -> None:
    """Of another size only so many have room for sure as the others leave, however they are spread."""
    wide = Resources(8)
    assert POOL.beside([(Resources(1), 1)], wide) == 3
    assert POOL.beside([(Resources(1), 4)], wide) == 0  # one on each node
    assert POOL.beside([(wide, 3)], Resources(1)) == 1  # a second one might be what keeps a wide one waiting
    assert POOL.beside([(Resources(1, 9 * GIB), 2)], Resources(1, 8 * GIB)) > 0
    assert POOL.beside([(Resources(1, 9 * GIB), 4)], Resources(1, 8 * GIB)) == 0


def test_the_nodes_of_a_partition() -> None:
    """The partition that is named, else the default one; what it does not say is what the site says."""
    profile = ClusterProfile.model_validate(
        {
            "name": "site",
            "scheduler": "slurm",
            "capacity": {"memory_gb": 64},
            "partitions": {"main": {"nodes": 4, "cpu_cores": 8, "default": True}, "gpu": {"nodes": 2}},
        }
    )
    array = ArrayJob("a.0", "a", 1, Resources())
    assert pool_of(array, profile) == Pool("main", 4, 8, 64 * GIB)
    assert pool_of(ArrayJob("a.0", "a", 1, Resources(), options=Options("gpu")), profile) is None  # of how many cores?


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ({}, None),
        ({"limits": {"running_indices": 9}}, 9),
        ({"limits": {"running_indices": 9}, "manners": {"running_by_night": 5, "running_by_day": 1}}, 5),
        ({"manners": {"core_hours": 14}}, 3),
        ({"manners": {"core_hours": 1}}, 1),
        ({"manners": {"share": 0.5}, "capacity": {"nodes": 4, "cpu_cores": 8}}, 8),
        ({"manners": {"share": 0.5}}, None),
    ],
)
def test_manners_by_night_count_as_well(said: dict[str, Any], expected: int | None) -> None:
    """The least of what the site lets run at once, and what its manners let; of a share nobody knows without nodes."""
    profile = ClusterProfile.model_validate({"name": "site", "scheduler": "slurm", **said})
    assert throttle_of(ArrayJob("a.0", "a", 20, Resources(2, runtime_seconds=7200)), profile) == expected
