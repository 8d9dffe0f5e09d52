"""The most that an array job can be given where it goes."""

from __future__ import annotations

from typing import Any

import pytest

from sciflow.model.options import Options
from sciflow.model.profile import ClusterProfile
from sciflow.model.resources import GIB
from sciflow.planning.caps import longest_walltime, most_memory

SITE: dict[str, Any] = {
    "capacity": {"memory_gb": 64},
    "partitions": {
        "short": {"max_runtime": "12 h", "memory_gb": 16, "default": True},
        "long": {"max_runtime": "7 d", "memory_gb": 128},
        "any": {},
    },
}


def site(**said: Any) -> ClusterProfile:
    """Make a profile with a queue."""
    return ClusterProfile.model_validate({"name": "site", "scheduler": "slurm", **said})


@pytest.mark.parametrize(
    ("partition", "hours", "memory"),
    [
        ("", 12, 16),
        ("short", 12, 16),
        ("long", 168, 64),
        ("any", None, 64),
        ("long,short", 12, 16),
        ("long,any", 168, 64),
        ("elsewhere", None, 64),
    ],
)
def test_partitions_say_how_much_there_is(partition: str, hours: int | None, memory: int) -> None:
    """Without a name the default one counts; of several, the one that has least, and a node's own memory as well."""
    options, profile = Options(partition=partition), site(**SITE)
    assert longest_walltime(options, profile) == (hours * 3600 if hours else None)
    assert most_memory(options, profile) == memory * GIB


def test_where_nothing_is_known_there_is_no_limit() -> None:
    """It may be there all the same."""
    assert longest_walltime(Options(), site()) is None
    assert most_memory(Options(), site()) is None


def test_memory_is_that_of_all_nodes_together() -> None:
    """What is known is about one of them."""
    assert most_memory(Options(), site(capacity={"memory_gb": 1.5}), nodes=3) == int(4.5 * GIB)
