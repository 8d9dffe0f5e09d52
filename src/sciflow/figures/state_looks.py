"""How states look: each by a colour, a hatch and a letter of its own, so that they are told apart in grey, too."""

from __future__ import annotations

from typing import Any, NamedTuple

from matplotlib.patches import Patch

from sciflow.model.state import State


class StateLook(NamedTuple):
    """How a state is told from the others."""

    colour: str
    hatch: str
    letter: str


LOOKS: dict[State, StateLook] = {
    State.COMPLETED: StateLook("#cfe8f7", "", ""),
    State.FAILED: StateLook("#D55E00", "////", "F"),
    State.TIMEOUT: StateLook("#E69F00", "\\\\\\\\", "T"),
    State.OUT_OF_MEMORY: StateLook("#CC79A7", "xxxx", "M"),
    State.NODE_FAIL: StateLook("#000000", "", "N"),
    State.PREEMPTED: StateLook("#009E73", "....", "P"),
    State.CRITERIA_NOT_MET: StateLook("#F0E442", "++++", "C"),
    State.UPSTREAM_FAILED: StateLook("#a6a6a6", "||||", "U"),
    State.CANCELLED: StateLook("#737373", "----", "X"),
    State.RUNNING: StateLook("#0072B2", "", "R"),
    State.PENDING: StateLook("#ffffff", "", "·"),
    State.UNKNOWN: StateLook("#d9d9d9", "oo", "?"),
}
EDGE = "#404040"
DARK = {State.NODE_FAIL, State.RUNNING, State.FAILED, State.CANCELLED}  # a letter on these is white


def words(state: State) -> str:
    """A state as it stands in a legend."""
    return state.value.lower().replace("_", " ")


def patch(state: State, **more: Any) -> Patch:
    """What stands for a state in a legend; its letter, where it has one, is told with it."""
    look = LOOKS[state]
    label = f"{words(state)} ({look.letter})" if look.letter else words(state)
    shown: dict[str, Any] = {"label": label, **more}
    return Patch(facecolor=look.colour, edgecolor=EDGE, hatch=look.hatch, linewidth=0.5, **shown)


def in_order(states: set[State]) -> list[State]:
    """States in the order of a legend."""
    return [one for one in LOOKS if one in states]
