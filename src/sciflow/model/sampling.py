"""Sampling: distributions of parameters, and points drawn from them together."""

from __future__ import annotations

import math
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from sciflow.errors import WorkflowError
from sciflow.model.screening import SCREENING_METHODS, described_points, points_of, screening_points
from sciflow.model.values import is_number, read_value, value_document, whole_number

if TYPE_CHECKING:
    import numpy as np

DISTRIBUTIONS = ("uniform", "loguniform", "integers", "choice")
METHODS = ("random", "lhs", "sobol", *SCREENING_METHODS)
OPTIONS = {"saltelli": {"second_order"}, "morris": {"levels"}}
MOST_LEVELS = 100
MOST_POINTS = 10_000_000
LARGEST_SEED = 2**64


class Distribution(NamedTuple):
    """What one axis of a sampled space is drawn from: two bounds, or the options of a choice."""

    kind: str
    details: tuple[Any, ...]

    def to_document(self) -> dict[str, Any]:
        """Write the distribution as it may be read again."""
        return {self.kind: [value_document(value) for value in self.details]}

    def at(self, unit: Sequence[float]) -> list[Any]:
        """Stretch points of the unit interval to this distribution."""
        if self.kind == "choice":
            last = len(self.details) - 1
            return [self.details[min(last, int(u * len(self.details)))] for u in unit]
        low, high = self.details
        if self.kind == "integers":
            return [min(high, low + int(u * (high - low + 1))) for u in unit]
        if self.kind == "uniform":
            return [min(high, max(low, low * (1 - u) + high * u)) for u in unit]
        start, stop = math.log(low), math.log(high)
        return [min(high, max(low, math.exp(start + u * (stop - start)))) for u in unit]


@dataclass(frozen=True)
class SampleDesign:
    """How a space is sampled.

    Attributes
    ----------
    method
        One of `METHODS`.
    count
        How many points; by ``saltelli`` how many base points, by ``morris`` how many trajectories.
    seed
        What the points follow from.
    second_order
        For ``saltelli``, whether the design can tell interactions of two parameters.
    levels
        For ``morris``, how many levels the grid has on which trajectories go.
    """

    method: str
    count: int
    seed: int
    second_order: bool = True
    levels: int = 4

    @property
    def is_screening(self) -> bool:
        """Whether it is a design for sensitivity analysis, whose points have an order and may repeat."""
        return self.method in SCREENING_METHODS

    def points(self, dimensions: int) -> int:
        """How many points it has for so many axes."""
        return points_of(self.method, self.count, dimensions, self.second_order) if self.is_screening else self.count

    def to_document(self) -> dict[str, Any]:
        """Write the design as it may be read again; the points follow from it."""
        options = {name: getattr(self, name) for name in sorted(OPTIONS.get(self.method, ()))}
        return {"method": self.method, "count": self.count, "seed": self.seed, **options}


def read_distribution(kind: str, details: Any, place: str) -> Distribution:
    """Read ``{uniform: [low, high]}``, ``loguniform`` and ``integers`` likewise, or ``{choice: [...]}``.

    Raises
    ------
    WorkflowError
        For bounds that are no bounds.
    """
    items = list(details) if isinstance(details, (list, tuple)) else []
    values = tuple(read_value(item, f"{place}: `{kind}` {position}") for position, item in enumerate(items))
    if kind == "choice":
        if not values or len(set(values)) != len(values):
            raise WorkflowError(f"{place} has the choice {details!r}", hint="give a list of different values")
        return Distribution(kind, values)
    if len(values) != 2 or not all(is_number(value) for value in values):
        raise WorkflowError(f"{place} has {kind} {details!r}", hint=f"write {kind}: [low, high], in numbers")
    low, high = values
    if kind == "integers":
        if not (isinstance(low, int) and isinstance(high, int) and low <= high):
            raise WorkflowError(
                f"{place} has integers {details!r}", hint="give two whole numbers, the lower one first; both can occur"
            )
        return Distribution(kind, values)
    if low >= high or (kind == "loguniform" and low <= 0):
        hint = "give the lower bound first" + (", above 0" if kind == "loguniform" else "")
        raise WorkflowError(f"{place} has {kind} {details!r}", hint=hint)
    return Distribution(kind, (float(low), float(high)))


def read_design(written: Any, where: str) -> SampleDesign:
    """Read ``{method: sobol, count: 256, seed: 1}``.

    Raises
    ------
    WorkflowError
        For an unknown method, a count that is none, or other keys.
    """
    place = f"{where}: `sample`"
    known = {"method", "count", "seed"}
    if not isinstance(written, Mapping) or not {"method", "count"} <= set(written):
        raise WorkflowError(
            f"{place} is {written!r}", hint=f"write {{method: {_either(METHODS)}, count: n}}, and maybe `seed`"
        )
    method = written["method"]
    if method not in METHODS:
        raise WorkflowError(f"{place} has the method {method!r}", hint=f"known are {', '.join(METHODS)}")
    options = OPTIONS.get(method, set())
    if unknown := sorted(set(map(str, written)) - known - options):
        raise WorkflowError(
            f"{place} is {written!r}: `{method}` has no `{unknown[0]}`",
            hint=f"it has {', '.join(sorted(known | options))}",
        )
    count = whole_number(written["count"], 2 if method == "morris" else 1, MOST_POINTS, f"{place}: `count`")
    seed = whole_number(written.get("seed", 0), 0, LARGEST_SEED, f"{place}: `seed`")
    second_order = written.get("second_order", True)
    if not isinstance(second_order, bool):
        raise WorkflowError(f"{place}: `second_order` is {second_order!r}", hint="write true or false")
    levels = whole_number(written.get("levels", 4), 2, MOST_LEVELS, f"{place}: `levels`")
    if levels % 2:
        raise WorkflowError(f"{place}: `levels` is {levels}", hint="give an even number: steps are of half the levels")
    return SampleDesign(method, count, seed, second_order, levels)


def _either(names: Sequence[str]) -> str:
    return f"{', '.join(names[:-1])} or {names[-1]}"


def draw(
    distributions: Sequence[Distribution], design: SampleDesign
) -> tuple[tuple[tuple[Any, ...], ...], tuple[str, ...]]:
    """Draw the points of a sampled space.

    Returns
    -------
    columns, notes
        For each distribution its value at each point, and what a reader should know. Points that repeat an earlier
        one, as those of a choice may, are there once.

    Raises
    ------
    WorkflowError
        Where SciPy is needed and missing, or refuses.
    """
    columns, notes = drawn_points(distributions, design)
    points = list(dict.fromkeys(zip(*columns, strict=True)))
    total = len(columns[0])
    repeated = total - len(points)
    if repeated and design.is_screening:
        notes.append(f"{repeated} of {total} points repeat others: each runs once, and counts for all of them")
    elif repeated:
        notes.append(f"{repeated} of {design.count} sampled points repeat others and are dropped")
    return tuple(zip(*points, strict=True)), tuple(notes)


def drawn_points(distributions: Sequence[Distribution], design: SampleDesign) -> tuple[list[list[Any]], list[str]]:
    """Draw all points of a design in their order, also those that repeat.

    Returns
    -------
    columns, notes
        For each distribution its value at each point, and what a reader should know.

    Raises
    ------
    WorkflowError
        As for `draw`.
    """
    unit, notes = unit_points(design, len(distributions))
    return [distribution.at(unit[:, i].tolist()) for i, distribution in enumerate(distributions)], notes


def unit_points(design: SampleDesign, dimensions: int) -> tuple[np.ndarray, list[str]]:
    """Draw the points of a design in the unit cube, one row each, with what a reader should know of them.

    Raises
    ------
    WorkflowError
        For more points than can be, and what SciPy or SALib refuse.
    """
    import numpy as np

    if design.is_screening:
        if design.points(dimensions) > MOST_POINTS:
            raise WorkflowError(
                f"sampling by {_described(design, dimensions)}, more than {MOST_POINTS}", hint="lower `count`"
            )
        points, notes = screening_points(
            design.method, design.count, dimensions, design.seed, design.second_order, design.levels
        )
        return points, [_described(design, dimensions), *notes]

    generator = np.random.default_rng(design.seed)
    if design.method == "random":
        return generator.random((design.count, dimensions)), []
    from scipy.stats import qmc

    engine: Any = qmc.LatinHypercube if design.method == "lhs" else qmc.Sobol
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            points = engine(dimensions, **_seeded_by(engine, generator)).random(design.count)
        except ValueError as error:
            raise WorkflowError(f"sampling by `{design.method}`: {error}") from error
    return points, [f"sampling by `{design.method}`: {warning.message}" for warning in caught]


def _described(design: SampleDesign, dimensions: int) -> str:
    return described_points(design.method, design.count, dimensions, design.second_order)


def _seeded_by(engine: Any, generator: np.random.Generator) -> dict[str, np.random.Generator]:
    import inspect

    # SciPy 1.15 renamed the argument.
    return {"rng" if "rng" in inspect.signature(engine).parameters else "seed": generator}
