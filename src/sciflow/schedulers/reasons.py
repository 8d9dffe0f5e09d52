"""Why something waits: in plain words, what a person can do about it, and which limit it is that binds."""

from __future__ import annotations

import shlex
from dataclasses import dataclass, replace
from typing import Literal

Holder = Literal["account", "QOS", "partition", "queue", "server"]
Of = Literal["all", "account", "user", "project", "group", "job", "node"]


@dataclass(frozen=True)
class Limit:
    """One limit of a site.

    Attributes
    ----------
    holder
        Whose limit it is.
    of
        Of what it is counted: of all jobs together, of those of an account or user, of one job, or of it on one node.
    what
        What is counted, in plain words: ``CPUs``, ``memory``, ``jobs``.
    resource
        The same in the scheduler's word, by which its value is looked up.
    minutes
        Whether it is that times minutes: `spent` so far, or `reserved` by what runs; empty where it is not.
    is_least
        Whether it is the least that may be asked for, and not the most.
    """

    holder: Holder
    of: Of
    what: str
    resource: str
    minutes: Literal["", "spent", "reserved"] = ""
    is_least: bool = False


@dataclass(frozen=True)
class Reason:
    """Why something waits.

    Attributes
    ----------
    text
        In plain words, as the end of a sentence about what waits.
    advice
        What a person can do about it; empty for nothing but wait. Commands in it have ``<job>``, ``<waiting>`` for
        those of its indices that wait, ``<count>`` for how many it has, ``<run>`` and ``<index>``; see `advise`.
    limit
        The limit that binds; None where it is none.
    is_hopeless
        Whether it will wait for ever unless something is changed.
    detail
        What the scheduler says besides, such as numbers that change from one look to the next.
    """

    text: str
    advice: str = ""
    limit: Limit | None = None
    is_hopeless: bool = False
    detail: str = ""

    def advise(self, **words: str) -> Reason:
        """The same with an advice whose commands can be typed as they stand there: `job`, `run` and so on are said."""
        advice = self.advice
        for name, word in words.items():
            advice = advice.replace(f"<{name}>", shlex.quote(word))
        return replace(self, advice=advice)
