"""What a report says of a run, as values: what templates lay out."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sciflow.analysis.efficiency import Efficiency, efficiency
from sciflow.analysis.observations import STATE, Coverage, Observations, Parameter
from sciflow.analysis.optima.best import Best, best_of
from sciflow.analysis.overview import (
    Described,
    Extreme,
    Span,
    described,
    extremes,
    situation_of,
    span_of,
    states_by_task,
)
from sciflow.analysis.statistics.effects import effects
from sciflow.analysis.table import RunTable
from sciflow.errors import ResultError
from sciflow.model.state import State
from sciflow.report.failures import Failures, failures_of
from sciflow.report.surroundings import Surroundings, surroundings_of
from sciflow.report.text import value_text
from sciflow.store.layout import read_document

MOST_ROWS = 500  # combinations that are listed
_MOST_LEVELS = 8
_MOST_METRICS = 4  # whose effects are shown
_MOST_TERMS = 6
_MOST_CELLS = 5_000  # of a metric, beyond which fitting takes longer than a report may


@dataclass(frozen=True)
class ParameterFacts:
    """A parameter: its values in words, how many there are, and what part it plays."""

    name: str
    count: int
    values: str
    part: str


@dataclass(frozen=True)
class TaskFacts:
    """A task: what it does, on what it depends, and how its instances are."""

    name: str
    does: str
    after: Sequence[str]
    parameters: Sequence[str]
    states: Mapping[State, int]

    @property
    def total(self) -> int:
        """How many instances it has."""
        return sum(self.states.values())


@dataclass(frozen=True)
class EffectFacts:
    """How the variation of a metric is shared among parameters and pairs of them.

    Attributes
    ----------
    shares
        Parameter, or pair → its share of the sum of squares, the largest first.
    notes
        What a reader must know of them, or why there are none.
    """

    metric: str
    shares: Mapping[str, float]
    notes: Sequence[str]


@dataclass(frozen=True)
class Listed:
    """A table of combinations, the first of them.

    Attributes
    ----------
    columns, rows
        Parameters, metrics and state.
    total
        How many combinations there are.
    """

    columns: Sequence[str]
    rows: Sequence[Sequence[Any]]
    total: int


@dataclass(frozen=True)
class Facts:
    """What a report says of a run, but for its figures.

    Attributes
    ----------
    run, workflow, path
        Which.
    as_of
        Of what time this is, in seconds since the epoch.
    situation
        How the run is: ``complete``, ``running``, …
    is_over
        Whether nothing more will happen by itself.
    coverage
        How many of the combinations are completed.
    gathering
        What of the tasks that gather is not completed, in words.
    described, extremes
        Of each metric.
    best
        The best combinations, by the metrics that were asked for.
    effects
        How much the parameters change the first metrics.
    efficiency
        Task → what it used of what it asked for; the total is under the empty name.
    warnings, notes
        What was said as the run was made.
    """

    run: str
    workflow: str
    path: str
    as_of: float
    situation: str
    is_over: bool
    coverage: Coverage
    gathering: str
    span: Span
    parameters: Sequence[ParameterFacts]
    tasks: Sequence[TaskFacts]
    described: Sequence[Described]
    extremes: Sequence[Extreme]
    best: Sequence[Best]
    effects: Sequence[EffectFacts]
    failures: Failures
    efficiency: Mapping[str, Efficiency]
    surroundings: Surroundings
    combinations: Listed
    warnings: Sequence[str]
    notes: Sequence[str]


def facts_of(
    results: RunTable,
    observations: Observations,
    maximize: Sequence[str] = (),
    minimize: Sequence[str] = (),
    as_of: float | None = None,
) -> Facts:
    """What a report says of a run.

    Parameters
    ----------
    results
        What was collected of it.
    observations
        The same, as what was measured at which combination.
    maximize, minimize
        The metrics of which the largest and the smallest value is the best.
    as_of
        When it was collected; by default as its file says, or now.

    Raises
    ------
    ResultError
        For a metric that is named and that there is not, or that has no finite number.
    RunError
        Where files of the run are damaged.
    """
    best = [best_of(observations, metric, maximize=True) for metric in maximize]
    best += [best_of(observations, metric, maximize=False) for metric in minimize]
    manifest = read_document(results.run.manifest) if results.run.manifest.is_file() else {}
    states = states_by_task(results)
    situation = situation_of(results, states)
    has_plan = results.run.plan.is_file()
    return Facts(
        run=results.run.run_id,
        workflow=observations.workflow or str(manifest.get("workflow") or "a workflow"),
        path=str(results.run.path),
        as_of=_as_of(results) if as_of is None else as_of,
        situation=situation.words,
        is_over=situation.is_over,
        coverage=observations.coverage,
        gathering=results.described_gathering(),
        span=span_of(results),
        parameters=[_parameter(one) for one in observations.parameters.values()],
        tasks=_tasks(manifest, states),
        described=[described(observations, metric) for metric in observations.metrics],
        extremes=extremes(observations),
        best=best,
        effects=list(_effects(observations)),
        failures=failures_of(results),
        efficiency=_efficiency(results) if has_plan else {},
        surroundings=surroundings_of(results, manifest),
        combinations=_listed(observations),
        warnings=[str(one) for one in manifest.get("warnings", ())],
        notes=[*(str(one) for one in manifest.get("notes", ())), *observations.notes],
    )


def _as_of(results: RunTable) -> float:
    return results.run.results.stat().st_mtime if results.tables.is_kept else time.time()


def _parameter(one: Parameter) -> ParameterFacts:
    parts = [
        *(["repeats"] if one.is_repeat else []),
        *(["sampled"] if one.is_sampled else []),
        *([f"follows from {', '.join(one.behind)}"] if one.is_derived else []),
    ]
    levels = [value_text(level) or "none" for level in one.levels]
    if len(levels) <= _MOST_LEVELS:
        told = ", ".join(levels)
    elif one.kind == "number":
        told = f"{levels[0]}, {levels[1]}, …, {[*(x for x in levels if x != 'none')][-1]}"
    else:
        told = f"{', '.join(levels[: _MOST_LEVELS - 1])}, …"
    return ParameterFacts(one.name, len(levels), told, "; ".join(parts) or "axis")


def _tasks(manifest: Mapping[str, Any], states: Mapping[str, Mapping[State, int]]) -> list[TaskFacts]:
    known = manifest.get("tasks") or {}
    found = []
    for name in known or states:
        facts = known.get(name, {})
        does = str(facts.get("command") or facts.get("kind") or "")
        own = list(facts.get("parameters") or ())
        found.append(TaskFacts(name, does, list(facts.get("depends_on") or ()), own, states.get(name, {})))
    return found


def _effects(observations: Observations) -> Iterator[EffectFacts]:
    """Of the first metrics that have numbers, and depend on what was varied step by step."""
    count = 0
    for name in observations.metrics:
        sample = observations.sample(name)
        is_stepwise = sample.factors and not any(one.is_sampled for one in sample.factors)
        if count == _MOST_METRICS or not (is_stepwise and sample.is_numeric and len(sample.frame) <= _MOST_CELLS):
            continue
        try:
            sizes = effects(sample)
        except ResultError as error:
            yield EffectFacts(name, {}, [error.message])
            continue
        count += 1
        shares = dict(zip(sizes.sizes["term"].tolist(), sizes.sizes["eta2"].tolist(), strict=True))
        yield EffectFacts(name, dict(list(shares.items())[:_MOST_TERMS]), sizes.notes)


def _efficiency(results: RunTable) -> dict[str, Efficiency]:
    found = efficiency(results)
    return {**found.tasks, "": found.total} if found.tasks else {}


def _listed(observations: Observations) -> Listed:
    columns = [*observations.parameters, *observations.metrics, STATE]
    frame = observations.frame.reindex(columns=columns).head(MOST_ROWS)
    return Listed(columns, list(frame.itertuples(index=False, name=None)), len(observations))
