"""Observations as an xarray dataset: parameters as dimensions where they make a grid."""

from __future__ import annotations

import importlib
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, get_args

import numpy as np

from sciflow.analysis.forms import RUN
from sciflow.analysis.levels import codes_of, groups_of
from sciflow.analysis.observations import STATE, Observations
from sciflow.errors import ResultError

if TYPE_CHECKING:
    import xarray

    from sciflow.analysis.arrays import ResultArrays

Layout = Literal["auto", "grid", "combinations"]
_LEAST_FILLED = 0.5  # share of the cells of a grid that have a combination
_COMBINATION = "combination"
_MOST_CELLS = 100_000_000
_ABSENT: Mapping[str, Any] = {
    "b": False,
    "i": 0,
    "u": 0,
    "O": None,
    "U": "",
    "M": np.datetime64("NaT"),
    "m": np.timedelta64("NaT"),
}


@dataclass(frozen=True)
class Axes:
    """How observations lie in a dataset.

    Attributes
    ----------
    sizes
        Dimension → its length.
    along
        Parameter → the dimensions along which it varies.
    cells
        Dimension → where along it each row is.
    """

    sizes: Mapping[str, int]
    along: Mapping[str, tuple[str, ...]]
    cells: Mapping[str, np.ndarray]

    def dimensions(self, parameters: Sequence[str]) -> tuple[str, ...]:
        """The dimensions along which these parameters vary, in order."""
        wanted = {dimension for name in parameters for dimension in self.along[name]}
        return tuple(name for name in self.sizes if name in wanted)

    def shape(self, dimensions: Sequence[str]) -> tuple[int, ...]:
        """Their lengths."""
        return tuple(self.sizes[name] for name in dimensions)

    def places(self, dimensions: Sequence[str]) -> np.ndarray:
        """Where each row is in an array of these dimensions that has been flattened."""
        if not dimensions:
            return np.zeros(len(next(iter(self.cells.values()), np.zeros(1))), dtype=np.int64)
        return np.ravel_multi_index([self.cells[name] for name in dimensions], self.shape(dimensions))


def dataset_of(observations: Observations, layout: Layout = "auto") -> tuple[xarray.Dataset, Axes]:
    """The observations as a dataset, and how they lie in it.

    Raises
    ------
    ResultError
        Where xarray is not installed, and where there is no such layout.
    """
    xarray = _xarray()
    axes = axes_of(observations, layout)
    frame = observations.frame
    coordinates: dict[str, Any] = {}
    for name, parameter in observations.parameters.items():
        own = axes.along[name]
        if own == (name,):
            coordinates[name] = (own, _as_array(list(parameter.levels)))
        else:
            coordinates[name] = (own, _spread(frame[name], axes, own))
    variables = {}
    for metric in observations.metrics.values():
        own = axes.dimensions(metric.parameters)
        facts = {"task": metric.task, "coverage": str(observations.sample(metric.name).coverage)}
        if metric.unit:
            facts["units"] = metric.unit
        variables[metric.name] = (own, _spread(frame[metric.name], axes, own), facts)
    everywhere = tuple(axes.sizes)
    for name in (STATE, RUN):
        if name in frame and name not in {*observations.parameters, *variables}:
            variables[name] = (everywhere, _spread(frame[name], axes, everywhere, ""))
    facts = {
        "workflow": observations.workflow,
        "runs": ", ".join(observations.runs),
        "completed": str(observations.coverage),
    }
    return xarray.Dataset(variables, coordinates, facts), axes


def axes_of(observations: Observations, layout: Layout = "auto") -> Axes:
    """How observations lie in a dataset: on the grid of their parameters, or one after another.

    Raises
    ------
    ResultError
        For another layout, and for a grid that they do not make.
    """
    if layout not in get_args(Layout):
        raise ResultError(f"`layout` is {layout!r}", hint="known are auto, grid and combinations")
    if layout != "combinations":
        axes = _grid(observations)
        why = axes if isinstance(axes, str) else _sparse(observations, axes) if layout == "auto" else ""
        if not isinstance(axes, str) and not why:
            return axes
        if layout == "grid":
            raise ResultError(f"these combinations make no grid: {why}", hint="`select` a part of them that does")
    name = _COMBINATION
    while name in observations.parameters or name in observations.metrics:
        name += "_"
    count = len(observations)
    return Axes({name: count}, dict.fromkeys(observations.parameters, (name,)), {name: np.arange(count)})


def _grid(observations: Observations) -> Axes | str:
    """How they lie on a grid; or why they do not."""
    parameters, frame = observations.parameters, observations.frame
    for one in parameters.values():
        if None in one.levels:
            return f"`{one.name}` is not used everywhere"
        if one.is_sampled and len(one.levels) > 1:
            return f"`{one.name}` was sampled"
    codes = {name: codes_of(frame[name], one.levels) for name, one in parameters.items()}
    along: dict[str, tuple[str, ...]] = {}
    for name, one in parameters.items():
        if not (one.is_derived and set(one.behind) <= set(parameters)):
            along[name] = (_twin(name, along, codes, observations) or name,)
    dimensions = [name for name, own in along.items() if own == (name,)]
    for name in parameters:
        if name not in along:
            wanted = {along[axis][0] for axis in parameters[name].behind if axis in along}
            along[name] = tuple(one for one in dimensions if one in wanted)
    sizes = {name: len(parameters[name].levels) for name in dimensions}
    if math.prod(sizes.values()) > _MOST_CELLS:
        return f"it would have {math.prod(sizes.values())} cells for {len(observations)} combinations"
    axes = Axes(sizes, along, {name: codes[name] for name in dimensions})
    if len(np.unique(axes.places(dimensions))) < len(observations):
        return "several of them are at the same place"
    return axes


def _twin(
    name: str, along: Mapping[str, tuple[str, ...]], codes: Mapping[str, np.ndarray], observations: Observations
) -> str | None:
    """The dimension with which a parameter moves, value by value, as in `zip`."""
    levels = len(observations.parameters[name].levels)
    for other, own in along.items():
        if own == (other,) and levels == len(observations.parameters[other].levels) > 1:
            pairs = len(groups_of([codes[name], codes[other]], len(observations))[1])
            if pairs == levels:
                return other
    return None


def _sparse(observations: Observations, axes: Axes) -> str:
    cells = math.prod(axes.sizes.values())
    return "" if len(observations) >= _LEAST_FILLED * cells else f"only {len(observations)} of {cells} cells have one"


def _spread(column: Any, axes: Axes, own: Sequence[str], absent: Any = None) -> np.ndarray:
    """The values of a column in an array of some dimensions; of rows that share a cell, one that has its value."""
    there = column.notna().to_numpy()
    shape = axes.shape(own)
    places = axes.places(own)[there]
    values = column.to_numpy(dtype=None if column.dtype.kind in "biuf" else object)[there]
    is_whole = len(np.unique(places)) == math.prod(shape)
    if column.dtype.kind == "O":
        values = _as_array(values.tolist())
    if values.dtype.kind in "biu" and not is_whole:
        values = values.astype(float)
    if values.dtype.kind == "f":
        made = np.full(math.prod(shape), np.nan)
    elif is_whole:
        made = np.empty(math.prod(shape), dtype=values.dtype)
    else:
        values, made = values.astype(object), np.full(math.prod(shape), absent, dtype=object)
    made[places] = values
    return made.reshape(shape)


def with_arrays(
    dataset: xarray.Dataset, axes: Axes, observations: Observations, arrays: ResultArrays
) -> xarray.Dataset:
    """The dataset with result arrays, all of which are read: along the dimensions of their task, then their own.

    Raises
    ------
    ResultError
        Where their shapes differ.
    """
    stacked = arrays.stack()
    names = arrays.depends
    own = axes.dimensions(names)
    places, size = axes.places(own), math.prod(axes.shape(own))
    levels = [observations.parameters[name].levels for name in names]
    known = [
        codes_of([one[name] for one in arrays.parameters.values()], own)
        for name, own in zip(names, levels, strict=True)
    ]
    row_of = {key: row for row, key in enumerate(zip(*known, strict=True))} if names else {(): 0}
    rows = [codes_of(observations.frame[name], own) for name, own in zip(names, levels, strict=True)]
    keys = zip(*rows, strict=True) if names else [()] * len(observations)
    chosen = np.array([row_of.get(key, -1) for key in keys], dtype=np.int64)
    there = chosen >= 0
    if stacked.dtype.kind in "biu" and len(np.unique(places[there])) < size:
        stacked = stacked.astype(float)  # of what is missing
    made = np.full((size, *stacked.shape[1:]), _ABSENT.get(stacked.dtype.kind, np.nan), dtype=stacked.dtype)
    made[places[there]] = stacked[chosen[there]]
    title = arrays.name if arrays.name not in dataset else f"{arrays.task}.{arrays.name}"
    inner = tuple(f"{title}_{number}" for number in range(stacked.ndim - 1))
    facts = {"task": arrays.task, **({"units": arrays.unit} if arrays.unit else {})}
    return dataset.assign({title: ((*own, *inner), made.reshape(*axes.shape(own), *stacked.shape[1:]), facts)})


def _as_array(values: Sequence[Any]) -> np.ndarray:
    """Numbers and truth values as such, all else as objects: tuples, too, are single values."""
    kinds = set(map(type, values))
    if kinds and (kinds <= {int, float} or kinds == {bool}):
        return np.array(values)
    made = np.empty(len(values), dtype=object)
    for place, one in enumerate(values):
        made[place] = one
    return made


def _xarray() -> Any:
    try:
        return importlib.import_module("xarray")
    except ImportError as error:
        raise ResultError("xarray is not installed", hint="pip install 'sciflow[xarray]'") from error
