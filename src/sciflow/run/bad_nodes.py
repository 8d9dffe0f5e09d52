"""Finds nodes on which more fails than chance explains."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from sciflow.model.cause import Cause
from sciflow.model.state import State
from sciflow.run.causes import Failure
from sciflow.run.status import IndexStatus, RunStatus

FEWEST = 3  # failures on a node, below which nothing is said of it
_SMALL = 1000  # trials up to which whole numbers are counted with
_AGAINST_NODE = (Cause.NODE_FAILURE, Cause.LAUNCH_FAILURE, Cause.APPLICATION_ERROR, Cause.LOST)


@dataclass(frozen=True)
class Suspect:
    """A node on which more has failed than on the others.

    Attributes
    ----------
    failures, attempts
        On the node.
    others_failures, others_attempts
        On all others together.
    p
        How likely so many failures, or more, would be on this node if it were like the others.
    """

    node: str
    failures: int
    attempts: int
    others_failures: int
    others_attempts: int
    p: float

    @property
    def why(self) -> str:
        """What speaks against it, in words."""
        return (
            f"{self.failures} of {self.attempts} failed on it, {self.others_failures} of {self.others_attempts} "
            f"elsewhere (p = {self.p:.1g})"
        )


def suspects(trials: Mapping[str, tuple[int, int]], level: float = 0.01) -> list[Suspect]:
    """The nodes on which more fails than chance explains, the least likely first.

    Each node is compared with all others by Fisher's exact test, one-sided. As every node that was seen is looked at,
    each gets its share of the level (Bonferroni). There are at least three failures on a suspect, and at most half of
    the nodes are suspects: where more seem bad, it is not for the nodes.

    Parameters
    ----------
    trials
        Node → how many attempts have failed there, and how many there were.
    level
        How likely at most it is that any node is named although all are alike.
    """
    all_failures = sum(failures for failures, _ in trials.values())
    all_attempts = sum(attempts for _, attempts in trials.values())
    found = []
    for node, (failures, attempts) in trials.items():
        others = (all_failures - failures, all_attempts - attempts)
        if failures < FEWEST or not others[1] or failures * others[1] <= others[0] * attempts:
            continue
        p = tail(failures, attempts, all_failures, all_attempts)
        if p * len(trials) <= level:
            found.append(Suspect(node, failures, attempts, *others, p))
    return sorted(found, key=lambda one: (one.p, one.node))[: len(trials) // 2]


def tail(failures: int, attempts: int, all_failures: int, all_attempts: int) -> float:
    """How likely it is that of all failures so many or more fall among some of the attempts.

    Parameters
    ----------
    failures, attempts
        Those of which it is asked.
    all_failures, all_attempts
        Those together with all others.
    """
    least = max(0, attempts + all_failures - all_attempts)
    most = min(attempts, all_failures)
    if failures <= least:
        return 1.0
    well = all_attempts - all_failures
    if all_attempts <= _SMALL:
        ways = sum(
            math.comb(all_failures, i) * math.comb(well, attempts - i) for i in range(max(failures, least), most + 1)
        )
        return ways / math.comb(all_attempts, attempts)
    if failures * all_attempts <= attempts * all_failures:  # below the mean the other side is the shorter one
        return max(0.0, 1.0 - _sum(failures - 1, least, attempts, all_failures, well))
    return min(1.0, _sum(failures, most, attempts, all_failures, well))


def _sum(first: int, last: int, attempts: int, all_failures: int, well: int) -> float:
    """The sum of the hypergeometric distribution from `first`, away from its mean, to `last`."""
    logarithm = _log_choose(all_failures, first) + _log_choose(well, attempts - first)
    term = math.exp(logarithm - _log_choose(all_failures + well, attempts))
    total, i = 0.0, first
    while term > total * 1e-17:
        total += term
        if i == last:
            break
        if last > first:
            term *= (all_failures - i) * (attempts - i) / ((i + 1) * (well - attempts + i + 1))
            i += 1
        else:
            term *= i * (well - attempts + i) / ((all_failures - i + 1) * (attempts - i + 1))
            i -= 1
    return total


def _log_choose(n: int, k: int) -> float:
    return math.lgamma(n + 1) - math.lgamma(k + 1) - math.lgamma(n - k + 1)


def count_trials(status: RunStatus, failures: Mapping[tuple[str, int], Failure]) -> dict[str, tuple[int, int]]:
    """Node → how many last attempts have failed there, and how many of them there were.

    Against a node count what a bad one causes: that it failed, did not start a job, or lost it, and errors of programs,
    which is what a broken GPU, a missing mount or bad memory look like. A program that fails by itself fails on all
    nodes alike, which the test allows for. Memory and time that were used up, and results that are not good enough,
    follow from the request and the parameters; who was preempted, cancelled or held back has no part in it. An index
    with such an end is no trial at all, and neither is one that was taken over from another run.

    Those that run as one array index are one trial: what befalls the job befalls all of them. It has failed where
    something counts against the node and nothing in it was completed.
    """
    elements: dict[tuple[str, int], tuple[str, bool]] = {}
    for array in status.plan.arrays:
        for index, one in status.indices[array.name].items():
            place = (array.name, array.element(index))
            failure = failures.get((array.name, index))
            if failure is not None and failure.cause in _AGAINST_NODE and failure.node:
                elements.setdefault(place, (failure.node, True))
            elif one.state is State.COMPLETED and one.attempt and (node := _node(one)):
                elements[place] = (node, False)
    trials: dict[str, tuple[int, int]] = {}
    for node, has_failed in elements.values():
        bad, total = trials.get(node, (0, 0))
        trials[node] = (bad + has_failed, total + 1)
    return trials


def _node(one: IndexStatus) -> str:
    return one.record.node if one.record is not None else ""
