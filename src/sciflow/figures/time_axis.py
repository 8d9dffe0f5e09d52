"""Times along an axis, in a zone that is told."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import datetime, timezone, tzinfo
from typing import TYPE_CHECKING, Any, NamedTuple
from zoneinfo import ZoneInfo

import numpy as np

from sciflow.analysis.table import RunTable
from sciflow.figures.axis import inches
from sciflow.figures.labels import wrapped
from sciflow.store.layout import read_document

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_DAY = 86400.0
_LONGEST_OF_SECONDS = 0.25  # days: ticks without a colon are seconds within them, and days beyond
# What stands at ticks and at the end of an axis, from years down to seconds; where a unit begins; and beside them.
_FORMATS = ["%Y", "%Y-%m", "%d", "%H:%M", "%H:%M", "%S.%f"]
_ZEROS = ["", "%Y", "%Y-%m", "%m-%d", "%H:%M", "%H:%M"]
_OFFSETS = ["", "%Y", "%Y", "%Y-%m", "%Y-%m-%d", "%Y-%m-%d %H:%M"]


class Zone(NamedTuple):
    """The zone in which times are told, and its name."""

    zone: tzinfo
    name: str


_is_here = ContextVar("whether times are told as this machine has them, where nothing else is said", default=True)


@contextmanager
def told_anywhere() -> Iterator[None]:
    """Tell times in UTC where no profile says a zone: the same figure on every machine."""
    before = _is_here.set(False)
    try:
        yield
    finally:
        _is_here.reset(before)


def zone_of(table: RunTable) -> Zone:
    """The zone of the run's cluster, where its profile says one; else that of this machine."""
    manifest = read_document(table.run.manifest) if table.run.manifest.is_file() else {}
    name = manifest.get("profile", {}).get("timezone")
    if name:
        return Zone(ZoneInfo(name), name)
    if not _is_here.get():
        return Zone(timezone.utc, "UTC")
    here = datetime.now().astimezone().tzinfo
    assert here is not None
    return Zone(here, f"{here}, the zone of this machine")


def places(times: Any) -> np.ndarray:
    """Seconds since the epoch as matplotlib has them along a time axis."""
    return np.asarray(times, dtype=float) / _DAY


def tell_time(axes: Axes, zone: Zone) -> None:
    """Let the horizontal axis tell times in a zone."""
    from matplotlib.dates import AutoDateLocator, ConciseDateFormatter

    class Clock(ConciseDateFormatter):
        """Times in figures alone, and seconds with their unit."""

        def format_ticks(self, values: list[float]) -> list[str]:
            texts = super().format_ticks(values)
            is_seconds = len(values) > 1 and np.ptp(values) < _LONGEST_OF_SECONDS
            return [f"{text} s" if is_seconds and text and ":" not in text else text for text in texts]

    locator = AutoDateLocator(tz=zone.zone, minticks=3, maxticks=7)
    axes.xaxis.set_major_locator(locator)
    axes.xaxis.set_major_formatter(Clock(locator, zone.zone, _FORMATS, zero_formats=_ZEROS, offset_formats=_OFFSETS))
    room = 0.45 * inches(axes.figure)[0]  # to the right stands the date
    axes.set_xlabel(wrapped(f"time ({zone.name})", room), loc="left")
