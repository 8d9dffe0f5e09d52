"""Traps for what this process does with files: what happens when it opens, renames or removes one."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

_traps: list[Callable[[str, tuple[Any, ...]], None]] = []


class Killed(BaseException):
    """As if the process was killed: nothing in it learns of this, and no file is closed in order."""


def _hook(event: str, arguments: tuple[Any, ...]) -> None:
    for trap in _traps:
        trap(event, arguments)


@contextmanager
def trap(event: str, path: str, error: BaseException, skip: int = 0) -> Iterator[list[str]]:
    """Raise an error, once, in place of opening a file for writing, or renaming one to a path.

    Parameters
    ----------
    event
        ``open`` or ``os.rename``.
    path
        A regular expression.
    error
        What is raised.
    skip
        How often it goes well before.

    Yields
    ------
    list of str
        The paths at which the trap was passed, or has closed.
    """
    if not getattr(sys, "_is_trapped", False):
        sys.addaudithook(_hook)  # it cannot be taken away again
        sys._is_trapped = True  # type: ignore[attr-defined]
    passed: list[str] = []

    def look(what: str, arguments: tuple[Any, ...]) -> None:
        if what != event:
            return
        name = str(arguments[1 if what == "os.rename" else 0])
        if what == "open" and not set(str(arguments[1])) & set("wax+"):
            return
        if re.search(path, name) and len(passed) <= skip:
            passed.append(name)
            if len(passed) > skip:
                raise error

    _traps.append(look)
    try:
        yield passed
    finally:
        _traps.remove(look)
