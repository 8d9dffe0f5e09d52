"""Several runs of one workflow as one: every combination once, with where it is from."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from sciflow.analysis.forms import RUN
from sciflow.analysis.levels import codes_of, groups_of, kind_of, levels_of, told_apart
from sciflow.analysis.observations import STATE, Metric, Observations, Parameter
from sciflow.errors import ResultError
from sciflow.model.state import State
from sciflow.store.columns import Column

Name = tuple[str, str]  # task, and what it calls the metric


def joined(parts: Sequence[Observations], absent: Mapping[str, Any] | None = None) -> Observations:
    """The combinations of several runs of one workflow, each once.

    Of the same combination in several runs, a completed one counts, and of these the newest by the runs' ids; what a
    task has measured for several combinations is the newest as well. That values differ is noted.

    Parameters
    ----------
    parts
        The observations of each run.
    absent
        Parameter → the value that it had in runs from before it was varied.

    Returns
    -------
    Observations
        With a column ``run`` (``run_id`` where that is a parameter or metric).

    Raises
    ------
    ResultError
        For runs of different workflows, with different parameters, or whose metrics have different units.
    """
    if not parts:
        raise ResultError("there is no run to join", hint="give one or more runs")
    _check_workflows(parts)
    ordered = sorted(parts, key=lambda one: one.runs)
    names = _parameter_names(ordered, absent or {})
    filled = [_filled(one, names, absent or {}) for one in ordered]
    metrics = _metrics(filled)
    parameters = _parameters(names, filled)
    column = RUN if RUN not in {*names, *metrics} else "run_id"
    whole = pd.concat([_frame(one, names, metrics, column) for one in filled], ignore_index=True)
    for name in names:
        whole[name] = pd.Series(told_apart(whole[name].tolist()), dtype=object)
        parameters[name] = _with_levels(parameters[name], whole[name], [one.parameters[name] for one in filled])
    codes = [codes_of(whole[name], parameters[name].levels) for name in names]
    notes = [note for one in filled for note in one.notes]
    notes += [_settle(whole, metric, parameters) for metric in metrics.values()]
    frame = whole.take(_chosen(whole, codes)).reset_index(drop=True)
    for name in (*names, *metrics):
        frame[name] = Column.of(frame[name].tolist(), is_exact=name in parameters).to_array()
    runs = tuple(dict.fromkeys(run for one in filled for run in one.runs))
    design = {one.design for one in filled}
    return Observations(
        frame,
        parameters,
        metrics,
        filled[0].workflow,
        runs,
        design.pop() if len(design) == 1 else None,
        tuple(dict.fromkeys(filter(None, notes))),
    )


def _check_workflows(parts: Sequence[Observations]) -> None:
    workflows = {one.workflow: one.runs for one in parts}
    if len(workflows) > 1:
        told = ", ".join(f"`{name}` ({' '.join(runs)})" for name, runs in workflows.items())
        raise ResultError(f"these are runs of different workflows: {told}", hint="join runs of one workflow")


def _parameter_names(parts: Sequence[Observations], absent: Mapping[str, Any]) -> list[str]:
    """All parameters; the newest run says their order."""
    names = list(dict.fromkeys(name for one in reversed(parts) for name in one.parameters))
    for name in absent:
        if name not in names:
            raise ResultError(f"`{name}` is no parameter of any of these runs", hint=f"they have {', '.join(names)}")
    for one in parts:
        lacking = [name for name in names if name not in one.parameters and name not in absent]
        if lacking:
            values = ", ".join(f'"{name}": …' for name in lacking)
            raise ResultError(
                f"run {' '.join(one.runs)} has no parameter {', '.join(f'`{name}`' for name in lacking)}",
                hint=f"say which value it had there: absent={{{values}}}",
            )
    return names


def _filled(one: Observations, names: Sequence[str], absent: Mapping[str, Any]) -> Observations:
    """The same with the parameters that it did not vary."""
    lacking = [name for name in names if name not in one.parameters]
    if not lacking:
        return one
    frame = one.frame.assign(**{name: pd.Series([absent[name]] * len(one), dtype=object) for name in lacking})
    new = {name: Parameter(name, (absent[name],), kind_of([absent[name]])) for name in lacking}
    told = ", ".join(f"{name} = {absent[name]!r}" for name in lacking)
    return replace(
        one,
        frame=frame,
        parameters={**one.parameters, **new},
        notes=(*one.notes, f"{told} in run {' '.join(one.runs)}, which does not vary it"),
        _samples={},
    )


def _parameters(names: Sequence[str], parts: Sequence[Observations]) -> dict[str, Parameter]:
    """What parameters are for, as the newest run has it that varies them; drawn where any has drawn them."""
    found = {}
    for name in names:
        known = [one.parameters[name] for one in parts]
        newest = next((one for one in reversed(known) if len(one.levels) > 1), known[-1])
        found[name] = replace(newest, is_sampled=any(one.is_sampled for one in known))
    return found


def _with_levels(parameter: Parameter, column: Iterable[Any], known: Sequence[Parameter]) -> Parameter:
    """With the levels of all runs: numbers from the smallest up, others as the newest run has them."""
    levels = levels_of(column)
    if kind_of(levels) == "category":
        levels = levels_of(levels, [level for one in reversed(known) for level in one.levels if level is not None])
    return replace(parameter, levels=levels, kind=kind_of(levels))


def _bare(metric: Metric) -> Name:
    return metric.task, metric.name.removeprefix(f"{metric.task}.")


def _metrics(parts: Sequence[Observations]) -> dict[str, Metric]:
    """All metrics: bare where one task has the name, else with their task; the parameters are those of all runs."""
    found: dict[Name, list[Metric]] = {}
    for one in parts:
        for metric in one.metrics.values():
            found.setdefault(_bare(metric), []).append(metric)
    tasks_of: dict[str, list[str]] = {}
    for task, bare in found:
        tasks_of.setdefault(bare, []).append(task)
    names = list(parts[-1].parameters)
    metrics = {}
    for (task, bare), known in found.items():
        units = {one.unit for one in known if one.unit}
        if len(units) > 1:
            told = " and ".join(sorted(units))
            raise ResultError(
                f"`{task}.{bare}` has different units in these runs: {told}", hint="join runs that measure the same"
            )
        depends = {name for one in known for name in one.parameters}
        title = bare if len(tasks_of[bare]) == 1 and bare not in names else f"{task}.{bare}"
        metrics[title] = Metric(title, task, tuple(name for name in names if name in depends), next(iter(units), None))
    return metrics


def _frame(one: Observations, names: Sequence[str], metrics: Mapping[str, Metric], column: str) -> pd.DataFrame:
    own = {_bare(metric): name for name, metric in one.metrics.items()}
    columns: dict[str, Any] = {}
    for name in names:
        # From the levels, where whole numbers beside None are no floats.
        levels = one.parameters[name].levels
        columns[name] = [levels[code] for code in codes_of(one.frame[name], levels).tolist()]
    for title, metric in metrics.items():
        name = own.get(_bare(metric))
        columns[title] = _cells(one.frame[name]) if name else [None] * len(one)
    columns[STATE] = one.frame[STATE].tolist()
    columns[column] = one.frame[column].tolist() if len(one.runs) > 1 else list(one.runs) * len(one)
    return pd.DataFrame({name: pd.Series(values, dtype=object) for name, values in columns.items()})


def _cells(column: Any) -> list[Any]:
    """The values as Python has them; None where there is none."""
    return column.astype(object).where(column.notna(), None).tolist()


def _chosen(frame: pd.DataFrame, codes: Sequence[np.ndarray]) -> np.ndarray:
    """Of the rows of each combination a completed one, and of these the last; at the place of the first."""
    completed = (frame[STATE] == State.COMPLETED.value).to_numpy()
    order, starts = groups_of([*codes], len(frame))
    chosen, first = [], []
    for rows in np.split(order, starts[1:]):
        best = rows[completed[rows]] if completed[rows].any() else rows
        chosen.append(best[-1])
        first.append(rows[0])
    return np.array(chosen, dtype=np.int64)[np.argsort(first, kind="stable")]


def _settle(frame: pd.DataFrame, metric: Metric, parameters: Mapping[str, Parameter]) -> str:
    """Let the newest value of an instance count for all that share it; what is said where values differ."""
    name = metric.name
    codes = [codes_of(frame[one], parameters[one].levels) for one in metric.parameters]
    there = np.flatnonzero(frame[name].notna().to_numpy() & (frame[STATE] == State.COMPLETED.value).to_numpy())
    order, starts = groups_of([one[there] for one in codes], len(there))
    values = frame[name].to_numpy(dtype=object).copy()
    differing = 0
    for group in np.split(there[order], starts[1:]) if len(there) else []:
        newest = values[group[-1]]
        if any(values[row] != newest for row in group[:-1]):
            differing += 1
            values[group] = newest
    if not differing:
        return ""
    frame[name] = pd.Series(values, dtype=object)
    what = "value differs" if differing == 1 else "values differ"
    return f"{name}: {differing} {what} between runs; the newest counts"
