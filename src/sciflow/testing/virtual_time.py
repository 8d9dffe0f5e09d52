"""Virtual time for all of sciflow, in this process."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from types import FunctionType
from typing import Any
from unittest.mock import patch

from sciflow.schedulers.fake import values
from sciflow.schedulers.fake.clock import VirtualClock


class MovableClock(VirtualClock):
    """A virtual clock that tests move, and the cluster with it.

    Attributes
    ----------
    move
        Lets so many seconds pass; by default only this clock goes on.
    """

    move: Callable[[float], None] | None = None

    def advance(self, seconds: float = 0.0, *, minutes: float = 0.0, hours: float = 0.0, days: float = 0.0) -> None:
        """Let time pass, and all that is to happen meanwhile happen."""
        for name, value in (
            ("seconds", seconds), ("minutes", minutes), ("hours", hours), ("days", days),
        ):  # fmt: skip
            values.number(name, value)
        self.sleep(seconds + 60.0 * minutes + 3600.0 * hours + 86_400.0 * days)

    def sleep(self, seconds: float) -> None:
        """Let seconds pass, as `time.sleep` does."""
        if self.move is None:
            super().sleep(seconds)
        else:
            self.move(seconds)


@contextmanager
def virtual_time(clock: VirtualClock) -> Iterator[None]:
    """Let sciflow tell the time by a virtual clock, and sleep by it, while the block runs.

    Functions that take a clock have the real one as their default; who calls them in the middle of sciflow gives none.
    Programs of other processes, and job scripts that really run, have real time.
    """
    pause = clock.sleep
    places = {time.time: clock, time.monotonic: clock, time.sleep: pause}
    with other_defaults(places), patch.multiple("time", time=clock, monotonic=clock, sleep=pause):
        yield


@contextmanager
def other_defaults(places: Mapping[Any, Any]) -> Iterator[None]:
    """Let functions of sciflow have other functions as defaults of their parameters: those in place of these."""
    _exchange(places.items())
    try:
        yield
    finally:
        # Some may have been loaded meanwhile, which have never had another one.
        _exchange([(new, old) for old, new in places.items()])


def _exchange(pairs: Any) -> None:
    pairs = list(pairs)
    for function in _functions():
        defaults = function.__defaults__ or ()
        found = tuple(next((new for old, new in pairs if value is old), value) for value in defaults)
        if any(new is not old for new, old in zip(found, defaults, strict=True)):
            function.__defaults__ = found


def _functions() -> Iterator[FunctionType]:
    """All functions of sciflow that are loaded, methods among them."""
    for name, module in list(sys.modules.items()):
        if name.partition(".")[0] != "sciflow":
            continue
        for one in list(vars(module).values()):
            if isinstance(one, FunctionType):
                yield one
            elif isinstance(one, type) and one.__module__ == name:
                yield from (method for method in vars(one).values() if isinstance(method, FunctionType))
