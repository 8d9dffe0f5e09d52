"""What a scheduler says of an array index, in sciflow's words and in its own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from sciflow.model.state import State


class Statement(NamedTuple):
    """What one witness says of one array index.

    Attributes
    ----------
    state
        In sciflow's words.
    word
        In the scheduler's own.
    reason
        Why it waits, or by whom or how it was ended.
    start, end : float or None
        Seconds since the epoch; for one that waits, when it is expected to start.
    node
        Where it runs or ran.
    exit
        The exit code, as the scheduler writes it.
    """

    state: State
    word: str
    reason: str = ""
    start: float | None = None
    end: float | None = None
    node: str = ""
    exit: str = ""


ByIndex = Mapping[int, Statement]
REST = -1  # stands for the indices of a job of which nothing else is said


@dataclass
class Testimony:
    """The answers of all witnesses to one question about several jobs.

    Attributes
    ----------
    answers
        Witness → job → index → statement. A witness that did not answer is not among them.
    errors
        Witness → why it did not answer.
    """

    answers: dict[str, dict[str, dict[int, Statement]]] = field(default_factory=dict)
    errors: dict[str, str] = field(default_factory=dict)


CONTROLLER, ACCOUNTING = "controller", "accounting"
