"""Where a cluster profile and the cluster differ, in ways that would stop jobs."""

from __future__ import annotations

from collections.abc import Iterator

from sciflow.model.nearest import nearest
from sciflow.model.profile import ClusterProfile, Limits, Partition
from sciflow.model.units import format_duration

_LIMITS = {
    "highest_index": "an array job has no index above",
    "indices_per_array": "an array job has no more indices than",
    "submitted_indices": "you may have no more indices queued and running than",
}
_OF_A_NODE = {"cpu_cores": "cores", "memory_gb": "GB of memory", "gpus": "GPUs"}


def differences(profile: ClusterProfile, found: ClusterProfile) -> list[str]:
    """What a profile says otherwise than the cluster, of which one was made by asking it."""
    if profile.scheduler != found.scheduler:
        return [f"it is for the scheduler `{profile.scheduler}`, but `{found.scheduler}` is here"]
    return [*_names(profile, found), *_partitions(profile, found), *_limits(profile.limits, found.limits)]


def _names(profile: ClusterProfile, found: ClusterProfile) -> Iterator[str]:
    for kind, named, known in (
        ("partition", (profile.partition, profile.tend.partition), tuple(found.partitions)),
        ("account", (profile.account, *profile.accounts), found.accounts),
        ("QOS", (profile.qos, *profile.qos_names), found.qos_names),
    ):
        for name in dict.fromkeys(named):
            if name and known and name not in known:
                yield f"it names the {kind} `{name}`, which is not open to you here; {nearest(name, known)}"


def _partitions(profile: ClusterProfile, found: ClusterProfile) -> Iterator[str]:
    for name, said in profile.partitions.items():
        if name not in found.partitions:
            yield f"it has a partition `{name}`, which is not open to you here; {nearest(name, found.partitions)}"
        else:
            yield from _partition(name, said, found.partitions[name])


def _partition(name: str, said: Partition, found: Partition) -> Iterator[str]:
    for word, unit in _OF_A_NODE.items():
        mine, theirs = getattr(said, word), getattr(found, word)
        if mine is not None and theirs is not None and mine > theirs:
            yield f"it says that a node of `{name}` has {mine:g} {unit}, but it has {theirs:g}"
    if said.nodes is not None and found.nodes is not None and said.nodes > found.nodes:
        yield f"it says that `{name}` has {said.nodes} nodes, but it has {found.nodes}"
    mine, theirs = said.runtime_seconds, found.runtime_seconds
    if theirs is not None and (mine is None or mine > theirs):
        longest = format_duration(mine) if mine is not None else "any time"
        yield f"it says that jobs may take {longest} in `{name}`, but they may take {format_duration(theirs)}"


def _limits(said: Limits, found: Limits) -> Iterator[str]:
    for word, text in _LIMITS.items():
        mine, theirs = getattr(said, word), getattr(found, word)
        if theirs is not None and (mine is None or mine > theirs):
            yield f"{text} {theirs}; it says {mine if mine is not None else 'nothing'} as `limits: {{{word}: …}}`"
