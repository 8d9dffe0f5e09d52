"""How many combinations an array index should run one after another."""

from __future__ import annotations

from typing import Any

import pytest

from sciflow.model.options import Options
from sciflow.model.profile import ClusterProfile
from sciflow.model.resources import Resources
from sciflow.planning.packing import at_once, best_pack


@pytest.mark.parametrize(
    ("each", "count", "room", "most", "expected"),
    [
        (60, 100_000, 32, 1000, 60),  # an hour
        (60, 1000, 32, 1000, 16),  # or so few that the nodes are filled twice: 63 indices, where 15 would leave 67
        (60, 800, 32, 1000, 13),
        (60, 640.0000000001, 32, 1000, 10),
        (60, 100_000, 32, 20, 20),  # or as many as the walltime allows
        (60, 10, 32, 1000, 1),
        (7200, 100_000, 32, 1000, 1),
        (0, 6400, 32, 1000, 100),
    ],
)
def test_until_it_takes_an_hour(each: float, count: float, room: int, most: int, expected: int) -> None:
    """An index holds an hour of work, less where nodes would stay empty or the walltime is short, and never none."""
    assert best_pack(each, count, room, most) == expected


@pytest.mark.parametrize(
    ("profile", "partition", "expected"),
    [
        ({}, "", 32),
        ({"limits": {"running_indices": 5}}, "", 5),
        ({"partitions": {"a": {"nodes": 4, "cpu_cores": 16, "default": True}}}, "", 16),
        ({"partitions": {"a": {"nodes": 4, "cpu_cores": 16}}}, "a", 16),
        ({"partitions": {"a": {"nodes": 4, "cpu_cores": 16}, "b": {"nodes": 1, "cpu_cores": 9}}}, "a,b", 18),
        (
            {"partitions": {"a": {"nodes": 4, "cpu_cores": 16, "default": True}}, "limits": {"running_indices": 5}},
            "",
            5,
        ),
        ({"partitions": {"a": {"cpu_cores": 16, "default": True}}}, "", 32),
    ],
)
def test_what_may_run_at_once(profile: dict[str, Any], partition: str, expected: int) -> None:
    """So many as the cores of the partition's nodes hold, each of whole indices, within the profile's limit."""
    site = ClusterProfile.model_validate({"name": "site", "scheduler": "slurm", **profile})
    assert at_once(Resources(cpu_cores=4), Options(partition=partition), site) == expected
