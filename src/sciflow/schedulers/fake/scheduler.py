"""The virtual cluster as the scheduler of a profile: the adapter of its face, over its commands."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sciflow.errors import ProfileError
from sciflow.schedulers.base import QueueScheduler
from sciflow.schedulers.fake.cluster import VirtualCluster
from sciflow.schedulers.fake.transport import VirtualTransport
from sciflow.schedulers.pbs import PbsScheduler
from sciflow.schedulers.slurm import SlurmScheduler
from sciflow.transport.base import Transport

_ADAPTERS = {"slurm": SlurmScheduler, "pbs": PbsScheduler}
_in_place: list[VirtualCluster] = []


def scheduler_of(cluster: VirtualCluster, directory: Path) -> QueueScheduler:
    """The adapter for the face of a virtual cluster, for a run directory."""
    return _ADAPTERS[cluster.face.name](VirtualTransport(cluster), directory, cluster.clock)


@contextmanager
def in_place(cluster: VirtualCluster) -> Iterator[VirtualCluster]:
    """Let a virtual cluster be the one that profiles with ``scheduler: fake`` mean, while the block runs."""
    _in_place.append(cluster)
    try:
        yield cluster
    finally:
        _in_place.remove(cluster)


def connect(_transport: Transport, directory: Path) -> QueueScheduler:
    """The scheduler over the virtual cluster that is in place.

    Raises
    ------
    ProfileError
        Where there is none in this process.
    """
    if not _in_place:
        raise ProfileError(
            "there is no virtual cluster in this process",
            hint="`with sciflow.schedulers.fake.scheduler.in_place(VirtualCluster(…)):` makes one",
        )
    return scheduler_of(_in_place[-1], directory)
