"""Other users of the nodes, as far as they are known: by the share of the cores that they use."""

from __future__ import annotations

from collections.abc import Sequence

from sciflow.schedulers.fake.load import Habits
from sciflow.simulation.machines import NodeKind

WARM_UP = 3 * 86_400.0  # seconds for which they are alone before, until the nodes are as full as usual


def habits_of(share: float, kinds: Sequence[NodeKind]) -> Habits:
    """Let others use a share of all cores, on average over a week; they ask for nothing that no node has.

    Parameters
    ----------
    share
        From 0 to less than 1.
    kinds
        The nodes.
    """
    usual = Habits()
    widest = max(kind.cores for kind in kinds)
    return Habits(
        share=share,
        cores=tuple((cores, weight) for cores, weight in usual.cores if cores <= widest),
        memory_per_core=min([usual.memory_per_core, *(kind.memory // kind.cores for kind in kinds if kind.memory)]),
        partitions=tuple(dict.fromkeys(kind.partition for kind in kinds)),
    )
