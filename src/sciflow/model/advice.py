"""What instances of tasks should ask for, as it was learned from an earlier run."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any


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
        Task → parameter that is a number → the least and the most that it was in the run: what lies far outside is
        guessed, and a plan says so.
    """

    run: str
    tasks: Mapping[str, Callable[[Mapping[str, Any]], Wanted]] = field(default_factory=dict)
    names: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    seen: Mapping[str, Mapping[str, tuple[float, float]]] = field(default_factory=dict)
