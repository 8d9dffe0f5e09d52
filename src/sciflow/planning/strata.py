"""Instances that need different amounts, split into few groups that each ask for the most that one of them needs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sciflow.planning.projection import Ints

MOST = 4  # each is an array job, which a person still wants to look at
WORTH = 0.05  # one group more has to save so much of all that is needed
_CUTS = 256  # places at which groups may be cut; more of them save nothing that anybody would notice
Floats = NDArray[np.float64]


class Need(NamedTuple):
    """How much of something each instance needs, and how much every unit of it costs while it has that.

    Needs of one `kind` are added up: the memory of two tasks, say.
    """

    amounts: Floats
    weights: Floats
    kind: str


def strata(needs: Sequence[Need], most: int = MOST) -> Ints:
    """Which group each instance belongs to, so that as little as possible is asked for in vain.

    What is asked for in vain is counted as a share of all that is needed, one share for each kind. Groups are ranges of
    the instances in the order of one of the needs, whichever is best; among such ranges no others are better.

    Parameters
    ----------
    needs
        What instances need; all of the same length.
    most
        How many groups there may be.
    """
    count = len(needs[0].amounts)
    best, found = np.inf, np.zeros(count, dtype=np.int64)
    totals: dict[str, float] = {}
    for need in needs:
        totals[need.kind] = totals.get(need.kind, 0.0) + float(need.amounts @ need.weights)
    needs = [need for need in needs if totals[need.kind] > 0]
    for leading in needs:
        rest = [need.amounts for need in needs if need is not leading]
        order = np.lexsort((*rest, leading.amounts))
        starts = _starts(np.stack([need.amounts for need in needs])[:, order])
        waste = sum(
            (_waste(need.amounts[order], need.weights[order], starts) / totals[need.kind] for need in needs),
            np.zeros((len(starts) + 1, len(starts) + 1)),
        )
        cuts, cost = _cut(waste, min(most, len(starts)))
        if cost < best - 1e-9:
            best = cost
            codes = np.zeros(count, dtype=np.int64)
            codes[starts[cuts[1:]]] = 1
            found = np.empty(count, dtype=np.int64)
            found[order] = np.cumsum(codes)
    return found


def _starts(amounts: Floats) -> Ints:
    """Where a group may begin: where one of the amounts changes, and not at more places than are of use."""
    changes = np.flatnonzero((np.diff(amounts, axis=1) != 0).any(axis=0)) + 1
    starts = np.concatenate([[0], changes]).astype(np.int64)
    chosen = np.unique(np.linspace(0, len(starts) - 1, min(len(starts), _CUTS)).round().astype(np.int64))
    return starts[chosen]


def _waste(amounts: Floats, weights: Floats, starts: Ints) -> Floats:
    """What is asked for in vain, of what lies between each two starts if that is one group: [first, behind]."""
    largest = np.maximum.reduceat(amounts, starts)
    weight = np.concatenate([[0.0], np.cumsum(np.add.reduceat(weights, starts))])
    needed = np.concatenate([[0.0], np.cumsum(np.add.reduceat(weights * amounts, starts))])
    waste = np.full((len(starts) + 1, len(starts) + 1), np.inf)
    for first in range(len(starts)):
        given = np.maximum.accumulate(largest[first:]) * (weight[first + 1 :] - weight[first])
        waste[first, first + 1 :] = given - (needed[first + 1 :] - needed[first])
    return waste


def _cut(waste: Floats, most: int) -> tuple[Ints, float]:
    """The starts of the best groups, and what they cost; every group after the first costs something by itself."""
    last = len(waste) - 1
    costs, before = [waste[0]], []
    for _ in range(1, most):
        through = costs[-1][:, None] + waste
        before.append(through.argmin(axis=0))
        costs.append(through.min(axis=0))
    totals = [float(cost[last]) + WORTH * extra for extra, cost in enumerate(costs)]
    groups = int(np.argmin(totals))
    starts, end = [], last
    for step in range(groups - 1, -1, -1):
        end = int(before[step][end])
        starts.append(end)
    return np.array([0, *reversed(starts)], dtype=np.int64), totals[groups]
