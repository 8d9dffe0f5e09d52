"""What the instances of a task should ask for the next time, by what they have used."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

from sciflow.analysis.chance import Spread
from sciflow.analysis.needed import Measured, Needs, needs_of
from sciflow.analysis.table import Results
from sciflow.errors import ResultError
from sciflow.model.advice import Advice, Wanted
from sciflow.planning.estimate import SPARE

CHANCE = 0.95
_MIB = 1024**2
_OWN = 16 * _MIB  # what sciflow itself holds beside the program
_MINUTE = 60


def advice_of(results: Results, chance: float = CHANCE) -> Advice:
    """What the instances of each task should ask for.

    Parameters
    ----------
    results
        What was measured.
    chance
        With which chance an instance is to be done within what it asks for.

    Raises
    ------
    ResultError
        For a chance that is none.
    """
    if not 0 < chance < 1:
        raise ResultError(f"`{chance}` is no chance", hint="give one between 0 and 1, such as 0.95")
    tasks = {task: found for task, needs in needs_of(results).items() if (found := _wanted(needs, chance)) is not None}
    return Advice(results.run.run_id, tasks)


def _wanted(needs: Needs, chance: float) -> Callable[[Mapping[str, Any]], Wanted] | None:
    spreads = {name: _spread(one) for name, one in (("memory", needs.memory), ("seconds", needs.seconds))}
    known = [one for one in spreads.values() if one is not None]
    if not known:
        return None
    each = 1 - (1 - chance) / len(known)  # both have to suffice
    memory, seconds = spreads["memory"], spreads["seconds"]
    failing = sum(1 - one.enough(each).chance for one in known)
    wanted = Wanted(
        memory_bytes=0 if memory is None else whole_memory(_amount(memory, each) + _OWN),
        runtime_seconds=0 if seconds is None else whole_seconds(_amount(seconds, each)),
        expected_seconds=0.0 if seconds is None else seconds.enough(0.5).amount,
        chance=max(0.0, 1 - failing),
    )
    return lambda _: wanted


def _spread(measured: Measured) -> Spread | None:
    return Spread(measured.values, measured.is_least) if measured.known else None


def _amount(spread: Spread, chance: float) -> float:
    enough = spread.enough(chance)
    return enough.amount if enough.is_shown else enough.amount * SPARE


def whole_memory(size: float) -> int:
    """Bytes to ask for: whole MiB."""
    return math.ceil(size / _MIB) * _MIB


def whole_seconds(seconds: float) -> int:
    """Seconds of walltime to ask for: whole minutes."""
    return math.ceil(seconds / _MINUTE) * _MINUTE
