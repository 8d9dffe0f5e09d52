"""Requests against what the profile can give."""

from __future__ import annotations

from typing import Any

import pytest

from sciflow.errors import PlanError
from sciflow.model.options import Options
from sciflow.model.profile import Capacity, ClusterProfile
from sciflow.model.resources import GIB, Resources
from sciflow.planning.fit import check_site, fit

LARGE = Resources(8, 16 * GIB, 2, 3600)


def test_what_fits_is_left_as_it_is() -> None:
    """A profile that says nothing limits nothing."""
    for capacity in (Capacity(), Capacity(cpu_cores=8, memory_gb=16, gpus=2)):
        assert fit(LARGE, capacity, "t", "p", strict=True) == (LARGE, [])


def test_what_does_not_fit_is_reduced_with_a_warning() -> None:
    """Each warning says what was asked, what there is, and what it gets."""
    given, warnings = fit(LARGE, Capacity(cpu_cores=1, memory_gb=0.5, gpus=0), "t", "my laptop has it", strict=False)
    assert given == Resources(1, GIB // 2, 0, 3600)
    assert warnings == [
        "task `t` asks for 8 cores, but profile `my laptop has it` has 1 core: it gets 1 core",
        "task `t` asks for 16 GB, but profile `my laptop has it` has 512 MB: it gets 512 MB",
        "task `t` asks for 2 GPUs, but profile `my laptop has it` has no GPU: it gets no GPU",
    ]


def test_strictly_it_is_an_error() -> None:
    """All that does not fit is listed, with the way out."""
    with pytest.raises(PlanError) as caught:
        fit(LARGE, Capacity(cpu_cores=1, gpus=1), "t", "p", strict=True)
    assert caught.value.message.splitlines() == [
        "task `t` asks for 8 cores, but profile `p` has 1 core",
        "task `t` asks for 2 GPUs, but profile `p` has 1 GPU",
    ]
    assert "choose another profile" in caught.value.hint


def test_processes_get_as_many_as_there_are_cores() -> None:
    """Each keeps its cores, and there is at least one."""
    given, warnings = fit(Resources(2, mpi_tasks=8), Capacity(cpu_cores=6), "t", "p", strict=False)
    assert given == Resources(2, mpi_tasks=3)
    assert warnings == ["task `t` asks for 16 cores, but profile `p` has 6 cores: it gets 6 cores"]
    given, warnings = fit(Resources(4, mpi_tasks=2), Capacity(cpu_cores=3), "t", "p", strict=False)
    assert given == Resources(3, mpi_tasks=1)
    assert len(warnings) == 2
    assert fit(Resources(2, mpi_tasks=3), Capacity(cpu_cores=6), "t", "p", strict=True) == (
        Resources(2, mpi_tasks=3),
        [],
    )


SITE = ClusterProfile.model_validate(
    {
        "name": "site",
        "scheduler": "slurm",
        "accounts": ["project", "teaching"],
        "qos_names": ["normal"],
        "partitions": {
            "short": {"cpu_cores": 8, "memory_gb": 16, "gpus": 0, "nodes": 4, "max_runtime": "12h", "default": True},
            "gpu": {"cpu_cores": 16, "memory_gb": 64, "gpus": 4, "nodes": 1, "max_runtime": "2d"},
            "any": {},
        },
    }
)


@pytest.mark.parametrize(
    ("request_", "options"),
    [
        (Resources(), Options()),
        (Resources(8, 16 * GIB, 0, 43_200, nodes=4), Options()),
        (Resources(8, 64 * GIB, nodes=4), Options()),  # sixteen on each
        (Resources(2, mpi_tasks=16, nodes=4), Options()),
        (Resources(1000, 1000 * GIB, 10, 10**7), Options(partition="any")),
        (Resources(16, 64 * GIB, 4, 172_800), Options(partition="gpu", account="teaching", qos="normal")),
        (Resources(1000), Options(partition="short,gpu")),  # Slurm takes whichever can
    ],
)
def test_what_a_site_can_give_is_accepted(request_: Resources, options: Options) -> None:
    """By node, by job, and by partition; of several partitions nothing is said."""
    check_site(request_, options, "relax", SITE)


@pytest.mark.parametrize(
    ("options", "message", "hint"),
    [
        (Options(partition="shrt"), "names the partition `shrt`, which profile `site` does not have", "`short`"),
        (Options(partition="short,nope"), "names the partition `nope`", ""),
        (Options(account="projekt"), "names the account `projekt`", "`project`"),
        (Options(qos="norml"), "names the QOS `norml`", "`normal`"),
    ],
)
def test_what_a_site_does_not_have_is_told(options: Options, message: str, hint: str) -> None:
    """With the nearest that it has."""
    with pytest.raises(PlanError) as caught:
        check_site(Resources(), options, "relax", SITE)
    assert caught.value.message.startswith("task `relax` ")
    assert message in caught.value.message
    assert hint in caught.value.hint


def test_where_a_profile_names_none_any_may_be_named() -> None:
    """It may not know them."""
    profile = ClusterProfile(name="site", scheduler="slurm")
    check_site(Resources(10**6), Options(partition="x", account="y", qos="z"), "relax", profile)


@pytest.mark.parametrize(
    ("request_", "partition", "message", "hint"),
    [
        (
            Resources(runtime_seconds=172_800),
            "short",
            "task `relax` asks for 2 d, but partition `short` allows 12 h",
            "these partitions can: `gpu`, `any`",
        ),
        (Resources(9), "", "asks for 9 cores, but partition `short` allows 8 cores", "`gpu`, `any`"),
        (Resources(memory_bytes=17 * GIB), "", "asks for 17 GB, but partition `short` allows 16 GB", "`gpu`, `any`"),
        (Resources(gpus=1), "", "asks for 1 GPU, but partition `short` allows no GPU", "`gpu`, `any`"),
        (Resources(nodes=5), "", "asks for 5 nodes, but partition `short` allows 4 nodes", "`any`"),
        (Resources(1, mpi_tasks=33, nodes=4), "", "asks for 9 cores, but partition `short` allows 8", "`any`"),
        (Resources(gpus=6, nodes=2), "gpu", "asks for 2 nodes, but partition `gpu` allows 1 node", "`any`"),
    ],
)
def test_what_a_partition_can_never_give_is_refused(
    request_: Resources, partition: str, message: str, hint: str
) -> None:
    """It would wait there for ever; those that can are named. Without a name the default one counts."""
    with pytest.raises(PlanError) as caught:
        check_site(request_, Options(partition=partition), "relax", SITE)
    assert message in caught.value.message
    assert hint in caught.value.hint


@pytest.mark.parametrize(
    ("capacity", "request_", "message"),
    [
        ({"cpu_cores": 4}, Resources(5), "asks for 5 cores, but profile `site` allows 4 cores"),
        ({"memory_gb": 0.5}, Resources(memory_bytes=GIB), "asks for 1 GB, but profile `site` allows 512 MB"),
        ({"gpus": 1}, Resources(gpus=2), "asks for 2 GPUs, but profile `site` allows 1 GPU"),
    ],
)
def test_what_the_largest_node_cannot_give_is_refused(
    capacity: dict[str, Any], request_: Resources, message: str
) -> None:
    """With the way out."""
    profile = ClusterProfile.model_validate({"name": "site", "scheduler": "slurm", "capacity": capacity})
    with pytest.raises(PlanError) as caught:
        check_site(request_, Options(), "relax", profile)
    assert message in caught.value.message
    assert caught.value.hint == "ask for less, or choose another profile or partition"
