"""Where a profile and the cluster differ."""

from __future__ import annotations

from typing import Any

import pytest

from sciflow.model.profile import ClusterProfile
from sciflow.schedulers.site_check import differences

FOUND: dict[str, Any] = {
    "name": "found",
    "scheduler": "pbs",
    "partitions": {"workq": {"cpu_cores": 32, "memory_gb": 64, "gpus": 0, "nodes": 4, "max_runtime": "24:00:00"}},
    "accounts": ["project"],
    "limits": {"indices_per_array": 1000, "submitted_indices": 500},
}
LIMITS = {"limits": {"indices_per_array": 1000, "submitted_indices": 500}}


@pytest.mark.parametrize(
    ("said", "lines"),
    [
        (LIMITS, []),
        ({**FOUND, "limits": {"indices_per_array": 10, "submitted_indices": 5}}, []),
        ({"scheduler": "slurm"}, ["it is for the scheduler `slurm`, but `pbs` is here"]),
        (
            {},
            [
                "an array job has no more indices than 1000; it says nothing as `limits: {indices_per_array: …}`",
                "you may have no more indices queued and running than 500; "
                "it says nothing as `limits: {submitted_indices: …}`",
            ],
        ),
        (
            {"limits": {"indices_per_array": 2000, "submitted_indices": 500}},
            ["an array job has no more indices than 1000; it says 2000 as `limits: {indices_per_array: …}`"],
        ),
        (
            {**LIMITS, "partition": "work", "tend": {"partition": "work"}, "account": "mine"},
            [
                "it names the partition `work`, which is not open to you here; did you mean `workq`?",
                "it names the account `mine`, which is not open to you here; known are `project`",
            ],
        ),
        (
            {**LIMITS, "partitions": {"long": {}}},
            ["it has a partition `long`, which is not open to you here; known are `workq`"],
        ),
        (
            {**LIMITS, "partitions": {"workq": {"cpu_cores": 64, "memory_gb": 64.5, "gpus": 2, "nodes": 5}}},
            [
                "it says that a node of `workq` has 64 cores, but it has 32",
                "it says that a node of `workq` has 64.5 GB of memory, but it has 64",
                "it says that a node of `workq` has 2 GPUs, but it has 0",
                "it says that `workq` has 5 nodes, but it has 4",
                "it says that jobs may take any time in `workq`, but they may take 1 d",
            ],
        ),
        (
            {**LIMITS, "partitions": {"workq": {"max_runtime": "48:00:00"}}},
            ["it says that jobs may take 2 d in `workq`, but they may take 1 d"],
        ),
    ],
)
def test_what_a_profile_promises_and_the_cluster_does_not_have(said: dict[str, Any], lines: list[str]) -> None:
    """To promise less is nobody's harm."""
    profile = ClusterProfile.model_validate({"name": "mine", "scheduler": "pbs", **said})
    assert differences(profile, ClusterProfile.model_validate(FOUND)) == lines


def test_what_is_not_known_of_the_cluster_is_no_difference() -> None:
    """Nothing is made up."""
    found = ClusterProfile(name="found", scheduler="pbs")
    said = {**FOUND, "partition": "workq", "account": "project", "qos": "night", "partitions": {}}
    assert differences(ClusterProfile.model_validate(said), found) == []
