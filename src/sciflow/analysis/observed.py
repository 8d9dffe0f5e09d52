"""The observations of a run: its table of combinations, and what its manifest says of the parameters."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sciflow.analysis.observations import Metric, Observations, Parameter, kind_of, levels_of
from sciflow.analysis.table import RunTable
from sciflow.store.layout import read_document


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
        )
        for name in results.metrics
    }
    parameters = {}
    for name in results.parameters:
        # From the table, where whole numbers beside None have not become floats.
        levels = levels_of(results.tables.combinations[name])
        parameters[name] = Parameter(
            name,
            levels,
            kind_of(levels),
            is_repeat=name in roles["repeats"],
            is_sampled=name in roles["sampled"],
            behind=tuple(roles["derived"].get(name, ())),
        )
    return Observations(
        frame, parameters, metrics, facts.get("workflow", ""), (results.run.run_id,), roles.get("design")
    )


def _roles(manifest: Mapping[str, Any], names: list[str]) -> dict[str, Any]:
    """What parameters are; of a run from before that was written down, as far as its space tells."""
    if "roles" in manifest:
        return manifest["roles"]
    space = manifest.get("space", {})
    space = space.get("from", space)
    derived = {name: list(space.get("axes", {})) for name in space.get("derived", {}) if name in names}
    return {"repeats": [], "sampled": [], "design": None, "derived": derived}
