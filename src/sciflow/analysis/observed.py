"""The observations of a run: its table of combinations, and what its manifest says of the parameters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from sciflow.analysis.designed import sampling_of
from sciflow.analysis.levels import kind_of, levels_of, told_apart
from sciflow.analysis.observations import Metric, Observations, Parameter
from sciflow.analysis.table import RunTable
from sciflow.model.state import State
from sciflow.store.columns import INT, Column
from sciflow.store.layout import read_document

_LARGEST_EXACT = 2**53  # above it not every whole number is a float


def observations_of(results: RunTable) -> Observations:
    """What was measured at which combination of a run."""
    manifest = read_document(results.run.manifest) if results.run.manifest.is_file() else {}
    facts, frame = results.tables.facts, results.to_dataframe()
    roles = _roles(manifest, results.parameters)
    tasks, units = facts.get("metric_tasks", {}), facts.get("units", {})
    metrics = {
        name: Metric(
            name,
            tasks.get(name, ""),
            tuple(results.parameters_of(name)),
            units.get(name, units.get(name.removeprefix(f"{tasks.get(name)}."))),
            _states(results, tasks.get(name, ""), results.parameters_of(name)),
        )
        for name in results.metrics
    }
    parameters = {}
    notes = []
    for name in results.parameters:
        # From the table, where whole numbers beside None have not become floats.
        written = results.tables.combinations[name]
        values = told_apart(written)
        if values is not written:
            notes.append(f"{name} has numbers and truth values: True and False are texts here")
        if values is not written or _loses_digits(results.tables.combinations.columns[name], values):
            frame[name] = pd.Series(values, dtype=object)
        parameters[name] = _parameter(name, values, roles)
    workflow, runs, sampling = facts.get("workflow", ""), (results.run.run_id,), sampling_of(manifest)
    return Observations(frame, parameters, metrics, workflow, runs, roles.get("design"), tuple(notes), sampling)


def _states(results: RunTable, task: str, names: Sequence[str]) -> dict[tuple[Any, ...], str]:
    """The states of the instances of a task that gathers, by their parameters; of those that are not completed."""
    if task not in results.gathering:
        return {}
    table = results.tables.instances
    rows = [row for row, one in enumerate(table["task"]) if one == task]
    states, columns = table["state"], [table[f"parameters.{name}"] for name in names]
    keys = {row: tuple(column[row] for column in columns) for row in rows}
    return {key: states[row] for row, key in keys.items() if states[row] != State.COMPLETED.value}


def _parameter(name: str, values: Sequence[Any], roles: Mapping[str, Any]) -> Parameter:
    levels, behind = levels_of(values), tuple(roles["derived"].get(name, ()))
    repeats = set(roles["repeats"])
    return Parameter(
        name,
        levels,
        kind_of(levels),
        # What follows from seeds alone repeats as they do.
        is_repeat=name in repeats or (bool(behind) and repeats.issuperset(behind)),
        is_sampled=name in roles["sampled"],
        behind=behind,
    )


def _loses_digits(column: Column, values: Sequence[Any]) -> bool:
    """Whether whole numbers beside None become floats which cannot hold them."""
    is_mixed = column.kind == INT and column.missing is not None
    return is_mixed and any(one is not None and abs(one) > _LARGEST_EXACT for one in values)


def _roles(manifest: Mapping[str, Any], names: list[str]) -> dict[str, Any]:
    """What parameters are; of a run from before that was written down, as far as its space tells."""
    if "roles" in manifest:
        return manifest["roles"]
    space = manifest.get("space", {})
    space = space.get("from", space)
    derived = {name: list(space.get("axes", {})) for name in space.get("derived", {}) if name in names}
    return {"repeats": [], "sampled": [], "design": None, "derived": derived}
