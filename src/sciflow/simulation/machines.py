"""The nodes on which a plan is played: as they are typed, or as the profile says."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace

from sciflow.errors import PlanError
from sciflow.model.plan import ArrayJob
from sciflow.model.profile import ClusterProfile, Partition
from sciflow.model.resources import GIB
from sciflow.model.units import format_memory, parse_memory

OF_THE_PROFILE = "profile"
_COUNT = re.compile(r"(\d+)\s*x\s*(\d+)\s*c(?:ores?)?", re.IGNORECASE)
_NAMES = {"memory": "the memory", "gpus": "the GPUs"}
_GPUS = re.compile(r"(\d+)\s*gpus?", re.IGNORECASE)
MOST_NODES, MOST_CORES = 20_000, 4_096
_LIKE = "write them like `nodes=16x64c`, `nodes=16x64c,256g,4gpu` or `nodes=4x64c,256g+2x32c,128g`"


@dataclass(frozen=True)
class NodeKind:
    """Nodes that are all alike.

    Attributes
    ----------
    count
        How many there are.
    cores, memory, gpus
        What each of them has; no bytes of memory where that is not said, and then there is enough.
    partition
        The partition in which they are; empty where all array jobs may use them.
    """

    count: int
    cores: int
    memory: int = 0
    gpus: int = 0
    partition: str = ""

    def describe(self) -> str:
        """Say them in a few words: ``16 nodes of 64 cores, 256 GB, 4 GPUs``."""
        parts = [f"{self.cores} core{'s' * (self.cores != 1)}"]
        parts += [format_memory(self.memory)] if self.memory else []
        parts += [f"{self.gpus} GPU{'s' * (self.gpus != 1)}"] if self.gpus else []
        where = f" in `{self.partition}`" if self.partition else ""
        return f"{self.count} node{'s' * (self.count != 1)} of {', '.join(parts)}{where}"


def parse_nodes(text: str) -> tuple[NodeKind, ...]:
    """Read ``16x64c``, ``16x64c,256g,4gpu`` or ``4x64c,256g+2x32c``, perhaps after ``nodes=``.

    Raises
    ------
    PlanError
        For anything else, and for more nodes than can be simulated.
    """
    if not isinstance(text, str):
        raise PlanError(f"`{text!r}` says no nodes", hint=_LIKE.replace("nodes=", ""))
    return _few(tuple(_parse_kind(part, text) for part in text.strip().removeprefix("nodes=").split("+")))


def _few(kinds: tuple[NodeKind, ...]) -> tuple[NodeKind, ...]:
    """Nodes, unless they are more than there are anywhere."""
    widest = max(kind.cores for kind in kinds)
    if widest > MOST_CORES:
        raise PlanError(f"{widest:,} cores of a node are more than {MOST_CORES:,}", hint=_LIKE)
    if (count := sum(kind.count for kind in kinds)) > MOST_NODES:
        raise PlanError(
            f"{count:,} nodes are more than the {MOST_NODES:,} that can be simulated",
            hint="as many as the array indices can use at once are enough: `--simulate nodes=16x64c`",
        )
    return kinds


def _parse_kind(part: str, text: str) -> NodeKind:
    first, *others = (word.strip() for word in part.split(","))
    match = _COUNT.fullmatch(first)
    if not match:
        raise PlanError(f"`{first}` in `{text}` says no number of nodes and cores", hint=_LIKE)
    kind = NodeKind(int(match[1]), int(match[2]))
    if not kind.count or not kind.cores:
        raise PlanError(f"`{first}` in `{text}` is no node at all", hint=_LIKE)
    said: dict[str, int] = {}
    for word in others:
        name, amount = _amount(word, text)
        if name in said:
            raise PlanError(f"`{word}` in `{text}` says {_NAMES[name]} for the second time", hint=_LIKE)
        if name == "memory" and not amount:
            raise PlanError(f"`{word}` in `{text}` is no memory at all", hint="leave it out where there is enough")
        said[name] = amount
    return replace(kind, **said)


def _amount(word: str, text: str) -> tuple[str, int]:
    if gpus := _GPUS.fullmatch(word):
        return "gpus", int(gpus[1])
    try:
        return "memory", parse_memory(word)
    except ValueError:
        raise PlanError(f"`{word}` in `{text}` is neither memory nor GPUs", hint=_LIKE) from None


def nodes_of(profile: ClusterProfile, arrays: Iterable[ArrayJob]) -> tuple[NodeKind, ...]:
    """The nodes of the partitions that array jobs use, as the profile tells.

    Raises
    ------
    PlanError
        Where it does not say how many nodes a partition has, or how many cores; and for too many.
    """
    names = dict.fromkeys(partition_of(array, profile) for array in arrays)
    return _few(tuple(_kind_of(profile, name, name if len(names) > 1 else "") for name in names))


def partition_of(array: ArrayJob, profile: ClusterProfile) -> str:
    """The partition in which an array job runs: the first that it names and the profile knows, or the default one."""
    named = (array.options.partition or profile.default_partition).split(",")
    return next((name for name in named if name in profile.partitions), "")


def _kind_of(profile: ClusterProfile, name: str, label: str) -> NodeKind:
    given: Partition | None = profile.partitions.get(name)
    where = f"partition `{name}` of profile `{profile.name}`" if given else f"profile `{profile.name}`"
    nodes = (given.nodes if given else None) or profile.capacity.nodes
    cores = (given.cpu_cores if given else None) or profile.capacity.cpu_cores
    memory = (given.memory_gb if given else None) or profile.capacity.memory_gb
    gpus = given.gpus if given and given.gpus is not None else profile.capacity.gpus
    if not nodes or not cores:
        raise PlanError(
            f"{where} does not say how many {'nodes' if not nodes else 'cores its nodes'}"
            f" {'there are' if not nodes else 'have'}",
            hint="say it here: `--simulate nodes=16x64c`",
        )
    return NodeKind(nodes, cores, round(memory * GIB) if memory else 0, gpus or 0, label)
