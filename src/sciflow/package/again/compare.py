"""A run made again beside the one that was packaged: instance by instance, value by value."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from sciflow.model.state import State
from sciflow.package.again.best import BestWatch, Watched
from sciflow.package.again.compared_values import (
    DIFFERENT,
    IGNORED,
    REPRODUCED,
    WITHIN,
    Compared,
    compare_datasets,
    compare_files,
    compare_scalars,
)
from sciflow.package.again.recorded import Instance, Key, RecordedRun, Values
from sciflow.package.again.tolerances import Tolerances
from sciflow.run.signatures import normalised

NOT_RUN, PARTLY = "not run", "partly run"
LEFT_OUT = "left out"  # of the sample
NOTHING_THERE = "nothing to compare"  # what is packaged has no outcome of it
METRIC, RESULT, FILE = "metric", "result", "file"
MOST_SHOWN = 5  # worst instances of a value
_MOST_NAMED = 20  # instances that have another outcome, or none
# What a program came to. The rest is what happened to it: a node that failed says nothing of the program.
OUTCOMES = ("COMPLETED", "FAILED", "OUT_OF_MEMORY", "TIMEOUT", "CRITERIA_NOT_MET", "UPSTREAM_FAILED")
_SEVERITY = (IGNORED, REPRODUCED, WITHIN, DIFFERENT)


@dataclass(frozen=True)
class Worst:
    """One value that differs, and where."""

    number: int
    parameters: Mapping[str, Any]
    compared: Compared


@dataclass
class ComparedValue:
    """All values of one name, of all instances of a task.

    Attributes
    ----------
    task, name, kind
        Whose, its name, and whether it is a ``metric``, a ``result`` or a ``file``.
    rule
        How much it may differ, in words.
    counts
        Verdict → how many instances.
    absolute, relative
        The largest differences of those that differ by a number, which may be at two places.
    worst
        The instances that differ most for their size, those beyond the tolerance first.
    largest
        The instance of the largest absolute difference; None where none is a number.
    """

    task: str
    name: str
    kind: str
    rule: str
    counts: dict[str, int] = field(default_factory=dict)
    absolute: float = 0.0
    relative: float = 0.0
    worst: list[Worst] = field(default_factory=list)
    largest: Worst | None = None

    @property
    def verdict(self) -> str:
        """That of the worst instance; ``not compared`` where that was asked for."""
        return max(self.counts, key=_SEVERITY.index, default=REPRODUCED)

    def add(self, instance: Instance, compared: Compared) -> None:
        """Count one instance in."""
        self.counts[compared.verdict] = self.counts.get(compared.verdict, 0) + 1
        if compared.verdict not in (WITHIN, DIFFERENT):
            return
        found = Worst(instance.number, instance.parameters, compared)
        if not math.isnan(compared.absolute):
            if self.largest is None or compared.absolute > self.absolute:
                self.largest = found
            self.absolute = max(self.absolute, compared.absolute)
            self.relative = max(self.relative, compared.relative)
        self.worst.append(found)
        self.worst.sort(key=lambda one: _rank(one.compared), reverse=True)
        del self.worst[MOST_SHOWN:]


def _rank(one: Compared) -> tuple[int, float]:
    return _SEVERITY.index(one.verdict), math.inf if math.isnan(one.relative) else one.relative


@dataclass(frozen=True)
class Outcome:
    """An instance that came to something else than before, or to nothing.

    Attributes
    ----------
    there, here
        Its state and error in the package, and now.
    """

    task: str
    number: int
    parameters: Mapping[str, Any]
    verdict: str
    there: str
    here: str


@dataclass
class Comparison:
    """What comes of the comparison of two runs.

    Attributes
    ----------
    values
        Of each task and name, in order.
    instances
        Verdict → how many task instances.
    outcomes
        The first of those that came to something else than before, or to nothing.
    new
        Task and name of values that are not in the package.
    strange
        How many instances were run that the package does not have.
    seeds
        How many instances started from another seed of sciflow's.
    best
        Where the metrics that the workflow shows are best, there and here.
    """

    values: list[ComparedValue] = field(default_factory=list)
    instances: dict[str, int] = field(default_factory=dict)
    outcomes: list[Outcome] = field(default_factory=list)
    new: list[tuple[str, str]] = field(default_factory=list)
    strange: int = 0
    seeds: int = 0
    best: list[Watched] = field(default_factory=list)

    @property
    def overall(self) -> str:
        """The verdict on all that was to be run: as the worst of it, and ``partly run`` where some was not.

        Where nothing of what was run was compared, since somebody asked for that, it is ``not compared``.
        """
        count = self.instances.get
        if count(DIFFERENT):
            return DIFFERENT
        if not any(count(one) for one in (REPRODUCED, WITHIN)):
            return IGNORED if count(IGNORED) else NOT_RUN
        if count(NOT_RUN):
            return PARTLY
        return WITHIN if count(WITHIN) else REPRODUCED

    @property
    def ignored(self) -> list[str]:
        """The values that were not compared, since somebody asked for that."""
        return [f"{one.task}.{one.name}" for one in self.values if one.verdict == IGNORED]


def compare_runs(there: RecordedRun, here: RecordedRun, tolerances: Tolerances, is_sample: bool = False) -> Comparison:
    """Compare a run that was made again with the one that was packaged.

    One record of each is open at a time, whatever the number of instances.

    Parameters
    ----------
    there
        The packaged run.
    here
        The new one.
    tolerances
        How much values may differ.
    is_sample
        Not all was to be run again: what the new run does not have was left out on purpose.
    """
    return _Comparing(there, here, tolerances, is_sample).compared()


class _Comparing:
    """The comparison as it goes on."""

    def __init__(self, there: RecordedRun, here: RecordedRun, tolerances: Tolerances, is_sample: bool) -> None:
        self._there, self._here, self._tolerances, self._is_sample = there, here, tolerances, is_sample
        self._found = Comparison()
        self._values: dict[tuple[str, str], ComparedValue] = {}
        self._new: dict[tuple[str, str], None] = {}
        self._best = BestWatch(there.manifest, there.tables.metrics, there.tables.facts.get("metric_tasks", {}))

    def compared(self) -> Comparison:
        for key in self._there:
            verdict = self._instance(key)
            self._found.instances[verdict] = self._found.instances.get(verdict, 0) + 1
        self._found.values = list(self._values.values())
        self._found.new = list(self._new)
        self._found.strange = sum(key not in self._there for key in self._here)
        self._found.best = self._best.found(self._tolerances)
        return self._found

    def _instance(self, key: Key) -> str:
        there = self._there.instance(key)
        here = self._here.instance(key) if key in self._here else None
        is_out = here is None or here.gathers != there.gathers
        if self._is_sample and is_out:
            return LEFT_OUT
        if there.state not in OUTCOMES:
            return NOTHING_THERE
        if here is None:
            return self._outcome(there, NOT_RUN, "it is not in the run that was made now")
        if is_out:
            return self._outcome(there, NOT_RUN, "it gathers other instances than before")
        if here.state not in OUTCOMES:
            return self._outcome(there, NOT_RUN, _ending(here))
        if there.state != here.state:
            # What ran there and does not run here has no result that could differ.
            return self._outcome(there, NOT_RUN if there.state == "COMPLETED" else DIFFERENT, _ending(here))
        if not State(there.state).is_success:
            errors = [(one.error_type, normalised(one.error)) for one in (there, here)]
            is_same = errors[0] == errors[1] or there.state == "UPSTREAM_FAILED"
            return REPRODUCED if is_same else self._outcome(there, DIFFERENT, _ending(here))
        return self._compare_values(there, self._there.values(there), self._here.values(here))

    def _outcome(self, there: Instance, verdict: str, here: str) -> str:
        named = sum(one.verdict == verdict for one in self._found.outcomes)
        if named < _MOST_NAMED:
            found = Outcome(there.task, there.number, there.parameters, verdict, _ending(there), here)
            self._found.outcomes.append(found)
        return verdict

    def _compare_values(self, instance: Instance, there: Values, here: Values) -> str:
        self._found.seeds += there.seed != here.seed
        self._best.see(instance, there.metrics, here.metrics)
        verdicts = set()
        for name, kind, compared in self._each(instance.task, there, here):
            value = self._values.get((instance.task, name))
            if value is None:
                rule = self._tolerances.rule(instance.task, name)
                value = ComparedValue(instance.task, name, kind, str(rule))
                self._values[instance.task, name] = value
            value.add(instance, compared)
            verdicts.add(compared.verdict)
        # What leaves nothing at all has come to the same end as before.
        return max(verdicts, key=_SEVERITY.index, default=REPRODUCED)

    def _each(self, task: str, there: Values, here: Values) -> Iterator[tuple[str, str, Compared]]:
        both = {
            METRIC: (there.metrics, here.metrics),
            RESULT: (there.results, here.results),
            FILE: (there.files, here.files),
        }
        elsewhere = {name: kind for kind, (_, found) in both.items() for name in found}
        known = {name for found, _ in both.values() for name in found}
        self._new |= dict.fromkeys((task, name) for name in elsewhere if name not in known)
        for kind, (before, now) in both.items():
            for name, value in before.items():
                rule = self._tolerances.rule(task, name)
                if rule.is_ignored:
                    yield name, kind, Compared(IGNORED)
                elif name not in now:
                    why = f"a {kind} became a {elsewhere[name]}" if name in elsewhere else "it is not there any more"
                    yield name, kind, Compared(DIFFERENT, math.nan, math.nan, why)
                elif kind == METRIC:
                    yield name, kind, compare_scalars(value, now[name], rule)
                elif kind == RESULT:
                    yield name, kind, compare_datasets(value, now[name], rule)
                else:
                    yield name, kind, compare_files(value, now[name])


def _ending(one: Instance) -> str:
    error = ": ".join(part for part in (one.error_type, one.error.partition("\n")[0]) if part)
    return f"{one.state}: {error}" if error else one.state
