"""How far advice can be trusted, in words."""

from __future__ import annotations

import math

from sciflow.analysis.advice.advise import TaskAdvice
from sciflow.analysis.advice.cores import Cores
from sciflow.analysis.advice.needed import Measured, Needs
from sciflow.model.state import State
from sciflow.model.units import format_duration

_OVER = 1.1  # times its cores that a task keeps busy when it runs more threads than it should


def notes_of(one: TaskAdvice) -> list[str]:
    """What there is to know of the advice for a task, beside the numbers."""
    needs, notes = one.needs, []
    stopped: dict[str, list[str]] = {}
    for what, sized, measured in (("memory", one.memory, needs.memory), ("time", one.seconds, needs.seconds)):
        least = len(measured) - measured.known
        if sized is None:
            notes.append(f"no {what} can be advised: {_why_unknown(needs, measured)}")
        elif least:
            stopped.setdefault(f"{least} of {len(measured)}", []).append(what)
    for count, whats in stopped.items():
        notes.append(f"stopped before the end: {count}; they count as more {' and '.join(whats)} than they had")
    notes += _about_chance(one)
    if outside := sum(one.is_outside(point) for point in one.points):
        sets = f"{outside} of {len(one.points)} values" if len(one.names) == 1 else f"{outside} sets of values"
        notes.append(f"{sets} of {', '.join(one.names)} lie outside of what was measured: for these it is a guess")
    if cached := sum(tried.is_cached for tried in needs.tried):
        notes.append(f"{cached} filled up their limit with page cache, which is not counted: only their processes are")
    if failed := needs.states.get(State.FAILED, 0):
        notes.append(f"{failed} FAILED by themselves: what they used is left out")
    return notes + (_about_cores(one.cores) if one.cores is not None else [])


def _why_unknown(needs: Needs, measured: Measured) -> str:
    if len(measured):
        return "all that ran were stopped before their end"
    return "the records tell of none" if needs.completed else "no instance is completed"


def _about_chance(one: TaskAdvice) -> list[str]:
    shown = one.shown(one.chance)
    if not one.is_known or shown >= one.chance - 1e-9:
        return []
    known = min(sized.measured.known for sized in (one.memory, one.seconds) if sized is not None)
    suffices = f"suffices with at least {math.floor(1000 * shown) / 1000:g}" if shown > 0 else "may suffice or not"
    return [f"{known} measured cannot show a chance of {one.chance:.12g}: what is asked for {suffices}"]


def _about_cores(cores: Cores) -> list[str]:
    notes, most = [], max(cores.given)
    if len(cores.given) > 1:
        told = ", ".join(f"{count}: {format_duration(seconds)}" for count, seconds in cores.seconds.items())
        notes.append(
            f"by how many cores there were, half took more than {told}; other parameters may have differed too"
        )
    elif cores.ask < most:
        notes.append(
            f"{cores.busy:.2f} of {most} cores were busy; how the time would change with their number cannot be known "
            "from one number"
        )
    if cores.is_waiting:
        notes.append("it waits for much of its time, for files perhaps: no request changes that")
    if cores.most_busy > _OVER * most:
        notes.append("it ran more threads than it had cores: set their number to what is asked for")
    return notes
