"""Stretches of time: joined, cut out of each other, and searched."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta

Span = tuple[datetime, datetime]


def joined(spans: Iterable[Span]) -> Iterator[Span]:
    """Spans that are in order of their starts, as few as cover the same moments: what touches is one."""
    open_: Span | None = None
    for start, end in spans:
        if open_ is None:
            open_ = (start, end)
        elif start <= open_[1]:
            open_ = (open_[0], max(open_[1], end))
        else:
            yield open_
            open_ = (start, end)
    if open_ is not None:
        yield open_


def without(spans: Iterable[Span], cut: Iterable[Span]) -> Iterator[Span]:
    """What is left of spans where others are cut out of them; both are in order, and each of them apart."""
    holes = list(cut)
    for start, end in spans:
        for hole, last in holes:
            if last <= start or hole >= end:
                continue
            if hole > start:
                yield start, hole
            start = last
        if start < end:
            yield start, end


def first_free(moment: datetime, length: timedelta, taken: Iterable[Span]) -> datetime:
    """The first moment from one on after which something of a length runs into none of the taken spans, in order."""
    for start, end in taken:
        if end > moment and start < max(moment + length, moment + timedelta(microseconds=1)):
            moment = end
    return moment


def last_free(moment: datetime, length: timedelta, taken: Iterable[Span]) -> datetime:
    """The last moment up to one after which something of a length runs into none of the taken spans, in order."""
    for start, end in reversed(list(taken)):
        if end > moment and start < max(moment + length, moment + timedelta(microseconds=1)):
            moment = start - max(length, timedelta(seconds=1))
    return moment
