"""Samples and observations of columns, for tests of statistics."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import product
from typing import Any

import pandas as pd

from sciflow.analysis.observations import Metric, Observations, Parameter, Sample, kind_of, levels_of

# Tippett, L. H. C. (1950) Technological Applications of Statistics, Wiley, page 106; R has it as `warpbreaks`.
WARP_BREAKS = {
    ("A", "L"): (26, 30, 54, 25, 70, 52, 51, 26, 67),
    ("A", "M"): (18, 21, 29, 17, 12, 18, 35, 30, 36),
    ("A", "H"): (36, 21, 24, 18, 10, 43, 28, 15, 26),
    ("B", "L"): (27, 14, 29, 19, 29, 31, 41, 20, 44),
    ("B", "M"): (42, 26, 19, 16, 39, 28, 21, 39, 29),
    ("B", "H"): (20, 21, 24, 17, 13, 15, 15, 16, 28),
}

# NIST Statistical Reference Datasets, SiRstv: resistivity of silicon by five instruments.
RESISTIVITY = {
    1: (196.3052, 196.1240, 196.1890, 196.2569, 196.3403),
    2: (196.3042, 196.3825, 196.1669, 196.3257, 196.0422),
    3: (196.1303, 196.2005, 196.2889, 196.0343, 196.1811),
    4: (196.2795, 196.1748, 196.1494, 196.1485, 195.9885),
    5: (196.2119, 196.1051, 196.1850, 196.0052, 196.2090),
}


def observations_of_columns(
    parameters: Mapping[str, Any],
    metrics: Mapping[str, Any],
    repeats: Sequence[str] = (),
    sampled: Sequence[str] = (),
    design: str | None = None,
) -> Observations:
    """Observations of a single task; what has no first metric has failed."""
    first = next(iter(metrics.values()))
    states = ["FAILED" if value is None else "COMPLETED" for value in first]
    frame = pd.DataFrame({**parameters, **metrics, "state": states})
    known = {}
    for name, column in parameters.items():
        levels = levels_of(column)
        known[name] = Parameter(name, levels, kind_of(levels), name in repeats, name in sampled)
    told = {name: Metric(name, "work", tuple(parameters)) for name in metrics}
    return Observations(frame, known, told, "test", ("run",), design)


def sample_of_cells(cells: Mapping[tuple[Any, ...], Sequence[float]], names: Sequence[str]) -> Sample:
    """A sample of values for combinations of levels."""
    rows = [(*cell, seed, value) for cell, values in cells.items() for seed, value in enumerate(values)]
    columns = list(zip(*rows, strict=True))
    parameters = dict(zip([*names, "seed"], columns[:-1], strict=True))
    return observations_of_columns(parameters, {"y": columns[-1]}, repeats=["seed"]).sample("y")


def grid(function: Callable[..., Any], repeats: int = 1, **axes: Sequence[Any]) -> Observations:
    """Observations of a function on a grid; of the seed too where there are repeats."""
    all_axes = {**axes, "seed": range(repeats)} if repeats > 1 else axes
    points = [dict(zip(all_axes, point, strict=True)) for point in product(*all_axes.values())]
    columns = {name: [point[name] for point in points] for name in all_axes}
    return observations_of_columns(columns, {"y": [function(**point) for point in points]}, repeats=["seed"])
