"""Other users of the nodes, as far as they are known: by the share of the cores that they hold all the time.

Where the scheduler shares fairly, or others have as much waiting as they can run, a long backlog gets what is left.
Nobody knows the jobs of others; so no jobs are made up, which would look more exact than they are.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from sciflow.errors import PlanError
from sciflow.simulation.machines import NodeKind


def left_by_others(kinds: Sequence[NodeKind], share: float) -> tuple[NodeKind, ...]:
    """What is left of nodes of which others hold a share of the cores all the time.

    They are put close together: on whole nodes, and on a part of one more of each kind, with that part of its memory
    and GPUs.

    Raises
    ------
    PlanError
        For a share that is none, and where no core is left.
    """
    if isinstance(share, bool) or not isinstance(share, int | float):
        raise PlanError(f"`{share}` is no share of the cores", hint="write a number, like `0.7`")
    if not 0 <= share < 1:
        raise PlanError(f"others cannot use {share:g} of the cores", hint="write a share of them, like `0.7`")
    left = tuple(one for kind in kinds for one in _left(kind, share))
    if not left:
        cores = sum(kind.count * kind.cores for kind in kinds)
        raise PlanError(
            f"others use {share:g} of {cores:,} core{'s' * (cores != 1)}, and leave none",
            hint="give a smaller share, or more nodes",
        )
    return left


def _left(kind: NodeKind, share: float) -> Iterator[NodeKind]:
    whole, cores = divmod(round(kind.count * kind.cores * (1 - share)), kind.cores)
    if whole:
        yield replace(kind, count=whole)
    if cores:
        part = cores / kind.cores
        yield replace(kind, count=1, cores=cores, memory=int(kind.memory * part), gpus=round(kind.gpus * part))
