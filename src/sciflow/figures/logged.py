"""Series that the instances of a task have logged, step by step, with the parameters of each."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from sciflow.analysis.observations import STATE, VALUE, Metric, Observations, Sample
from sciflow.analysis.table import RunTable
from sciflow.errors import ResultError
from sciflow.model.nearest import nearest

ENDING = ".series"  # of what `log_metric` leaves with steps
_LINEAR, _GEOMETRIC = 300, 150  # points that stay of a long series


class Series(NamedTuple):
    """Steps, and a value at each; NaN where it was not finite."""

    steps: np.ndarray
    values: np.ndarray


class Logged(NamedTuple):
    """All series of a name.

    Attributes
    ----------
    sample
        A row per instance; ``value`` is the series' position, missing where there is none.
    series
        By position.
    notes
        What is said of them.
    """

    sample: Sample
    series: list[Series]
    notes: tuple[str, ...]


def find_series(table: RunTable, value: str, task: str | None) -> tuple[str, str]:
    """The task and the array that a name means: a series that was logged, or an array.

    Raises
    ------
    ResultError
        Where there is none, or several tasks have it.
    """
    arrays = table.tables.table("arrays")
    known = list(dict.fromkeys(zip(arrays.get("task", []), arrays.get("name", []), strict=True)))
    tasks = list(dict.fromkeys(one for one, _ in known))
    if task is not None and task not in tasks:
        raise ResultError(f"no completed instance of `{task}` has logged a series", hint=nearest(task, tasks))
    found = []
    for its, name in known:
        bare = name.removesuffix(ENDING)
        if value in (name, bare, f"{its}.{name}", f"{its}.{bare}") and task in (None, its):
            found.append((its, name))
    if not found:
        names = [name.removesuffix(ENDING) for its, name in known if task in (None, its)]
        raise ResultError(
            f"there is no series `{value}`",
            hint=nearest(value, dict.fromkeys(names))
            or f"log one in the task's function: `context.log_metric({value!r}, number, step)`",
        )
    if len({its for its, _ in found}) > 1:
        told = " and ".join(f"`{its}`" for its, _ in found)
        raise ResultError(f"{told} have a series `{value}`", hint="say which by `task`")
    return next((one for one in found if one[1].endswith(ENDING)), found[0])


def logged(table: RunTable, observations: Observations, value: str, task: str | None) -> tuple[Observations, Logged]:
    """Read the series of a name.

    Returns
    -------
    tuple
        Observations with a row per instance of the task, of which the metric `value` is the series' position; and
        the series.
    """
    owner, name = find_series(table, value, task)
    instances = table.tables.instances
    own = table.tables.facts.get("task_parameters", {}).get(owner, table.parameters)
    names = [one for one in table.parameters if one in own]
    rows = [place for place, one in enumerate(instances["task"]) if one == owner]
    numbers = instances.get("number", list(range(len(instances["task"]))))
    place = {numbers[row]: position for position, row in enumerate(rows)}
    series: list[Series] = []
    position = np.full(len(rows), np.nan)
    bad, longest = 0, 0
    for number, array in table.each_array(owner, name):
        if number not in place:
            continue
        one = _read(array, name)
        bad += not np.isfinite(one.values).all()
        longest = max(longest, len(one.steps))
        if len(one.steps):
            position[place[number]] = len(series)
            series.append(_thinned(one))
    columns = {one: [instances[f"parameters.{one}"][row] for row in rows] for one in names}
    frame = pd.DataFrame(
        {one: pd.Series(values, dtype=object) for one, values in columns.items()}, index=range(len(rows))
    )
    frame[value] = position
    frame[STATE] = [str(instances["state"][row]) for row in rows]
    metric = Metric(value, owner, tuple(names), table.tables.facts.get("units", {}).get(name.removesuffix(ENDING)))
    parameters = {one: observations.parameters[one] for one in names}
    made = Observations(frame, parameters, {value: metric}, observations.workflow, observations.runs)
    notes = []
    if bad:
        notes.append(f"{bad} of {len(series)} series have values that are not finite, which are left out")
    kept = _LINEAR + _GEOMETRIC
    if longest > kept:
        notes.append(f"of up to {longest:,} steps, about {kept} are shown")
    return made, Logged(made.sample(value), series, tuple(notes))


def of_rows(found: Logged, sample: Sample) -> list[Series]:
    """The series of some rows."""
    places = sample.frame[VALUE].to_numpy(dtype=float)
    return [found.series[int(place)] for place in places[np.isfinite(places)]]


def _read(array: Any, name: str) -> Series:
    if array.dtype.kind not in "iufb" or not (array.ndim == 1 or (array.ndim == 2 and array.shape[1] == 2)):
        raise ResultError(
            f"`{name}` is no series: it has the shape {tuple(array.shape)} and the type {array.dtype}",
            hint="a series is a row of numbers, or rows of a step and a number",
        )
    if array.ndim == 1:
        steps, values = np.arange(len(array), dtype=float), array.astype(float)
    else:
        steps, values = array[:, 0].astype(float), array[:, 1].astype(float)
        order = np.argsort(steps, kind="stable")
        steps, values = steps[order], values[order]
        is_last = np.append(np.diff(steps) > 0, True)[: len(steps)]  # of a step that came again, the last value counts
        steps, values = steps[is_last], values[is_last]
    there = np.isfinite(steps)
    return Series(steps[there], np.where(np.isfinite(values), values, np.nan)[there])


def _thinned(one: Series) -> Series:
    """Some of the points of a long series: evenly by number, and more of the first ones, for logarithmic axes."""
    kept = chosen(len(one.steps))
    return Series(one.steps[kept], one.values[kept])


def chosen(count: int) -> np.ndarray:
    """The positions that stay of so many."""
    if count <= _LINEAR + _GEOMETRIC:
        return np.arange(count)
    even, first = np.linspace(0, count - 1, _LINEAR), np.geomspace(1, count, _GEOMETRIC) - 1
    return np.unique(np.round(np.concatenate([even, first])).astype(int))
