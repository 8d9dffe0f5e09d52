"""The most that an array job can be given where it goes, as far as the profile tells."""

from __future__ import annotations

from collections.abc import Iterator

from sciflow.model.options import Options
from sciflow.model.profile import ClusterProfile, Partition
from sciflow.model.resources import GIB


def longest_walltime(options: Options, profile: ClusterProfile) -> int | None:
    """The longest walltime in seconds; None where there is no limit that is known."""
    return min((one.runtime_seconds for one in _partitions(options, profile) if one.runtime_seconds), default=None)


def most_memory(options: Options, profile: ClusterProfile, nodes: int = 1) -> int | None:
    """The most memory in bytes, on so many nodes together; None where there is no limit that is known."""
    known = [one.memory_gb for one in (*_partitions(options, profile), profile.capacity) if one.memory_gb]
    return int(min(known) * GIB) * nodes if known else None


def most_cores(options: Options, profile: ClusterProfile) -> int | None:
    """The most cores on one node; None where that is not known."""
    return min((n for one in (*_partitions(options, profile), profile.capacity) if (n := one.cpu_cores)), default=None)


def _partitions(options: Options, profile: ClusterProfile) -> Iterator[Partition]:
    names = (options.partition or profile.default_partition).split(",")
    return (profile.partitions[name] for name in names if name in profile.partitions)
