"""Divides what a run may have at once between the jobs that want it."""

from __future__ import annotations

import sys
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sciflow.model.plan import ArrayJob

Key = tuple[str, str, datetime | None]
_ROUNDING = 1e-9  # of what is divided: 0.1 × 30 cores are three of one core each


@dataclass(frozen=True)
class Claim:
    """What one job, or what is to be one, could run at once.

    Attributes
    ----------
    array
        The array job, under the request of this one.
    job
        The job id; empty for what is not submitted yet.
    need
        How many of its indices are not over.
    level, begin
        Those of one level, that begin at one time, run at once; None for now.
    planned
        When it was planned to begin, of what is not submitted yet.
    """

    array: ArrayJob
    job: str
    need: int
    level: int = 0
    begin: float | None = None
    planned: datetime | None = None

    @property
    def key(self) -> Key:
        """What tells it from others: array job, job id, and when it was planned to begin where it has no id."""
        return self.array.name, self.job, self.planned


@dataclass(frozen=True)
class Bound:
    """What some claims may take together.

    Attributes
    ----------
    most
        How much.
    weights
        The place of a claim → what one of its indices takes of it; others take nothing.
    why
        Whence it comes, in words.
    until
        Until when it holds, in seconds since the epoch; None where that is not known.
    """

    most: float
    weights: Mapping[int, float]
    why: str
    until: float | None = None


@dataclass(frozen=True)
class Portion:
    """What a claim is given.

    Attributes
    ----------
    need
        How many indices it has that are not over.
    at_once
        How many of them may run at once; None for all of them.
    why, until
        The bound that holds it back.
    """

    need: int
    at_once: int | None = None
    why: str = ""
    until: float | None = None


def divide(claims: Sequence[Claim], bounds: Sequence[Bound]) -> list[Portion]:
    """Give each claim as much as all bounds allow, and one index at least: what never runs, never ends.

    Of each bound all have equal parts; what one does not need is for the others.
    """
    needs = [claim.need for claim in claims]
    found = [Portion(need) for need in needs]
    for bound in bounds:
        for place, most in _shares(needs, bound).items():
            so_far = found[place].at_once
            if most < needs[place] and (so_far is None or most < so_far):
                found[place] = Portion(needs[place], most, bound.why, bound.until)
    return _filled(found, bounds)


def _filled(portions: list[Portion], bounds: Sequence[Bound]) -> list[Portion]:
    """Give what is left of all bounds to those that can use it: equal parts, and then one by one."""
    given = [one.at_once or one.need for one in portions]
    wanting = {place for place, one in enumerate(portions) if given[place] < one.need}
    while wanting:
        more = _more(given, wanting, bounds, is_shared=True)
        if not any(more.values()):
            more = {}
            for place in sorted(wanting):
                if _more(given, [place], bounds, is_shared=False)[place]:
                    more[place] = 1
                    break
        if not more:
            break
        for place, count in more.items():
            given[place] = min(portions[place].need, given[place] + count)
        wanting = {place for place in wanting if given[place] < portions[place].need}
    return [
        Portion(one.need) if given[place] >= one.need else replace(one, at_once=given[place])
        for place, one in enumerate(portions)
    ]


def _more(given: Sequence[int], wanting: Collection[int], bounds: Sequence[Bound], is_shared: bool) -> dict[int, int]:
    """The place of a claim → how many more of it all bounds allow, if all that want more get equal parts, or alone."""
    found: dict[int, int] = {}
    for bound in bounds:
        used = sum(given[place] * weight for place, weight in bound.weights.items())
        left = bound.most * (1 + _ROUNDING) - used
        mine = [place for place in wanting if place in bound.weights]
        for place in mine:
            part = left / bound.weights[place] / (len(mine) if is_shared else 1)
            found[place] = min(found.get(place, sys.maxsize), max(0, int(part)))
    return found


def exceeded(portions: Sequence[Portion], bounds: Sequence[Bound]) -> Iterator[str]:
    """Say of which bounds more is taken, since one index of each job runs at least."""
    for bound in bounds:
        taken = sum((portions[i].at_once or portions[i].need) * weight for i, weight in bound.weights.items())
        if taken > bound.most * (1 + _ROUNDING):
            yield f"one index of each job runs at least, which is more than allowed ({bound.why}, {bound.most:g})"


def _shares(needs: Sequence[int], bound: Bound) -> dict[int, int]:
    """The place of a claim → how many indices its part of a bound lets run at once."""
    left = bound.most * (1 + _ROUNDING)
    wanting = sorted(bound.weights, key=lambda place: (needs[place] * bound.weights[place], place))
    found: dict[int, int] = {}
    for number, place in enumerate(wanting):
        weight = bound.weights[place]
        fair = left / (len(wanting) - number)
        found[place] = max(1, min(needs[place], int(fair / weight)))
        left = max(0.0, left - found[place] * weight)
    return found
