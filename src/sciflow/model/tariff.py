"""What an hour costs: by the hour of the day, or from moment to moment."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from datetime import datetime, timedelta, timezone, tzinfo
from typing import NamedTuple

from sciflow.model.periods import aware, check_year

Rows = tuple[float, ...] | tuple[tuple[str, float], ...]
DAY, WEEK = 24, 168  # how many prices a table by the hour has
_TIME = re.compile(r"(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d(?::\d\d)?)(Z|[+-]\d\d:?\d\d)?")


class Steps(NamedTuple):
    """From each moment on a price holds until the next; the last one ends at the end."""

    starts: tuple[datetime, ...]
    prices: tuple[float, ...]
    end: datetime


def check_rows(rows: Rows) -> Rows:
    """Refuse a table that is neither of hours nor of moments.

    Raises
    ------
    ValueError
        Saying what is wrong.
    """
    numbers = [row for row in rows if not isinstance(row, tuple)]
    if numbers and len(numbers) != len(rows):
        raise ValueError("a tariff has either prices by the hour or pairs of a moment and a price, not both")
    if numbers and len(numbers) not in (DAY, WEEK):
        raise ValueError(
            f"a tariff by the hour has 24 prices, from midnight on, or 168, from Monday on; here are {len(rows)}"
        )
    if not rows:
        raise ValueError("the tariff is empty")
    if not numbers and len(rows) < 2:
        raise ValueError("a tariff from moment to moment has two rows at least")
    for row in rows:
        if isinstance(row, tuple):
            read_moment(row[0])
        if not math.isfinite(row[1] if isinstance(row, tuple) else row):
            raise ValueError(f"`{row}` is no price")
    return rows


def read_moment(text: str) -> datetime:
    """Read the moment of a row.

    Raises
    ------
    ValueError
        For anything else.
    """
    match = _TIME.fullmatch(text.strip())
    if match is None:
        raise ValueError(f"`{text}` is no date and time; write it like `2031-05-17T22:00`")
    # Python 3.10 reads neither `Z` nor an offset without a colon.
    zone = re.sub(r"([+-]\d\d)(\d\d)$", r"\1:\2", (match[3] or "").replace("Z", "+00:00"))
    try:
        moment = datetime.fromisoformat(f"{match[1]}T{match[2]}{zone}")
    except ValueError as error:
        raise ValueError(f"`{text}` is no date and time: {error}") from None
    return check_year(moment)


class GapError(ValueError):
    """Rows that do not follow each other at the same step; `row` is the number of the first that does not."""

    def __init__(self, message: str, row: int) -> None:
        super().__init__(message)
        self.row = row


def steps_of(rows: Sequence[tuple[str, float]], zone: tzinfo | None) -> Steps:
    """The table from moment to moment, with its moments in UTC; the step is that from the first row to the second.

    Raises
    ------
    GapError
        Where rows are missing, stand twice, or are not in order.
    """
    starts: list[datetime] = []
    step = timedelta()
    for number, (text, _) in enumerate(rows):
        moment = read_moment(text)
        start = aware(moment, zone)
        if starts and moment.tzinfo is None and start <= starts[-1]:
            start = aware(moment.replace(fold=1), zone)  # when clocks go back an hour comes twice
        if moment.tzinfo is None and start.astimezone(zone).replace(tzinfo=None) != moment:
            raise GapError(f"`{text}` is a time that there is not: clocks go forward then", number)
        if number == 1:
            step = start - starts[0]
        if starts and not starts[-1] < start:
            raise GapError(f"`{text}` does not come after `{rows[number - 1][0]}`", number)
        if number > 1 and start - starts[-1] != step:
            raise GapError(
                f"from `{rows[number - 1][0]}` to `{text}` it is {_length(start - starts[-1])}, "
                f"but {_length(step)} from row to row before: something is missing",
                number,
            )
        starts.append(start)
    return Steps(tuple(starts), tuple(price for _, price in rows), starts[-1] + step)


def hourly_steps(prices: Sequence[float], since: datetime, until: datetime, zone: tzinfo | None) -> Steps:
    """The table by the hour of the day, or of the week, on a wall clock between two moments."""
    starts, found = [], []
    moment = since.astimezone(timezone.utc)
    while moment < until:
        clock = moment.astimezone(zone)
        starts.append(moment)
        found.append(prices[(clock.weekday() * DAY if len(prices) == WEEK else 0) + clock.hour])
        # To the next full hour of that clock; where it changes in between, that is when it does.
        left = timedelta(hours=1) - timedelta(
            minutes=clock.minute, seconds=clock.second, microseconds=clock.microsecond
        )
        moment += left
    return Steps(tuple(starts), tuple(found), moment)


def _length(delta: timedelta) -> str:
    minutes = delta.total_seconds() / 60
    return f"{minutes / 60:g} h" if minutes % 60 == 0 else f"{minutes:g} min"
