"""What a run came to, in short: states by task, when it went on, the ends of each metric's range."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from sciflow.analysis.observations import VALUE, Coverage, Metric, Observations, Sample
from sciflow.analysis.repeats import means
from sciflow.analysis.table import RunTable
from sciflow.model.state import State
from sciflow.run.track import observe
from sciflow.store.columns import Table


@dataclass(frozen=True)
class Extreme:
    """The smallest or the largest value of a metric, and where it is.

    Attributes
    ----------
    metric
        Of which.
    is_largest
        Whether it is the largest.
    value
        The value; where there are repeats, their mean.
    sd
        The standard deviation of the repeats; NaN for a single value.
    count
        Of how many values that is the mean.
    parameters
        Where it is: the parameters that are no repeats.
    ties
        How many other places have the very same value.
    """

    metric: Metric
    is_largest: bool
    value: float
    sd: float
    count: int
    parameters: Mapping[str, Any]
    ties: int = 0


@dataclass(frozen=True)
class Described:
    """The values of a metric, in short; the numbers are NaN where it has no finite number.

    Attributes
    ----------
    coverage
        How many instances have a value.
    mean, sd, smallest, median, largest
        Of the finite values, each instance counted once.
    example
        One of its values, where they are no numbers.
    """

    metric: Metric
    coverage: Coverage
    mean: float = math.nan
    sd: float = math.nan
    smallest: float = math.nan
    median: float = math.nan
    largest: float = math.nan
    example: str = ""


@dataclass(frozen=True)
class Span:
    """When the first attempt started and the last one ended, in seconds since the epoch; NaN where nothing is known."""

    start: float
    end: float

    @property
    def seconds(self) -> float:
        """How long it is."""
        return self.end - self.start


class Situation(NamedTuple):
    """How a run is, in words, and whether nothing more will happen by itself."""

    words: str
    is_over: bool


def situation_of(results: RunTable, states: Mapping[str, Mapping[State, int]]) -> Situation:
    """How a run is, by what was collected and by its directory.

    Parameters
    ----------
    results
        What was collected.
    states
        As of `states_by_task`.
    """
    there = {state for of_task in states.values() for state in of_task}
    if there == {State.COMPLETED}:
        return Situation("complete", True)
    if there and all(state.is_final for state in there):
        return Situation("ended with failures", True)
    if results.run.plan.is_file():
        status = observe(results.run)
        if status.is_driven:
            return Situation("running", False)
        if status.is_queued and not status.is_finished:
            return Situation("running" if State.RUNNING in there else "in the queue", False)
    return Situation("not finished", False)


def states_by_task(results: RunTable) -> dict[str, dict[State, int]]:
    """Task → state → how many of its instances have it; tasks and states in their own order."""
    found: dict[str, dict[State, int]] = {}
    table = results.tables.instances
    for task, state in zip(table["task"], table["state"], strict=True) if table.count else ():
        of_task = found.setdefault(task, {})
        of_task[State(state)] = of_task.get(State(state), 0) + 1
    return {task: {state: states[state] for state in State if state in states} for task, states in found.items()}


def span_of(results: RunTable) -> Span:
    """When a run has gone on, by its records."""
    table = results.tables.attempts
    times = [
        np.array([math.nan if one is None else float(one) for one in _column(table, name)]) for name in ("start", "end")
    ]
    known = [one[np.isfinite(one)] for one in times]
    if not len(known[0]):
        return Span(math.nan, math.nan)
    return Span(float(known[0].min()), float(np.concatenate(known).max()))


def _column(table: Table, name: str) -> Sequence[Any]:
    return table[name] if name in table else ()  # noqa: SIM401 - a table has no `get`


def described(observations: Observations, metric: str) -> Described:
    """The values of a metric, in short."""
    sample = observations.sample(metric)
    if not sample.is_numeric:
        example = next((one for one in sample.frame[VALUE] if one is not None), "")
        return Described(sample.metric, sample.coverage, example=str(example))
    values = sample.values
    values = values[np.isfinite(values)]
    if not len(values):
        return Described(sample.metric, sample.coverage)
    sd = float(values.std(ddof=1)) if len(values) > 1 else math.nan
    numbers = (values.mean(), sd, values.min(), np.median(values), values.max())
    mean, sd, smallest, median, largest = map(float, numbers)
    return Described(sample.metric, sample.coverage, mean, sd, smallest, median, largest)


def extremes(observations: Observations, metrics: Sequence[str] | None = None) -> list[Extreme]:
    """The smallest and the largest value of each metric that has numbers, and where they are.

    Parameters
    ----------
    observations
        In which to look.
    metrics
        Of which; of all where none are named.

    Raises
    ------
    ResultError
        For a metric that there is not; and one that is named and has no finite number.
    """
    found = []
    for name in observations.metrics if metrics is None else metrics:
        sample = observations.sample(name)
        if metrics is None and not (sample.is_numeric and np.isfinite(sample.values).any()):
            continue
        found += _ends(sample)
    return found


def _ends(sample: Sample) -> list[Extreme]:
    by = [one.name for one in sample.axes]
    frame = means(sample, by, "none")
    values = frame["mean"].to_numpy()
    found = []
    for is_largest in (False, True):
        place = int(values.argmax() if is_largest else values.argmin())
        row = frame.iloc[place]
        parameters = {name: frame[name].tolist()[place] for name in by}
        ties = int(np.count_nonzero(values == values[place])) - 1
        found.append(
            Extreme(
                sample.metric, is_largest, float(row["mean"]), float(row["sd"]), int(row["count"]), parameters, ties
            )
        )
    return found
