"""Virtual time for all of sciflow, in this process."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FunctionType
from typing import Any
from unittest.mock import patch

from sciflow.schedulers.fake.clock import VirtualClock


@contextmanager
def virtual_time(clock: VirtualClock) -> Iterator[None]:
    """Let sciflow tell the time by a virtual clock, and sleep by it, while the block runs.

    Functions that take a clock have the real one as their default; who calls them in the middle of sciflow gives none.
    """
    places = {time.time: clock, time.monotonic: clock, time.sleep: clock.sleep}
    with other_defaults(places), patch.multiple("time", time=clock, monotonic=clock, sleep=clock.sleep):
        yield


@contextmanager
def other_defaults(places: dict[Any, Any]) -> Iterator[None]:
    """Let functions of sciflow have other functions as defaults of their parameters: those in place of these."""
    changed = []
    for function in _functions():
        defaults = function.__defaults__ or ()
        found = tuple(next((new for old, new in places.items() if value is old), value) for value in defaults)
        if any(new is not old for new, old in zip(found, defaults, strict=True)):
            changed.append((function, defaults))
            function.__defaults__ = found
    try:
        yield
    finally:
        for function, defaults in changed:
            function.__defaults__ = defaults


def _functions() -> Iterator[FunctionType]:
    """All functions of sciflow that are loaded, methods among them."""
    for name, module in list(sys.modules.items()):
        if name.partition(".")[0] != "sciflow":
            continue
        for one in vars(module).values():
            if isinstance(one, FunctionType):
                yield one
            elif isinstance(one, type) and one.__module__ == name:
                yield from (method for method in vars(one).values() if isinstance(method, FunctionType))
