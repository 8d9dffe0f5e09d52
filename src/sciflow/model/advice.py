"""What instances of tasks should ask for, as it was learned from an earlier run."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from sciflow.model.values import canonical_text

MANY = 6  # values among which no difference was found: others will be like them
_FAR = 0.5  # of the range that was seen: what lies no further outside than that is like it


@dataclass(frozen=True)
class Wanted:
    """What one instance of a task should ask for; 0 for what nobody knows anything about.

    Attributes
    ----------
    memory_bytes, runtime_seconds, cpu_cores
        What to ask for.
    expected_seconds
        How long it will run, in the middle: half of all such instances take longer.
    chance
        The chance that it is done within that: from 0 to 1.
    """

    memory_bytes: int = 0
    runtime_seconds: int = 0
    cpu_cores: int = 0
    expected_seconds: float = 0.0
    chance: float = 0.0


class Told(Enum):
    """How much a run tells of a value of a parameter."""

    ENOUGH = "enough"
    GUESS = "a guess"
    NOTHING = "nothing"


@dataclass(frozen=True)
class Seen:
    """What a run has seen of a parameter of a task.

    Attributes
    ----------
    least, most
        Between which it was, as far as it was a number; NaN where it never was.
    others
        Its other values, as canonical JSON.
    count
        How many different values it had.
    effect
        How what an instance needs follows from it: by a ``power``, by ``steps`` from value to value, or, if empty, not
        as far as could be seen.
    """

    least: float
    most: float
    others: tuple[str, ...]
    count: int
    effect: str = ""

    @classmethod
    def of(cls, values: Iterable[Any], effect: str = "") -> Seen:
        """Gather what was seen, by all values that were measured."""
        known = {canonical_text(value): value for value in values}
        numbers = [value for value in known.values() if _is_number(value)]
        others = tuple(text for text, value in known.items() if not _is_number(value))
        least, most = (min(numbers), max(numbers)) if numbers else (math.nan, math.nan)
        return cls(least, most, others, len(known), effect)

    def tells(self, value: Any) -> Told:
        """How much is known of a value: of what lies far outside at most what the law of what lies inside says."""
        is_like_all = not self.effect and self.count >= MANY
        if not _is_number(value) or math.isnan(self.least):
            return Told.ENOUGH if is_like_all or canonical_text(value) in self.others else Told.NOTHING
        room = _FAR * (self.most - self.least)
        if is_like_all or self.least - room <= value <= self.most + room:
            return Told.ENOUGH
        return Told.GUESS if self.least < self.most and self.effect != "steps" else Told.NOTHING


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


@dataclass(frozen=True)
class Advice:
    """What the tasks of a workflow should ask for.

    Attributes
    ----------
    run
        The run that it was learned from, for messages.
    tasks
        Task → parameters of one of its instances → what that should ask for. A task that nothing is known of is not
        there.
    names
        Task → the parameters that it depends on; all of the task's where nothing is said. What a plan of many
        combinations asks for is asked once for each set of their values.
    seen
        Task → parameter that it had in the run → what was seen of it: what lies far outside is guessed or unknown, and
        a plan says so. Of a task that is not there every value counts as seen.
    remarks
        Task → what a plan should warn of.
    """

    run: str
    tasks: Mapping[str, Callable[[Mapping[str, Any]], Wanted]] = field(default_factory=dict)
    names: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    seen: Mapping[str, Mapping[str, Seen]] = field(default_factory=dict)
    remarks: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
