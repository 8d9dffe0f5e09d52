"""Options that profiles and tasks give: where a job goes, on whose account, and what is set up for it."""

from __future__ import annotations

import re
from typing import Annotated, Any

from pydantic import AfterValidator

from sciflow.model.fields import Names
from sciflow.model.options import Options
from sciflow.model.validation import Value

# What stands in a directive is read by the scheduler, not by a shell; a blank or a quote would end it.
_WORD = re.compile(r"[A-Za-z0-9_.,:@%+=/&|*()\[\]!~-]+")


def _word(value: str | None) -> str | None:
    if value is not None and not _WORD.fullmatch(value):
        raise ValueError(
            f"{value!r} cannot stand in a scheduler's directive: no blanks, quotes, `#` or control characters"
        )
    return value


def _directives(value: tuple[str, ...]) -> tuple[str, ...]:
    for text in value:
        if not text.startswith("-") or not text.isprintable():
            raise ValueError(f"{text!r} is no directive; write one option of the scheduler, like `--exclusive`")
    return value


Word = Annotated[str | None, AfterValidator(_word)]
Directives = Annotated[Names, AfterValidator(_directives)]


class SiteOptions(Value):
    """Words for the scheduler that a profile gives for all tasks and a task for itself."""

    partition: Word = None
    account: Word = None
    qos: Word = None
    reservation: Word = None
    constraint: Word = None
    licenses: Word = None
    gpu_type: Word = None
    directives: Directives = ()


class SetUp(Value):
    """What is set up on the node before a program starts: modules to load, and lines of bash."""

    modules: Names = ()
    setup: Names = ()


def joined(*given: SiteOptions | SetUp) -> Options:
    """The options that hold: later words override earlier ones, lists are joined."""
    found: dict[str, Any] = {}
    for options in given:
        for name in Options._fields:
            value = getattr(options, name, None)
            if isinstance(value, tuple):
                found[name] = found.get(name, ()) + value
            elif value is not None:
                found[name] = value
    return Options(**found)
