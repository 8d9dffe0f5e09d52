"""At which moment a run costs least by a tariff."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from datetime import datetime, timedelta, timezone
from functools import lru_cache
from itertools import pairwise
from typing import NamedTuple
from zoneinfo import ZoneInfo

from sciflow.model.policy import SchedulingPolicy
from sciflow.model.tariff import Steps, hourly_steps, steps_of
from sciflow.planning.calendar import zone_of
from sciflow.planning.spans import Span, first_free

_SAME = 1e-9  # of what a run costs: what sums of prices differ by that should be equal


class Cheapest(NamedTuple):
    """The cheapest start; the mean price of the run then, and of one that starts now, where the table says it."""

    begin: datetime
    price: float
    now: float | None


def cheapest(
    policy: SchedulingPolicy, now: datetime, last: datetime, length: timedelta, taken: Sequence[Span]
) -> Cheapest | None:
    """The earliest of the moments at which the run costs least.

    Parameters
    ----------
    policy
        Has the tariff.
    now, last
        Between these it may start.
    length
        How long it runs; where that is not known, the price at the start counts.
    taken
        Into none of these it may run.

    Returns
    -------
    Cheapest or None
        None where the table covers no run that may start there.
    """
    bill = _Bill(_steps(policy, now, last + length + timedelta(seconds=1)), length)
    moments = bill.moments(now, last, [edge for span in taken for edge in span])
    possible = [one for one in moments if bill.covers(one) and first_free(one, length, taken) == one]
    if not possible:
        return None
    prices = [bill.price(moment) for moment in possible]
    margin = _SAME * max(abs(price) for price in prices)
    best = next(n for n, price in enumerate(prices) if price <= min(prices) + margin)
    return Cheapest(possible[best], prices[best], bill.price(now) if bill.covers(now) else None)


def check_table(policy: SchedulingPolicy) -> None:
    """Read the times of a tariff in the policy's zone, which may have come with the site.

    Raises
    ------
    GapError
        Where rows are missing there.
    """
    _steps(policy, _ANY, _ANY)


def covered(policy: SchedulingPolicy) -> tuple[datetime, datetime] | None:
    """From when to when a tariff from moment to moment has prices; None for one by the hour, which has them always."""
    if not isinstance(policy.tariff, tuple) or not isinstance(policy.tariff[0], tuple):
        return None
    steps, zone = _steps(policy, _ANY, _ANY), zone_of(policy)
    return steps.starts[0].astimezone(zone), steps.end.astimezone(zone)


_ANY = datetime(2000, 1, 1, tzinfo=timezone.utc)


def _steps(policy: SchedulingPolicy, since: datetime, until: datetime) -> Steps:
    rows = policy.tariff
    assert isinstance(rows, tuple)
    if isinstance(rows[0], tuple):
        return _from_moment_to_moment(tuple(row for row in rows if isinstance(row, tuple)), policy.timezone)
    return hourly_steps([row for row in rows if not isinstance(row, tuple)], since, until, zone_of(policy))


@lru_cache(maxsize=16)
def _from_moment_to_moment(rows: tuple[tuple[str, float], ...], zone: str | None) -> Steps:
    return steps_of(rows, ZoneInfo(zone) if zone else None)


class _Bill:
    """What runs of one length cost: the mean of the prices over each."""

    def __init__(self, steps: Steps, length: timedelta) -> None:
        self._steps = steps
        self._length = length
        self._sums = [0.0]  # price × seconds up to each step
        for (start, end), price in zip(pairwise((*steps.starts, steps.end)), steps.prices, strict=True):
            self._sums.append(self._sums[-1] + price * (end - start).total_seconds())

    def covers(self, moment: datetime) -> bool:
        """Whether there are prices for all of a run."""
        steps = self._steps
        return bool(steps.starts) and steps.starts[0] <= moment < steps.end and moment + self._length <= steps.end

    def price(self, moment: datetime) -> float:
        """The mean price of a run, or the price of a moment where the run takes no time."""
        if not self._length:
            return self._steps.prices[bisect_right(self._steps.starts, moment) - 1]
        return (self._sum(moment + self._length) - self._sum(moment)) / self._length.total_seconds()

    def moments(self, now: datetime, last: datetime, others: Sequence[datetime]) -> list[datetime]:
        """Between two of these the price of a run changes evenly, so that it is nowhere less than at one of them."""
        edges = [*self._steps.starts, self._steps.end, *others]
        turns = {edge - shift for edge in edges for shift in (timedelta(), self._length)}
        return sorted({now, last, *(moment for moment in turns if now < moment < last)})

    def _sum(self, moment: datetime) -> float:
        place = bisect_right(self._steps.starts, moment) - 1
        return self._sums[place] + self._steps.prices[place] * (moment - self._steps.starts[place]).total_seconds()
