"""No option does nothing: whatever a kind knows changes what it shows."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import pytest

from sciflow.analysis.observations import Observations
from sciflow.figures.numbers import Source
from sciflow.figures.picture import picture
from sciflow.model.visualization import KINDS, Kind, Visualization, needs_of, options_of
from unit.figures.machine_run import with_failures
from unit.figures.observed import UNITS, energy, grid, observed

LEAST: dict[str, Any] = {"value": "energy", "values": ("energy", "time"), "x_axis": "size", "y_axis": "field"}
# Of each option some values: what is so by itself may be said, too, so that one of them has to change something.
VALUES: dict[str, list[Any]] = {
    "value": ["energy"],
    "values": [("energy",)],
    "x_axis": ["field", "how"],
    "y_axis": ["field", "how"],
    "series": ["how"],
    "facet_by": [("how",), ("field",)],
    "title": ["A title"],
    "labels": [{"energy": "E", "size": "L", "time": "t"}],
    "select": [{"how": "a"}],
    "interval": ["none"],
    "confidence": [0.5],
    "x_scale": ["linear", "log"],
    "y_scale": ["linear", "log"],
    "value_scale": ["linear", "log"],
    "maximize": [("energy",)],
    "minimize": [("energy",)],
}


def measured() -> Observations:
    """Observe two metrics over three parameters and repeats."""
    columns = grid(size=[8, 16, 32, 64], field=[0.25, 0.4, 0.5, 0.6, 0.75], how=["a", "b"], seed=[1, 2, 3])
    made: dict[str, Any] = {
        "energy": lambda size, field, how, seed: energy(size, field) + (how == "a") + 0.1 * (seed * seed % 5),
        "time": lambda size, how, seed, **_: 100 - size + (how == "b") + 0.5 * (seed * seed % 7),
    }
    return observed(columns, made, repeats=["seed"], units=UNITS)


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "convergence"])
def test_each_option_changes_what_is_shown(kind: Kind, tmp_path: Path) -> None:
    """By itself; an interval and its confidence do so, too, where there are repeats."""
    source = Source(measured(), with_failures(tmp_path).results())
    least = {"type": kind, **{name: LEAST[name] for name in needs_of(kind)}}

    def shown(**more: Any) -> bytes:
        return pickle.dumps(picture(source, Visualization.model_validate({**least, **more})).numbers)

    before = shown()
    for name in options_of(kind):
        # The run has one task alone; that a metric is to be large is so by itself; and which lines are the best ones
        # shows where there are many of them.
        if name in (*least, "task", "value", "maximize") or (kind, name) == ("parallel", "minimize"):
            continue
        assert any(shown(**{name: value}) != before for value in VALUES[name]), f"`{name}` does nothing to a {kind}"
