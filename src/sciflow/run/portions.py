"""Divides what a run may have at once between the jobs that want it."""

from __future__ import annotations

import sys
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import NamedTuple

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


class _Length(NamedTuple):
    """The chain of array jobs that follow each other index by index in which something is, and how long it takes."""

    chain: str
    seconds: float


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

    Of each bound all have equal parts, but for those of which one follows the other index by index: what is longer has
    more, so that as many of it end as of the other. What one does not need is for the others.
    """
    needs = [claim.need for claim in claims]
    lengths = list(_lengths(claims))
    found = [Portion(need) for need in needs]
    for bound in bounds:
        for place, most in _shares(needs, lengths, bound).items():
            so_far = found[place].at_once
            if most < needs[place] and (so_far is None or most < so_far):
                found[place] = Portion(needs[place], most, bound.why, bound.until)
    return _filled(found, lengths, bounds)


def _lengths(claims: Sequence[Claim]) -> Iterator[_Length]:
    """How long an index of each takes, beside those with which it runs in step."""
    chains = {claim.array.name: claim.array.name for claim in claims}
    for claim in claims:
        for before in claim.array.after:
            if before.kind == "element" and before.array in chains:
                old, new = chains[claim.array.name], chains[before.array]
                chains = {name: new if chain == old else chain for name, chain in chains.items()}
    seconds = [claim.array.resources.runtime_seconds * claim.array.links for claim in claims]
    unknown = {chains[claim.array.name] for claim, one in zip(claims, seconds, strict=True) if not one}
    for claim, one in zip(claims, seconds, strict=True):
        chain = chains[claim.array.name]
        yield _Length(chain, 1 if chain in unknown else one)


def _parts(places: Collection[int], lengths: Sequence[_Length], bound: Bound) -> dict[int, float]:
    """The place of a claim → its part of a bound; one on average, in each chain of those that run in step."""
    wide = {place: bound.weights[place] for place in places}
    chains: dict[str, list[int]] = {}
    for place in places:
        chains.setdefault(lengths[place].chain, []).append(place)
    parts = dict.fromkeys(places, 1.0)
    for mine in chains.values():
        if len({lengths[place].seconds for place in mine}) > 1:
            whole = sum(lengths[place].seconds * wide[place] for place in mine)
            parts |= {place: lengths[place].seconds * wide[place] * len(mine) / whole for place in mine}
    return parts


def _filled(portions: list[Portion], lengths: Sequence[_Length], bounds: Sequence[Bound]) -> list[Portion]:
    """Give what is left of all bounds to those that can use it: by their parts, and then one by one."""
    given = [one.at_once or one.need for one in portions]
    wanting = {place for place, one in enumerate(portions) if given[place] < one.need}
    while wanting:
        more = _more(given, wanting, lengths, bounds)
        if not any(more.values()):
            more = {}
            for place in sorted(wanting):
                if _more(given, [place], lengths, bounds)[place]:
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


def _more(
    given: Sequence[int], wanting: Collection[int], lengths: Sequence[_Length], bounds: Sequence[Bound]
) -> dict[int, int]:
    """The place of a claim → how many more of it all bounds allow, if all that want more get their parts."""
    found: dict[int, int] = {}
    for bound in bounds:
        used = sum(given[place] * weight for place, weight in bound.weights.items())
        left = bound.most * (1 + _ROUNDING) - used
        parts = _parts([place for place in wanting if place in bound.weights], lengths, bound)
        for place, part in parts.items():
            count = int(left * part / sum(parts.values()) / bound.weights[place])
            found[place] = min(found.get(place, sys.maxsize), max(0, count))
    return found


def exceeded(portions: Sequence[Portion], bounds: Sequence[Bound]) -> Iterator[str]:
    """Say of which bounds more is taken, since one index of each job runs at least."""
    for bound in bounds:
        taken = sum((portions[i].at_once or portions[i].need) * weight for i, weight in bound.weights.items())
        if taken > bound.most * (1 + _ROUNDING):
            yield f"one index of each job runs at least, which is more than allowed ({bound.why}, {bound.most:g})"


def _shares(needs: Sequence[int], lengths: Sequence[_Length], bound: Bound) -> dict[int, int]:
    """The place of a claim → how many indices its part of a bound lets run at once."""
    left = bound.most * (1 + _ROUNDING)
    parts = _parts(bound.weights, lengths, bound)
    wanting = sorted(parts, key=lambda place: (needs[place] * bound.weights[place] / parts[place], place))
    found: dict[int, int] = {}
    for number, place in enumerate(wanting):
        weight, others = bound.weights[place], wanting[number + 1 :]
        fair = left * parts[place] / (parts[place] + sum(parts[one] for one in others))
        fair = min(fair, left - sum(bound.weights[one] for one in others))  # one index of each runs at least
        found[place] = max(1, min(needs[place], int(fair / weight)))
        left = max(0.0, left - found[place] * weight)
    return found
