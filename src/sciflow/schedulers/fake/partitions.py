"""The partitions (PBS: queues) of the cluster."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Partition:
    """One partition; times in seconds.

    Attributes
    ----------
    nodes
        The names of its nodes; empty for all.
    longest
        The longest walltime.
    tier
        Those of a higher tier come first, whatever their jobs' priorities.
    preempted
        What happens to its jobs when one of a higher tier needs their nodes.
    is_default
        Whether it takes what names none.
    is_up
        Whether jobs start in it.
    is_open
        Whether it takes jobs.
    """

    name: str = "main"
    nodes: tuple[str, ...] = ()
    longest: float = 7 * 86_400.0
    tier: int = 1
    preempted: Literal["off", "requeue", "cancel"] = "off"
    is_default: bool = True
    is_up: bool = True
    is_open: bool = True
