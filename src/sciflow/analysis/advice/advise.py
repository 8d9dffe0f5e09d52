"""What the instances of a task should ask for the next time, by what they have used."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from sciflow.analysis.advice.chance import Spread
from sciflow.analysis.advice.cores import Cores, cores_of
from sciflow.analysis.advice.formula import formula_of
from sciflow.analysis.advice.law import Law
from sciflow.analysis.advice.needed import OWN_SECONDS, Needs, needs_of
from sciflow.analysis.advice.proposals import Proposal, proposals_of
from sciflow.analysis.advice.sized import Sized, size_memory, size_seconds
from sciflow.analysis.advice.terms import Levels
from sciflow.analysis.table import RunTable
from sciflow.errors import ResultError
from sciflow.model.advice import Advice, Seen, Wanted
from sciflow.model.resources import GIB
from sciflow.model.state import State
from sciflow.planning.estimate import GROWTH
from sciflow.run.track import read_plan

CHANCE = 0.95
CHANCES = (0.5, 0.9, 0.95, 0.99)
_HOUR = 3600.0
_MIB = 1024**2


@dataclass(frozen=True)
class Trade:
    """What a chance costs, where each instance asks for what it needs itself.

    Attributes
    ----------
    chance
        That an instance is done within what it asks for.
    is_shown
        Whether so many measurements can show it.
    memory_bytes, runtime_seconds
        The least and the most that one asks for; 0 for what nothing is known of.
    failures, is_most
        How many of the instances would be expected to fail of what is really asked for, rounded up; and whether that is
        the most, as of those that were measured none would.
    gigabyte_hours, core_hours
        What they would hold, with what fails and is tried again; NaN for what nothing is known of.
    """

    chance: float
    is_shown: bool
    memory_bytes: tuple[int, int]
    runtime_seconds: tuple[int, int]
    failures: float
    is_most: bool
    gigabyte_hours: float
    core_hours: float


class TaskAdvice:
    """What the instances of one task should ask for.

    Parameters
    ----------
    needs
        What is known of them.
    chance
        With which chance one is to be done within what it asks for.

    Attributes
    ----------
    memory, seconds, cores
        What is known of each; None for nothing.
    """

    def __init__(self, needs: Needs, chance: float) -> None:
        self.needs, self.chance = needs, chance
        known = bool(needs.memory.known) + bool(needs.seconds.known)
        # Both have to suffice: what may fail is shared between them.
        self._share = 1 / max(1, known)
        self.cores: Cores | None = cores_of(needs)
        self.memory = size_memory(needs, self.each(chance))
        seconds = size_seconds(needs, self.each(chance))
        stretch = self.cores.stretch if self.cores is not None else 1.0
        self.seconds = None if seconds is None else replace(seconds, stretch=stretch)
        self._wanted: dict[tuple[Any, ...], Wanted] = {}

    def each(self, chance: float) -> float:
        """The chance that memory and walltime have to have each, for both to suffice."""
        return 1 - (1 - chance) * self._share

    @property
    def is_known(self) -> bool:
        """Whether anything can be said."""
        return self.memory is not None or self.seconds is not None

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The parameters on which it depends what an instance should ask for."""
        found = {name for one in self._sized() for name in one.law.names}
        return tuple(name for name in self.needs.parameters if name in found)

    @cached_property
    def points(self) -> list[dict[str, Any]]:
        """The values of those parameters in the instances of the run, each set once."""
        columns = [self.needs.parameters[name] for name in self.names]
        rows = dict.fromkeys(zip(*columns, strict=True)) if columns else {(): None}
        return [dict(zip(self.names, row, strict=True)) for row in rows]

    @property
    def seen(self) -> dict[str, Seen]:
        """Parameter → what was measured of it, also where nothing follows from it."""
        rows = sorted({int(row) for one in self._sized() for row in one.measured.rows[~one.measured.is_least]})
        terms = [term for one in self._sized() if isinstance(one.law, Law) for term in one.law.terms]
        effects = {term.name: "power" for term in terms} | {t.name: "steps" for t in terms if isinstance(t, Levels)}
        return {
            name: Seen.of((values[row] for row in rows), effects.get(name, ""))
            for name, values in self.needs.parameters.items()
        }

    @property
    def unfinished(self) -> str:
        """How many instances have not ended yet, in words; empty if all have."""
        open_ones = sum(self.needs.states.get(state, 0) for state in (State.PENDING, State.RUNNING))
        if not open_ones:
            return ""
        return (
            f"{open_ones} of {self.needs.count} instances of `{self.needs.task}` have not ended yet: those that "
            "take longest are missing from what is known"
        )

    def is_outside(self, parameters: Mapping[str, Any]) -> bool:
        """Whether nothing like it was measured."""
        return any(one.law.is_outside(parameters) for one in self._sized())

    def shown(self, chance: float) -> float:
        """The chance that can be shown, of one that is wanted."""
        each = self.each(chance)
        return max(0.0, 1 - sum(1 - one.shown(each) for one in self._sized())) if self.is_known else 0.0

    def wanted(self, parameters: Mapping[str, Any]) -> Wanted:
        """What an instance should ask for."""
        key = tuple(_plain(parameters.get(name)) for name in self.names)
        if key not in self._wanted:
            each = self.each(self.chance)
            self._wanted[key] = Wanted(
                self.memory.ask(parameters, each) if self.memory else 0,
                math.ceil(self.seconds.exact(parameters, each) + OWN_SECONDS) if self.seconds else 0,
                self.cores.ask if self.cores else 0,
                self.seconds.middle(parameters) if self.seconds else 0.0,
                self.shown(self.chance),
            )
        return self._wanted[key]

    def whole(self, chance: float | None = None) -> tuple[int, int]:
        """The memory and the walltime that suffice for all instances of the run; 0 for what nothing is known of."""
        each = self.each(self.chance if chance is None else chance)
        return (
            max(self.memory.ask(one, each) for one in self.points) if self.memory else 0,
            max(self.seconds.ask(one, each) for one in self.points) if self.seconds else 0,
        )

    def trade(self, chance: float) -> Trade:
        """What a chance costs, where each instance asks for what it needs itself."""
        memory, seconds = self._asked(self.memory, chance), self._asked(self.seconds, chance)
        failing, is_most = self._failing(memory, seconds)
        cores = (self.cores.ask or self.cores.given[-1]) if self.cores else math.nan
        return Trade(
            chance,
            self.shown(chance) >= chance - 1e-9,
            (min(memory), max(memory)),
            (min(seconds), max(seconds)),
            failing * self.needs.count,
            is_most,
            self.gigabyte_hours(chance) * (1 + failing * GROWTH),
            sum(self._hours) * cores * (1 + failing * GROWTH),
        )

    def _asked(self, sized: Sized | None, chance: float) -> list[int]:
        """What the instances with each set of parameters ask for."""
        return [sized.ask(one, self.each(chance)) for one in self.points] if sized else [0]

    def _failing(self, memory: Sequence[int], seconds: Sequence[int]) -> tuple[float, bool]:
        """The share of instances for which this is not enough, by those that were measured; and if none of them is."""
        shares: dict[int, float] = {}
        least: dict[int, bool] = {}
        for sized, asked in ((self.memory, memory), (self.seconds, seconds)):
            if sized is None:
                continue
            for row, share, is_least in sized.shares(lambda row, asked=asked: asked[self._point_of[row]]):
                shares[row] = max(share, shares.get(row, 0.0))
                least[row] = is_least or least.get(row, False)
        if not shares or all(least.values()):
            return math.nan, False
        found = np.array(list(shares.values()))
        chance = Spread(found, np.array(list(least.values()))).chance_of(1.0)
        return 1 - chance, bool(found.max() <= 1.0)

    @cached_property
    def _point_of(self) -> list[int]:
        """Instance → the place of its parameters among `points`."""
        columns = [self.needs.parameters[name] for name in self.names]
        places = {tuple(one.values()): place for place, one in enumerate(self.points)}
        return [places[row] for row in zip(*columns, strict=True)] if columns else [0] * self.needs.count

    def gigabyte_hours(self, chance: float | None = None, is_same: bool = False) -> float:
        """What all instances hold, where each asks for what it needs itself, or all for the same; NaN for not known."""
        if not self.memory:
            return math.nan
        chance = self.chance if chance is None else chance
        memory = self._asked(self.memory, chance)
        return (
            sum((max(memory) if is_same else size) * hours for size, hours in zip(memory, self._hours, strict=True))
            / GIB
        )

    def request(self, is_each: bool = False) -> dict[str, Any]:
        """What to write under `resources` in a workflow: the same for all, or expressions where there are any."""
        memory, seconds = self.whole()
        found: dict[str, Any] = {"cpu_cores": self.cores.ask} if self.cores and self.cores.ask else {}
        formulas = self.formulas if is_each else {}
        if "memory_gb" in formulas:
            found["memory_gb"] = formulas["memory_gb"]
        elif memory:
            found["memory"] = f"{memory // _MIB}M"
        if "max_runtime_hours" in formulas:
            found["max_runtime_hours"] = formulas["max_runtime_hours"]
        elif seconds:
            found["max_runtime"] = f"{seconds // 60} min"
        return found

    @cached_property
    def formulas(self) -> dict[str, str]:
        """Field of a request → expression over parameters that gives what an instance should ask for."""
        found = {}
        for field, sized, unit in (("memory_gb", self.memory, GIB), ("max_runtime_hours", self.seconds, _HOUR)):
            if sized is None or not isinstance(sized.law, Law):
                continue
            least = 1 / 60 if field == "max_runtime_hours" else 0.0
            each, law = self.each(self.chance), sized.law
            if len({sized.ask(one, each) for one in self.points}) == 1:
                continue  # less than can be asked for, such as seconds
            is_short = bool(least) and any(law.most(one, each) * sized.stretch < 60 for one in self.points)
            points = self._points_of(law.names)
            if text := formula_of(law, each, points, unit / sized.stretch, round(least + 5e-5, 4) if is_short else 0.0):
                found[field] = text
        return found

    def _points_of(self, names: Sequence[str]) -> list[dict[str, Any]]:
        rows = dict.fromkeys(tuple(point[name] for name in names) for point in self.points)
        return [dict(zip(names, row, strict=True)) for row in rows]

    def _sized(self) -> list[Sized]:
        return [one for one in (self.memory, self.seconds) if one is not None]

    @cached_property
    def _hours(self) -> list[float]:
        """The hours that all instances with each set of parameters would take together."""
        if self.seconds is None:
            return [math.nan] * len(self.points)
        columns = [self.needs.parameters[name] for name in self.names]
        counts = Counter(zip(*columns, strict=True) if columns else [()] * self.needs.count)
        return [counts[tuple(one.values())] * self.seconds.middle(one) / _HOUR for one in self.points]


@dataclass(frozen=True)
class RunAdvice:
    """What the tasks of a run should ask for the next time.

    Attributes
    ----------
    run
        The run's id.
    chance
        With which chance an instance is to be done within what it asks for.
    tasks
        Task → what is to be said of it; in running order.
    proposals
        What else could be done.
    """

    run: str
    chance: float
    tasks: dict[str, TaskAdvice]
    proposals: tuple[Proposal, ...]

    def to_advice(self) -> Advice:
        """As a plan takes it."""
        known = {task: one for task, one in self.tasks.items() if one.is_known}
        return Advice(
            self.run,
            {task: one.wanted for task, one in known.items()},
            {task: one.names for task, one in known.items()},
            {task: one.seen for task, one in known.items()},
            {task: (text,) for task, one in known.items() if (text := one.unfinished)},
        )


def advise(results: RunTable, chance: float = CHANCE) -> RunAdvice:
    """What the tasks of a run should ask for the next time.

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
    tasks = {task: TaskAdvice(needs, chance) for task, needs in needs_of(results).items()}
    plan = read_plan(results.run)
    return RunAdvice(results.run.run_id, chance, tasks, tuple(proposals_of(plan, tasks)))


def advice_of(results: RunTable, chance: float = CHANCE) -> Advice:
    """What the instances of each task should ask for, as a plan takes it; see `advise`."""
    return advise(results, chance).to_advice()


def _plain(value: Any) -> Any:
    # 1 and True are the same key, but not the same value.
    return (type(value) is bool, tuple(value) if isinstance(value, list) else value)
